"""A network that paints one frame after another, with statistics that are carried on."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.loss.compiled import compiled
from tf_style.transfer.transform import EPSILON, MARGIN, SHAPES, STRIDE, kernel_shapes, transform

# A scale of normalisation; below it, statistics cannot be told from what was made with it.
_LEAST_GAMMA = 0.02


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
        self._kernels = {name: tf.constant(_at_once(name, model.get_layer(name)))
                         for name in kernel_shapes(self._shape)}
        # For frames of any size, and any statistics.
        frame, known = tf.TensorSpec((1, None, None, 3)), tf.TensorSpec((2, int(ends[-1])))
        self._beginning = compiled(self._begun, frame)
        self._painting, self._following = (
            compiled(functools.partial(self._painted, finds_own=finds_own), frame, known)
            for finds_own in (False, True))

    def begin(
        self, picture: np.ndarray, place: tuple[int, int] = (0, 0)
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the network itself makes of a picture, and the picture's own statistics.

        Args:
            picture: `(height, width, 3)` float32 in `[0, 1]`.
            place: by how many rows and columns, 0 to 3, the maps lie further up and to the left:
                where the picture has moved on by as many pixels, the same strokes stand again.

        Returns:
            `(height, width, 3)` float32 in `[0, 1]`; then, of all normalisations one after another,
            means and mean squares, `(2, channels)` float32.
        """
        painted, own = self._beginning(_framed(picture, place))
        return _inner(painted, picture, place), own.numpy()

    def paint(
        self, picture: np.ndarray, statistics: np.ndarray, place: tuple[int, int] = (0, 0)
    ) -> np.ndarray:
        """A picture painted with statistics that are known, in a third of the time.

        Args:
            picture, place: as for `begin`.
            statistics: as `begin` returns them.
        """
        painted, _ = self._painting(_framed(picture, place), tf.constant(statistics, tf.float32))
        return _inner(painted, picture, place)

    def follow(
        self, picture: np.ndarray, statistics: np.ndarray, place: tuple[int, int] = (0, 0)
    ) -> tuple[np.ndarray, np.ndarray]:
        """What `paint` returns; and the picture's own statistics, in half of the time of `begin`.

        Those of each normalisation are of maps that came through the ones before with the
        statistics that are given.
        """
        painted, own = self._following(
            _framed(picture, place), tf.constant(statistics, tf.float32))
        return _inner(painted, picture, place), own.numpy()

    def _begun(self, pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        own = {}

        def convolve(name: str, values: tf.Tensor, *_: Any) -> tf.Tensor:
            return self._model.get_layer(name)(values)

        def normalize(name: str, values: tf.Tensor) -> tf.Tensor:
            own[name] = _moments(values)
            factor, offset = self._affine(name, own[name])
            return values * tf.cast(factor, values.dtype) + tf.cast(offset, values.dtype)

        painted = transform(self._shape, pictures, convolve, convolve, normalize)
        return painted, tf.concat([own[name] for name in self._places], 1)

    def _painted(
        self, pictures: tf.Tensor, statistics: tf.Tensor, *, finds_own: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As `transform`, with what normalisation does in each convolution's kernel and bias.

        What is enlarged stays at half of the size, its parts of pixels as channels, to the end:
        maps of few channels take most of the time.
        """
        dtype = self._model.get_layer("entry").compute_dtype
        own = {name: statistics[:, place] for name, place in self._places.items()}

        def unit(name: str, values: tf.Tensor, stride: int = 1) -> tf.Tensor:
            norm = f"{name}_norm"
            factor, offset = self._affine(norm, own[norm])
            parts = self._kernels[name].shape[-1] // factor.shape[0]
            kernel = tf.cast(self._kernels[name] * tf.tile(factor, [parts]), dtype)
            values = tf.nn.bias_add(tf.nn.conv2d(values, kernel, stride, "SAME"),
                                    tf.cast(tf.tile(offset, [parts]), dtype))
            if finds_own:
                mean, square = tf.unstack(_moments_at_once(values, factor.shape[0]))
                found = tf.stack([mean - offset, square - offset * (2 * mean - offset)]
                                 ) / tf.stack([factor, factor**2])
                # Of what was nearly multiplied by 0, nothing can be told.
                told = tf.abs(self._norms[norm].gamma) > _LEAST_GAMMA
                own[norm] = tf.where(told, found, own[norm])
            return values

        values = tf.nn.relu(unit("entry", tf.cast(2 * pictures - 1, dtype), STRIDE))
        for number in range(self._shape.blocks):
            inner = tf.nn.relu(unit(f"block{number}_first", values))
            values = values + unit(f"block{number}_second", inner)
        values = tf.nn.depth_to_space(tf.nn.relu(unit("ending0", values)), 2)
        values = tf.nn.relu(unit("ending1", values))
        bias = tf.tile(self._model.get_layer("picture").bias, [4])
        values = tf.nn.conv2d(values, tf.cast(self._kernels["picture"], dtype), 1, "SAME")
        painted = tf.sigmoid(tf.nn.depth_to_space(tf.cast(values, tf.float32) + bias, 2))
        return painted, tf.concat([own[name] for name in self._places], 1)

    def _affine(self, norm: str, statistics: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What normalisation multiplies by, and then adds."""
        layer, (mean, square) = self._norms[norm], tf.unstack(statistics)
        factor = tf.cast(layer.gamma, tf.float32) * tf.math.rsqrt(
            tf.nn.relu(square - tf.square(mean)) + EPSILON)
        return factor, tf.cast(layer.beta, tf.float32) - mean * factor


def _moments(values: tf.Tensor) -> tf.Tensor:
    """Means and mean squares, `(2, channels)` float32."""
    exact = tf.cast(values, tf.float32)
    return tf.stack([tf.reduce_mean(exact, (0, 1, 2)),
                     tf.reduce_mean(tf.square(exact), (0, 1, 2))])


def _moments_at_once(values: tf.Tensor, channels: int) -> tf.Tensor:
    """`_moments` of maps whose parts of pixels are channels, in half of the time."""
    ones = tf.ones(values.shape[-1:])
    # What it normalises is not used.
    _, mean, variance = tf.compat.v1.nn.fused_batch_norm(values, ones, 0 * ones, is_training=True)
    places = tf.cast(tf.reduce_prod(tf.shape(values)[:3]), tf.float32)
    square = variance * (places - 1) / places + tf.square(mean)
    found = tf.reshape(tf.stack([mean, square]), (2, -1, channels))
    return tf.reduce_mean(found, 1)


def _at_once(name: str, layer: keras.layers.Layer) -> np.ndarray:
    """The kernel of a layer; of an ending, one of a convolution without enlarging, float32."""
    kernel = np.asarray(layer.kernel, np.float32)
    if name.startswith("ending"):
        return _enlarging(kernel)
    return _of_halves(kernel) if name == "picture" else kernel


def _enlarging(kernel: np.ndarray) -> np.ndarray:
    """The kernel of a convolution that makes the parts of pixels of an enlarged map.

    Args:
        kernel: `(4, 4, filters, channels)`, of a transposed convolution with a stride of 2.

    Returns:
        `(3, 3, channels, 4 * filters)`: `depth_to_space` then gives the enlarged map.
    """
    # For the upper and the lower part of a row, the kernel's row that its neighbours go through.
    rows = np.zeros((2, 3, 4), np.float32)
    rows[[0, 0, 1, 1], [0, 1, 1, 2], [3, 1, 2, 0]] = 1
    parts = np.einsum("ard,bse,defc->rscabf", rows, rows, kernel)
    return parts.reshape(3, 3, kernel.shape[3], -1)


def _of_halves(kernel: np.ndarray) -> np.ndarray:
    """A kernel for a map of half the size, four parts of pixels as channels, to another such map.

    Args:
        kernel: `(5, 5, channels, filters)`, for the map that `depth_to_space` makes of it.

    Returns:
        `(3, 3, 4 * channels, 4 * filters)`.
    """
    channels, filters = kernel.shape[2:]
    made = np.zeros((3, 3, 2, 2, channels, 2, 2, filters), np.float32)
    for row, column, down, across in np.ndindex(5, 5, 2, 2):
        (above, upper), (left, lefter) = divmod(down + row - 2, 2), divmod(across + column - 2, 2)
        made[above + 1, left + 1, upper, lefter, :, down, across] += kernel[row, column]
    return made.reshape(3, 3, 4 * channels, 4 * filters)


def _framed(picture: np.ndarray, place: tuple[int, int]) -> tf.Tensor:
    """A picture that goes on mirrored, as a batch."""
    rows, columns = (_mirrored(length, begins) for length, begins in
                     zip(picture.shape, place, strict=False))
    return tf.constant(picture.take(rows, 0).take(columns, 1)[None], tf.float32)


def _inner(painted: tf.Tensor, picture: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The part of what was painted that covers the picture."""
    top, left = (MARGIN + begins for begins in place)
    height, width = picture.shape[:2]
    return painted.numpy()[0, top : top + height, left : left + width]


def _mirrored(length: int, begins: int) -> np.ndarray:
    """For each row or column with the margin, the one of the picture that it shows."""
    # As many for every place.
    whole = -(-(length + STRIDE - 1) // STRIDE) * STRIDE + 2 * MARGIN
    places = np.abs(np.arange(whole) - MARGIN - begins)
    return np.clip(length - 1 - np.abs(length - 1 - places), 0, None)
