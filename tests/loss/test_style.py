"""Style losses against NumPy in float64, and what each of them must keep."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.content import EPSILON
from tf_style.loss.spectrum import phase_matrix
from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings.settings import DRAWING_LOSSES

DRAW = tf.constant([3, 7])
CHANNELS = 4


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def loss_of(name, features, style, weights=None, draw=DRAW):
    loss = STYLE_LOSSES[name]
    target = loss.target(loss.statistic(tf.constant(style), None))
    return loss.distance(loss.statistic(features, weights), target, draw)


@functools.cache
def compiled(name, dtype):
    """Value and gradient for maps of any size, traced once.

    The gradient is that of the value over its size where that is above 1, as the objective
    has it: it would leave float16's range.
    """
    maps = tf.TensorSpec((1, None, None, CHANNELS), dtype)

    @tf.function(input_signature=[maps, maps, tf.TensorSpec((2,), tf.int32)])
    def value_and_gradient(features, style, draw):
        loss = STYLE_LOSSES[name]
        with tf.GradientTape() as tape:
            tape.watch(features)
            target = loss.target(loss.statistic(style, None))
            value = loss.distance(loss.statistic(features, None), target, draw)
            small = value / tf.maximum(1.0, tf.stop_gradient(value))
        return value, tape.gradient(small, features)

    return value_and_gradient


def gradient_of(name, features, style):
    return compiled(name, "float32")(features, style, DRAW)[1].numpy().astype(np.float64)


def relative(values, target):
    return np.sum((values - target) ** 2) / (np.sum(target**2) + EPSILON)


def rows_of(maps):
    return np.asarray(maps, np.float64).reshape(-1, maps.shape[-1])


def gram(features, style):
    return relative(*(rows_of(maps).T @ rows_of(maps) / len(rows_of(maps))
                      for maps in (features, style)))


def moments(features, style):
    (mean, covariance), (target_mean, target) = (
        (rows_of(maps).mean(axis=0), np.cov(rows_of(maps).T, bias=True))
        for maps in (features, style)
    )
    norm = np.sum(target_mean**2) + np.trace(target) + EPSILON
    floor = 1e-3 * (np.trace(target) / len(target) + EPSILON) * np.eye(len(target))
    covariance, target = covariance + floor, target + floor
    # Those of (B^½ A B^½)^½, which has the eigenvalues of A B.
    both = np.sqrt(np.linalg.eigvals(covariance @ target).real)
    return (np.sum((mean - target_mean) ** 2) + np.trace(covariance + target)
            - 2 * both.sum()) / norm


def mean_std(features, style):
    mean, target_mean = (rows_of(maps).mean(axis=0) for maps in (features, style))
    variance, target = (rows_of(maps).var(axis=0) for maps in (features, style))
    floor = 1e-3 * (target.mean() + EPSILON)
    return np.sum(
        (mean - target_mean) ** 2 + (np.sqrt(variance + floor) - np.sqrt(target + floor)) ** 2
    ) / (np.sum(target_mean**2 + target) + EPSILON)


def along(directions, features, style):
    values, target = (np.sort(directions @ rows_of(maps).T) for maps in (features, style))
    places = (np.arange(values.shape[1]) + 0.5) / values.shape[1]
    target = target[:, np.floor(places * target.shape[1]).astype(int)]
    return np.mean((values - target) ** 2) / (np.mean(target**2) + EPSILON)


def histogram(features, style):
    return along(np.eye(CHANNELS), features, style)


def sliced_wasserstein(features, style):
    seed = tf.random.experimental.stateless_fold_in(DRAW, 1)
    directions = tf.random.stateless_normal([32, CHANNELS], seed).numpy().astype(np.float64)
    return along(directions / np.linalg.norm(directions, axis=1, keepdims=True), features, style)


def neighbors(features, style):
    found, wanted = (
        centred / np.sqrt(np.sum(centred**2, axis=1, keepdims=True) + EPSILON)
        for centred in (rows_of(maps) - rows_of(maps).mean(axis=0) for maps in (features, style))
    )
    cosines = found @ wanted.T
    uses = np.bincount(cosines.argmax(axis=1), minlength=len(wanted))
    average = max(len(found) / len(wanted), 1)
    nearest = wanted[(cosines - 0.5 * np.maximum(uses / average - 1, 0)).argmax(axis=1)]
    return np.mean(np.sum((found - nearest) ** 2, axis=1))


def numpy_phase_matrix(features, weights=None):
    """One window and one frequency after the other, by NumPy's transform of the whole plane."""
    features = np.asarray(features, np.float64)[0]
    missing = [max(16 - size, 0) for size in features.shape[:2]]
    features = np.pad(features, [(0, missing[0]), (0, missing[1]), (0, 0)])
    if weights is None:
        weights = np.ones(features.shape[:2])
    else:
        weights = np.pad(np.asarray(weights, np.float64)[0, ..., 0],
                         [(0, missing[0]), (0, missing[1])])
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    taper = np.outer(taper, taper) / np.sum(taper**2)
    total, count = 0, 0
    for y in range(0, features.shape[0] - 15, 8):
        for x in range(0, features.shape[1] - 15, 8):
            window = features[y : y + 16, x : x + 16] * taper[..., None]
            spectrum = np.fft.fft2(window, axes=(0, 1))[::2, ::2]
            keep = np.ones((8, 8), bool)
            keep[4], keep[:, 4], keep[0, 0] = False, False, False
            waves = spectrum[keep]
            power = np.abs(waves) ** 2
            waves = waves / np.sqrt(power + 0.01 * power.mean(axis=0) + 1e-3)
            count_of_window = weights[y : y + 16, x : x + 16].mean()
            total = total + count_of_window * np.einsum("fi,fj->ij", waves, waves.conj()).real / 48
            count += count_of_window
    return total / count


