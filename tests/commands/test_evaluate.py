"""The command `tf_style_evaluate`."""

import json

import pytest
from PIL import Image

from tests.commands.conftest import TINY, assert_tells, call, without_tensorflow
from tf_style import cli
from tf_style.measure import metrics
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import load

PICTURES = ["--content=content.png", "--style=style.png"]


@pytest.fixture
def painted():
    """A picture that says that random kernels made it."""
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY) == 0
    return "a.png"


@pytest.fixture
def shallow(monkeypatch):
    """The judge sees no more than a block: roots of its matrices take seconds."""
    monkeypatch.setattr(metrics, "STYLE_LAYERS", ("block1_conv1", "block1_conv2"))
    monkeypatch.setattr(metrics, "CONTENT_LAYER", "block1_conv2")


@pytest.fixture
def judge(shallow):
    """A weights file with other kernels than those of `--weights=random`."""
    vgg16 = ARCHITECTURES["vgg16"]
    layers = vgg16.up_to(metrics.STYLE_LAYERS)
    write_kernels("judge.h5", load(vgg16, layers, "random", seed=1).kernels)
    return "judge.h5"


def test_pictures_are_measured_and_listed_as_json(painted, judge, capfd):
    arguments = [*PICTURES, f"--generated={painted}", "--generated=content.png",
                 f"--weights={judge}"]
    assert call(cli.evaluate, *arguments, "--json", "--plot=t.png") == 0
    captured = capfd.readouterr()
    rows = json.loads(captured.out)
    assert [row["generated"] for row in rows] == ["a.png", "content.png"]
    assert set(rows[0]) == {"generated", "style_distance", "content_similarity", "edge_agreement",
                            "color_distance", "weights", "flattered"}
    assert rows[1]["style_distance"] == pytest.approx(1)
    assert rows[1]["content_similarity"] == pytest.approx(1)
    assert [row["flattered"] for row in rows] == [False, None]
    assert rows[0]["weights"] == judge and captured.err == ""
    assert Image.open("t.png").size[0] > 500


def test_a_full_disk_is_no_bad_input(judge, full_disk, capfd):
    full_disk()
    assert call(cli.evaluate, *PICTURES, "--generated=content.png", f"--weights={judge}",
                "--plot=t.png") == 1
    out, error = capfd.readouterr()
    assert "content.png" in out
    assert error == "tf_style_evaluate: t.png: cannot be written (No space left on device)\n"


def test_measures_are_a_table(painted, judge, capfd):
    assert call(cli.evaluate, *PICTURES, f"--generated={painted}", "--generated=content.png",
                f"--weights={judge}") == 0
    captured = capfd.readouterr()
    first, head, *rows = captured.out.splitlines()
    assert first == "judged by judge.h5"
    assert head.split() == ["generated", "style", "distance", "content", "similarity", "edge",
                            "agreement", "colour", "distance"]
    assert [row.split()[0] for row in rows] == ["a.png", "content.png"]
    assert rows[1].split()[1:3] == ["1.000", "1.000"] and captured.err == ""


@pytest.mark.slow
def test_real_weights_judge(real_weights, capfd):
    assert call(cli.evaluate, *PICTURES, "--generated=content.png", f"--weights={real_weights}",
                "--json") == 0
    row, = json.loads(capfd.readouterr().out)
    assert row["weights"] == real_weights and row["style_distance"] == pytest.approx(1)


def test_a_judge_that_made_the_picture_is_told_of(painted, shallow, capfd):
    assert call(cli.evaluate, *PICTURES, f"--generated={painted}", "--weights=random",
                "--json") == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)[0]["flattered"] is True
    assert captured.err == (
        "tf_style_evaluate: a.png was made with the weights that judge it here, which flatters it; "
        "judge with other --weights\n"
    )


def test_what_cannot_be_measured_is_null(shallow, capfd):
    Image.new("RGB", (64, 48), "gray").save("plain.png")
    assert call(cli.evaluate, "--content=plain.png", "--style=style.png", "--generated=plain.png",
                "--weights=random", "--json") == 0
    row, = json.loads(capfd.readouterr().out)
    assert row["edge_agreement"] is None


def test_several_styles_are_pooled(judge, capfd):
    distances = []
    for styles in (["--style=style.png"], ["--style=style.png", "--style=content.png"]):
        assert call(cli.evaluate, "--content=content.png", *styles, "--generated=style.png",
                    f"--weights={judge}", "--json") == 0
        distances.append(json.loads(capfd.readouterr().out)[0]["style_distance"])
    # The picture is the first style itself, but not what it shares with another.
    assert distances[0] == pytest.approx(0, abs=1e-3) and distances[1] > 0.1


@pytest.mark.parametrize("arguments, message", [
    ([], "--content: expected a picture"),
    (["--content=content.png"], "--style: expected a picture"),
    (PICTURES, "--generated: expected a picture"),
    ([*PICTURES, "--generated=no.png"], "no.png: there is no"),
    ([*PICTURES, "--generated=style.png", "--plot=a.xyz"], "a.xyz: expected a name that ends in"),
    ([*PICTURES, "--generated=style.png", "--weights=no.h5"],
     "--weights=no.h5: there is no such file"),
    ([*PICTURES, "--generated=style.png", "--plot=style.png"],
     "--plot=style.png: this would replace an input"),
    ([*PICTURES, "--generated=style.png", "--weights=judge.png", "--plot=judge.png"],
     "--plot=judge.png: this would replace an input"),
    ([*PICTURES, "--generated=dot.png"],
     "dot.png: 1x1 pixels are too few for the judge. Least side: 4"),
    (["stray"], "'stray': expected --flag=value"),
    (["--generate=a.png"], "Did you mean --generated?"),
])
def test_bad_input_is_one_line_and_writes_nothing(arguments, message, refused):
    Image.new("RGB", (1, 1)).save("dot.png")
    assert message in refused(cli.evaluate, *arguments)


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), ([*PICTURES, "--generated=no.png"], 2),
    ([*PICTURES, "--generated=style.png", "--weights=no.h5"], 2),
])
def test_without_tensorflow(arguments, code):
    assert without_tensorflow(cli.evaluate, *arguments) == code


def test_help_tells_of_every_flag(capsys):
    assert call(cli.evaluate, "--help") == 0
    assert_tells(capsys.readouterr().out, {
        "content": (None, "content picture, or sample:NAME"),
        "style": (None, "given again: pooled"),
        "generated": (None, "picture to measure; may be given several times"),
        "weights": ("auto", "of the judge: auto, imagenet, unsupervised, random, or a weights"),
        "offline": (None, "fetch nothing"),
        "json": (None, "print a JSON list instead of a table"),
        "plot": (None, "draw style distance over content similarity"),
    })
