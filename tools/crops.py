"""Crops of pictures, changed at random, in batches that a seed and a number decide."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

ENDINGS = (".jpg", ".png")
# Luma of RGB. Source: ITU-R BT.601.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclasses.dataclass
class Crops:
    """Batches of square crops.

    Attributes:
        pictures: uint8 `(height, width, 3)` each.
        pairs: two pictures of the same size side by side, the second a step of a run later.
        side: of a crop, in pixels.
        count: pictures in a batch. Where there are pairs, half of it is made of them.
        seed: of all chance.
    """

    pictures: list[np.ndarray]
    pairs: list[np.ndarray]
    side: int
    count: int
    seed: int

    @classmethod
    def of(cls, pictures: Path, pairs: Path | None, **options: int) -> Crops:
        """Reads two folders."""
        return cls(_read(pictures), _read(pairs) if pairs else [], **options)

    @property
    def paired(self) -> int:
        """How many pairs a batch begins with."""
        return self.count // 4 if self.pairs else 0

    def batch(self, number: int) -> np.ndarray:
        """`(count, side, side, 3)` float32 in `[0, 1]`, the pairs' pictures one after another."""
        chance = np.random.default_rng([self.seed, number])
        crops: list[np.ndarray] = []
        for _ in range(self.paired):
            pair = self.pairs[chance.integers(len(self.pairs))]
            crops += _changed(_crop(np.split(pair, 2, axis=1), self.side, chance), chance)
        while len(crops) < self.count:
            crops.append(self._plain(chance))
        return np.stack(crops)

    def _plain(self, chance: np.random.Generator) -> np.ndarray:
        picture = self.pictures[chance.integers(len(self.pictures))]
        [crop] = _changed(_crop([picture], self.side, chance), chance)
        if chance.random() < 0.15:
            other = self.pictures[chance.integers(len(self.pictures))]
            share = chance.uniform(0.2, 0.8)
            crop = share * crop + (1 - share) * _crop([other], self.side, chance)[0]
        if chance.random() < 0.3:
            noise = chance.standard_normal((self.side, self.side, 3), np.float32)
            crop = crop + 10 ** chance.uniform(-2, -0.7) * noise
        return np.clip(crop, 0, 1)


def _changed(crops: list[np.ndarray], chance: np.random.Generator) -> list[np.ndarray]:
    """The same change of colours and contrast for all."""
    if chance.random() < 0.5:
        crops = [each[:, ::-1] for each in crops]
    if chance.random() < 0.2:
        crops = [np.rot90(each, chance.integers(1, 4)) for each in crops]
    if chance.random() < 0.3:
        return crops
    gain = chance.uniform(0.75, 1.25, 3) * chance.uniform(0.6, 1.3)
    offset = chance.uniform(-0.15, 0.15)
    saturation = chance.uniform(0, 1.6)
    gamma = np.exp(chance.uniform(-0.5, 0.5))
    inverted = chance.random() < 0.05
    changed = []
    for crop in crops:
        gray = (crop @ _LUMA)[..., None]
        each = np.clip(gray + saturation * (crop - gray), 0, 1) ** gamma
        each = np.clip(0.5 + gain * (each - 0.5) + offset, 0, 1)
        changed.append((1 - each if inverted else each).astype(np.float32))
    return changed


def _crop(
    pictures: list[np.ndarray], side: int, chance: np.random.Generator
) -> list[np.ndarray]:
    """The same square of all pictures, of any size, at `side` pixels."""
    height, width = pictures[0].shape[:2]
    shortest = min(height, width)
    # Runs see pictures shrunk to their own size, so most crops show more than their pixels.
    least = min(shortest, side)
    of = round(np.exp(chance.uniform(np.log(least), np.log(shortest))))
    top, left = chance.integers(height - of + 1), chance.integers(width - of + 1)
    box = (left, top, left + of, top + of)
    return [
        np.asarray(Image.fromarray(each).resize(
            (side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3
        ), np.float32) / 255
        for each in pictures
    ]


def _read(folder: Path) -> list[np.ndarray]:
    found = sorted(each for each in folder.iterdir() if each.suffix in ENDINGS)
    if not found:
        raise SystemExit(f"{folder}: expected pictures, {' or '.join(ENDINGS)}")
    return [np.asarray(Image.open(each).convert("RGB")) for each in found]
