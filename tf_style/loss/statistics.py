"""Statistics of feature maps: what is left of a map, or of two, when positions are ignored.

Each takes soft weights, a mask of the positions that count. All but `weighted_rows` are means over
positions: the statistic of a map is the mean of its parts' statistics, each part weighted by its
number of positions or by the sum of its weights.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

# Keeps a mean over nothing finite; far below the weight of a single position.
TINY = 1e-12

_PARTS = 16


def gram_matrix(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Correlations between the channels of a feature map, averaged over positions.

    Args:
        features: `(batch, height, width, channels)`, any float type.
        weights: `(batch, height, width, 1)` float32, at least 0; without them every position
            counts the same.

    Returns:
        `(batch, channels, channels)` float32, symmetric, positive semi-definite. Sums are
        taken in float32 whatever the input's type, because float16 would overflow. Zero where no
        position has weight.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 3, divided by height x width so that it does
        not depend on the picture's size.
    """
    rows = _rows(features)
    if weights is None:
        return products(rows) / tf.cast(tf.shape(rows)[1], tf.float32)
    weights = _rows(weights)
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    return products(rows * tf.cast(tf.sqrt(weights), rows.dtype)) / (total + TINY)


def moments(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """The first two moments of all channels together, to fit a Gaussian with.

    Args:
        features, weights: as in `gram_matrix`.

    Returns:
        `(batch, channels, channels + 1)` float32: the Gram matrix and, in the last column, the
        means. Both are moments about zero: only these are means over positions. A covariance
        computed from them has an error of a few millionths of the mean square, whatever the
        input's type.
    """
    if weights is None:
        return _plain_moments(_rows(features))
    # Exact: the rounding error of a bfloat16 Gram matrix is larger than many covariances.
    features = tf.cast(features, tf.float32)
    mean = _mean(_rows(features), weights)
    return tf.concat([gram_matrix(features, weights), mean[..., None]], axis=-1)


def channel_moments(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """The first two moments of each channel by itself: the diagonal of `moments`.

    Args:
        features, weights: as in `gram_matrix`.

    Returns:
        `(batch, channels, 2)` float32: the mean square and the mean.
    """
    rows = _rows(tf.cast(features, tf.float32))
    return tf.stack([_mean(tf.square(rows), weights), _mean(rows, weights)], axis=-1)


def paired_moments(
    features: tf.Tensor, weights: tf.Tensor | None, paired: tf.Tensor
) -> tf.Tensor:
    """How a map varies together with another of its size, channel by channel.

    Args:
        features, weights: as in `gram_matrix`.
        paired: the other map, `(1, height, width, channels)`.

    Returns:
        `(batch, channels, 3)` float32: means of the product of both maps, of the features, and of
        their square.
    """
    values, others = (_rows(tf.cast(each, tf.float32)) for each in (features, paired))
    return tf.stack([
        _mean(each, weights) for each in (values * others, values, tf.square(values))
    ], axis=-1)


def weighted_rows(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """The channels' values at all positions, and the positions' weights: a sample of points.

    Args:
        features, weights: as in `gram_matrix`.

    Returns:
        `(batch, height x width, channels + 1)` float32, the weights in the last column.
    """
    rows = _rows(tf.cast(features, tf.float32))
    weights = tf.ones_like(rows[..., :1]) if weights is None else _rows(weights)
    return tf.concat([rows, weights], axis=-1)


@tf.custom_gradient
def products(rows: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The products of all pairs of columns, summed over rows.

    Args:
        rows: `(batch, rows, channels)`, any float type.

    Returns:
        `(batch, channels, channels)` float32, symmetric.
    """
    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # One product where automatic differentiation needs two, because the result is symmetric.
        both = upstream + tf.linalg.matrix_transpose(upstream)
        return tf.matmul(rows, tf.cast(both, rows.dtype))

    return _products(rows), gradient


@tf.custom_gradient
def _plain_moments(rows: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The exact moments of rows of equal weight."""
    exact = tf.cast(rows, tf.float32)
    count = tf.cast(tf.shape(rows)[1], tf.float32)
    # The gradient ends as bfloat16 in any case, and its hardware units are twice as fast. float16
    # could not hold numbers that small.
    type_back = rows.dtype if rows.dtype == tf.bfloat16 else tf.float32

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # The mean's part is added in place. Automatic differentiation would make it a separate
        # array, as large as the map.
        of_products, of_mean = upstream[..., :-1] / count, upstream[..., -1] / count
        both = tf.cast(of_products + tf.linalg.matrix_transpose(of_products), type_back)
        found = tf.matmul(tf.cast(rows, type_back), both) + tf.cast(of_mean, type_back)[:, None]
        return tf.cast(found, rows.dtype)

    return tf.concat(
        [_products(exact) / count, tf.reduce_mean(exact, axis=1)[..., None]], axis=-1
    ), gradient


def _products(rows: tf.Tensor) -> tf.Tensor:
    if rows.dtype != tf.bfloat16:
        exact = tf.cast(rows, tf.float32)
        return tf.matmul(exact, exact, transpose_a=True)
    # A product of bfloat16 matrices is summed in float32 and rounded once. Its hardware units are
    # twice as fast as those for float32. Adding up a few parts in float32 averages out that error.
    batch, count, channels = tf.shape(rows)[0], tf.shape(rows)[1], rows.shape[-1]
    whole = count // _PARTS * _PARTS
    parts = tf.reshape(rows[:, :whole], [batch * _PARTS, whole // _PARTS, channels])
    products = tf.cast(tf.matmul(parts, parts, transpose_a=True), tf.float32)
    rest = rows[:, whole:]
    return tf.reduce_sum(
        tf.reshape(products, [batch, _PARTS, channels, channels]), axis=1
    ) + tf.cast(tf.matmul(rest, rest, transpose_a=True), tf.float32)


def _rows(maps: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(maps)
    return tf.reshape(maps, [shape[0], shape[1] * shape[2], maps.shape[-1]])


def _mean(rows: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    """The weighted mean over rows, `(batch, channels)`."""
    if weights is None:
        return tf.reduce_mean(rows, axis=1)
    weights = _rows(weights)
    # A product, not a sum of products: it makes no second copy of the rows.
    total = tf.matmul(weights, rows, transpose_a=True)[:, 0]
    return total / (tf.reduce_sum(weights, axis=1) + TINY)
