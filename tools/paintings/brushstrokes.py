"""Brushstrokes: a swirling morning sky over fields and a tree, in thick oil.

First the scene is composed as flat colours and directions; then brush strokes follow both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from tools.paintings.canvas import finished, paint, stroke_frame
from tools.paintings.fields import (
    blur,
    emboss,
    fractal_noise,
    mix,
    pixel_grid,
    ramp,
    rgb,
    smoothstep,
)

SUN = 560, 165


class _Scene(NamedTuple):
    """What to paint: colours `(height, width, 3)`, and the directions of strokes, in radians."""

    color: np.ndarray
    angle: np.ndarray


class _Oil(NamedTuple):
    """What is painted: an image, and the thickness `(height, width)` of its paint."""

    image: np.ndarray
    thickness: np.ndarray


def render() -> np.ndarray:
    """Render thick oil strokes along a swirling flow."""
    rng = np.random.default_rng(11)
    scene = _compose(rng, *pixel_grid(576, 768))
    u, v = pixel_grid(1024, 1024)
    # Paint left by the bristles: narrow across the stroke (rows), long along it (columns).
    bristles = fractal_noise(rng, u / 40, v / 3.2, octaves=2)
    oil = _Oil(scene.color * 0.6, np.zeros_like(scene.angle))
    for length, width, step in ((74, 17, 17), (46, 10, 10.5), (28, 6.5, 7.0)):
        for center in _stroke_centers(rng, scene.angle.shape, step):
            _stroke(rng, oil, scene, bristles, center, np.array([length, width]))
    relief = emboss(blur(oil.thickness, 0.6))
    image = oil.image * (1 + np.clip(0.55 * relief, -0.3, 0.3))[..., None]
    image += np.clip(0.35 * relief - 0.06, 0, 0.25)[..., None]
    return finished(image)


def _compose(rng: Generator, x: np.ndarray, y: np.ndarray) -> _Scene:
    """The whole scene, from the sky forwards."""
    scene = _vortex_sky(rng, x, y)
    _add_fields(rng, scene, x, y)
    _add_trunk(rng, scene, x, y)
    _add_crowns(rng, scene, x, y)
    return scene


def _vortex_sky(rng: Generator, x: np.ndarray, y: np.ndarray) -> _Scene:
    """A sky whose clouds and strokes follow the contours of a stream function."""
    stream = y + 45 * fractal_noise(rng, x / 300, y / 200, octaves=2)
    glow = np.zeros_like(x)
    for (cx, cy), spin, size in ((SUN, 46, 150), ((300, 88), -60, 90), ((390, 262), 30, 60)):
        squared = (x - cx) ** 2 + (y - cy) ** 2
        stream += spin * np.log(1 + squared / 200) * np.exp(-squared / (2 * size**2))
        glow = np.maximum(glow, np.exp(-squared / (0.35 * size**2)))
    bands = 0.5 + 0.5 * np.sin(stream / 8 + 2 * fractal_noise(rng, x / 120, y / 90, octaves=2))
    depth = 0.12 + 0.42 * bands + 0.3 * y / 330
    color = ramp(depth, "14275f", "1d4f9c", "2f86b8", "7cc3c0", "e6e3b8", "f6d489")
    radius = np.hypot(x - SUN[0], y - SUN[1])
    sun = ramp(radius / 105, "fff6c8", "fde06a", "f9b52c", "ee8232", "e9a85e")
    color = mix(color, sun, smoothstep(112, 70, radius + 14 * bands)[..., None])
    return _Scene(mix(color, rgb("f3e3ae"), 0.55 * (glow * bands)[..., None]), _tangent(stream))


def _tangent(stream: np.ndarray) -> np.ndarray:
    """Direction along the contours of a stream function."""
    down, right = np.gradient(stream)
    return np.arctan2(-right, down)


def _add_fields(rng: Generator, scene: _Scene, x: np.ndarray, y: np.ndarray) -> None:
    """Add rolling fields to the scene in place, the farthest first."""
    fields = (
        (342, 34, 210, ("2b3f8c", "4d62ae", "7f7fc0", "b79ac4")),
        (392, 26, 330, ("1f5a57", "3d8a5b", "8db75a", "d8cf6a")),
        (432, 22, 260, ("b5541f", "e08a1e", "f5bb34", "fbe07a")),
        (492, 30, 420, ("2a5a3a", "5c9440", "b6c24a", "f0dc6c")),
        (536, 20, 300, ("7c2f2a", "c4542b", "ee9136", "f9cf67")),
    )
    for level, swell, size, codes in fields:
        top = level + swell * fractal_noise(rng, x / size, np.full_like(x, level), octaves=2)
        # Any scatter of slopes will do, so that neighbouring fields are ploughed differently.
        slant = 0.22 * (level % 7 - 3)
        stream = (y - top) * (1 + 0.004 * (x - 384)) + slant * np.abs(x - 200) ** 0.9
        phase = stream / 3.6 + 1.5 * fractal_noise(rng, x / 90, y / 30, octaves=2)
        rows = 0.5 + 0.5 * np.sin(phase)
        light = 0.25 + 0.5 * rows + 0.3 * fractal_noise(rng, x / 110, y / 60, octaves=2)
        inside = y > top
        scene.color[inside] = ramp(light[inside], *codes)
        scene.angle[inside] = _tangent(stream)[inside]


def _add_trunk(rng: Generator, scene: _Scene, x: np.ndarray, y: np.ndarray) -> None:
    """Add the bent trunk of the tree to the scene in place."""
    bend = (y - 300) / 75
    lean = 122 + 16 * np.sin(bend)
    trunk = np.abs(x - lean) < 9 + 16 * smoothstep(440, 520, y) - 3 * smoothstep(380, 300, y)
    trunk &= (y > 300) & (y < 512)
    bark = 0.5 + 0.04 * (lean - x) + 0.3 * fractal_noise(rng, x / 9, y / 50, octaves=2)
    scene.color[trunk] = ramp(bark[trunk], "e8a75a", "a9613c", "5b3040", "2a1a2e")
    scene.angle[trunk] = np.arctan2(1, 16 / 75 * np.cos(bend))[trunk]


def _add_crowns(rng: Generator, scene: _Scene, x: np.ndarray, y: np.ndarray) -> None:
    """Add the round crowns of the tree to the scene in place."""
    crowns = [(70, 330, 50), (178, 336, 46), (42, 268, 50), (206, 276, 48), (128, 290, 62)]
    crowns += [(86, 212, 52), (166, 208, 50), (122, 160, 40)]
    ragged = 9 * fractal_noise(rng, x / 22, y / 22, octaves=2)
    for cx, cy, radius in crowns:
        dx, dy = x - cx, y - cy
        distance = np.hypot(dx, dy)
        inside = distance + ragged < radius
        light = 0.42 + 0.36 * (dx - dy) / radius + 0.16 * np.sin(distance / 3.2)
        leaves = ramp(light[inside], "0d2b35", "12504a", "2f7d43", "86ad3d", "e3d558")
        scene.color[inside] = leaves
        scene.angle[inside] = (np.arctan2(dx, -dy) + 0.5)[inside]


def _stroke_centers(rng: Generator, shape: tuple[int, ...], step: float) -> np.ndarray:
    """Points `(n, 2)` that cover a picture about `step` apart, in random order."""
    height, width = shape
    columns, rows = np.arange(0, width, step * 1.5), np.arange(0, height, step * 0.75)
    centers = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    centers += rng.uniform(-0.6, 0.6, centers.shape) * step
    return rng.permutation(centers)


def _stroke(
    rng: Generator,
    oil: _Oil,
    scene: _Scene,
    bristles: np.ndarray,
    center: np.ndarray,
    size: np.ndarray,
) -> None:
    """Stamp one brush stroke in place.

    Args:
        bristles: streaks of the brush, along the second axis.
        center: middle of the stroke, x and y.
        size: usual length and width of the strokes.
    """
    length, width = size * rng.uniform(0.7, 1.15, 2)
    offset, shift, jitter = rng.integers(200, 800, 2), rng.normal(0, 1, 2), rng.normal(0, 1, 3)
    angle, bend = _flow(scene.angle, center, length)
    # A colour from a little way off, as from a brush that is not quite clean.
    color = _pixel_at(scene.color, center + width * 0.6 * shift)
    color = color * (1 + 0.10 * jitter[0]) + 0.035 * jitter[1] * np.array([1, 0, -1])
    angle += 0.12 * jitter[2]
    at, along, across = stroke_frame(oil.thickness.shape, center, angle, bend, length, width)
    streak = bristles[(offset[1] + 2 * across).astype(int), (offset[0] + along).astype(int)]
    edge = width / 2 * (1 - 0.25 * (2 * along / length) ** 2) - np.abs(across)
    # The bristles lift one by one, so the end is ragged and dry.
    end = length / 2 * (0.86 + 0.3 * streak) - along
    start = along + length / 2 * 0.92
    cover = np.clip(edge + 0.5, 0, 1) * np.clip(end / 2, 0, 1) * np.clip(start / 2, 0, 1)
    paint(oil.image[at], np.clip(color, 0, 1) * (1 + 0.22 * streak)[..., None], cover)
    # Paint piles up along the sides of the stroke, and buries most of the relief below.
    ridge = 0.35 * np.exp(-((edge / 1.2) ** 2)) + 0.6 * streak
    thickness = oil.thickness[at]
    oil.thickness[at] = mix(thickness, thickness * 0.3 + 0.5 + ridge, cover)


def _flow(angle: np.ndarray, center: np.ndarray, length: float) -> tuple[float, float]:
    """Direction at a point of a field of directions, and curvature of the way on from there."""
    here = _pixel_at(angle, center)
    way = length / 3
    turn = _pixel_at(angle, center + way * np.array([np.cos(here), np.sin(here)])) - here
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    return here, np.clip(turn / way, -0.03, 0.03)


def _pixel_at(field: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The value of the pixel nearest to a point, which may lie outside."""
    height, width = field.shape[:2]
    column, row = np.clip(point, 0, (width - 1, height - 1)).astype(int)
    return field[row, column]
