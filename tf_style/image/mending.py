"""Mends poor style pictures: noisy, heavily compressed, or too small ones.

What counts is not how close a mended picture comes to the clean one pixel by pixel, but how close
the statistics of its texture come. The two differ: an estimate of least squared error is too
smooth, because it leaves out everything uncertain. So each step here gives detail the power that it
should have, which means taking the square roots of the usual weights.

What remains of the defects in the statistics is estimated by doing everything again: a mended
picture gets the same defects and is mended again (`degraded`, `mend`). This changes its statistics
by about as much as they differ from those of the clean picture, which nobody has.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_style.image import color
from tf_style.image.defects import (
    COMPRESSED,
    NOISY,
    OPPONENT_COLOR,
    SMALL,
    defects,
    examined,
    grid,
    largest_side,
    noise,
    quality,
)
from tf_style.image.jpeg import COLOR, SIDE, coded, restored, transformed
from tf_style.image.numbers import eight_bit
from tf_style.image.resize import fit, resize

# A picture that is seen smaller than this may have no deep maps.
_LEAST = 64

# About how much more fine detail the first compression took away than a second one does.
_FIRST_LOSS = 1.5

# Error of rounding colour differences to the steps of quality 1, as a fraction of the range. Steps
# are inversely proportional to the quality.
_ROUNDING = 40 / 255


@dataclasses.dataclass(frozen=True)
class Mended:
    """A style picture as it is to be used.

    Attributes:
        image: float32 `(height, width, 3)` in `[0, 1]`, without what could be mended.
        defects: what was found, as `defects` names it.
        again: `image` given the same defects and mended again; of the same size. `None` for a good
            picture.
        largest: the largest long side at which it should be seen, in pixels.
    """

    image: np.ndarray
    defects: tuple[str, ...]
    again: np.ndarray | None
    largest: int

    @classmethod
    def of(cls, image: np.ndarray, side: int) -> Mended:
        """What to use for a picture that is to be seen with a long side of `side` pixels."""
        poor = examined(image, side)
        found = defects(poor, side)
        largest = largest_side(poor)
        if not found:
            return cls(image, found, None, largest)
        good = mend(poor, found)
        again = mend(degraded(good, poor, found), found)
        if COMPRESSED in found:
            largest = min(largest, sharp_side(good, again))
        return cls(good, found, again, max(largest, _LEAST))


def mend(image: np.ndarray, found: Sequence[str]) -> np.ndarray:
    """A style picture without its defects.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        found: its defects, from `defects`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`; the picture itself where nothing was found. A
        small picture comes back with a long side of `largest_side(image)`, and should not be seen
        larger.
    """
    # Measured before denoising, which also removes the rounding.
    level = quality(image) if COMPRESSED in found else 0
    if NOISY in found:
        image = denoised(image, noise(image))
    if COMPRESSED in found:
        image = recolored(image, level)
    if SMALL in found:
        image = enlarged(image)
    return image


def degraded(image: np.ndarray, poor: np.ndarray, found: Sequence[str]) -> np.ndarray:
    """A good picture with the defects of another: as small, as noisy, as heavily compressed.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        poor: likewise; of the same size, or, if it is small, of the same proportions.
        found: its defects, from `defects`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`, of the size of `poor`; the same each time.
    """
    image = np.clip(resize(image, *poor.shape[:2]), 0, 1)
    if NOISY in found:
        grain = np.random.default_rng(0).standard_normal(image.shape, np.float32) * noise(poor)
        image = np.clip(image + grain @ OPPONENT_COLOR, 0, 1).astype(np.float32)
    if COMPRESSED in found:
        # Shifted by half a block: rounding the same blocks again would change nothing.
        above, before = ((SIDE // 2 - first) % SIDE for first in grid(poor))
        height, width = image.shape[:2]
        moved = np.pad(image, [(above, SIDE), (before, SIDE), (0, 0)], "symmetric")
        image = coded(Image.fromarray(eight_bit(moved)), quality(poor))
        moved = np.asarray(image.convert("RGB"), np.float32) / 255
        image = moved[above:, before:][:height, :width]
    return image


def sharp_side(image: np.ndarray, again: np.ndarray) -> int:
    """The long side at which a compressed picture has the fine detail of a good one, in pixels.

    Compression takes fine detail away. Seen smaller, a picture has more of it for each pixel.

    Args:
        image: mended, `(height, width, 3)` in `[0, 1]`.
        again: the same, compressed and mended again.

    Returns:
        Between half the picture's own long side and all of it.
    """
    side = max(image.shape[:2])
    before, after = (_fine_detail(each) for each in (image, again))
    kept = min(after / before, 1) if before else 1
    # No less than half: a picture of nothing but noise would lose everything.
    return round(side * max(kept / (kept + _FIRST_LOSS * (1 - kept)), 0.5))


def _fine_detail(image: np.ndarray) -> float:
    """Root mean square of the luminance that is lost at half the picture's size."""
    light = color.luminance(image)[..., None]
    half = resize(light, *(math.ceil(length / 2) for length in light.shape[:2]))
    return float(np.sqrt(np.mean((light - resize(half, *light.shape[:2])) ** 2)))


