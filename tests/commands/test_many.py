import json
import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from tf_style import cli
from tf_style.commands import many, progress
from tf_style.image.files import read_note
from tf_style.run import stylizer
from tf_style.settings import InputError

TINY = [
    "--size=32", "--scales=2", "--steps=3,2", "--weights=random", "--tolerance=0",
    "--content_layers=block2_conv1", "--style_layers=block1_conv1",
]


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """The working folder, with `style.png`, `out` and `photos`, of which `b` and `d` are bad."""
    monkeypatch.chdir(pictures)
    for name in ("out", "photos"):
        (pictures / name).mkdir()
    for name in "ace":
        Image.open("content.png").save(f"photos/{name}.png")
    Path("photos/b.png").write_text("no picture")
    Image.new("RGB", (500, 1)).save("photos/d.png")
    return pictures


def call(*arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*TINY, *arguments])
    return stopped.value.code


def photo(name):
    return os.path.join("photos", f"{name}.png")


def made():
    return sorted(path.name for path in Path("out").iterdir())


BATCH = ["--content=photos", "--style=style.png", "--output=out/{content}.png"]


def test_bad_pictures_are_named_and_the_others_made(capfd):
    assert call(*BATCH, "--report=r.json") == 1
    captured = capfd.readouterr()
    assert made() == ["a.png", "c.png", "e.png"]
    assert captured.out.splitlines() == [os.path.join("out", f"{name}.png") for name in "ace"]
    lines = captured.err.splitlines()
    assert lines[0] == "[1/5] a.png x style.png" and lines[1].startswith("16x12 (1/2) step 1/3")
    bad = [line for line in lines if line.startswith("tf_style: ")]
    assert bad[0].startswith(f"tf_style: [2/5] b.png x style.png: {photo('b')}: this is not a")
    assert bad[1].startswith("tf_style: [4/5] d.png x style.png: content: 500x1 becomes 32x1")
    assert bad[2:] == [f"tf_style: 3 pictures made, 2 failed: {photo('b')}, {photo('d')}"]
    assert any(line.startswith("[5/5] e.png x style.png, 0:") for line in lines)
    report = json.loads(Path("r.json").read_text())["pictures"]
    assert [entry["content"] for entry in report] == [photo(name) for name in "abcde"]
    assert [entry.get("steps") for entry in report] == [5, None, 5, None, 5]
    assert "this is not a picture" in report[1]["error"]


def test_quiet_says_what_failed(capfd):
    assert call(*BATCH, "--quiet") == 1
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 3


def test_what_is_there_is_left_alone(capfd, monkeypatch):
    for name in "abd":
        Path(f"out/{name}.png").write_text(name)
    assert call(*BATCH, "--skip_existing") == 0
    assert capfd.readouterr().err.endswith("tf_style: 2 pictures made, 3 there already\n")
    assert [Path(f"out/{name}.png").read_text() for name in "abd"] == ["a", "b", "d"]
    monkeypatch.setattr(stylizer, "Stylizer", None)
    assert call(*BATCH, "--skip_existing") == 0
    assert capfd.readouterr().err == "tf_style: 0 pictures made, 5 there already\n"
    assert call("photos/a.png", "style.png", "out/a.png", "--skip_existing", "--quiet") == 0
    assert capfd.readouterr().err == "" and Path("out/a.png").read_text() == "a"


def test_one_of_a_folder_is_as_one_alone(capfd):
    for name in "acde":
        os.unlink(photo(name))
    assert call(*BATCH) == 2
    assert capfd.readouterr().err.startswith(f"tf_style: {photo('b')}: this is not a picture")
    assert made() == []


@pytest.mark.parametrize("moment", ["reading", "painting", "between"])
def test_ctrl_c_ends_the_picture_and_begins_no_other(moment, capfd, monkeypatch):
    owner, name = {
        "reading": (stylizer.Scene, "of"), "painting": (stylizer.Canvas, "descend"),
        "between": (stylizer.Result, "save"),
    }[moment]
    original, count = getattr(owner, name), []

    def pressed(*arguments, **given):
        count.append(1)
        # The stand-in is the first scene, and each picture descends at two sizes.
        if len(count) == {"reading": 3, "painting": 3, "between": 1}[moment]:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **given)

    monkeypatch.setattr(owner, name, pressed)
    assert call("--content=photos/[ace].png", *BATCH[1:]) == 130
    error = capfd.readouterr().err
    if moment == "painting":
        left = os.path.join("out", "c_unfinished.png")
        assert made() == ["a.png", "c_unfinished.png"]
        assert f"stopped after 1 steps; the picture so far is in {left}\n" in error
        assert error.endswith("tf_style: 1 picture made, 1 stopped, 1 not begun\n")
        monkeypatch.setattr(owner, name, original)
        assert call("--content=photos/[ace].png", *BATCH[1:], "--skip_existing") == 0
        assert capfd.readouterr().err.endswith("tf_style: 2 pictures made, 1 there already\n")
        assert made() == ["a.png", "c.png", "c_unfinished.png", "e.png"]
    else:
        assert made() == ["a.png"]
        assert error.endswith("tf_style: 1 picture made, 2 not begun\n")


