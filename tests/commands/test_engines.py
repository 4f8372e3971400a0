"""The work of commands on a Ray cluster: how it gets there, and how its results come home."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands import here
from tests.commands.conftest import call, files_in, made, photo, several
from tests.conftest import smooth_picture
from tf_style import cli
from tf_style.cluster.ray_driver import brought_home
from tf_style.cluster.task import Unwritten
from tf_style.image.picture import write_picture
from tf_style.run import machine

# TensorFlow computes in this process already, and its threads stay as many as they are.
THREADS = f"--threads={machine.cores()}"
ON_NODES = [THREADS, "--cluster=auto"]
ACE = [*several("photos/[ace].png"), *ON_NODES]
QUICK = ["--network=compact", "--size=48", "--steps=2", "--scales=1"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")


@pytest.fixture
def four(folder):
    """A folder of four photographs, beside one that is none."""
    (folder / "photos").mkdir()
    for number in range(4):
        write_picture(folder / "photos" / f"{number}.png", smooth_picture(number))
    (folder / "photos" / "bad.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def spare(folder, monkeypatch):
    """`spare("c.png")`: files of this name can be written nowhere but in the folder `spare`.

    That is the folder for temporary files.
    """
    (folder / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "spare"))
    replace = os.replace

    def full(name, source, target):
        if os.fspath(target).endswith(name) and "spare" not in os.fspath(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    return lambda name: monkeypatch.setattr(os, "replace", lambda *given: full(name, *given))


def test_pictures_travel_and_come_home(photos, nodes, capfd):
    assert call(cli.main, *several(), THREADS, "--logs", "--report=alone.json") == 1
    alone, said = files_in("out"), capfd.readouterr()
    for path in Path("out").iterdir():
        path.unlink()
    assert call(cli.main, *several(), *ON_NODES, "--logs", "--report=run.json") == 1
    found = files_in("out")
    assert {name for name in found if name.endswith(".png")} == {"a.png", "c.png", "e.png"}
    assert all(found[name] == alone[name] for name in found if name.endswith(".png"))
    assert found.keys() == alone.keys()
    again = capfd.readouterr()
    assert sorted(again.out.splitlines()) == sorted(said.out.splitlines())
    assert f"{photo('b')}: this is not a picture" in again.err and "made/" not in again.err
    for one, other in zip(*(json.loads(Path(name).read_text())["pictures"]
                            for name in ("alone.json", "run.json")), strict=True):
        assert (one["content"], one["output"]) == (other["content"], other["output"])
    engine, = nodes.made
    assert engine.closed and engine.need.threads == machine.cores()


def test_a_picture_that_cannot_be_written_at_home_is_kept_and_the_others_are_made(
    photos, nodes, spare, capfd
):
    spare("c.png")
    assert call(cli.main, *ACE, "--report=run.json") == 1
    assert made() == ["a.png", "e.png"]
    kept, = Path("spare").glob("*/c.png")
    out, error = capfd.readouterr()
    why = f"{Path('out/c.png')}: cannot be written (No space left on device)"
    assert f"{why}; the picture is in {kept.absolute()}\n" in error
    assert error.endswith(f"tf_style: 2 pictures made, 1 failed: {photo('c')}\n")
    assert str(kept) in out and Image.open(kept).width == 32
    entries = json.loads(Path("run.json").read_text())["pictures"]
    assert [Path(each["output"]).parent.name for each in entries] == [
        "out", kept.parent.name, "out"]


def test_where_nothing_can_be_written_a_picture_fails(photos, nodes, capfd, monkeypatch):
    def full(output, files):
        if output.name != "c.png":
            return brought_home(output, files)
        return Unwritten((*files,), "out/c.png: cannot be written (No space left on device)")

    monkeypatch.setattr(here, "brought_home", full)
    assert call(cli.main, *ACE, "--report=run.json") == 1
    assert made() == ["a.png", "e.png"]
    error = capfd.readouterr().err
    assert "c.png: cannot be written (No space left on device)\n" in error
    entries = json.loads(Path("run.json").read_text())["pictures"]
    assert ["error" in each for each in entries] == [False, True, False]


def test_what_is_beside_a_picture_may_fail(photos, nodes, spare, capfd):
    spare("c.png.log")
    assert call(cli.main, *ACE, "--logs") == 1
    assert made() == ["a.png", "a.png.log", "c.png", "e.png", "e.png.log"]
    error = capfd.readouterr().err
    assert error.count("c.png.log: cannot be written (No space left on device)") == 1
    assert error.endswith("tf_style: 3 pictures made\n")


@pytest.mark.slow
@pytest.mark.alone
def test_pictures_are_those_of_one_process(four, capsys):
    """Pixel by pixel, and with the same record; a bad one is reported as ever."""
    # A path through a process's own folder leads a worker elsewhere: files go there as bytes.
    way = "/proc/self/cwd/" * sys.platform.startswith("linux")
    asked = [f"{way}photos", "sample:waves", *QUICK]
    subprocess.run(
        [sys.executable, "-m", "tf_style", *asked, "alone/", "--threads=1", "--report=alone.json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True)
    assert call(cli.main, *asked, f"{way}made/", "--cluster=local", "--report=made.json",
                "--logs") == 1
    said = capsys.readouterr()
    assert f"{way}photos/bad.png: this is not a picture" in said.err
    assert "ray" not in (said.out + said.err).lower()
    alone, made = ({entry["content"]: entry for entry in json.loads(Path(name).read_text())[
        "pictures"]} for name in ("alone.json", "made.json"))
    assert len(made) == 5 and made.keys() == alone.keys()
    assert {path.name for path in Path("made").iterdir()} == {
        f"{number}_waves{ending}" for number in range(4) for ending in (".png", ".png.log")}
    for name, entry in made.items():
        if "error" in entry:
            continue
        assert " on " in entry["worker"]
        output = Path(entry["output"])
        assert str(output.parent) == f"{way}made"
        one, other = (Image.open(path) for path in (output, Path("alone") / output.name))
        np.testing.assert_array_equal(one, other)
        assert one.text["tf_style"] == other.text["tf_style"], name
        for key in ("settings", "given", "digests", "weights", "content", "style"):
            assert entry[key] == alone[name][key], key


def test_flags_that_do_not_go_with_a_cluster_are_refused(four, capsys):
    for flags, why in (
        (["--workers=2"], "--workers=2: is for processes of this machine"),
        (["--profile=profile"], "--profile=profile: is for one process"),
        (["--cluster=nowhere"], "--cluster=nowhere: expected local, auto, HOST:PORT"),
    ):
        assert call(
            cli.main, "photos", "sample:waves", "made/", "--cluster=local", *flags, *QUICK) == 2
        error = capsys.readouterr().err
        assert why in error and error.count("tf_style: --") == 1
    assert not (four / "made").exists()
