"""`tf_style --model`: a network paints."""

import json
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, call, files_in, without_tensorflow
from tf_style import cli
from tf_style.transfer import transform
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.painter import ModelPainter
from tf_style.transfer.pupil import Pupil


@pytest.fixture
def model(folder, monkeypatch):
    """A network of two styles, not trained, in `two.keras`."""
    monkeypatch.setitem(transform.SHAPES, "fine", transform.Shape(8, 1, (6, 4)))
    pupil = Pupil("fine", 2)
    pupil.begin_with(pupil.kernels, {
        name: [pair[0] * [[1], [2]], pair[1] + [[0], [1]]] for name, pair in pupil.norms.items()})
    TransformModel.of(
        pupil, {"styles": [{"name": "first"}, {"name": "second"}]}
    ).save("two.keras")
    return "--model=two.keras"


def pixels(name):
    return np.asarray(Image.open(name).convert("RGB")).astype(int)


def test_the_places_are_content_and_output(model, capfd):
    assert call(cli.main, "content.png", "painted.png", model, "--report=report.json") == 0
    out, error = capfd.readouterr()
    assert out == "painted.png\n" and "painted by a network in" in error
    report = json.loads(Path("report.json").read_text())
    assert report["settings"]["model"] == "two.keras" and report["steps"] == 0
    assert report["style"] == [] and report["content"] == "content.png"
    plain = keras.models.load_model("two.keras")
    size = (512, 384)
    given = Image.open("content.png").resize(size)
    wanted = 255 * plain(np.asarray(given, np.float32)[None] / 255).numpy()[0]
    assert pixels("painted.png").shape == wanted.shape
    assert np.abs(pixels("painted.png") - wanted).mean() < 4


def test_without_an_output_the_result_is_named_by_the_model(model, capfd):
    assert call(cli.main, "content.png", model, "--size=48", "-q") == 0
    assert Path("content_two.png").exists()
    assert call(cli.main, "--content=content.png", model, "--size=48",
                "--output=a/{style}.jpg") == 0
    assert Path("a/two.jpg").exists()


def test_an_existing_second_place_is_not_replaced(model, refused):
    assert ("style.png: with --model the second name is the output, and this file exists already"
            in refused(cli.main, "content.png", "style.png", model))
    assert call(cli.main, "content.png", model, "--output=style.png", "--size=32", "-q") == 0


@pytest.mark.parametrize(("arguments", "message"), [
    (["content.png", "a.png", "b.png"], "'b.png': with --model expected at most CONTENT OUTPUT"),
    (["content.png", "sample:waves"], "sample:waves: with --model the second name is the output"),
    (["content.png", "--style=style.png"], "--style: a --model has its own style"),
    (["content.png", "a.png", "--output=b.png"], "'a.png': --output is given already"),
    (["--content=none"], "--content: expected a picture"),
    (["content.png", "--steps=5"], "--steps: has no effect with --model"),
    (["content.png", "--checkpoint=kept"], "--checkpoint: has no effect with --model"),
    (["content.png", "--animate=a.gif"], "--animate: has no effect with --model"),
    (["content.png", "--time_limit=5s"], "--time_limit: has no effect on a single picture with"),
    (["content.png", "--sheet=a.png"], "--sheet: has no effect with --model"),
    (["content.png", "--protect=style.png"], "--protect: has no effect with --model"),
    (["content.png", "--style_blend=1,2,3"], "--style_blend: expected a share for each"),
    (["missing.png"], "missing.png: there is no such file"),
    (["content.png", "--output=two.keras"], "two.keras"),
])
def test_what_does_not_fit_is_refused(model, refused, arguments, message):
    assert message in refused(cli.main, *arguments, model)


@pytest.mark.parametrize(("name", "message"), [
    ("missing.keras", "There is no such file"), ("content.png", "not a Keras model"),
    ("vgg19", "The network that the losses use is --network=vgg19"),
    ("sample:nothing", "expected one of sample:brushstrokes"), (".", "This is a folder"),
])
def test_what_is_no_model_is_refused_without_tensorflow(refused, name, message):
    assert message in refused(cli.main, "content.png", f"--model={name}")
    assert without_tensorflow(cli.main, "content.png", f"--model={name}") == 2


@pytest.mark.parametrize("name, message", [
    ("foo.keras", "--model=foo.keras: expected a .keras file that tf_style_train wrote, or "
     "sample:NAME. There is no such file"),
    ("vgg19", "There is no such file. The network that the losses use is --network=vgg19"),
])
@pytest.mark.parametrize("arguments", [
    ["content.png", "style.png", "o.png"], ["content.png", "style.png", "--steps=5"],
    ["--content=content.png", "--style=style.png"],
])
def test_a_wrong_model_is_said_before_what_follows_from_it(refused, arguments, name, message):
    assert message in refused(cli.main, *arguments, f"--model={name}")


