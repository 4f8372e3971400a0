"""Poor style pictures, recognised and cleaned: noisy, heavily compressed, or too small.

What counts is not how near a cleaned picture comes to the clean one pixel by pixel but whether the
statistics of its texture do. The two differ: an estimate of least squared error is too smooth, for
it leaves out all that it is not sure of. So each step here gives detail the power that it should
have, which means the square roots of the customary weights.

What then is left of the defects in the statistics can be estimated, by doing everything once more:
a cleaned picture gets the same defects and is cleaned again (`worsened`, `clean`). By as much as
that changes its statistics, they differ from those of the picture that nobody has.
"""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_style.image import color
from tf_style.image.files import fit, resize, shrink

NOISY, COMPRESSED, SMALL = "noisy", "heavily compressed", "small"

# The orthonormal transform of three values, of a pixel's channels, and of eight, of a block's side.
_COLOR = np.float32([[1, 1, 1], [1, 0, -1], [1, -2, 1]] / np.sqrt([[3], [2], [6]]))
_SIDE = 8
_FREQUENCY, _PLACE = np.mgrid[:_SIDE, :_SIDE]
_COSINES = np.cos(np.pi * _FREQUENCY * (2 * _PLACE + 1) / (2 * _SIDE))
_COSINES *= np.where(_FREQUENCY, math.sqrt(2 / _SIDE), math.sqrt(1 / _SIDE))
_DCT = np.kron(_COSINES, _COSINES).astype(np.float32)
_HIGH = np.add.outer(range(_SIDE), range(_SIDE)).ravel() >= _SIDE

# Thresholds, as fractions of the range. Set with ten clean paintings and photographs, each as it is
# and with a long side of 512, 256 and 128 pixels, of which the worst have a noise of 0.052 in
# luminance and 0.020 in colour, and steps of 0.0078. With noise of 25 / 255 or after JPEG of
# quality 10 the least of the same pictures are 0.080, 0.081 and 0.017.
_NOISE_IN_LUMINANCE = 0.06
_NOISE_IN_COLOR = 0.03
_STEP = 0.012
# What a picture may be enlarged by: beyond, it is the blur of enlarging that is imitated.
_ENLARGEMENT = math.sqrt(2)
# Times the side at which they are seen, pictures are so large that the steps of blocks are lost.
_LARGE = 4
# A picture that is seen smaller than this may have no deep maps.
_LEAST = 64
# Beyond this side mending takes too much memory.
_LARGEST = 4096
# Compressing once more takes less fine detail away than the first time did; so much less, about.
_FIRST_LOSS = 1.5


@dataclasses.dataclass(frozen=True)
class Cleaned:
    """A style picture as it is to be used.

    Attributes:
        image: float32 `(height, width, 3)` in `[0, 1]`, without what could be mended.
        defects: what was found, as `defects` names it.
        again: `image` with the same defects, cleaned again; of the same size. `None` for a good
            picture.
        largest: the largest long side at which it should be seen, in pixels.
    """

    image: np.ndarray
    defects: tuple[str, ...]
    again: np.ndarray | None
    largest: int

    @classmethod
    def of(cls, image: np.ndarray, side: int) -> Cleaned:
        """What to use of a picture that is to be seen with a long side of `side` pixels."""
        poor = looked_at(image, side)
        found = defects(poor, side)
        largest = largest_side(poor)
        if not found:
            return cls(image, found, None, largest)
        good = clean(poor, found)
        again = clean(worsened(good, poor, found), found)
        if COMPRESSED in found:
            largest = min(largest, sharp_side(good, again))
        return cls(good, found, again, max(largest, _LEAST))


def looked_at(image: np.ndarray, side: int) -> np.ndarray:
    """A style picture at the size at which its defects are to be found and mended.

    That is no larger than needed, but for compressed pictures, whose blocks cannot be told any more
    once they are resized.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        side: long side at which it will be seen, in pixels.
    """
    if max(image.shape[:2]) <= min(_LARGE * side, _LARGEST) and blockiness(image) > _STEP:
        return image
    return shrink(image, max(side, 1024))


def defects(image: np.ndarray, side: int = 0) -> tuple[str, ...]:
    """What is wrong with a style picture.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        side: long side at which it will be seen, in pixels.

    Returns:
        Any of `NOISY`, `COMPRESSED`, `SMALL`, in the order in which `clean` treats them; nothing
        for a good picture.
    """
    found = []
    if _is_noisy(noise(image)):
        found.append(NOISY)
    if blockiness(image) > _STEP:
        found.append(COMPRESSED)
    if side > 1.01 * largest_side(image):
        found.append(SMALL)
    return tuple(found)


