"""Statistics against NumPy in float64: weights, parts, and what rounding leaves."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.spectrum import phase_matrix
from tf_style.loss.statistics import channel_moments, gram_matrix, moments, weighted_rows
from tf_style.loss.style import STYLE_LOSSES

MEANS = [name for name, loss in STYLE_LOSSES.items() if loss.mean_over_positions]


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.fixture
def features():
    return random(1, 40, 31, 4)


@pytest.fixture
def weights():
    return np.square(random(1, 40, 31, 1, seed=1))


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


def test_phase_matrix_tells_same_opposite_and_unrelated_maps():
    first, second = 50 * random(2, 96, 96)
    features = np.stack([first, 3 * first + 20, 50 - first, second], axis=-1)[None]
    matrix = phase_matrix(features)[0].numpy()
    np.testing.assert_allclose(np.diag(matrix), matrix[0, 0], rtol=1e-3)
    assert 0.9 < matrix[0, 0] <= 1
    np.testing.assert_allclose(matrix[0, 1:3], matrix[0, 0] * np.array([1, -1]), rtol=1e-3)
    assert abs(matrix[0, 3]) < 0.1


def test_phase_matrix_does_not_depend_on_contrast_or_place():
    features = np.zeros((1, 96, 96, 4), np.float32)
    features[:, 24:64, 16:56] = 50 * random(1, 40, 40, 4)
    matrix = phase_matrix(features).numpy()
    np.testing.assert_allclose(
        phase_matrix(features * np.array([0.3, 1, 5, 40], np.float32)), matrix, atol=1e-3
    )
    np.testing.assert_allclose(
        phase_matrix(np.roll(features, (16, 24), axis=(1, 2))), matrix, atol=1e-5
    )
    # Places between the windows' are not those of a texture either.
    texture = 50 * random(1, 96, 96, 4)
    moved = phase_matrix(np.roll(texture, (3, 5), axis=(1, 2)))
    np.testing.assert_allclose(moved, phase_matrix(texture), atol=0.05)
    # One map moved alone has other neighbours.
    texture[..., 1] = texture[..., 0]
    apart = np.array(texture)
    apart[..., 1] = np.roll(texture[..., 1], 4, axis=1)
    assert phase_matrix(texture)[0, 0, 1] > 0.9 > 0.5 > phase_matrix(apart)[0, 0, 1]
