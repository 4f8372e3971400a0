"""How much of the content image the generated image keeps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_style.loss.statistics import paired_moments
from tf_style.loss.terms import Loss

EPSILON = 1e-3


def energy(values: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Sum of squares of each picture's values, float32 `(batch,)`.

    Args:
        weights: of the squares, float32, of a shape that broadcasts to that of `values`.
    """
    all_but_first = list(range(1, values.shape.rank))
    squares = tf.square(tf.cast(values, tf.float32))
    return tf.reduce_sum(squares if weights is None else weights * squares, axis=all_but_first)


def relative_squared_error(values: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """‖values − target‖² / (‖target‖² + ε) for each picture, float32 `(batch,)`.

    0 at equality, 1 where all `values` are zero. ε, in units of a squared activation, keeps it
    finite where the whole target is zero.

    Args:
        values: `(batch, …)`, any float type.
        target: of the same shape, or one picture for the whole batch.
    """
    return content_loss(values, target)


def content_loss(
    features: tf.Tensor, target: tf.Tensor, target_energy: tf.Tensor | None = None,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """Squared difference of two feature maps, relative to the content image's sum of squares.

    Args:
        features, target: maps `(batch, height, width, channels)` of the generated image and of the
            content image.
        target_energy: sum of squares of the content image's whole map, `(batch,)`, if `target` is
            only a part of it.
        weights: how much the difference counts at each position, `(1, height, width, 1)`. The
            content's sum of squares is not weighted: a weight of 1 is the same as none, whatever
            the weights elsewhere.

    Returns:
        Float32 `(batch,)`.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 1, made independent of scale by the target's norm.
    """
    features, target = tf.convert_to_tensor(features), tf.convert_to_tensor(target)
    if target_energy is None:
        target_energy = energy(target)
    difference = tf.cast(features, tf.float32) - tf.cast(target, tf.float32)
    return energy(difference, weights) / (target_energy + EPSILON)


def cosine_distance(moments: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared difference of two feature maps, each channel's mean removed, scaled to length 1.

    Which is 2 (1 − cos) of the angle between them. The style decides the channels' means and how
    strong a map is; the content, what is where.

    Args:
        moments: `(batch, channels, 3)`, from `statistics.paired_moments`.
        target: those of the content paired with itself.
        draw: not used.

    Returns:
        Float32 `(batch,)`: 0 for the same structure, 2 for an unrelated one.

    Source: our own; the normalisation of a map by its mean and size is that of Huang, Belongie,
        ICCV 2017, section 5, taken over all channels together.
    """
    del draw
    product, mean, square = tf.unstack(moments, axis=-1)
    _, content_mean, content_square = tf.unstack(target, axis=-1)
    together = tf.reduce_sum(product - mean * content_mean, axis=-1)
    sizes = [
        tf.nn.relu(tf.reduce_sum(second - tf.square(first), axis=-1)) + EPSILON
        for first, second in ((mean, square), (content_mean, content_square))
    ]
    return 2 - 2 * (together + EPSILON) / tf.sqrt(sizes[0] * sizes[1])


def pixel_loss(
    image: tf.Tensor, content: tf.Tensor, weights: tf.Tensor | None = None
) -> tf.Tensor:
    """Mean squared difference of two pictures; 1 where all pixels are off by half their range.

    Args:
        image, content: `(batch, height, width, 3)` in `[0, 1]`, or one picture as the content of
            the whole batch.
        weights: how much the difference counts at each pixel, `(1, height, width, 1)`.

    Returns:
        Float32 `(batch,)`.
    """
    difference = tf.convert_to_tensor(image) - content
    return 4 * energy(difference, weights) / tf.cast(tf.size(image[0]), tf.float32)


def pixel_loss_curvature(size: int) -> float:
    """How fast a value's gradient of `pixel_loss` grows with its difference.

    Args:
        size: how many values the picture has.
    """
    return 8 / size


def _map(features: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    del weights
    return features


def _distance(features: tf.Tensor, target: dict[str, tf.Tensor], draw: tf.Tensor) -> tf.Tensor:
    del draw
    return content_loss(features, target["map"], target["energy"], target.get("weights"))


def _target(features: tf.Tensor) -> dict[str, Any]:
    return {"map": features, "energy": energy(features)}


def _pixel_distance(image: tf.Tensor, target: dict[str, tf.Tensor], draw: tf.Tensor) -> tf.Tensor:
    del draw
    return pixel_loss(image, target["map"], target.get("weights"))


def _pixel_target(image: tf.Tensor) -> dict[str, Any]:
    return {"map": image}


PIXEL_LOSS = Loss("pixels", _map, _pixel_distance, target=_pixel_target)
CONTENT_LOSSES = {
    "squared": Loss("features", _map, _distance, target=_target, sum_over_positions=True),
    "cosine": Loss(
        "structure", paired_moments, cosine_distance, mean_over_positions=True, paired=True
    ),
}
