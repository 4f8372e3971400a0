"""Colours of pictures: luminance, its gradient, and distances between palettes."""

from __future__ import annotations

import numpy as np

_REC709 = np.array([0.2126, 0.7152, 0.0722])


def luminance(image: np.ndarray) -> np.ndarray:
    """Luma of an sRGB-encoded picture, `(height, width)` in `[0, 1]`.

    Source: ITU-R BT.709.
    """
    return np.asarray(image, np.float64) @ _REC709


def gradient_magnitude(gray: np.ndarray) -> np.ndarray:
    """Length of the gradient of `(height, width)` by central differences, per pixel."""
    rows, columns = np.gradient(gray)
    return np.hypot(rows, columns)


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, *, slices: int = 64) -> float:
    """Sliced Wasserstein distance between the colours of two pictures.

    The 1-Wasserstein distance between the projections of both sets of colours on a line, averaged
    over `slices` directions drawn with a fixed seed.

    Args:
        first, second: `(height, width, 3)` in `[0, 1]`, of any sizes.

    Returns:
        0 for the same palette; at most about 1, in units of the range of a channel.

    Source: Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, 2015.
    """
    directions = np.random.default_rng(0).standard_normal((3, slices))
    directions /= np.linalg.norm(directions, axis=0)
    levels = (np.arange(1024) + 0.5) / 1024
    quantiles = [
        np.quantile(image.reshape(-1, 3).astype(np.float64) @ directions, levels, axis=0)
        for image in (first, second)
    ]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())
