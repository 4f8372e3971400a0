"""Films as numbered pictures in a folder, read and written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from tf_style.film.source import Frame, Info
from tf_style.image.numbers import eight_bit
from tf_style.image.paths import expand
from tf_style.image.picture import read_layers, read_size
from tf_style.settings import InputError

_DIGITS = re.compile(r"(\d+)")


class Sequence:
    """Pictures in a folder, or those that a pattern names, by their numbers; see `Film`.

    Args:
        name: the folder or the pattern.
        rate: frames a second.

    Raises:
        InputError: if there is none.
    """

    def __init__(self, name: str, rate: Fraction):
        self._rate, self.broken = rate, 0
        try:
            self._files = sorted(expand(name), key=_numbers)
        except InputError as error:
            raise InputError(f"--content={error.flags}") from None
        height, width = read_size(self._files[0])
        self.info = Info(width, height, rate, len(self._files))

    def close(self) -> None:
        pass

    def frames(self, begin: Fraction | None = None) -> Iterator[Frame]:
        for number, name in enumerate(self._files):
            if begin is not None and number / self._rate < begin:
                continue
            pixels, alpha = read_layers(name)
            if pixels.shape[:2] != (self.info.height, self.info.width):
                raise InputError(
                    f"{name}: is {pixels.shape[1]}x{pixels.shape[0]}, and the first frame "
                    f"{self.info.width}x{self.info.height}. Expected frames of one size"
                )
            opaque = None
            if alpha is not None:
                pixels = pixels * alpha[..., None] + 1 - alpha[..., None]
                opaque = eight_bit(alpha)
            yield Frame(eight_bit(pixels), number / self._rate, opaque)


def _numbers(name: str) -> list[tuple[int, str]]:
    """What to sort names by, so that 9 stands before 10."""
    parts = _DIGITS.split(Path(name).name)
    return [(int(each), "") if each.isdigit() else (-1, each) for each in parts]
