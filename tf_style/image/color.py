"""Colours of pictures: luminance, its gradient, and the transfer of palettes."""

from __future__ import annotations

import numpy as np

_REC709 = np.array([0.2126, 0.7152, 0.0722])
# Cells of the cube of colours along each channel, and rotations that its colours are sorted in.
_CELLS = 16
_ROTATIONS = 24


def luminance(image: np.ndarray) -> np.ndarray:
    """Luma of an sRGB-encoded picture, `(height, width)` in `[0, 1]`.

    Source: ITU-R BT.709.
    """
    return np.asarray(image, np.float64) @ _REC709


def is_gray(image: np.ndarray) -> bool:
    """Whether no pixel of `(height, width, 3)` has a colour, but for rounding to 8 bits."""
    # NumPy takes 20 times as long for the range along an axis of three.
    red, green, blue = np.moveaxis(np.asarray(image), 2, 0)
    spread = (np.maximum(np.maximum(red, green), blue)
              - np.minimum(np.minimum(red, green), blue))
    return bool(spread.max() < 1.5 / 255)


def as_gray(image: np.ndarray) -> np.ndarray:
    """The mean of a picture's channels in each of them."""
    return np.broadcast_to(image.mean(axis=2, keepdims=True), image.shape)


def gradient_magnitude(gray: np.ndarray) -> np.ndarray:
    """Length of the gradient of `(height, width)` by central differences, per pixel."""
    rows, columns = np.gradient(gray)
    return np.hypot(rows, columns)


