"""Running again what made a picture: --settings_from."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tf_style import cli
from tf_style.commands.repeat import Record
from tf_style.image.files import read_note, read_picture, write_picture
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import load
from tf_style.run.inputs import Inputs
from tf_style.settings import Settings

TINY = [
    "--size=32", "--scales=2", "--steps=3,2", "--weights=random", "--tolerance=0",
    "--content_layers=block1_conv2", "--style_layers=block1_conv1", "--quiet",
]


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """Commands run in a folder with pictures and masks of two styles."""
    monkeypatch.chdir(pictures)
    Image.open("style.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("other.png")
    for name, left in (("left", 255), ("right", 0)):
        mask = np.full((48, 64), 255 - left, np.uint8)
        mask[:, :32] = left
        Image.fromarray(mask).save(f"{name}.png")
    return pictures


def run(*arguments):
    """The exit code of tf_style."""
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(each) for each in arguments])
    return stopped.value.code


def note(name):
    return json.loads(read_note(name))


SEVERAL = ["--style=style.png", "--style=other.png", "--style_blend=1,3", "--content_mask=left.png",
           "--content_mask=right.png", "--size=original"]
START = ["--style=style.png", "--init=other.png", "--init_noise=0.5", "--seed=7", "--strength=0.7",
         "--style_size=24"]
DEEP = ["--style=style.png", "--preserve_color=histogram", "--style_mask=other.png", "--bits=16"]
TEXTURE = ["--content=none", "--style=style.png", "--size=40x24"]


@pytest.mark.parametrize("flags", [
    SEVERAL, *[pytest.param(flags, marks=pytest.mark.slow) for flags in (START, DEEP, TEXTURE)]
])
def test_the_same_pixels_from_the_picture_and_from_the_report(flags, folder):
    if any("bits" in flag for flag in flags):
        pytest.importorskip("imagecodecs")
    assert run("--content=content.png", *TINY, *flags, "--output=a.png", "--report=a.json") == 0
    for source, again in (("a.png", "b.png"), ("a.json", "c.png")):
        assert run(f"--settings_from={source}", f"--output={again}", "--quiet") == 0
        assert (read_picture(again) == read_picture("a.png")).all()
        assert note(again) == note("a.png")
    report = json.loads((folder / "a.json").read_text())
    assert {name: report[name] for name in note("a.png")} == note("a.png")


def test_flags_given_beside_it_win(folder):
    assert run("content.png", "style.png", "a.png", *TINY) == 0
    assert run("other.png", "left.png", "b.png", "--settings_from=a.png", "--seed=3", "--quiet",
               "--steps=4", "--size=40") == 0
    found = note("b.png")
    assert (found["content"], found["style"]) == ("other.png", ["left.png"])
    assert found["settings"] == {
        **note("a.png")["settings"], "seed": 3, "steps": [4], "size": 40
    }


@pytest.mark.parametrize("made, given, expected", [
    ({"strength": "auto", "style_weight": 2.5}, {"strength": "0.9"},
     {"strength": 0.9, "style_weight": "auto"}),
    ({"style_size": 24}, {"style_scale": "0.5"}, {"style_size": "auto", "style_scale": 0.5}),
    ({"style_blend": [1, 3]}, {"style": ["other.png"]}, {"style_blend": "auto"}),
    ({"scales": 2, "steps": [3, 2]}, {"scales": "1"}, {"scales": 1, "steps": "auto"}),
    ({"scales": 2, "steps": [5]}, {"scales": "1"}, {"scales": 1, "steps": (5,)}),
    ({"block_size": 64}, {"size": "1024"}, {"block_size": "auto", "size": 1024}),
    ({"device": "gpu:0", "precision": "float16"}, {"device": "cpu"}, {"precision": "auto"}),
    ({"weights": "w.h5"}, {"network": "vgg19"}, {"weights": "auto", "network": "vgg19"}),
    ({"content_network": "vgg19", "content_network_weights": "imagenet",
      "style_network_weights": "w.h5"}, {"weights": "random"},
     {"content_network_weights": "imagenet", "style_network_weights": "auto"}),
    ({"content_network": "vgg16", "style_network": "vgg19", "style_network_weights": "imagenet",
      "content_network_weights": "w.h5"}, {"network": "vgg19"},
     {"content_network": "auto", "content_network_weights": "auto", "style_network": "vgg19",
      "style_network_weights": "imagenet"}),
    ({"steps": [60, 60, 40, 30]}, {"size": "64"}, {"steps": "auto"}),
    ({"steps": [60, 60, 100, 50]}, {"content": "other.png"}, {"steps": "auto"}),
    ({"steps": [60, 60, 40, 21]}, {"size": "64"}, {"steps": (60, 60, 40, 21)}),
    ({"scales": 3, "steps": [60, 40, 30], "size": 512}, {"size": "1024"},
     {"scales": "auto", "steps": "auto"}),
    ({"scales": 3, "steps": [9], "size": 512}, {"size": "1024"},
     {"scales": "auto", "steps": (9,)}),
    ({"scales": 3, "steps": [9, 8, 7], "size": 512}, {"size": "1024"},
     {"scales": 3, "steps": (9, 8, 7)}),
    ({"scales": 3, "steps": [60, 40, 30], "size": 512}, {"steps": "9,8"},
     {"scales": "auto", "steps": (9, 8)}),
    ({"scales": 2, "steps": [100, 50], "size": 512}, {"size": "1024"}, {"scales": 2}),
    ({"init": "content"}, {"content": "none"}, {"init": "auto"}),
    ({"init": "noise"}, {"content": "other.png"}, {"init": "noise"}),
])
def test_what_belongs_to_a_replaced_value_goes_with_it(made, given, expected, folder):
    (folder / "x.json").write_text(json.dumps({"settings": made}))
    values = Record.read("x.json").beneath(given, [])
    names = {option.name for option in Settings.options()}
    settings = Settings(**{name: value for name, value in values.items() if name in names})
    assert {name: getattr(settings, name) for name in expected} == expected


def test_whether_to_fetch_is_not_repeated(folder):
    assert run("content.png", "style.png", "a.png", *TINY, "--offline") == 0
    assert note("a.png")["settings"]["offline"]
    assert run("--settings_from=a.png", "--output=b.png", "--quiet") == 0
    assert not note("b.png")["settings"]["offline"]


def test_without_output_a_new_name_and_inputs_are_kept(folder, capfd):
    assert run("content.png", "style.png", "a.png", *TINY) == 0
    before = files_in(folder)
    assert run("--settings_from=a.png", "--output=a.png") == 2
    assert "--output=a.png: this would replace an input" in capfd.readouterr().err
    assert run("--settings_from=a.png") == 0
    assert capfd.readouterr().out == "content_style.png\n"
    after = files_in(folder)
    assert all(after[name] == before[name] for name in before)


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_has_changed_is_said(folder, capfd):
    vgg16 = ARCHITECTURES["vgg16"]
    layers = vgg16.up_to(["block1_conv2"])
    write_kernels("w.h5", load(vgg16, layers, "random", seed=1).kernels)
    assert run("content.png", "style.png", "a.png", *TINY, "--weights=w.h5",
               "--report=a.json") == 0
    assert capfd.readouterr().err == ""
    shutil.copy("other.png", "style.png")
    write_kernels("w.h5", load(vgg16, layers, "random", seed=2).kernels)
    report = json.loads((folder / "a.json").read_text())
    report["versions"]["numpy"] = "0.9"
    (folder / "a.json").write_text(json.dumps(report))
    assert run("--settings_from=a.json", "--output=b.png", "--quiet") == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "tf_style: style.png has changed since a.json was made from it"
    assert lines[1].startswith("tf_style: a.json was made with numpy 0.9 (here ")
    assert lines[2] == ("tf_style: the weights of block1_conv1, block1_conv2 have changed since "
                        "a.json was made with them")
    assert len(lines) == 3
    # Other pictures and weights, named by flags, are not those of then that have changed.
    assert run("content.png", "other.png", "c.png", "--settings_from=a.png", "--weights=random",
               "--quiet") == 0
    assert capfd.readouterr().err == ""


def test_a_copy_elsewhere_asks_for_the_pictures(folder, monkeypatch, capfd):
    assert run("content.png", "style.png", "a.png", *TINY) == 0
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert run("--settings_from=../a.png") == 2
    assert capfd.readouterr().err == (
        "tf_style: --settings_from=../a.png: content.png: there is no such file here. Give "
        "--content=FILE, or run it in the folder where it was made\n"
    )
    assert run("--settings_from=../a.png", "--content=../content.png", "--style=../style.png",
               "--quiet", "--output=b.png") == 0
    assert (read_picture("b.png") == read_picture("../a.png")).all()


def test_arrays_are_known_by_their_digests(content, style, capfd):
    settings = dict(flag[2:].split("=") for flag in TINY if "=" in flag)
    tf_style.stylize(content, "style.png", **settings).save("a.png")
    found = note("a.png")
    assert found["content"] == "array:" + found["digests"][found["content"]]
    assert run("--settings_from=a.png") == 2
    assert "the content was an array, no file. Give --content=FILE" in capfd.readouterr().err


def test_digests_are_of_file_bytes_and_of_pixels(folder, content):
    before = Inputs.of("content.png", ["sample:waves", folder / "style.png"]).digests
    assert list(before) == ["content.png", "sample:waves", str(folder / "style.png")]
    with open("content.png", "ab") as file:
        file.write(b"\0")
    after = Inputs.of("content.png", ["sample:waves", folder / "style.png"]).digests
    assert {name for name in before if before[name] != after[name]} == {"content.png"}
    assert Inputs.of(content, [content + 0]).digests == Inputs.of(content * 1, [content]).digests


def saved_with(**settings):
    def save():
        write_picture("x.png", np.zeros((8, 8, 3)), json.dumps(
            {"settings": settings, "versions": {"tf_style": "9.9"}}
        ))
    return save


def text(content):
    def save():
        with open("x.png", "w") as file:
            file.write(content)
    return save


@pytest.mark.parametrize("make, message", [
    (lambda: None, "--settings_from=x.png: there is no such file"),
    (lambda: Image.new("RGB", (8, 8)).save("x.png"), "x.png: it holds no settings"),
    (lambda: Image.new("RGB", (8, 8)).save("x.png", format="JPEG"), "this is no complete JSON"),
    (text(""), "it holds no settings"),
    (text('{"settings": {"size": 3'), "this is no complete JSON"),
    (text("[" * 100_000), "this is no complete JSON"),
    (text("[1, 2]"), "it holds no settings"),
    (text('{"settings": {}, "style": "style.png"}'), "expected file names in 'style'"),
    (text('{"settings": {}, "content": 3}'), "expected file names in 'content'"),
    (text('{"settings": {}}'), "--content: expected a picture"),
    (saved_with(hue=3, glow=1), "made by tf_style 9.9, whose settings glow, hue are not known"),
    (saved_with(size=-1), "its settings cannot be used (--size: expected"),
    (saved_with(style_layers=3), "its settings cannot be used"),
    (saved_with(steps={}), "its settings cannot be used"),
])
def test_what_cannot_be_run_again_is_one_line(make, message, folder, capfd):
    make()
    before = files_in(folder)
    assert run("--settings_from=x.png") == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("tf_style: ")
    assert files_in(folder) == before


def test_a_device_that_is_not_here_is_named(folder, capfd):
    assert run("content.png", "style.png", "a.png", *TINY, "--report=a.json") == 0
    report = json.loads((folder / "a.json").read_text())
    report["settings"]["device"] = "gpu:7"
    (folder / "a.json").write_text(json.dumps(report))
    assert run("--settings_from=a.json", "--output=b.png") == 2
    assert "--device=gpu:7: TensorFlow sees" in capfd.readouterr().err
    assert run("--settings_from=a.json", "--output=b.png", "--device=cpu", "--quiet") == 0


# What a saved picture holds


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
def test_nothing_private_is_copied(name, folder):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "SecretPlace"
    photo = Image.open("content.png")
    photo.save("photo.jpg", exif=exif, comment=b"SecretWords")
    assert b"SecretPlace" in (folder / "photo.jpg").read_bytes()
    assert run("photo.jpg", "style.png", name, *TINY, "--animate=f.webp") == 0
    for made in (name, "f.webp"):
        assert b"Secret" not in (folder / made).read_bytes()
        with Image.open(made) as image:
            assert not image.getexif().get_ifd(0x8825)
            assert "SecretCamera" not in str(dict(image.getexif()))


def test_embedded_settings_can_be_left_out(folder):
    assert run("content.png", "style.png", "a.png", *TINY, "--noembed_settings") == 0
    assert read_note("a.png") is None
    assert b"content.png" not in (folder / "a.png").read_bytes()


def test_damage_is_seen_before_tensorflow_is_imported(folder):
    (folder / "x.json").write_text("{")
    code = ("import sys\nfrom tf_style.cli import main\ntry:\n    main(sys.argv[1:])\n"
            "except SystemExit as stopped:\n    print('tensorflow' in sys.modules, stopped.code)")
    done = subprocess.run(
        [sys.executable, "-c", code, "--settings_from=x.json"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    assert done.stdout == "False 2\n"
