"""Statistics of feature maps: what is left of a map when places are forgotten."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

_PARTS = 16


@tf.custom_gradient
def gram_matrix(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Correlations between the channels of a feature map, averaged over positions.

    Args:
        features: `(batch, height, width, channels)`, any float type.

    Returns:
        `(batch, channels, channels)` float32, symmetric, positive semi-definite. Sums are
        taken in float32 whatever the input's type: float16 overflows here.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 3, divided by height x width so that it does
        not depend on the picture's size.
    """
    shape = tf.shape(features)
    positions = shape[1] * shape[2]
    rows = tf.reshape(features, [shape[0], positions, features.shape[-1]])
    scale = 1 / tf.cast(positions, tf.float32)
    gram = _products(rows) * scale

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # One product where automatic differentiation takes two: the Gram matrix is symmetric.
        both = (upstream + tf.linalg.matrix_transpose(upstream)) * scale
        return tf.reshape(tf.matmul(rows, tf.cast(both, rows.dtype)), shape)

    return gram, gradient


def _products(rows: tf.Tensor) -> tf.Tensor:
    """The products of all pairs of columns of `(batch, rows, channels)`, float32."""
    if rows.dtype != tf.bfloat16:
        exact = tf.cast(rows, tf.float32)
        return tf.matmul(exact, exact, transpose_a=True)
    # A product of bfloat16 matrices is summed in float32 and rounded once. The units for it are
    # twice as fast as float32's; the sum of some parts, taken in float32, rounds that error off.
    batch, count, channels = tf.shape(rows)[0], tf.shape(rows)[1], rows.shape[-1]
    whole = count // _PARTS * _PARTS
    parts = tf.reshape(rows[:, :whole], [batch * _PARTS, whole // _PARTS, channels])
    products = tf.cast(tf.matmul(parts, parts, transpose_a=True), tf.float32)
    rest = rows[:, whole:]
    return tf.reduce_sum(
        tf.reshape(products, [batch, _PARTS, channels, channels]), axis=1
    ) + tf.cast(tf.matmul(rest, rest, transpose_a=True), tf.float32)
