"""How far a film's frame leaves the previous one, where both show the same."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_style.loss.content import pixel_loss
from tf_style.loss.terms import Loss


def temporal_loss(image: tf.Tensor, previous: tf.Tensor, trust: tf.Tensor) -> tf.Tensor:
    """Mean squared difference from the warped previous frame, weighted by trust.

    As `pixel_loss`, 1 where all pixels are trusted and off by half their range. The mean is over
    all pixels, trusted or not: each is held as firmly, however many are.

    Args:
        image: `(batch, height, width, 3)` in `[0, 1]`.
        previous: the previous frame as it was painted, warped along the optical flow, likewise.
        trust: how far flow and its reverse agree, `(1, height, width, 1)` in `[0, 1]`.

    Returns:
        Float32 `(batch,)`.

    Source: Ruder, Dosovitskiy, Brox, Artistic style transfer for videos, GCPR 2016, section
        "Temporal consistency loss". Their long-term loss is the same: at each pixel, a weighted sum
        of squared differences from several frames is one from their mean, and a constant.
    """
    return pixel_loss(image, previous, trust)


def _image(image: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    del weights
    return image


def _distance(image: tf.Tensor, target: dict[str, Any], draw: tf.Tensor) -> tf.Tensor:
    del draw
    return temporal_loss(image, target["map"], target["weights"])


TEMPORAL = Loss("previous", _image, _distance)
