"""Harbor: a town on the water in the evening sun, drawn in perspective.

Points in space are (sideways, away, up), in metres from the point on the water below the eye.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from tools.paintings.canvas import curve, fill, finished, paint
from tools.paintings.fields import (
    blur,
    fractal_noise,
    mix,
    pixel_grid,
    ramp,
    rgb,
    sample_at,
    smoothstep,
)

# Height of the eye in metres, its distance from the picture in pixels, and positions in pixels.
EYE, FOCUS = 7.0, 600.0
VANISHING = np.array([210.0, 322.0])
SUN = 118, 262

Pair = tuple[float, float]
Points = Iterable[tuple[float, float, float]]
# Draws a polygon: draw(points, color, opacity=1.0, glow=False).
Draw = Callable[..., None]


def render() -> np.ndarray:
    """Render a harbor town in the evening."""
    rng = np.random.default_rng(1)
    x, y = pixel_grid(576, 768)
    land = _evening_sky(rng, x, y)
    _add_hills(rng, land, x, y)
    texture = 1 + 0.055 * fractal_noise(rng, x / 7, y / 5, octaves=3)
    texture += 0.10 * fractal_noise(rng, x / 190, y / 120, octaves=2)
    mirrored = sample_at(land, x, 2 * VANISHING[1] - y)
    water = _water(rng, x, y, _with_town(mirrored, texture, mirrored=True))
    image = mix(land, water, np.clip(y - VANISHING[1], 0, 1)[..., None])
    image = _with_town(image, texture)
    image *= (1.02 - 0.25 * (np.hypot(x - 384, y - 288) / 480) ** 3)[..., None]
    return finished(image)


def _evening_sky(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A sky with lit clouds and the glow of a low sun."""
    sky = ramp(y / 330, "2f5d95", "5c8fb8", "9dbcc4", "ecd0a4", "f9b878", "f49b62")
    sun = np.hypot(x - SUN[0], y - SUN[1])
    # Clouds flatten and crowd towards the horizon, as the layer recedes.
    far = 90 / (345 - np.minimum(y, 330))
    u, v = (x - VANISHING[0]) * far / 75 + 4, 5.0 * far
    # The same clouds twice, the second time a step towards the sun.
    seed = rng.integers(1 << 30)
    billow, toward_sun = (
        fractal_noise(np.random.default_rng(seed), u + shift, v + 0.6 * shift, octaves=7)
        for shift in (0, -0.08)
    )
    cloud = smoothstep(-0.05, 0.55, billow + 0.1)
    light = 0.5 + 1.6 * (billow - toward_sun) - 0.35 * cloud + 90 / (sun + 160)
    lit = ramp(light, "6a6f92", "a98fa0", "eab08e", "ffdcae", "fff4da")
    sky = mix(sky, lit, (0.85 * cloud * smoothstep(330, 235, y))[..., None])
    sky += rgb("ffb060") * (0.55 * np.exp(-sun / 95))[..., None]
    return sky + 0.6 * smoothstep(24, 17, sun)[..., None]


