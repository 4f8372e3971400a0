"""Total variation against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.conftest import assert_gradient, gradient_of
from tf_style.loss.content import content_loss
from tf_style.loss.variation import total_variation


@pytest.fixture(autouse=True)
def rng():
    """The same numbers whichever tests run before."""
    global RNG
    RNG = np.random.default_rng(0)


def numpy_variation(image):
    return (np.abs(np.diff(image, axis=1)).sum() + np.abs(np.diff(image, axis=2)).sum()) / np.prod(
        image.shape[:3]
    )


def test_total_variation_and_gradient():
    image = RNG.random((1, 6, 7, 3)).astype(np.float32)
    assert total_variation(image).numpy() == pytest.approx(numpy_variation(image), rel=1e-5)
    assert total_variation(image).numpy() == pytest.approx(
        float(tf.image.total_variation(tf.constant(image))[0]) / (6 * 7), rel=1e-5
    )
    assert_gradient(total_variation, numpy_variation, image)


def test_total_variation_of_a_constant_is_zero():
    image = np.full((1, 4, 4, 3), 0.3, np.float32)
    assert total_variation(image) == 0
    assert not gradient_of(total_variation, image).any()


def test_total_variation_of_one_pixel_wide_pictures():
    for shape in ((1, 1, 5, 3), (1, 5, 1, 3), (1, 1, 1, 3)):
        image = RNG.random(shape).astype(np.float32)
        assert total_variation(image).numpy() == pytest.approx(numpy_variation(image), rel=1e-5)
        assert gradient_of(total_variation, image).shape == shape


def test_each_picture_of_a_batch_counts_by_itself():
    images, targets = RNG.random((2, 2, 6, 7, 3)).astype(np.float32)
    targets *= 3
    for found, alone in (
        (total_variation(images), total_variation),
        (content_loss(images, targets), lambda image: content_loss(image, targets[0:1])),
    ):
        assert found.shape == (2,) and found[0] != found[1]
        np.testing.assert_allclose(found[0], alone(images[0:1])[0], rtol=1e-6)
