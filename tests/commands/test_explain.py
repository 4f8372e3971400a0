"""The command `tf_style_explain`."""

import os
import re
import signal

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.commands.conftest import assert_tells, call, without_tensorflow
from tf_style import cli
from tf_style.measure import inspection
from tf_style.show import figures, plotting

EXPLAIN = ["--content=content.png", "--style=style.png", "--weights=random", "--size=32",
           "--steps=1", "--layers=block1_conv1"]
SHALLOW = ["--content_layers=block1_conv2", "--style_layers=block1_conv1"]
FIGURES = ["maps.png", "matrices.png", "reconstructions.png", "shares.png"]


@pytest.mark.slow
def test_every_figure_is_drawn(folder, capfd):
    assert call(cli.explain, *EXPLAIN, *SHALLOW, "--output=why") == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines() == [os.path.join("why", name) for name in FIGURES]
    assert re.fullmatch(r"tf_style_explain: 4 figures in \d+:\d\d\n", captured.err)
    assert sorted(path.name for path in (folder / "why").iterdir()) == FIGURES
    assert all(Image.open(path).size[0] > 300 for path in (folder / "why").iterdir())
    # Figures of before are replaced; a generated picture is taken as it is.
    (folder / "why" / "maps.png").write_bytes(b"older")
    assert call(cli.explain, *EXPLAIN, *SHALLOW, "--output=why", "--generated=style.png",
                "--quiet") == 0
    assert capfd.readouterr() == ("", "")
    assert Image.open(folder / "why" / "maps.png").size[0] > 300


@pytest.fixture
def drawn(monkeypatch):
    """A figure that costs nothing, in place of all."""
    monkeypatch.setattr(inspection, "inspect", lambda *_, **__: None)
    monkeypatch.setattr(figures, "plot_inspection", lambda _: dict.fromkeys(FIGURES, Figure()))


def test_a_full_disk_is_no_bad_input(drawn, full_disk, folder, capfd):
    full_disk()
    assert call(cli.explain, *EXPLAIN, *SHALLOW, "--output=why") == 1
    name = os.path.join("why", FIGURES[0])
    assert capfd.readouterr() == (
        "", f"tf_style_explain: {name}: cannot be written (No space left on device)\n")


def test_asked_to_stop_the_figure_at_hand_is_the_last(drawn, folder, capfd, monkeypatch):
    replace = os.replace

    def interrupted(*names):
        signal.raise_signal(signal.SIGTERM)
        replace(*names)

    monkeypatch.setattr(os, "replace", interrupted)
    assert call(cli.explain, *EXPLAIN, *SHALLOW, "--output=why") == 130
    assert [path.name for path in (folder / "why").iterdir()] == FIGURES[:1]
    assert capfd.readouterr() == (os.path.join("why", FIGURES[0]) + "\n", "")


@pytest.mark.slow
def test_pictures_are_looked_at_in_the_contents_own_size(folder, monkeypatch):
    Image.open("content.png").resize((24, 16)).save("small.png")
    seen = looked_at(monkeypatch)
    assert call(cli.explain, "--content=small.png", *EXPLAIN[1:], *SHALLOW,
                "--size=original", "--output=why", "--quiet") == 0
    assert sorted(path.name for path in (folder / "why").iterdir()) == FIGURES
    assert seen[0].content.shape == seen[0].generated.shape == (16, 24, 3)


def looked_at(monkeypatch):
    """What `inspect` gives, kept for a test to look at."""
    seen, inspect = [], inspection.inspect

    def kept(*arguments, **given):
        seen.append(inspect(*arguments, **given))
        return seen[-1]

    monkeypatch.setattr(inspection, "inspect", kept)
    return seen


@pytest.fixture
def asked(monkeypatch):
    """What is to be looked at; nothing is, and nothing is drawn."""
    calls = []

    def stand_in(content, styles, settings, **given):
        calls.append({"content": content, "styles": styles, "settings": settings, **given})

    monkeypatch.setattr(inspection, "inspect", stand_in)
    monkeypatch.setattr(figures, "plot_inspection", lambda _: dict.fromkeys(figures.NAMES))
    monkeypatch.setattr(plotting, "write_figure", lambda *_: None)
    return calls


