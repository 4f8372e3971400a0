"""What several tests of losses share: gradients against differences, and small objectives."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.style import Style
from tf_style.loss.objective import Objective
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.settings import Settings

LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1"]


def gradient_of(function, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = function(values)
    return np.asarray(tf.cast(tape.gradient(value, values), tf.float32))


def assert_gradient(function, reference, values, tolerance=1e-3):
    """The gradient of `function` against central differences of `reference` in float64."""
    gradient = gradient_of(function, values)
    for seed in range(3):
        direction = np.random.default_rng(seed).standard_normal(values.shape)
        step = 1e-5
        expected = (reference(values.astype(np.float64) + step * direction)
                    - reference(values.astype(np.float64) - step * direction)) / (2 * step)
        found = np.sum(gradient.astype(np.float64) * direction)
        assert found == pytest.approx(expected, rel=tolerance, abs=1e-6)


@pytest.fixture(scope="package")
def model():
    return feature_model(LAYERS, "random")


def settings(**values):
    return Settings(**{
        "content_loss": "squared",
        "content_layers": "block2_conv1", "style_layers": "block1_conv1:3,block1_conv2",
        "style_loss": "gram",
        "content_weight": 2, "style_weight": 5, "tv_weight": 0.5, **values,
    })


def batch(picture):
    return tf.constant(picture[None])


def objective_of(model, settings):
    return Objective.of([Network(model)], settings)


def styles_of(*pictures):
    return [Style(picture, share=1 / len(pictures)) for picture in pictures]
