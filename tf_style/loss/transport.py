"""Distances between distributions of activations: what it costs to move one onto the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from tf_style.loss.content import EPSILON

# Of the target's mean variance. A direction with less than that has no shape to compare, only
# rounding errors, and the square root of its variance has no bounded slope.
_FLOOR = 1e-3

# Measured at 512 px on two cores: sorting takes longer than all the rest from about here on.
_POSITIONS = 4096
_DIRECTIONS = 32


def gaussian_target(moments: tf.Tensor) -> dict[str, tf.Tensor]:
    """What `gaussian_distance` needs of the style's moments, the same at each step.

    Args:
        moments: `(1, channels, channels + 1)`, from `statistics.moments`.

    Returns:
        `mean` `(1, channels)` and `energy`, ‖m'‖² + tr B' + ε, float32; and, float64, `floor`, a
        thousandth of the mean variance, `root`, the square root of B = B' + floor · I, and `trace`,
        that of B. B' is the covariance, its negative eigenvalues set to 0.
    """
    covariance = _covariance(moments)
    floor = tf.cast(_floor(tf.linalg.diag_part(covariance)), tf.float64)
    values, vectors = tf.linalg.eigh(tf.cast(covariance[0], tf.float64))
    # What mending takes off a poor style's moments can leave a little less than nothing.
    values = tf.nn.relu(values)
    energy = tf.reduce_sum(tf.square(moments[..., -1])) + tf.cast(
        tf.reduce_sum(values), tf.float32
    )
    values += floor
    return {
        "mean": moments[..., -1],
        "energy": energy + EPSILON,
        "floor": floor,
        "root": tf.matmul(vectors * tf.sqrt(values), vectors, transpose_b=True),
        "trace": tf.reduce_sum(values),
    }


def gaussian_distance(
    moments: tf.Tensor, target: Mapping[str, tf.Tensor], draw: tf.Tensor
) -> tf.Tensor:
    """Squared 2-Wasserstein distance of two Gaussians, relative to the target's mean square.

    ‖m − m'‖² + tr(A + B − 2 (B^½ A B^½)^½) over ‖m'‖² + tr B + ε, with means m, m' and
    covariances A, B, each with a thousandth of the target's mean variance added to its diagonal.

    Args:
        moments: `(1, channels, channels + 1)`, from `statistics.moments`.
        target: from `gaussian_target`.
        draw: not used.

    Source: Dowson, Landau, J. Multivariate Analysis 1982; for style Mroueh, Wasserstein Style
        Transfer, 2019.
    """
    del draw
    moved = tf.reduce_sum(tf.math.squared_difference(moments[..., -1], target["mean"]))
    # The eigenvalues of B^½ A B^½ span the square of the covariances' range: float32 ends there.
    covariance = tf.cast(_covariance(moments)[0], tf.float64)
    deformed = _bures_distance(covariance, target["root"], target["trace"], target["floor"])
    return (moved + tf.cast(deformed, tf.float32)) / target["energy"]


def mean_std_distance(moments: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared differences of the channels' means and standard deviations.

    `gaussian_distance` for Gaussians without correlations: Σ (m − m')² + (s − s')².

    Args:
        moments, target: `(1, channels, 2)`, from `statistics.channel_moments`.
        draw: not used.

    Source: Huang, Belongie, ICCV 2017, section 6.1; Li et al., IJCAI 2017, section 4.2.
    """
    del draw
    variance, target_variance = (
        tf.nn.relu(each[..., 0] - tf.square(each[..., 1])) for each in (moments, target)
    )
    floor = _floor(target_variance)
    moved = tf.math.squared_difference(moments[..., 1], target[..., 1])
    deformed = tf.math.squared_difference(
        tf.sqrt(variance + floor), tf.sqrt(target_variance + floor)
    )
    energy = tf.reduce_sum(tf.nn.relu(target[..., 0]))
    return tf.reduce_sum(moved + deformed) / (energy + EPSILON)


