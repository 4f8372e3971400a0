"""What makes a style picture poor: defects added to good ones."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tf_style.image.numbers import eight_bit
from tf_style.image.resize import resize


def jpeg(style: np.ndarray) -> np.ndarray:
    """After JPEG of quality 10."""
    file = io.BytesIO()
    Image.fromarray(eight_bit(style)).save(file, "JPEG", quality=10)
    return np.asarray(Image.open(file), np.float32) / 255


def noise(style: np.ndarray) -> np.ndarray:
    """With white noise of 25 / 255, clipped."""
    drawn = np.random.default_rng(0).normal(0, 25 / 255, style.shape)
    return np.clip(style + drawn, 0, 1).astype(np.float32)


def small(style: np.ndarray) -> np.ndarray:
    """With a long side of 128 pixels."""
    sides = np.round(np.array(style.shape[:2]) * 128 / max(style.shape)).astype(int)
    return np.clip(resize(style, *sides.tolist()), 0, 1)


DEFECTS = {"jpeg": jpeg, "noise": noise, "small": small}
