"""Stained glass: a sunrise in rings of glass, hills and a river, set in lead."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from tf_style.image.color import gradient_magnitude
from tools.paintings.canvas import finished, paint, stroke_frame
from tools.paintings.fields import (
    blur,
    emboss,
    fractal_noise,
    pixel_grid,
    ramp,
    rgb,
    smoothstep,
)

SUN = np.array([288.0, 372.0])


class _Part(NamedTuple):
    """A part of the window, such as the sky.

    Attributes:
        inside: `(height, width)`, positive inside the part.
        sites: `(n, 2)`, the middles of its pieces of glass.
        flatness: how much wider than high its pieces are.
        color: `(n, 3)`, the colours of its pieces.
    """

    inside: np.ndarray
    sites: np.ndarray
    flatness: float
    color: np.ndarray


def render() -> np.ndarray:
    """Render a window of leaded glass."""
    rng = np.random.default_rng(8)
    x, y = pixel_grid(768, 576)
    bent_x = x + 2.5 * fractal_noise(rng, x / 60, y / 60, octaves=2)
    bent_y = y + 2.5 * fractal_noise(rng, x / 60, y / 60, octaves=2)
    color, number, lead = _assemble(_parts(rng, bent_x, bent_y), bent_x, bent_y)
    image = _light_through(rng, color, number, lead)
    _add_bubbles(rng, image)
    width = 2.3 + 0.7 * fractal_noise(rng, x / 40, y / 40, octaves=3)
    image += 0.28 * blur(np.clip(image - 0.45, 0, 1), 10)
    _add_lead(rng, image, lead, width)
    return finished(image)


def _parts(rng: Generator, x: np.ndarray, y: np.ndarray) -> list[_Part]:
    """The parts of the window, each hiding those before it."""
    return [
        _sky(rng, x),
        _sun(rng, x, y),
        _hill(rng, x, y, 452, 30, 0.4, ("1c5f8f", "2a8fa0", "3cb8a0", "8fd0a0")),
        _hill(rng, x, y, 500, 26, 2.6, ("0d5a3a", "1f8a45", "63b83a", "c0d63a")),
        _river(rng, x, y),
        _frame(rng, x, y),
    ]


def _sky(rng: Generator, x: np.ndarray) -> _Part:
    """The sky, behind everything, in rings round the sun."""
    radii, counts = (118, 162, 210, 264, 324, 392, 466), (20, 20, 24, 28, 32, 36, 40)
    sites = _ring_sites(rng, SUN, radii, counts, 6)
    shade = (np.hypot(*(sites - SUN).T) - 118) / 330
    dawn = ("ffb81f", "ff7a1f", "e8352f", "c2186a", "6d1f9e", "2a2fb8", "123c9e", "0c2470")
    everywhere = np.full_like(x, 1e3)
    return _Part(everywhere, sites, 1.0, _varied(rng, shade, dawn))


def _sun(rng: Generator, x: np.ndarray, y: np.ndarray) -> _Part:
    """The disc of the sun."""
    # One piece in the very middle: its ring is too small to matter.
    sites = _ring_sites(rng, SUN, (0.1, 34, 66), (1, 8, 16), 1.5)
    shade = np.hypot(*(sites - SUN).T) / 66
    inside = 88 - np.hypot(x - SUN[0], y - SUN[1])
    return _Part(inside, sites, 1.0, _varied(rng, shade, ("fff3b0", "ffe36b", "ffca2b", "ffa41c")))


def _hill(
    rng: Generator,
    x: np.ndarray,
    y: np.ndarray,
    top: float,
    swell: float,
    phase: float,
    codes: tuple[str, ...],
) -> _Part:
    """A range of hills round the level `top`."""
    inside = y - top - swell * np.sin(x / 92 + phase) - 9 * np.sin(x / 37 + 2 * phase)
    sites = _row_sites(rng, top - 36, 700, 62, 34)
    return _Part(inside, sites, 1.25, _varied(rng, rng.uniform(0, 1, len(sites)), codes))


def _river(rng: Generator, x: np.ndarray, y: np.ndarray) -> _Part:
    """A winding river that widens towards the viewer and glitters below the sun."""
    below = y - 520
    half = 14 + 0.66 * np.maximum(below, 0)
    inside = np.minimum(half - np.abs(x - SUN[0] - 60 * np.sin(below / 62)), below)
    sites = _row_sites(rng, 516, 780, 58, 19)
    glitter = 1 - np.abs(sites[:, 0] - SUN[0]) / 190 - 0.001 * (sites[:, 1] - 516)
    water = ("0f2f9a", "1560c0", "20a0d0", "7fd8d8", "ffd060")
    return _Part(inside, sites, 2.4, _varied(rng, np.clip(glitter, 0, 1) ** 1.5, water))


def _frame(rng: Generator, x: np.ndarray, y: np.ndarray) -> _Part:
    """A border of small panes whose colours take turns."""
    height, width = x.shape
    inside = 30 - np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    along, down = np.arange(16, width, 32), np.arange(18, height, 33.27)
    sites = [(u, v) for u in along for v in (14, height - 14)]
    sites += [(u, v) for v in down for u in (14, width - 14)]
    sites = np.array(sites, float)
    turn = (sites.sum(axis=1) / 32).astype(int) % 4 / 3
    return _Part(inside, sites, 1.0, _varied(rng, turn, ("1a3fa8", "8f1020", "c81e2e", "f0a020")))


def _varied(rng: Generator, shade: np.ndarray, codes: tuple[str, ...]) -> np.ndarray:
    """Colours of a ramp at about `shade`, as no two pieces of glass are quite the same."""
    return ramp(shade + rng.normal(0, 0.09, len(shade)), *codes)


def _ring_sites(
    rng: Generator,
    center: np.ndarray,
    radii: tuple[float, ...],
    counts: tuple[int, ...],
    jitter: float,
) -> np.ndarray:
    """Sites in rings round a centre, every other ring turned by half a piece."""
    sites = []
    for i, (radius, count) in enumerate(zip(radii, counts, strict=True)):
        turn = 2 * np.pi * (np.arange(count) + 0.5 * (i % 2)) / count + np.pi / 2
        ring = radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        sites.append(center + ring + rng.uniform(-jitter, jitter, ring.shape))
    return np.concatenate(sites)


def _row_sites(rng: Generator, top: float, bottom: float, wide: float, high: float) -> np.ndarray:
    """Sites in staggered rows across the window, from `top` to `bottom`."""
    rows, columns = np.arange(top, bottom, high), np.arange(-20, 620, wide)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    x = x + wide / 2 * (np.arange(len(rows)) % 2)[:, None]
    sites = np.stack([x, y], axis=-1).reshape(-1, 2)
    return sites + rng.uniform(-0.28, 0.28, sites.shape) * (wide, high)


def _assemble(
    parts: list[_Part], x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the parts over each other.

    Returns:
        For every pixel the colour of its piece of glass `(height, width, 3)`, the number of the
        piece, and the distance to the middle of the nearest lead.
    """
    color = np.zeros((*x.shape, 3))
    number = np.zeros(x.shape, int)
    lead = np.full_like(x, np.inf)
    count = 0
    for part in parts:
        piece, border = _voronoi(x, y * part.flatness, part.sites * (1, part.flatness))
        outline = part.inside / np.maximum(gradient_magnitude(part.inside), 0.3)
        # A part hides the lead below it, but not its own outline.
        lead = np.minimum(np.where(outline > 0, border, lead), np.abs(outline) - 1.2)
        inside = part.inside > 0
        color[inside], number[inside] = part.color[piece[inside]], piece[inside] + count
        count += len(part.sites)
    return color, number, lead


