"""Phases of feature maps: where their structures lie, whatever their contrast.

The Fourier transform of a map splits each frequency into an amplitude and a phase. Divided by its
amplitude, it describes places alone. The product of two such transforms, averaged over frequencies,
is the phase correlation of the two maps (Kuglin, Hines, 1975).
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

# Share of the mean power over frequencies: amplitudes well above its root count equally, others
# less.
_FLOOR = 1e-2

# The most maps that are transformed whole at each step: each takes about thirty times as long as
# its share of a Gram matrix.
_MAPS = 16


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The transforms of a window's two axes, and how often each pair of frequencies counts.

    The first maps real values to the real and imaginary parts of frequencies 0 to 3. The second
    maps these, one half of the window after the other, to the parts of frequencies -3 to 3. With a
    period of half a window, they wrap the window onto itself.
    """
    places = np.arange(WINDOW)
    taper = np.square(np.sin(np.pi * places / WINDOW))
    taper /= np.linalg.norm(taper)
    down, right = (
        taper * np.exp(-2j * np.pi / HOP * np.multiply.outer(frequencies, places))
        for frequencies in (_DOWN, _RIGHT)
    )
    # Each frequency also stands for its negative, except in row 0, which holds both.
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
    """How well the structures of two channels coincide, for all pairs of channels.

    P_ij = mean of Re(F_i F_j*) / (|F_i| |F_j|) over windows and frequencies: the phase
    correlation of maps i and j of one picture at displacement zero. 1 where the two are the same
    up to contrast, -1 where one is the other's negative, about 0 where they are unrelated. It
    depends neither on where in the picture a structure lies nor on how strong it is.

    Windows of 16 x 16 positions, 8 apart, are tapered by Hann's window and wrapped onto themselves
    to 8 x 8. This keeps every second frequency, up to 3 in 8 positions along each axis. Rectified
    maps have a mean far from zero, which would outweigh everything else. Wrapped, Hann's window is
    constant, so a mean leaks into no frequency but 0, and that one is left out. The divisor is
    sqrt(|F|² + δ), where δ is a hundredth of the window's mean power, plus ε: near zero amplitude
    there is no phase, and the gradient stays finite.

    Args:
        features: `(batch, height, width, channels)`, any float type. Windows start at 0, 8, 16, ...
            as long as they fit; smaller maps are padded with zeros to one window.
        weights: `(batch or 1, height, width, 1)` float32, at least 0; a window's weight is their
            mean.

    Returns:
        `(batch, channels, channels)` float32, symmetric, positive semi-definite, at most 1.
    """
    size = tf.shape(features)[1:3]
    missing = tf.maximum(WINDOW - size, 0)
    padding = [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]
    if weights is None:
        counts = tf.ones(tf.concat([[1], (tf.maximum(size, WINDOW) - WINDOW) // HOP + 1], axis=0))
    else:
        counts = tf.nn.avg_pool2d(tf.pad(weights, padding), WINDOW, HOP, "VALID")[..., 0]
    counts = tf.repeat(counts, tf.shape(features)[0] // tf.shape(counts)[0], axis=0)
    total = _correlations(tf.pad(features, padding), counts)
    whole = tf.reduce_sum(counts, axis=(1, 2), keepdims=True)
    return total / (whole * _WEIGHTS.sum() + TINY)


def _correlations(maps: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """`_strip_correlations` summed over all rows of windows, `(batch, channels, channels)`.

    The spectra of all windows, and what their gradient needs, take ten times the maps' memory.
    Computed for one row of windows at a time, and again for the gradient, they fit in the cache.
    """
    batch, rows, windows = tf.unstack(tf.shape(counts))
    width, channels = (windows + 1) * HOP, maps.shape[-1]

    @tf.custom_gradient
    def correlations(maps: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def strip(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            picture, row = number // rows, number % rows
            return maps[picture, row * HOP : row * HOP + WINDOW, :width], counts[picture, row]

        def of_strip(number: tf.Tensor) -> tf.Tensor:
            return _strip_correlations(*strip(number))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            def slope(number: tf.Tensor) -> tf.Tensor:
                part, count = strip(number)
                with tf.GradientTape() as tape:
                    tape.watch(part)
                    found = _strip_correlations(part, count)
                return tape.gradient(found, part, upstream[number // rows][None])

            strips = tf.map_fn(slope, numbers, fn_output_signature=maps.dtype)
            upper, lower = (
                tf.reshape(half, [batch, rows * HOP, width, channels])
                for half in tf.split(strips, 2, axis=1)
            )
            rest = tf.shape(maps)[1:3] - [(rows + 1) * HOP, width]
            return tf.pad(upper, [[0, 0], [0, HOP + rest[0]], [0, rest[1]], [0, 0]]) + tf.pad(
                lower, [[0, 0], [HOP, rest[0]], [0, rest[1]], [0, 0]]
            )

        numbers = tf.range(batch * rows)
        found = tf.map_fn(of_strip, numbers, fn_output_signature=tf.float32)
        found = tf.reshape(found, [batch, rows, channels, channels])
        return tf.reduce_sum(found, axis=1), gradient

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
    # Split, not sliced: the gradient of a slice takes longer than everything else.
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

    With weights, the weighted mean is subtracted before the map is multiplied by them. Otherwise
    the phases would describe the mask's own outline.

    Args:
        features: `(batch, height, width, channels)`, any float type.
        weights: `(batch or 1, height, width, 1)` float32, at least 0.

    Returns:
        Float32 of the same shape.
    """
    features = tf.cast(features, tf.float32)
    if weights is None:
        return features
    mean = tf.reduce_sum(weights * features, axis=(1, 2), keepdims=True) / (
        tf.reduce_sum(weights, axis=(1, 2), keepdims=True) + TINY
    )
    return weights * (features - mean)


def phase_match_distance(maps: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """1 minus the peak of the phase correlation of each map with the same map of the target.

    The peak is what the two have in common when one is moved over the other, wrapping around, to
    where they fit best. It is relative to the maps' peaks with themselves. The result is averaged
    over maps; dead maps of the target do not count. Of more than 16 maps, 16 are drawn at each
    step.

    Args:
        maps: `(batch, height, width, channels)` float32.
        target: the same, of any size; resized bilinearly to the size of `maps`.
        draw: int32 `(2,)`, the seed and the step; the same for each picture.

    Returns:
        Float32 `(batch,)`.

    Source: Kuglin, Hines, The phase correlation image alignment method, 1975.
    """
    channels = maps.shape[-1]
    if channels > _MAPS:
        chosen = tf.argsort(tf.random.stateless_uniform([channels], draw))[:_MAPS]
        maps, target = tf.gather(maps, chosen, axis=-1), tf.gather(target, chosen, axis=-1)
    size = tf.shape(maps)[1:3]
    target = tf.image.resize(target, size, antialias=True)
    phases, own = _phases(maps)
    target_phases, target_own = _phases(target)
    surface = tf.signal.irfft2d(phases * tf.math.conj(target_phases), size)
    peak = tf.reduce_max(surface, axis=(2, 3)) / tf.sqrt(own * target_own + TINY)
    return tf.reduce_sum(target_own * (1 - peak), axis=1) / (
        tf.reduce_sum(target_own, axis=1) + TINY
    )


def _phases(maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The spectra of maps over their amplitudes, `(batch, channels, …)`, and their mean squares."""
    height, width = tf.shape(maps)[1], tf.shape(maps)[2]
    maps -= tf.reduce_mean(maps, axis=(1, 2), keepdims=True)
    spectra = tf.signal.rfft2d(tf.transpose(maps, [0, 3, 1, 2]))
    half = tf.range(width // 2 + 1)
    # Of a frequency and its negative, only one is there.
    counts = tf.where((half > 0) & (2 * half < width), 2.0, 1.0)
    positions = tf.cast(height * width, tf.float32)

    def mean(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(values * counts, axis=(2, 3), keepdims=True) / positions

    power = (tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))) / positions
    scale = tf.math.rsqrt(power + _FLOOR * mean(power) + EPSILON)
    # Not a cast: TensorFlow warns about a cast's gradient.
    phases = spectra * tf.complex(scale / tf.sqrt(positions), tf.zeros_like(scale))
    return phases, mean(power * tf.square(scale))[..., 0, 0]
