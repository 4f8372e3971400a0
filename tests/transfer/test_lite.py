"""Networks that paint, by LiteRT."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import process, without_tensorflow
from tests.transfer.conftest import lively
from tf_style import cli
from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.samples import STYLE_SAMPLES
from tf_style.run.scene import Scene
from tf_style.settings import InputError, Settings
from tf_style.transfer import lite
from tf_style.transfer.brush import transform_model
from tf_style.transfer.lite import LiteBrush, serves
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.painter import ModelPainter
from tf_style.transfer.samples import check_model
from tf_style.transfer.transform import SHAPES, transform_network

pytest.importorskip("ai_edge_litert")


@pytest.fixture(autouse=True)
def small():
    """Networks as they are."""


@pytest.fixture
def harbor():
    return fit(read_picture("sample:harbor"), 120)


def brush(model, **settings):
    return LiteBrush(Settings(model=str(model), **settings))


def off(first, second):
    return 255 * np.abs(first - np.asarray(second)).max()


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_it_paints_what_keras_paints(harbor, name):
    painted = brush(f"sample:{name}").paint(harbor)
    assert off(painted, transform_model(f"sample:{name}")(harbor[None])[0]) < 0.1


def test_styles_are_blended_and_sizes_change(harbor):
    shares = (1, 0, 0.5, 2)
    used = brush("sample:all", style_blend=shares)
    model = transform_model("sample:all", style_blend=shares)
    for picture in (harbor, harbor[:1, :1], harbor[:37, :50], harbor):
        assert off(used.paint(picture), model(picture[None])[0]) < 0.1
    for model, shares in (("sample:all", "1,2"), ("sample:ink", "1,2")):
        with pytest.raises(InputError, match="style_blend: expected a share for each"):
            brush(model, style_blend=shares)


def test_the_result_says_by_what_it_was_made(harbor):
    settings = Settings(model="sample:ink", size=60)
    result = ModelPainter(settings, LiteBrush(settings)).paint(Scene.of(settings, harbor, []))
    assert "tensorflow" not in result.versions and result.versions["ai-edge-litert"]
    assert (result.settings.device, result.settings.precision) == ("cpu", "float32")
    assert result.image.shape == (45, 60, 3) and len(result.weights["model"]) == 16


def test_large_pictures_are_left_to_tensorflow(harbor, monkeypatch):
    whole = brush("sample:ink").paint(harbor)
    monkeypatch.setattr(lite, "WHOLE", 100)
    monkeypatch.setattr(LiteBrush, "_ready", lambda *_: None)
    assert off(brush("sample:ink").paint(harbor), whole) < 0.1


def test_when_it_paints(monkeypatch):
    def chosen(pictures=1, model="sample:waves", **settings):
        return serves(Settings(model=model, **settings), pictures)

    assert chosen() and chosen(20) and chosen(device="cpu", precision="float32")
    assert chosen(500, "a.tflite")
    assert not (chosen(21) or chosen(device="gpu:0") or chosen(precision="bfloat16")
                or chosen(model="a.keras"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not chosen()


def test_a_command_needs_no_tensorflow(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    arguments = ["content.png", "--model=sample:waves", "--size=64", "--report=a.json"]
    assert without_tensorflow(cli.main, *arguments, "--output=a.png") == 0
    done = process(cli.main, *arguments, "--output=b.png")
    # LiteRT tells of itself on its own.
    assert "INFO" not in done.stderr and "painted by a network" in done.stderr
    first, second = (np.asarray(Image.open(name)) for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_an_exported_network_paints(tmp_path, harbor):
    made = TransformModel(lively(transform_network(SHAPES["fast"])))
    made.export(tmp_path / "a.tflite")
    assert check_model("model", tmp_path / "a.tflite") == tmp_path / "a.tflite"
    painted = brush(tmp_path / "a.tflite").paint(harbor)
    assert off(painted, made.model(harbor[None])[0]) < 2
    with pytest.raises(InputError, match=r"Expected the \.keras file"):
        transform_model(tmp_path / "a.tflite")
    with pytest.raises(InputError, match="which has none of its own"):
        brush(tmp_path / "a.tflite", style_blend="1,2")


@pytest.mark.parametrize("content", [b"1234TFL3", b"1234TFL3" + bytes(5000)])
def test_what_is_no_network_is_refused(tmp_path, content):
    (tmp_path / "a.tflite").write_bytes(content)
    with pytest.raises(InputError, match=r"expected a .tflite file that tf_style_train"):
        brush(tmp_path / "a.tflite")


def test_files_are_looked_at_before(tmp_path, monkeypatch):
    (tmp_path / "a.tflite").write_bytes(b"PK\3\4 and so on")
    with pytest.raises(InputError, match="this is no file for LiteRT"):
        check_model("model", str(tmp_path / "a.tflite"))
    with pytest.raises(InputError, match=r"init=.*a file for LiteRT is for model alone"):
        check_model("init", str(tmp_path / "a.tflite"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tf_style\[lite\]'"):
        check_model("model", str(tmp_path / "a.tflite"))
