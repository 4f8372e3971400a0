"""The command `tf_style_learn`."""

import os
import re
import signal

import pytest
from PIL import Image

from tests.commands.conftest import TINY, assert_tells, call, files_in, without_tensorflow
from tf_style import cli
from tf_style.network import unsupervised
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.weights import load


@pytest.fixture
def learned(monkeypatch):
    """What features were learned from, in order; kernels are drawn, for learning takes minutes."""
    calls = []

    def stand_in(architecture, layers, pictures, *, seed, watch):
        watch("learning features, layer 1 of 2")
        calls.append({"network": architecture.name, "layers": list(layers), "seed": seed,
                      "sides": [max(picture.shape[:2]) for picture in pictures]})
        return load(architecture, architecture.up_to(["block1_conv2"]), "random").kernels

    monkeypatch.setattr(unsupervised, "learn", stand_in)
    return calls


def test_what_is_learned_is_what_weights_reads(learned, capfd):
    assert call(cli.learn, "--pictures=.", "--output=my.weights.h5") == 0
    out, error = capfd.readouterr()
    assert out == "my.weights.h5\n"
    assert re.fullmatch(r"tf_style_learn: 2 layers learned from 2 pictures in \d:\d\d\n", error)
    assert learned == [{"network": "vgg16", "layers": list(ARCHITECTURES["vgg16"].layers),
                        "seed": 0, "sides": [64, 56]}]
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY,
                "--weights=my.weights.h5") == 0


def test_pictures_may_be_given_several_times(learned, capfd):
    assert call(cli.learn, "--pictures=s*.png", "--pictures=content.png", "--output=two.h5",
                "--quiet", "--network=vgg19", "--seed=3") == 0
    assert capfd.readouterr() == ("", "")
    call_, = learned
    assert (call_["network"], call_["seed"], call_["sides"]) == ("vgg19", 3, [56, 64])


def test_of_many_pictures_some_are_drawn(learned, folder, capfd):
    (folder / "many").mkdir()
    for width in range(100, 130):
        Image.new("RGB", (width, 50)).save(f"many/{width}.png")
    for seed in (0, 0, 1):
        assert call(cli.learn, "--pictures=many", "--output=a.h5", f"--seed={seed}") == 0
    first, again, other = (set(each["sides"]) for each in learned)
    assert len(first) == 24 and first == again != other
    assert capfd.readouterr().err.splitlines()[0] == (
        "tf_style_learn: learning from 24 of 30 pictures, drawn by --seed=0"
    )


def test_what_cannot_be_read_is_left_out_and_said(learned, folder, capfd):
    (folder / "broken.png").write_bytes(b"no picture")
    assert call(cli.learn, "content.png", "broken.png", "-o", "a.h5") == 0
    said = capfd.readouterr().err
    assert said.startswith("tf_style_learn: left out: broken.png: ") and "1 picture" in said
    assert learned[0]["sides"] == [64]


def test_pictures_are_no_larger_than_needed(learned):
    Image.new("RGB", (3000, 1500)).save("large.png")
    assert call(cli.learn, "--pictures=large.png", "--output=a.h5") == 0
    assert learned[0]["sides"] == [1024]


def test_a_full_disk_is_no_bad_input(learned, folder, full_disk, capfd):
    full_disk()
    before = files_in(folder)
    assert call(cli.learn, "--pictures=.", "--output=a.h5") == 1
    assert capfd.readouterr() == (
        "", "tf_style_learn: a.h5: cannot be written (No space left on device)\n")
    assert files_in(folder) == before


def test_what_is_being_written_is_written(learned, folder, monkeypatch, capfd):
    replace = os.replace

    def interrupted(*names):
        signal.raise_signal(signal.SIGINT)
        replace(*names)

    monkeypatch.setattr(os, "replace", interrupted)
    assert call(cli.learn, "--pictures=.", "--output=a.h5") == 0
    assert (folder / "a.h5").exists() and capfd.readouterr().out == "a.h5\n"


@pytest.mark.slow
def test_features_are_learned(folder, monkeypatch):
    real = unsupervised.learn

    def shallow(architecture, layers, pictures, **options):
        return real(architecture, architecture.up_to(["block2_conv1"]), pictures, **options)

    # All thirteen layers take minutes.
    monkeypatch.setattr(unsupervised, "learn", shallow)
    assert call(cli.learn, "--pictures=.", "--output=my.weights.h5") == 0
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY,
                "--weights=my.weights.h5") == 0


@pytest.mark.parametrize("arguments, message", [
    (["--quiet"], "--pictures: expected a value"),
    (["--pictures=."], "--output: expected a value"),
    (["--pictures=style.h5", "--output=a.h5", "--max_pixels=9"], "none can be read. The first: "),
    (["content.png", "no.png", "-o", "a.h5"], "--pictures=no.png: there is no such file"),
    (["--pictures=none/*.jpg", "--output=a.h5"], "none/*.jpg: no picture matches"),
    (["--pictures=no.png", "--output=a.h5"], "no.png: there is no such file"),
    (["--pictures=.", "--output=a.txt"], "--output=a.txt: expected a name that ends in .h5"),
    (["--pictures=.", "--output=content.png/a.h5"], "the folder content.png cannot be made"),
    (["--pictures=style.h5", "--output=style.h5"], "--output=style.h5: this would replace an"),
    (["--pictures=.", "--output=a.h5", "--network=resnet"], "--network: expected one of vgg16"),
    (["--pictures=.", "--output=a.h5", "--seed=-1"], "--seed: expected a whole number"),
    (["content.png"], "--output: expected a value"),
    (["--pictures=.", "a.png"], "'a.png': expected --flag=value"),
])
def test_bad_input_is_one_line_and_writes_nothing(arguments, message, refused):
    Image.open("style.png").save("style.h5", format="PNG")
    assert message in refused(cli.learn, *arguments)


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), (["--pictures=no.png", "--output=a.h5"], 2),
])
def test_without_tensorflow(arguments, code):
    assert without_tensorflow(cli.learn, *arguments) == code


def test_help_tells_of_every_flag(capsys):
    assert call(cli.learn, "--helpfull") == 0
    assert_tells(capsys.readouterr().out, {
        "pictures": (None, "picture, folder of pictures, pattern such as 'paintings/*.jpg'"),
        "output": (None, "the weights: an .h5 file that --weights=FILE reads"),
        "network": ("vgg16", "whose layers are learned"),
        "seed": ("0", "seed of everything drawn at random"),
    })