def test_a_picture_alone_that_is_stopped_is_made_again():
    arguments = ["photos/a.png", "style.png", "out/a.png", "--skip_existing"]
    assert call(*arguments, "--time_limit=0.001s") == 0
    assert made() == ["a_unfinished.png"]
    assert call(*arguments) == 0 and made() == ["a.png", "a_unfinished.png"]


def test_a_time_limit_is_for_all(capfd, monkeypatch):
    clock = iter([0.0] * 7)
    monkeypatch.setattr(many.time, "perf_counter", lambda: next(clock, 60.0))
    assert call("--content=photos/[ace].png", *BATCH[1:], "--time_limit=1m", "--quiet") == 0
    assert capfd.readouterr().err.count("not begun") == 1
    assert len(made()) < 3


def test_a_loss_that_is_not_finite_counts_as_failed(monkeypatch, capfd):
    from tf_style.loss import objective

    monkeypatch.setattr(
        objective, "total_variation", lambda image: image[0, 0, 0, 0] * float("nan")
    )
    assert call("--content=photos/[ac].png", *BATCH[1:]) == 1
    assert made() == ["a_unfinished.png", "c_unfinished.png"]
    assert f"0 pictures made, 2 failed: {photo('a')}, {photo('c')}" in capfd.readouterr().err


def test_a_style_or_a_pair_is_named_where_that_tells_them_apart(capfd):
    assert call("--content=style.png", "--style=photos/[ab].png", "--output=out/") == 1
    assert capfd.readouterr().err.endswith(f"1 failed: {photo('b')}\n")
    assert call("--content=photos/[ab].png", "--style=photos/[ce].png", "--output=out/") == 1
    error = capfd.readouterr().err
    assert f"2 failed: {photo('b')} x {photo('c')}, {photo('b')} x {photo('e')}" in error


def test_a_dry_run_makes_nothing(capfd):
    assert call(*BATCH, "--dry_run") == 1
    captured = capfd.readouterr()
    assert made() == [] and captured.err.count("\n") == 2
    assert [line.split()[-3] for line in captured.out.splitlines()[1:-1]] == [
        "a.png", "c.png", "e.png"
    ]


def test_features_are_learned_once_from_all(monkeypatch):
    asked = []
    original = stylizer.weight_sources.load

    def load(*arguments, pictures, **given):
        asked.append(len(pictures))
        return original(*arguments, pictures=pictures, **given)

    monkeypatch.setattr(stylizer.weight_sources, "load", load)
    assert call("--content=photos/[abce].png", *BATCH[1:], "--weights=unsupervised") == 1
    # Three contents that can be read, and the style.
    assert asked == [4] and made() == ["a.png", "c.png", "e.png"]


def test_the_whole_has_a_bar_and_a_time_left(capsys, monkeypatch):
    clock = iter([100.0, 130.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    overall = progress.Overall(4)
    overall.show(1, "a x s")
    # The second could not be read; what the first took is what each of two more may take.
    overall.show(3, "c\r x s")
    assert capsys.readouterr().err.splitlines() == [
        "[1/4] [----------] a x s", "[3/4] [#####-----] c\\r x s, 1:00 left",
    ]


def test_each_picture_has_its_snapshots_and_settings(monkeypatch, capfd):
    arguments = ["--content=photos/[ac].png", *BATCH[1:]]
    assert call(*arguments, "--snapshot_every=3", "--noembed_settings") == 0
    assert made() == ["a.png", "a_0003.png", "c.png", "c_0003.png"]
    assert read_note("out/a.png") is None
    assert call(*arguments) == 0
    assert json.loads(read_note("out/c.png"))["content"] == photo("c")
    assert call(*arguments, "--animate=a.gif") == 2
    assert "--animate=a.gif: belongs to the making of one picture" in capfd.readouterr().err

    assert call(*arguments, "--checkpoint=kept") == 2

    def full(*_):
        raise InputError("the disk is full")

    monkeypatch.setattr("tf_style.commands.byproducts.Snapshots.show", full)
    assert call(*arguments, "--snapshot_every=3") == 1
    assert "2 pictures made" in capfd.readouterr().err