def clean(image: np.ndarray, found: Sequence[str]) -> np.ndarray:
    """A style picture without its defects.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        found: its defects, as of `defects`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`; the picture itself where nothing was found. A
        small picture comes back with a long side of `largest_side(image)`, and should not be seen
        larger.
    """
    # Of the picture as it is: where noise is taken away, so is the rounding.
    level = quality(image) if COMPRESSED in found else 0
    if NOISY in found:
        image = denoised(image, noise(image))
    if COMPRESSED in found:
        image = recolored(image, level)
    if SMALL in found:
        image = enlarged(image)
    return image


def worsened(image: np.ndarray, poor: np.ndarray, found: Sequence[str]) -> np.ndarray:
    """A good picture with the defects of another: as small, as noisy, as heavily compressed.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        poor: likewise; of the same size, or, where it is small, of the same proportions.
        found: its defects, as of `defects`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`, of the size of `poor`; the same each time.
    """
    image = np.clip(resize(image, *poor.shape[:2]), 0, 1)
    if NOISY in found:
        grain = np.random.default_rng(0).standard_normal(image.shape, np.float32) * noise(poor)
        image = np.clip(image + grain @ _COLOR, 0, 1).astype(np.float32)
    if COMPRESSED in found:
        # Half a block off: where blocks were rounded before, rounding would change nothing.
        above, before = ((_SIDE // 2 - first) % _SIDE for first in _grid(poor))
        height, width = image.shape[:2]
        moved = np.pad(image, [(above, _SIDE), (before, _SIDE), (0, 0)], "symmetric")
        coded = _coded(Image.fromarray(np.round(moved * 255).astype(np.uint8)), quality(poor))
        moved = np.asarray(coded.convert("RGB"), np.float32) / 255
        image = moved[above:, before:][:height, :width]
    return image


def noise(image: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise in a picture's luminance and its two colour differences.

    White noise is in all parts of a picture alike; texture is not. So the power of the highest
    frequencies of the calmest blocks is that of the noise. In luminance, where brushwork may cover
    nearly everything, these are the calmest 2 % of the blocks; in the differences between
    channels, which hold little fine texture, the calmest 10 %.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        `(3,)` float64, for the orthonormal combinations R + G + B, R − B and R − 2 G + B; zeros for
        a picture smaller than a block of 8 x 8.

    Source: the calmest blocks: Olsen, Estimation of noise in images: an evaluation, 1993.
    """
    height, width = (length // _SIDE * _SIDE for length in image.shape[:2])
    if not height or not width:
        return np.zeros(3)
    planes = image[:height, :width].astype(np.float32) @ _COLOR.T
    powers = [np.mean(_transformed(plane)[:, _HIGH] ** 2, axis=1) for plane in planes.T]
    # What these quantiles are of the mean, for as many squares of normal values as are averaged.
    shares, quantiles = (0.02, 0.1, 0.1), (0.54, 0.68, 0.68)
    return np.sqrt([np.quantile(power, share) / quantile
                    for power, share, quantile in zip(powers, shares, quantiles, strict=True)])


def _is_noisy(sigmas: np.ndarray) -> bool:
    return bool(sigmas[0] > _NOISE_IN_LUMINANCE or sigmas[1:].min() > _NOISE_IN_COLOR)


def blockiness(image: np.ndarray) -> float:
    """Height of the steps between the 8 x 8 blocks of a JPEG file, as a fraction of the range.

    How much larger differences between neighbours are at each eighth pixel than beside it; wherever
    the grid begins, so that a picture that was cropped or stored in another format since is
    recognised, too.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        The smaller of the value across and that down: a picture's own stripes run one way. 0 for
        a picture of fewer than four blocks a side.

    Source: after Wang, Bovik, Evans, Blind measurement of blocking artifacts in images, 2000.
    """
    if min(image.shape[:2]) < 4 * _SIDE:
        return 0.0
    return float(min(each.max() - np.median(each) for each in _steps(image)))


def _steps(image: np.ndarray) -> list[np.ndarray]:
    """Mean step of luminance behind each eighth row, from 8 first rows on, and columns likewise."""
    light = color.luminance(image)
    found = []
    for plane in (light, light.T):
        differences = np.abs(np.diff(plane, axis=0))
        steps = differences[1:-1] - (differences[:-2] + differences[2:]) / 2
        # The first of these steps is behind the second row.
        phases = [steps[first::_SIDE].mean() for first in range(_SIDE)]
        found.append(np.roll(phases, 1))
    return found


def _grid(image: np.ndarray) -> tuple[int, int]:
    """The first row and column at which blocks of a compressed picture begin."""
    if min(image.shape[:2]) < 4 * _SIDE:
        return 0, 0
    top, left = ((int(each.argmax()) + 1) % _SIDE for each in _steps(image))
    return top, left


def quality(image: np.ndarray) -> int:
    """The quality, as the JPEG library counts it, at which a picture was compressed too far.

    Compressed once more at that quality, in the same places, it hardly changes; at others it does.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.

    Returns:
        5 to 30, in which the qualities lie that leave visible blocks; one of the higher where none
        stands out, because the picture was changed since.

    Source: Farid, Exposing digital forgeries from JPEG ghosts, 2009.
    """
    top, left = _grid(image)
    plane = np.round(image[top:, left:] @ _JPEG_COLOR[0] * 255)
    plane = plane[: len(plane) // _SIDE * _SIDE, : plane.shape[1] // _SIDE * _SIDE]
    # Some blocks are enough, but not those of an even margin.
    size = 64 * _SIDE
    parts = [plane[row : row + size, column : column + size]
             for row in range(0, len(plane), size) for column in range(0, plane.shape[1], size)]
    part = max(parts, key=lambda each: each.var() * each.size, default=plane)
    if not part.size or part.min() == part.max():
        return _QUALITIES[-1]
    gray = Image.fromarray(part.astype(np.uint8))
    changes = np.array(
        [np.mean((np.asarray(_coded(gray, each)) - part) ** 2) for each in _QUALITIES]
    )
    # The steps of a higher quality may go into those of a lower: then it changes as little.
    return _QUALITIES[int(np.argmax(changes <= 1.5 * changes.min()))]


def largest_side(image: np.ndarray) -> int:
    """The largest long side at which a picture should be seen, in pixels."""
    return round(_ENLARGEMENT * max(image.shape[:2]))


def sharp_side(image: np.ndarray, again: np.ndarray) -> int:
    """The long side at which a compressed picture has the fine detail of a good one, in pixels.

    Compression takes fine detail away. Seen smaller, a picture has more of it for each pixel.

    Args:
        image: mended, `(height, width, 3)` in `[0, 1]`.
        again: the same compressed and mended once more.

    Returns:
        Half the picture's own to the whole.
    """
    side = max(image.shape[:2])
    before, after = (_fine_detail(each) for each in (image, again))
    kept = min(after / before, 1) if before else 1
    # No less than half: a picture of nothing but noise would lose all.
    return round(side * max(kept / (kept + _FIRST_LOSS * (1 - kept)), 0.5))


def _fine_detail(image: np.ndarray) -> float:
    """Root mean square of the luminance that is lost at half a picture's size."""
    light = color.luminance(image)[..., None]
    half = resize(light, *(math.ceil(length / 2) for length in light.shape[:2]))
    return float(np.sqrt(np.mean((light - resize(half, *light.shape[:2])) ** 2)))


def denoised(image: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Remove white noise and leave texture its power.

    Two passes over all positions of 8 x 8 blocks. The first keeps the coefficients above a
    threshold. The second weighs those of the noisy picture by √(p / (p + σ²)), p the power of
    the first pass's. Where noise was clipped at black or white, the mean that was shifted is set
    right.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        sigmas: as of `noise`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.

    Source: Yu, Sapiro, DCT image denoising, IPOL 2011; the second pass: Dabov et al., Image
        denoising by sparse 3-D transform-domain collaborative filtering, 2007, whose weight is the
        square; clipping: Foi, Clipped noisy images, 2009.
    """
    sigmas = np.maximum(sigmas, 1e-4)
    planes = np.moveaxis(image.astype(np.float32) @ _COLOR.T, 2, 0)
    result = []
    for plane, sigma in zip(planes, sigmas, strict=True):
        height, width = plane.shape
        noisy = np.pad(plane, [(_SIDE, _SIDE + -length % _SIDE) for length in plane.shape],
                       "symmetric")
        # For least squared error it is 2.7 σ; a little less keeps more texture.
        first = _over_blocks(noisy, noisy, lambda c, s=sigma: np.abs(c) > 2.4 * s)
        second = _over_blocks(noisy, first, lambda c, s=sigma: np.sqrt(c**2 / (c**2 + s**2)))
        result.append(second[_SIDE : _SIDE + height, _SIDE : _SIDE + width])
    restored = np.stack(result, axis=2) @ _COLOR
    return _unclipped(restored, float(np.sqrt(np.mean(np.square(sigmas)))))


def _transformed(plane: np.ndarray) -> np.ndarray:
    """The cosine coefficients of the blocks of a plane, `(blocks, 64)`."""
    height, width = plane.shape
    blocks = plane.reshape(height // _SIDE, _SIDE, width // _SIDE, _SIDE).swapaxes(1, 2)
    return blocks.reshape(-1, _SIDE**2) @ _DCT.T


def _restored(coefficients: np.ndarray, height: int, width: int) -> np.ndarray:
    """The plane whose blocks have these coefficients: the inverse of `_transformed`."""
    blocks = (coefficients @ _DCT).reshape(height // _SIDE, width // _SIDE, _SIDE, _SIDE)
    return blocks.swapaxes(1, 2).reshape(height, width)


def _over_blocks(plane: np.ndarray, guide: np.ndarray, weigh) -> np.ndarray:
    """Weigh the coefficients of all blocks, and average where they overlap.

    Args:
        plane: sides are multiples of 8.
        guide: a plane of that size; its coefficients decide the weights.
        weigh: coefficients `(blocks, 64)` → weights of that shape. Means are always kept.
    """
    total, norm = np.zeros_like(plane), np.zeros_like(plane)
    # Every second row and column, of those every second in a chequerboard: an eighth of all.
    for top, left in np.argwhere(np.indices((_SIDE // 2, _SIDE // 2)).sum(axis=0) % 2 == 0) * 2:
        rows, columns = (
            slice(first, length - (_SIDE - first) % _SIDE)
            for first, length in zip((top, left), plane.shape, strict=True)
        )
        coefficients = _transformed(plane[rows, columns])
        seen = coefficients if guide is plane else _transformed(guide[rows, columns])
        weights = weigh(seen).astype(np.float32)
        weights[:, 0] = 1
        # The sparser a block, the less noise is left in it.
        trust = 1 / np.sum(weights**2, axis=1, keepdims=True)
        size = total[rows, columns].shape
        total[rows, columns] += _restored(coefficients * weights * trust, *size)
        trust = trust.reshape(size[0] // _SIDE, size[1] // _SIDE)
        norm[rows, columns] += trust.repeat(_SIDE, axis=0).repeat(_SIDE, axis=1)
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


# Rows: luma and the two colour differences of JPEG. Source: ITU-R BT.601.
_JPEG_COLOR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)
# Of rounding colour differences to the steps of quality 1, as a fraction of the range. Steps are in
# inverse proportion to the quality.
_ROUNDING = 40 / 255
_QUALITIES = range(5, 31)


def recolored(image: np.ndarray, level: int, radius: int = 24) -> np.ndarray:
    """Restore the colours of a heavily compressed picture from its luminance.

    JPEG keeps luminance well; its colours come in coarse steps over blocks of 16 x 16 pixels. In
    each neighbourhood a colour difference is predicted from the luminance as that looks after the
    same coding. The prediction is applied to the true luminance, which brings back fine detail;
    what it leaves over is kept as far as it is stronger than rounding is.

    Args:
        image: `(height, width, 3)` in `[0, 1]`.
        level: the quality at which it was compressed.
        radius: of the neighbourhood, in pixels.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`; luma stays but for clipping.

    Source: the prediction: He, Sun, Tang, Guided image filtering, 2010.
    """
    radius = min(radius, max(image.shape[:2]) // 2)
    light, *differences = np.moveaxis(image @ _JPEG_COLOR.T, 2, 0)
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
    restored = np.stack(result, axis=2) @ np.linalg.inv(_JPEG_COLOR).T
    return np.clip(restored, 0, 1).astype(np.float32)


def _coded_as_color(light: np.ndarray, level: int) -> np.ndarray:
    """What JPEG makes of a plane in `[0, 1]` when it is given as a colour difference."""
    plane = Image.fromarray(np.round(np.clip(light, 0, 1) * 255).astype(np.uint8))
    coded = _coded(Image.merge("YCbCr", [plane] * 3), level)
    return np.asarray(coded.getchannel(1), np.float64) / 255


def _coded(image: Image.Image, level: int) -> Image.Image:
    """A picture after compression: gray, or, if it has colours, in JPEG's own colour space."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=level)
    with Image.open(file) as coded:
        if image.mode != "L":
            coded.draft("YCbCr", coded.size)
        coded.load()
        return coded


def _averaged(plane: np.ndarray, radius: int) -> np.ndarray:
    """Mean over the square of `2 radius + 1` pixels around each; mirrored at the edges."""
    padded = np.pad(plane, radius, "symmetric")
    size = 2 * radius + 1
    for _ in range(2):
        sums = np.cumsum(np.pad(padded, [(1, 0), (0, 0)]), axis=0)
        padded = ((sums[size:] - sums[:-size]) / size).T
    return padded


def enlarged(image: np.ndarray) -> np.ndarray:
    """Enlarge a small picture to its `largest_side` and sharpen what that blurs.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.
    """
    large = fit(image, largest_side(image))
    blurred = resize(resize(large, *image.shape[:2]), *large.shape[:2])
    return np.clip(large + 2 * (large - blurred), 0, 1)