def sliced_distance(rows: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared 2-Wasserstein distance along random directions, relative to the target's square.

    Along one direction the cheapest way to move one distribution onto the other is to keep the
    order: sorted values are compared with the target's quantiles. 32 directions of the channels'
    space, and 4096 positions of each map if it has more, are drawn anew at every step, so that in
    the mean all count: a fixed choice would leave positions without a gradient.

    Args:
        rows, target: `(1, positions, channels + 1)`, from `statistics.weighted_rows`, with any
            two numbers of positions.
        draw: int32 `(2,)`, the seed and the step.

    Source: Rabin et al., SSVM 2011; for style Heitz et al., CVPR 2021, eq. 4.
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
        tf.sort(tf.matmul(directions, _sample(tf.squeeze(each, axis=0), draw), transpose_b=True))
        for each in (rows, target)
    )
    count, target_count = tf.shape(values)[1], tf.shape(target_values)[1]
    places = (2 * tf.range(count) + 1) * target_count // (2 * count)
    quantiles = tf.gather(target_values, places, axis=1)
    return tf.reduce_mean(tf.math.squared_difference(values, quantiles)) / (
        tf.reduce_mean(tf.square(quantiles)) + EPSILON
    )


def _sample(rows: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Positions drawn by their weights, `(count, channels)`, each of which counts the same.

    One from each of `count` equal shares of the weight, at random within it: spread evenly over
    the map as with a fixed stride, but without one that a texture's period could beat with. With
    no more positions than are taken and equal weights, these are all positions.
    """
    ends = tf.cumsum(tf.cast(rows[:, -1], tf.float64))
    count = tf.minimum(tf.shape(rows)[0], _POSITIONS)
    inside = tf.random.stateless_uniform([count], _seed(draw, 0), dtype=tf.float64)
    shares = (tf.cast(tf.range(count), tf.float64) + inside) / tf.cast(count, tf.float64)
    places = tf.searchsorted(ends, shares * ends[-1], side="right")
    places = tf.minimum(places, tf.shape(rows)[0] - 1)
    # Where nothing has weight there is nothing to draw: zeros, and no gradient.
    return tf.gather(rows, places)[:, :-1] * tf.cast(ends[-1] > 0, tf.float32)


def _seed(draw: tf.Tensor, purpose: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(draw, purpose)


def _covariance(moments: tf.Tensor) -> tf.Tensor:
    mean = moments[..., -1]
    return moments[..., :-1] - mean[..., :, None] * mean[..., None, :]


def _floor(variances: tf.Tensor) -> tf.Tensor:
    return _FLOOR * (tf.nn.relu(tf.reduce_mean(variances)) + EPSILON)


@tf.custom_gradient
def _bures_distance(
    covariance: tf.Tensor, root: tf.Tensor, trace: tf.Tensor, floor: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor | None, ...]]]:
    """tr(A + B − 2 (B^½ A B^½)^½), where `floor` is added to A's diagonal, and B^½ is `root`.

    Its gradient with respect to A is I − T, where T = B^½ (B^½ A B^½)^−½ B^½ is the matrix that
    maps the one Gaussian onto the other. It knows no eigenvectors one by one, and is finite where
    eigenvalues repeat; the derivative of an eigendecomposition is not.
    """
    identity = tf.eye(tf.shape(root)[0], dtype=root.dtype)
    covariance += floor * identity
    values, vectors = tf.linalg.eigh(root @ covariance @ root)
    # Below the square of the floor only where rounding has made a covariance indefinite.
    roots = tf.sqrt(tf.maximum(values, tf.square(floor)))

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        half = root @ (vectors / tf.sqrt(roots))
        return (
            upstream * (identity - tf.matmul(half, half, transpose_b=True)), None, None, None
        )

    return tf.linalg.trace(covariance) + trace - 2 * tf.reduce_sum(roots), gradient
