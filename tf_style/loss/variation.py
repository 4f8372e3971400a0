"""How restless the generated image is."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


@tf.custom_gradient
def total_variation(image: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Sum of absolute differences between neighbouring pixels, per pixel.

    Args:
        image: `(batch, height, width, channels)` float32.

    Returns:
        A float32 scalar: `tf.image.total_variation` over batch x height x width.

    Source: Rudin, Osher, Fatemi 1992, in its anisotropic form; for pictures of features Mahendran,
        Vedaldi, CVPR 2015.
    """
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    scale = 1 / tf.cast(tf.size(image[..., 0]), tf.float32)
    total = (tf.reduce_sum(tf.abs(down)) + tf.reduce_sum(tf.abs(right))) * scale

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        rows = tf.pad(tf.sign(down), [[0, 0], [1, 1], [0, 0], [0, 0]])
        columns = tf.pad(tf.sign(right), [[0, 0], [0, 0], [1, 1], [0, 0]])
        divergence = rows[:, :-1] - rows[:, 1:] + columns[:, :, :-1] - columns[:, :, 1:]
        return upstream * scale * divergence

    return total, gradient
