"""The command `tf_style_train`."""

import dataclasses
import json
import signal
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import assert_tells, call, without_tensorflow
from tests.commands.here import Here
from tests.transfer.conftest import TINY as OBJECTIVE
from tests.transfer.conftest import small  # noqa: F401
from tf_style import cli
from tf_style.commands import training
from tf_style.commands.train import TrainOptions
from tf_style.run.lock import claimed
from tf_style.settings import InputError, Settings
from tf_style.transfer.model_file import TransformModel

TINY = ["--steps=3", "--size=64", "--init=none",
        *(f"--{name}={value}" for name, value in OBJECTIVE.items())]
NETS = ["-o", "nets/{style}.keras", *TINY]


def test_a_network_is_trained_and_paints(folder, photos, capfd):
    assert call(cli.train, "style.png", "-o", "made.keras", "--pictures=photos", *TINY,
                "--sheet=sheet.jpg", "--report=report.json") == 0
    out, error = capfd.readouterr()
    assert out == "made.keras\n" and "3 steps in 0:" in error and "--model=made.keras" in error
    assert "left out: " in error and "b.png" in error
    assert TransformModel.read("made.keras").styles == ["style"]
    sheet = np.asarray(Image.open("sheet.jpg"))
    assert sheet.shape[0] == 2 * 264 and sheet.std() > 5
    report = json.loads(Path("report.json").read_text())
    assert 0 < report["seconds_before_first_step"] < report["seconds"]
    assert report["steps"] == 3 and report["pictures"]["given"] == 4
    for each in report["held_out"]:
        assert each["optimiser"]["style"] < each["network"]["style"]
    assert call(cli.main, "content.png", "a.png", "--model=made.keras", "--size=40", "-q") == 0


@pytest.mark.parametrize(("arguments", "message"), [
    (["-o", "a.keras"], "--style: expected a value"),
    (["style.png"], "--output: expected a value"),
    (["style.png", "a.keras"], "The network is written to --output=a.keras"),
    (["style.png", "-o", "a.png"], "expected a name that ends in .keras"),
    (["missing.png", "-o", "a.keras"], "missing.png: there is no such file"),
    (["style.png", "-o", "a.keras", "--pictures=nothing"], "nothing"),
    (["style.png", "-o", "a.keras", "--pictures=style.png", "--sheet=style.png"], "style.png"),
    (["style.png", "-o", "a.keras", "--steps=3", "--time_limit=1m"], "choose one of them"),
    (["style.png", "-o", "a.keras", "--steps=0"], "--steps: expected a whole number"),
    (["style.png", "-o", "a.keras", "--time_limit=never"], "--time_limit: expected a time"),
    (["style.png", "-o", "a.keras", "--width=wide"], "--width: expected one of fine, fast"),
    (["style.png", "-o", "a.keras", "--resume"], "--checkpoint=FOLDER"),
    (["style.png", "-o", "a.keras", "--tolerance=0.1"], "--tolerance: has no effect when training"),
    (["style.png", "-o", "a.keras", "--preset=strokes"], "--preset=strokes: it is for single"),
    (["style.png", "-o", "a.keras", "--init=missing.keras"], "--init=missing.keras"),
    (["style.png", "-o", "a.keras", "--sheet=sheet.txt"], "sheet.txt"),
    (["style.png", "-o", "a.keras", "--workers=2"], "--workers: is for several networks"),
    (["style.png", "-o", "{style}.keras", "--sheet=a.jpg"], "--sheet=a.jpg: each network has"),
    (["style.png", "style.png", "-o", "{style}.keras"], "would both get this name"),
    (["style.png", "-o", "a.keras", "--cluster=auto"], "--cluster: is for several networks"),
    (["style.png", "-o", "{style}.keras", "--cluster=no"], "--cluster=no: expected local, auto"),
    (["style.png", "-o", "{style}.keras", "--cluster=auto", "--workers=2"], "--workers=2: is for"),
    (["style.png", "-o", "{style}.keras", "--cluster=auto", "--report=new/{style}.json"],
     "style.json: with --cluster, expected the folder of --output=style.keras"),
    (["style.png", "-o", "kept/{style}/a.keras", "--checkpoint=kept/{style}"],
     "a.keras: the --checkpoint folder is for checkpoints only"),
])
def test_bad_input_is_one_line_without_tensorflow(refused, arguments, message):
    assert message in refused(cli.train, *arguments)
    assert without_tensorflow(cli.train, *arguments) == 2


