"""The photographs that a network learns to paint, as crops that a seed and a number decide."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_style.image import samples
from tf_style.image.numbers import eight_bit
from tf_style.image.picture import read_picture, read_pictures
from tf_style.image.resize import resize, shrink
from tf_style.settings import MAX_PIXELS, InputError, Note
from tf_style.transfer.scenes import scene

# Kept in memory, at the default size 0.6 MB each; drawn at random of more.
MOST = 400
# The long sides at which they are kept, in pixels: the largest crops are not to be enlarged, and
# of larger ones there would be a GB.
LEAST, LARGEST = 256, 1024
# Shown and measured, and not learned from: one in ten, at most so many.
_HELD_OUT = 8
# Where there are fewer, drawn scenes and the samples stand beside them.
_ENOUGH = 40


@dataclasses.dataclass(frozen=True)
class Photographs:
    """What is learned from, and what is held out.

    Attributes:
        pictures: to take crops from, uint8 `(height, width, 3)` each.
        held_out: to show and to measure with; of the same kind. Where there are fewer than ten,
            one of `pictures`.
        given: how many of `pictures` the user gave; the others come with tf_style.
    """

    pictures: Sequence[np.ndarray]
    held_out: Sequence[np.ndarray]
    given: int

    @classmethod
    def read(
        cls, names: Sequence[str], seed: int, max_pixels: int = MAX_PIXELS, side: int = 512
    ) -> Photographs:
        """Photographs by their files, drawn by `seed` where there are very many.

        They are kept with a long side of about `side` pixels, that of the pictures that are aimed
        for, so that strokes are as large beside things as they will be there.

        Files that cannot be read are left out, and a warning says so. Where there are few, scenes
        that are drawn at random and the samples are added, so that the network learns to paint
        other things, too.

        Raises:
            InputError: if files are named and none can be read.
        """
        side = min(max(side, LEAST), LARGEST)
        names = list(dict.fromkeys(names))
        random.Random(seed).shuffle(names)
        found = [_kept(picture, side) for picture in read_pictures(
            names, most=MOST, max_pixels=max_pixels, side=side)]
        held = found[: min(_HELD_OUT, len(found) // 10)]
        pictures = found[len(held):]
        others: list[np.ndarray] = []
        if len(pictures) < _ENOUGH:
            warnings.warn(
                f"photographs to learn from: {len(pictures)}. Scenes drawn at random are added; "
                "the network paints better after a hundred photographs", Note, stacklevel=2)
            with contextlib.suppress(InputError):
                others += [_kept(read_picture(samples.PREFIX + name), side)
                           for name in samples.CONTENT_SAMPLES]
            others += [scene(seed + number) for number in range(_ENOUGH // 2)]
        return cls([*pictures, *others], held or [*pictures, *others][:1], len(pictures))

    def crops(
        self, number: int, side: int, count: int, seed: int, share: slice = slice(None)
    ) -> np.ndarray:
        """Square crops, enlarged where a photograph is smaller.

        Args:
            number: of the step that they are for.
            share: which of them are cut.

        Returns:
            `(count, side, side, 3)` float32 in `[0, 1]`, or as many as are in the share.
        """
        chance = np.random.default_rng([seed, number])
        drawn = [self._drawn(side, chance) for _ in range(count)]
        return np.stack([_crop(side, *each) for each in drawn[share]])

    def _drawn(self, side: int, chance: np.random.Generator) -> tuple[np.ndarray, bool]:
        """A square part of a photograph, and whether it is mirrored."""
        # Those that were given make half of the crops, and more, however few they are.
        alone = self.given == len(self.pictures)
        given = self.given and (alone or chance.random() < 0.5)
        picture = self.pictures[chance.integers(self.given if given else len(self.pictures))]
        height, width = picture.shape[:2]
        shortest = min(height, width)
        # From a crop at its own size to twice as much, made smaller.
        least, most = min(side, shortest), min(2 * side, shortest)
        of = round(math.exp(chance.uniform(math.log(least), math.log(most))))
        top, left = chance.integers(height - of + 1), chance.integers(width - of + 1)
        return picture[top : top + of, left : left + of], chance.random() < 0.5


def _crop(side: int, part: np.ndarray, mirrored: bool) -> np.ndarray:
    crop = Image.fromarray(part)
    if len(part) != side:
        crop = crop.resize((side, side), Image.Resampling.BICUBIC)
    values = np.asarray(crop, np.float32) / 255
    return values[:, ::-1] if mirrored else values


def _kept(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture at the size at which it is kept, as bytes."""
    small = shrink(picture, side)
    height, width = small.shape[:2]
    if max(height, width) < 8 or min(height, width) < 2:
        # Too thin to take a crop from.
        small = resize(small, max(8, height), max(8, width))
    return eight_bit(small)
