"""A style picture, and everything that belongs to it. No TensorFlow."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_style.image import mending
from tf_style.image.resize import fit, resize


@dataclasses.dataclass(frozen=True)
class Style:
    """What to take over from one style picture, and where it goes.

    Attributes:
        picture: `(height, width, 3)` in `[0, 1]`, of any size.
        name: what to call it: its file as it was named, or its number.
        share: of the style loss; the shares of all styles add up to 1.
        mask: how much each pixel of the style counts, `(height, width)` in `[0, 1]`; `None` for the
            whole picture.
        region: likewise, for the generated image: where the style goes.
        defects: what was wrong with the picture and has been mended, as `defects` names it.
        mended_again: for a mended picture: `picture` given the same defects and mended again, of
            the same size. The change of a statistic between the two estimates its bias, which is
            subtracted if the statistic is a mean over positions.
            Source: the bootstrap's estimate of bias, Efron, Annals of Statistics 1979.
        largest: the largest long side at which it is to be seen, in pixels; `None` for any.
    """

    picture: np.ndarray
    name: str = "style"
    share: float = 1.0
    mask: np.ndarray | None = None
    region: np.ndarray | None = None
    defects: tuple[str, ...] = ()
    mended_again: np.ndarray | None = None
    largest: int | None = None

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

    def at(self, side: int, height: int, width: int) -> Style:
        """The style as it is seen at one size of a run.

        Args:
            side: the long side at which the picture is seen, in pixels; at most `largest`.
            height, width: of the generated image.
        """
        picture = fit(self.picture, min(side, self.largest or side))
        again = self.mended_again
        return dataclasses.replace(
            self,
            picture=picture,
            mended_again=None if again is None else fit(again, max(picture.shape[:2])),
            mask=_resized(self.mask, *picture.shape[:2]),
            region=_resized(self.region, height, width),
        )


def _resized(mask: np.ndarray | None, height: int, width: int) -> np.ndarray | None:
    if mask is None:
        return None
    return np.clip(resize(mask[..., None], height, width, smooth=True), 0, 1)[..., 0]
