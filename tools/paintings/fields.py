"""Values over the pixels of a picture: coordinates, colours, noise and filters.

An image is a float64 array `(height, width, 3)` in `[0, 1]`. Its x and y are pixel coordinates with
y pointing down; pixel centres lie at halves.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator


def pixel_grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates `x, y` of the pixel centres, each `(height, width)`."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return x, y


def mix(a: np.ndarray | float, b: np.ndarray | float, t: np.ndarray | float) -> np.ndarray | float:
    """Blend linearly from `a` (`t` = 0) to `b` (`t` = 1)."""
    return a + (b - a) * t


def smoothstep(low: np.ndarray | float, high: float, value: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at `low` to 1 at `high`; fall if `low > high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def rgb(code: str) -> np.ndarray:
    """The colour `"rrggbb"` as three floats in `[0, 1]`."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)])


def ramp(t: np.ndarray, *codes: str) -> np.ndarray:
    """Map `t` to colours `"rrggbb"` spaced evenly over `[0, 1]`, along a new last axis.

    Beyond `[0, 1]` the outer colours go on.
    """
    colors = np.stack([rgb(code) for code in codes])
    stops = np.linspace(0, 1, len(codes))
    return np.stack([np.interp(t, stops, channel) for channel in colors.T], axis=-1)


def fractal_noise(
    rng: Generator, x: np.ndarray, y: np.ndarray, octaves: int = 5, gain: float = 0.5
) -> np.ndarray:
    """Gradient noise of several octaves.

    Args:
        x, y: coordinates in units of the largest blobs, of one shape.
        octaves: number of octaves, each of half the size of the last.
        gain: amplitude of an octave relative to the last.

    Returns:
        Array of the shape of `x`, roughly in `[-1, 1]` with mean 0.
    """
    total = np.zeros(x.shape)
    for octave in range(octaves):
        # The odd offset keeps the zeros of the octaves' lattices from falling together.
        u, v = x * 2.0**octave + 17.3 * octave, y * 2.0**octave + 31.7 * octave
        total += 1.6 * gain**octave * _gradient_noise(rng, u, v)
    return total


def _gradient_noise(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One octave of noise on the unit lattice, which repeats after 256 units.

    Source: Perlin, Improving Noise, 2002, with random gradients.
    """
    angle = rng.uniform(0, 2 * np.pi, (256, 256))
    slope_x, slope_y = np.cos(angle), np.sin(angle)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = x - column, y - row

    def corner(right: int, down: int) -> np.ndarray:
        at = (row + down) & 255, (column + right) & 255
        return slope_x[at] * (u - right) + slope_y[at] * (v - down)

    fade_u, fade_v = (t**3 * (t * (6 * t - 15) + 10) for t in (u, v))
    top, bottom = (mix(corner(0, down), corner(1, down), fade_u) for down in (0, 1))
    return mix(top, bottom, fade_v)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of the first two axes, with the edges repeated."""
    radius = int(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    for axis in (0, 1):
        pad = [(radius, radius) if i == axis else (0, 0) for i in range(image.ndim)]
        padded, size = np.pad(image, pad, mode="edge"), image.shape[axis]
        image = sum(
            weight * padded[(slice(None),) * axis + (slice(i, i + size),)]
            for i, weight in enumerate(weights / weights.sum())
        )
    return image


def emboss(height: np.ndarray) -> np.ndarray:
    """Slope of a height map towards the light at the upper left."""
    down, right = np.gradient(height)
    return right + down


def sample_at(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read an image bilinearly at coordinates `x, y`, with the edges repeated."""
    height, width = image.shape[:2]
    x, y = np.clip(x - 0.5, 0, width - 1.001), np.clip(y - 0.5, 0, height - 1.001)
    column, row = x.astype(int), y.astype(int)
    u, v = (x - column)[..., None], (y - row)[..., None]
    top, bottom = (mix(image[i, column], image[i, column + 1], u) for i in (row, row + 1))
    return mix(top, bottom, v)
