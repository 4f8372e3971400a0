"""The command `tf_style_evaluate`."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, assert_tells, call, without_tensorflow
from tf_style import cli
from tf_style.commands import judge
from tf_style.measure import metrics
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
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
    depth = metrics.Depth(("block1_conv1", "block1_conv2"), "block1_conv2", "block1_conv2")
    monkeypatch.setattr(judge, "FINE", depth)
    monkeypatch.setattr(judge, "LARGE", depth)
    return depth


@pytest.fixture
def other(shallow):
    """A weights file with other kernels than those of `--weights=random`."""
    vgg16 = ARCHITECTURES["vgg16"]
    layers = vgg16.up_to(shallow.layers)
    write_kernels("judge.h5", load(vgg16, layers, "random", seed=1).kernels)
    return "judge.h5"


def test_pictures_are_measured_and_listed_as_json(painted, other, capfd):
    arguments = [*PICTURES, f"--generated={painted}", "--generated=content.png",
                 f"--weights={other}"]
    assert call(cli.evaluate, *arguments, "--json", "--plot=t.png") == 0
    captured = capfd.readouterr()
    rows = json.loads(captured.out)
    assert [row["generated"] for row in rows] == ["a.png", "content.png"]
    measures = {each.name for each in dataclasses.fields(metrics.Evaluation)}
    assert set(rows[0]) == {"generated", *measures, "weights", "flattered", "untouched_content",
                            "style_itself"}
    assert set(rows[0]["style_itself"]) == measures
    assert rows[1]["style_distance"] == pytest.approx(1)
    assert rows[1]["content_similarity"] == pytest.approx(1)
    assert [row["flattered"] for row in rows] == [False, None]
    assert rows[0]["weights"] == other and captured.err == ""
    assert Image.open("t.png").size[0] > 500


def test_a_full_disk_is_no_bad_input(other, full_disk, capfd):
    full_disk()
    assert call(cli.evaluate, *PICTURES, "--generated=content.png", f"--weights={other}",
                "--plot=t.png") == 1
    out, error = capfd.readouterr()
    assert "content.png" in out
    assert error == "tf_style_evaluate: t.png: cannot be written (No space left on device)\n"


def test_measures_are_a_table(painted, other, capfd):
    assert call(cli.evaluate, *PICTURES, f"--generated={painted}", "--generated=content.png",
                f"--weights={other}") == 0
    captured = capfd.readouterr()
    first, upper, lower, *rows = captured.out.splitlines()
    assert first == "judged by judge.h5"
    assert upper.split() == ["style", "gram", "sliced", "patch", "local", "back", "colour",
                             "copied", "content", "self", "edges"]
    assert lower.split() == ["generated", *6 * ["fine"]]
    assert [row.split()[0] for row in rows] == ["a.png", "content.png", *4 * ["(the"]]
    assert rows[1].split()[1:3] == ["1.000", "1.000"] and captured.err == ""
    content, style = (row.partition(")")[2].split() for row in rows[4:])
    assert content == rows[1].split()[1:] and style[:3] == ["0.000"] * 3


def test_what_a_terminal_has_no_room_for_comes_beneath(other, terminal, capfd):
    arguments = [*PICTURES, "--generated=content.png", f"--weights={other}"]
    assert call(cli.evaluate, *arguments) == 0
    plain = capfd.readouterr().out.splitlines()
    for width in (80, 40, 30):
        terminal(width)
        assert call(cli.evaluate, *arguments) == 0
        lines = capfd.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        rows = [line.rpartition("(the style itself)")[2].split() for line in lines]
        # At 30 columns names stand above their numbers.
        names = [number + (width == 30) for number, line in enumerate(lines)
                 if "(the style itself)" in line]
        assert len(names) > 1
        assert [each for number in names for each in rows[number]] == plain[-1].split()[3:]


def test_content_and_style_score_otherwise_beside_another_size(other, capfd):
    Image.open("content.png").resize((32, 24)).save("small.png")
    assert call(cli.evaluate, *PICTURES, "--generated=content.png", "--generated=small.png",
                "--generated=style.png", f"--weights={other}") == 0
    rows = capfd.readouterr().out.splitlines()[6:]
    # The style has its own size.
    assert [row.partition(")")[0] for row in rows] == [
        f"({kind}, as large as {name}.png" for name in ("content", "small", "style")
        for kind in ("the untouched content", "the style itself")
    ]


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


def test_whether_a_judge_trained_the_painter_is_not_known(capfd):
    assert call(cli.main, "content.png", "a.png", "--model=sample:waves",
                "--size=32", "--quiet") == 0
    assert call(cli.evaluate, *PICTURES, "--generated=a.png", "--network=compact", "--json") == 0
    assert json.loads(capfd.readouterr().out)[0]["flattered"] is None


def test_what_cannot_be_measured_is_null(shallow, capfd):
    Image.new("RGB", (64, 48), "gray").save("plain.png")
    assert call(cli.evaluate, "--content=plain.png", "--style=style.png", "--generated=plain.png",
                "--weights=random", "--json") == 0
    row, = json.loads(capfd.readouterr().out)
    assert row["edge_agreement"] is None


@pytest.fixture
def curve():
    """A folder of pictures between the content and the style."""
    content, style = (Image.open(f"{name}.png").resize((64, 48)) for name in ("content", "style"))
    Path("curve").mkdir()
    for share in (2, 5, 8):
        Image.blend(content, style, share / 10).save(f"curve/{share}.png")
    return "curve"


def test_a_folder_is_a_curve_read_at_equal_content(curve, other, capfd):
    arguments = [*PICTURES, "--generated=curve", "--generated=curve/[25].png",
                 f"--weights={other}"]
    assert call(cli.evaluate, *arguments, "--json", "--plot=t.png") == 0
    *pictures, whole, part = json.loads(capfd.readouterr().out)
    assert [row["generated"] for row in pictures] == [f"curve/{each}.png" for each in (2, 5, 8)]
    kept = [row["content_similarity"] for row in pictures]
    assert kept[0] > kept[1] > kept[2]
    # What both have in common lies between the first two pictures.
    assert whole["at_content_similarity"] == pytest.approx((kept[0] + kept[1]) / 2)
    assert [row["curve"] for row in (whole, part)] == ["curve", "curve/[25].png"]
    for reading in (whole, part):
        assert not reading["extrapolated"]
        for name in ("style_distance", "patch_distance"):
            assert reading[name] == pytest.approx((pictures[0][name] + pictures[1][name]) / 2)
    assert call(cli.evaluate, *arguments, f"--at_content={kept[2] + 0.01}") == 0
    *_, first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("curve  ") and second.startswith("curve/[25].png (extrapolated) ")


def test_a_curve_of_one_picture_tells_nothing_elsewhere(other, capfd):
    Path("curve").mkdir()
    for name in "ab":
        Image.open("style.png").resize((64, 48)).save(f"curve/{name}.png")
    assert call(cli.evaluate, *PICTURES, "--generated=curve", f"--weights={other}",
                "--at_content=0.99") == 0
    *_, row = capfd.readouterr().out.splitlines()
    label, *values = row.replace("curve (extrapolated)", "curve").split()
    assert label == "curve" and len(values) == 11 and set(values) == {"nan"}


def test_a_mask_measures_what_is_inside(other, capfd):
    content = Image.open("content.png")
    half = content.copy()
    half.paste((90, 160, 30), (32, 0, 64, 48))
    half.save("half.png")
    for name, box in (("left", (0, 0, 28, 48)), ("right", (36, 0, 64, 48))):
        mask = Image.new("L", content.size)
        mask.paste(255, box)
        mask.save(f"{name}.png")
    kept = {}
    for name in ("left", "right"):
        assert call(cli.evaluate, *PICTURES, "--generated=half.png", f"--weights={other}",
                    f"--mask={name}.png", "--json") == 0
        kept[name] = json.loads(capfd.readouterr().out)[0]["content_similarity_masked"]
    assert kept["left"] > 0.99 and kept["right"] < 0.5


def test_the_map_shows_what_was_copied(other, capfd):
    style = Image.open("style.png")
    style.resize((64, 64)).save("square.png")
    square = Image.open("square.png")
    pasted = Image.new("RGB", (64, 64), "gray")
    pasted.paste(square.crop((20, 20, 52, 52)), (4, 4))
    pasted.save("pasted.png")
    assert call(cli.evaluate, "--content=content.png", "--style=square.png", "--json",
                "--generated=pasted.png", f"--weights={other}", "--copied_map=map.png") == 0
    assert json.loads(capfd.readouterr().out)[0]["copied"] > 0.1
    red = np.ptp(np.asarray(Image.open("map.png"), int), axis=2) > 40
    assert red[8:32, 8:32].mean() > 0.8 and red[40:, 40:].mean() < 0.05


def test_a_saved_model_judges(shallow, capfd):
    feature_model(shallow.layers, "random").save("judge.keras")
    layers = ["--style_layers=block1_conv1", "--content_layers=block1_conv2"]
    assert call(cli.evaluate, *PICTURES, "--generated=content.png", "--network=judge.keras",
                "--json", *layers) == 0
    row, = json.loads(capfd.readouterr().out)
    assert row["weights"] == "judge.keras" and row["style_distance"] == pytest.approx(1)
    assert row["style_distance_large"] is None


def test_the_deeper_layers_where_the_weights_reach(monkeypatch, shallow, capfd):
    monkeypatch.setattr(judge, "LARGE", metrics.Depth(("block2_conv1",), "block2_conv1",
                                                      "block2_conv1"))
    monkeypatch.setattr(metrics.Judge.__init__, "__kwdefaults__", {
        **metrics.Judge.__init__.__kwdefaults__, "large": judge.LARGE
    })
    vgg16 = ARCHITECTURES["vgg16"]
    for name, layers in (("deep.h5", judge.LARGE.layers), ("fine.h5", shallow.layers)):
        write_kernels(name, load(vgg16, vgg16.up_to(layers), "random", seed=1).kernels)
        assert call(cli.evaluate, *PICTURES, "--generated=content.png", f"--weights={name}",
                    "--json") == 0
        row, = json.loads(capfd.readouterr().out)
        assert row["style_distance"] == pytest.approx(1)
        found = row["style_distance_large"], row["content_similarity_large"]
        assert found == ((None, None) if name == "fine.h5" else pytest.approx((1, 1)))


def test_several_styles_are_pooled(other, capfd):
    distances = []
    for styles in (["--style=style.png"], ["--style=style.png", "--style=content.png"]):
        assert call(cli.evaluate, "--content=content.png", *styles, "--generated=style.png",
                    f"--weights={other}", "--json") == 0
        distances.append(json.loads(capfd.readouterr().out)[0]["style_distance"])
    # The picture is the first style itself, but not what it shares with another.
    assert distances[0] == pytest.approx(0, abs=1e-3) and distances[1] > 0.1


@pytest.mark.parametrize("arguments, message", [
    (["--quiet"], "--content: expected a picture"),
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
    ([*PICTURES, "--generated=style.png", "--network=no.keras"],
     "--network=no.keras: expected auto, vgg16, vgg19, compact or a saved Keras model, such as"),
    ([*PICTURES, "--generated=style.png", "--style_layers=block9_conv1"],
     "--style_layers: VGG16 has no layer 'block9_conv1'"),
    ([*PICTURES, "--generated=style.png", "--content_layers=block1_conv1,block1_conv2"],
     "--content_layers: VGG16 has no layer 'block1_conv1,block1_conv2'"),
    ([*PICTURES, "--generated=style.png", "--mask=no.png"], "no.png: there is no"),
    ([*PICTURES, "--generated=style.png", "--mask=black.png"],
     "--mask=black.png: it is black: nothing is inside"),
    ([*PICTURES, "--generated=style.png", "--mask=dot.png"], "--mask=dot.png: expected a mask"),
    ([*PICTURES, "--generated=style.png", "--at_content=0.5"],
     "--at_content: expected a folder or pattern of several pictures"),
    ([*PICTURES, "--generated=style.png", "--at_content=2"], "--at_content: expected a number, at"),
    ([*PICTURES, "--generated=style.png", "--generated=content.png", "--copied_map=a.png"],
     "--copied_map: expected one picture as --generated. Received: 2"),
    ([*PICTURES, "--generated=style.png", "--copied_map=style.png"],
     "--copied_map=style.png: this would replace an input"),
    ([*PICTURES, "--generated=style.png", "--copied_map=a.png", "--plot=a.png"],
     "--copied_map=a.png: this is the --plot"),
    ([*PICTURES, "--generated=style.png", "--copied_map=a.xyz"], "a.xyz: expected a name that"),
    ([*PICTURES, "--generated=*.xyz"], "*.xyz: no picture matches"),
    ([*PICTURES, "--generated=style.png", "--samples=3"],
     "--samples: has no effect on pictures. Leave it out"),
    (["stray"], "--style: expected a picture"),
    (["--generate=a.png"], "Did you mean --generated?"),
])
def test_bad_input_is_one_line_and_writes_nothing(arguments, message, refused):
    Image.new("RGB", (1, 1), "white").save("dot.png")
    Image.new("RGB", (64, 48)).save("black.png")
    assert message in refused(cli.evaluate, *arguments)


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), ([*PICTURES, "--generated=no.png"], 2),
    ([*PICTURES, "--generated=style.png", "--weights=no.h5"], 2),
])
def test_without_tensorflow(arguments, code):
    assert without_tensorflow(cli.evaluate, *arguments) == code


def test_the_compact_network_judges(shallow, capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY,
                "--network=compact", "--weights=auto") == 0
    for network, known in (("compact", True), ("vgg16", False)):
        flags = [f"--network={network}", *(["--weights=random"] if network == "vgg16" else [])]
        assert call(cli.evaluate, *PICTURES, "--generated=content.png", "--generated=a.png",
                    "--json", *flags) == 0
        out, error = capfd.readouterr()
        untouched, painted = json.loads(out)
        assert untouched["content_similarity"] == pytest.approx(1)
        assert untouched["style_distance"] == pytest.approx(1)
        assert painted["flattered"] is known and ("flatters" in error) is known
        assert painted["weights"] == ("compact" if known else "random")


def test_auto_judges_by_what_there_is(shallow, no_network, monkeypatch, capfd):
    arguments = [*PICTURES, "--generated=content.png", "--json"]
    assert call(cli.evaluate, *arguments) == 0
    out, error = capfd.readouterr()
    assert json.loads(out)[0]["weights"] == "compact"
    assert error.startswith("tf_style_evaluate: using the network that comes with tf_style (no")
    vgg16 = ARCHITECTURES["vgg16"]
    write_kernels("w.h5", load(vgg16, vgg16.up_to(shallow.layers), "random").kernels)
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "w.h5")
    assert call(cli.evaluate, *arguments) == 0
    out, error = capfd.readouterr()
    assert json.loads(out)[0]["weights"] == "w.h5" and error == ""
    monkeypatch.delenv("TF_STYLE_WEIGHTS")
    assert call(cli.evaluate, *arguments, "--style_layers=block5_conv2", "--quiet") == 2
    assert "the compact network has no layer 'block5_conv2'" in capfd.readouterr().err


def test_help_tells_of_every_flag(capsys):
    assert call(cli.evaluate, "--helpfull") == 0
    assert_tells(capsys.readouterr().out, {
        "content": (None, "content picture or film, or sample:NAME"),
        "style": (None, "give it again to measure against several"),
        "generated": (None, "picture or film to measure, or a folder or pattern; may be given"),
        "mask": (None, "the part that matters most"),
        "network": ("auto", "the judge: auto, vgg16, vgg19, compact, or a saved Keras model file"),
        "style_layers": ("auto", "layers of the judge whose statistics"),
        "content_layers": ("auto", "layer of the judge that is compared"),
        "at_content": ("auto", "content similarity at which curves are compared"),
        "copied_map": (None, "picture that shows where --generated holds pieces of the style"),
        "weights": ("auto", "the judge's weights: auto, imagenet, unsupervised, included, random"),
        "offline": (None, "download nothing"),
        "json": (None, "print a JSON list instead of a table"),
        "plot": (None, "draw the measures against content similarity"),
    })
