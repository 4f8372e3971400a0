"""A network that is trained: convolutions for all styles, a normalisation for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.transfer.transform import (
    EPSILON,
    SHAPES,
    Shape,
    convolution,
    fused,
    parted,
    transform,
)

# Layer → scale and shift, `(styles, channels)` each.
Norms = Mapping[str, Sequence[np.ndarray]]


def _layers(
    shape: Shape, dtype: str
) -> tuple[dict[str, keras.layers.Layer], dict[str, int]]:
    """The convolutions by name, and the channels of each normalisation."""
    picture = keras.Input((None, None, 3))
    convolve, channels = convolution(dtype), {}

    def normalize(name: str, values: Any) -> Any:
        channels[name] = values.shape[-1]
        return values

    model = keras.Model(picture, transform(
        shape, picture, convolve,
        lambda name, values, count: convolve(
            name, keras.layers.UpSampling2D(2, dtype=dtype)(values), count, 3, 1),
        normalize,
    ))
    return {each.name: each for each in model.layers
            if isinstance(each, keras.layers.Conv2D)}, channels


def _normalized(values: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """What a network's `GroupNormalization` makes of a map, with less memory.

    Args:
        values: `(batch, height, width, channels)`, any float type.
        scale, shift: `(batch or 1, channels)` float32.
    """
    exact = tf.cast(values, tf.float32)
    mean = tf.reduce_mean(exact, (1, 2), keepdims=True)
    square = tf.reduce_mean(tf.square(exact), (1, 2), keepdims=True)
    factor = scale[:, None, None] * tf.math.rsqrt(
        tf.nn.relu(square - tf.square(mean)) + EPSILON)
    offset = shift[:, None, None] - mean * factor
    return values * tf.cast(factor, values.dtype) + tf.cast(offset, values.dtype)


class Pupil:
    """The convolutions of a network that paints, and a normalisation for each style.

    Args:
        width: one of `SHAPES`.
        styles: how many.
        dtype: in which it computes: `float32` or `mixed_bfloat16`.
        seed: of its first weights.

    Source: Dumoulin, Shlens, Kudlur, A learned representation for artistic style, ICLR 2017.
    """

    def __init__(self, width: str, styles: int, dtype: str = "float32", seed: int = 0):
        self.width, self.styles, self._dtype = width, styles, dtype
        self._shape = SHAPES[width]
        self._twice = keras.layers.UpSampling2D(2, data_format="channels_last", dtype=dtype)
        self._convolutions, channels = _layers(self._shape, dtype)
        chance = np.random.default_rng([seed, 2])
        for layer in self._convolutions.values():
            layer.set_weights([_drawn(each.shape, chance) for each in layer.get_weights()])
        self._norms = {
            name: [
                keras.Variable(np.full((styles, count), value, np.float32), name=f"{name}_{role}")
                for value, role in ((1, "scale"), (0, "shift"))
            ]
            for name, count in channels.items()
        }

    def another(self) -> Pupil:
        """One of the same shape, with weights of its own."""
        return Pupil(self.width, self.styles, self._dtype)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that training changes, in a fixed order."""
        kernels = [each for layer in self._convolutions.values()
                   for each in layer.trainable_variables]
        return kernels + [each for pair in self._norms.values() for each in pair]

    def paint(self, pictures: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """The painted pictures, float32, without a margin.

        Args:
            pictures: `(batch, height, width, 3)`; sides are multiples of 4.
            rows: `(batch,)` int32, the style of each, counted from 0.
        """
        def convolve(name: str, values: tf.Tensor, *_: int) -> tf.Tensor:
            return self._convolutions[name](values)

        def enlarge(name: str, values: tf.Tensor, _: int) -> tf.Tensor:
            return self._convolutions[name](self._twice(values))

        def normalize(name: str, values: tf.Tensor) -> tf.Tensor:
            return _normalized(values, *[tf.gather(each.value, rows) for each in self._norms[name]])

        return transform(self._shape, pictures, convolve, enlarge, normalize)

    @property
    def kernels(self) -> dict[str, list[np.ndarray]]:
        """Layer → the arrays of its convolution, as `transform_network` has them."""
        found = {name: layer.get_weights() for name, layer in self._convolutions.items()}
        return {name: [fused(*arrays)] if name.startswith("ending") else arrays
                for name, arrays in found.items()}

    @property
    def norms(self) -> dict[str, list[np.ndarray]]:
        """Layer → scale and shift, `(styles, channels)` each."""
        return {name: [each.numpy() for each in pair] for name, pair in self._norms.items()}

    def begin_with(self, kernels: Mapping[str, Sequence[np.ndarray]], norms: Norms) -> None:
        """Take over the weights of a trained network of this width.

        Its first style stands for those that it does not have.
        """
        for name, layer in self._convolutions.items():
            arrays = kernels[name]
            layer.set_weights([parted(*arrays)] if name.startswith("ending") else arrays)
        for name, pair in self._norms.items():
            for variable, values in zip(pair, norms[name], strict=True):
                rows = [min(row, len(values) - 1) for row in range(self.styles)]
                variable.assign(values[rows])


def _drawn(shape: Sequence[int], chance: np.random.Generator) -> np.ndarray:
    """A kernel to begin with, or a bias of zeros.

    Source: Glorot, Bengio, AISTATS 2010, eq. 16.
    """
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    area = shape[0] * shape[1]
    limit = np.sqrt(6 / (area * (shape[2] + shape[3])))
    return chance.uniform(-limit, limit, shape).astype(np.float32)
