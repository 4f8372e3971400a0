"""Masks: which pixels count, and how much. No TensorFlow.

In memory a mask is a float32 array `(height, width)` in `[0, 1]`. In files it comes as painters
save it: white on black, one colour on black or on a transparent layer, or labels 0 and 1.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_style.image import color
from tf_style.image.paths import PathLike
from tf_style.image.picture import as_layers, read_layers
from tf_style.image.resize import resize
from tf_style.settings import MAX_PIXELS, InputError, Remark

_EXPECTED = "expected a mask, white or one colour on black or on a transparent layer"
# A brightest value below this, 16 of 255, cannot be seen: those are labels, or 12 bits in 16.
_DARK = 1 / 16
_LABELS = 16
# Differences between channels, and between paint and paint, up to which JPEG and rounding may go.
_TINT, _SAME = 0.15, 0.15
# Off the line from black to the paint's colour: the share that JPEG leaves beside edges goes up to
# 2 % beyond 0.2; none of it goes beyond 0.5.
_OFF, _FAR_OFF = (0.2, 0.03), (0.5, 0.001)
# Colours are the same flat colour if they are in the same cell of 16 x 16 x 16.
_CELLS, _FLAT_COLORS, _FLAT_SHARE = 16, 8, 0.9
# Side of the square that about decides a pixel's style, in pixels. Measured at 256 pixels: in a
# band half as wide, a style counts nearly as much as everywhere; in one of a pixel, half as much.
_SEEN = 16
# Long sides of a picture over the width of the soft edge of its regions.
_EDGES = 128


def as_mask(
    source: PathLike | np.ndarray | Image.Image, name: str = "mask", *, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """A mask as its painter meant it.

    White counts, black does not, and grays count in part. A single colour counts as white. On a
    transparent layer, what is painted counts. Two values too dark to be seen, such as 0 and 1 of
    255, are labels: the second counts.

    Args:
        source: a path or `sample:NAME`; or an array `(height, width)`, or with 1 to 4 channels
            like a file's (gray, gray and alpha, RGB, RGB and alpha): float in `[0, 1]`, bool, or
            whole numbers up to 255 or 65535; or a Pillow image.
        name: what errors call an array.
        max_pixels: the most that a file may have.

    Returns:
        float32 `(height, width)` in `[0, 1]`; 0 everywhere for a black one.

    Raises:
        InputError: if the file cannot be read, the array is not such a mask, or it holds several
            labels or flat colours, of which any may be meant.

    Warns:
        UserWarning: for one that is read otherwise than it may have been meant.
    """
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        with warnings.catch_warnings():
            # Labels are dark numbers.
            warnings.filterwarnings("ignore", message=".*nearly black")
            pixels, alpha = read_layers(source, max_pixels=max_pixels)
        return _told_apart(_painted(pixels, alpha, name), name)
    if isinstance(source, Image.Image):
        return _told_apart(_painted(*as_layers(source, name), name), name)
    values = np.asarray(source)
    mask = _painted(*_layers(values, name), name)
    # A float is what was meant.
    return mask if values.dtype.kind == "f" else _told_apart(mask, name)


def _layers(values: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour `(height, width, 3)` and alpha of an array."""
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or 0 in values.shape:
        raise InputError(
            f"{name}: expected a path or an array (height, width), or with 1 to 4 channels. "
            f"Received: shape {values.shape}"
        )
    values = _floats(values, name).reshape(*values.shape[:2], channels)
    alpha = values[..., -1] if channels in (2, 4) else None
    pixels = values[..., :3] if channels > 2 else values[..., :1].repeat(3, axis=2)
    return pixels, None if alpha is None or alpha.min() == 1 else alpha


def _floats(values: np.ndarray, name: str) -> np.ndarray:
    kind = values.dtype.kind
    if kind not in "bfiu":
        raise InputError(f"{name}: expected numbers. Received: {values.dtype}")
    low, high = values.min(), values.max()
    white = 1 if kind in "bf" else 255 if high <= 255 and values.dtype != np.uint16 else 65535
    # Written so that NaN fails.
    if not (low >= 0 and high <= white):
        raise InputError(
            f"{name}: expected floats in [0, 1], or whole numbers from 0 to 255 or 65535. "
            f"Received: {values.dtype}, {low:g} to {high:g}"
        )
    return (values / np.float32(white)).astype(np.float32)


def _painted(pixels: np.ndarray, alpha: np.ndarray | None, name: str) -> np.ndarray:
    """How much is painted in each place of a layer."""
    if alpha is None:
        return _shade(pixels, name)
    if not alpha.any():
        raise InputError(f"{name}: {_EXPECTED}. It is transparent everywhere")
    if _is_one_paint(pixels, alpha):
        if (pixels * alpha[..., None]).max() <= _SAME:
            warnings.warn(f"{name}: black on a transparent layer; what is painted counts as white",
                          Remark, stacklevel=3)
        return alpha
    seen = pixels * alpha[..., None]
    if _has_colors(seen):
        warnings.warn(f"{name}: several colours on a transparent layer; what is painted counts, "
                      "whatever its colour", Remark, stacklevel=3)
        return alpha
    return _shade(seen, name)