def test_the_flags_are_those_of_a_run(asked):
    assert call(
        cli.explain, *EXPLAIN, "--output=why", "--style_weight=3", "--network=vgg19", "--seed=7",
        "--content_network=vgg16", "--style_loss=gram", "--init=noise", "--tv_weight=0.5",
    ) == 0
    settings = asked[0]["settings"]
    assert (settings.style_weight, settings.network, settings.seed) == (3, "vgg19", 7)
    assert (settings.content_network, settings.init, settings.tv_weight) == ("vgg16", "noise", 0.5)
    assert dict(settings.style_loss) == {"gram": 1} and settings.steps == (1,)
    assert str(settings.size) == "32" and asked[0]["layers"] == ["block1_conv1"]


def test_pictures_are_looked_at_in_256_pixels_and_in_the_layers_of_a_run(asked):
    assert call(cli.explain, *EXPLAIN[:3], "--output=why") == 0
    # A smaller content is not enlarged.
    assert str(asked[0]["settings"].size) == "64" and asked[0]["layers"] == []
    Image.open("content.png").resize((400, 300)).save("content.png")
    assert call(cli.explain, *EXPLAIN[:3], "--output=why") == 0
    assert str(asked[1]["settings"].size) == "256"
    assert asked[0]["generated"] is None and asked[0]["content_masks"] == ()


def test_what_is_enlarged_is_said(asked, capfd):
    Image.open("content.png").resize((32, 24)).save("made.png")
    assert call(cli.explain, "content.png", "style.png", "made.png", "-o", "why", "--size=80",
                *EXPLAIN[2:3]) == 0
    assert [line for line in capfd.readouterr().err.splitlines() if "enlarged" in line] == [
        "tf_style_explain: the content: enlarged from 64x48 to a long side of 80 pixels",
        "tf_style_explain: made.png: enlarged from 32x24 to a long side of 80 pixels",
        "tf_style_explain: style.png: enlarged from 56x40 to a long side of 80 pixels",
    ]
    assert call(cli.explain, "content.png", "style.png", "-o", "why", "--size=56",
                *EXPLAIN[2:3]) == 0
    assert "enlarged" not in capfd.readouterr().err


def test_several_styles_have_masks(asked):
    masks = [f"--{flag}_mask={name}.png" for flag in ("content", "style")
             for name in ("content", "style")]
    for name in ("content", "style"):
        Image.open(f"{name}.png").resize((64, 48)).save(f"{name}.png")
    assert call(cli.explain, *EXPLAIN, *masks, "--style=content.png", "--generated=style.png",
                "--protect=style.png", "--output=why") == 0
    call_, = asked
    assert [style.shape for style in call_["styles"]] == [(48, 64, 3)] * 2
    np.testing.assert_array_equal(call_["styles"][1], call_["content"])
    assert call_["content_masks"] == call_["style_masks"] == ("content.png", "style.png")
    assert call_["protect"] == "style.png"
    np.testing.assert_array_equal(call_["generated"], call_["styles"][0])


