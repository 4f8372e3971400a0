"""What is kept between runs, and what a run is made from."""

import h5py
import numpy as np
import pytest

from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import load
from tf_style.run.painter import Painter
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, InputError, Settings

TINY = {
    "size": 32, "scales": 2, "steps": "3,2", "weights": "random", "tolerance": 0,
    "content_layers": "block2_conv1", "style_layers": "block1_conv1", "precision": "float32",
}


def test_every_auto_of_the_networks_is_recorded(content, style):
    painter = Painter(Settings(**{**TINY, "content_layers": "auto", "style_layers": "auto"}))
    assert AUTO not in (painter.settings.content_layers, painter.settings.device)
    work = painter.work(Scene.of(painter.settings, content, style, least=painter.least_size))
    assert work.settings.content_network == work.settings.style_network == "vgg16"
    assert work.settings.style_network_weights == "random"
    assert work.given.content_layers == work.given.content_network == AUTO
    assert set(work.weights) >= {"block1_conv1", "block3_conv3"}


def test_a_file_that_ends_with_block_3_is_told_once(tmp_path, content, style):
    vgg16 = ARCHITECTURES["vgg16"]
    path = tmp_path / "shallow.h5"
    write_kernels(path, load(vgg16, vgg16.up_to(["block3_conv3"]), "random").kernels)
    with h5py.File(path, "a") as file:
        # As if they were pretrained.
        del file.attrs["tf_style"]
    values = {name: value for name, value in TINY.items() if not name.endswith("layers")}
    with pytest.warns(UserWarning, match="no block4_conv2 in this file") as told:
        painter = Painter(Settings(**{**values, "weights": str(path)}))
        for each in (content, content[::-1]):
            painter.work(Scene.of(painter.settings, each, style))
    assert len(told) == 1
    assert painter.settings.content_layers == {"block3_conv3": 1.0}
    assert painter.settings.content_loss == "squared"


def test_networks_are_learned_once_from_the_first_pictures(content, style, monkeypatch):
    from tf_style.network import learned

    asked = []
    load = learned.load
    monkeypatch.setattr(learned, "load", lambda *given, **named: asked.append(given[2])
                        or load(*given, **named))
    painter = Painter(Settings(**{**TINY, "weights": "unsupervised",
                                  "content_layers": "block1_conv1"}))
    assert not asked and not painter.weights
    for each in (content, content[::-1]):
        painter.work(Scene.of(painter.settings, each, style))
    assert len(asked) == 1 and [each.shape for each in asked[0]] == [content.shape, style.shape]
    assert painter.weights and painter.weights_cached is False and painter.weights_seconds > 0


def test_a_picture_that_the_networks_cannot_see_is_refused(content, style):
    painter = Painter(Settings(**{**TINY, "content_layers": "block4_conv1", "size": 8}))
    assert painter.least_size == 8
    scene = Scene.of(painter.settings, content, style)
    with pytest.raises(InputError, match="Least side: 8 pixels"):
        painter.paint(scene)


def test_a_forecast_is_of_every_size_and_loads_nothing(content, style):
    painter = Painter(Settings(**{**TINY, "weights": "unsupervised", "block_size": 32, "size": 64}))
    sizes = painter.forecast(Scene.of(painter.settings, content, style))
    assert [(each.scale.width, each.scale.steps) for each in sizes] == [(32, 3), (64, 2)]
    assert [each.block_size for each in sizes] == [0, 32]
    assert all(each.seconds > 0 and each.memory > 5e8 for each in sizes)
    assert not painter.weights


def test_its_networks_give_more_layers_on_request(content, style):
    painter = Painter(Settings(**TINY))
    network, = painter.networks([], ["block2_conv2"])
    maps = network.model(content[None])
    assert {*maps} == {"block1_conv1", "block2_conv1", "block2_conv2"}
    plain, = painter.networks([], [])
    np.testing.assert_array_equal(plain.model(content[None])["block2_conv1"], maps["block2_conv1"])


@pytest.mark.parametrize("block_size", [0, 32])
def test_another_style_weight_needs_no_other_steps(content, style, block_size):
    settings = Settings(**{**TINY, "size": 64, "style_weight": 2, "block_size": block_size})
    heavier = settings.replace(style_weight=9)
    first = Painter(settings)
    scene = Scene.of(first.settings, content, style)
    before, traces = first.paint(scene), first.traces
    second = Painter(heavier, like=first)
    third = Painter(heavier.replace(style_weight=4), like=second)
    again, alone = second.paint(scene), Painter(heavier).paint(scene)
    assert second.traces == first.traces == third.traces == traces
    np.testing.assert_allclose(again.image, alone.image, atol=1e-3)
    assert np.abs(again.image - before.image).max() > 0.01
    for step, other in zip(again.history, alone.history, strict=True):
        assert step.parts == pytest.approx(other.parts, rel=1e-4)
    assert again.settings == alone.settings and again.weights == alone.weights
    assert first.paint(scene).history[0].parts == before.history[0].parts
    assert third.paint(scene).history[0].parts["style"] == pytest.approx(
        4 / 9 * again.history[0].parts["style"], rel=1e-4)


def test_pictures_can_be_the_same_bit_by_bit_by_networks_of_another(content, style, monkeypatch):
    first = Painter(Settings(**TINY, style_weight=2))
    scene = Scene.of(first.settings, content, style)
    first.paint(scene)
    heavier = Settings(**TINY, style_weight=3)
    alone = Painter(heavier).paint(scene)
    monkeypatch.setattr("tf_style.run.painter.build_for_run", None)
    again = Painter(heavier, like=first, exact=True).paint(scene)
    np.testing.assert_array_equal(again.image, alone.image)


@pytest.mark.parametrize("others", [
    {"size": 24, "steps": (1, 2), "preserve_color": "luminance"},
    {"style_scale": 0.5, "init_noise": 0.3, "learning_rate": 0.2}, {"optimizer": "lbfgs"},
])
def test_what_neither_networks_nor_steps_depend_on_needs_no_others(content, style, others):
    first = Painter(Settings(**TINY))
    first.paint(Scene.of(first.settings, content, style))
    settings = Settings(**{**TINY, **others})
    second = Painter(settings, like=first)
    scene = Scene.of(second.settings, content, style)
    again, alone = second.paint(scene), Painter(settings).paint(scene)
    assert second.traces == first.traces
    np.testing.assert_array_equal(again.image, alone.image)
    assert again.settings == alone.settings and again.weights == alone.weights


@pytest.mark.parametrize("others", [
    {"style_weight": 0.5}, {"style_weight": 0}, {"normalize_gradients": True, "style_weight": 9},
    {"tv_weight": 2},
])
def test_what_differs_otherwise_has_steps_of_its_own(content, style, others):
    settings = Settings(**TINY).replace(style_weight=2, **{
        name: value for name, value in others.items() if name == "normalize_gradients"})
    first = Painter(settings)
    scene = Scene.of(first.settings, content, style)
    first.paint(scene)
    second = Painter(settings.replace(**others), like=first)
    again, alone = second.paint(scene), Painter(settings.replace(**others)).paint(scene)
    np.testing.assert_allclose(again.image, alone.image, atol=1e-3)
    assert again.history[0].parts == pytest.approx(alone.history[0].parts, rel=1e-4)
