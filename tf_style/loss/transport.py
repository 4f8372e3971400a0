"""Distances between distributions of activations: what it costs to move one onto the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from tf_style.loss.content import EPSILON

# Share of the target's mean variance. A direction with less has no shape to compare, only rounding
# errors, and the slope of its variance's square root is unbounded.
_FLOOR = 1e-3

# Decompositions of 256 or 512 channels would take as long as the convolutions of a step, or longer.
# With few positions, the axes are the style image itself: the head of The Scream appeared in a flat
# sea.
_AXES = 128

# Measured at 512 px on two cores: above these, sorting takes longer than everything else.
_POSITIONS = 4096
_DIRECTIONS = 32


def least_positions(channels: int) -> int:
    """How many positions a map of so many channels must have for its moments to be compared."""
    return 2 * _AXES if channels > _AXES else 1


def gaussian_target(moments: tf.Tensor) -> dict[str, tf.Tensor]:
    """What `gaussian_distance` needs from the style's moments, the same at each step.

    Args:
        moments: `(batch, channels, channels + 1)`, from `statistics.moments`.

    Returns:
        For each picture: `mean` `(batch, channels)` and `energy` `(batch,)`, ‖m'‖² + tr B' + ε,
        float32; and, float64, `floor` `(batch,)`, a thousandth of the mean variance, `root`
        `(batch, channels, channels)`, the square root of B = B' + floor · I, and `trace`
        `(batch,)`, that of B. B' is the covariance, its negative eigenvalues set to 0. With more
        than 128 channels, B is limited to the axes along which the style varies most: `axes`
        `(batch, channels, 128)`, float32, and `rest` `(batch,)`, the variance along all others.
    """
    covariance = _covariance(moments)
    floor = tf.cast(_floor(tf.linalg.diag_part(covariance)), tf.float64)
    values, vectors = tf.linalg.eigh(tf.cast(covariance, tf.float64))
    # Subtracting the bias of a mended style's moments can leave values slightly below zero.
    values = tf.nn.relu(values)
    energy = tf.reduce_sum(tf.square(moments[..., -1]), axis=-1) + tf.cast(
        tf.reduce_sum(values, axis=-1), tf.float32
    )
    target = {"mean": moments[..., -1], "energy": energy + EPSILON, "floor": floor}
    if moments.shape[1] > _AXES:
        target["axes"] = tf.cast(vectors[..., -_AXES:], tf.float32)
        target["rest"] = tf.reduce_sum(values[..., :-_AXES], axis=-1)
        values = values[..., -_AXES:] + floor[:, None]
        return {**target, "root": tf.linalg.diag(tf.sqrt(values)),
                "trace": tf.reduce_sum(values, axis=-1)}
    values += floor[:, None]
    return {
        **target,
        "root": tf.matmul(vectors * tf.sqrt(values)[:, None], vectors, transpose_b=True),
        "trace": tf.reduce_sum(values, axis=-1),
    }


def gaussian_distance(
    moments: tf.Tensor, target: Mapping[str, tf.Tensor], draw: tf.Tensor
) -> tf.Tensor:
    """Squared 2-Wasserstein distance of two Gaussians, relative to the target's mean square.

    ‖m − m'‖² + tr(A + B − 2 (B^½ A B^½)^½) over ‖m'‖² + tr B + ε, with means m, m' and
    covariances A, B, each with a thousandth of the target's mean variance added to its diagonal.
    Where the target has `axes`, A and B are taken along these, and of the variances along all
    others the sums a, b are compared: (√a − √b)². That is less than the whole distance.

    Args:
        moments: `(batch, channels, channels + 1)`, from `statistics.moments`.
        target: from `gaussian_target`.
        draw: not used.

    Returns:
        Float32 `(batch,)`.

    Source: Dowson, Landau, J. Multivariate Analysis 1982; as a style loss: Mroueh, Wasserstein
        Style Transfer, 2019.
    """
    del draw
    moved = tf.reduce_sum(tf.math.squared_difference(moments[..., -1], target["mean"]), axis=-1)
    covariance = _covariance(moments)
    if "axes" in target:
        covariance, rest = _along(target["axes"], covariance)
        floor = tf.cast(target["floor"], tf.float32)
        moved += tf.math.squared_difference(
            tf.sqrt(rest + floor), tf.sqrt(tf.cast(target["rest"], tf.float32) + floor)
        )
    # The eigenvalues of B^½ A B^½ span the square of the covariances' range, too much for float32.
    deformed = _bures_distance(
        tf.cast(covariance, tf.float64), target["root"], target["trace"], target["floor"]
    )
    return (moved + tf.cast(deformed, tf.float32)) / target["energy"]


def _along(axes: tf.Tensor, covariance: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A covariance `(batch, count, count)` along axes, and the variance along all others."""
    limited = tf.matmul(axes, tf.matmul(covariance, axes), transpose_a=True)
    return limited, tf.nn.relu(tf.linalg.trace(covariance) - tf.linalg.trace(limited))


