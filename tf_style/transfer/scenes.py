"""Scenes drawn at random, for those who have no photographs. No TensorFlow."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tf_style.image.numbers import eight_bit

_HEIGHT, _WIDTH = 384, 512


def scene(seed: int) -> np.ndarray:
    """A picture of many things that hide each other, each lit from one side.

    Its edges, flat places and contrasts are as common as in photographs, at every size.

    Returns:
        uint8 `(384, 512, 3)`.

    Source: Lee, Mumford, Huang, Occlusion models for natural images, IJCV 2001: the dead leaves
        model, sizes with a density of one over the cube.
    """
    chance = np.random.default_rng(seed)
    # Far sky and near ground: most photographs have a light above and a dark below.
    above, below = np.sort(chance.uniform(0.1, 1, (2, 1)) + chance.normal(0, 0.1, (2, 3)), 0)[::-1]
    slope = np.linspace(0, 1, _HEIGHT, dtype=np.float32)[:, None, None] ** chance.uniform(0.5, 2)
    values = np.broadcast_to(above + (below - above) * slope, (_HEIGHT, _WIDTH, 3)).copy()
    # Most colours of a photograph are nearly gray.
    gray, vivid = chance.uniform(0, 1, (8, 1)), chance.uniform(0, 0.9, (8, 1)) ** 3
    palette = gray + vivid * (chance.uniform(0, 1, (8, 3)) - gray)
    for _ in range(chance.integers(100, 500)):
        radius = min(10 / np.sqrt(chance.uniform(0.001, 1)), 200)
        _cover(values, radius, palette[chance.integers(8)], chance)
    grain = chance.normal(0, chance.uniform(0, 0.03), values.shape)
    return eight_bit(values + grain)


def _cover(
    values: np.ndarray, radius: float, color: np.ndarray, chance: np.random.Generator
) -> None:
    """Put one thing in front of the others, in place."""
    center = chance.uniform(-radius, (_WIDTH + radius, _HEIGHT + radius))
    corners = chance.integers(3, 9)
    angles = np.sort(chance.uniform(0, 2 * np.pi, corners))
    reach = radius * chance.uniform(0.5, 1, corners)
    left, top = (max(0, int(each - radius)) for each in center)
    right, bottom = (min(side, int(each + radius) + 2) for side, each in
                     zip((_WIDTH, _HEIGHT), center, strict=True))
    if right <= left or bottom <= top:
        return
    across, down = center - (left, top)
    mask = Image.new("L", (right - left, bottom - top))
    draw = ImageDraw.Draw(mask)
    if chance.random() < 0.4:
        flat = radius * chance.uniform(0.4, 1)
        draw.ellipse([across - radius, down - flat, across + radius, down + flat], fill=255)
    else:
        points = np.array([[across], [down]]) + reach * np.stack([np.cos(angles), np.sin(angles)])
        draw.polygon([tuple(point) for point in points.T], fill=255)
    rows, columns = np.nonzero(np.asarray(mask))
    light = chance.normal(0, 0.25, 2)
    along = ((rows - down) * light[1] + (columns - across) * light[0]) / radius
    shade = np.clip(color + chance.normal(0, 0.08, 3), 0, 1) * (1 + along)[:, None]
    if chance.random() < 0.3:
        # Stripes, as of leaves, windows or waves.
        way, width = chance.uniform(0, np.pi), chance.uniform(3, 14)
        wave = np.sin((rows * np.sin(way) + columns * np.cos(way)) * 2 * np.pi / width)
        shade = shade * (1 + 0.3 * wave)[:, None]
    values[rows + top, columns + left] = shade
