"""The command `tf_style` with a film."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.commands.here import Elsewhere, Here
from tests.film.films import number_of, pattern, write
from tf_style import cli
from tf_style.commands import flags, stylize
from tf_style.commands.film_request import Request
from tf_style.film.frame import Painted
from tf_style.film.source import open_film
from tf_style.film.store import Store
from tf_style.settings import Settings


class Darker:
    """A painter that takes no time: half of the frame's light, and a little of the frame before."""

    lags = (1,)
    settings, weights = Settings(model="sample:waves"), {"model": "abc"}

    def look(self, before, content):
        return None

    def paint(self, content, past):
        if past is None:
            return Painted(0.5 * content, {"count": np.ones(1)})
        return Painted(0.4 * content + 0.2 * past.pictures[1], {"count": past.state["count"] + 1})


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A film of 30 frames in the working folder, and a painter that takes no time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Request, "painter", lambda self, size: Darker())
    return write(tmp_path / "film.mp4", 30, sound="aac")


@pytest.fixture
def kept(monkeypatch):
    """Of each film that became whole, its frames as they were before they were encoded."""
    films, remove = [], Store.remove

    def removed(store):
        if numbers := sorted(store.numbers()):
            films.append(np.stack([store.layers(number) for number in numbers]).astype(int))
        remove(store)

    monkeypatch.setattr(Store, "remove", removed)
    return films


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*map(str, arguments)])
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def frames_of(path):
    with open_film(str(path)) as film:
        return list(film.frames())


MODEL = "--model=sample:waves"


def test_a_film_becomes_a_film(film, capsys):
    code, out, err = call(capsys, "film.mp4", "out.mp4", MODEL, "--size=original",
                          "--report=report.json")
    assert (code, out) == (0, "out.mp4\n")
    assert "30 frames of 48x32 pixels in 0:0" in err
    frames = frames_of("out.mp4")
    assert [each.time for each in frames] == [Fraction(each, 10) for each in range(30)]
    assert frames[0].picture.shape == (32, 48, 3)
    assert np.abs(frames[0].picture - 0.5 * pattern(0)).mean() < 4
    with av.open("out.mp4") as file:
        assert file.streams.audio[0].codec_context.name == "aac"
        note = json.loads(file.metadata["comment"])
    assert note["content"] == "film.mp4" and note["settings"]["model"] == "sample:waves"
    report = json.loads(film.with_name("report.json").read_text())
    assert (report["frames"], report["painted"], report["shots"]) == (30, 30, 1)
    assert report["size"] == [32, 48] and report["broken"] == 0
    assert not os.path.exists("out.mp4.frames")


@pytest.mark.parametrize("more", [[], ["--workers=2"]])
def test_sound_begins_with_the_first_frame(engines, capsys, more):
    """Where that lasts for seconds, it need not be shown soon after --start."""
    slides = [Fraction(0), Fraction(1, 2), *(2 + Fraction(each, 50) for each in range(60))]
    write(Path("slides.mp4"), 61, times=slides, sound="aac")
    code, _, _ = call(capsys, "slides.mp4", "out.mp4", *SMALL, "--start=0.6", *more)
    assert code == 0 and len(engines.made) == bool(more)
    assert frames_of("out.mp4")[0].time == 0
    with av.open("out.mp4") as file:
        heard = [float(each.pts * each.time_base) for each in file.decode(audio=0)]
    assert abs(heard[0]) < 0.05
    # The film's sound ends as its frames do, 1.2 seconds later.
    assert heard[-1] == pytest.approx(1.2, abs=0.1)


def test_the_result_gets_a_new_name_beside_the_film(film, capsys):
    names = [call(capsys, "film.mp4", MODEL, "--end=0.3")[1] for _ in range(2)]
    assert names == ["film_waves.mp4\n", "film_waves_2.mp4\n"]


@pytest.mark.parametrize(("name", "lengths", "frames"), [
    ("title.gif", [3000, *[40] * 99], 37), ("film.webp", [40] * 100, 50),
    # Neither a frame in the middle, nor one before the end.
    ("slides.gif", [9000] * 3, 1), ("held.gif", [*[50] * 20, 5000], 1),
])
def test_a_trial_of_any_animation(film, capsys, name, lengths, frames):
    pictures = [Image.fromarray(pattern(number)) for number in range(len(lengths))]
    pictures[0].save(name, save_all=True, append_images=pictures[1:], duration=lengths)
    code, _, err = call(capsys, name, "--output=out/", MODEL, "--frames", "--trial")
    assert code == 0, err
    assert len(os.listdir("out_trial")) == frames


