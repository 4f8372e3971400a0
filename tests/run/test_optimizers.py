import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.resize import resize
from tf_style.run.optimizers import BETA_1, BETA_2, Moments, adam, carried_over, lbfgs

SHAPE = (1, 4, 6, 3)


def fresh(height=4, width=6):
    zeros = tf.zeros((1, height, width, 3))
    return Moments(zeros, zeros, tf.constant(0, tf.int64))


def test_steps_equal_keras_adam():
    theirs = keras.optimizers.Adam(0.1, beta_1=BETA_1, beta_2=BETA_2, epsilon=1e-12)
    moments = fresh()
    image = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    expected = tf.Variable(image)
    for seed in range(5):
        gradient = tf.constant(np.random.default_rng(seed).normal(size=SHAPE), tf.float32)
        theirs.apply([gradient], [expected])
        step, moments = adam(moments, gradient, tf.constant(0.1))
        image = image - step
    np.testing.assert_allclose(image, expected.numpy(), atol=1e-5)
    assert moments.count == 5


def test_steps_do_not_depend_on_the_gradients_scale():
    gradient = tf.constant(np.random.default_rng(0).normal(size=SHAPE), tf.float32)
    steps = [adam(fresh(), gradient * scale, tf.constant(0.1))[0] for scale in (1.0, 1e-8)]
    np.testing.assert_allclose(*steps, rtol=1e-2)


def test_steps_below_epsilon_are_as_long_as_the_gradient():
    gradient = tf.constant([1e-3, 1e-5, -1e-6, 0.0])
    zeros = Moments(tf.zeros(4), tf.zeros(4), tf.constant(0, tf.int64))
    step, _ = adam(zeros, gradient, tf.constant(0.1), tf.constant(1e-4))
    np.testing.assert_allclose(step, 0.1 * gradient / (np.abs(gradient) + 1e-4), rtol=1e-4)


def test_carried_moments_are_resampled_and_rescaled():
    spikes = np.zeros(SHAPE, np.float32)
    spikes[0, 1, 2] = 8
    _, before = adam(fresh(), tf.constant(spikes), tf.constant(0.1))
    after = carried_over(before, 8, 12)
    assert after.first.shape == (1, 8, 12, 3) and after.first.dtype == tf.float32
    assert after.second.numpy().min() >= 0
    assert after.count == 1
    # A quarter of the gradient for each of four times the pixels: its sum stays.
    assert after.first.numpy().sum() == pytest.approx(before.first.numpy().sum(), rel=1e-3)
    assert after.second.numpy().sum() == pytest.approx(before.second.numpy().sum() / 4, rel=1e-3)


def test_carried_moments_fit_the_gradients_of_the_new_size():
    """For a loss that is a mean over positions, of a picture with no detail to lose."""
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    coarse_image = np.stack(np.broadcast_arrays(ramp, ramp[:, None], ramp**2), axis=2)

    def gradient(image):
        image = tf.constant(image[None])
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(tf.square(image - 0.3))
        return tape.gradient(loss, image)

    moments, coarse = fresh(64, 64), gradient(coarse_image)
    for _ in range(200):
        _, moments = adam(moments, coarse, tf.constant(0.1))
    moments = carried_over(moments, 128, 128)
    expected = gradient(resize(coarse_image, 128, 128, smooth=True))
    np.testing.assert_allclose(moments.first, expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(
        moments.second, np.square(expected), atol=0.02 * np.square(expected).max()
    )


def test_lbfgs_finds_the_least_within_bounds_and_can_be_ended():
    wanted = np.array([0.3, -1.0, 2.0])
    seen = []

    def evaluate(pixels):
        return float(np.sum((pixels - wanted) ** 2)), 2 * (pixels - wanted)

    lbfgs(evaluate, np.full(3, 0.5), 20, lambda pixels, loss: seen.append(pixels.copy()))
    np.testing.assert_allclose(seen[-1], [0.3, 0, 1], atol=1e-5)
    steps = []
    lbfgs(evaluate, np.full(3, 0.5), 20, lambda pixels, loss: steps.append(loss) or True)
    assert len(steps) == 1
