"""How much neighbouring pixels of the generated image differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_style.loss.terms import Loss


@tf.custom_gradient
def total_variation(image: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Sum of absolute differences between neighbouring pixels, per pixel.

    Args:
        image: `(batch, height, width, channels)` float32.

    Returns:
        Float32 `(batch,)`: `tf.image.total_variation` over height x width.

    Source: Rudin, Osher, Fatemi 1992, in its anisotropic form; for pictures made from features:
        Mahendran, Vedaldi, CVPR 2015.
    """
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    scale = 1 / tf.cast(tf.size(image[0, ..., 0]), tf.float32)
    total = tf.add_n([tf.reduce_sum(tf.abs(each), axis=(1, 2, 3)) for each in (down, right)])

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        rows = tf.pad(tf.sign(down), [[0, 0], [1, 1], [0, 0], [0, 0]])
        columns = tf.pad(tf.sign(right), [[0, 0], [0, 0], [1, 1], [0, 0]])
        divergence = rows[:, :-1] - rows[:, 1:] + columns[:, :, :-1] - columns[:, :, 1:]
        return (upstream * scale)[:, None, None, None] * divergence

    return total * scale, gradient


def _pixels(image: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    del weights
    return image


def _variation(image: tf.Tensor, target: Any, draw: tf.Tensor) -> tf.Tensor:
    del target, draw
    return total_variation(image)


VARIATION = Loss("variation", _pixels, _variation)