def with_luminance(colors: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The colours of one picture under the luminance of another.

    Each pixel is a gray of the wanted luma plus the colour's own difference from gray. A sum that
    no screen can show loses saturation until it fits; its hue and its luma stay. The space is
    Y'CbCr with the luma of `luminance`. It is linear in sRGB-encoded values, so the fit is one
    exact division for each pixel; in CIE Lab it would be a search.

    Args:
        colors: `(height, width, 3)` in `[0, 1]`.
        light: luma, `(height, width)` in `[0, 1]`.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`, whose `luminance` is `light`.

    Source: Gatys, Bethge, Hertzmann, Shechtman, Preserving Color in Neural Artistic Style
        Transfer, 2016 (there in YIQ, without the fit).
    """
    light = np.clip(np.asarray(light, np.float64), 0, 1)[..., None]
    chroma = colors - luminance(colors)[..., None]
    # How many times each difference fits between the gray and the end of the range on its side.
    room = np.where(chroma > 0, 1 - light, light)
    fits = np.min(room / np.maximum(np.abs(chroma), 1e-9), axis=2, keepdims=True)
    return np.clip(light + np.minimum(fits, 1) * chroma, 0, 1).astype(np.float32)


def match_statistics(
    image: np.ndarray, target: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
    """Give a picture's colours the mean and the covariance of another's.

    x → m₂ + T (x − m₁) with the symmetric T = C₁^-½ (C₁^½ C₂ C₁^½)^½ C₁^-½: of all linear maps
    that do so, the one that moves the colours least.

    Args:
        image, target: `(height, width, 3)` in `[0, 1]`, of any sizes.
        counted: bool, `(height, width)` of `image`: whose colours are to be like the target's; the
            others follow. By default all are.

    Returns:
        float32, of the shape of `image`, clipped to `[0, 1]`. If the colours of `image` span all
        three dimensions, clipping is the only departure from the target's mean and covariance. The
        colours of a gray picture stay on a line, those of a constant one at a point.

    Source: Pitié, Kokaram, The linear Monge-Kantorovitch linear colour mapping for example-based
        colour transfer, 2007; for the colours of styles: Gatys et al. 2016, as above.
    """
    colors = _colors(image)
    return _as_picture(_linearly_matched(colors, _colors(target), _among(counted)), image)


def _colors(image: np.ndarray) -> np.ndarray:
    return np.asarray(image, np.float64).reshape(-1, 3)


def _among(counted: np.ndarray | None) -> np.ndarray | slice:
    """Which of a picture's colours count."""
    return slice(None) if counted is None else counted.ravel()


def _as_picture(colors: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.clip(colors, 0, 1).reshape(like.shape).astype(np.float32)


def _linearly_matched(
    colors: np.ndarray, target: np.ndarray, among: np.ndarray | slice
) -> np.ndarray:
    own = colors[among]
    mean, target_mean = own.mean(axis=0), target.mean(axis=0)
    own, target_centered = own - mean, target - target_mean
    variances, axes = np.linalg.eigh(own.T @ own / len(own))
    # Variation below one level of 8 bits, such as a gray picture's hue, is noise: stretched, it
    # would show as speckle.
    spread = variances > (1 / 255) ** 2
    deviations = np.sqrt(np.where(spread, variances, 0))
    root = (axes * deviations) @ axes.T
    inverse = (axes * np.divide(1, deviations, out=np.zeros(3), where=spread)) @ axes.T
    values, vectors = np.linalg.eigh(
        root @ (target_centered.T @ target_centered / len(target)) @ root
    )
    transform = inverse @ (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T @ inverse
    return target_mean + (colors - mean) @ transform


def match_histogram(
    image: np.ndarray, target: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
    """Give a picture's colours the distribution of another's, as far as a smooth map can.

    Starts from `match_statistics`. The map from this distribution to the target's is found for the
    cells of a grid over the cube of colours: along the axes of one random rotation after another
    (from a fixed seed), each cell moves to the same quantile of the target. The cells'
    displacements are averaged over neighbours and interpolated between them. Without that, colours
    that differ by rounding alone are torn apart in flat parts of the picture, which shows as
    speckle.

    Args:
        image, target, counted: as for `match_statistics`.

    Returns:
        float32, of the shape of `image`, in `[0, 1]`.

    Source: Pitié, Kokaram, Dahyot, Automated colour grading using colour distribution transfer,
        2007. The grid, in place of their repair of the grain, is like that of Chen, Paris, Durand,
        Real-time edge-aware image processing with the bilateral grid, 2007.
    """
    colors, wanted, among = _colors(image), _colors(target), _among(counted)
    start = _linearly_matched(colors, wanted, among)
    cells, starts, weights = _binned(colors[among], start[among])
    _, target_means, target_weights = _binned(wanted, wanted)
    ends = _transported(starts, weights, target_means, target_weights)
    return _as_picture(start + _interpolated(colors, cells, weights, ends - starts), image)


def _binned(colors: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """The occupied cells of the cube, the mean of `values` in each, and each one's share."""
    index = np.minimum((colors * _CELLS).astype(int), _CELLS - 1) @ [_CELLS**2, _CELLS, 1]
    counts = np.bincount(index, minlength=_CELLS**3)
    cells = np.flatnonzero(counts)
    sums = np.stack([np.bincount(index, channel, _CELLS**3) for channel in values.T], axis=1)
    return cells, sums[cells] / counts[cells, None], counts[cells] / len(colors)


def _transported(
    points: np.ndarray, weights: np.ndarray, target: np.ndarray, target_weights: np.ndarray
) -> np.ndarray:
    """Where weighted points go so that, along any direction, they lie as the target's do."""
    rng = np.random.default_rng(0)
    for _ in range(_ROTATIONS):
        rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        seen = points @ rotation
        for axis, wanted in enumerate((target @ rotation).T):
            order, wanted_order = np.argsort(seen[:, axis]), np.argsort(wanted)
            share = np.cumsum(weights[order]) - weights[order] / 2
            wanted_share = np.cumsum(target_weights[wanted_order])
            wanted_share -= target_weights[wanted_order] / 2
            seen[order, axis] = np.interp(share, wanted_share, wanted[wanted_order])
        points = seen @ rotation.T
    return points


def _interpolated(
    colors: np.ndarray, cells: np.ndarray, weights: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """The values of the cells, averaged over neighbours, at `colors`."""
    # An empty margin lets averages reach one cell beyond the cube.
    grid = np.zeros((_CELLS + 2,) * 3 + (4,))
    where = tuple(np.array(np.unravel_index(cells, (_CELLS,) * 3)) + 1)
    grid[where] = np.column_stack([values * weights[:, None], weights])
    for axis in range(3):
        grid = grid + (np.roll(grid, 1, axis) + np.roll(grid, -1, axis)) / 2
    table = grid[..., :3] / np.maximum(grid[..., 3:], 1e-12)
    position = colors * _CELLS + 0.5
    low = np.minimum(position.astype(int), _CELLS)
    share = position - low
    result = np.zeros_like(colors)
    for corner in np.ndindex(2, 2, 2):
        part = np.prod(np.where(corner, share, 1 - share), axis=1, keepdims=True)
        result += part * table[tuple((low + corner).T)]
    return result
