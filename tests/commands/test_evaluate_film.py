"""The command `tf_style_evaluate` with films."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import assert_tells, call, without_tensorflow
from tests.film.exact import half_still, pan, sample, written
from tf_style import cli
from tf_style.commands import judge
from tf_style.film.making import Selection
from tf_style.measure import metrics
from tf_style.measure.films import Moment, Steadiness

pytest.importorskip("av")
pytest.importorskip("cv2")

SIZE = 48, 64
FILMS = ["--content=film.mp4", "--generated=out.mp4"]
STYLE = ["--style=style.png", "--weights=random"]
STEADINESS = {each.name for each in dataclasses.fields(Steadiness)}
MEASURES = {each.name for each in dataclasses.fields(metrics.Evaluation)}


@pytest.fixture(autouse=True)
def films(folder):
    """A film of twelve frames, one that moves with it, and one that flickers."""
    source = half_still(pan(sample(), SIZE, (2, 1), 12))
    written(source, folder / "film.mp4")
    written(half_still(pan(sample("brushstrokes"), SIZE, (2, 1), 12)), folder / "out.mp4")
    rng = np.random.default_rng(0)
    written([np.clip(frame + rng.normal(0, 0.1), 0, 1) for frame in source],
            folder / "flickering.mp4")
    return folder


@pytest.fixture
def shallow(monkeypatch):
    """The judge sees no more than a block: roots of its matrices take seconds."""
    depth = metrics.Depth(("block1_conv1", "block1_conv2"), "block1_conv2", "block1_conv2")
    monkeypatch.setattr(judge, "FINE", depth)
    monkeypatch.setattr(judge, "LARGE", depth)


def test_films_are_measured_without_a_network(capfd):
    assert call(cli.evaluate, *FILMS, "--generated=flickering.mp4", "--json") == 0
    out, error = capfd.readouterr()
    steady, flickering = json.loads(out)
    assert [steady["generated"], flickering["generated"]] == ["out.mp4", "flickering.mp4"]
    assert set(steady) == {"generated", "frames", "cuts", *STEADINESS, "weights", "samples",
                           "over_time"}
    assert steady["frames"] == len(steady["over_time"]) == 12 and steady["cuts"] == []
    assert set(steady["over_time"][0]) == {each.name for each in dataclasses.fields(Moment)}
    assert [each["time"] for each in steady["over_time"]] == pytest.approx(np.arange(12) / 25)
    assert steady["over_time"][0]["warping_error_1"] is None
    assert flickering["warping_error_1"] > 5 * flickering["source_warping_error_1"]
    assert flickering["drift"] > 5 > 1 > steady["drift"]
    assert steady["weights"] is None and steady["samples"] == [] and error == ""


def test_the_command_needs_no_tensorflow_for_it():
    assert without_tensorflow(cli.evaluate, *FILMS) == 0


def test_measures_of_films_are_a_table(capfd):
    assert call(cli.evaluate, "film.mp4", "out.mp4") == 0
    upper, lower, row = capfd.readouterr().out.splitlines()
    assert upper.split() == ["warping", "warping", "drift", "edges"]
    assert lower.split() == ["generated", "lag", "1", "source", "times", "lag", "5", "source",
                             "times", "1/255", "last", "source"]
    name, *values = row.split()
    assert name == "out.mp4" and len(values) == 9
    error, own, times = map(float, values[:3])
    assert times == pytest.approx(error / own, rel=0.1)


def test_sampled_frames_are_measured_as_pictures(shallow, capfd):
    arguments = ["film.mp4", "style.png", "film.mp4", "--weights=random"]
    assert call(cli.evaluate, *arguments, "--json", "--samples=3", "--plot=t.png") == 0
    row, = json.loads(capfd.readouterr().out)
    assert set(row) >= MEASURES | STEADINESS and row["weights"] == "random"
    assert len(row["samples"]) == 3
    for each in [row, *row["samples"]]:
        assert each["style_distance"] == pytest.approx(1, abs=1e-3)
        assert each["content_similarity"] == pytest.approx(1, abs=1e-3)
    assert row["relative_error_1"] == 1
    assert Image.open("t.png").size[0] > 500
    assert call(cli.evaluate, *arguments) == 0
    *_, head, _, _, values = capfd.readouterr().out.splitlines()
    assert head == "mean of 5 frames, judged by random" and values.split()[1] == "1.000"


def test_measures_are_drawn_over_time(capfd):
    assert call(cli.evaluate, *FILMS, "--plot=t.png") == 0
    assert Image.open("t.png").size[0] > 500


def test_a_film_that_is_painted_smaller(films, capfd):
    written(pan(sample("waves"), (24, 32), (1, 0.5), 12), films / "small.mp4")
    assert call(cli.evaluate, "film.mp4", "small.mp4", "--json") == 0
    assert json.loads(capfd.readouterr().out)[0]["frames"] == 12


def test_a_folder_of_frames_beside_a_film(films, capfd):
    Path("frames").mkdir()
    for number, frame in enumerate(pan(sample("waves"), SIZE, (2, 1), 12)):
        Image.fromarray((frame * 255).astype(np.uint8)).save(f"frames/{number:03}.png")
    assert call(cli.evaluate, "film.mp4", "frames", "--json") == 0
    row, = json.loads(capfd.readouterr().out)
    assert row["frames"] == 12 and row["over_time"][1]["time"] == pytest.approx(1 / 25)


def test_a_frame_more_or_less_is_no_matter(films, capfd):
    written(pan(sample("waves"), SIZE, (2, 1), 11), films / "shorter.mp4")
    assert call(cli.evaluate, "film.mp4", "shorter.mp4", "--json") == 0
    assert json.loads(capfd.readouterr().out)[0]["frames"] == 11


def test_a_full_disk_is_no_bad_input(full_disk, capfd):
    full_disk()
    assert call(cli.evaluate, *FILMS, "--plot=t.png") == 1
    out, error = capfd.readouterr()
    assert "out.mp4" in out
    assert error == "tf_style_evaluate: t.png: cannot be written (No space left on device)\n"


@pytest.mark.parametrize("output", ["part.mp4", "part.mkv"])
def test_a_part_is_measured_beside_what_it_was_made_from(output, films, capfd):
    assert call(cli.main, "film.mp4", output, "--model=sample:ink", "--start=0.08", "--every=2",
                "--end=0.4", "--steadiness=0") == 0
    capfd.readouterr()
    assert call(cli.evaluate, "film.mp4", output, "--json") == 0
    part, = json.loads(capfd.readouterr().out)
    assert part["frames"] == 4
    assert [each["time"] for each in part["over_time"]] == pytest.approx([0, 0.08, 0.16, 0.24])
    # Two steps of the camera to the right, instead of one.
    call(cli.evaluate, *FILMS, "--json")
    whole, = json.loads(capfd.readouterr().out)
    assert part["source_warping_error_1"] != whole["source_warping_error_1"]


def test_a_film_may_be_made_from_an_animated_picture(films, capfd):
    frames = [Image.fromarray((frame * 255).astype(np.uint8)) for frame in
              half_still(pan(sample(), SIZE, (2, 1), 12))]
    frames[0].save("film.webp", save_all=True, append_images=frames[1:], duration=40)
    assert call(cli.evaluate, "film.webp", "out.mp4", "--json") == 0
    (row,) = json.loads(capfd.readouterr().out)
    assert (row["generated"], row["frames"]) == ("out.mp4", 12)


@pytest.mark.parametrize("note", ["no JSON", "[]", '{"taken": 3}', '{"taken": {"start": "1/0"}}'])
def test_a_note_that_says_nothing_of_a_part_means_all(note):
    assert Selection.noted(note) == Selection()


@pytest.mark.parametrize("arguments, message", [
    (["--generated=out.mp4"], "--content: expected a film, such as --content=FILE.mp4"),
    (["--content=film.mp4"], "--generated: expected a film, such as --generated=FILE.mp4"),
    (["--content=film.mp4", "--generated=no.mp4"], "no.mp4: there is no"),
    (["--content=no.mp4", "--generated=out.mp4"], "no.mp4: there is no"),
    (["--content=film.mp4", "--generated=content.png"],
     "--generated=content.png: expected a film, as --content is one"),
    (["--content=content.png", "--generated=out.mp4"],
     "--content=content.png: expected the film that out.mp4 was made from"),
    (["--content=film.mp4", "--generated=short.mp4"],
     "--generated=short.mp4: 3 frames, but --content=film.mp4 has 12. Expected as many"),
    (["--content=film.mp4", "--generated=upright.mp4"],
     "--generated=upright.mp4: 48x64 pixels do not have the proportions of --content=film.mp4: "
     "64x48"),
    ([*FILMS, "--mask=content.png"], "--mask=content.png: this is for pictures"),
    ([*FILMS, "--copied_map=a.png"], "--copied_map=a.png: this is for pictures"),
    ([*FILMS, "--at_content=0.5"], "--at_content=0.5: this is for pictures"),
    ([*FILMS, "--style=no.png"], "no.png: there is no"),
    (["--content=a.gif", "--generated=b.gif", "--style=film.mp4"],
     "--style=film.mp4: expected a picture, this is a film. A film to measure is given as"),
    (["--content=.", "--generated=.", "--style=film.mp4"], "--style=film.mp4: expected a pict"),
    (["content.png", "film.mp4", "style.png"], "--style=film.mp4: expected a picture"),
    (["film.mp4", "out.mp4", "out.mp4"], "--style=out.mp4: expected a picture"),
    ([*FILMS, *STYLE, "--style_layers=block9_conv1"], "VGG16 has no layer 'block9_conv1'"),
    ([*FILMS, "--plot=a.xyz"], "a.xyz: expected a name that ends in"),
    ([*FILMS, "--plot=style.png", *STYLE], "--plot=style.png: this would replace an input"),
    ([*FILMS, "--samples=0"], "--samples: expected a whole number"),
    *(([*films, f"--{name}={value}"], f"--{name}: has no effect on films without --style")
      for films in (FILMS, ["film.mp4", "out.mp4"])
      for name, value in (("network", "vgg19"), ("weights", "random"), ("samples", "3"),
                          ("style_layers", "block1_conv1"), ("content_layers", "block1_conv1"))),
])
def test_bad_input_is_one_line_and_writes_nothing(films, arguments, message, refused):
    written(pan(sample(), SIZE, (2, 1), 3), films / "short.mp4")
    written(pan(sample(), SIZE[::-1], (2, 1), 12), films / "upright.mp4")
    assert message in refused(cli.evaluate, *arguments)


def test_help_tells_of_films(capsys):
    assert call(cli.evaluate, "--help") == 0
    out = capsys.readouterr().out
    assert_tells(out, {
        "samples": ("5", "how many frames of a film"), "plot": (None, "or a film's over time"),
    })
