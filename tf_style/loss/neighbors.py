"""Distances between single places of two feature maps, each compared with its nearest."""

from __future__ import annotations

import tensorflow as tf

from tf_style.loss.content import EPSILON
from tf_style.loss.transport import sample

# At 256 px and four layers, these take 0.4 times as long as the moments; twice as many, 1.2 times.
_POSITIONS = 1024

# Of a cosine, for each use above the average. Measured on two pairs: with 0.2, more is copied.
_PENALTY = 0.5


def neighbor_distance(rows: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Mean squared distance of the image's places to the most similar places of the style.

    |u − v|² = 2 − 2 cos of vectors u, v of length 1. They have the direction in which the channels'
    values at a place differ from their mean over the picture. At each step, 1024 places of each map
    that has more are drawn anew, the same ones of maps of one size.

    A place of the style that is nearest to many would be repeated all over the image. So the
    nearest are chosen twice. For the second choice, each use above the average takes 0.5 from a
    place's cosine. This decides which places are compared, and is no part of the loss.

    Args:
        rows, target: `(batch, positions, channels + 1)`, from `statistics.weighted_rows`; the
            numbers of positions may differ.
        draw: int32 `(2,)`, the seed and the step; the same for each picture.

    Returns:
        Float32 `(batch,)`, from 0 to 4: 0 if the maps are equal, 1 if one of them is constant and
        the other is not.

    Source: the distance is that of Kolkin et al., Neural Neighbor Style Transfer, 2022; the penalty
        is the occurrence penalty of Zhou et al., Guided Correspondence, CVPR 2023, who count the
        first use, too: a map would not be at 0 from itself.
    """
    found, wanted = (_directions(sample(each, draw, _POSITIONS)) for each in (rows, target))
    wanted = tf.repeat(wanted, tf.shape(found)[0] // tf.shape(wanted)[0], axis=0)
    nearest = tf.gather(wanted, _nearest(found, wanted), batch_dims=1)
    return tf.reduce_mean(
        tf.reduce_sum(tf.math.squared_difference(found, nearest), axis=-1), axis=1
    )


def _directions(values: tf.Tensor) -> tf.Tensor:
    """Vectors `(batch, positions, channels)` less their mean, of length 1, or 0 if all are equal.

    Where a vector is short, ε keeps its gradient finite.
    """
    values -= tf.reduce_mean(values, axis=1, keepdims=True)
    length = tf.reduce_sum(tf.square(values), axis=-1, keepdims=True)
    return values * tf.math.rsqrt(length + EPSILON)


def _nearest(found: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Which of the `wanted` each of the `found` is compared with, int `(batch, positions)`."""
    similarity = tf.stop_gradient(tf.matmul(found, wanted, transpose_b=True))
    count, choices = tf.shape(found)[1], tf.shape(wanted)[1]
    chosen = tf.one_hot(tf.argmax(similarity, axis=2), choices)
    average = tf.maximum(tf.cast(count, tf.float32) / tf.cast(choices, tf.float32), 1.0)
    excess = tf.nn.relu(tf.reduce_sum(chosen, axis=1, keepdims=True) / average - 1)
    return tf.argmax(similarity - _PENALTY * excess, axis=2)
