"""Phases of feature maps: where their structures lie, whatever their contrast.

The Fourier transform of a map splits each frequency into an amplitude and a phase. Divided by
its amplitude it tells of places alone; its product with another's, as normalised, averaged over
frequencies, is the phase correlation of the two (Kuglin, Hines, 1975).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_style.loss.content import EPSILON
from tf_style.loss.statistics import TINY, products

WINDOW = 16
HOP = WINDOW // 2
_DOWN = np.arange(HOP // 2)
_RIGHT = np.arange(1 - HOP // 2, HOP // 2)

# Of the mean power over frequencies: amplitudes well above its root count alike, others less.
_FLOOR = 1e-2

# At most so many maps are transformed as a whole at every step: each of them takes some thirty
# times longer than its share of a Gram matrix.
_MAPS = 16


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The transforms of a window's two axes, and how often each pair of frequencies counts.

    The first takes real values to the real and imaginary parts of frequencies 0 to 3, the second
    those, one half of the window after the other, to the parts of frequencies -3 to 3. With a
    period of half a window they wrap it onto itself.
    """
    places = np.arange(WINDOW)
    taper = np.square(np.sin(np.pi * places / WINDOW))
    taper /= np.linalg.norm(taper)
    down, right = (
        taper * np.exp(-2j * np.pi / HOP * np.multiply.outer(frequencies, places))
        for frequencies in (_DOWN, _RIGHT)
    )
    # Each frequency stands for its negative as well; those of row 0 are there already.
    weights = np.where(_DOWN == 0, 1, 2)[:, None] * np.ones(_RIGHT.size)
    weights[0, _RIGHT == 0] = 0
    halves = np.block([[right.real, -right.imag], [right.imag, right.real]])
    halves = halves.reshape(-1, 2, 2, HOP).swapaxes(1, 2)
    return (
        np.stack([down.real, down.imag], axis=1).reshape(-1, WINDOW),
        halves.reshape(-1, 2 * WINDOW),
        weights,
    )


_BASIS_DOWN, _BASIS_RIGHT, _WEIGHTS = (table.astype(np.float32) for table in _tables())