def _add_hills(rng: Generator, image: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Add ranges of hills in place, the farther the hazier."""
    for base, swell, size, haze, (start, full) in (
        (34, 62, 230, 0.78, (90, 480)),
        (22, 40, 150, 0.5, (90, 480)),
        (9, 51, 110, 0.2, (160, 20)),
    ):
        ridge = fractal_noise(rng, x / size + 9, np.full_like(x, 0.37), octaves=6)
        rise = smoothstep(start, full, x) * (base + swell * (0.75 + 0.6 * ridge))
        top = VANISHING[1] - rise
        woods = fractal_noise(rng, x / 26, (y - 0.6 * top) / 13, octaves=5)
        slope = ramp(0.5 + 0.5 * woods, "1d3a3c", "3c5a44", "7d7a4a", "c79a5c")
        air = mix(rgb("f3b184"), rgb("8c9fbe"), smoothstep(60, 640, x)[..., None])
        low = np.clip(haze + 0.35 * smoothstep(top, VANISHING[1] + 1, y), 0, 1)
        paint(image, mix(slope, air, low[..., None]), np.clip(y - top, 0, 1))


def _water(rng: Generator, x: np.ndarray, y: np.ndarray, reflection: np.ndarray) -> np.ndarray:
    """Render rippled water under a reflection."""
    away = FOCUS * EYE / np.maximum(y - VANISHING[1], 1.0)
    side = (x - VANISHING[0]) * away / FOCUS
    fine = smoothstep(400, 40, away)
    swell = fractal_noise(rng, side / 5.5, away / 4.0, octaves=3)
    ripple = fractal_noise(rng, side / 1.5, away / 1.3, octaves=5, gain=0.62) * fine
    slope = 0.6 * swell + 0.6 * ripple
    # Waves smear what they mirror, upright more than sideways.
    shifts = (-15, -6, 3, 12)
    seen = sum(sample_at(reflection, x + 7.5 * slope, y + 30 * slope + shift) for shift in shifts)
    deep = mix(rgb("1b4a5e"), rgb("0f2c45"), smoothstep(340, 576, y)[..., None])
    share = np.clip(0.34 + 0.3 * smoothstep(340, 600, y) + 0.45 * slope, 0.12, 0.85)
    water = mix(seen / len(shifts), deep, share[..., None])
    path = np.exp(-(((x - SUN[0]) / (16 + 0.32 * (y - VANISHING[1]))) ** 2))
    glitter = smoothstep(0.12, 0.55, slope + 0.25 * path) * path
    return water + glitter[..., None] * rgb("ffc98a")


def _with_town(image: np.ndarray, texture: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """The image with all that stands in or beside the water, or with its reflection."""
    # The light of lamps and windows goes into three more channels, so that whatever stands before
    # a light hides it there too.
    layers = np.concatenate([image, np.zeros_like(image)], axis=-1)

    def draw(points: Points, color: np.ndarray, opacity: float = 1.0, glow: bool = False) -> None:
        color = np.concatenate([color, color * glow])
        fill(layers, _project(points, mirrored), color, texture, opacity)

    _draw_quay(draw)
    _draw_houses(draw)
    _draw_sailboat(draw, 9, 150, 0.9, rgb("54384a"), rgb("f2c9a0"))
    _draw_sailboat(draw, -28, 105, 0.9, rgb("40506a"), rgb("f6d8b4"))
    _draw_sailboat(draw, 3.6, 40, 1.15, rgb("7c2f2a"), rgb("fbe6c4"))
    _draw_jetty(draw)
    return layers[..., :3] + 0.4 * blur(layers[..., 3:], 6)


def _project(points: Points, mirrored: bool) -> np.ndarray:
    """Project points `(n, 3)` in space to pixels `(n, 2)`, or their reflections in the water."""
    side, away, up = np.asarray(points, float).T
    up = -up if mirrored else up
    return VANISHING + FOCUS * np.stack([side / away, (EYE - up) / away], axis=-1)


def _wall(side: float, away: Pair, up: Pair) -> Points:
    """Corners of an upright wall along the quay, between two bounds each of away and up."""
    return [(side, u, v) for u, v in _rectangle(away, up)]


def _facing(away: float, side: Pair, up: Pair) -> Points:
    """Corners of an upright wall that faces the eye."""
    return [(u, away, v) for u, v in _rectangle(side, up)]


def _floor(up: float, side: Pair, away: Pair) -> Points:
    """Corners of a level ground."""
    return [(u, v, up) for u, v in _rectangle(side, away)]


def _rectangle(u: Pair, v: Pair) -> list[Pair]:
    return [(u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1])]


def _draw_quay(draw: Draw) -> None:
    """Draw the quay's masonry and paving."""
    joint = rgb("4e423f")
    draw(_wall(12, (9, 190), (-1, 2)), rgb("75645c"))
    draw(_wall(12, (9, 190), (-1, 0.3)), rgb("2e3a38"), opacity=0.6)
    draw(_floor(2, (12, 20), (9, 190)), rgb("c8a07c"))
    for side in (12.0, 12.7, 19.3):
        draw(_floor(2, (side, side + 0.07), (9, 190)), joint)
    for away in np.arange(70, 9, -0.9):
        draw(_floor(2, (12, 20), (away, away + 0.05)), joint, opacity=0.4)
        for i, low in enumerate((-0.4, 0.4, 1.2)):
            start = away + 0.45 * (i % 2)
            draw(_wall(12, (start, start + 0.07), (low, low + 0.8)), joint, opacity=0.7)
    for up in (0.4, 1.2, 1.95):
        draw(_wall(12, (9, 190), (up, up + 0.06)), joint, opacity=0.7)


def _draw_houses(draw: Draw) -> None:
    """Draw the row of houses and lamps along the quay, the farthest first."""
    # A seed of their own, as the reflection has to show the same houses.
    rng = np.random.default_rng(3)
    paints = ("d98a5b", "e8c47e", "b95a48", "e9dcc0", "8fa6a0", "d7a07a", "c9785c", "a8b58c")
    far = 190.0
    while far > 16:
        near = far - rng.uniform(6.5, 8.5) * (1 if far < 120 else 2)
        eaves, rise = rng.uniform(9.5, 15.5), rng.uniform(2.8, 4.2)
        wall = rgb(paints[rng.integers(len(paints))]) * rng.uniform(0.9, 1.1)
        haze = np.clip((far - 30) / 260, 0, 0.6)
        wall, roof = (mix(c, rgb("eab592"), haze) for c in (wall, rgb("8c4434")))
        middle = (near + far) / 2
        _draw_house(draw, near, far, eaves, eaves + rise, wall, roof)
        _draw_windows(rng, draw, near, far, eaves)
        draw(_wall(20, (middle - 0.6, middle + 0.6), (2, 4.6)), rgb("4a2e2a"))
        _draw_lamp(draw, middle - 1.0)
        far = near


def _draw_house(
    draw: Draw,
    near: float,
    far: float,
    eaves: float,
    top: float,
    wall: np.ndarray,
    roof: np.ndarray,
) -> None:
    """Draw the walls, the roof and the chimney of a house.

    Args:
        near, far: distances of its ends.
        eaves, top: heights of the lower and the upper edge of its roof.
        wall, roof: colours.
    """
    # The end wall towards the eye lies in cool shade; the front catches the low sun.
    gable = [(29, near, eaves), (24.5, near, top), (20, near, eaves)]
    draw([(20, near, 2), (29, near, 2), *gable], wall * (0.50, 0.50, 0.62))
    draw(_wall(20, (near, far), (2, eaves)), wall)
    draw(_wall(20, (near, far), (eaves - 0.7, eaves)), wall * 0.6, opacity=0.6)
    draw(_wall(20, (near, far), (2, 3)), wall * 0.45, opacity=0.7)
    slope = [(19.6, near, eaves), (19.6, far, eaves), (24.5, far, top), (24.5, near, top)]
    draw(slope, roof * (1.1, 1.0, 0.95))
    stack = mix(near, far, 0.3)
    draw(_wall(22.5, (stack, stack + 1.2), (top - 1.6, top + 0.8)), roof * 0.85)


def _draw_windows(rng: Generator, draw: Draw, near: float, far: float, eaves: float) -> None:
    """Draw the windows of a house front, some of them lit, floor by floor."""
    bays = np.linspace(near, far, 4)
    for floor, sill in enumerate(np.arange(3.2, eaves - 1.5, 2.9)):
        top = sill + (2.2 if floor == 0 else 1.7)
        for a, b in pairwise(bays):
            left, right = a + 0.27 * (b - a), b - 0.27 * (b - a)
            lit = rng.uniform() < 0.4
            glass = rgb("ffc76a" if lit else "3a5068") * rng.uniform(0.75, 1.05)
            draw(_wall(20, (left - 0.16, right + 0.16), (sill - 0.2, top + 0.16)), rgb("f3e6cd"))
            draw(_wall(20, (left, right), (sill, top)), glass, glow=lit)
            middle = (left + right) / 2
            draw(_wall(20, (middle - 0.05, middle + 0.05), (sill, top)), rgb("e9d8ba"))
            draw(_wall(20, (left, right), (sill + 0.95, sill + 1.05)), rgb("e9d8ba"))


def _draw_lamp(draw: Draw, away: float) -> None:
    """Draw a lit street lamp at the edge of the quay."""
    draw(_facing(away, (13, 13.1), (2, 6)), rgb("33292e"))
    lantern = [(12.8, 6), (12.7, 6.7), (13.4, 6.7), (13.3, 6)]
    draw([(side, away, up) for side, up in lantern], rgb("ffd98c"), glow=True)


def _draw_sailboat(
    draw: Draw, side: float, away: float, size: float, hull: np.ndarray, sail: np.ndarray
) -> None:
    """Draw a sailing boat, its hull and its sails in the colours given."""

    def at(points: list) -> np.ndarray:
        flat = np.asarray(points, float) * size
        return np.stack([side + flat[:, 0], np.full(len(flat), away), flat[:, 1]], axis=-1)

    rail = curve([(-2.9, 1.0), (-1, 0.72), (1, 0.75), (3.6, 1.3)])
    draw(at([*rail, (2.6, -0.1), (-2.5, -0.1)]), hull)
    draw(at([*rail, *(rail[::-1] - (0, 0.22))]), rgb("f0dcb4"))
    draw(at([(-1.6, 0.8), (-1.4, 1.4), (0.2, 1.4), (0.4, 0.8)]), rgb("e6cfa6") * 0.8)
    draw(at([(0.46, 0.8), (0.54, 9.6), (0.62, 9.6), (0.66, 0.8)]), rgb("4a3428"))
    head, tack, clew = (0.4, 9.2), (0.4, 1.5), (-2.6, 1.9)
    draw(at([*curve([head, (-0.9, 5.4), clew]), tack]), sail)
    draw(at([*curve([(0.75, 8.6), (1.4, 5.0), (3.5, 1.6)]), (0.9, 1.7)]), sail * (0.9, 0.84, 0.82))
    for share in (0.3, 0.5, 0.7):
        u, v = mix(np.array(clew), np.array(head), share) - (0.1, 0)
        draw(at([(u, v), (0.4, v - 0.3), (0.4, v - 0.24), (u, v + 0.06)]), sail * 0.8)


def _draw_jetty(draw: Draw) -> None:
    """Draw a wooden jetty that enters at the left, between two rows of posts."""
    _draw_posts(draw, 23.5, rgb("3d2d2b"))
    draw(_floor(1.3, (-11, -3), (20, 23.6)), rgb("8f6a50"))
    draw(_facing(20, (-11, -3), (1.05, 1.3)), rgb("4a3631"))
    for side in np.arange(-10.8, -3.0, 0.4):
        draw(_floor(1.3, (side, side + 0.05), (20, 23.6)), rgb("4a352e"))
    _draw_posts(draw, 20.0, rgb("31221f"))


def _draw_posts(draw: Draw, away: float, color: np.ndarray) -> None:
    """Draw the posts along one side of the jetty."""
    for side in np.arange(-9.5, -3.0, 1.6):
        draw(_facing(away, (side - 0.15, side + 0.15), (-0.8, 2.1)), color)
