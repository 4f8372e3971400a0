"""Films to be painted: what they are, and their frames, one after another. No TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from tf_style.image.paths import locate, no_plain_file
from tf_style.settings import InputError

# Containers, by the endings of their names.
CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
# Pictures that may be films: those with frames.
ANIMATIONS = (".gif", ".webp")
# What FFmpeg calls colours that nobody has named.
UNSAID = 2


@dataclasses.dataclass(frozen=True)
class Info:
    """What is known of a film before its frames are read.

    Attributes:
        width, height: of its frames as they are shown, upright, in pixels.
        rate: frames a second, on average.
        frames: how many there are, or about so many; `None` if that is not known.
        aspect: how wide a pixel is, if it were 1 high.
        matrix, full_range: which numbers its colours had, as FFmpeg calls the matrix; `None` and
            false where it had RGB or did not say.
        lost: what its frames have that a painted film has not, each in a few words.
        note: the text that its file holds; empty if there is none.
        begins: the time stamp of its first frame, in seconds, that of its sound's being counted
            alike.
        held: how long its last frame is shown, in seconds; `None` where it does not say.
        primaries, transfer: which colours its numbers mean, as FFmpeg counts them; `UNSAID` where
            it does not say, or where a painted film cannot.
    """

    width: int
    height: int
    rate: Fraction
    frames: int | None = None
    aspect: Fraction = Fraction(1)
    matrix: str | None = None
    full_range: bool = False
    lost: tuple[str, ...] = ()
    note: str = ""
    begins: Fraction = Fraction(0)
    held: Fraction | None = None
    primaries: int = UNSAID
    transfer: int = UNSAID


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame of a film.

    Attributes:
        picture: `(height, width, 3)` uint8 RGB, over white where it is transparent.
        time: when it is shown, in seconds since the film's beginning.
        alpha: `(height, width)` uint8, 0 where transparent; `None` where it is opaque.
    """

    picture: np.ndarray
    time: Fraction
    alpha: np.ndarray | None = None


class Film(Protocol):
    """A film that has been opened.

    Attributes:
        info: what is known of it.
        broken: how many frames could not be read so far.
    """

    info: Info
    broken: int

    def frames(self, begin: Fraction | None = None) -> Iterator[Frame]:
        """All frames, in the order in which they are shown.

        Their times rise. Frames that cannot be read are left out, and counted in `broken`.

        Args:
            begin: a time before which none are needed, so that they may be left out. What comes
                then need not be the same in every container: `Known` sees to that.
        """

    def close(self) -> None:
        """Let go of its file."""


def is_film(name: str, *, animated: bool = False, rate: Fraction | None = None) -> bool:
    """Whether a content is taken as a film, by its name alone.

    Args:
        animated: whether a GIF or WebP counts with all its frames.
        rate: frames a second of pictures in a folder, or of those that a pattern names; `None` if
            they are single pictures.
    """
    ending = Path(name).suffix.lower()
    several = rate is not None and not os.path.isfile(locate(name))
    return several or ending in CONTAINERS or (animated and ending in ANIMATIONS)


@contextlib.contextmanager
def open_film(name: str, rate: Fraction | None = None) -> Iterator[Film]:
    """A film, open within a `with` block.

    Args:
        name: a container such as an MP4; an animated GIF or WebP; a folder of frames, or a pattern.
        rate: frames a second of pictures in a folder; the others have times of their own.

    Raises:
        InputError: if it cannot be read, or has no frames.
    """
    with contextlib.closing(_opened(name, rate)) as film:
        yield film


def _opened(name: str, rate: Fraction | None) -> Film:
    if rate is not None:
        from tf_style.film.sequence import Sequence

        return Sequence(name, rate)
    if reason := no_plain_file(name):
        hint = "; as a folder of frames it needs --fps" if os.path.isdir(name) else ""
        raise InputError(f"{name}: {reason}{hint}")
    if not os.path.getsize(name):
        raise InputError(f"{name}: the file is empty")
    if Path(name).suffix.lower() in ANIMATIONS:
        from tf_style.film.animation import Animation

        return Animation(name)
    from tf_style.film.container import Container

    return Container(name)