@pytest.mark.parametrize(("given", "made"), [
    (["--output=frames.v2/"], "frames.v2"), (["--output=frames.mp4/"], "frames.mp4"),
    (["--output=frames.v2/", "--trial"], "frames.v2_trial"), (["frames.v2/"], "frames.v2"),
])
def test_a_slash_makes_it_a_folder_of_frames(film, capsys, given, made):
    code, out, err = call(capsys, "film.mp4", *given, MODEL, "--end=0.3", "--size=original")
    assert (code, out) == (0, f"{made}\n"), err
    assert sorted(os.listdir(made)) == ["00000.png", "00001.png", "00002.png"]
    assert not os.path.exists(f"{made}.frames")


@pytest.mark.parametrize("name", [".", "./", "../empty/"])
def test_the_working_folder_is_not_replaced(film, capsys, monkeypatch, name):
    os.mkdir("empty")
    monkeypatch.chdir("empty")
    code, _, err = call(capsys, "../film.mp4", f"--output={name}", MODEL)
    assert code == 2 and "this is the working folder" in err and err.count("\n") == 1
    code, out, _ = call(capsys, "../film.mp4", f"--output={name}", MODEL, "--trial", "--end=0.3")
    assert code == 0 and Path(out.strip()).resolve() == (film.parent / "empty_trial").resolve()


def test_the_command_that_goes_on_with_a_trial_means_the_same_film(film):
    def asked(*arguments):
        return Request.of(flags.parse(stylize.COMMAND, [*arguments]), "film.mp4")

    film.with_name("out.mp4").touch()
    assert asked("film.mp4", "out.mp4", MODEL, "--trial").output.name == "out_trial.mp4"
    request = asked("film.mp4", MODEL, "--trial")
    again = asked(*shlex.split(request.resuming())[1:])
    assert request.output.name == again.output.name == "film_waves_trial.mp4"
    assert again.options.resume


def test_a_style_picture_makes_it_the_optimisers(film, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(Request, "painter", lambda self, size: asked.append(self) or Darker())
    code, _, _ = call(capsys, "film.mp4", "sample:ink", "out.mp4", "--frame_steps=3", "--end=0.3")
    assert code == 0
    (request,) = asked
    assert request.styles == ("sample:ink",) and request.films.frame_steps == 3


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--start=1", "--end=0:02"], range(10, 20)), (["--every=7"], range(0, 30, 7)),
    (["--start=2.5", "--every=2"], range(25, 30, 2)),
])
def test_parts_of_a_film(film, capsys, arguments, expected):
    assert call(capsys, "film.mp4", "--output=out/", MODEL, "--size=original", *arguments)[0] == 0
    made = [np.asarray(Image.open(each)) for each in sorted((film.parent / "out").iterdir())]
    assert len(made) == len(expected)
    # The first is half as light as the frame; those after it, a little less.
    assert number_of(2.0 * made[0]) == expected[0] % 28


def test_a_trial_is_two_seconds_from_the_middle_at_a_small_size(tmp_path, film, capsys):
    write(tmp_path / "long.mp4", 60, size=(160, 320))
    code, out, _ = call(capsys, "long.mp4", "out.mp4", MODEL, "--trial")
    assert (code, out) == (0, "out_trial.mp4\n")
    frames = frames_of("out_trial.mp4")
    assert len(frames) == 20 and frames[0].picture.shape == (128, 256, 3)
    assert not os.path.exists("out.mp4")


def test_animated_pictures_are_films_if_all_frames_are_asked_for(film, capsys):
    pictures = [Image.fromarray(pattern(number)) for number in range(3)]
    pictures[0].save("moving.gif", save_all=True, append_images=pictures[1:], duration=[50, 70, 90])
    code, out, _ = call(capsys, "moving.gif", MODEL, "--frames", "--size=original")
    assert (code, out) == (0, "moving_waves.gif\n")
    frames = frames_of("moving_waves.gif")
    assert [each.time for each in frames] == [0, Fraction(5, 100), Fraction(12, 100)]
    with Image.open("moving_waves.gif") as made:
        made.seek(2)
        assert made.info["duration"] == 90, "the last frame is held as long as it was"


