"""What of the content image the generated image keeps."""

from __future__ import annotations

import tensorflow as tf

EPSILON = 1e-3


def energy(values: tf.Tensor) -> tf.Tensor:
    """Sum of squares, a float32 scalar."""
    return tf.reduce_sum(tf.square(tf.cast(values, tf.float32)))


def relative_squared_error(values: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """‖values − target‖² / (‖target‖² + ε), a float32 scalar.

    0 at equality, 1 where `values` are all zero; ε, in the units of a squared activation, keeps it
    finite where the target is zero throughout. Both have the same shape.
    """
    return content_loss(values, target)


def content_loss(
    features: tf.Tensor, target: tf.Tensor, target_energy: tf.Tensor | None = None
) -> tf.Tensor:
    """Squared difference of two feature maps, relative to the content image's.

    Args:
        features, target: `(batch, height, width, channels)` of the generated and of the content
            image.
        target_energy: sum of squares of the content image's map, where `target` is a part of it.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 1, made free of scale by the target's norm.
    """
    if target_energy is None:
        target_energy = energy(target)
    difference = tf.cast(features, tf.float32) - tf.cast(target, tf.float32)
    return energy(difference) / (target_energy + EPSILON)
