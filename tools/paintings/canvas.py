"""Marks on an image: polygons, strokes and lines, antialiased by their distance to each pixel.

`points` are arrays `(n, 2)` of x and y in pixels, and `cover` is the share of a pixel that a mark
takes, in `[0, 1]`.
"""

from __future__ import annotations

import numpy as np

from tf_style.image.color import gradient_magnitude

Index = tuple[slice, slice]


def paint(image: np.ndarray, color: np.ndarray, cover: np.ndarray) -> None:
    """Lay a colour, or another image, over an image in place."""
    image += cover[..., None] * (color - image)


def finished(image: np.ndarray) -> np.ndarray:
    """The image as the package keeps pictures in memory: float32 in `[0, 1]`."""
    return np.clip(image, 0, 1).astype(np.float32)


def pixels_near(
    shape: tuple[int, ...], points: np.ndarray, margin: float
) -> tuple[Index, np.ndarray, np.ndarray]:
    """The box of pixels that holds `points` and a margin.

    Returns:
        Its index in an array of `shape`, the x of its columns `(1, width)` and the y of its rows
        `(height, 1)`.
    """
    low = np.floor(points.min(axis=0) - margin)
    high = np.ceil(points.max(axis=0) + margin)
    left, right = np.clip([low[0], high[0]], 0, shape[1]).astype(int)
    top, bottom = np.clip([low[1], high[1]], 0, shape[0]).astype(int)
    x, y = np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5
    return (slice(top, bottom), slice(left, right)), x[None, :], y[:, None]


def fill(
    image: np.ndarray,
    points: np.ndarray,
    color: np.ndarray,
    texture: np.ndarray,
    opacity: float = 1.0,
) -> None:
    """Fill a polygon in place.

    Args:
        image: `(height, width, channels)`.
        color: `(channels,)`, or an array like the image.
        texture: `(height, width)`, multiplies the colour.
    """
    at, distance = _polygon_distance(image.shape, points)
    color = color[at] if color.ndim == 3 else color
    cover = opacity * np.clip(0.5 - distance, 0, 1)
    paint(image[at], color * texture[at][..., None], cover)


def outline(image: np.ndarray, points: np.ndarray, color: np.ndarray, width: float) -> None:
    """Draw a line along the border of a polygon in place."""
    at, distance = _polygon_distance(image.shape, points)
    paint(image[at], color, np.clip(width / 2 + 0.5 - np.abs(distance), 0, 1))


def _polygon_distance(shape: tuple[int, ...], points: np.ndarray) -> tuple[Index, np.ndarray]:
    """The pixels near a polygon, and their distance to its border, negative inside."""
    at, x, y = pixels_near(shape, points, margin=3.0)
    squared, inside = np.inf, False
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-12), 0, 1)
        squared = np.minimum(squared, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2)
        # A point is inside if the edges cross the ray to its right an odd number of times.
        crosses = (ay > y) != (by > y)
        slope = dx / dy if dy else 0.0
        inside = inside ^ (crosses & (x < ax + (y - ay) * slope))
    return at, np.where(inside, -1, 1) * np.sqrt(squared)


def stroke_frame(
    shape: tuple[int, ...],
    center: np.ndarray,
    angle: float,
    bend: float,
    length: float,
    width: float,
) -> tuple[Index, np.ndarray, np.ndarray]:
    """The pixels of a brush or pen stroke, a narrow rectangle of curvature `bend`.

    Returns:
        Their index in an array of `shape`, and their positions along and across the stroke, in
        pixels from its centre.
    """
    reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    sag = abs(bend) * length**2 / 8
    ends = np.stack([center - reach, center + reach])
    at, x, y = pixels_near(shape, ends, width / 2 + sag + 1)
    x, y = x - center[0], y - center[1]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle) - bend / 2 * along**2
    return at, along, across


def hatch(phase: np.ndarray, spacing: float, darkness: np.ndarray) -> np.ndarray:
    """Cover of parallel lines whose width follows the darkness.

    Args:
        phase: `(height, width)` in pixels; a line runs where it is a multiple of `spacing`.
        spacing: distance of the lines in pixels.
        darkness: wanted share of ink in `[0, 1]`; lines end where it is 0.
    """
    stretch = gradient_magnitude(phase) + 1e-6
    distance = np.abs((phase / spacing + 0.5) % 1 - 0.5) * spacing / stretch
    half = 0.5 * darkness * spacing / np.maximum(stretch, 0.5)
    return np.clip(half - distance + 0.5, 0, 1) * np.clip(2.5 * half, 0, 1)


def curve(controls: list[tuple[float, float]], count: int = 40) -> np.ndarray:
    """`count` points of a smooth curve (Catmull-Rom) through control points."""
    p = np.asarray(controls, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    # Just short of the end, so that the last point still has a control point after it.
    t = np.linspace(0, len(p) - 3 - 1e-9, count)
    i = t.astype(int)
    t = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