@pytest.mark.parametrize("arguments, message", [
    (["--quiet"], "--content: expected a value, such as --content=FILE"),
    (["--content=content.png"], "--style: expected a value, such as --style=FILE"),
    (EXPLAIN, "--output: expected a value, such as --output=FOLDER"),
    ([*EXPLAIN, "--output=content.png"], "--output=content.png: expected a folder, this is a file"),
    ([*EXPLAIN, "--output=content.png/why"], "the folder content.png/why cannot be made"),
    ([*EXPLAIN, "--output=taken", "--style=taken/shares.png"],
     "shares.png: this would replace an input"),
    ([*EXPLAIN, "--output=taken", "--generated=taken/maps.png"],
     "maps.png: this would replace an input"),
    ([*EXPLAIN, "--output=taken", "--init=taken/maps.png"],
     "maps.png: this would replace an input"),
    ([*EXPLAIN, "--output=taken", "--content_mask=taken/maps.png"],
     "maps.png: this would replace an input"),
    ([*EXPLAIN, "--output=taken", "--protect=taken/maps.png"],
     "maps.png: this would replace an input"),
    ([*EXPLAIN, "--output=why", "--generated=no.png"], "no.png: there is no such file"),
    ([*EXPLAIN, "--output=why", "--generated=dot.png"], "Least side: 4 pixels"),
    ([*EXPLAIN, "--output=why", "--layers=block1_conv1,block3_con"],
     "--layers: VGG16 has no layer 'block3_con'. Did you mean 'block3_conv"),
    ([*EXPLAIN, "--output=why", "--size=0"], "--size: expected a whole number, at least 8"),
    ([*EXPLAIN, "--output=why", "--size=40x24"], "the content gives the proportions"),
    ([*EXPLAIN, "--output=why", "--weights=no.h5"], "--weights=no.h5: there is no such file"),
    ([*EXPLAIN, "--output=why", "--style_blend=1,2"], "--style_blend: expected a share for each"),
    ([*EXPLAIN, "--output=why", "--tv_weight=-1"], "--tv_weight: expected a number, at least 0"),
    ([*EXPLAIN, "--output=why", "stray"], "stray: there is no such file"),
    ([*EXPLAIN, "--output=why", "content.png", "stray"], "'stray': expected --flag=value"),
    ([*EXPLAIN, "--outputs=why"], "Did you mean --output?"),
])
def test_bad_input_is_one_line_and_writes_nothing(arguments, message, folder, refused):
    (folder / "taken").mkdir()
    for name, source in (("maps", "content"), ("shares", "style")):
        Image.open(f"{source}.png").convert("L").save(f"taken/{name}.png")
    Image.new("RGB", (100, 1)).save("dot.png")
    assert message in refused(cli.explain, *arguments)


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), ([*EXPLAIN, "--output=why", "--generated=dot.png"], 2),
    ([*EXPLAIN, "--output=content.png/why"], 2),
])
def test_without_tensorflow(arguments, code):
    Image.new("RGB", (100, 1)).save("dot.png")
    assert without_tensorflow(cli.explain, *arguments) == code


def test_help_tells_of_every_flag(capsys):
    assert call(cli.explain, "--helpfull") == 0
    assert_tells(capsys.readouterr().out, {
        "content": (None, "content picture, or sample:NAME"),
        "style": (None, "style picture, sample:NAME or library:NAME; give it again to blend"),
        "content_mask": (None, "where in the content it goes"),
        "style_mask": (None, "which parts of it count"),
        "protect": (None, "part of the content to keep more faithfully"),
        "generated": (None, "the picture made of both; default: one is made"),
        "output": (None, "folder for the figures, made if it is missing"),
        "layers": ("auto", "layers to show; auto: those of a run"),
        "size": ("256", "long side, in pixels, at which the pictures are examined"),
        # It explains a run, and takes the flags of one.
        "network": ("auto", "auto, vgg16, vgg19, compact, or a saved Keras model file"),
        "weights": ("auto", "imagenet, unsupervised"),
        "content_layers": ("auto", "layers whose feature maps keep the content"),
        "style_layers": ("auto", "layers whose statistics carry the style"),
        "content_weight": ("1.0", "weight of the content loss"),
        "style_weight": ("auto", "weight of the style loss"),
        "tv_weight": ("0.6", "weight of the total variation"),
        "style_loss": ("moments", "what is compared between styles"),
        "style_blend": ("auto", "shares of several styles"),
        "scales": ("auto", "how many sizes"),
        "steps": ("auto", "most steps at each size"),
        "tolerance": ("0.0002", "go on to the next size when ten steps"),
        "optimizer": ("adam", "what moves the image"),
        "learning_rate": ("0.05", "length of the first steps"),
        "init": ("auto", "where the image starts"),
        "seed": ("0", "seed of everything drawn at random"),
        "precision": ("auto", "type in which the network computes"),
        "device": ("auto", "auto, cpu, gpu, or gpu:N"),
        "offline": (None, "download nothing"),
    })
