"""The command `tf_style`: what comes out, of one picture and of several."""

import json
import os
import shlex
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.commands.conftest import (
    TINY,
    assert_tells,
    call,
    files_in,
    made,
    photo,
    several,
    without_tensorflow,
)
from tf_style import cli, feature_model
from tf_style.commands import stylize
from tf_style.commands.audience import Audience
from tf_style.image.picture import read_note, read_picture, write_picture
from tf_style.network import networks
from tf_style.run.lock import locked
from tf_style.run.result import Result
from tf_style.run.scene import Scene

DATA = Path(__file__).parents[1] / "data"
ONE = ["content.png", "style.png", "a.png", *TINY]
# All time that there is passes while the first step is traced.
SOON = "--time_limit=0.05s"


def report(name="a.json"):
    return json.loads(Path(name).read_text())


# One picture


def test_flags_and_places_give_the_same_picture(capfd):
    assert call(cli.main, "--content=content.png", "--style=style.png", "--output=a.png",
                "--report=a.json", *TINY) == 0
    assert capfd.readouterr().out == "a.png\n"
    assert call(cli.main, "content.png", "style.png", "b.png", *TINY) == 0
    assert Image.open("a.png").size == (32, 24)
    assert (read_picture("a.png") == read_picture("b.png")).all()
    assert report()["steps"] == 5 and report()["output"] == "a.png"
    note = json.loads(read_note("a.png"))
    assert {name: report()[name] for name in note} == note


def test_without_output_a_new_name_beside_the_content(folder):
    for expected in ("content_style.png", "content_style_2.png", "content_style_3.png"):
        before = files_in(folder)
        assert call(cli.main, "content.png", "style.png", *TINY) == 0
        after = files_in(folder)
        assert set(after) - set(before) == {expected}
        assert all(after[name] == before[name] for name in before)


def test_an_existing_output_is_replaced(folder):
    (folder / "a.png").write_bytes(b"older")
    assert call(cli.main, *ONE) == 0
    assert Image.open("a.png").size == (32, 24)


def test_quiet_says_nothing(capfd):
    assert call(cli.main, *ONE, "--quiet") == 0
    assert capfd.readouterr() == ("", "")


def test_several_styles_are_given_by_repeating_the_flag():
    assert call(cli.main, "--content=content.png", "--style=style.png", "--style=content.png",
                "--output=a.png", "--report=a.json", *TINY) == 0
    assert report()["style"] == ["style.png", "content.png"]


def test_weights_in_the_environment_do_not_hinder_a_model_file(monkeypatch):
    feature_model(["block1_conv1", "block1_conv2"], "random").save("model.keras")
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "elsewhere.h5")
    layers = ["--content_layers=block1_conv2", "--style_layers=block1_conv1"]
    assert call(cli.main, "content.png", "style.png", "a.png", "--network=model.keras", "--size=32",
                "--steps=2", *layers) == 0


def test_a_loss_that_is_not_finite_exits_with_1_and_a_picture(loss_not_finite, capfd):
    assert call(cli.main, *ONE, "--report=a.json") == 1
    assert "the loss is not finite at step 1" in capfd.readouterr().err
    assert Image.open("a.png").size == (32, 24)
    assert report()["stopped"] == "not finite" and report()["scales"][0]["loss"] is None


