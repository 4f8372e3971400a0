"""The command `tf_style_camera`, a film in the camera's place."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading

import numpy as np
import pytest
from PIL import Image

from tests.film.films import pattern, write
from tf_style import cli
from tf_style.commands import camera
from tf_style.commands.signals import Signals
from tf_style.film.frame import Painted
from tf_style.settings import InputError


class Inverting:
    lags = (1,)

    def __init__(self, name):
        self.name, self.seen = name, []

    def look(self, before, content):
        return None

    def paint(self, content, past):
        self.seen.append(past)
        return Painted(1 - content, {"count": np.ones(1)})


class Pictures:
    """Stands for `Newest`."""

    def __init__(self, pictures):
        self._pictures = iter(pictures)

    def take(self):
        return next(self._pictures, None)

    def close(self):
        pass


@pytest.fixture
def show():
    made = {}

    def painter(name):
        return made.setdefault(name, Inverting(name))

    options = camera.CameraOptions(size=48)
    found = camera._Show(options, ["first", "second"], painter,
                         Pictures(pattern(number) for number in range(9)), Signals())
    return found, made


def test_pictures_are_painted_as_in_a_mirror_one_after_another(show):
    show, made = show
    first = show.next()
    np.testing.assert_array_equal(first, 255 - pattern(0)[:, ::-1])
    show.next()
    before, past = made["first"].seen
    assert before is None
    np.testing.assert_allclose(past.contents[1], pattern(0)[:, ::-1] / np.float32(255))
    np.testing.assert_allclose(past.pictures[1], 1 - past.contents[1])
    assert past.state["count"] == 1
    assert show.title.startswith("first, ") and show.title.endswith(" pictures a second")


def test_keys_choose(show):
    show, made = show
    show.next()
    for key, name in (("space", "second"), ("right", "first"), ("left", "second"), ("1", "first"),
                      ("2", "second"), ("7", "second")):
        assert not show.press(key)
        assert show.next() is not None
        assert show.title.startswith(f"{name}, ")
    # In another style nothing is held to what was painted in the one before.
    assert made["second"].seen[0] is None
    show.press("0")
    np.testing.assert_array_equal(show.next(), pattern(7)[:, ::-1])
    assert show.press("q") and show.press("escape")


def test_a_picture_can_be_saved(show, tmp_path, monkeypatch, capsys):
    show, _ = show
    monkeypatch.chdir(tmp_path)
    show.press("s")
    assert not list(tmp_path.glob("camera_*"))
    show.next()
    show.press("s")
    (file,) = tmp_path.glob("camera_*")
    assert capsys.readouterr().out == f"{file.name}\n"


def test_pictures_saved_within_one_second_are_all_kept(show, tmp_path, monkeypatch, capsys):
    show, _ = show
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tf_style.commands.camera.time.strftime", lambda text: "camera_1")
    made = []
    for _ in range(3):
        made.append(show.next())
        show.press("s")
    names = capsys.readouterr().out.split()
    assert names == ["camera_1.png", "camera_1_2.png", "camera_1_3.png"]
    for name, picture in zip(names, made, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(name)), picture)


def test_it_ends_with_its_source(show):
    show, _ = show
    assert sum(show.next() is not None for _ in range(12)) == 9


@pytest.mark.parametrize(("arguments", "said"), [
    (["--camera=98", "sample:waves"], "there is no such camera"),
    (["gone.keras"], "no such file"),
    (["--content=gone.mp4"], "no such file"),
    (["--size=3"], "--size"),
    (["--content=gone.mp4", "--camera=0"], "--camera: has no effect with --content"),
    (["--content=gone.mp4", "--nomirror"], "--mirror: has no effect with --content"),
])
def test_bad_input_is_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(camera, "_check_window", lambda: None)
    with pytest.raises(SystemExit) as stopped:
        cli.camera(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_called_with_nothing_it_looks_for_a_camera(monkeypatch, capsys):
    def gone(number):
        raise InputError(f"--camera={number}: there is no such camera")

    monkeypatch.setattr(camera, "_check_window", lambda: None)
    monkeypatch.setattr("tf_style.film.live.Camera", gone)
    with pytest.raises(SystemExit) as stopped:
        cli.camera([])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "tf_style_camera: --camera=0: there is no such camera\n"


def test_without_a_screen_it_says_so(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if os.name == "nt":
        pytest.skip("Windows always has a screen")
    with pytest.raises(SystemExit) as stopped:
        cli.camera(["sample:waves"])
    assert stopped.value.code == 2
    assert "window" in capsys.readouterr().err


@pytest.fixture
def screen(monkeypatch):
    """A screen that nobody sees, where there is none."""
    # Debian's Python comes without it.
    pytest.importorskip("tkinter", reason="needs Python's tkinter, such as Debian's python3-tk")
    if os.environ.get("DISPLAY") or os.name == "nt":
        yield
        return
    if not shutil.which("Xvfb"):
        pytest.skip("there is neither a screen nor Xvfb")
    reader, writer = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24"], pass_fds=(writer,),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as file:
        monkeypatch.setenv("DISPLAY", f":{file.readline().strip()}")
    yield
    process.kill()
    process.wait()


def test_a_window_shows_the_film(screen, tmp_path, monkeypatch):
    path = write(tmp_path / "film.mp4", 5, rate=50)
    titles = []

    class Ending(camera._Show):
        def next(self):
            picture = super().next()
            titles.append(self.title)
            # What was drawn is what was painted; then the user has seen enough.
            return picture if len(titles) < 8 else None

    monkeypatch.setattr(camera, "_Show", Ending)
    monkeypatch.setattr(camera, "_painters", lambda options, models: Inverting)
    with pytest.raises(SystemExit) as stopped:
        cli.camera(["sample:ink", f"--content={path}", "--size=48"])
    assert stopped.value.code == 0
    assert len(titles) == 8 and all(each.startswith("sample:ink, ") for each in titles)
    assert threading.active_count() < 20