@pytest.mark.parametrize(("text", "output", "message"), [
    ("host1,host2", "a.keras", "TF_CONFIG: expected JSON"),
    ('{"cluster": {"worker": ["one:1", "two:1"]}, "task": {"type": "worker", "index": 1}}',
     "{style}.keras", "train one network together. Leave out {style}"),
])
def test_bad_clusters_are_one_line_without_tensorflow(refused, monkeypatch, text, output, message):
    monkeypatch.setenv("TF_CONFIG", text)
    assert message in refused(cli.train, "style.png", "-o", output)
    assert without_tensorflow(cli.train, "style.png", "-o", output) == 2


def test_a_stop_keeps_the_network_so_far(folder, monkeypatch, capfd):
    hear = training._Follower.hear

    def stopped(self, lesson):
        if lesson.number == 2:
            signal.raise_signal(signal.SIGINT)
        return hear(self, lesson)

    monkeypatch.setattr(training._Follower, "hear", stopped)
    assert call(cli.train, "style.png", "-o", "a.keras", *TINY, "--checkpoint=kept") == 130
    assert "stopped after 2 steps; the network so far is in a.keras" in capfd.readouterr().err
    monkeypatch.setattr(training._Follower, "hear", hear)
    assert call(cli.train, "style.png", "-o", "b.keras", *TINY, "--checkpoint=kept", "--resume",
                "-q") == 0
    assert TransformModel.read("a.keras").note["steps"] == 2
    assert TransformModel.read("b.keras").note["steps"] == 3
    # Nothing is left to do, but a network that could not be written is had all the same.
    assert call(cli.train, "style.png", "-o", "c.keras", *TINY, "--checkpoint=kept",
                "--resume") == 0
    first, second = (TransformModel.read(name).model.get_weights()
                     for name in ("b.keras", "c.keras"))
    assert all(map(np.array_equal, first, second))


def test_what_cannot_be_written_beside_the_network_ends_nothing(folder, monkeypatch, capfd):
    monkeypatch.setattr(training, "_SHEET_EVERY", -1.0)

    def full(path, *_, **__):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr("tf_style.image.picture.write_picture", full)
    assert call(cli.train, "style.png", "-o", "a.keras", *TINY, "--sheet=sheet.jpg") == 1
    assert "sheet.jpg: cannot be written" in capfd.readouterr().err
    assert TransformModel.read("a.keras").note["steps"] == 3


def test_several_go_on_where_they_were_stopped(folder, monkeypatch, capfd):
    for name in "ab":
        Image.open("style.png").rotate(90 * (name == "b")).save(f"{name}.png")
    assert call(cli.train, "a.png", "b.png", "-o", "whole/{style}.keras", *TINY) == 0
    asked = ["a.png", "b.png", *NETS, "--checkpoint=kept/{style}", "--skip_existing"]
    hear = training._Follower.hear

    def pressed(self, lesson):
        if (self._plan.title, lesson.number) == ("b.png", 2):
            signal.raise_signal(signal.SIGINT)
        return hear(self, lesson)

    with monkeypatch.context() as context:
        context.setattr(training._Follower, "hear", pressed)
        assert call(cli.train, *asked) == 130
    said = capfd.readouterr().err.splitlines()
    left = Path("nets/b_unfinished.keras")
    assert said[-2] == f"tf_style_train: stopped after 2 steps; the network so far is in {left}"
    assert said[-1] == "tf_style_train: 1 network trained, 1 stopped"
    assert sorted(path.name for path in Path("nets").iterdir()) == ["a.keras", left.name]
    assert sorted(path.name for path in Path("kept").iterdir()) == ["a", "b"]
    assert call(cli.train, *asked, "--resume") == 0
    said = capfd.readouterr().err.splitlines()
    assert said[-1] == "tf_style_train: 1 network trained, 1 there already"
    for name in "ab":
        one, other = (TransformModel.read(f"{folder}/{name}.keras").model.get_weights()
                      for folder in ("whole", "nets"))
        assert all(map(np.array_equal, one, other))


