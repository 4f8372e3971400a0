"""What the numbers of a picture file mean, which of them is white, and a picture in 8 bits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

# A picture that is darker everywhere was probably meant to have a smaller white: 12 bits in 16
# leave a sixteenth.
_NEARLY_BLACK = 1 / 8


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The numbers of a picture, of any type, as a file stores them.

    Attributes:
        values: `(height, width, channels)`: gray or RGB.
        alpha: `(height, width)`, of the same type; `None` for an opaque picture.
        bits: how many of them a whole number has.
        inverted: whether 0 means white and the largest number black.
        premultiplied: whether the colours have been multiplied by alpha.
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    bits: int = 16
    inverted: bool = False
    premultiplied: bool = False

    def turned(self, turn: Callable[[np.ndarray], np.ndarray]) -> Numbers:
        """The same numbers at other places, where `turn` puts them."""
        return dataclasses.replace(
            self, values=turn(self.values), alpha=None if self.alpha is None else turn(self.alpha)
        )

    @property
    def white(self) -> float:
        """The number that means white.

        Floats: 1, unless most of them exceed it; then 255, 65535, or the largest, likewise. Whole
        numbers of more than 16 bits, or with a sign: the least of 255, 65535 and the largest of
        their type that holds them all. Others: the largest of their type.
        """
        return _white([self.values] if self.alpha is None or self.values.dtype.kind == "f"
                      else [self.values, self.alpha], self.bits)

    def scaled(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Colours and alpha, float32 in `[0, 1]`.

        Raises:
            ValueError: if some numbers are not finite.
        """
        white, alpha = self.white, None
        colors = _share(self.values, white)
        if self.alpha is not None:
            floats = self.alpha.dtype.kind == "f"
            alpha = _share(self.alpha, _white([self.alpha], self.bits) if floats else white)
        if self.inverted:
            colors = 1 - colors
        if self.premultiplied and alpha is not None:
            colors = colors / np.maximum(alpha, np.finfo(np.float32).tiny)[..., None]
            colors = np.clip(colors, 0, 1)
        return colors, alpha

    def remarks(self) -> tuple[str, ...]:
        """What the user should know: that the picture is nearly black, if it is."""
        top, white = self.values.max(), self.white
        if self.inverted or not 0 < top < white * _NEARLY_BLACK:
            return ()
        return (f"nearly black: its largest number is {top:g}, and {white:g} is white; if that is "
                "not meant, multiply its numbers in an image editor",)


def eight_bit(values: np.ndarray) -> np.ndarray:
    """Values in `[0, 1]`, those beyond clipped, as uint8 from 0 to 255."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _white(arrays: list[np.ndarray], bits: int) -> float:
    kind = arrays[0].dtype.kind
    if kind == "f":
        if not all(np.isfinite(each).all() for each in arrays):
            raise ValueError("it holds numbers that are not finite")
        fits = (white for white in (1, 255, 65535)
                if all(np.count_nonzero(each > white) <= each.size / 2 for each in arrays))
    else:
        largest = 2 ** (bits - (kind == "i")) - 1
        if kind == "u" and bits <= 16:
            return largest
        fits = (white for white in sorted((255, 65535, largest))
                if all(each.max() <= white for each in arrays))
    return next(fits, max(each.max() for each in arrays))


def _share(values: np.ndarray, white: float) -> np.ndarray:
    return np.clip(np.divide(values, float(white), dtype=np.float32), 0, 1)
