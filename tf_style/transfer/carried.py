"""A network that paints one frame after another, with statistics that are carried on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.transfer.transform import EPSILON, MARGIN, SHAPES, STRIDE, transform


class CarriedNetwork:
    """A network whose maps are normalised by statistics that are given.

    Args:
        model: made by `transform_network`, of any computing type.
        width: the key of its shape in `SHAPES`.
    """

    def __init__(self, model: keras.Model, width: str):
        self._model, self._shape = model, SHAPES[width]
        self._norms = {each.name: each for each in model.layers
                       if isinstance(each, keras.layers.GroupNormalization)}
        ends = np.cumsum([0, *(each.gamma.shape[0] for each in self._norms.values())])
        self._places = {name: slice(int(first), int(last)) for name, first, last in
                        zip(self._norms, ends, ends[1:], strict=False)}
        # For frames of any size, and any statistics.
        self._compiled = tf.function(self._painted, autograph=False, input_signature=[
            tf.TensorSpec((1, None, None, 3)), tf.TensorSpec((2, int(ends[-1]))), tf.TensorSpec(()),
        ])

    def paint(
        self, picture: np.ndarray, statistics: np.ndarray | None = None, rate: float = 1.0,
        place: tuple[int, int] = (0, 0),
    ) -> tuple[np.ndarray, np.ndarray]:
        """The painted picture, and the statistics that it was painted with.

        Args:
            picture: `(height, width, 3)` float32 in `[0, 1]`.
            statistics: of all normalisations one after another, means and mean squares,
                `(2, channels)` float32; `None`: the picture's own.
            rate: how far they first move to those of this picture: 0, not at all, to 1, all the
                way, which makes what the network itself makes of the picture.
            place: by how many rows and columns, 0 to 3, the maps lie further up and to the left:
                where the picture has moved on by as many pixels, the same strokes stand again.

        Returns:
            `(height, width, 3)` float32 in `[0, 1]`; `(2, channels)` float32.
        """
        rows, columns = (_mirrored(length, begins) for length, begins in
                         zip(picture.shape, place, strict=False))
        if statistics is None:
            statistics, rate = np.zeros(self._compiled.input_signature[1].shape), 1.0
        painted, used = self._compiled(
            tf.constant(picture[rows][:, columns][None], tf.float32),
            tf.constant(statistics, tf.float32), tf.constant(rate, tf.float32))
        top, left = (MARGIN + begins for begins in place)
        height, width = picture.shape[:2]
        return painted.numpy()[0, top : top + height, left : left + width], used.numpy()

    def _painted(
        self, pictures: tf.Tensor, statistics: tf.Tensor, rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        used = {}

        def convolve(name: str, values: tf.Tensor, *_: Any) -> tf.Tensor:
            return self._model.get_layer(name)(values)

        def normalize(name: str, values: tf.Tensor) -> tf.Tensor:
            exact, carried = tf.cast(values, tf.float32), statistics[:, self._places[name]]
            own = tf.stack([tf.reduce_mean(exact, (0, 1, 2)),
                            tf.reduce_mean(tf.square(exact), (0, 1, 2))])
            used[name] = carried + rate * (own - carried)
            mean, square = tf.unstack(used[name])
            layer = self._norms[name]
            factor = tf.cast(layer.gamma, tf.float32) * tf.math.rsqrt(
                tf.nn.relu(square - tf.square(mean)) + EPSILON)
            offset = tf.cast(layer.beta, tf.float32) - mean * factor
            return values * tf.cast(factor, values.dtype) + tf.cast(offset, values.dtype)

        painted = transform(self._shape, pictures, convolve, convolve, normalize)
        return painted, tf.concat([used[name] for name in self._places], 1)


def _mirrored(length: int, begins: int) -> np.ndarray:
    """For each row or column with the margin, the one of the picture that it shows."""
    # As many for every place.
    whole = -(-(length + STRIDE - 1) // STRIDE) * STRIDE + 2 * MARGIN
    places = np.abs(np.arange(whole) - MARGIN - begins)
    return np.clip(length - 1 - np.abs(length - 1 - places), 0, None)
