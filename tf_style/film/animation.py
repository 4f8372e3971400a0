"""Animated GIF and WebP pictures, read by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from PIL import Image, UnidentifiedImageError

from tf_style.film.container import over_white
from tf_style.film.source import Frame, Info
from tf_style.settings import InputError

# In milliseconds. Browsers show frames that are to last less than two hundredths for a tenth.
_SHORTEST, _INSTEAD = 20, 100


class Animation:
    """An animated picture; see `Film`.

    Args:
        name: the file.

    Raises:
        InputError: if it cannot be read.
    """

    def __init__(self, name: str):
        self.broken = 0
        try:
            self._image = Image.open(name)
            frames = getattr(self._image, "n_frames", 1)
        except (UnidentifiedImageError, OSError, ValueError, EOFError, SyntaxError) as error:
            raise InputError(f"{name}: the film cannot be read ({error})") from None
        width, height = self._image.size
        lengths = list(self._lengths(frames))
        if not lengths:
            raise InputError(f"{name}: no frame of the film can be read")
        self.info = Info(width, height, Fraction(1000 * len(lengths), sum(lengths)), frames,
                         held=Fraction(lengths[-1], 1000))

    def close(self) -> None:
        self._image.close()

    def frames(self, begin: Fraction | None = None) -> Iterator[Frame]:
        self.broken = 0
        passed = 0
        for number in range(self.info.frames):
            try:
                self._image.seek(number)
                pixels = np.asarray(self._image.convert("RGBA"))
            # For a damaged file, a decoder may raise almost any exception.
            except Exception:
                self.broken += self.info.frames - number
                return
            alpha = np.ascontiguousarray(pixels[..., 3])
            yield Frame(over_white(pixels), Fraction(passed, 1000),
                        None if alpha.min() == 255 else alpha)
            passed += _milliseconds(self._image.info.get("duration"))

    def _lengths(self, frames: int) -> Iterator[int]:
        """How long each frame is shown that can be read, in milliseconds."""
        for number in range(frames):
            try:
                self._image.seek(number)
                # A WebP does not tell before.
                self._image.load()
            # As in `frames`, which counts it.
            except Exception:
                return
            yield _milliseconds(self._image.info.get("duration"))


def _milliseconds(given: float | None) -> int:
    """How long a frame is shown, as browsers have it."""
    given = round(given or 0)
    return given if given >= _SHORTEST else _INSTEAD