def test_a_write_that_fails_after_the_run_exits_with_1(folder, capfd, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    before = files_in(folder)
    assert call(cli.main, *ONE, "--quiet") == 1
    error = capfd.readouterr().err
    assert error == "tf_style: a.png: cannot be written (No space left on device)\n"
    assert files_in(folder) == before


def test_a_full_disk_costs_no_picture(folder, full_disk, capfd):
    assert call(cli.main, "content.png", "style.png", "b.png", *TINY) == 0
    capfd.readouterr()
    full_disk()
    assert call(cli.main, *ONE, "--quiet") == 1
    place, = (folder / "spare").iterdir()
    assert capfd.readouterr().err == (
        "tf_style: a.png: cannot be written (No space left on device); the picture is in "
        f"{place / 'a.png'}\n"
    )
    assert (read_picture(place / "a.png") == read_picture("b.png")).all()
    assert not Path("a.png").exists() and len(list(place.iterdir())) == 1


def test_nor_does_it_cost_one_of_several(photos, full_disk, capfd):
    full_disk()
    assert call(cli.main, *several("photos/[ac].png"), "--report=a.json") == 1
    places = sorted(Path("spare").rglob("*.png"))
    assert sorted(path.name for path in places) == ["a.png", "c.png"] and made() == []
    out, error = capfd.readouterr()
    assert sorted(out.splitlines()) == sorted(str(path.resolve()) for path in places)
    assert error.count("; the picture is in ") == 2 and "2 failed" in error
    assert "tf_style: a.json: cannot be written (No space left on device)\n" in error


def test_logs_that_do_not_fit_leave_the_picture(capfd, monkeypatch):
    monkeypatch.setattr("tf_style.show.summaries.tf.io.TFRecordWriter.flush", no_space)
    assert call(cli.main, *ONE, "--quiet", "--logdir=logs") == 1
    assert capfd.readouterr().err == (
        "tf_style: logs: cannot be written (No space left on device)\n")
    assert Image.open("a.png").size == (32, 24)


def no_space(*_):
    raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")


def test_a_report_that_cannot_be_written_leaves_the_picture(capfd, monkeypatch):
    replace = os.replace

    def full(source, target):
        if os.fspath(target).endswith(".json"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert call(cli.main, *ONE, "--quiet", "--report=a.json") == 1
    error = capfd.readouterr().err
    assert error == "tf_style: a.json: cannot be written (No space left on device)\n"
    assert Image.open("a.png").size == (32, 24) and not Path("a.json").exists()


def test_memory_that_runs_out_exits_with_1_and_no_picture(folder, capfd, monkeypatch):
    def short(*_):
        raise MemoryError

    monkeypatch.setattr(Audience, "begin", short)
    before = files_in(folder)
    assert call(cli.main, *ONE) == 1
    assert capfd.readouterr().err == "tf_style: not enough memory; try a smaller --size\n"
    assert files_in(folder) == before


# What cannot be read or had: one line, exit code 2, nothing written


BAD = {
    "missing content": (["--content=no.png", "--style=style.png"], "no.png: there is no such file"),
    "empty file": (["empty.png", "style.png"], "empty.png: the file is empty"),
    "text file": (["text.png", "style.png"], "text.png: this is not a picture"),
    "truncated file": (["cut.png", "style.png"], "cut.png: the picture cannot be read"),
    "missing style": (["content.png", "no.png"], "no.png: there is no such file"),
    "missing mask": (["content.png", "style.png", "--content_mask=no.png"],
                     "no.png: there is no such file"),
    "missing start": (["content.png", "style.png", "--init=no.png"],
                      "no.png: there is no such file"),
    "thin picture": (["thin.png", "style.png", "--style_layers=block5_conv1"],
                     "too small for the deepest layer in use. Least side: 16 pixels"),
    "too large for WebP": (["content.png", "style.png", "a.webp", "--size=20000"],
                           "WebP holds at most 16383 pixels a side"),
    "snapshot over an input": (["content.png", "a_0002.png", "a.png", "--snapshot_every=2"],
                               "a_0002.png would replace an input"),
    "unknown device": (["content.png", "style.png", "a.png", "--device=gpu:7", *TINY],
                       "--device=gpu:7: TensorFlow sees"),
    "no such layer in a model": (
        ["content.png", "style.png", "--network=model.keras", "--content_layers=block9",
         "--style_layers=block1_conv1"],
        "model.keras has no layer 'block9'. Did you mean 'block1_pool'? All layers: tf_style "
        "--list_layers --network=model.keras",
    ),
    "thin picture for a model": (
        ["thin.png", "style.png", "--network=model.keras", "--content_layers=block2_conv1",
         "--style_layers=block1_conv1"],
        "too small for the deepest layer in use. Least side: 2 pixels",
    ),
}


@pytest.fixture
def bad_files(folder):
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")
    whole = (folder / "content.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (5000, 1)).save("thin.png")
    shutil.copy("style.png", "a_0002.png")


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_one_line_and_writes_nothing(case, bad_files, refused):
    arguments, message = BAD[case]
    if "--network=model.keras" in arguments:
        feature_model(["block1_conv1", "block2_conv1"], "random").save("model.keras")
    assert message in refused(cli.main, *arguments)


def test_imagenet_that_cannot_be_had(no_network, refused):
    error = refused(cli.main, "content.png", "style.png", "a.png", "--weights=imagenet")
    assert "no pretrained VGG16" in error and "--weights=FILE" in error


@pytest.mark.parametrize("arguments, code", [
    (["--list_layers"], 0), (["--list_samples"], 0), (["content.png", "no.png"], 2),
    (["content.png", "style.png", "--size=0"], 2), (["photos/b.png", "style.png"], 2),
    (["content.png", "content.png", "style.png", "--skip_existing"], 0),
])
def test_without_tensorflow(arguments, code, photos):
    assert without_tensorflow(cli.main, *arguments) == code


# Stopped, and gone on with


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_the_picture_and_the_state_are_saved(number, folder, capfd, pressed):
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    pressed(1, number)
    assert call(cli.main, *ONE, "--checkpoint=kept") == 130
    assert Image.open("a.png").size == (32, 24)
    assert list((folder / "kept").iterdir())
    captured = capfd.readouterr()
    assert captured.out == "a.png\n"
    assert captured.err.splitlines()[-2:] == [
        "tf_style: stopped after 1 step; the picture so far is in a.png",
        "tf_style: resume with: tf_style --resume " + shlex.join([*ONE, "--checkpoint=kept"]),
    ]
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("owner, name", [(Result, "save"), (os, "replace"), (stylize, "_report")])
def test_asked_when_all_steps_are_done_the_picture_is_complete(
    owner, name, number, capfd, monkeypatch
):
    original = getattr(owner, name)

    def pressed(*arguments, **given):
        signal.raise_signal(number)
        monkeypatch.setattr(owner, name, original)
        return original(*arguments, **given)

    monkeypatch.setattr(owner, name, pressed)
    assert call(cli.main, *ONE, "--report=a.json") == 0
    assert report()["stopped"] == "steps" and Image.open("a.png").size == (32, 24)
    assert "stopped" not in capfd.readouterr().err


def test_asked_twice_while_the_picture_is_written_nothing_is_half_there(
    folder, capfd, monkeypatch
):
    def pressed(*_):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", pressed)
    before = files_in(folder)
    assert call(cli.main, *ONE) == 130
    assert files_in(folder) == before


def test_a_folder_in_which_another_run_writes_is_refused(folder, refused):
    with locked(folder / "kept"):
        error = refused(cli.main, *ONE, "--checkpoint=kept", "--resume")
    assert error == (f"tf_style: --checkpoint=kept: process {os.getpid()} is writing there. Wait "
                     "for its end, or choose another folder\n")
    assert call(cli.main, *ONE, "--checkpoint=kept") == 0
    assert ".lock" not in [path.name for path in (folder / "kept").iterdir()]


def test_pressed_again_nothing_is_written(folder, capfd, pressed):
    pressed(1, signal.SIGINT, signal.SIGINT)
    before = files_in(folder)
    assert call(cli.main, *ONE) == 130
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == "tf_style: stopped at once; no result was written"
    assert files_in(folder) == before


def test_pressed_while_pictures_are_read_nothing_is_begun(folder, capfd, monkeypatch):
    of = Scene.of

    def pressed(*arguments, **given):
        signal.raise_signal(signal.SIGINT)
        return of(*arguments, **given)

    monkeypatch.setattr(Scene, "of", pressed)
    before = files_in(folder)
    assert call(cli.main, *ONE) == 130
    assert capfd.readouterr().err == "tf_style: stopped at once; no result was written\n"
    assert files_in(folder) == before


def test_the_command_that_goes_on_does(folder, capfd):
    steps = ["--scales=2", "--steps=2,1"]
    assert call(cli.main, *ONE, *steps) == 0
    capfd.readouterr()
    (folder / "content.png").rename("my content.png")
    arguments = ["my content.png", "style.png", "--checkpoint=kept", SOON, *TINY, *steps]
    for steps in range(1, 3):
        assert call(cli.main, *arguments, "--report=a.json") == 0
        lines = capfd.readouterr().err.splitlines()
        assert report()["resumed_at_step"] == steps - 1 and report()["steps"] == steps
        assert report()["stopped"] == "time limit"
        assert lines[-2].startswith(f"tf_style: stopped after {steps} step")
        assert ", as the time is up; the picture so far is in " in lines[-2]
        program, *arguments = shlex.split(lines[-1].removeprefix("tf_style: resume with: "))
        assert program == "tf_style" and arguments.count("--resume") == 1
    assert call(cli.main, *arguments) == 0
    assert capfd.readouterr().err.splitlines()[-1].startswith(
        "tf_style: 32x24 pixels, 3 steps in ")
    assert (read_picture("my content_style.png") == read_picture("a.png")).all()


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(capfd):
    assert call(cli.main, *ONE, SOON) == 0
    assert capfd.readouterr().err.splitlines()[-1] == (
        "tf_style: without --checkpoint=FOLDER there is nothing to resume from"
    )


def test_quiet_says_nothing_of_a_time_that_is_up(capfd):
    assert call(cli.main, *ONE, SOON, "--quiet") == 0
    assert capfd.readouterr() == ("", "") and Image.open("a.png").size == (32, 24)


def test_a_time_that_is_up_at_once_leaves_nothing(folder, capfd):
    before = files_in(folder)
    assert call(cli.main, *ONE, "--time_limit=1e-9", "--report=a.json") == 0
    assert capfd.readouterr() == ("", "tf_style: stopped at once; no result was written\n")
    assert files_in(folder) == before


def test_a_checkpoint_of_another_run_is_refused(refused):
    assert call(cli.main, *ONE, "--checkpoint=kept", SOON) == 0
    error = refused(cli.main, *ONE, "--checkpoint=kept", "--resume", "--seed=5")
    assert "--checkpoint=kept: this is another run's: --seed was 0, is 5." in error


def test_a_checkpoint_of_version_195f233_goes_on(folder, capfd):
    """It was stopped after four of five steps; the picture is of a run that was not."""
    shutil.copytree(DATA / "checkpoint_by_195f233", folder / "kept")
    assert call(
        cli.main, "--content=sample:harbor", "--style=sample:waves", "--style=sample:ink", *TINY,
        "--precision=float32", "--output=a.png", "--report=a.json", "--checkpoint=kept", "--resume",
    ) == 0
    assert capfd.readouterr().out == "a.png\n"
    assert (report()["resumed_at_step"], report()["steps"]) == (4, 5)
    assert report()["stopped"] == "steps"
    unbroken = json.loads((DATA / "made_by_195f233.json").read_text())
    for now, then in zip(report()["scales"], unbroken["scales"], strict=True):
        assert now["loss"] == pytest.approx(then["loss"], rel=1e-4)
    difference = read_picture("a.png") - read_picture(DATA / "made_by_195f233.png")
    assert np.abs(difference).max() < 1.5 / 255


# Several pictures


def test_bad_pictures_are_named_and_the_others_made(photos, capfd):
    assert call(cli.main, *several(), "--report=r.json") == 1
    captured = capfd.readouterr()
    assert made() == ["a.png", "c.png", "e.png"]
    assert captured.out.splitlines() == [os.path.join("out", f"{name}.png") for name in "ace"]
    lines = captured.err.splitlines()
    assert lines[0] == "[1/5] a.png x style.png" and lines[1].startswith("16x12 (1/2) step 1/3")
    bad = [line for line in lines if line.startswith("tf_style: ") and " pixels, " not in line]
    assert bad[0].startswith(f"tf_style: [2/5] b.png x style.png: {photo('b')}: this is not a")
    assert bad[1].startswith("tf_style: [4/5] d.png x style.png: content: 500x1 becomes 32x1")
    assert bad[2:] == [f"tf_style: 3 pictures made, 2 failed: {photo('b')}, {photo('d')}"]
    assert any(line.startswith("[5/5] e.png x style.png, 0:") for line in lines)
    entries = report("r.json")["pictures"]
    assert [entry["content"] for entry in entries] == [photo(name) for name in "abcde"]
    assert [entry.get("steps") for entry in entries] == [5, None, 5, None, 5]
    assert "this is not a picture" in entries[1]["error"]


def test_quiet_says_what_failed(photos, capfd):
    assert call(cli.main, *several(), "--quiet") == 1
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 3


def test_one_of_a_folder_is_as_one_alone(photos, refused):
    for name in "acde":
        os.unlink(photo(name))
    error = refused(cli.main, *several())
    assert error.startswith(f"tf_style: {photo('b')}: this is not a picture")


def test_what_is_there_is_left_alone(photos, capfd, monkeypatch):
    for name in "abd":
        Path(f"out/{name}.png").write_text(name)
    assert call(cli.main, *several(), "--skip_existing") == 0
    assert capfd.readouterr().err.endswith("tf_style: 2 pictures made, 3 there already\n")
    assert [Path(f"out/{name}.png").read_text() for name in "abd"] == ["a", "b", "d"]
    monkeypatch.setattr("tf_style.run.jobs.make", lambda *_, **__: pytest.fail("a picture is made"))
    for dry in ([], ["--dry_run"]):
        assert call(cli.main, *several(), "--skip_existing", *dry) == 0
        assert capfd.readouterr() == ("", "tf_style: 0 pictures made, 5 there already\n")


def test_one_alone_that_is_there_is_left_alone(photos, capfd):
    Path("out/a.png").write_text("a")
    alone = [photo("a"), "style.png", "out/a.png", "--skip_existing"]
    assert call(cli.main, *alone) == 0
    assert capfd.readouterr() == ("", "tf_style: 0 pictures made, 1 there already\n")
    assert call(cli.main, *alone, "--quiet") == 0
    assert capfd.readouterr() == ("", "") and Path("out/a.png").read_text() == "a"


def test_a_picture_alone_that_is_stopped_is_made_again(photos):
    arguments = [photo("a"), "style.png", "out/a.png", "--skip_existing", *TINY]
    assert call(cli.main, *arguments, SOON) == 0
    assert made() == ["a_unfinished.png"]
    assert call(cli.main, *arguments) == 0
    assert made() == ["a.png"]


@pytest.mark.parametrize("note", [None, "no JSON", "[]", '{"stopped": "steps"}'])
def test_a_file_of_the_users_own_is_not_taken_for_what_a_stopped_run_left(note, photos):
    write_picture("out/a_unfinished.png", np.zeros((4, 4, 3)), note)
    assert call(cli.main, photo("a"), "style.png", "out/a.png", "--skip_existing", *TINY) == 0
    assert made() == ["a.png", "a_unfinished.png"]


def test_a_run_whose_time_is_up_in_its_last_step_is_complete(photos):
    assert call(cli.main, photo("a"), "style.png", "out/a.png", "--skip_existing", *TINY,
                "--scales=1", "--steps=1", SOON) == 0
    assert made() == ["a.png"]


def test_features_are_learned_once_from_all(photos, monkeypatch):
    asked = []
    load = networks.weight_sources.load

    def stand_in(architecture, layers, weights, *, pictures, **given):
        asked.append((weights, len(pictures)))
        return load(architecture, layers, "random")

    # Learning takes seconds.
    monkeypatch.setattr(networks.weight_sources, "load", stand_in)
    assert call(cli.main, *several("photos/[abce].png"), "--weights=unsupervised") == 1
    # Three contents that can be read, and the style.
    assert asked == [("unsupervised", 4)] and made() == ["a.png", "c.png", "e.png"]


def test_what_a_stylizer_cannot_be_made_with_is_said_once(photos, refused):
    error = refused(cli.main, *several("photos/[ac].png"), "--device=gpu:7")
    assert error.startswith("tf_style: --device=gpu:7: TensorFlow sees")


@pytest.mark.slow
def test_without_weights_features_are_learned_once(no_network, capfd):
    small = ["--network=vgg16", "--size=48", "--steps=2", "--report=a.json", "--cache_dir=learned"]
    pixels = []
    for cached in (False, True):
        assert call(cli.main, "content.png", "style.png", "a.png", *small) == 0
        notes = [line for line in capfd.readouterr().err.splitlines()
                 if "features learned" in line]
        assert len(notes) == 1 and "no network" in notes[0]
        assert report()["weights_cached"] is cached
        settings = report()["settings"]
        assert settings["weights"] == "unsupervised"
        assert "auto" not in {str(settings[name]) for name in (
            "weights", "content_layers", "style_layers", "style_weight", "tv_weight", "style_loss",
            "pooling", "learning_rate", "precision", "device", "block_size",
        )}
        pixels.append(read_picture("a.png"))
    assert (pixels[0] == pixels[1]).all()


# What needs no run


def test_a_dry_run_prints_what_a_run_would_take(folder, capfd):
    before = files_in(folder)
    assert call(cli.main, *ONE, "--dry_run") == 0
    captured = capfd.readouterr()
    head, *sizes, last = captured.out.splitlines()
    assert head.split() == ["size", "steps", "blocks", "memory", "time", "at", "most"]
    assert [line.split()[:2] for line in sizes] == [["16x12", "3"], ["32x24", "2"]]
    assert last.startswith("about 0:0") and last.endswith(" GB in all, plus loading")
    assert captured.err == "" and files_in(folder) == before


def test_a_dry_run_of_several_names_each_and_those_that_would_fail(photos, capfd):
    assert call(cli.main, *several(), "--dry_run") == 1
    captured = capfd.readouterr()
    assert made() == [] and captured.err.count("\n") == 2
    assert captured.err.startswith(f"tf_style: b.png x style.png: {photo('b')}: this is not a")
    assert [line.split()[-3] for line in captured.out.splitlines()[1:-1]] == [
        "a.png", "c.png", "e.png"
    ]


def test_a_dry_run_on_a_narrow_terminal(photos, terminal, capfd):
    terminal(40)
    for arguments in (ONE, several("photos/[ac].png")):
        assert call(cli.main, *arguments, "--dry_run") == 0
        lines = capfd.readouterr().out.splitlines()
        assert lines[-1] == "  loading" and max(map(len, lines)) <= 40


def test_a_dry_run_of_what_cannot_be_read_is_refused(photos, refused):
    assert "b.png: this is not a picture" in refused(
        cli.main, photo("b"), "style.png", "a.png", *TINY, "--dry_run"
    )


def test_the_compact_network_paints_with_what_comes_with_it(no_network, folder, capfd):
    flags = [flag for flag in TINY if "weights" not in flag]
    assert call(cli.main, "content.png", "style.png", "a.png", *flags, "--network=compact",
                "--report=a.json", "--quiet") == 0
    assert capfd.readouterr().err == ""
    report = json.loads((folder / "a.json").read_text())
    settings = report["settings"]
    assert (settings["network"], settings["weights"]) == ("compact", "included")
    assert (settings["style_network"], settings["style_network_weights"]) == ("compact", "included")
    assert list(report["weights"]) == ["block1_conv1", "block1_conv2"]


def test_without_anything_pretrained_the_defaults_use_what_comes_with_it(no_network, capfd):
    flags = [flag for flag in TINY if "weights" not in flag]
    # More often than once, it would be tried and said again.
    for contents, outputs in (("content.png", "a.png"), ("*t*.png", "out/{content}.png")):
        Path("out").mkdir(exist_ok=True)
        assert call(cli.main, f"--content={contents}", "--style=style.png", *flags,
                    f"--output={outputs}") == 0
        said = [line for line in capfd.readouterr().err.splitlines() if "network" in line]
        assert said == ["tf_style: using the network that comes with tf_style (no pretrained "
                        "VGG16: the download failed: no network in tests)"]
    assert call(cli.main, "content.png", "style.png", "b.png", *flags, "--offline",
                "--quiet") == 0
    assert capfd.readouterr().err == ""
    note = json.loads(read_note("b.png"))
    assert (note["given"]["network"], note["given"]["weights"]) == ("auto", "auto")
    assert (note["settings"]["network"], note["settings"]["weights"]) == ("compact", "included")
    assert read_note("a.png") and (read_picture("a.png") == read_picture("b.png")).all()


def test_vgg16_by_name_still_learns_where_nothing_is_pretrained(no_network, folder, capfd):
    flags = [flag for flag in TINY if "weights" not in flag]
    assert call(cli.main, "content.png", "style.png", "a.png", *flags, "--network=vgg16") == 0
    assert "using features learned from the pictures" in capfd.readouterr().err
    assert json.loads(read_note("a.png"))["settings"]["weights"] == "unsupervised"


def test_lists(capsys):
    assert call(cli.main, "--list_layers") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["block1_conv1", "64", "1", "3"]
    assert any(line.startswith("block5_conv3 ") for line in lines)
    assert call(cli.main, "--list_layers", "--network=vgg19") == 0
    assert "block5_conv4" in capsys.readouterr().out
    assert call(cli.main, "--list_layers", "--network=compact") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[0] == "block1_conv1" and lines[-1].split()[0] == "block5_conv1"
    assert call(cli.main, "--list_samples") == 0
    assert "sample:grace_hopper" in capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("listing", ["presets", "samples", "layers"])
def test_on_a_terminal_lists_end_between_words(listing, width, terminal, capfd):
    assert call(cli.main, f"--list_{listing}") == 0
    plain = capfd.readouterr().out
    terminal(width)
    assert call(cli.main, f"--list_{listing}") == 0
    shown = capfd.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    assert sorted(shown.split()) == sorted(plain.split())


def test_on_a_terminal_what_is_listed_goes_on_beneath_itself(terminal, capfd):
    terminal(40)
    assert call(cli.main, "--list_presets") == 0
    assert "\n".join([
        "  fast         The small network that", "               comes with tf_style, even",
        "               where VGG16 is available.", "",
    ]) in capfd.readouterr().out
    assert call(cli.main, "--list_layers") == 0
    lines = capfd.readouterr().out.splitlines()
    assert len({len(line) for line in lines[1:]}) == 1 and lines[2].split() == [
        "block1_conv1", "64", "1", "3"]


def test_layers_of_a_saved_model_are_listed(capfd):
    feature_model(["block1_conv1", "block1_conv2"], "random").save("model.keras")
    assert call(cli.main, "--list_layers", "--network=model.keras") == 0
    assert {"block1_conv1", "block1_conv2"} <= set(capfd.readouterr().out.splitlines())


def test_names_of_layers_cannot_move_the_cursor(capfd):
    picture = keras.Input((None, None, 3))
    odd = keras.layers.Conv2D(4, 3, name="a\x1b[31mRED\x07\nx")
    keras.Model(picture, odd(picture)).save("model.keras")
    assert call(cli.main, "--list_layers", "--network=model.keras") == 0
    assert capfd.readouterr().out.splitlines()[1:] == [r"a\x1b[31mRED\x07\nx"]
    assert call(cli.main, *ONE[:3], "--network=model.keras", "--content_layers=b",
                "--style_layers=b") == 2
    assert r"has no layer 'b'" in capfd.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("flag, environment, message", [
    ("--weights=pipe", None, "--weights=pipe: this is a pipe or a device"),
    ("--offline", "pipe", "$TF_STYLE_WEIGHTS=pipe: this is a pipe or a device"),
    ("--network=pipe", None, "model.keras. This is a pipe or a device"),
    ("--network=.", None, "model.keras. This is a folder"),
    ("--style_network=pipe", None, "--style_network=pipe: expected auto, vgg16, vgg19,"),
])
def test_a_pipe_is_never_waited_for(flag, environment, message, refused, monkeypatch):
    os.mkfifo("pipe")
    if environment:
        monkeypatch.setenv("TF_STYLE_WEIGHTS", environment)
    assert message in refused(cli.main, "content.png", "style.png", "a.png", flag,
                              "--content_layers=block1_conv1", "--style_layers=block1_conv1")


# Flags that people rely on: what its default is shown as, and words of its help.
FLAGS = {
    "content": (None, "content picture, or sample:NAME"),
    "style": (None, "style picture, sample:NAME or library:NAME"),
    "content_mask": (None, "where in the content it goes"),
    "style_mask": (None, "which parts of it count"),
    "protect": (None, "part of the content to keep more faithfully, such as a face"),
    "output": (None, "the result: .png, .jpg, .webp or .tiff"),
    "skip_existing": (None, "make only the pictures whose output is not there yet"),
    "bits": ("8", "bits per channel"),
    "dry_run": (None, "print sizes, memory and time"),
    "sheet": (None, "write one picture of small previews to choose from"),
    "sheet_of": ("strengths", "what a --sheet compares"),
    "report": (None, "as JSON"),
    "embed_settings": ("True", "keep in a PNG what --settings_from needs"),
    "settings_from": (None, "run again what made a PNG"),
    "snapshot_every": (None, "write the picture so far every N steps"),
    "animate": (None, "write the run as a film"),
    "plot": (None, "draw content, style, result and loss curves"),
    "logdir": (None, "for TensorBoard"),
    "checkpoint": (None, "keep in this folder what a stopped run needs to go on"),
    "checkpoint_every": ("auto", "steps from one checkpoint to the next"),
    "resume": (None, "go on from the last complete checkpoint"),
    "time_limit": (None, "stop after this much time"),
    "profile": (None, "TensorFlow's own profile"),
    "list_layers": (None, "print the layers of --network and exit"),
    "list_samples": (None, "print the pictures that come with tf_style and exit"),
    "preset": (None, "a named set of defaults: flags/NAME.flags"),
    "flagfile": (None, "a file of flags, one per line"),
    "quiet": (None, "print nothing but errors"),
    "verbose": (None, "let TensorFlow print its own messages"),
    "version": (None, "print the version and exit"),
    "help": (None, "print the flags that people need and exit"),
    "helpfull": (None, "print all flags and exit"),
    "completion": (None, "print a script that completes flags in this shell"),
    "list_presets": (None, "print the presets, and what each is for"),
    "size": ("512", "long side of the output, in pixels"),
    "strength": ("auto", "one knob instead of --style_weight"),
    "network": ("auto", "auto, vgg16, vgg19, compact, or a saved Keras model file"),
    "weights": ("auto", "auto, imagenet, unsupervised (learned from the pictures), included"),
    "content_network": ("auto", "network of the content loss"),
    "content_network_weights": ("auto", "its weights"),
    "style_network": ("auto", "network of the style loss"),
    "style_network_weights": ("auto", "its weights"),
    "pooling": ("auto", "how vgg16, vgg19, compact reduce maps"),
    "content_layers": ("auto", "layers whose feature maps keep the content"),
    "style_layers": ("auto", "layers whose statistics carry the style"),
    "content_weight": ("1.0", "weight of the content loss"),
    "style_weight": ("auto", "weight of the style loss"),
    "tv_weight": ("0.6", "weight of the total variation"),
    "temporal_weight": ("1000.0", "weight of what a film's frame shares with the frame before"),
    "style_loss": ("moments", "gram, moments, mean_std, sliced_wasserstein, histogram"),
    "style_scale": ("1.0", "size at which the style is seen"),
    "style_size": ("auto", "long side, in pixels, at which the style is seen"),
    "style_blend": ("auto", "shares of several styles"),
    "style_cleanup": ("auto", "noisy, compressed and small styles"),
    "preserve_color": ("none", "keep the content's colours"),
    "scales": ("auto", "how many sizes, coarse to fine"),
    "steps": ("auto", "most steps at each size"),
    "tolerance": ("0.0002", "go on to the next size when ten steps lower the loss"),
    "optimizer": ("adam", "what moves the image"),
    "learning_rate": ("0.05", "length of the first steps"),
    "learning_rate_schedule": ("rest", "how the learning rate falls"),
    "normalize_gradients": (None, "give each layer's gradient the same length"),
    "init": ("auto", "where the image starts"),
    "init_noise": ("0.0", "share of noise in the start"),
    "seed": ("0", "seed of everything drawn at random"),
    "precision": ("auto", "type in which the network computes"),
    "device": ("auto", "auto, cpu, gpu, or gpu:N"),
    "block_size": ("auto", "compute in blocks this many pixels wide"),
    "max_memory": ("auto", "memory that the process may take, in GB"),
    "cache_dir": ("auto", "folder where learned features are kept"),
    "offline": (None, "download nothing"),
}


def test_help_tells_of_every_flag(capsys):
    assert call(cli.main, "--helpfull") == 0
    assert_tells(capsys.readouterr().out, FLAGS)


def test_folders_of_outputs_are_made_and_a_second_run_leaves_results_alone(photos, capfd):
    flags = ["--content=photos/[ac].png", "--style=style.png", *TINY]
    kept = ["--output=new/one/", "--report=new/two/r.json"]
    assert call(cli.main, *flags, *kept) == 0
    assert sorted(path.name for path in Path("new/one").iterdir()) == ["a_style.png", "c_style.png"]
    assert Path("new/two/r.json").is_file()
    assert call(cli.main, *flags) == 0
    capfd.readouterr()
    assert call(cli.main, "--content=photos/[ac]*.png", "--style=style.png", *TINY) == 0
    out, error = capfd.readouterr()
    assert "left out: a_style.png, c_style.png" in error
    assert len(out.splitlines()) == 2 and "style_style" not in out
