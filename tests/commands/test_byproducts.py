"""What a run leaves beside its output."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tf_style import cli
from tf_style.commands import byproducts
from tf_style.image.files import read_picture
from tf_style.settings import InputError

TINY = [
    "--size=32", "--scales=2", "--steps=3,4", "--weights=random", "--tolerance=0",
    "--content_layers=block1_conv2", "--style_layers=block1_conv1", "--quiet",
]


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    return pictures


def run(*arguments):
    """The exit code of tf_style."""
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(each) for each in arguments])
    return stopped.value.code


def names():
    return sorted(path.name for path in Path().iterdir())


def test_all_of_them(folder):
    assert run("content.png", "style.png", "a.jpg", *TINY, "--snapshot_every=3",
               "--animate=film.gif", "--plot=figure.png", "--logdir=logs") == 0
    assert names() == ["a.jpg", "a_0003.png", "a_0006.png", "content.png", "figure.png",
                       "film.gif", "logs", "style.png"]
    assert [Image.open(f"a_000{step}.png").size for step in (3, 6)] == [(16, 12), (32, 24)]
    with Image.open("film.gif") as film:
        assert film.size == (32, 24) and film.n_frames == 3
    assert Image.open("figure.png").size[0] > 1000
    events, = Path("logs").iterdir()
    assert events.name.startswith("events.out.tfevents")


def test_a_snapshot_is_the_picture_after_so_many_steps():
    assert run("content.png", "style.png", "a.png", *TINY, "--snapshot_every=7") == 0
    assert (read_picture("a_0007.png") == read_picture("a.png")).all()


def test_a_texture_is_plotted_without_content():
    assert run("none", "style.png", "a.png", *TINY, "--plot=figure.png") == 0
    assert Image.open("figure.png").size[0] > 1000


@pytest.mark.parametrize("flags, message", [
    (["--animate=a.mp4"], "a.mp4: expected a name that ends in .gif or .webp"),
    (["--animate=no/a.gif"], "the folder no does not exist"),
    (["--animate=style.gif"], "--animate=style.gif: this would replace an input"),
    (["--plot=a.xyz"], "a.xyz: expected a name that ends in"),
    (["--plot=content.png"], "--plot=content.png: this would replace an input"),
    (["--plot=a.png"], "--plot=a.png: this is the --output"),
    (["--logdir=content.png"], "--logdir=content.png: expected a folder"),
    (["--logdir=no/logs"], "--logdir=no/logs: expected a folder, or a new name in one"),
    (["--logdir=logs", "--profile=logs"], "--logdir=logs: this is the --profile"),
    (["--snapshot_every=0"], "--snapshot_every: expected a whole number, at least 1"),
    (["--snapshot_every=often"], "--snapshot_every: expected a whole number"),
    (["--snapshot_every=2", "--style=a_0006.png"],
     "--snapshot_every=2: a_0006.png would replace an input"),
    (["--snapshot_every=1", "--plot=a_0001.png"], "a_0001.png would replace an input, or is"),
])
def test_bad_input_is_one_line_and_writes_nothing(flags, message, capfd):
    Image.open("style.png").save("a_0006.png")
    Image.open("style.png").save("style.gif")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert run("--content=content.png", "--style=style.png", "--style=style.gif", "--output=a.png",
               *TINY, *flags) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("tf_style: ")
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_a_snapshot_through_a_link_is_refused(capfd):
    try:
        Path("a_0003.png").symlink_to("style.png")
    except OSError:
        pytest.skip("no links for this user")
    assert run("content.png", "style.png", "a.png", *TINY, "--snapshot_every=3") == 2
    assert "a_0003.png would replace an input" in capfd.readouterr().err


def test_they_are_checked_before_tensorflow_is_imported():
    code = ("import sys\nfrom tf_style.cli import main\ntry:\n    main(sys.argv[1:])\n"
            "except SystemExit as stopped:\n    print('tensorflow' in sys.modules, stopped.code)")
    done = subprocess.run(
        [sys.executable, "-c", code, "content.png", "style.png", "a.png", "--animate=a.gif",
         "--plot=b.png", "--snapshot_every=5", "--logdir=no/logs"],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    assert done.stdout == "False 2\n"


def test_a_snapshot_that_fails_does_not_end_the_run(monkeypatch, capfd):
    shown = []

    def full(self, step):
        shown.append(step.step)
        raise InputError("a_0001.png: cannot be written (No space left on device)")

    monkeypatch.setattr(byproducts.Snapshots, "show", full)
    assert run("content.png", "style.png", "a.png", *TINY, "--snapshot_every=1") == 1
    assert capfd.readouterr().err == (
        "tf_style: a_0001.png: cannot be written (No space left on device)\n"
    )
    assert len(shown) == 1 and np.isfinite(read_picture("a.png")).all()


def test_a_film_that_cannot_be_written_leaves_the_output(monkeypatch, capfd):
    from tf_style.view import animation

    def full(path, content):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(animation, "write_bytes", full)
    assert run("content.png", "style.png", "a.png", *TINY, "--animate=a.gif") == 1
    assert "a.gif: cannot be written" in capfd.readouterr().err
    assert read_picture("a.png").shape == (24, 32, 3)