def phase(features, style):
    return relative(numpy_phase_matrix(features), numpy_phase_matrix(style))


def phase_match(features, style):
    def phases(maps):
        maps = np.asarray(maps, np.float64)[0]
        spectrum = np.fft.fft2(maps - maps.mean(axis=(0, 1)), axes=(0, 1), norm="ortho")
        power = np.abs(spectrum) ** 2
        return spectrum / np.sqrt(power + 0.01 * power.mean(axis=(0, 1)) + 1e-3)

    if features.shape != style.shape:
        style = tf.image.resize(style, features.shape[1:3], antialias=True).numpy()
    found, target = phases(features), phases(style)
    peak = np.fft.ifft2(found * target.conj(), axes=(0, 1)).real.max(axis=(0, 1))
    own, target_own = (np.mean(np.abs(each) ** 2, axis=(0, 1)) for each in (found, target))
    return np.sum(target_own * (1 - peak / np.sqrt(own * target_own))) / np.sum(target_own)


REFERENCES = {each.__name__: each for each in (
    gram, moments, mean_std, sliced_wasserstein, histogram, neighbors, phase, phase_match
)}


def test_every_style_loss_has_a_reference():
    assert set(REFERENCES) == set(STYLE_LOSSES)


@pytest.mark.parametrize("name", STYLE_LOSSES)
@pytest.mark.parametrize("sizes", [((20, 21), (20, 21)), ((17, 26), (30, 19))])
def test_value_and_gradient(name, sizes):
    reference = REFERENCES[name]
    features, style = (
        (seed + 3) * random(1, *size, CHANNELS, seed=seed) for seed, size in enumerate(sizes)
    )
    features[..., 1] += features[..., 0]
    value, gradient = compiled(name, "float32")(features, style, DRAW)
    assert value.dtype == tf.float32
    assert value.numpy() == pytest.approx(reference(features, style), rel=1e-3) and value < 1
    for seed in range(2):
        direction = np.random.default_rng(seed).standard_normal(features.shape)
        above, below = (reference(features + step * direction, style) for step in (1e-5, -1e-5))
        found = np.sum(gradient.numpy().astype(np.float64) * direction)
        scale = float(np.linalg.norm(gradient))
        assert scale > 0
        assert found == pytest.approx((above - below) / 2e-5, rel=1e-3, abs=2e-3 * scale)


