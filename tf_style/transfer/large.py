"""Large pictures, painted strip by strip, with the statistics of the whole picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tf_style.loss.compiled import compiled
from tf_style.transfer.transform import EPSILON, MARGIN, SHAPES, STRIDE

# Pixels of a strip: enough to keep all processors at work.
_STRIP = 200_000
# Rows of the coarsest map beyond a strip that the convolutions at its border see.
_BEYOND = 2


@dataclasses.dataclass
class _Map:
    """A map before its normalisation, and what that needs to know of the whole.

    Attributes:
        values: `(height, width, channels)`, float16: finer than the 256 values of a picture.
        scale, shift: what normalisation multiplies by and adds, float32 `(channels,)`.
    """

    values: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def rows(self, top: int, bottom: int) -> tuple[np.ndarray, ...]:
        """What `_normal` takes, of these rows."""
        return self.values[top:bottom], self.scale, self.shift


class Strips:
    """A network that paints large pictures in memory for few bytes a pixel.

    It computes them in horizontal strips, layer by layer. Each layer is normalised by the
    statistics of the whole picture, so that strips do not show. What is compiled for one picture
    serves the next, whatever its size.

    Args:
        model: made by `transform_network`.
        width: the key of its shape in `SHAPES`.
    """

    def __init__(self, model: keras.Model, width: str):
        self._shape, self._model = SHAPES[width], model
        self._convolve = {
            layer.name: _compiled(layer) for layer in model.layers
            if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
        }

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The painted picture: within a level of 255 of `model(picture)`.

        Args:
            picture: `(height, width, 3)` float32 in `[0, 1]`, as is what is returned.
        """
        height, width = picture.shape[:2]
        rows, columns = _mirrored(height), _mirrored(width)
        whole = len(rows), len(columns)
        quarter = whole[0] // STRIDE, whole[1] // STRIDE
        half = self._half(self._trunk(quarter, lambda top, bottom: (
            2 * picture[rows[STRIDE * top : STRIDE * bottom]][:, columns] - 1)))

        def full(top: int, bottom: int) -> tf.Tensor:
            return self._convolve["ending1"](_normal(*half.rows(top // 2, bottom // 2)))

        total, squares = 0, 0
        for seen, kept in _strips(*whole):
            made = _sums(_cut(full(*seen), seen, kept))
            total, squares = total + made[0], squares + made[1]
        affine = _affine(self._layer("ending1_norm"), total, squares, whole[0] * whole[1])
        result = np.empty_like(picture)
        for seen, kept in _strips(*whole):
            last = tf.nn.relu(tf.cast(full(*seen), tf.float32) * affine[0] + affine[1])
            shown = tf.cast(self._convolve["picture"](last), tf.float32)
            made = _cut(tf.sigmoid(shown), seen, kept)
            top, bottom = (min(max(each - MARGIN, 0), height) for each in kept)
            begins = top + MARGIN - kept[0]
            result[top:bottom] = made[begins : begins + bottom - top, MARGIN : MARGIN + width]
        return result

    def _trunk(
        self, quarter: tuple[int, int],
        seen: Callable[[int, int], np.ndarray],
    ) -> np.ndarray:
        """The map at a quarter of the size, after all blocks.

        Args:
            seen: (first row, row after the last) of that map → what the network sees there.
        """
        size = (*quarter, self._shape.channels)
        made = self._map("entry", size, lambda top, bottom: _exact(seen(top, bottom)))
        values = made.values
        for part in _parts(values):
            values[part] = _normal(values[part], made.scale, made.shift)[0]
        for number in range(self._shape.blocks):
            made = self._map(f"block{number}_first", size,
                             lambda top, bottom: _exact(values[top:bottom]))
            inner = self._map(f"block{number}_second", size,
                              lambda top, bottom, made=made: _normal(*made.rows(top, bottom)))
            for part in _parts(values):
                values[part] += (inner.values[part] * inner.scale + inner.shift).astype(np.float16)
        return values

    def _half(self, values: np.ndarray) -> _Map:
        """The map at half the size, of that at a quarter."""
        height, width = values.shape[:2]
        return self._map("ending0", (2 * height, 2 * width, self._shape.ending[0]),
                         lambda top, bottom: _exact(values[top // 2 : bottom // 2]))

    def _layer(self, name: str) -> keras.layers.Layer:
        return self._model.get_layer(name)

    def _map(
        self, name: str, size: tuple[int, int, int], part: Callable[[int, int], tf.Tensor]
    ) -> _Map:
        """A whole map, from its strips.

        Args:
            name: of the convolution.
            size: of the map.
            part: (first row, row after the last) of the map → what the convolution sees there.
        """
        values = np.empty(size, np.float16)
        total, squares = np.zeros(size[2]), np.zeros(size[2])
        for seen, kept in _strips(*size[:2]):
            made = _cut(self._convolve[name](part(*seen)), seen, kept)
            values[slice(*kept)] = made
            for sums, more in zip((total, squares), _sums(made), strict=True):
                sums += more
        return _Map(values, *_affine(self._layer(f"{name}_norm"), total, squares,
                                     size[0] * size[1]))


def _compiled(layer: keras.layers.Layer) -> Callable[[tf.Tensor], tf.Tensor]:
    # Strips of any height, compiled once.
    channels = layer.kernel.shape[3 if isinstance(layer, keras.layers.Conv2DTranspose) else 2]
    return compiled(layer, tf.TensorSpec((1, None, None, channels)))


def _strips(height: int, width: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """For each strip, the rows that are looked at, and those that are kept of what is made.

    All begin and end at multiples of 2, so that rows of a map of half the size are whole.
    """
    core, beyond = max(1, _STRIP // width // 2) * 2, 2 * _BEYOND
    for top in range(0, height, core):
        bottom = min(height, top + core)
        yield (max(0, top - beyond), min(height, bottom + beyond)), (top, bottom)


def _parts(values: np.ndarray) -> Iterator[slice]:
    """Rows to change a few at a time."""
    for _, kept in _strips(*values.shape[:2]):
        yield slice(*kept)


def _cut(values: tf.Tensor, seen: tuple[int, int], kept: tuple[int, int]) -> np.ndarray:
    """Of a part of a map, the rows that are kept, float32."""
    first = kept[0] - seen[0]
    return np.asarray(tf.cast(values[0, first : first + kept[1] - kept[0]], tf.float32))


def _sums(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = values.reshape(-1, values.shape[-1])
    return rows.sum(0, dtype=np.float64), np.einsum("ij,ij->j", rows, rows, dtype=np.float64)


def _affine(
    layer: keras.layers.Layer, total: np.ndarray, squares: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """What normalisation multiplies by and adds, from sums over `count` positions."""
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0)
    scale = np.asarray(layer.gamma) / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (np.asarray(layer.beta) - mean * scale).astype(np.float32)


def _exact(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values[None], tf.float32)


def _normal(values: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> tf.Tensor:
    return tf.nn.relu(_exact(values) * scale + shift)


def _mirrored(length: int) -> np.ndarray:
    """For each row or column with the margin, the one of the picture that it shows."""
    whole = -(-length // STRIDE) * STRIDE + 2 * MARGIN
    places = np.abs(np.arange(whole) - MARGIN)
    return np.maximum(length - 1 - np.abs(length - 1 - places), 0)