def test_a_folder_of_frames_is_a_film(film, capsys):
    os.mkdir("frames")
    for number in range(12):
        Image.fromarray(pattern(number)).save(f"frames/{number}.png")
    code, out, _ = call(capsys, "frames", MODEL, "--fps=30000/1001")
    assert (code, out) == (0, "frames_waves.mp4\n")
    assert [each.time for each in frames_of("frames_waves.mp4")] == [
        each * Fraction(1001, 30000) for each in range(12)]


class Stopping(Darker):
    """Asks the command to stop after some frames, as Ctrl-C does."""

    def __init__(self, request, after):
        self._signals, self._after, self._count = request.line.signals, after, 0

    def paint(self, content, past):
        self._count += 1
        if self._count == self._after:
            self._signals.received.append(signal.SIGINT)
        return super().paint(content, past)


def test_a_stopped_film_goes_on(film, capsys, monkeypatch):
    assert call(capsys, "film.mp4", "whole.mp4", MODEL)[0] == 0
    for after, told in ((1, "1 frame"), (12, "13 frames")):
        monkeypatch.setattr(Request, "painter", lambda self, size, n=after: Stopping(self, n))
        code, out, err = call(capsys, "film.mp4", "out.mp4", MODEL, *["--resume"] * (after > 1))
        assert (code, out) == (130, "")
        assert f"stopped after {told}; they are in out.mp4.frames" in err
        assert "go on with: tf_style film.mp4 out.mp4 --model=sample:waves --resume" in (
            err.replace("--resume film.mp4 out.mp4 --model=sample:waves",
                        "film.mp4 out.mp4 --model=sample:waves --resume"))
        assert not os.path.exists("out.mp4")
    code, _, err = call(capsys, "film.mp4", "out.mp4", MODEL)
    assert code == 2 and "holds 13 frames of this film already. Go on with --resume" in err
    monkeypatch.setattr(Request, "painter", lambda self, size: Darker())
    code, _, err = call(capsys, "film.mp4", "out.mp4", MODEL, "--resume", "--strength=0.5")
    assert code == 2 and "other settings (--strength)" in err
    assert call(capsys, "film.mp4", "out.mp4", MODEL, "--resume")[0] == 0
    with open("whole.mp4", "rb") as whole, open("out.mp4", "rb") as out:
        assert whole.read() == out.read()


def test_what_does_not_decide_the_frames_may_change(film, capsys, monkeypatch):
    monkeypatch.setattr(Request, "painter", lambda self, size: Stopping(self, 3))
    assert call(capsys, "film.mp4", "out.mp4", MODEL)[0] == 130
    monkeypatch.setattr(Request, "painter", lambda self, size: Darker())
    other = "--resume", "--threads=1", "--max_pixels=9000000"
    assert call(capsys, "film.mp4", "out.mp4", MODEL, *other)[0] == 0


def test_a_film_whose_frames_were_being_removed_is_complete(film, capsys):
    assert call(capsys, "film.mp4", "out.mp4", MODEL)[0] == 0
    before = film.with_name("out.mp4").stat()
    left = film.with_name(".out.mp4.frames.done")
    left.mkdir()
    (left / "00000003.webp").touch()
    code, _, err = call(capsys, "film.mp4", "--output=out.mp4", MODEL, "--resume")
    assert code == 0 and "out.mp4 is complete already" in err
    assert film.with_name("out.mp4").stat() == before
    assert not left.exists()


def test_a_time_limit_stops_between_frames(film, capsys):
    code, out, err = call(capsys, "film.mp4", "out.mp4", MODEL, "--time_limit=0.000001")
    assert (code, out) == (1, "")
    assert "stopped after 1 frame, as the time is up" in err


def test_pieces_become_one_film(film, capsys):
    code, out, err = call(capsys, "film.mp4", "out.mp4", MODEL, "--piece=2/2")
    assert (code, out) == (0, "")
    assert "piece 2 of 2 is painted; others of out.mp4 are not yet" in err
    code, out, _ = call(capsys, "film.mp4", "out.mp4", MODEL, "--piece=1/2")
    assert (code, out) == (0, "out.mp4\n")
    assert len(frames_of("out.mp4")) == 30


