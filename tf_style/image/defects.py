"""What is wrong with a style picture: noise, heavy compression, or too few pixels."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from tf_style.image import color
from tf_style.image.jpeg import COLOR, SIDE, coded, transformed
from tf_style.image.resize import shrink

NOISY, COMPRESSED, SMALL = "noisy", "heavily compressed", "small"

# Orthonormal transforms: of a pixel's three channels, and of the eight values of a block's side.
OPPONENT_COLOR = np.float32([[1, 1, 1], [1, 0, -1], [1, -2, 1]] / np.sqrt([[3], [2], [6]]))
_HIGH = np.add.outer(range(SIDE), range(SIDE)).ravel() >= SIDE

# Thresholds, as fractions of the range. Set with ten clean paintings and photographs, each as it is
# and with a long side of 512, 256 and 128 pixels. The highest values are a noise of 0.052 in
# luminance and 0.020 in colour, and steps of 0.0078. With noise of 25 / 255 or after JPEG of
# quality 10, the lowest values of the same pictures are 0.080, 0.081 and 0.017.
_NOISE_IN_LUMINANCE = 0.06
_NOISE_IN_COLOR = 0.03
_STEP = 0.012

# The most that a picture may be enlarged: beyond it, a run imitates the blur of enlarging.
_ENLARGEMENT = math.sqrt(2)

# Pictures this many times as large as they are seen lose the steps between their blocks.
_LARGE = 4

# The least long side of the copy in which defects are looked for.
_EXAMINED = 1024

# Beyond this side mending takes too much memory.
_LARGEST = 4096
_QUALITIES = range(5, 31)


def examined_side(side: int) -> int:
    """The long side above which more pixels of a style picture show no other defects.

    Args:
        side: long side at which it will be seen, in pixels.
    """
    return max(side, _EXAMINED, min(_LARGE * side, _LARGEST) + 1)


def examined(image: np.ndarray, side: int) -> np.ndarray:
    """A style picture at the size at which its defects are to be found and mended.

    That is no larger than needed, except for compressed pictures, whose blocks can no longer be
    recognised once they are resized.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        side: long side at which it will be seen, in pixels.
    """
    if max(image.shape[:2]) <= min(_LARGE * side, _LARGEST) and blockiness(image) > _STEP:
        return image
    return shrink(image, max(side, _EXAMINED))


def defects(image: np.ndarray, side: int = 0) -> tuple[str, ...]:
    """What is wrong with a style picture.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        side: long side at which it will be seen, in pixels.

    Returns:
        Any of `NOISY`, `COMPRESSED`, `SMALL`, in the order in which `mend` treats them; empty for
        a good picture.
    """
    found = []
    if _is_noisy(noise(image)):
        found.append(NOISY)
    if blockiness(image) > _STEP:
        found.append(COMPRESSED)
    if side > 1.01 * largest_side(image):
        found.append(SMALL)
    return tuple(found)


def largest_side(image: np.ndarray) -> int:
    """The largest long side at which a picture should be seen, in pixels."""
    return round(_ENLARGEMENT * max(image.shape[:2]))


def noise(image: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise in a picture's luminance and its two colour differences.

    White noise is the same in all parts of a picture; texture is not. So the power of the highest
    frequencies in the calmest blocks is that of the noise. In luminance, where brushwork may cover
    nearly everything, these are the calmest 2 % of the blocks; in the differences between
    channels, which hold little fine texture, the calmest 10 %.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        `(3,)` float64, for the orthonormal combinations R + G + B, R − B and R − 2 G + B; zeros for
        a picture smaller than a block of 8 x 8.

    Source: the calmest blocks: Olsen, Estimation of noise in images: an evaluation, 1993.
    """
    height, width = (length // SIDE * SIDE for length in image.shape[:2])
    if not height or not width:
        return np.zeros(3)
    planes = image[:height, :width].astype(np.float32) @ OPPONENT_COLOR.T
    powers = [np.mean(transformed(plane)[:, _HIGH] ** 2, axis=1) for plane in planes.T]
    # These quantiles as shares of the mean, for averages of as many squares of normal values.
    shares, quantiles = (0.02, 0.1, 0.1), (0.54, 0.68, 0.68)
    return np.sqrt([np.quantile(power, share) / quantile
                    for power, share, quantile in zip(powers, shares, quantiles, strict=True)])


def _is_noisy(sigmas: np.ndarray) -> bool:
    return bool(sigmas[0] > _NOISE_IN_LUMINANCE or sigmas[1:].min() > _NOISE_IN_COLOR)


def blockiness(image: np.ndarray) -> float:
    """Height of the steps between the 8 x 8 blocks of a JPEG file, as a fraction of the range.

    How much larger differences between neighbours are at every eighth pixel than beside it. The
    grid may begin anywhere, so a picture is recognised even if it has since been cropped or stored
    in another format.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        The smaller of the values across and down, because a picture's own stripes run one way. 0
        for a picture of fewer than four blocks a side.

    Source: after Wang, Bovik, Evans, Blind measurement of blocking artifacts in images, 2000.
    """
    if min(image.shape[:2]) < 4 * SIDE:
        return 0.0
    return float(min(each.max() - np.median(each) for each in _steps(image)))


def _steps(image: np.ndarray) -> list[np.ndarray]:
    """Mean step of luminance after every eighth row, for 8 first rows; and the same for columns."""
    light = color.luminance(image)
    found = []
    for plane in (light, light.T):
        differences = np.abs(np.diff(plane, axis=0))
        steps = differences[1:-1] - (differences[:-2] + differences[2:]) / 2
        # The first of these steps is after the second row.
        phases = [steps[first::SIDE].mean() for first in range(SIDE)]
        found.append(np.roll(phases, 1))
    return found


def grid(image: np.ndarray) -> tuple[int, int]:
    """The first row and column at which blocks of a compressed picture begin."""
    if min(image.shape[:2]) < 4 * SIDE:
        return 0, 0
    top, left = ((int(each.argmax()) + 1) % SIDE for each in _steps(image))
    return top, left


def quality(image: np.ndarray) -> int:
    """The quality, as the JPEG library counts it, at which a picture was compressed too far.

    Compressed again at that quality, in the same places, it hardly changes; at others it does.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        5 to 30, the range of qualities that leave visible blocks; one of the higher ones if none
        stands out because the picture has since been changed.

    Source: Farid, Exposing digital forgeries from JPEG ghosts, 2009.
    """
    top, left = grid(image)
    plane = np.round(image[top:, left:] @ COLOR[0] * 255)
    plane = plane[: len(plane) // SIDE * SIDE, : plane.shape[1] // SIDE * SIDE]
    # Some blocks are enough, but not those of a plain margin.
    size = 64 * SIDE
    parts = [plane[row : row + size, column : column + size]
             for row in range(0, len(plane), size) for column in range(0, plane.shape[1], size)]
    part = max(parts, key=lambda each: each.var() * each.size, default=plane)
    if not part.size or part.min() == part.max():
        return _QUALITIES[-1]
    gray = Image.fromarray(part.astype(np.uint8))
    changes = np.array(
        [np.mean((np.asarray(coded(gray, each)) - part) ** 2) for each in _QUALITIES]
    )
    # A lower quality's steps may be multiples of a higher one's: then both change it as little.
    return _QUALITIES[int(np.argmax(changes <= 1.5 * changes.min()))]
