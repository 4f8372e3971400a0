"""Who watches a run: what is seen of it, and the profiler."""

import re
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.commands.conftest import TINY, call
from tf_style import cli
from tf_style.commands import progress
from tf_style.commands.drawing import minutes
from tf_style.commands.painted import _ending as ending
from tf_style.commands.progress import Overall, Progress, Watchers, closed
from tf_style.run.result import Step
from tf_style.run.schedule import Scale
from tf_style.settings import InputError

ONE = ["content.png", "style.png", "a.png", *TINY]


def step(number, seconds, scale=1):
    return Step(scale=scale, scales=2, height=10 * scale, width=20 * scale, step=number, steps=5,
                loss=2.0, parts={"content": 0.5, "style": 1.5}, seconds=seconds)


def test_progress_is_plain_lines_where_there_is_no_terminal(capfd):
    assert call(cli.main, *ONE) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines[-2].startswith("32x24 (2/2) step 2/2, 0:00 left  loss ")
    assert "content" in lines[-2] and "style" in lines[-2] and "variation" in lines[-2]
    assert re.fullmatch(r"tf_style: 32x24 pixels, 5 steps in 0:\d\d: all steps are done", lines[-1])
    assert "\r" not in "".join(lines)


def test_on_a_terminal_there_is_one_bar_for_all_sizes(monkeypatch):
    plan = [Scale(10, 20, (20,), 5, 1, 2), Scale(20, 40, (40,), 5, 2, 2)]
    shown = []
    monkeypatch.setattr(progress, "columns", lambda: 80)
    monkeypatch.setattr(progress.status, "show",
                        lambda text, share, **given: shown.append((text, share, given)))
    bar = Progress(plan, "picture 2 of 3")
    bar.show(step(1, 1))
    bar.show(step(5, 5))
    bar.show(step(5, 30, scale=2))
    assert [(text, share) for text, share, _ in shown] == [
        ("picture 2 of 3", 1 / 25), ("picture 2 of 3", 1 / 5), ("picture 2 of 3", 1.0),
    ]
    assert shown[0][2]["ends"] is None and shown[1][2]["ends"] > time.monotonic() + 15
    assert shown[0][2]["details"] == ("20x10 (1/2)", "step 1/5", "loss 2", "content 0.5",
                                      "style 1.5")


def ended(*history, model=None):
    return SimpleNamespace(image=np.zeros((24, 32, 3)), history=history, seconds=61,
                           settings=SimpleNamespace(model=model))


def test_at_the_end_it_is_said_what_was_made_and_why_it_ended():
    assert ending(ended(step(4, 9), step(5, 10))) == (
        "32x24 pixels, 2 steps in 1:01: all steps are done")
    assert ending(ended(step(4, 9))) == "32x24 pixels, 1 step in 1:01: the loss no longer falls"
    # L-BFGS takes none where there is nothing to gain.
    assert ending(ended()) == "32x24 pixels, 0 steps in 1:01: all steps are done"
    assert ending(ended(model="a.keras")) == "32x24 pixels, painted by a network in 61 s"


def test_the_time_left_goes_by_pixels_and_leaves_the_first_step_out(capfd):
    plan = [Scale(10, 20, (20,), 5, 1, 2), Scale(20, 40, (40,), 5, 2, 2)]
    shown = Progress(plan)
    shown.show(step(1, 100))
    shown.show(step(2, 106))
    first, second = capfd.readouterr().err.splitlines()
    assert "left" not in first
    # Three steps of 6 seconds, and five of four times as many pixels.
    assert second.startswith("20x10 (1/2) step 2/5, 2:18 left  loss 2  content 0.5  style 1.5")
    # Until there is a second step, the size before tells the pace.
    shown.show(step(1, 200, scale=2))
    assert "1:36 left" in capfd.readouterr().err