def mean_std_distance(moments: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared differences of the channels' means and standard deviations.

    `gaussian_distance` for Gaussians without correlations: Σ (m − m')² + (s − s')².

    Args:
        moments, target: `(batch, channels, 2)`, from `statistics.channel_moments`.
        draw: not used.

    Returns:
        Float32 `(batch,)`.

    Source: Huang, Belongie, ICCV 2017, section 6.1; Li et al., IJCAI 2017, section 4.2.
    """
    del draw
    variance, target_variance = (
        tf.nn.relu(each[..., 0] - tf.square(each[..., 1])) for each in (moments, target)
    )
    floor = _floor(target_variance)[:, None]
    moved = tf.math.squared_difference(moments[..., 1], target[..., 1])
    deformed = tf.math.squared_difference(
        tf.sqrt(variance + floor), tf.sqrt(target_variance + floor)
    )
    energy = tf.reduce_sum(tf.nn.relu(target[..., 0]), axis=-1)
    return tf.reduce_sum(moved + deformed, axis=-1) / (energy + EPSILON)


def sliced_distance(rows: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared 2-Wasserstein distance along random directions, relative to the target's square.

    Along one direction, the cheapest way to move one distribution onto the other keeps the order,
    so sorted values are compared with the target's quantiles. At each step, 32 directions in the
    space of channels are drawn anew, and 4096 positions of each map that has more. So all count on
    average; a fixed choice would leave positions without a gradient.

    Args:
        rows, target: `(batch, positions, channels + 1)`, from `statistics.weighted_rows`; the
            numbers of positions may differ.
        draw: int32 `(2,)`, the seed and the step; the same for each picture.

    Returns:
        Float32 `(batch,)`.

    Source: Rabin et al., SSVM 2011; as a style loss: Heitz et al., CVPR 2021, eq. 4.
    """
    channels = rows.shape[-1] - 1
    directions = tf.random.stateless_normal([_DIRECTIONS, channels], _seed(draw, 1))
    return _distance_along(tf.math.l2_normalize(directions, axis=1), rows, target, draw)


def histogram_distance(rows: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared 2-Wasserstein distance of the channels' histograms: `sliced_distance` along axes.

    Args:
        rows, target, draw: as in `sliced_distance`. Of more than 32 channels, 32 are drawn.

    Source: the histograms that Risser, Wilmot, Barnes, 2017 match, compared by their quantiles.
    """
    channels = rows.shape[-1] - 1
    order = tf.argsort(tf.random.stateless_uniform([channels], _seed(draw, 1)))
    return _distance_along(tf.one_hot(order[:_DIRECTIONS], channels), rows, target, draw)


def _distance_along(
    directions: tf.Tensor, rows: tf.Tensor, target: tf.Tensor, draw: tf.Tensor
) -> tf.Tensor:
    values, target_values = (
        tf.sort(tf.matmul(directions, sample(each, draw, _POSITIONS), transpose_b=True))
        for each in (rows, target)
    )
    count, target_count = tf.shape(values)[2], tf.shape(target_values)[2]
    places = (2 * tf.range(count) + 1) * target_count // (2 * count)
    quantiles = tf.gather(target_values, places, axis=2)
    return tf.reduce_mean(tf.math.squared_difference(values, quantiles), axis=(1, 2)) / (
        tf.reduce_mean(tf.square(quantiles), axis=(1, 2)) + EPSILON
    )


def sample(rows: tf.Tensor, draw: tf.Tensor, most: int) -> tf.Tensor:
    """At most `most` positions drawn by their weights; each counts the same.

    One is drawn at random from each of `count` equal shares of the weight. They spread evenly over
    the map as with a fixed stride, but there is no stride that could beat with a texture's period.
    With equal weights and no more than `count` positions, all positions are taken.
    """
    batch, positions = tf.shape(rows)[0], tf.shape(rows)[1]
    ends = tf.cumsum(tf.cast(rows[..., -1], tf.float64), axis=1)
    count = tf.minimum(positions, most)
    inside = tf.random.stateless_uniform([count], _seed(draw, 0), dtype=tf.float64)
    shares = (tf.cast(tf.range(count), tf.float64) + inside) / tf.cast(count, tf.float64)
    places = tf.searchsorted(ends, shares * ends[:, -1:], side="right")
    places = tf.minimum(places, positions - 1) + positions * tf.range(batch)[:, None]
    drawn = tf.gather(tf.reshape(rows, [batch * positions, rows.shape[-1]]), places)[..., :-1]
    # Where nothing has weight, there is nothing to draw: zeros, without a gradient.
    return drawn * tf.cast(ends[:, -1:, None] > 0, tf.float32)


def _seed(draw: tf.Tensor, purpose: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(draw, purpose)


def _covariance(moments: tf.Tensor) -> tf.Tensor:
    mean = moments[..., -1]
    return moments[..., :-1] - mean[..., :, None] * mean[..., None, :]


def _floor(variances: tf.Tensor) -> tf.Tensor:
    return _FLOOR * (tf.nn.relu(tf.reduce_mean(variances, axis=-1)) + EPSILON)


@tf.custom_gradient
def _bures_distance(
    covariance: tf.Tensor, root: tf.Tensor, trace: tf.Tensor, floor: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor | None, ...]]]:
    """tr(A + B − 2 (B^½ A B^½)^½), where `floor` is added to A's diagonal, and B^½ is `root`.

    Its gradient with respect to A is I − T, where T = B^½ (B^½ A B^½)^−½ B^½ is the matrix that
    maps one Gaussian onto the other. It does not depend on single eigenvectors and is finite where
    eigenvalues repeat; the derivative of an eigendecomposition is not.
    """
    identity = tf.eye(tf.shape(root)[1], dtype=root.dtype)
    covariance += floor[:, None, None] * identity
    values, vectors = tf.linalg.eigh(root @ covariance @ root)
    # Values are below the square of the floor only where rounding made a covariance indefinite.
    roots = tf.sqrt(tf.maximum(values, tf.square(floor)[:, None]))

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        half = root @ (vectors / tf.sqrt(roots)[:, None])
        slope = identity - tf.matmul(half, half, transpose_b=True)
        return upstream[:, None, None] * slope, None, None, None

    return tf.linalg.trace(covariance) + trace - 2 * tf.reduce_sum(roots, axis=-1), gradient
