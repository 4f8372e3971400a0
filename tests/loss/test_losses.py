"""Statistics, distances and total variation against NumPy in float64, and their gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.content import EPSILON, content_loss
from tf_style.loss.statistics import gram_matrix
from tf_style.loss.variation import total_variation

RNG = np.random.default_rng(0)


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


def numpy_gram(features):
    return np.einsum("bhwi,bhwj->bij", features, features) / np.prod(features.shape[1:3])


def test_gram_matrix_by_hand():
    features = np.array([[[[1.0, 2.0]], [[3.0, 0.0]]]], np.float32)
    assert np.array_equal(gram_matrix(features)[0], [[5, 1], [1, 2]])


def test_gram_matrix_and_gradient():
    features = RNG.random((2, 5, 7, 4)).astype(np.float32)
    np.testing.assert_allclose(gram_matrix(features), numpy_gram(features), rtol=1e-5)
    weights = RNG.standard_normal((2, 4, 4)).astype(np.float32)
    assert_gradient(
        lambda maps: tf.reduce_sum(gram_matrix(maps) * weights),
        lambda maps: np.sum(numpy_gram(maps) * weights),
        features,
    )


@pytest.mark.parametrize("shape", [(1, 13, 11, 6), (2, 3, 3, 4), (1, 1, 1, 2), (1, 64, 64, 8)])
def test_gram_matrix_in_bfloat16(shape):
    features = tf.cast(RNG.random(shape), tf.bfloat16)
    exact = numpy_gram(np.asarray(tf.cast(features, tf.float64)))
    gram = gram_matrix(features).numpy()
    np.testing.assert_array_equal(gram, gram.transpose(0, 2, 1))
    assert np.abs(gram - exact).max() < 2**-8 * exact.max()
    weights = RNG.standard_normal(exact.shape)
    gradient = gradient_of(lambda maps: tf.reduce_sum(gram_matrix(maps) * weights), features)
    both = weights + weights.transpose(0, 2, 1)
    expected = np.einsum("bhwi,bij->bhwj", np.asarray(tf.cast(features, tf.float64)), both) / (
        shape[1] * shape[2]
    )
    assert np.abs(gradient - expected).max() < 2**-6 * np.abs(expected).max()


def test_gram_matrix_does_not_depend_on_size():
    features = RNG.random((1, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(
        gram_matrix(features), gram_matrix(np.tile(features, (1, 2, 3, 1))), rtol=1e-5
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gram_matrix_sums_in_float32(dtype):
    features = tf.cast(tf.fill((1, 64, 64, 2), 300.0), dtype)
    gram = gram_matrix(features)
    assert gram.dtype == tf.float32
    # Sums of 4096 positions, off by no more than one rounding of the type.
    expected = np.full((1, 2, 2), float(features[0, 0, 0, 0]) ** 2)
    np.testing.assert_allclose(gram, expected, rtol=2**-8)
    gradient = gradient_of(lambda maps: tf.reduce_sum(gram_matrix(maps)) * 1e-4, features)
    assert np.isfinite(gradient).all() and gradient.any()


def test_content_loss_by_hand_and_gradient():
    target = RNG.random((1, 4, 5, 3)).astype(np.float32)

    def reference(maps):
        return np.sum((maps - target) ** 2) / (np.sum(target.astype(np.float64) ** 2) + EPSILON)

    features = RNG.random(target.shape).astype(np.float32)
    assert content_loss(features, target).numpy() == pytest.approx(reference(features), rel=1e-5)
    assert content_loss(target, target) == 0
    assert_gradient(lambda maps: content_loss(maps, target), reference, features)


def test_content_loss_is_free_of_scale():
    features, target = RNG.random((2, 1, 8, 8, 3)).astype(np.float32)
    assert content_loss(features, target).numpy() == pytest.approx(
        content_loss(1000 * features, 1000 * target).numpy(), rel=1e-3
    )


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
