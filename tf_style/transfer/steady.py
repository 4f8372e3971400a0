"""Steadiness: how alike a network paints a photograph and the same a moment later in a film."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from tf_style.transfer.transform import MARGIN

# How a photograph is changed, at most: in pixels, more than the stride of the network's maps; as a
# share; in values.
_SHIFT, _SCALE, _NOISE = 6.0, 0.04, 0.03
_GAIN, _LIGHT = 0.1, 0.05
# Of a cubic that keeps straight lines straight.
_CUBIC = -0.5


@dataclasses.dataclass(frozen=True)
class Change:
    """How each picture of a batch is changed.

    Attributes:
        down, across: `(batch, side, side)` float32, the shares of the old rows or columns in each
            new one: a shift by any part of a pixel, and a scale.
        noise: `(batch, side, side, 3)` float32, added to the values.
        gain, light: `(batch, 1, 1, 1)` float32: the values are multiplied, and then moved.
    """

    down: np.ndarray
    across: np.ndarray
    noise: np.ndarray
    gain: np.ndarray
    light: np.ndarray

    @classmethod
    def drawn(cls, chance: np.random.Generator, count: int, side: int) -> Change:
        """Changes of square pictures, as chance has it."""
        scale = np.exp(chance.uniform(-_SCALE, _SCALE, count))
        down, across = (_resampling(side, scale, chance.uniform(-_SHIFT, _SHIFT, count))
                        for _ in range(2))
        strength = chance.uniform(0, _NOISE, (count, 1, 1, 1))
        noise = strength * chance.standard_normal((count, side, side, 3), np.float32)
        gain, light = (chance.uniform(-most, most, (count, 1, 1, 1)) for most in (_GAIN, _LIGHT))
        return cls(down, across, *(each.astype(np.float32)
                                   for each in (noise, np.exp(gain), light)))

    def parts(self) -> tuple[np.ndarray, ...]:
        """The arrays, in the order of the attributes."""
        return tuple(getattr(self, each.name) for each in dataclasses.fields(self))


def moved(pictures: tf.Tensor, down: tf.Tensor, across: tf.Tensor) -> tf.Tensor:
    """Pictures, `(batch, side, side, 3)`, moved and scaled by a `Change`."""
    return tf.einsum("bij,bjkc,blk->bilc", down, pictures, across)


def changed(
    pictures: tf.Tensor, down: tf.Tensor, across: tf.Tensor, noise: tf.Tensor, gain: tf.Tensor,
    light: tf.Tensor,
) -> tf.Tensor:
    """Pictures, `(batch, side, side, 3)` in `[0, 1]`, after a `Change`."""
    return tf.clip_by_value(gain * moved(pictures, down, across) + light + noise, 0, 1)


def unsteadiness(
    painted: tf.Tensor, again: tf.Tensor, down: tf.Tensor, across: tf.Tensor
) -> tf.Tensor:
    """How far what a network makes of changed pictures is from its pictures, moved alike.

    Noise should leave no trace; nor should a little more light, which is what a camera does by
    itself when something bright comes into view.

    Args:
        painted: what it made of the pictures, `(batch, side, side, 3)` in `[0, 1]`.
        again: what it made of them after a `Change`.
        down, across: of that change.

    Returns:
        A scalar: the mean square. The border is left out, where both show something else.

    Source: Zheng, Song, Leung, Goodfellow, CVPR 2016 (the same answer to a noisy picture); Wang,
        Xu, Zhang, Wang, Liu, AAAI 2020 (moved and noisy pictures in the place of films). Ours:
        shifts by parts of a pixel, since what lies between the strides of a network flickers most.
    """
    edge = min(MARGIN + int(_SHIFT), painted.shape[1] // 4)
    inner = (moved(painted, down, across) - again)[:, edge:-edge, edge:-edge]
    return tf.reduce_mean(tf.square(inner))


def _resampling(side: int, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """For each scale and shift, the shares of the old places in each new one.

    Source: Keys, IEEE TASSP 1981, of third order; mirrored beyond the border.
    """
    middle = (side - 1) / 2
    places = middle + (np.arange(side) - middle) / scale[:, None] + shift[:, None]
    shares = np.zeros((len(scale), side, side), np.float32)
    first = np.floor(places).astype(int)
    batch, new = np.indices(places.shape)
    for step in range(-1, 3):
        off = np.abs(places - first - step)
        share = np.where(
            off <= 1, ((_CUBIC + 2) * off - (_CUBIC + 3)) * off**2 + 1,
            (((off - 5) * off + 8) * off - 4) * _CUBIC)
        old = np.abs(first + step)
        old = side - 1 - np.abs(side - 1 - old)
        np.add.at(shares, (batch, new, np.clip(old, 0, side - 1)), share)
    return shares