def test_a_folder_is_painted_and_its_results_are_not(model, photos, capfd):
    for _ in range(2):
        assert call(cli.main, "--content=photos", "--output=photos/", model, "--size=40") == 1
    assert sorted(each for each in files_in(photos) if "two" in each) == [
        "a_two.png", "c_two.png", "d_two.png", "e_two.png"]


def test_a_time_limit_counts_between_pictures(model, photos, monkeypatch, capfd):
    paint = ModelPainter.paint
    monkeypatch.setattr(ModelPainter, "paint", lambda *given, **named: time.sleep(0.3) or paint(
        *given, **named))
    assert call(cli.main, "--content=photos/[ace].png", "--output=out/", model, "--size=40",
                "--time_limit=0.2s") == 0
    assert len(files_in("out")) == 1 and "2 not begun" in capfd.readouterr().err


def test_a_saved_picture_is_made_again(model, capfd):
    assert call(cli.main, "content.png", "a.png", model, "--size=40", "--style_blend=1,3",
                "-q") == 0
    assert call(cli.main, "--settings_from=a.png", model, "--output=b.png", "-q") == 0
    # The flag replaces what was recorded with it.
    assert call(cli.main, "--settings_from=a.png", model, "--output=c.png", "-q",
                "--style_blend=1,3") == 0
    np.testing.assert_array_equal(pixels("a.png"), pixels("c.png"))
    assert (pixels("a.png") != pixels("b.png")).any()


def test_transparency_colour_and_masks_are_kept(model):
    content = Image.open("content.png").convert("RGBA")
    content.putalpha(Image.new("L", content.size, 77))
    content.save("clear.png")
    half = Image.new("L", content.size, 0)
    half.paste(255, (0, 0, 20, content.height))
    half.save("mask.png")
    assert call(cli.main, "clear.png", "a.png", model, "--size=original", "-q",
                "--content_mask=mask.png", "--bits=16", "--preserve_color=luminance") == 0
    made = Image.open("a.png")
    assert made.size == content.size
    assert np.abs(pixels("a.png")[:, 40:] - pixels("content.png")[:, 40:]).max() <= 1


def test_a_model_of_somebody_else_paints_too(folder):
    picture = keras.Input((None, None, 3))
    keras.Model(picture, 1 - picture).save("negative.keras")
    assert call(cli.main, "content.png", "a.png", "--model=negative.keras", "--size=original",
                "-q") == 0
    assert np.abs(pixels("a.png") + pixels("content.png") - 255).max() <= 1


def test_a_file_that_expands_without_end_is_refused(model, refused):
    with zipfile.ZipFile("two.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile("bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, "styles.npz": bytes(10**8)}.items():
            archive.writestr(name, content)
    assert "--model=bomb.keras" in refused(cli.main, "content.png", "--model=bomb.keras")


START = ["content.png", "style.png", "--init=two.keras", *TINY, "--learning_rate=0.000001"]


def test_a_run_starts_from_what_a_network_paints(model, capfd):
    assert call(cli.main, *START, "a.png", "--report=a.json", "-q") == 0
    assert call(cli.main, "content.png", "b.png", model, "--size=32", "-q") == 0
    off = np.abs(pixels("a.png") - pixels("b.png")).mean()
    # Through the smaller size it loses details.
    assert off < 0.5 * np.abs(pixels("a.png") - pixels("content.png").mean((0, 1))).mean()
    report = json.loads(Path("a.json").read_text())
    assert report["settings"]["init"] == "two.keras" and "two.keras" in report["digests"]
    assert call(cli.main, "--settings_from=a.png", "--init=two.keras", "-o", "c.png", "-q") == 0
    np.testing.assert_array_equal(pixels("a.png"), pixels("c.png"))
    capfd.readouterr()
    assert call(cli.main, "--settings_from=a.png", "-o", "d.png") == 0
    assert "only if you give them yourself: --init=two.keras" in capfd.readouterr().err
    assert (pixels("a.png") != pixels("d.png")).any()


def test_a_stopped_run_goes_on_from_the_same_start(model, refused):
    kept = ["--checkpoint=kept", "--resume", "-q"]
    assert call(cli.main, *START, "a.png", *kept[:1], "-q") == 0
    assert call(cli.main, *START, "b.png", *kept) == 0
    np.testing.assert_array_equal(pixels("a.png"), pixels("b.png"))
    TransformModel.read("two.keras").blended([0, 1]).save("two.keras")
    assert "the start differs" in refused(cli.main, *START, "c.png", *kept)


@pytest.mark.parametrize(("init", "message"), [
    ("missing.keras", "--init=missing.keras: expected a .keras file"),
    ("sample:nothing", "there is no such sample"),
])
def test_a_start_that_is_no_network_is_refused(refused, init, message):
    arguments = ["content.png", "style.png", "a.png", f"--init={init}"]
    assert message in refused(cli.main, *arguments)
    assert without_tensorflow(cli.main, *arguments) == 2