SMALL = [MODEL, "--size=48"]


@pytest.fixture
def engines(film, monkeypatch):
    """A film of 60 frames, `long.mp4`, and workers of no processes of their own."""
    class Engine(Here):
        made = []  # noqa: RUF012

    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    write(film.with_name("long.mp4"), 60, sound="aac")
    return Engine


def assert_alike(one, other):
    """See that films have the same frames, but for the last bit where a piece begins in a shot."""
    assert one.shape == other.shape and len(one) == 60
    assert np.abs(one - other).max() <= 1


def test_workers_paint_the_same_film(engines, kept, capsys):
    assert call(capsys, "long.mp4", "one.mp4", *SMALL)[0] == 0
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--workers=2",
                          "--report=report.json")
    assert (code, out) == (0, "two.mp4\n") and "60 frames of " in err
    assert_alike(*kept)
    report = json.loads(Path("report.json").read_text())
    # Eight frames lead to the second piece, as it begins within a shot.
    assert (report["frames"], report["painted"], report["shots"]) == (60, 68, 1)
    assert sorted(each["frames"] for each in report["workers"]) == [[0, 30], [30, 60]]
    assert all(each["worker"] for each in report["workers"])
    assert report["versions"]["tensorflow"] and report["peak_memory_bytes"] > 1e7
    # A film as short as this is not worth any.
    assert call(capsys, "film.mp4", "out.mp4", *SMALL, "--workers=4")[0] == 0
    assert len(engines.made) == 1


def test_nodes_paint_the_same_film(engines, kept, nodes, capsys):
    assert call(capsys, "long.mp4", "one.mp4", *SMALL)[0] == 0
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--cluster=auto", "--threads=1")
    assert (code, out) == (0, "two.mp4\n") and "60 frames of 48x32 pixels in" in err
    assert_alike(*kept)
    node, = nodes.made
    assert sorted((task.data.start, task.data.end) for task in node.given) == [(0, 30), (30, 60)]
    assert os.path.isabs(node.work.request.name) and not engines.made
    assert node.work.request.settings.threads == node.need.threads == 1


def test_a_node_that_shares_no_folder_says_so(engines, nodes, capsys, monkeypatch):
    there = os.path.exists
    monkeypatch.setattr(
        os.path, "exists", lambda path: ".tf_style_" not in str(path) and there(path))
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--cluster=auto")
    assert (code, out) == (2, "")
    assert "two.mp4.frames: this folder is not there; films on a --cluster need one" in err
    assert not os.path.exists("two.mp4.frames")


def test_a_node_that_has_another_film_says_so(engines, nodes, capsys, monkeypatch):
    settled = Elsewhere.begin

    def replaced(self, work, need):
        film = os.path.abspath("long.mp4")
        work = dataclasses.replace(work, sizes={**work.sizes, film: work.sizes[film] + 1})
        settled(self, work, need)

    monkeypatch.setattr(Elsewhere, "begin", replaced)
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--cluster=auto")
    assert (code, out) == (2, "") and "long.mp4: this is not there, or another file" in err


def test_a_piece_that_ends_workers_is_named_and_can_be_gone_on_with(engines, kept, capsys):
    assert call(capsys, "long.mp4", "one.mp4", *SMALL)[0] == 0
    engines.deadly_to = lambda self, piece: piece.start == 30
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--workers=2")
    assert (code, out) == (1, "")
    assert "frames 31 to 60: set aside, as 2 workers ended with it" in err
    assert "stopped after 30 frames; they are in two.mp4.frames" in err and "--resume" in err
    del engines.deadly_to
    assert call(capsys, "long.mp4", "two.mp4", *SMALL, "--workers=2", "--resume")[0] == 0
    assert [task.data.start for task in engines.made[-1].given] == [30]
    assert_alike(*kept)


def test_a_worker_leaves_a_piece_early_and_another_goes_on(engines, kept, capsys, monkeypatch):
    assert call(capsys, "long.mp4", "one.mp4", *SMALL)[0] == 0
    paint, asked = Darker.paint, []

    def pressed(self, content, past):
        if past is not None and past.state["count"] == 9 and not asked:
            asked.append(signal.raise_signal(signal.SIGINT))
            engines.made[-1].stop("w1")
        return paint(self, content, past)

    monkeypatch.setattr(Darker, "paint", pressed)
    code, out, err = call(capsys, "long.mp4", "two.mp4", *SMALL, "--workers=2")
    assert (code, out) == (130, "") and "stopped after 40 frames" in err
    monkeypatch.setattr(Darker, "paint", paint)
    assert call(capsys, "long.mp4", "two.mp4", *SMALL, "--workers=2", "--resume")[0] == 0
    assert_alike(*kept)