def phase_matrix(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """How far the structures of two channels lie at the same places, for all pairs of channels.

    P_ij = mean of Re(F_i F_j*) / (|F_i| |F_j|) over windows and frequencies: the phase
    correlation of maps i and j of one picture at displacement zero. 1 where the two are the same
    up to contrast, -1 where one is the other's negative, about 0 where they have nothing to do
    with each other. It depends neither on where in the picture a structure lies, nor on how
    strong it is.

    Windows of 16 x 16 positions, 8 apart, are tapered by Hann's window and wrapped onto themselves
    to 8 x 8: every second frequency is left, up to 3 in 8 positions along each axis. Rectified
    maps are far from zero in the mean, which would outdo all else; wrapped, Hann's window is
    constant, so that a mean leaks into no frequency but 0, and that one is left out. Divided is by
    sqrt(|F|² + δ), δ a hundredth of the window's mean power and ε: near zero amplitude there is no
    phase, and the gradient stays finite.

    Args:
        features: `(1, height, width, channels)`, any float type. Windows start at 0, 8, 16, ... as
            long as they fit; smaller maps are filled up with zeros to one window.
        weights: `(1, height, width, 1)` float32, at least 0: a window counts with their mean.

    Returns:
        `(1, channels, channels)` float32, symmetric, positive semi-definite, at most 1.
    """
    size = tf.shape(features)[1:3]
    missing = tf.maximum(WINDOW - size, 0)
    padding = [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]
    if weights is None:
        counts = tf.ones((tf.maximum(size, WINDOW) - WINDOW) // HOP + 1)
    else:
        counts = tf.nn.avg_pool2d(tf.pad(weights, padding), WINDOW, HOP, "VALID")[0, ..., 0]
    total = _correlations(tf.squeeze(tf.pad(features, padding), axis=0), counts)
    return total / (tf.reduce_sum(counts) * _WEIGHTS.sum() + TINY)


def _correlations(maps: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """`_strip_correlations` summed over all rows of windows, `(1, channels, channels)`.

    The spectra of all windows, and what their gradient needs, take up ten times the maps' memory.
    One row of windows at a time, computed once more for the gradient, they fit in the cache.
    """
    rows, width = tf.range(tf.shape(counts)[0]), (tf.shape(counts)[1] + 1) * HOP

    @tf.custom_gradient
    def correlations(maps: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def of_strip(row: tf.Tensor) -> tf.Tensor:
            return _strip_correlations(strip(row), counts[row])

        def strip(row: tf.Tensor) -> tf.Tensor:
            return maps[row * HOP : row * HOP + WINDOW, :width]

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            def of_strip(row: tf.Tensor) -> tf.Tensor:
                part = strip(row)
                with tf.GradientTape() as tape:
                    tape.watch(part)
                    found = _strip_correlations(part, counts[row])
                return tape.gradient(found, part, upstream)

            strips = tf.map_fn(of_strip, rows, fn_output_signature=maps.dtype)
            upper, lower = (
                tf.reshape(half, [-1, width, maps.shape[-1]])
                for half in tf.split(strips, 2, axis=1)
            )
            rest = tf.shape(maps)[:2] - [tf.shape(upper)[0] + HOP, width]
            return tf.pad(upper, [[0, HOP + rest[0]], [0, rest[1]], [0, 0]]) + tf.pad(
                lower, [[HOP, rest[0]], [0, rest[1]], [0, 0]]
            )

        found = tf.map_fn(of_strip, rows, fn_output_signature=tf.float32)
        return tf.reduce_sum(found, axis=0), gradient

    return correlations(maps)


def _strip_correlations(maps: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Re(F_i F_j*) / (|F_i| |F_j|) summed over the frequencies and windows of one row of windows.

    Args:
        maps: `(16, 8 windows + 8, channels)`, any float type.
        counts: `(windows,)`, the weight of each window.
    """
    windows, channels = tf.shape(counts)[0], maps.shape[-1]
    waves = tf.matmul(_BASIS_DOWN, tf.reshape(tf.cast(maps, tf.float32), [WINDOW, -1]))
    waves = tf.transpose(
        tf.reshape(waves, [_DOWN.size, 2, windows + 1, HOP * channels]), [0, 2, 1, 3]
    )
    # Split, not sliced: the gradient of a slice takes longer than all the rest.
    left, _ = tf.split(waves, [windows, 1], axis=1)
    _, right = tf.split(waves, [1, windows], axis=1)
    frames = tf.reshape(
        tf.concat([left, right], axis=2), [_DOWN.size, windows, 2 * WINDOW, channels]
    )
    waves = tf.reshape(
        tf.matmul(_BASIS_RIGHT, frames), [_DOWN.size, windows, 2, _RIGHT.size, channels]
    )
    weights = _WEIGHTS[:, None, None, :, None]
    power = tf.reduce_sum(tf.square(waves), axis=2, keepdims=True)
    mean = tf.reduce_sum(weights * power, axis=(0, 3), keepdims=True) / _WEIGHTS.sum()
    scale = tf.sqrt(weights * counts[:, None, None, None]) * tf.math.rsqrt(
        power + _FLOOR * mean + EPSILON
    )
    return products(tf.cast(tf.reshape(waves * scale, [1, -1, channels]), maps.dtype))


def weighted_map(features: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """The feature map itself, as `phase_match_distance` takes it.

    With weights, the weighted mean is taken off before they are multiplied with: else the mask's
    own outline would be what the phases tell of.

    Args:
        features: `(1, height, width, channels)`, any float type.
        weights: `(1, height, width, 1)` float32, at least 0.

    Returns:
        Float32 of the same shape.
    """
    features = tf.cast(features, tf.float32)
    if weights is None:
        return features
    mean = tf.reduce_sum(weights * features, axis=(1, 2), keepdims=True) / (
        tf.reduce_sum(weights) + TINY
    )
    return weights * (features - mean)


def phase_match_distance(maps: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """1 less the peak of the phase correlation of each map with the same map of the target.

    The peak is what the two have in common when one is moved over the other, wrapped around, to
    where they fit best; it is relative to the maps' peaks with themselves. Averaged over maps;
    dead ones of the target count nothing. Of more than 16 maps, 16 are drawn at every step.

    Args:
        maps: `(1, height, width, channels)` float32.
        target: the same of any size, resized bilinearly to that of `maps`.
        draw: int32 `(2,)`, the seed and the step.

    Source: Kuglin, Hines, The phase correlation image alignment method, 1975.
    """
    channels = maps.shape[-1]
    if channels > _MAPS:
        chosen = tf.argsort(tf.random.stateless_uniform([channels], draw))[:_MAPS]
        maps, target = tf.gather(maps, chosen, axis=-1), tf.gather(target, chosen, axis=-1)
    size = tf.shape(maps)[1:3]
    target = tf.image.resize(target, size, antialias=True)
    phases, own = _phases(tf.squeeze(maps, axis=0))
    target_phases, target_own = _phases(tf.squeeze(target, axis=0))
    surface = tf.signal.irfft2d(phases * tf.math.conj(target_phases), size)
    peak = tf.reduce_max(surface, axis=(1, 2)) / tf.sqrt(own * target_own + TINY)
    return tf.reduce_sum(target_own * (1 - peak)) / (tf.reduce_sum(target_own) + TINY)


def _phases(maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The spectra of `(height, width, channels)` over their amplitudes, and their mean squares."""
    shape = tf.shape(maps)
    maps -= tf.reduce_mean(maps, axis=(0, 1), keepdims=True)
    spectra = tf.signal.rfft2d(tf.transpose(maps, [2, 0, 1]))
    half = tf.range(shape[1] // 2 + 1)
    # Of two frequencies that are each other's negatives only one is there.
    counts = tf.where((half > 0) & (2 * half < shape[1]), 2.0, 1.0)
    positions = tf.cast(shape[0] * shape[1], tf.float32)

    def mean(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(values * counts, axis=(1, 2), keepdims=True) / positions

    power = (tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))) / positions
    scale = tf.math.rsqrt(power + _FLOOR * mean(power) + EPSILON)
    # Not a cast, whose gradient TensorFlow warns of.
    phases = spectra * tf.complex(scale / tf.sqrt(positions), tf.zeros_like(scale))
    return phases, mean(power * tf.square(scale))[:, 0, 0]
