"""The temporal loss against NumPy in float64, and as a term of an objective."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.conftest import assert_gradient, batch, gradient_of, objective_of, settings
from tf_style.image.previous import Previous
from tf_style.image.style import Style
from tf_style.loss.blocks import Blocks
from tf_style.loss.compiled import Compiled
from tf_style.loss.temporal import temporal_loss
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.networks import Network


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def previous(rng, content):
    trust = rng.random(content.shape[:2]).astype(np.float32)
    trust[:, : trust.shape[1] // 2] = 0
    return Previous(rng.random(content.shape).astype(np.float32), trust)


def test_temporal_loss_by_hand_and_gradient(rng):
    image, before = rng.random((2, 1, 4, 5, 3)).astype(np.float32)
    trust = rng.random((1, 4, 5, 1)).astype(np.float32)

    def reference(pixels):
        return 4 * np.mean(trust.astype(np.float64) * (pixels - before) ** 2)

    found = temporal_loss(image, before, trust)
    assert found.shape == (1,) and float(found[0]) == pytest.approx(reference(image), rel=1e-5)
    assert_gradient(lambda pixels: temporal_loss(pixels, before, trust), reference, image)
    assert temporal_loss(before, before, trust) == 0


def test_a_half_that_is_off_counts_the_same_at_any_size(rng):
    for side in (8, 20):
        image = np.full((2, side, side, 3), 0.75, np.float32)
        trust = np.zeros((1, side, side, 1), np.float32)
        trust[:, side // 2 :] = 1
        found = temporal_loss(image, image[:1] - 0.5, trust)
        np.testing.assert_allclose(found, [0.5, 0.5], rtol=1e-6)


def test_what_is_not_trusted_is_free(rng):
    image, before = rng.random((2, 1, 6, 7, 3)).astype(np.float32)
    none = np.zeros((1, 6, 7, 1), np.float32)
    assert temporal_loss(image, before, none) == 0
    assert not gradient_of(lambda pixels: temporal_loss(pixels, before, none), image).any()


def test_only_a_frame_that_has_one_before_it_has_the_term(model, content, style, previous):
    objective = objective_of(model, settings(temporal_weight=7))
    image, styles = batch(1 - content), [Style(style)]
    alone = objective.targets(content, styles)
    held = objective.targets(content, styles, None, previous)
    assert {*held} == {*alone, "temporal previous "}
    loss, parts, gradient = objective.value_and_gradient(image, alone)
    more, all_parts, pulled = objective.value_and_gradient(image, held)
    off = previous.trust[..., None].astype(np.float64) * (1 - content - previous.picture)
    assert "temporal" not in parts
    expected = 7 * 4 * np.mean(off * (1 - content - previous.picture))
    assert all_parts["temporal"].numpy() == pytest.approx(expected, rel=1e-5)
    assert more.numpy() == pytest.approx(loss.numpy() + expected, rel=1e-5)
    np.testing.assert_allclose(pulled[0] - gradient[0], 7 * 8 * off / off.size,
                               atol=1e-4 * np.abs(gradient).max())
    without = objective_of(model, settings(temporal_weight=0))
    assert {*without.targets(content, styles, None, previous)} == {*alone}


def test_blocks_and_masks_give_the_whole_pictures_gradient(model, content, style, previous):
    region = np.zeros(content.shape[:2], np.float32)
    region[:, 4:] = 1
    styles = [Style(style, region=region)]
    whole = objective_of(model, settings(temporal_weight=50))
    blocks = Blocks(dataclasses.replace(
        whole, networks=[Network(model, ARCHITECTURES["vgg16"])]), 32)
    found = []
    for each in (whole, blocks):
        targets = each.targets(content, styles, region, previous)
        found.append(each.value_and_gradient(batch(content), targets))
    (loss, parts, gradient), (same, same_parts, again) = found
    assert same.numpy() == pytest.approx(loss.numpy(), rel=1e-5)
    assert same_parts["temporal"].numpy() == pytest.approx(parts["temporal"].numpy(), rel=1e-5)
    assert parts["temporal"].numpy() > 0
    error = np.linalg.norm(again - gradient)
    assert error < 1e-4 * np.linalg.norm(gradient)


def test_steps_know_how_firmly_pixels_are_held(model, content, style, previous):
    """The slope of the gradient itself, by a difference."""
    objective = objective_of(model, settings(
        temporal_weight=9, content_weight=4, style_weight=1, tv_weight=0))
    targets = objective.targets(content, [Style(style)], None, previous)
    own = {key: each for key, each in targets.items()
           if key.startswith(("temporal", "content pix"))}
    assert len(own) == 2
    low, high = (objective.value_and_gradient(batch(np.float32(content + each)), own)[2][0]
                 for each in (0, 0.5))
    slope = np.broadcast_to(objective.curvature(targets, content.size)[0], content.shape)
    np.testing.assert_allclose((high - low) / 0.5, slope, rtol=1e-3)


def test_another_frame_is_not_traced_again(model, content, style, previous):
    objective = objective_of(model, settings())
    step = Compiled(objective.value_and_gradient)
    for each in (previous, Previous(1 - previous.picture, 1 - previous.trust)):
        step(batch(content), objective.targets(content, [Style(style)], None, each), tf.constant(0))
    assert step.traces == 1