@pytest.fixture
def several(folder, monkeypatch):
    """Three styles, of which nothing can be learned from `b`, and trainings that take no time.

    The plans of those that were begun, in order; workers are no processes of their own.
    """
    begun = []

    def stand_in(plan, listener, spent=0.0):
        begun.append(plan)
        if plan.title == "b.png":
            raise InputError("style: b.png cannot be used")
        plan.output.parent.mkdir(exist_ok=True)
        plan.output.write_text("a network")
        if plan.title == "stop.png":
            signal.raise_signal(signal.SIGINT)
        if plan.title == "fast.png":
            # Another command makes it meanwhile.
            Path("nets/slow.keras").touch()
        return training.Trained(plan, plan.output, 3, 1.0, listener.stops())

    class Engine(Here):
        made = []  # noqa: RUF012

    monkeypatch.setattr(training, "trained", stand_in)
    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    for name in ("a", "b", "c", "stop", "fast", "slow"):
        Image.open("style.png").save(f"{name}.png")
    return begun


@pytest.mark.parametrize("workers", [1, 2])
def test_one_network_for_each_style(several, capfd, workers):
    assert call(cli.train, "a.png", "b.png", "c.png", *NETS, "--report=nets/{style}.json",
                f"--workers={workers}", "--threads=1") == 1
    out, error = capfd.readouterr()
    assert sorted(out.splitlines()) == [str(Path("nets", f"{name}.keras")) for name in "ac"]
    assert "tf_style_train: b.png: style: b.png cannot be used\n" in error
    assert error.splitlines()[-1] == "tf_style_train: 2 networks trained, 1 failed: b.png"
    assert sorted(each.styles for each in several) == [("a.png",), ("b.png",), ("c.png",)]
    assert {each.settings.threads for each in several} == {1}
    assert Path("nets", "c.json") in [each.report for each in several]


def test_networks_are_trained_elsewhere_and_come_home(several, nodes, capfd):
    assert call(cli.train, "a.png", "b.png", "c.png", *NETS, "--report=nets/{style}.json",
                "--cluster=auto", "--threads=1") == 1
    out, error = capfd.readouterr()
    assert sorted(out.splitlines()) == [str(Path("nets", f"{name}.keras")) for name in "ac"]
    assert "tf_style_train: b.png: style: b.png cannot be used\n" in error
    assert error.splitlines()[-1] == "tf_style_train: 2 networks trained, 1 failed: b.png"
    assert sorted(path.name for path in Path("nets").iterdir()) == ["a.keras", "c.keras"]
    assert f"use it with tf_style PHOTO --model={Path('nets', 'a.keras')}\n" in error
    assert {each.settings.threads for each in several} == {1} and len(nodes.made) == 1
    for plan in several:
        assert Path(plan.styles[0]).name == plan.title != plan.styles[0]
        assert plan.report == plan.output.with_name(f"{Path(plan.title).stem}.json")


