"""Terms: what is added up, under which name."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.conftest import batch, objective_of, settings, styles_of
from tf_style.loss.blocks import Blocks
from tf_style.loss.terms import Loss, Term
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.networks import Network


def test_a_term_of_another_name_is_added_up_and_reported(model, content, style):
    """Such as one that compares a film's frame with the one before."""
    still = Loss("still", lambda image, weights: image,
                 lambda image, before, draw: tf.reduce_mean((image - before) ** 2, axis=(1, 2, 3)))
    plain = objective_of(model, settings())
    objective = dataclasses.replace(
        plain, terms=[*plain.terms, Term("temporal", 1.0, still)],
        weights={**plain.weights, "temporal": 7.0},
    )
    image, before = batch(1 - content), batch(content)
    key = objective.terms[-1].key
    targets = {**plain.targets(content, styles_of(style)),
               key: [{"goals": [{"share": tf.constant(1.0), "target": before}]}]}
    for one in (objective, Blocks(dataclasses.replace(
        objective, networks=[Network(model, ARCHITECTURES["vgg16"])]), 32)):
        loss, parts, gradient = one.value_and_gradient(image, targets)
        without, _, old = plain.value_and_gradient(image, targets)
        expected = 7 * np.mean((1 - 2 * content) ** 2)
        assert parts["temporal"].numpy() == pytest.approx(expected, rel=1e-5)
        assert loss.numpy() == pytest.approx(without.numpy() + expected, rel=1e-5)
        pull = 7 * 2 * (1 - 2 * content) / content.size
        np.testing.assert_allclose(gradient[0] - old[0], pull, atol=1e-4 * np.abs(old).max())
