"""The command `tf_style_train`."""

import json
import signal
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
from tf_style.settings import InputError, Settings
from tf_style.transfer.model_file import TransformModel

TINY = ["--steps=3", "--size=64", "--init=none",
        *(f"--{name}={value}" for name, value in OBJECTIVE.items())]


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
])
def test_bad_input_is_one_line_without_tensorflow(refused, arguments, message):
    assert message in refused(cli.train, *arguments)
    assert without_tensorflow(cli.train, *arguments) == 2


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
        return training.Trained(plan, 3, 1.0, listener.stops())

    class Engine(Here):
        made = []  # noqa: RUF012

    monkeypatch.setattr(training, "trained", stand_in)
    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    for name in ("a", "b", "c", "stop"):
        Image.open("style.png").save(f"{name}.png")
    return begun


NETS = ["-o", "nets/{style}.keras", *TINY]


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
