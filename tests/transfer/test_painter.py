"""Painting with a network."""

import keras
import numpy as np
import pytest

from tf_style.run.scene import Scene
from tf_style.settings import InputError, Settings
from tf_style.transfer import brush
from tf_style.transfer.brush import Brush, transform_model
from tf_style.transfer.carried import CarriedNetwork
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.painter import ModelPainter
from tf_style.transfer.pupil import Pupil


@pytest.fixture
def model(tmp_path):
    keras.utils.set_random_seed(7)
    made = TransformModel.of(Pupil("fine", 2), {"styles": [{"name": "a"}, {"name": "b"}]})
    made.save(tmp_path / "two.keras")
    return tmp_path / "two.keras"


def painted(model, picture, masks=(), **settings):
    settings = Settings(model=str(model), **{"precision": "float32", **settings})
    return ModelPainter(settings).paint(Scene.of(settings, picture, [], masks))


def test_it_paints_what_the_model_makes(model, content):
    result = painted(model, content, size=64)
    np.testing.assert_allclose(
        result.image, transform_model(model)(result.content[None]).numpy()[0], atol=1e-5)
    assert result.history == () and result.styles == () and result.stopped == "steps"
    assert result.inputs.digests.keys() >= {str(model)}
    assert result.settings.size.long_side == 64


@pytest.mark.parametrize("size", [(1, 1), (2, 30)])
def test_tiny_pictures_keep_their_size(model, size):
    result = painted(model, np.full((*size, 3), 0.5, np.float32), size="original")
    assert result.image.shape == (*size, 3)
    assert Settings(**result.settings.as_dict()) == result.settings


def test_in_bfloat16_it_is_nearly_the_same(model, content):
    off = np.abs(painted(model, content, size=64, precision="bfloat16").image
                 - painted(model, content, size=64).image)
    assert 255 * off.mean() < 2


def test_a_mask_says_where(model, content):
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, :32] = 1
    result, whole = (painted(model, content, masks, size=64) for masks in ([mask], []))
    np.testing.assert_allclose(result.image[:, :28], whole.image[:, :28], atol=0.02)
    np.testing.assert_allclose(result.image[:, 40:], result.content[:, 40:], atol=0.02)


@pytest.mark.parametrize("way", ["luminance", "statistics", "histogram"])
def test_the_contents_colours_can_be_kept(model, content, way):
    result, plain = (painted(model, content, size=64, preserve_color=each)
                     for each in (way, "none"))
    off = [np.abs(each.image.mean((0, 1)) - each.content.mean((0, 1))).sum()
           for each in (result, plain)]
    assert off[0] < off[1]


def test_large_pictures_are_painted_in_strips(model, content, monkeypatch):
    whole = painted(model, content, size=64)
    monkeypatch.setattr(brush, "WHOLE", 100)
    strips = painted(model, content, size=64)
    assert 0 < 255 * np.abs(strips.image - whole.image).max() < 4


def test_strips_are_compiled_once_for_all_pictures(model, content, monkeypatch):
    monkeypatch.setattr(brush, "WHOLE", 100)
    used = Brush(Settings(model=str(model)))
    compiled = used._strips._convolve["picture"]
    for picture in (content, content[:-9]):
        used.paint(picture)
    assert compiled.experimental_get_tracing_count() == 1
    assert used._strips._convolve["picture"] is compiled


def test_shares_must_fit_the_model(model, content):
    for shares in ("1", "1,2,3"):
        with pytest.raises(InputError, match="style_blend: expected a share for each"):
            painted(model, content, style_blend=shares)


def test_controls_take_the_shares_as_an_input(model, content):
    controlled = transform_model(model, controls=True)
    np.testing.assert_allclose(
        controlled([content[None], np.array([[1, 3]], np.float32), np.ones((1, 1), np.float32)]),
        transform_model(model, style_blend=(1, 3))(content[None]), atol=1e-5)
    with pytest.raises(InputError, match="the shares are an input"):
        transform_model(model, style_blend=(1, 3), controls=True)


def test_shares_below_zero_are_refused(model):
    for shares in ([2, -1], [float("nan"), 1], [0, 0]):
        with pytest.raises(InputError, match="style_blend: expected"):
            transform_model(model, style_blend=shares)


def test_strength_holds_it_back(model, content):
    whole, half, none = (painted(model, content, size=64, strength=strength, preserve_color=way)
                         for strength, way in ((1, "luminance"), (0.3, "luminance"), (0, "none")))
    np.testing.assert_allclose(
        half.image, 0.3 * whole.image + 0.7 * half.content, atol=1e-5)
    np.testing.assert_array_equal(none.image, none.content)


@pytest.mark.parametrize("layer", [
    lambda picture: keras.layers.MaxPooling2D(2)(picture),
    lambda picture: keras.ops.log(picture - 2),
])
def test_a_model_that_paints_no_such_picture_is_refused(tmp_path, content, layer):
    picture = keras.Input((None, None, 3))
    keras.Model(picture, layer(picture)).save(tmp_path / "odd.keras")
    with pytest.raises(InputError, match="whose pictures keep their size"):
        painted(tmp_path / "odd.keras", content)


def test_optimisers_options_are_refused(model):
    with pytest.raises(InputError, match="optimizer: has no effect with model"):
        Settings(model=str(model), optimizer="lbfgs")


def test_many_networks_bring_no_warning_of_many_traces(model, content, caplog):
    """TensorFlow counts the traces of one function; those of several networks are meant."""
    with caplog.at_level("WARNING", logger="tensorflow"):
        for _ in range(6):
            painter = ModelPainter(Settings(model=str(model), style_blend=(1, 0)))
            painter.painted(content)
            CarriedNetwork(painter.made.model, painter.made.width).begin(content)
    assert not caplog.records
