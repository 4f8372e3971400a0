"""What runs share: it is compiled once, whole or in blocks."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.style import Style
from tf_style.loss.objective import Objective
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.run.descent import Descent
from tf_style.run.optimizers import Moments
from tf_style.settings import Settings


@pytest.fixture(scope="module")
def descent():
    settings = Settings(content_loss="squared", content_layers="block1_conv1",
                        style_layers="block1_conv1",
                        style_loss="gram", style_weight=3)
    network = Network(feature_model(["block1_conv1"], "random"), ARCHITECTURES["vgg16"])
    return Descent(Objective.of([network], settings))


def test_blocks_are_used_where_a_picture_is_larger_than_one(descent, content, style, monkeypatch):
    used = []
    original = descent._objective_for
    monkeypatch.setattr(descent, "_objective_for",
                        lambda *given: used.append(original(*given)) or used[-1])
    image, step = tf.constant(content[None]), tf.constant(0)
    found = []
    for block_size in (0, 64, 32):
        targets = descent.targets(content, [Style(style)], block_size)
        found.append(descent.value_and_gradient(image, targets, step, block_size)[2])
    assert [each is descent.objective for each in used] == [True] * 4 + [False] * 2
    error = np.linalg.norm(found[2] - found[0])
    assert 0 < error < 1e-4 * np.linalg.norm(found[0])


def test_styles_that_were_seen_last_are_not_looked_at_again(descent, content, style, monkeypatch):
    looked = []
    original = Objective.style_statistics
    monkeypatch.setattr(Objective, "style_statistics",
                        lambda self, *given: looked.append(1) or original(self, *given))
    mask = np.ones(style.shape[:2], np.float32)
    mask[:9] = 0
    region = np.ones(content.shape[:2], np.float32)
    asked = [{}, {"mask": mask}, {"region": region}, {"region": region / 2}, {"share": 0.5},
             {"kinds": np.ones((2, 3, 4), np.float32)}, {"mended_again": style / 2}]
    found = [descent.targets(content, [Style(style.copy(), **each)], 0)
             for each in asked for _ in range(2)]
    assert len(looked) == len(asked) + 1, "what was mended is looked at with what it became again"
    for one, other in zip(found[::2], found[1::2], strict=True):
        for first, second in zip(*map(tf.nest.flatten, (one, other)), strict=True):
            np.testing.assert_array_equal(first, second)
    fresh = Descent(descent.objective).targets(content, [Style(style)], 0)
    assert {*fresh} == {*found[0]}
    shorter = descent.targets(content[:20], [Style(style)], 0)
    key = "content features block1_conv1"
    assert shorter[key][0]["goals"][0]["target"]["map"].shape[1] == 20


def test_a_step_that_is_not_finite_moves_nothing(descent, content):
    image = tf.constant(content[None])
    moments = Moments(tf.zeros_like(image), tf.zeros_like(image), tf.constant(0, tf.int64))
    rate = tf.constant(0.1)
    bad = tf.where(image > 0.5, np.nan, 1.0)
    for loss, gradient in ((1.0, bad), (np.inf, tf.ones_like(image))):
        moved, after, told = descent.move(
            image, moments, tf.constant([loss]), gradient, rate, {}
        )
        np.testing.assert_array_equal(moved, image)
        assert np.isnan(told) and np.isfinite(after.first).all()
    moved, after, told = descent.move(
        image, moments, tf.constant([1.0]), tf.ones_like(image), rate, {}
    )
    assert told == [1.0] and after.count == 1
    assert np.ptp(moved - np.clip(image - 0.1, 0, 1)) < 1e-6
    assert moved.numpy().min() >= 0
