"""Statistics against NumPy in float64: weights, parts, and what rounding leaves."""

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.conftest import assert_gradient, gradient_of
from tf_style.loss.statistics import channel_moments, gram_matrix, moments, weighted_rows
from tf_style.loss.style import STYLE_LOSSES
from tf_style.run import machine

MEANS = [name for name, loss in STYLE_LOSSES.items() if loss.mean_over_positions]

# How far a sum in bfloat16 is off: one rounding where the processor has units for it, which add in
# float32; elsewhere TensorFlow rounds on the way, too.
ROUNDING = 2**-8 if machine._has_bfloat16_units() else 2**-6


@pytest.fixture(autouse=True)
def rng():
    """The same numbers whichever tests run before."""
    global RNG
    RNG = np.random.default_rng(0)


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.fixture
def features():
    return random(1, 40, 31, 4)


@pytest.fixture
def weights():
    return np.square(random(1, 40, 31, 1, seed=1))


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
    assert np.abs(gram - exact).max() < ROUNDING * exact.max()
    weights = RNG.standard_normal(exact.shape)
    gradient = gradient_of(lambda maps: tf.reduce_sum(gram_matrix(maps) * weights), features)
    both = weights + weights.transpose(0, 2, 1)
    expected = np.einsum("bhwi,bij->bhwj", np.asarray(tf.cast(features, tf.float64)), both) / (
        shape[1] * shape[2]
    )
    assert np.abs(gradient - expected).max() < 4 * ROUNDING * np.abs(expected).max()


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
    np.testing.assert_allclose(gram, expected, rtol=ROUNDING)
    gradient = gradient_of(lambda maps: tf.reduce_sum(gram_matrix(maps)) * 1e-4, features)
    assert np.isfinite(gradient).all() and gradient.any()


def test_moments_are_the_weighted_means_of_products_and_values(features, weights):
    rows = features.reshape(-1, 4).astype(np.float64)
    for given, shares in ((None, np.ones(len(rows))), (weights, weights.ravel().astype(float))):
        shares = shares / shares.sum()
        products = np.einsum("n,ni,nj->ij", shares, rows, rows)
        mean = shares @ rows
        np.testing.assert_allclose(gram_matrix(features, given)[0], products, rtol=1e-5)
        np.testing.assert_allclose(
            moments(features, given)[0], np.column_stack([products, mean]), rtol=1e-5
        )
        np.testing.assert_allclose(
            channel_moments(features, given)[0],
            np.column_stack([np.diag(products), mean]), rtol=1e-5,
        )


def test_weighted_rows_are_the_values_and_their_weights(features, weights):
    for given, last in ((None, np.ones((40 * 31, 1))), (weights, weights.reshape(-1, 1))):
        rows = weighted_rows(features, given)
        np.testing.assert_array_equal(rows[0], np.hstack([features.reshape(-1, 4), last]))


@pytest.mark.parametrize("name", MEANS)
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_whole_is_the_mean_of_its_parts(name, axis, weighted, features, weights):
    loss = STYLE_LOSSES[name]

    def counts(start, stop):
        """The sum of the weights of the windows that start in [start, stop)."""
        given = weights if weighted else np.ones_like(weights)
        size = np.array(given.shape[1:3]) - loss.window
        ranges = [np.arange(0, each + 1, loss.hop) for each in size]
        ranges[axis - 1] = [each for each in ranges[axis - 1] if start <= each < stop]
        return sum(given[0, y : y + loss.window, x : x + loss.window].mean()
                   for y in ranges[0] for x in ranges[1])

    middle, end, overlap = 8, features.shape[axis], loss.window - loss.hop
    whole = loss.statistic(features, weights if weighted else None)
    parts = 0
    for start, stop in ((0, middle), (middle, end)):
        place = np.arange(start, min(stop + overlap, end))
        part, its_weights = (np.take(each, place, axis=axis) for each in (features, weights))
        statistic = loss.statistic(part, its_weights if weighted else None)
        parts = parts + counts(start, stop) * statistic.numpy()
    np.testing.assert_allclose(whole, parts / counts(0, end), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MEANS)
