"""Pictures of a command that are painted by several workers."""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tests.commands.conftest import TINY, call, files_in, made, photo, process, several
from tests.commands.here import Here
from tf_style import cli
from tf_style.cluster import processes
from tf_style.cluster.engine import Hello
from tf_style.cluster.worker import Speaker
from tf_style.commands.workers import Workers
from tf_style.image.picture import read_note
from tf_style.run import machine

# TensorFlow computes in this process already, and its threads stay as many as they are.
THREADS = f"--threads={machine.cores()}"
BY_TWO = [THREADS, "--workers=2"]
ACE = several("photos/[ace].png")


def without_numbers(text):
    """What a command says of its pictures, whatever their order and seconds."""
    lines = re.sub(r" in \d+:\d\d|\[\d/", "", text).splitlines()
    return sorted(line for line in lines if line.startswith("tf_style: "))


@pytest.fixture
def here(monkeypatch):
    """The engines that a command had, and how often a worker ends with a picture, by its name."""
    engines, ends = [], collections.Counter()

    def is_deadly(job):
        name = Path(job.content).stem
        ends[name] -= 1
        return ends[name] >= 0

    def engine(*arguments, **given):
        engines.append(Here(*arguments, **given, deadly=is_deadly))
        return engines[-1]

    monkeypatch.setattr(processes, "Processes", engine)
    return engines, ends


def test_workers_make_what_one_process_makes(photos, here, capfd):
    engines, _ = here
    assert call(cli.main, *several(), THREADS) == 1
    alone, said = files_in("out"), capfd.readouterr()
    for path in Path("out").iterdir():
        path.unlink()
    assert call(cli.main, *several(), *BY_TWO, "--report=run.json") == 1
    assert files_in("out") == alone
    by_two = capfd.readouterr()
    assert sorted(by_two.out.splitlines()) == said.out.splitlines()
    assert without_numbers(by_two.err) == without_numbers(said.err)
    assert "tf_style: [" in by_two.err and "pictures made, 2 failed: " in by_two.err
    assert len(engines) == 1 and engines[0].count == 2 and engines[0].work.count == 5
    pictures = json.loads(Path("run.json").read_text())["pictures"]
    assert [Path(each["content"]).stem for each in pictures] == [*"abcde"]
    assert ["error" in each for each in pictures] == [False, True, False, True, False]
    assert all(each["worker"] == Hello.of_this_process().name for each in pictures)


def test_a_picture_that_ends_its_worker_is_made_by_another(photos, here, capfd):
    _, ends = here
    ends["c"] = 1
    assert call(cli.main, *ACE, *BY_TWO) == 0
    assert made() == ["a.png", "c.png", "e.png"]
    said = capfd.readouterr().err
    assert "c.png x style.png: process " in said
    assert "ended with code 7; it is begun again elsewhere" in said
    assert said.endswith("tf_style: 3 pictures made\n")


def test_a_picture_that_ends_two_workers_is_named_and_set_aside(photos, here, capfd):
    _, ends = here
    ends["c"] = 9
    assert call(cli.main, *ACE, *BY_TWO, "--report=run.json") == 1
    assert made() == ["a.png", "e.png"] and ends["c"] == 7
    said = capfd.readouterr().err
    assert "c.png x style.png: set aside, as 2 workers ended with it" in said
    assert said.endswith(f"tf_style: 2 pictures made, 1 failed: {photo('c')}\n")
    pictures = json.loads(Path("run.json").read_text())["pictures"]
    assert ["set aside" in each.get("error", "") for each in pictures] == [False, True, False]


def test_on_request_workers_stop(photos, here, capfd, monkeypatch):
    """What has begun is left unfinished, what has not is left out, and it goes on from there."""
    share = Speaker.share

    def pressed(self, done):
        share(self, done)
        if done > 0.3 and made() == ["a.png"]:
            signal.raise_signal(signal.SIGINT)
            self.stopping = True

    with monkeypatch.context() as context:
        context.setattr(Speaker, "share", pressed)
        assert call(cli.main, *ACE, *BY_TWO) == 130
    said = capfd.readouterr().err
    assert made() == ["a.png", "c_unfinished.png"]
    assert "the picture so far is in " in said
    assert said.endswith("tf_style: 1 picture made, 1 stopped, 1 not begun\n")
    assert call(cli.main, *ACE, "--skip_existing") == 0
    assert capfd.readouterr().err.endswith("tf_style: 2 pictures made, 1 there already\n")


def test_the_report_says_that_the_time_was_up(photos, here, capfd, monkeypatch):
    share, over = Speaker.share, []

    def last(self, done):
        share(self, done)
        over.append(done)
        self.stopping = True

    late = property(lambda _: bool(over), lambda *_: None)
    monkeypatch.setattr(Workers, "late", late, raising=False)
    monkeypatch.setattr(Speaker, "share", last)
    assert call(cli.main, *ACE, *BY_TWO, "--report=run.json") == 0
    assert ", as the time is up; " in capfd.readouterr().err
    stopped = [each["stopped"] for each in json.loads(Path("run.json").read_text())["pictures"]
               if "stopped" in each]
    assert stopped and {*stopped} == {"time limit"}