def test_what_exists_can_be_kept(film, capsys):
    film.with_name("out.mp4").write_bytes(b"kept")
    code, _, err = call(capsys, "film.mp4", "out.mp4", MODEL, "--skip_existing")
    assert code == 0 and "out.mp4 exists already and is kept" in err
    assert film.with_name("out.mp4").read_bytes() == b"kept"


def test_broken_frames_are_told(film, capsys):
    with av.open("film.mp4") as file:
        packet = [each for each in file.demux(video=0) if each.size][20]
    content = bytearray(film.read_bytes())
    content[packet.pos + 8 : packet.pos + packet.size] = bytes(packet.size - 8)
    film.write_bytes(content)
    code, _, err = call(capsys, "film.mp4", "out.mp4", MODEL)
    assert code == 0
    assert "of film.mp4 cannot be read and" in err


@pytest.mark.parametrize(("arguments", "said"), [
    (["gone.mp4", "out.mp4", MODEL], "gone.mp4: there is no such file"),
    (["empty.mp4", "out.mp4", MODEL], "empty.mp4: the file is empty"),
    (["text.mp4", "out.mp4", MODEL], "text.mp4: the film cannot be read"),
    (["film.mp4", "out.jpg", MODEL], "--output=out.jpg: expected .mp4"),
    (["film.mp4", "film.mp4", MODEL], "exists already"),
    (["film.mp4", "--output=film.mp4", MODEL], "this would replace an input"),
    (["film.mp4", "sample:ink", "out.mp4", "--content_mask=mask.png"], "is for pictures"),
    (["film.mp4", "sample:ink", "out.mp4", "--plot=a.png"], "--plot: is for pictures"),
    (["film.mp4", "out.mp4", MODEL, "--end=1", "--start=2"], "--end: expected a time after"),
    (["film.mp4", "out.mp4", MODEL, "--start=99"], "no frame of the film is shown then"),
    (["film.mp4", "out.mp4", MODEL, "--fps=25"], "--fps: film.mp4 has times of its own"),
    (["film.mp4", "out.avi", MODEL, "--skip_existing"], "--output=out.avi: expected .mp4"),
    (["film.mp4", "out.mp4", MODEL, "--fps=0"], "--fps: expected frames a second"),
    (["film.mp4", "out.mp4", MODEL, "--piece=3/2"], "--piece: expected which part"),
    (["film.mp4", "out.mp4", MODEL, "--piece=1/2", "--workers=2"], "--workers and --piece"),
    (["film.mp4", "out.mp4", MODEL, "--piece=1/2", "--cluster=auto"], "--cluster and --piece"),
    (["film.mp4", "out.mp4", MODEL, "--cluster=no"], "--cluster=no: expected local, auto, HOST"),
    (["film.mp4", "out.mp4", MODEL, "--cluster=auto", "--workers=2"], "--workers=2: is for proc"),
    (["film.mp4", "out.mp4", MODEL, "--piece=1/99"], "the film has 30 frames"),
    (["film.mp4", "out.mp4", MODEL, "--frame_steps=3"], "--frame_steps: has no effect with"),
    (["film.mp4", "sample:ink", "out.mp4", "--steadiness=1"], "--steadiness: has no effect"),
    (["film.mp4", "out.mp4", MODEL, "--size=30x40"], "--size"),
    (["film.mp4", "gone.png", "out.mp4"], "gone.png: there is no such file"),
    (["sample:harbor", "sample:ink", "out.png", "--every=2"], "--every: is for films"),
    (["film.gif", "sample:ink", "out.gif", "--end=2"], "--end: is for films"),
    (["frames", "out.mp4", MODEL, "--fps=25"], "no picture matches"),
])
def test_bad_input_is_one_line_and_leaves_nothing(film, capsys, arguments, said):
    film.with_name("empty.mp4").touch()
    film.with_name("text.mp4").write_text("no film " * 99)
    film.with_name("frames").mkdir()
    before = film.read_bytes()
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1
    assert film.read_bytes() == before
    assert {each.name for each in film.parent.iterdir() if not each.name.startswith("content")} <= {
        "film.mp4", "empty.mp4", "text.mp4", "frames", "style.png"}