@pytest.mark.parametrize("shape", [(40, 31), (16, 16), (5, 40), (1, 1), (24, 17)])
def test_phase_matrix_and_gradient(shape):
    features, weights = 9 * random(1, *shape, 3), random(1, *shape, 1, seed=1)
    upstream = np.random.default_rng(2).standard_normal((3, 3))
    direction = np.random.default_rng(3).standard_normal(features.shape)
    for given in (None, weights):
        np.testing.assert_allclose(
            phase_matrix(features, given)[0], numpy_phase_matrix(features, given), atol=1e-5
        )
        values = tf.constant(features)
        with tf.GradientTape() as tape:
            tape.watch(values)
            total = tf.reduce_sum(phase_matrix(values, given) * upstream)
        found = np.sum(tape.gradient(total, values) * direction)
        above, below = (
            np.sum(numpy_phase_matrix(features + step * direction, given) * upstream)
            for step in (1e-5, -1e-5)
        )
        assert found == pytest.approx((above - below) / 2e-5, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_zero_at_equality_and_about_one_at_nothing(name):
    style = 30 * random(1, 40, 33, CHANNELS)
    assert abs(loss_of(name, style, style).numpy()) < 1e-4
    assert loss_of(name, np.zeros_like(style), style).numpy() == pytest.approx(1, abs=0.1)
    large = 30 * random(1, 80, 80, CHANNELS)
    assert abs(loss_of(name, large, large).numpy()) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_finite_on_every_size_and_on_dead_maps(name, dtype):
    value_and_gradient = compiled(name, dtype)
    for shape in ((1, 1), (1, 5), (17, 18)):
        maps = 300 * random(1, *shape, CHANNELS)
        half = maps * np.array([1, 0, 1, 0], np.float32)
        pictures = [tf.cast(each, dtype) for each in
                    (maps, half, np.zeros_like(maps), np.full_like(maps, 300))]
        for features in pictures:
            for style in (features, pictures[0], pictures[2]):
                value, gradient = value_and_gradient(features, style, DRAW)
                assert gradient.dtype == dtype
                assert np.isfinite(value) and np.isfinite(tf.cast(gradient, tf.float32)).all()
                if features is style:
                    assert abs(value.numpy()) < 1e-3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_half_precision_keeps_value_and_gradient(name, dtype):
    features, style = 4 * random(2, 1, 24, 24, CHANNELS)
    style[..., 1] = style[..., 0]
    features, style = (tf.cast(each, dtype) for each in (features, style))
    value, gradient = compiled(name, dtype)(features, style, DRAW)
    exact, expected = compiled(name, "float32")(
        tf.cast(features, tf.float32), tf.cast(style, tf.float32), DRAW
    )
    assert value.numpy() == pytest.approx(exact.numpy(), rel=0.02)
    error = np.linalg.norm(tf.cast(gradient, tf.float32) - expected)
    assert error < 0.05 * np.linalg.norm(expected)


def test_losses_differ():
    features, style = 3 * random(2, 1, 24, 24, CHANNELS)
    gradients = [gradient_of(name, features, style).ravel() for name in STYLE_LOSSES]
    angles = np.corrcoef(gradients)
    assert (np.abs(angles[~np.eye(len(angles), dtype=bool)]) < 0.99).all()


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_descent_reduces_the_loss(name):
    features, style = 3 * random(2, 1, 24, 24, CHANNELS)
    style[..., 1] = style[..., 0]
    before = loss_of(name, features, style)
    gradient = gradient_of(name, features, style)
    step = 0.3 * float(before[0]) / np.sum(gradient**2)
    after = loss_of(name, (features - step * gradient).astype(np.float32), style)
    assert after < 0.95 * before


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_what_has_no_weight_has_no_gradient(name):
    features, style = 3 * random(2, 1, 48, 40, CHANNELS)
    mask = np.zeros((1, 48, 40, 1), np.float32)
    mask[:, :24] = 0.7
    features = tf.constant(features)
    for weights in (mask, np.zeros_like(mask)):
        with tf.GradientTape() as tape:
            tape.watch(features)
            value = loss_of(name, features, style, tf.constant(weights))
        gradient = tape.gradient(value, features).numpy()
        assert np.isfinite(gradient).all()
        assert gradient[:, :24].any() == weights.any()
        # Windows that reach over the border of a mask count in part.
        assert not gradient[:, 24 + STYLE_LOSSES[name].window :].any()


@pytest.mark.parametrize("name", ["sliced_wasserstein", "histogram"])
def test_weights_draw_the_region_they_mark(name):
    features, style = random(2, 1, 96, 96, CHANNELS)
    style = style**2
    features[:, :40] = style[:, ::-1, ::-1][:, -40:]
    mask = np.zeros((1, 96, 96, 1), np.float32)
    mask[:, :40] = 0.5
    cropped = loss_of(name, features[:, :40], style).numpy()
    assert loss_of(name, features, style, mask).numpy() == pytest.approx(cropped, abs=0.003)
    assert loss_of(name, features, style).numpy() > cropped + 0.02


@pytest.mark.parametrize("name", ["sliced_wasserstein", "histogram"])
def test_every_position_is_drawn_in_the_end(name):
    features, style = random(2, 1, 90, 100, CHANNELS)
    drawn = [
        compiled(name, "float32")(features, style, tf.constant([1, step]))[1].numpy().any(axis=-1)
        for step in range(12)
    ]
    assert 0.4 < drawn[0].mean() < 0.5
    assert np.mean(np.any(drawn, axis=0)) > 0.99
    again = compiled(name, "float32")(features, style, tf.constant([1, 0]))[1].numpy()
    np.testing.assert_array_equal(again.any(axis=-1), drawn[0])


def test_many_channels_are_drawn_anew_at_every_step():
    features, style = random(2, 1, 8, 8, 40)
    for name, most in (("histogram", 32), ("phase_match", 16)):
        loss, drawn = STYLE_LOSSES[name], []
        maps, target = tf.constant(features), loss.statistic(style, None)
        for step in range(16):
            with tf.GradientTape() as tape:
                tape.watch(maps)
                value = loss.distance(loss.statistic(maps, None), target, tf.constant([0, step]))
            drawn.append(tape.gradient(value, maps).numpy().any(axis=(0, 1, 2)))
        assert (np.sum(drawn, axis=1) == most).all()
        assert np.any(drawn, axis=0).all()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_each_picture_of_a_batch_has_the_loss_that_it_has_alone(name, masked):
    """And its gradient; with one style for both, or one for each."""
    loss = STYLE_LOSSES[name]
    features, styles = 3 * random(2, 24, 19, CHANNELS), 4 * random(2, 30, 17, CHANNELS, seed=1)
    weights = random(2, 24, 19, 1, seed=2) if masked else None

    def found(places, style_places):
        maps = tf.constant(features[places])
        own = None if weights is None else weights[places]
        with tf.GradientTape() as tape:
            tape.watch(maps)
            target = loss.target(loss.statistic(tf.constant(styles[style_places]), None))
            value = loss.distance(loss.statistic(maps, own), target, DRAW)
        return value.numpy(), tape.gradient(value, maps).numpy()

    for style_places in ([0], [0, 1]):
        values, gradients = found([0, 1], style_places)
        assert values.shape == (2,) and values.dtype == np.float32
        for place in (0, 1):
            alone, gradient = found([place], [style_places[place % len(style_places)]])
            np.testing.assert_allclose(values[place], alone[0], rtol=1e-5)
            error = np.linalg.norm(gradients[place] - gradient[0])
            assert error < 1e-5 * np.linalg.norm(gradient)
    assert abs(values[0] - values[1]) > 1e-4


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_the_losses_that_draw_are_known(name):
    """Another draw gives another distance of those that settings name, and of no others."""
    loss, generator = STYLE_LOSSES[name], np.random.default_rng(3)
    maps = [tf.constant(generator.random((1, 80, 80, 48)), tf.float32) for _ in range(2)]
    found, wanted = (loss.of(each, {}) for each in maps)
    distances = [float(loss.distance(found, loss.target(wanted), tf.constant([seed, 1]))[0])
                 for seed in (0, 1)]
    assert (distances[0] != distances[1]) == (name in DRAWING_LOSSES)