def test_what_is_wrong_with_all_pictures_is_one_line(photos, here, capfd):
    assert call(cli.main, *ACE, *BY_TWO, "--device=gpu:9") == 2
    said = capfd.readouterr().err
    assert said.startswith("tf_style: --device=gpu:9: TensorFlow sees") and said.count("\n") == 1
    assert made() == []


def test_logs_tell_the_steps(photos, here):
    assert call(cli.main, *ACE, *BY_TWO, "--logs") == 0
    assert made() == [f"{name}.png{ending}" for name in "ace" for ending in ("", ".log")]
    lines = Path("out/a.png.log").read_text().splitlines()
    assert len(lines) == 5 and "step 2/2  loss " in lines[-1] and "content " in lines[0]


def test_logs_are_the_same_in_one_process(folder):
    assert call(cli.main, "content.png", "style.png", "new.png", *TINY, "--logs") == 0
    assert len(Path("new.png.log").read_text().splitlines()) == 5


def test_a_log_that_cannot_be_written_costs_no_picture(photos, here, capfd):
    Path("out/c.png.log").mkdir()
    assert call(cli.main, *ACE, *BY_TWO, "--logs") == 2
    Path("out/c.png.log").rmdir()
    assert made() == []


def test_one_worker_is_this_process(photos, here):
    engines, _ = here
    assert call(cli.main, *ACE, "--workers=1") == 0
    assert call(cli.main, photo("a"), "style.png", "new.png", *TINY, "--workers=2") == 0
    assert not engines


def test_one_picture_needs_no_cluster(folder, capfd):
    assert call(cli.main, "content.png", "style.png", "new.png", *TINY, "--cluster=auto") == 0
    said = capfd.readouterr().err
    assert "--cluster=auto: is for several pictures; this one is made here" in said


def test_where_memory_is_short_auto_takes_one(photos, here, monkeypatch):
    engines, _ = here
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "use_threads", lambda threads, **_: 4)
    for limit, workers in ((1e9, 0), (2e9, 2), (9e9, 3), (None, 3)):
        monkeypatch.setattr(machine, "memory_limit", lambda limit=limit: limit)
        engines.clear()
        assert call(cli.main, *ACE, "--workers=auto", "--size=32") == 0
        assert [each.count for each in engines] == [workers] * bool(workers), limit
        if engines:
            work = engines[0].work
            assert work.memory == (limit and limit / workers)
            assert work.request.settings.threads == 4 // workers


@pytest.mark.parametrize("flags, message", [
    (["--workers=0"], "--workers: expected a whole number, at least 1"),
    (["--workers=some"], "--workers: expected a whole number"),
    (["--workers=2", "--profile=p"], "--profile=p: is for one process"),
    (["--threads=0"], "--threads: expected a whole number, at least 1"),
])
def test_flags_that_cannot_be(flags, message, photos, refused):
    assert message in refused(cli.main, *ACE, *flags)


def test_pixels_depend_on_threads_that_are_recorded(photos, here):
    call(cli.main, *ACE, *BY_TWO)
    note = json.loads(read_note("out/a.png"))
    assert note["given"]["threads"] == note["settings"]["threads"] == machine.cores()


def children(number):
    """The processes that a process has, where the system says so."""
    try:
        return [*map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split())]
    except OSError:
        return []


@pytest.mark.slow
def test_processes_make_what_one_process_makes(photos):
    """With as many threads as each of them has, though one is killed, and another command helps."""
    one = process(cli.main, *several(), "--threads=1")
    alone = files_in("out")
    for path in Path("out").iterdir():
        path.unlink()
    environment = {**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])}
    command = [sys.executable, "-m", "tf_style", *several(), "--threads=1", "--skip_existing"]
    with subprocess.Popen([*command, "--workers=2", "--report=run.json"], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as two:
        killed = []
        while two.poll() is None and not killed:
            killed = children(two.pid)[-1:] if len(children(two.pid)) == 2 else []
            time.sleep(0.1)
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        other = subprocess.run([*command, "--workers=2"], env=environment, capture_output=True,
                               text=True)
        output, said = two.communicate()
    assert files_in("out") == alone and len(alone) == 3
    assert one.returncode == two.returncode == other.returncode == 1
    # Between them, the two commands made each picture once.
    between = output.splitlines() + other.stdout.splitlines()
    assert sorted(between) == sorted(one.stdout.splitlines())
    # A picture that the other command has at hand is passed over, also one that cannot be read.
    failures = [re.search(r", [12] failed: (.*)", text)[1].split(", ")
                for text in (said, other.stderr)]
    assert len({name for names in failures for name in names}) == 2
    assert "Traceback" not in said + other.stderr
    pictures = json.loads(Path("run.json").read_text())["pictures"]
    assert not killed or f"process {killed[0]} " not in str(pictures)
    assert np.asarray(Image.open("out/a.png")).std() > 1
