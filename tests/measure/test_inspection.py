import dataclasses
from unittest import mock

import keras
import numpy as np
import pytest

import tf_style
from tf_style.image.resize import fit
from tf_style.measure import inspection
from tf_style.run.descent import Descent
from tf_style.run.painter import Painter
from tf_style.run.scene import Scene
from tf_style.settings import Settings

LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1"]
SETTINGS = {
    "size": 32, "scales": 1, "steps": "40", "weights": "random", "precision": "float32",
    "content_layers": "block1_conv2", "style_layers": "block1_conv1,block2_conv1:3",
    "style_weight": 5, "tv_weight": 0.5, "learning_rate": 0.05,
}


@pytest.fixture(scope="module")
def settings():
    """Settings with every `auto` resolved."""
    return Painter(Settings(**SETTINGS)).settings


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


def shares_and_gradient(painter, scene, image):
    """The shares of an image's loss, and the gradient that a run's first step has there."""
    found = []
    evaluate = Descent.value_and_gradient

    def watched(*arguments):
        found.append(evaluate(*arguments))
        return found[-1]

    class Begun(Scene):
        def start(self, settings):
            return image

    begun = Begun(**{field.name: getattr(scene, field.name)
                     for field in dataclasses.fields(scene)})
    with mock.patch.object(Descent, "value_and_gradient", watched):
        painter.paint(begun, callback=lambda step: True)
    return inspection.layer_shares(painter, scene, image), found[0]


@pytest.mark.parametrize("changes", [
    {}, {"pooling": "average", "style_size": 20}, {"style_size": 100},
    {"style_loss": "gram:2,mean_std", "normalize_gradients": True},
    {"preserve_color": "statistics", "precision": "bfloat16"},
    {"style_network": "vgg19", "style_network_weights": "random"},
], ids=str)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_shares_add_up_to_the_gradient_of_the_run(changes, masked, content, style):
    noise = np.random.default_rng(1).normal(0, 0.15, style.shape)
    poor = np.clip(style + noise, 0, 1).astype(np.float32)
    painter = Painter(Settings(**{**SETTINGS, **changes}))
    left = np.zeros((*content.shape[:2], 3), np.float32)
    left[:, :20] = 1
    masks = ([left, 1 - left], [np.ones((*style.shape[:2], 3), np.float32)] * 2) if masked else ()
    scene = Scene.of(painter.settings, content, [poor, style], *masks,
                     least=painter.least_size)
    image = np.random.default_rng(0).random((24, 32, 3), np.float32)
    shares, (loss, parts, gradient) = shares_and_gradient(painter, scene, image)
    assert [(each.part, each.layer) for each in shares] == [
        ("content", "block1_conv2"), ("style", "block1_conv1"), ("style", "block2_conv1"),
        ("variation", ""),
    ]
    for part, value in parts.items():
        assert sum(each.loss for each in shares if each.part == part) == pytest.approx(
            float(value[0]), rel=1e-3)
    assert sum(each.loss for each in shares) == pytest.approx(float(loss[0]), rel=1e-3)
    gradient = gradient.numpy()[0]
    error = np.linalg.norm(sum(each.gradient for each in shares) - gradient)
    assert error < (0.01 if "precision" in changes else 1e-3) * np.linalg.norm(gradient)
    assert all(each.magnitude.shape == (24, 32) for each in shares)
    assert shares[0].norm == pytest.approx(np.sqrt(np.sum(shares[0].magnitude**2)), rel=1e-5)


def test_the_content_asks_nothing_of_itself(content, style):
    painter = Painter(Settings(**SETTINGS))
    small = fit(content, 32)
    scene = Scene.of(painter.settings, small, style)
    first, *others = inspection.layer_shares(painter, scene, small)
    assert first.loss == 0 and first.norm == 0
    assert all(each.norm > 0 for each in others)
    alone = Painter(Settings(**{**SETTINGS, "style_weight": 0, "tv_weight": 0}))
    assert len(inspection.layer_shares(alone, scene, small)) == 1


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


@pytest.mark.parametrize("layer", ["block1_conv1", "block4_conv1"])
def test_a_reconstruction_of_style_is_of_the_whole_style(layer, content, style):
    settings = Painter(
        Settings(size=64, scales=1, steps=1, network="compact", style_regions=2)).settings
    result = inspection.reconstruct_style(content, style, layer, settings)
    assert result.settings.style_regions == 1


def test_inspect_looks_at_the_layers_that_it_is_told(content, style):
    stages = []
    seen = inspection.inspect(
        content, style, Settings(**SETTINGS).replace(steps=2), generated=style,
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
    assert stages[-1] == "reconstructing from block1_conv1, 1 of 1"


def test_without_a_generated_image_one_is_made(content, style):
    settings = Settings(**SETTINGS).replace(
        steps="3", content_layers="block1_conv1", style_layers="block1_conv1"
    )
    seen = inspection.inspect(content, style, settings)
    expected = tf_style.stylize(content, style, settings)
    np.testing.assert_array_equal(seen.generated, expected.image)
    assert list(seen.maps) == ["block1_conv1"]


def test_the_style_is_what_the_run_sees(content, style):
    small = Settings(**SETTINGS).replace(steps=1, preserve_color="statistics")
    seen = [inspection.inspect(
        content, style, small.replace(style_scale=scale), generated=content,
        layers=["block1_conv1"], style_masks=masks, content_masks=masks and [content * 0 + 1],
    ) for scale, masks in ((1, ()), (0.5, ()), (1, [np.eye(*style.shape[:2])]))]
    for each, scale in zip(seen, (1, 0.5, 1), strict=True):
        painter = Painter(small.replace(style_scale=scale))
        prepared = painter.work(Scene.of(painter.settings, content, style)).prepared
        expected = prepared.at(prepared.scales[-1])[1][0].picture
        np.testing.assert_array_equal(each.style, expected)
    plain, coarse, masked = (
        each.matrices["style"]["gram"]["block1_conv1"] for each in seen)
    assert np.abs(plain - coarse).max() > 0.01 * plain.max()
    assert np.abs(plain - masked).max() > 0.01 * plain.max()


def test_each_network_is_asked_for_its_own_layers_alone(content, style):
    keras.utils.set_random_seed(0)
    own = keras.Sequential([keras.Input((None, None, 3)),
                            keras.layers.Conv2D(4, 3, padding="same", name="mine")])
    for changes, layers in (
        ({"content_network": own, "content_layers": "mine"}, ("mine", "block1_conv1")),
        ({"style_network": own, "style_layers": "mine"}, ("block1_conv2", "mine")),
    ):
        given = {**SETTINGS, "weights": "auto", "network": "auto", "content_network": "compact",
                 "style_network": "compact", "style_layers": "block1_conv1", "steps": 1, **changes}
        seen = inspection.inspect(content, style, Settings(**given), generated=style)
        assert [*seen.maps] == [*seen.contents] == [layers[0]]
        assert [*seen.matrices["style"]["gram"]] == [*seen.styles] == [layers[1]]
