"""The image transformation network: a plain Keras model from a picture to a painted picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

# Of each side, in pixels: the picture goes on mirrored, so that what convolutions make of zeros
# beyond the border is cut off.
MARGIN = 16
# Both sides are brought to a multiple of the stride of most maps.
STRIDE = 4
# Of normalisation, in units of a squared activation.
EPSILON = 1e-3


@dataclasses.dataclass(frozen=True)
class Shape:
    """How large a network is.

    Attributes:
        channels: of the maps at a quarter of the picture's size, where most of the work is done.
        blocks: residual blocks there.
        ending: channels of the maps at half and at the full size.
    """

    channels: int
    blocks: int
    ending: tuple[int, int]


SHAPES = {
    "fine": Shape(48, 5, (24, 12)),
    "fast": Shape(32, 3, (16, 8)),
}


def kernel_shapes(shape: Shape) -> dict[str, tuple[int, int, int, int]]:
    """Convolution → the shape of its kernel, in a network of this shape."""
    count = shape.channels
    found = {"entry": (8, 8, 3, count)}
    for number in range(shape.blocks):
        for part in ("first", "second"):
            found[f"block{number}_{part}"] = (3, 3, count, count)
    for number, channels in enumerate(shape.ending):
        found[f"ending{number}"] = (4, 4, channels, count)
        count = channels
    return {**found, "picture": (5, 5, count, 3)}


Map = Any
# (name, map, channels, side of the kernel, stride) → map
Convolve = Callable[[str, Map, int, int, int], Map]
# (name, map, channels) → map of twice the size: each value repeated, and a convolution of side 3.
Enlarge = Callable[[str, Map, int], Map]
# (name, map) → map with a mean of 0 and a variance of 1 in each channel, scaled and shifted.
Normalize = Callable[[str, Map], Map]


def transform(
    shape: Shape, picture: Map, convolve: Convolve, enlarge: Enlarge, normalize: Normalize
) -> Map:
    """The painted picture, in `[0, 1]`, of a picture in `[0, 1]` whose sides are multiples of 4."""

    def unit(name: str, values: Map, side: int = 3, stride: int = 1) -> Map:
        return normalize(f"{name}_norm", convolve(name, values, shape.channels, side, stride))

    values = ops.relu(unit("entry", 2 * picture - 1, 8, STRIDE))
    for number in range(shape.blocks):
        inner = ops.relu(unit(f"block{number}_first", values))
        values = values + unit(f"block{number}_second", inner)
    for number, channels in enumerate(shape.ending):
        name = f"ending{number}"
        values = ops.relu(normalize(f"{name}_norm", enlarge(name, values, channels)))
    return ops.sigmoid(ops.cast(convolve("picture", values, 3, 5, 1), "float32"))


def fused(kernel: np.ndarray) -> np.ndarray:
    """The kernel of a transposed convolution that enlarges as two steps do, in half the time.

    Args:
        kernel: `(3, 3, channels, filters)`, of a convolution of the map whose values are each
            repeated twice in both directions.

    Returns:
        `(4, 4, filters, channels)`, for a transposed convolution with a stride of 2.
    """
    for axis in (0, 1):
        before, middle, after = (kernel.take([each], axis) for each in range(3))
        kernel = np.concatenate([after, middle + after, before + middle, before], axis)
    return kernel.swapaxes(2, 3)


def parted(kernel: np.ndarray) -> np.ndarray:
    """The kernel that `fused` made this of."""
    kernel = kernel.swapaxes(2, 3)
    for axis in (0, 1):
        after, both, _, before = (kernel.take([each], axis) for each in range(4))
        kernel = np.concatenate([before, both - after, after], axis)
    return kernel


def transform_network(shape: Shape, dtype: str = "float32", name: str = "painting") -> keras.Model:
    """The network with new weights, made of Keras' built-in layers alone.

    Args:
        shape: how large it is.
        dtype: in which it computes: `float32` or `mixed_bfloat16`.
        name: of the model.

    Returns:
        A `keras.Model`: `(batch, height, width, 3)` RGB in `[0, 1]`, of any size → the painted
        pictures, float32, of the same shape. Each picture is normalised by itself.

    Source: Johnson, Alahi, Fei-Fei, ECCV 2016 (the network); Ulyanov, Vedaldi, Lempitsky, CVPR 2017
        (normalisation of each picture); Odena, Dumoulin, Olah, Distill 2016 (enlarging before
        convolution). Ours: the first convolution goes to a quarter of the size at once.
    """
    picture = keras.Input((None, None, 3), name="content")
    return keras.Model(picture, _painted(shape, picture, dtype, _normalization(dtype)), name=name)


def controlled_network(shape: Shape, styles: int, name: str = "painting") -> keras.Model:
    """The network with new weights, whose styles are blended, and held back, by inputs.

    Args:
        shape: how large it is.
        styles: how many it has.
        name: of the model.

    Returns:
        A `keras.Model` of Keras' built-in layers: `[pictures, shares, strength]` → the painted
        pictures. The shares, `(batch, styles)`, are of each style in each picture; they are scaled
        to add up to 1. The strength, `(batch, 1)`, is the share of the painted picture in what is
        returned; the rest is the picture itself. The layers `NAME_scale` and `NAME_shift` hold a
        row for each style.

    Source: Dumoulin, Shlens, Kudlur, ICLR 2017, section 3.4.
    """
    picture = keras.Input((None, None, 3), name="content")
    shares = keras.Input((styles,), name="shares")
    strength = keras.Input((1,), name="strength")
    blend = shares / ops.sum(shares, -1, keepdims=True)

    def normalize(layer: str, values: Map) -> Map:
        channels = values.shape[-1]
        scale, shift = (
            keras.layers.Reshape((1, 1, channels), dtype="float32")(keras.layers.Dense(
                channels, use_bias=False, dtype="float32", name=f"{layer}_{role}")(blend))
            for role in ("scale", "shift")
        )
        normal = keras.layers.GroupNormalization(
            groups=-1, axis=-1, epsilon=EPSILON, center=False, scale=False, dtype="float32",
            name=layer,
        )(values)
        return normal * scale + shift

    change = _painted(shape, picture, "float32", normalize) - picture
    held = picture + keras.layers.Reshape((1, 1, 1), dtype="float32")(strength) * change
    return keras.Model([picture, shares, strength], held, name=name)


def _painted(shape: Shape, picture: Map, dtype: str, normalize: Normalize) -> Map:
    """The painted picture, of a picture of any size."""
    values = picture
    for axis in (1, 2):
        values = ops.take(values, _mirrored(picture, axis), axis)
    values = transform(shape, values, convolution(dtype), _enlargement(dtype), normalize)
    for axis in (1, 2):
        values = ops.take(values, _places(picture, axis) + MARGIN, axis)
    return values


def convolution(dtype: str) -> Convolve:
    """Makes new convolutions of the computing type `dtype`."""

    def convolve(name: str, values: Map, channels: int, side: int, stride: int) -> Map:
        return keras.layers.Conv2D(
            channels, side, strides=stride, padding="same", use_bias=name == "picture",
            data_format="channels_last", dtype=dtype, name=name,
        )(values)

    return convolve


def _enlargement(dtype: str) -> Enlarge:
    def enlarge(name: str, values: Map, channels: int) -> Map:
        return keras.layers.Conv2DTranspose(
            channels, 4, strides=2, padding="same", use_bias=False, data_format="channels_last",
            dtype=dtype, name=name,
        )(values)

    return enlarge


def _normalization(dtype: str) -> Normalize:
    def normalize(name: str, values: Map) -> Map:
        return keras.layers.GroupNormalization(
            groups=-1, axis=-1, epsilon=EPSILON, dtype=dtype, name=name
        )(values)

    return normalize


def _places(picture: Map, axis: int) -> Map:
    """The numbers of the picture's rows or columns, from 0."""
    line = ops.max(picture, tuple(each for each in range(4) if each != axis))
    return ops.cast(ops.cumsum(ops.ones_like(line)), "int32") - 1


def _mirrored(picture: Map, axis: int) -> Map:
    """For each row or column with the margin, the one of the picture that it shows."""
    last = ops.max(_places(picture, axis))
    ones = ops.ones_like(ops.max(picture, tuple(each for each in range(4) if each != axis)))
    ones = ops.reshape(ones, (1, -1, 1))
    pooled = keras.layers.MaxPooling1D(
        STRIDE, padding="same", data_format="channels_last", dtype="float32")(ones)
    whole = ops.reshape(keras.layers.UpSampling1D(STRIDE, dtype="float32")(pooled), (-1,))
    whole = ops.ones_like(ops.pad(whole, ((MARGIN, MARGIN),)))
    places = ops.abs(ops.cast(ops.cumsum(whole), "int32") - 1 - MARGIN)
    # A side shorter than the margin has nothing more to show than its end.
    return ops.maximum(last - ops.abs(last - places), 0)