def test_a_mask_leaves_the_rest_out(name):
    features = random(1, 48, 32, 3)
    mask = np.zeros((1, 48, 32, 1), np.float32)
    mask[:, :24] = 1
    loss = STYLE_LOSSES[name]
    # Where it counts windows, those that reach over the mask's border count in part.
    features[:, 24 - loss.window + 1 : 24] = features[:, 24:] = 0
    masked, cropped = loss.statistic(features, mask), loss.statistic(features[:, :24], None)
    assert np.linalg.norm(masked - loss.statistic(features, None)) > 0.1 * np.linalg.norm(cropped)
    if loss.window == 1:
        np.testing.assert_allclose(masked, cropped, rtol=1e-5)
    assert not np.any(loss.statistic(features, np.zeros_like(mask)))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_covariances_far_from_zero_keep_millionths_of_the_mean_square(dtype):
    mean, rng = 64.0, np.random.default_rng(0)
    features = tf.cast(rng.standard_normal((1, 200, 200, 8)) + mean, dtype)
    found = moments(features)[0].numpy().astype(np.float64)
    covariance = found[:, :-1] - np.outer(found[:, -1], found[:, -1])
    rows = np.asarray(tf.cast(features, tf.float64)).reshape(-1, 8)
    assert np.abs(covariance - np.cov(rows.T, bias=True)).max() < 4e-6 * mean**2


@pytest.mark.parametrize("weight", [None, 1.0, 1e-6])
def test_moments_of_bfloat16_maps_have_the_gradient_of_exact_ones(weight):
    maps = tf.constant(np.random.default_rng(0).random((2, 9, 7, 5), np.float32))
    maps = tf.cast(tf.cast(maps, tf.bfloat16), tf.float32)
    slope = np.random.default_rng(1).standard_normal((2, 5, 6)).astype(np.float32)
    weights = None if weight is None else weight * random(1, 9, 7, 1, seed=2)
    found = []
    for dtype in (tf.float32, tf.bfloat16, tf.float16):
        with tf.GradientTape() as tape:
            rows = tf.cast(maps, dtype)
            tape.watch(rows)
            value = tf.reduce_sum(slope * moments(rows, weights))
        gradient = tape.gradient(value, rows)
        assert gradient.dtype == dtype
        found.append((float(value), tf.cast(gradient, tf.float32).numpy()))
    for value, gradient in found[1:]:
        assert value == pytest.approx(found[0][0], rel=1e-5)
        assert np.linalg.norm(gradient - found[0][1]) < 5e-3 * np.linalg.norm(found[0][1])


def test_weighted_moments_have_an_exact_gradient_where_its_parts_cancel():
    """As of the covariance of maps far from zero, in which the mean's part takes most away."""
    maps = tf.cast(3 + random(1, 20, 15, 8), tf.bfloat16)
    weights = random(1, 20, 15, 1, seed=1)
    mean = np.average(tf.cast(maps, tf.float32)[0], axis=(0, 1), weights=weights[0, ..., 0]
                      .repeat(8).reshape(20, 15, 8))
    rises = np.random.default_rng(1).standard_normal((8, 8)).astype(np.float32)
    rises += rises.T
    slope = np.concatenate([rises, -2 * (rises @ mean)[:, None]], axis=1)
    found = []
    for dtype in (tf.float32, tf.bfloat16):
        with tf.GradientTape() as tape:
            rows = tf.cast(maps, dtype)
            tape.watch(rows)
            value = tf.reduce_sum(slope * moments(rows, weights))
        found.append(tf.cast(tape.gradient(value, rows), tf.float32).numpy())
    assert np.linalg.norm(found[1] - found[0]) < 5e-3 * np.linalg.norm(found[0])