def _is_one_paint(pixels: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether the colour tells nothing: it is one, or darker only where the layer is fainter."""
    for faded in (np.ones_like(alpha), alpha):
        paint = np.tensordot(alpha, pixels, 2) / np.sum(alpha * faded)
        # Colours of faint pixels are rounded coarsely, and hardly seen.
        if (np.abs(pixels - faded[..., None] * paint).max(axis=2) * alpha).max() <= _SAME:
            return True
    return False


def _shade(pixels: np.ndarray, name: str) -> np.ndarray:
    """How much white, or the one colour, there is in each pixel."""
    if _has_colors(pixels):
        if _is_flat(pixels):
            raise InputError(f"{name}: {_EXPECTED}. It has several colours; which is meant?")
        warnings.warn(f"{name}: {_EXPECTED}. It has many colours, so their lightness "
                      "counts", Remark, stacklevel=4)
        return color.luminance(pixels).astype(np.float32)
    if not pixels.any():
        return np.zeros(pixels.shape[:2], np.float32)
    paint, bright = _paint(pixels)
    if 1 - paint.min() <= _TINT:
        return color.luminance(pixels).astype(np.float32)
    amount = pixels @ paint / (paint @ paint)
    # Not the highest value, to which JPEG adds.
    return np.clip(amount / np.quantile(amount[bright], 0.95), 0, 1).astype(np.float32)


def _paint(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean colour of the bright pixels, its largest channel 1; and which pixels these are."""
    value = pixels.max(axis=2)
    bright = value >= value.max() / 2
    paint = pixels[bright].mean(axis=0)
    return paint / paint.max(), bright


def _has_colors(pixels: np.ndarray) -> bool:
    """Whether there are more colours than one and black, with all that is between them."""
    if not pixels.any():
        return False
    paint, _ = _paint(pixels)
    amount = pixels @ paint / (paint @ paint)
    off = np.abs(pixels - amount[..., None] * paint).max(axis=2)
    painted = np.count_nonzero(amount > 0.1 * amount.max())
    return any(np.count_nonzero(off > limit) > share * painted
               for limit, share in (_OFF, _FAR_OFF))


def _is_flat(pixels: np.ndarray) -> bool:
    """Whether a few flat colours cover nearly everything, as in a map of labels."""
    cells = np.minimum(pixels * _CELLS, _CELLS - 1).astype(int) @ [_CELLS**2, _CELLS, 1]
    counts = np.sort(np.bincount(cells.ravel()))
    return bool(counts[-_FLAT_COLORS:].sum() >= _FLAT_SHARE * counts.sum())


def _told_apart(mask: np.ndarray, name: str) -> np.ndarray:
    """A mask, whose values are too dark to be seen if they are labels, as it was meant."""
    top = mask.max()
    if not 0 < top < _DARK:
        return mask
    values = np.unique(mask)
    if np.count_nonzero(values) == 1:
        return np.ceil(mask)
    if round(float(top) * 65535) <= 255:
        # Of 16 bits, only 8 are used.
        return _told_apart(mask * np.float32(65535 / 255), name)
    if len(values) <= _LABELS:
        found = ", ".join(f"{value * 255:.3g}" for value in values)
        raise InputError(f"{name}: {_EXPECTED}. It holds the values {found} of 255; which is "
                         "meant?")
    warnings.warn(f"{name}: {_EXPECTED}. Its brightest value is {top * 255:.0f} of 255, so "
                  "it counts only in part", Remark, stacklevel=3)
    return mask


def check_proportions(mask: np.ndarray, height: int, width: int, name: str) -> None:
    """Check that a mask has the proportions of its picture.

    Args:
        height, width: of the picture.
        name: what the error calls the mask.

    Raises:
        InputError: if not.
    """
    if abs(mask.shape[1] * height / (mask.shape[0] * width) - 1) > 0.03:
        raise InputError(
            f"{name}: expected a mask with the proportions of its picture, {width}x{height}. "
            f"Received: {mask.shape[1]}x{mask.shape[0]}"
        )


def resized(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """A mask at another size, in `[0, 1]`; it may have other proportions."""
    return np.clip(resize(mask[..., None], height, width, smooth=True), 0, 1)[..., 0]


def mostly(mask: np.ndarray | None, height: int, width: int) -> np.ndarray:
    """Where a mask of another size counts at least half as much as anywhere.

    Args:
        mask: `(height, width)` in `[0, 1]`; `None` for one that is white everywhere.

    Returns:
        bool `(height, width)`.
    """
    if mask is None:
        return np.ones((height, width), bool)
    share = resized(mask, height, width)
    return share >= share.max() / 2


def region_at(mask: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """A region as it is seen at the size of a run, and how much more it has to count.

    What is nowhere as wide as half of what decides a pixel's style, such as a line, would be
    outvoted there by its surroundings. It counts more by as much; and if it is thinner than a
    pixel, so that resizing makes it faint, it is as strong as it was. Other regions are resized,
    and their factor is exactly 1.
    """
    region = resized(mask, height, width)
    peak = float(region.max())
    factor = peak / (2 * max(_widest(region), np.finfo(np.float32).tiny))
    if factor <= 1:
        return region, 1.0
    gain = float(mask.max()) / peak
    return np.clip(region * np.float32(gain), 0, 1), factor * gain


def _widest(region: np.ndarray) -> float:
    """The highest mean over a square of `_SEEN` pixels, or of the whole if that is smaller."""
    for _ in range(2):
        side = min(_SEEN, len(region))
        sums = np.cumsum(np.pad(region, [(1, 0), (0, 0)]), axis=0, dtype=np.float64)
        region = ((sums[side:] - sums[:-side]) / side).T
    return float(region.max())


def soft_union(regions: Sequence[np.ndarray]) -> np.ndarray | None:
    """Where any of some regions reaches, `(height, width, 1)` in `[0, 1]`, soft at the edges.

    Args:
        regions: `(height, width)` in `[0, 1]`.

    Returns:
        `None` if they leave nothing out.
    """
    covered = np.clip(sum(regions), 0, 1)[..., None]
    if covered.min() >= 1:
        return None
    height, width = covered.shape[:2]
    edge = 1 + max(height, width) // _EDGES
    coarse = resize(covered, -(-height // edge), -(-width // edge), smooth=True)
    return np.maximum(covered, resize(coarse, height, width, smooth=True))
