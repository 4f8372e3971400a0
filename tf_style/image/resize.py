"""Pictures at another size."""

from __future__ import annotations

import numpy as np
from PIL import Image


def fitted_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width with the given long side and the same proportions, at least 1."""
    ratio = long_side / max(height, width)
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def resize(image: np.ndarray, height: int, width: int, *, smooth: bool = False) -> np.ndarray:
    """Resize an array of any range, with antialiasing.

    Args:
        image: `(height, width, channels)`.
        smooth: linear interpolation, which stays within the range of the values; otherwise
            Lanczos, which is sharper and may overshoot.

    Returns:
        float32 `(height, width, channels)`.
    """
    if image.shape[:2] == (height, width):
        return np.asarray(image, np.float32)
    kernel = Image.Resampling.BILINEAR if smooth else Image.Resampling.LANCZOS
    resized = np.empty((height, width, image.shape[2]), np.float32)
    for i in range(image.shape[2]):
        channel = Image.fromarray(np.asarray(image[..., i], np.float32))
        resized[..., i] = channel.resize((width, height), kernel)
    return resized


def fit(image: np.ndarray, long_side: int) -> np.ndarray:
    """A picture resized, with antialiasing, so that its long side is `long_side`.

    Args:
        image: `(height, width, channels)` in `[0, 1]`.
        long_side: in pixels.

    Returns:
        float32 array `(height, width, channels)` in `[0, 1]`, of the same proportions.

    Example:
        >>> fit(np.zeros((30, 40, 3)), 20).shape
        (15, 20, 3)
    """
    return np.clip(resize(image, *fitted_size(*image.shape[:2], long_side)), 0, 1)


def shrink(image: np.ndarray, long_side: int) -> np.ndarray:
    """A picture no larger than `long_side`; a smaller one stays as it is."""
    return fit(image, long_side) if max(image.shape[:2]) > long_side else image