def test_checkpoints_stay_on_a_folder_that_is_shared(several, nodes, refused):
    said = refused(cli.train, "a.png", "c.png", *NETS, "--checkpoint=nets/{style}_kept",
                   "--cluster=auto")
    kept = Path("nets/a_kept")
    assert f"--checkpoint={kept}: a node of the --cluster does not share this folder" in said


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")
def test_a_ray_cluster_trains_networks(folder, capfd):
    """Nothing stands in for anything."""
    for name in "ab":
        Image.open("style.png").save(f"{name}.png")
    # A path through a process's own folder leads a worker elsewhere: files go there as bytes.
    way = "/proc/self/cwd/" * sys.platform.startswith("linux")
    assert call(cli.train, f"{way}a.png", f"{way}b.png", "-o", f"{way}nets/{{style}}.keras", *TINY,
                f"--report={way}nets/{{style}}.json", "--cluster=local") == 0
    assert capfd.readouterr().err.splitlines()[-1] == "tf_style_train: 2 networks trained"
    assert sorted(path.name for path in Path("nets").iterdir()) == [
        "a.json", "a.keras", "b.json", "b.keras"]
    for name in "ab":
        # Networks are small in this process alone.
        assert zipfile.is_zipfile(f"nets/{name}.keras")
        report = json.loads(Path(f"nets/{name}.json").read_text())
        assert (report["styles"][0]["name"], report["steps"]) == (name, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_networks_that_are_there_are_left_alone(several, capfd, workers):
    Path("nets").mkdir()
    Path("nets/a.keras").write_text("older")
    asked = [*NETS, "--skip_existing", f"--workers={workers}"]
    # Of those that are taken from the left, `slow` is there when its turn comes.
    styles = ["a.png", "fast.png", "slow.png"]
    assert call(cli.train, *styles, *asked) == 0
    assert capfd.readouterr().err.splitlines()[-1] == (
        "tf_style_train: 1 network trained, 2 there already")
    assert [plan.title for plan in several] == ["fast.png"]
    assert Path("nets/a.keras").read_text() == "older"
    assert call(cli.train, *styles, *asked) == 0
    assert capfd.readouterr().err.endswith("tf_style_train: 0 networks trained, 3 there already\n")
    with claimed(Path("nets/c.keras")):
        assert call(cli.train, "c.png", "a.png", *asked) == 0
        assert call(cli.train, "c.png", "-o", "nets/c.keras", "--skip_existing") == 0
    assert "nets/c.keras exists already, or is being made" in capfd.readouterr().err.replace(
        "\\", "/")
    assert len(several) == 1 and sorted(path.name for path in Path("nets").iterdir()) == [
        "a.keras", "fast.keras", "slow.keras"]


def test_what_a_lost_worker_kept_is_gone_on_with(tmp_path):
    plan = training.Plan(("a.png",), (), Settings(), TrainOptions(), tmp_path / "a.keras",
                         checkpoint=tmp_path / "kept", begun=time.time() - 60)
    assert not plan.checkpoints().resume
    (tmp_path / "kept" / "checkpoint_1").mkdir(parents=True)
    assert plan.checkpoints().resume
    assert not dataclasses.replace(plan, begun=time.time() + 60).checkpoints().resume
    resuming = dataclasses.replace(plan, options=TrainOptions(resume=True), begun=time.time() + 60)
    assert resuming.checkpoints().resume


@pytest.mark.parametrize("workers", [1, 2])
def test_no_other_training_is_begun_after_a_stop(several, capfd, workers):
    assert call(cli.train, "a.png", "stop.png", "c.png", *NETS, f"--workers={workers}",
                "-q") == 130
    last = capfd.readouterr().err.splitlines()[-1]
    assert "1 not begun" in last and "c.png" not in [each.title for each in several]


def test_the_whole_help_leaves_out_what_has_no_effect(capfd):
    assert call(cli.train, "--helpfull") == 0
    told = capfd.readouterr().out
    assert "--style_weight=" in told and "--steps=" in told and "--init=" in told
    assert not any(f"\n  --{name}" in told for name in ("tolerance", "preserve_color", "model"))


def test_without_a_name_the_network_is_compact_whatever_else_is_there(monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "gone.h5")
    assert Settings().for_training().network == "compact"
    assert Settings(network="vgg19").for_training().network == "vgg19"


def test_help_tells_of_the_flags_that_people_need(capfd):
    assert call(cli.train, "--help") == 0
    assert_tells(capfd.readouterr().out, {
        "style": (None, "painting"), "pictures": (None, "photographs to learn from"),
        "time_limit": ("10m", "how long to train"), "width": ("fine", "a third of the time"),
    })
