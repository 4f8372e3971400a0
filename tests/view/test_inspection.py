import numpy as np
import pytest
import tensorflow as tf

import tf_style
from tf_style.image.files import fit
from tf_style.loss.objective import Network, Objective, Style
from tf_style.run.stylizer import Stylizer
from tf_style.view import inspection

LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1"]
SETTINGS = {
    "size": 32, "scales": 1, "steps": "40", "weights": "random", "precision": "float32",
    "content_layers": "block1_conv2", "style_layers": "block1_conv1,block2_conv1:3",
    "style_weight": 5, "tv_weight": 0.5, "learning_rate": 0.05,
}


@pytest.fixture(scope="module")
def settings():
    """Settings with every `auto` resolved."""
    return Stylizer(**SETTINGS).settings


@pytest.fixture(scope="module")
def model():
    return tf_style.feature_model(LAYERS, "random")


def test_the_gram_matrix_is_the_mean_product_of_two_maps(model, content):
    maps = inspection.feature_maps(model, content)
    assert list(maps) == LAYERS and maps["block2_conv1"].shape == (24, 32, 128)
    for layer, gram in inspection.matrices(model, content)["gram"].items():
        vectors = maps[layer].astype(np.float64).reshape(-1, maps[layer].shape[-1])
        expected = vectors.T @ vectors / len(vectors)
        np.testing.assert_allclose(gram, expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_shares_add_up_to_the_objective(model, settings, content, style):
    generator = np.random.default_rng(0)
    image = generator.random((24, 32, 3), np.float32)
    small = fit(content, 32)
    shares = inspection.layer_shares(model, image, small, style, settings)
    assert [(each.part, each.layer) for each in shares] == [
        ("content", "block1_conv2"), ("style", "block1_conv1"), ("style", "block2_conv1"),
        ("variation", ""),
    ]
    objective = Objective(
        [Network(model, settings.content_layers, settings.style_layers)], settings
    )
    _, parts, gradient = objective.value_and_gradient(
        tf.constant(image[None]),
        objective.targets(tf.constant(small[None]), [Style(tf.constant(fit(style, 32)[None]))]),
    )
    for part, value in parts.items():
        assert sum(each.loss for each in shares if each.part == part) == pytest.approx(
            float(value), rel=1e-4)
    gradient = gradient.numpy()[0]
    np.testing.assert_allclose(sum(each.gradient for each in shares), gradient,
                               rtol=1e-3, atol=1e-4 * np.abs(gradient).max())
    assert all(each.magnitude.shape == (24, 32) for each in shares)
    assert shares[0].norm == pytest.approx(np.sqrt(np.sum(shares[0].magnitude**2)))


def test_the_content_asks_nothing_of_itself(model, settings, content, style):
    first, *others = inspection.layer_shares(model, content, content, style, settings)
    assert first.loss == 0 and first.norm == 0
    assert all(each.norm > 0 for each in others)
    alone = settings.replace(style_weight=0, tv_weight=0)
    assert len(inspection.layer_shares(model, content, content, style, alone)) == 1


def correlation(first, second):
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def test_a_reconstruction_of_content_sees_nothing_of_the_style(settings, content, style):
    result = inspection.reconstruct_content(content, style, "block1_conv1", settings)
    assert set(result.history[-1].parts) == {"content"}
    first, last = result.history[0].loss, result.history[-1].loss
    noise = np.random.default_rng(settings.seed).random((24, 32, 3), np.float32)
    assert last < 0.2 * first
    assert correlation(result.image, fit(content, 32)) > 0.6 > correlation(noise, fit(content, 32))


def test_a_reconstruction_of_style_sees_nothing_of_the_content(settings, content, style):
    result = inspection.reconstruct_style(content, style, "block1_conv1", settings)
    assert set(result.history[-1].parts) == {"style"}
    assert result.history[-1].loss < 0.2 * result.history[0].loss


def test_inspect_looks_at_the_layers_that_it_is_told(content, style):
    stages = []
    seen = inspection.inspect(
        content, style, tf_style.Settings(**SETTINGS).replace(steps=2), generated=style,
        layers=["block1_conv1"], watch=stages.append,
    )
    np.testing.assert_array_equal(seen.generated, fit(style, 32))
    assert seen.content.shape == (24, 32, 3)
    for each in (seen.maps, seen.contents, seen.styles, seen.matrices["generated"]["gram"]):
        assert list(each) == ["block1_conv1"]
    np.testing.assert_allclose(seen.matrices["generated"]["gram"]["block1_conv1"],
                               seen.matrices["style"]["gram"]["block1_conv1"])
    assert [each.layer for each in seen.shares] == ["block1_conv2", "block1_conv1",
                                                    "block2_conv1", ""]
    assert stages[-1] == "reconstructing from block1_conv1"


def test_without_a_generated_image_one_is_made(content, style):
    settings = tf_style.Settings(**SETTINGS).replace(
        steps="3", content_layers="block1_conv1", style_layers="block1_conv1"
    )
    seen = inspection.inspect(content, style, settings)
    expected = tf_style.stylize(content, style, settings)
    np.testing.assert_array_equal(seen.generated, expected.image)
    assert list(seen.maps) == ["block1_conv1"]