def _voronoi(x: np.ndarray, y: np.ndarray, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide the plane into the regions nearest to each of `sites`.

    Returns:
        For every pixel the number of its region, and its distance to the region's border.
    """
    near, second = np.full(x.shape, np.inf), np.full(x.shape, np.inf)
    near_id, second_id = np.zeros(x.shape, int), np.zeros(x.shape, int)
    for i, (sx, sy) in enumerate(sites):
        squared = (x - sx) ** 2 + (y - sy) ** 2
        closest, closer = squared < near, squared < second
        second_id = np.where(closest, near_id, np.where(closer, i, second_id))
        second = np.where(closest, near, np.where(closer, squared, second))
        near_id, near = np.where(closest, i, near_id), np.where(closest, squared, near)
    gap = np.hypot(*np.moveaxis(sites[near_id] - sites[second_id], -1, 0))
    return near_id, (second - near) / (2 * gap + 1e-9)


def _light_through(
    rng: Generator, color: np.ndarray, number: np.ndarray, lead: np.ndarray
) -> np.ndarray:
    """Give streaks, ripples and a bright middle to the numbered pieces of glass."""
    x, y = pixel_grid(*number.shape)
    count = number.max() + 1
    angle, shade = rng.uniform(0, np.pi, count)[number], rng.uniform(-1, 1, count)[number]
    # Every piece is cut from another place of the sheet, in another direction.
    u = x * np.cos(angle) + y * np.sin(angle) + 40 * shade
    v = y * np.cos(angle) - x * np.sin(angle) + 90 * shade
    curl = 6 * fractal_noise(rng, u / 50, v / 50, octaves=2)
    streaks = fractal_noise(rng, u / 70, (v + curl) / 9, octaves=3)
    pebbles = emboss(fractal_noise(rng, x / 6, y / 6, octaves=2))
    glow = 0.8 + 0.1 * shade + 0.22 * streaks + 0.25 * pebbles + 0.2 * smoothstep(0, 16, lead)
    color = color ** (1.25 - 0.3 * smoothstep(0, 14, lead) - 0.25 * streaks)[..., None]
    return color * glow[..., None]


def _add_bubbles(rng: Generator, image: np.ndarray) -> None:
    """Add small bubbles of air to the glass, dark at the rim and bright inside, in place."""
    height, width = image.shape[:2]
    for _ in range(1100):
        center, angle = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, np.pi)
        size = 1.2 + 2.6 * rng.uniform() ** 3
        at, along, across = stroke_frame(image.shape, center, angle, 0, 5 * size, 3 * size)
        distance = np.hypot(along / 1.5, across)
        rim = np.exp(-(((distance - size) / 0.7) ** 2))
        image[at] *= (1 - 0.3 * rim + 0.5 * np.exp(-((distance / size * 1.6) ** 2)))[..., None]


def _add_lead(rng: Generator, image: np.ndarray, lead: np.ndarray, width: np.ndarray) -> None:
    """Add rounded bars of lead in place, `width` to either side of their middles."""
    x, y = pixel_grid(*lead.shape)
    bar = np.clip(1 - np.clip(lead, 0, None) / width, 0, 1)
    metal = 0.13 + 0.5 * np.clip(emboss(blur(np.sqrt(bar), 0.7)), -0.2, 0.6)
    metal += 0.03 * fractal_noise(rng, x / 5, y / 5, octaves=2)
    paint(image, metal[..., None] * rgb("f0f2ff"), np.clip(width - lead + 0.5, 0, 1))
