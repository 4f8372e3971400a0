"""Grain of the generated image that the style does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image.style import Style
from tf_style.loss.terms import Loss

# The plain parts of a style: those with the least grain.
_PLAIN = 0.25

# A value of 8 bits: no picture has less grain than its rounding leaves.
_LEAST_VARIANCE = (1 / 255) ** 2


@tf.custom_gradient
def grain(
    image: tf.Tensor, variance: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """Mean square of what is finer than three pixels, relative to the style's.

    Covariances of feature maps say how strong the grain of a picture is, not where. What a style
    has at its edges, an image whose content is plain would get as single dots: there, they are what
    changes feature maps most. Total variation makes them fewer, and each of them stronger.

    Args:
        image: `(batch, height, width, channels)` float32.
        variance: of the style's grain, `(1, 1, 1, 1)` or `(1, height, width, 1)`.

    Returns:
        Float32 `(batch,)`.
    """
    finer = _finer(image)
    relative = finer / variance
    size = tf.cast(tf.size(image[0]), tf.float32)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # A symmetric filter is its own transpose.
        return (2 * upstream / size)[:, None, None, None] * _finer(relative), None

    return tf.reduce_sum(relative * finer, axis=(1, 2, 3)) / size, gradient


def _finer(image: tf.Tensor) -> tf.Tensor:
    """The image without its mean over 3x3 pixels, of binomial weights; borders are repeated."""
    rows = tf.concat([image[:, :1], image, image[:, -1:]], 1)
    smooth = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    columns = tf.concat([smooth[:, :, :1], smooth, smooth[:, :, -1:]], 2)
    return image - (columns[:, :, :-2] + 2 * columns[:, :, 1:-1] + columns[:, :, 2:]) / 16


def grain_of(styles: Sequence[Style]) -> tf.Tensor:
    """The variance of the styles' grain in their plain parts.

    Returns:
        Float32 `(1, 1, 1, 1)`; or, where styles have regions of the image, `(1, height, width, 1)`,
        infinite where none has.
    """
    found = [_in_plain_parts(style) for style in styles]
    if styles[0].region is None:
        shares = [style.share for style in styles]
        return tf.constant(np.average(found, weights=shares), tf.float32, (1, 1, 1, 1))
    firmness = sum(style.region / each for style, each in zip(styles, found, strict=True))
    with np.errstate(divide="ignore"):
        return tf.constant((1 / firmness)[None, ..., None], tf.float32)


def _in_plain_parts(style: Style) -> float:
    places = np.square(_finer(tf.constant(style.picture[None]))[0].numpy()).mean(axis=2)
    shown = places if style.mask is None else places[style.mask >= min(0.5, style.mask.max())]
    return float(np.quantile(shown, _PLAIN)) + _LEAST_VARIANCE


def _pixels(image: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    del weights
    return image


def _distance(image: tf.Tensor, target: Any, draw: tf.Tensor) -> tf.Tensor:
    del draw
    return grain(image, target)


GRAIN = Loss("grain", _pixels, _distance)