@pytest.mark.parametrize("module", ["av", "cv2"])
def test_without_the_extra_it_says_what_to_install(film, capsys, monkeypatch, module):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *rest: None if name == module else found(name, *rest))
    code, _, err = call(capsys, "film.mp4", "out.mp4", MODEL)
    assert code == 2 and "pip install 'tf_style[video]'" in err and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ["--model=gone.keras"], ["--style=sample:ink", "--weights=gone.h5"],
    ["--style=sample:ink", "--init=gone.keras"], ["--style=sample:ink", "--init=gone.png"],
])
def test_bad_input_is_found_without_tensorflow(film, arguments):
    code = ("import sys\nfrom tf_style import cli\n"
            f"try:\n    cli.main(['film.mp4', '--output=out.mp4', *{arguments}])\n"
            "except SystemExit as stopped:\n"
            "    print(stopped.code, 'tensorflow' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.stdout == "2 False\n"


@pytest.fixture
def short(film, monkeypatch):
    """A film of four frames, and the painters that people use."""
    monkeypatch.undo()
    monkeypatch.chdir(film.parent)
    return write(film.with_name("short.mp4"), 4, size=(48, 64))


@pytest.mark.slow
def test_a_network_paints_a_film(short, capsys):
    assert call(capsys, "short.mp4", "--output=out/", MODEL, "--size=original",
                "--report=report.json")[0] == 0
    assert call(capsys, "short.mp4", "--output=gray/", MODEL, "--size=original", "--strength=0",
                "--every=3")[0] == 0
    source = [each.picture for each in frames_of("short.mp4")]
    made = [np.asarray(Image.open(each)) for each in sorted(short.with_name("out").iterdir())]
    assert all(np.abs(one.astype(int) - other).mean() > 20
               for one, other in zip(made, source, strict=True))
    report = json.loads(short.with_name("report.json").read_text())
    assert report["weights"]["model"] and report["versions"]["tensorflow"]
    kept = [np.asarray(Image.open(each)) for each in sorted(short.with_name("gray").iterdir())]
    np.testing.assert_allclose(kept, source[::3], atol=1)


@pytest.mark.slow
def test_the_optimiser_paints_a_film_and_can_start_from_a_network(short, capsys):
    quick = ["--weights=random", "--content_layers=block2_conv1", "--style_layers=block1_conv1",
             "--steps=2", "--frame_steps=1", "--size=original"]
    for more in ([], ["--init=sample:waves"]):
        output = f"out{len(more)}.mp4"
        code, out, err = call(capsys, "short.mp4", "style.png", output, *quick, *more)
        assert (code, out) == (0, f"{output}\n")
        # Of each frame the same would be said.
        assert err.count("cleaned up") <= 1
        assert len(frames_of(output)) == 4


@pytest.mark.slow
def test_workers_are_processes(short, capsys):
    write(short.with_name("long.mp4"), 60, size=(48, 64))
    code, out, _ = call(capsys, "long.mp4", "style.png", "out.mp4", "--workers=2",
                        "--weights=random", "--content_layers=block2_conv1", "--steps=1",
                        "--style_layers=block1_conv1", "--frame_steps=1", "--size=original")
    assert (code, out) == (0, "out.mp4\n")
    assert len(frames_of("out.mp4")) == 60


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")
def test_a_ray_cluster_paints_a_film(short, capsys):
    write(short.with_name("long.mp4"), 48, size=(48, 64))
    quick = ["--weights=random", "--content_layers=block2_conv1", "--steps=1", "--frame_steps=1",
             "--style_layers=block1_conv1", "--size=original"]
    code, out, err = call(capsys, "long.mp4", "style.png", "out.mp4", "--cluster=local", *quick,
                          "--report=report.json")
    assert (code, out) == (0, "out.mp4\n"), err
    assert len(frames_of("out.mp4")) == 48 and not os.path.exists("out.mp4.frames")
    report = json.loads(short.with_name("report.json").read_text())
    assert sum(each["frames"][1] - each["frames"][0] for each in report["workers"]) == 48
