"""A run as a short film, GIF or WebP. No TensorFlow."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tf_style.image.numbers import eight_bit
from tf_style.image.paths import PathLike, check_writable, write_bytes
from tf_style.image.resize import fitted_size, shrink
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.result import Step

_OPTIONS = {".gif": {"format": "GIF"}, ".webp": {"format": "WEBP", "quality": 80}}
LONG_SIDE = 512
MOST_FRAMES = 100
# Milliseconds for the film without its last frame, the slowest frame, and the last frame.
_DURATION, _SLOWEST, _LAST = 6000, 200, 2000


class Frames:
    """Pictures of a run, few and small enough to keep: `show` is a callback for `stylize`.

    Each size of the run has the same share of `MOST_FRAMES`, however many steps it takes.

    Args:
        every: minimum number of steps at a size from one picture to the next.

    Attributes:
        pictures: `(height, width, 3)` uint8, at the size that the run had then, or `LONG_SIDE`.
    """

    def __init__(self, every: int = 1):
        self.pictures: list[np.ndarray] = []
        self._every = every

    def show(self, step: Step) -> None:
        share = max(1, MOST_FRAMES // step.scales)
        if step.step % max(self._every, math.ceil(step.steps / share)) == 0:
            self.pictures.append(eight_bit(shrink(step.image(), LONG_SIDE)))

    def close(self) -> None:
        """Does nothing: no file is open."""


def check_animation(path: PathLike) -> Path:
    """`path`, if an animation can be written there.

    Raises:
        InputError: for an ending other than .gif or .webp, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _OPTIONS:
        raise InputError(f"{path}: expected a name that ends in {' or '.join(_OPTIONS)}")
    return check_writable(path)


def write_animation(
    path: PathLike, pictures: Sequence[np.ndarray], result: np.ndarray
) -> None:
    """Write pictures one after another, then the result, which stays longer; they repeat.

    Args:
        path: ends in .gif or .webp.
        pictures: `(any height, any width, 3)` uint8, all enlarged or reduced to one size.
        result: `(height, width, 3)` in `[0, 1]`; `LONG_SIDE` limits its size in the film.

    Raises:
        InputError: if it cannot be written; an older file is then still there.
    """
    options = _OPTIONS[check_animation(path).suffix.lower()]
    height, width = fitted_size(*result.shape[:2], min(LONG_SIDE, max(result.shape[:2])))
    frames = [Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
              for picture in pictures]
    frames.append(Image.fromarray(eight_bit(shrink(result, LONG_SIDE))))
    if options["format"] == "GIF":
        frames = _with_one_palette(frames)
    # GIF counts hundredths of a second.
    pace = min(_SLOWEST, max(20, _DURATION // len(frames) // 10 * 10))
    content = io.BytesIO()
    frames[0].save(
        content, save_all=True, append_images=frames[1:], loop=0,
        duration=[pace] * (len(frames) - 1) + [_LAST], **options,
    )
    write_bytes(path, content.getbuffer())


def _with_one_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Frames of the same 256 colours: with separate palettes, what does not move would flicker."""
    chosen = [*frames[:: max(1, len(frames) // 4)][:4], frames[-1]]
    sheet = np.concatenate([np.asarray(frame.resize((128, 128), Image.Resampling.NEAREST))
                            for frame in chosen])
    # MAXCOVERAGE covers the outermost colours, too, so that dithering can mix all others from them.
    palette = Image.fromarray(sheet).quantize(256, Image.Quantize.MAXCOVERAGE)
    return [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
            for frame in frames]
