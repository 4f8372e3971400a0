"""Draws styles to measure with: `python -m benchmarks.styles --output=FOLDER --count=40`.

Strokes of a brush, mosaics, prints of dots or hatching, and textures, in turn; each from a seed of
its own, which decides scale, strength, direction and colours.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from tf_style.image.numbers import eight_bit
from tf_style.image.resize import resize

_HEIGHT, _WIDTH = 360, 480
# Drawn larger and then reduced, for smooth edges.
_SCALE = 2


def strokes(seed: int) -> np.ndarray:
    """Strokes of one length and width along a swirling field, over a sketch in few colours."""
    draws = np.random.default_rng(seed)
    width = 10 ** draws.uniform(0.5, 1.5)
    length, spread = width * draws.uniform(1.5, 6), draws.uniform(0.02, 0.25)
    sketch = _sketch(draws, int(draws.integers(2, 6)))
    angles = _soft(draws, 3)[..., 0] * draws.uniform(0, 4 * np.pi)
    image = Image.fromarray(eight_bit(resize(sketch, _HEIGHT * _SCALE, _WIDTH * _SCALE)))
    draw = ImageDraw.Draw(image)
    for _ in range(int(3 * _HEIGHT * _WIDTH / (width * length))):
        y, x = draws.uniform(0, _HEIGHT), draws.uniform(0, _WIDTH)
        angle = angles[int(y), int(x)] + draws.normal(0, 0.2)
        color = sketch[int(y), int(x)] + draws.normal(0, spread, 3)
        across, down = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
        ends = [(x - across, y - down), (x + across, y + down)]
        draw.line([tuple(_SCALE * np.array(each)) for each in ends], _color(color),
                  max(1, round(_SCALE * width * draws.uniform(0.6, 1.2))))
    return _reduced(image)


def mosaic(seed: int) -> np.ndarray:
    """Cells around random places, each of one colour, some with dark lines between them."""
    draws = np.random.default_rng(seed)
    count = int(10 ** draws.uniform(1.3, 2.8))
    places = draws.random((count, 2)) * (_HEIGHT, _WIDTH)
    sketch, spread = _sketch(draws, int(draws.integers(3, 7))), draws.uniform(0.02, 0.3)
    colors = sketch[tuple(places.astype(int).T)] + draws.normal(0, spread, (count, 3))
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH]
    first = np.full((_HEIGHT, _WIDTH), np.inf)
    second, owner = first.copy(), np.zeros((_HEIGHT, _WIDTH), int)
    for number, (down, across) in enumerate(places):
        apart = np.hypot(rows - down, columns - across)
        closer = apart < first
        second = np.where(closer, first, np.minimum(second, apart))
        first, owner = np.where(closer, apart, first), np.where(closer, number, owner)
    lead = draws.choice([0, 2, 4])
    seam = np.clip((lead - (second - first)) / 2 + 0.5, 0, 1)[..., None] if lead else 0
    return np.clip(colors[owner] * (1 - seam) + 0.08 * seam, 0, 1).astype(np.float32)


def printed(seed: int) -> np.ndarray:
    """A sketch in a few inks on paper: as dots of different size, or hatched."""
    draws = np.random.default_rng(seed)
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float64)
    paper = 1 - draws.uniform(0, 0.2) * draws.random(3)
    picture = np.ones((_HEIGHT, _WIDTH, 3)) * paper
    hatched = draws.random() < 0.5
    for _ in range(int(draws.integers(1, 4))):
        pitch, angle = 10 ** draws.uniform(0.6, 1.4), draws.uniform(0, np.pi)
        along = (np.cos(angle) * columns + np.sin(angle) * rows) * 2 * np.pi / pitch
        aside = (np.cos(angle) * rows - np.sin(angle) * columns) * 2 * np.pi / pitch
        wave = np.cos(along) if hatched else (np.cos(along) + np.cos(aside)) / 2
        tone = _soft(draws, 5)[..., 0] * 2.2 - 1.1
        cover = np.clip((tone - wave) * pitch / 6 + 0.5, 0, 1)[..., None]
        picture *= 1 - cover * (1 - draws.random(3) ** 2)
    return np.clip(picture, 0, 1).astype(np.float32)


def texture(seed: int, height: int = 240, width: int = 320) -> np.ndarray:
    """A texture: noise of some frequencies and directions, or its level sets, in a few colours."""
    draws = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    angle, stretch = draws.uniform(0, np.pi), draws.choice([1, 1, 3, 8])
    along = np.cos(angle) * across + np.sin(angle) * down
    aside = stretch * (np.cos(angle) * down - np.sin(angle) * across)
    radius = np.hypot(along, aside)
    middle = 10 ** draws.uniform(-1.7, -0.6)
    band = np.exp(-(np.log((radius + 1e-6) / middle) / draws.uniform(0.2, 1.2)) ** 2)
    waves = np.fft.irfft2(np.fft.rfft2(draws.standard_normal((height, width))) * band,
                          s=(height, width))
    value = (waves - waves.mean()) / waves.std()
    if draws.random() < 0.5:
        value = np.floor(value * draws.uniform(0.7, 2))
    value = (value - value.min()) / (value.max() - value.min())
    colors = draws.random((draws.integers(2, 6), 3))
    stops = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(value, stops, each) for each in colors.T], axis=2).astype(np.float32)


def _plain(seed: int) -> np.ndarray:
    return texture(seed, _HEIGHT, _WIDTH)


KINDS: dict[str, Callable[[int], np.ndarray]] = {
    "strokes": strokes, "mosaic": mosaic, "printed": printed, "texture": _plain,
}


def _soft(draws: Generator, cells: int) -> np.ndarray:
    """Random values in `[0, 1]` that change softly, `(height, width, 3)`."""
    coarse = draws.random((cells, cells + 1, 3)).astype(np.float32)
    return np.clip(resize(coarse, _HEIGHT, _WIDTH), 0, 1)


def _sketch(draws: Generator, count: int) -> np.ndarray:
    """A soft composition in a few colours, `(height, width, 3)`."""
    colors = draws.random((count, 3))
    value = np.clip(_soft(draws, int(draws.integers(3, 9)))[..., 0] * 1.4 - 0.2, 0, 1)
    stops = np.linspace(0, 1, count)
    return np.stack([np.interp(value, stops, each) for each in colors.T], 2).astype(np.float32)


def _color(color: np.ndarray) -> tuple[int, ...]:
    return tuple(int(each) for each in np.clip(color * 255, 0, 255))


def _reduced(image: Image.Image) -> np.ndarray:
    return np.asarray(image.reduce(_SCALE), np.float32) / 255


def main() -> None:
    """Write the styles."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.styles", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (%(default)s)")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seed, options.seed + options.count):
        kind = list(KINDS)[seed % len(KINDS)]
        image = Image.fromarray(eight_bit(KINDS[kind](seed)))
        image.save(options.output / f"{kind}_{seed}.jpg", quality=92)


if __name__ == "__main__":
    main()