def denoised(image: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Remove white noise and leave texture its power.

    Two passes over all positions of 8 x 8 blocks. The first keeps the coefficients above a
    threshold. The second multiplies those of the noisy picture by √(p / (p + σ²)), where p is the
    power of the first pass's. Where noise was clipped at black or white, the shift of the mean is
    corrected.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        sigmas: from `noise`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.

    Source: Yu, Sapiro, DCT image denoising, IPOL 2011; the second pass: Dabov et al., Image
        denoising by sparse 3-D transform-domain collaborative filtering, 2007, whose weight is the
        square; clipping: Foi, Clipped noisy images, 2009.
    """
    sigmas = np.maximum(sigmas, 1e-4)
    planes = np.moveaxis(image.astype(np.float32) @ OPPONENT_COLOR.T, 2, 0)
    result = []
    for plane, sigma in zip(planes, sigmas, strict=True):
        height, width = plane.shape
        noisy = np.pad(plane, [(SIDE, SIDE + -length % SIDE) for length in plane.shape],
                       "symmetric")
        # For least squared error the threshold is 2.7 σ; a little less keeps more texture.
        first = _over_blocks(noisy, noisy, lambda c, s=sigma: np.abs(c) > 2.4 * s)
        second = _over_blocks(noisy, first, lambda c, s=sigma: np.sqrt(c**2 / (c**2 + s**2)))
        result.append(second[SIDE : SIDE + height, SIDE : SIDE + width])
    restored = np.stack(result, axis=2) @ OPPONENT_COLOR
    return _unclipped(restored, float(np.sqrt(np.mean(np.square(sigmas)))))


def _over_blocks(plane: np.ndarray, guide: np.ndarray, weigh) -> np.ndarray:
    """Weight the coefficients of all blocks, and average where they overlap.

    Args:
        plane: sides are multiples of 8.
        guide: a plane of that size; its coefficients decide the weights.
        weigh: coefficients `(blocks, 64)` → weights of that shape. Means are always kept.
    """
    total, norm = np.zeros_like(plane), np.zeros_like(plane)
    # Every second row and column, and every second of those in a chequerboard: an eighth of all.
    for top, left in np.argwhere(np.indices((SIDE // 2, SIDE // 2)).sum(axis=0) % 2 == 0) * 2:
        rows, columns = (
            slice(first, length - (SIDE - first) % SIDE)
            for first, length in zip((top, left), plane.shape, strict=True)
        )
        coefficients = transformed(plane[rows, columns])
        seen = coefficients if guide is plane else transformed(guide[rows, columns])
        weights = weigh(seen).astype(np.float32)
        weights[:, 0] = 1
        # The sparser a block, the less noise is left in it.
        trust = 1 / np.sum(weights**2, axis=1, keepdims=True)
        size = total[rows, columns].shape
        total[rows, columns] += restored(coefficients * weights * trust, *size)
        trust = trust.reshape(size[0] // SIDE, size[1] // SIDE)
        norm[rows, columns] += trust.repeat(SIDE, axis=0).repeat(SIDE, axis=1)
    # Some margins are in no block.
    return np.where(norm > 0, total / np.maximum(norm, 1e-9), plane)


def _unclipped(image: np.ndarray, sigma: float) -> np.ndarray:
    """Undo what clipping noise of `sigma` to `[0, 1]` does to mean values."""
    true = np.linspace(0, 1, 257)
    below, above = (-true / sigma, (1 - true) / sigma)
    shares = [np.array([math.erf(z / math.sqrt(2)) for z in limit]) / 2 for limit in (below, above)]
    bells = [np.exp(-limit**2 / 2) / math.sqrt(2 * math.pi) for limit in (below, above)]
    seen = true * (shares[1] - shares[0]) + sigma * (bells[0] - bells[1]) + 0.5 - shares[1]
    return np.interp(image, seen, true).astype(np.float32)


def recolored(image: np.ndarray, level: int, radius: int = 24) -> np.ndarray:
    """Restore the colours of a heavily compressed picture from its luminance.

    JPEG keeps luminance well; its colours come in coarse steps over blocks of 16 x 16 pixels. In
    each neighbourhood, a colour difference is predicted from the luminance as it looks after the
    same coding. The prediction is applied to the true luminance, which brings back fine detail.
    The remainder is kept as far as it is stronger than rounding.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        level: the quality at which it was compressed.
        radius: of the neighbourhood, in pixels.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`; luma is unchanged except by clipping.

    Source: the prediction: He, Sun, Tang, Guided image filtering, 2010.
    """
    radius = min(radius, max(image.shape[:2]) // 2)
    light, *differences = np.moveaxis(image @ COLOR.T, 2, 0)
    coded = _coded_as_color(light, level)
    mean, variance = _averaged(coded, radius), _averaged(coded**2, radius)
    variance -= mean**2
    result = [light]
    for plane in differences:
        plane_mean = _averaged(plane, radius)
        covariance = _averaged(coded * plane, radius) - mean * plane_mean
        # A contrast below 1 % predicts nothing.
        slope = covariance / (variance + 1e-4)
        offset = _averaged(plane_mean - slope * mean, radius)
        slope = _averaged(slope, radius)
        predicted = slope * coded + offset
        left = plane - predicted
        power = np.maximum(_averaged(left**2, radius), 1e-9)
        left *= np.sqrt(np.maximum(0, 1 - (_ROUNDING / level) ** 2 / power))
        result.append(predicted + left + slope * (light - coded))
    restored = np.stack(result, axis=2) @ np.linalg.inv(COLOR).T
    return np.clip(restored, 0, 1).astype(np.float32)


def _coded_as_color(light: np.ndarray, level: int) -> np.ndarray:
    """What JPEG makes of a plane in `[0, 1]` when it is given as a colour difference."""
    plane = Image.fromarray(eight_bit(light))
    image = coded(Image.merge("YCbCr", [plane] * 3), level)
    return np.asarray(image.getchannel(1), np.float64) / 255


def _averaged(plane: np.ndarray, radius: int) -> np.ndarray:
    """Mean over the square of `2 radius + 1` pixels around each pixel; mirrored at the edges."""
    padded = np.pad(plane, radius, "symmetric")
    size = 2 * radius + 1
    for _ in range(2):
        sums = np.cumsum(np.pad(padded, [(1, 0), (0, 0)]), axis=0)
        padded = ((sums[size:] - sums[:-size]) / size).T
    return padded


def enlarged(image: np.ndarray) -> np.ndarray:
    """Enlarge a small picture to its `largest_side`, and sharpen what that blurs.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.
    """
    large = fit(image, largest_side(image))
    blurred = resize(resize(large, *image.shape[:2]), *large.shape[:2])
    return np.clip(large + 2 * (large - blurred), 0, 1)
