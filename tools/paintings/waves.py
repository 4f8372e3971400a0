"""Waves: a sea of curling waves, as printed from woodblocks."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from tools.paintings.canvas import (
    curve,
    fill,
    finished,
    hatch,
    outline,
    paint,
    pixels_near,
)
from tools.paintings.fields import (
    fractal_noise,
    mix,
    pixel_grid,
    ramp,
    rgb,
    smoothstep,
)

INK = rgb("152447")
STRIPES = [rgb(code) for code in ("1b2f63", "24508c", "dfe3cd", "2f6a9e", "8fb6bd")]
# Position in pixels, size, and the side to which a wave breaks; the farthest first.
WAVES = (
    (660, 330, 92, -1),
    (430, 322, 84, 1),
    (120, 330, 90, 1),
    (560, 376, 100, 1),
    (220, 400, 230, 1),
    (690, 440, 150, -1),
    (470, 500, 110, 1),
    (60, 520, 140, 1),
    (640, 570, 150, -1),
    (270, 590, 130, 1),
)


def render() -> np.ndarray:
    """Render a woodblock print of a high sea."""
    rng = np.random.default_rng(21)
    x, y = pixel_grid(576, 768)
    grain = _wood_grain(rng, x, y)
    image = ramp(y / 330, "c9a566", "e2c98f", "f0e2bd", "f3e7c8", "e4dcc0")
    image *= (1 + 0.5 * (grain - 1))[..., None]
    sun = np.clip(74 - np.hypot(x - 585, y - 128), 0, 1)
    paint(image, rgb("c7502d") * grain[..., None], sun)
    sea = _sea(rng, x, y)
    for cx, cy, size, side in WAVES:
        center = np.array([cx, cy], float)
        back, front = (center + line * (side * size, size) for line in _wave_lines())
        _print_body(image, grain, sea, back, front, center[1] + 2 * size)
        _print_foam(image, grain, _foam(rng, x.shape, back, size, side), size)
    return finished(image)


def _wood_grain(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Factors about 1 by which annual rings and fibres tint a print."""
    rings = y / 5.5 + 5 * fractal_noise(rng, x / 420, y / 60, octaves=2)
    annual = np.sin(2 * np.pi * rings + 2 * fractal_noise(rng, x / 60, y / 9, octaves=2))
    fibre = fractal_noise(rng, x / 26, y / 2.2, octaves=2)
    return 1 + 0.06 * annual + 0.06 * fibre


def _sea(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The water below the waves, dark with bright lines along the crests of a swell."""
    turn = x / 31 + y / 23
    swell = y + 9 * np.sin(turn) + 8 * fractal_noise(rng, x / 70, y / 50, octaves=2)
    crests = 0.5 + 0.5 * np.sin(turn + 0.8)
    return mix(rgb("1b2f63"), rgb("a9c6c2"), hatch(swell, 8.0, 0.35 * crests)[..., None])


def _wave_lines() -> tuple[np.ndarray, np.ndarray]:
    """Back and front of a curling wave of size 1, from foot to tip, with as many points each."""
    back = [(-2.3, 0.42), (-1.5, 0.1), (-0.8, -0.38), (-0.2, -0.86), (0.3, -1.02)]
    back += [(0.66, -0.86), (0.84, -0.56), (0.76, -0.34)]
    front = [(1.9, 0.42), (1.1, 0.36), (0.45, 0.2), (0.12, -0.12), (0.1, -0.46)]
    front += [(0.32, -0.68), (0.58, -0.62), (0.72, -0.38)]
    return curve(back, 60), curve(front, 60)


def _print_body(
    image: np.ndarray,
    grain: np.ndarray,
    sea: np.ndarray,
    back: np.ndarray,
    front: np.ndarray,
    bottom: float,
) -> None:
    """Print the body of a wave in place: sea down to `bottom`, and stripes from foot to tip."""
    body = np.concatenate([back, front[::-1]])
    skirt = np.array([[front[0, 0], bottom], [back[0, 0], bottom]])
    fill(image, np.concatenate([body, skirt]), sea, grain)
    fill(image, body, INK, grain)
    outline(image, body, INK, 3.0)
    shares = np.linspace(0, 1, 2 * len(STRIPES) + 2)
    for i in range(len(shares) - 1):
        near, far = mix(back, front, shares[i]), mix(back, front, shares[i + 1])
        stripe = np.concatenate([near, far[::-1]])
        fill(image, stripe, STRIPES[i % len(STRIPES)], grain)
        outline(image, stripe, INK, 0.7)


def _foam(
    rng: Generator, shape: tuple[int, ...], crest: np.ndarray, size: float, side: int
) -> np.ndarray:
    """Distance `(height, width)` to the foam along the upper end of a crest, negative inside."""
    blobs = []
    for i in range(26, len(crest)):
        step = crest[i] - crest[i - 1]
        normal = side * np.array([step[1], -step[0]]) / np.hypot(*step)
        radius = size * (0.042 + 0.048 * (i - 26) / 34) * rng.uniform(0.7, 1.3)
        blobs.append((crest[i] - normal * radius * 0.3, radius))
        if i > 34 and i % 2:
            blobs += _finger(crest[i], normal, side * rng.uniform(0.1, 0.32), radius)
    spray = crest[44] + size * rng.normal(0, 1, (24, 2)) * (0.45, 0.28) - (0, 0.12 * size)
    blobs += zip(spray, size * rng.uniform(0.004, 0.016, 24), strict=True)
    distance = np.full(shape, np.inf)
    for center, radius in blobs:
        at, x, y = pixels_near(shape, center[None, :], radius + 8)
        rim = np.hypot(x - center[0], y - center[1]) - radius
        distance[at] = np.minimum(distance[at], rim)
    return distance


def _finger(
    root: np.ndarray, normal: np.ndarray, turn: float, size: float
) -> list[tuple[np.ndarray, float]]:
    """A hooked finger of foam: a chain of shrinking blobs, each turned from the last by `turn`.

    Returns:
        Centres and radii of the blobs.
    """
    blobs = []
    position, heading = root, np.arctan2(normal[1], normal[0])
    for i in range(11):
        heading += turn
        radius = size * (0.75 - 0.055 * i)
        position = position + radius * 0.75 * np.array([np.cos(heading), np.sin(heading)])
        blobs.append((position, radius))
    return blobs


def _print_foam(image: np.ndarray, grain: np.ndarray, distance: np.ndarray, size: float) -> None:
    """Print foam in place, shaded inwards, with one line round it and a fainter one inside."""
    foam = mix(rgb("f6ecd2"), rgb("cfdcd6"), smoothstep(-2, -size * 0.08, distance)[..., None])
    paint(image, foam * grain[..., None], np.clip(0.5 - distance, 0, 1))
    paint(image, INK, np.clip(1.4 - np.abs(distance), 0, 1))
    paint(image, INK, 0.6 * np.clip(0.9 - np.abs(distance + size * 0.035), 0, 1))
