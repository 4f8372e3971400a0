"""A style picture, and everything that belongs to it. No TensorFlow."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import numpy as np
from PIL import Image

from tf_style.image import mending
from tf_style.image.masks import region_at, resized
from tf_style.image.paths import PathLike
from tf_style.image.picture import as_layers
from tf_style.image.resize import fit
from tf_style.settings import MAX_PIXELS, InputError

# Fainter colours, below 16 of 255, are rounded too coarsely to be known.
_FAINT = 1 / 16


def read_style(
    source: PathLike | np.ndarray | Image.Image, name: str = "style", *,
    max_pixels: int = MAX_PIXELS, side: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """A style picture, and how opaque it is.

    Transparent places have no colour that belongs to the style. What surrounds them is mirrored
    into them, so that nothing that looks at the picture sees an edge there.

    Args:
        source, name, max_pixels, side: as for `as_layers`, which raises and warns likewise.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`; and float32 `(height, width)` in `[0, 1]`, 0 where
        transparent, or `None` for a picture that is opaque everywhere.

    Raises:
        InputError: also for a picture that is transparent everywhere.
    """
    pixels, alpha = as_layers(source, name, max_pixels=max_pixels, side=side)
    if alpha is None:
        return pixels, None
    if not alpha.any():
        if isinstance(source, (str, os.PathLike)):
            name = os.fspath(source)
        raise InputError(f"{name}: expected a style to learn from, this picture is transparent "
                         "everywhere. Choose another, or remove its transparency")
    return continued(pixels, alpha >= min(_FAINT, alpha.max())), alpha


def continued(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A picture whose unknown pixels are mirrored from known ones, at the nearest border.

    Args:
        pixels: `(height, width, channels)`.
        known: bool `(height, width)`, of which at least one is true.
    """
    while not known.all():
        across, far = _mirrored(pixels, known)
        down, deep = _mirrored(pixels.swapaxes(0, 1), known.T)
        down, deep = down.swapaxes(0, 1), deep.T
        pixels = np.where((far <= deep)[..., None], across, down)
        # The corners, of whose rows and columns nothing is known, wait for the next round.
        known = np.minimum(far, deep) < max(known.shape)
    return pixels


def _mirrored(pixels: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row continued beyond its known pixels; and how far from them each pixel is.

    A row of which nothing is known stays as it is, and is far away.
    """
    length = known.shape[1]
    place = np.arange(length, dtype=np.int32)
    away = np.int32(2 * max(known.shape))
    before = np.maximum.accumulate(np.where(known, place, -away), axis=1)
    after = np.minimum.accumulate(np.where(known, place, 2 * away)[:, ::-1], axis=1)[:, ::-1]
    border = np.where(place - before <= after - place, before, after)
    distance = np.abs(place - border)
    border = np.where(distance < away, border, place)
    mirror = np.clip(2 * border - place + np.sign(place - border), 0, length - 1)
    source = np.where(np.take_along_axis(known, mirror, axis=1), mirror, border)
    return np.take_along_axis(pixels, source[..., None], axis=1), distance


@dataclasses.dataclass(frozen=True)
class Style:
    """What to take over from one style picture, and where it goes.

    Attributes:
        picture: `(height, width, 3)` in `[0, 1]`, of any size.
        name: what to call it: its file as it was named, or its number.
        share: of the style loss; the shares of all styles add up to 1.
        mask: how much each pixel of the style counts, `(height, width)` in `[0, 1]`, 0 where it is
            transparent; `None` for the whole picture.
        region: likewise, for the generated image: where the style goes.
        defects: what was wrong with the picture and has been mended, as `defects` names it.
        mended_again: for a mended picture: `picture` given the same defects and mended again, of
            the same size. The change of a statistic between the two estimates its bias, which is
            subtracted if the statistic is a mean over positions.
            Source: the bootstrap's estimate of bias, Efron, Annals of Statistics 1979.
        largest: the largest long side at which it is to be seen, in pixels; `None` for any.
        alpha: how opaque each pixel of the style is, as `mask`; `None` for an opaque picture.
        kinds: how much each place counts for large forms, in each of the regions that styles and
            content have in common, or in the only one where they are compared as wholes:
            `(count, rows, columns)` in `[0, 1]`, coarser than the picture; `None` where all places
            count the same.
        image_side: long side, in pixels, of the generated image at whose size it is seen.
    """

    picture: np.ndarray
    name: str = "style"
    share: float = 1.0
    mask: np.ndarray | None = None
    region: np.ndarray | None = None
    defects: tuple[str, ...] = ()
    mended_again: np.ndarray | None = None
    largest: int | None = None
    alpha: np.ndarray | None = None
    kinds: np.ndarray | None = None
    image_side: int = 0

    def counted(self) -> np.ndarray:
        """The mask; 1 everywhere if there is none."""
        return np.ones(self.picture.shape[:2], np.float32) if self.mask is None else self.mask

    def mended(self, side: int) -> Style:
        """The same style without the defects of its picture, if it has any.

        Args:
            side: the long side at which it will be seen in the end, in pixels.
        """
        found = mending.Mended.of(self.picture, side)
        return dataclasses.replace(
            self, picture=found.image, defects=found.defects, mended_again=found.again,
            largest=found.largest,
        )

    def recolored(self, change: Callable[[np.ndarray, np.ndarray | None], np.ndarray]) -> Style:
        """The same style in other colours.

        Args:
            change: (a picture, which of its pixels are opaque: bool `(height, width)`, `None` for
                all) → the picture with other colours.
        """
        alpha, again = self.alpha, self.mended_again
        opaque = None if alpha is None else (
            resized(alpha, *self.picture.shape[:2]) >= alpha.max() / 2
        )
        return dataclasses.replace(
            self, picture=change(self.picture, opaque),
            mended_again=None if again is None else change(again, opaque),
        )

    def at(self, side: int, height: int, width: int) -> Style:
        """The style as it is seen at one size of a run.

        Args:
            side: the long side at which the picture is seen, in pixels; at most `largest`.
            height, width: of the generated image.
        """
        picture = fit(self.picture, min(side, self.largest or side))
        again, shape = self.mended_again, picture.shape[:2]
        region, factor = (
            (None, 1.0) if self.region is None else region_at(self.region, height, width)
        )
        return dataclasses.replace(
            self,
            picture=picture,
            share=self.share * factor,
            alpha=None if self.alpha is None else resized(self.alpha, *shape),
            mask=None if self.mask is None else resized(self.mask, *shape),
            mended_again=None if again is None else fit(again, max(shape)),
            region=region,
            image_side=max(height, width),
        )
