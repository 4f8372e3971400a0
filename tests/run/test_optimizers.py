import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.files import resize
from tf_style.run.optimizers import Adam

SHAPE = (1, 4, 6, 3)


def fresh(height=4, width=6):
    adam = Adam()
    adam.reset(height, width)
    return adam


def test_steps_equal_keras_adam():
    theirs = keras.optimizers.Adam(0.1, beta_1=Adam.BETA_1, beta_2=Adam.BETA_2, epsilon=1e-12)
    ours = fresh()
    image = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    expected = tf.Variable(image)
    for seed in range(5):
        gradient = tf.constant(np.random.default_rng(seed).normal(size=SHAPE), tf.float32)
        theirs.apply([gradient], [expected])
        image = image - ours.update(gradient, tf.constant(0.1))
    np.testing.assert_allclose(image, expected.numpy(), atol=1e-5)


def test_steps_do_not_depend_on_the_gradients_scale():
    gradient = tf.constant(np.random.default_rng(0).normal(size=SHAPE), tf.float32)
    steps = [fresh().update(gradient * scale, 0.1) for scale in (1.0, 1e-8)]
    np.testing.assert_allclose(*steps, rtol=1e-2)


def test_carried_moments_are_resampled_and_rescaled():
    adam = fresh()
    spikes = np.zeros(SHAPE, np.float32)
    spikes[0, 1, 2] = 8
    adam.update(tf.constant(spikes), tf.constant(0.1))
    first, second = adam.first.numpy(), adam.second.numpy()
    adam.carry_over(8, 12)
    assert adam.first.numpy().shape == (1, 8, 12, 3)
    assert adam.second.numpy().min() >= 0
    assert adam.count == 1
    # A quarter of the gradient for each of four times the pixels: its sum stays.
    assert adam.first.numpy().sum() == pytest.approx(first.sum(), rel=1e-3)
    assert adam.second.numpy().sum() == pytest.approx(second.sum() / 4, rel=1e-3)


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

    adam = fresh(64, 64)
    for _ in range(1000):
        adam.update(gradient(coarse_image), tf.constant(0.1))
    adam.carry_over(128, 128)
    expected = gradient(resize(coarse_image, 128, 128, smooth=True))
    np.testing.assert_allclose(adam.first, expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(
        adam.second, np.square(expected), atol=0.02 * np.square(expected).max()
    )


def test_reset_forgets():
    adam = fresh()
    gradient = tf.ones(SHAPE)
    first = adam.update(gradient, tf.constant(0.1))
    adam.update(5 * gradient, tf.constant(0.1))
    adam.reset(4, 6)
    np.testing.assert_array_equal(adam.update(gradient, tf.constant(0.1)), first)