def test_lines_come_every_few_seconds_and_at_the_end_of_a_size(capfd):
    shown = Progress([])
    for number, seconds in ((1, 0), (2, 1), (3, 4.9), (4, 5), (5, 5.1)):
        shown.show(step(number, seconds))
    lines = capfd.readouterr().err.splitlines()
    assert [line.partition("step ")[2][0] for line in lines] == ["1", "4", "5"]


def test_the_whole_has_a_bar_and_a_time_left(capsys, monkeypatch):
    clock = iter([100.0, 130.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(progress, "columns", lambda: 80)
    overall = Overall(4)
    overall.show(1, "a x s")
    # The second could not be read; what the first took is what each of two more may take.
    overall.show(3, "c\r x s")
    assert capsys.readouterr().err.splitlines() == [
        "[1/4] [----------] a x s", "[3/4] [#####-----] c\\r x s, 1:00 left",
    ]


@pytest.mark.parametrize("seconds, text", [(0, "0:00"), (59.2, "1:00"), (65, "1:05"),
                                           (3600, "60:00")])
def test_durations_are_minutes_and_seconds(seconds, text):
    assert minutes(seconds) == text


class Watching:
    """A watcher, which fails at one of its steps or at its end."""

    def __init__(self, fails_at=None):
        self.heard, self.fails_at = [], fails_at

    def show(self, step):
        self._hear(step.step)

    def close(self):
        self._hear("end")

    def _hear(self, what):
        self.heard.append(what)
        if what == self.fails_at:
            raise InputError("the disk is full")


@pytest.mark.parametrize("fails_at, heard", [(1, [1]), ("end", [1, 2, "end"])])
def test_a_watcher_that_fails_is_left_out_and_the_others_go_on(fails_at, heard, capfd):
    bad, good = Watching(fails_at), Watching()
    watchers = Watchers([bad, good])
    with closed(watchers):
        watchers.show(step(1, 1))
        watchers.show(step(2, 2))
    assert bad.heard == heard and good.heard == [1, 2, "end"] and watchers.failed
    assert capfd.readouterr().err == "tf_style: the disk is full\n"


def test_watchers_hear_of_an_end_by_an_error():
    watcher = Watching()
    with pytest.raises(KeyboardInterrupt), closed(Watchers([watcher])):
        raise KeyboardInterrupt
    assert watcher.heard == ["end"]


# The profiler


def test_profile_is_tensorflows_own(folder):
    assert call(cli.main, *ONE, "--profile=profile", "--steps=1,4") == 0
    written, = (folder / "profile").rglob("*.xplane.pb")
    assert written.stat().st_size > 1000


def test_ten_steps_of_the_last_size_are_profiled_without_the_first(monkeypatch):
    events, heard = [], []
    monkeypatch.setattr(tf.profiler.experimental, "start", lambda folder: events.append("start"))
    monkeypatch.setattr(tf.profiler.experimental, "stop", lambda: events.append("stop"))
    profiler = progress.Profiler(Path("profile"))
    for scale, number in [(1, 1), (1, 2), *((2, each) for each in range(1, 15))]:
        before = len(events)
        profiler.show(step(number, 0, scale))
        heard += [(scale, number, event) for event in events[before:]]
    profiler.close()
    # After the first step, and after ten more.
    assert heard == [(2, 1, "start"), (2, 11, "stop")] and len(events) == 2


@pytest.mark.parametrize("names, count", [("content.png", 1), ("*t*.png", 2)])
def test_a_profile_that_cannot_be_written_costs_no_picture(
    names, count, folder, capfd, monkeypatch
):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "no space left")

    (folder / "out").mkdir()
    Image.open("content.png").save("content_two.png")
    monkeypatch.setattr(tf.profiler.experimental, "start", lambda _: None)
    monkeypatch.setattr(tf.profiler.experimental, "stop", full)
    assert call(cli.main, names, "style.png", "out/{content}.png", "--profile=profile",
                *TINY) == 1
    assert "tf_style: --profile: cannot be written (no space left)\n" in capfd.readouterr().err
    assert len(list((folder / "out").iterdir())) == count
