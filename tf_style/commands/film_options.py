"""The options of the command `tf_style` for films."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from typing import Any, ClassVar

from tf_style.settings import AUTO, InputError
from tf_style.settings.option import Number, Options, Switch, option, whole

_MOST_RATE = 1000
# In seconds.
_LONGEST = 1_000_000


@dataclasses.dataclass(frozen=True)
class Rate:
    """Frames a second, written as `25`, `29.97` or `30000/1001`."""

    form: ClassVar[str] = "N"

    def parse(self, name: str, value: Any) -> Fraction:
        try:
            found = Fraction(str(value).strip())
        except (ValueError, ZeroDivisionError):
            found = Fraction(0)
        if not 0 < found <= _MOST_RATE:
            raise InputError(f"--{name}: expected frames a second, above 0 and at most "
                             f"{_MOST_RATE}, such as 25 or 30000/1001. Received: {value!r}")
        return found


@dataclasses.dataclass(frozen=True)
class Moment:
    """A time in a film, in seconds or as `1:23.5`, `1:02:03`."""

    form: ClassVar[str] = "TIME"

    def parse(self, name: str, value: Any) -> Fraction:
        text = str(value).strip().removesuffix("s")
        if re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
            found = Fraction(0)
            for part in text.split(":"):
                found = found * 60 + Fraction(part)
            if found <= _LONGEST:
                return found
        raise InputError(f"--{name}: expected a time in the film, such as 90, 2.5 or 1:30. "
                         f"Received: {value!r}")


@dataclasses.dataclass(frozen=True)
class Share:
    """One part of several, written as `2/4`."""

    form: ClassVar[str] = "K/N"

    def parse(self, name: str, value: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            value = "{}/{}".format(*value)
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", str(value).strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(f"--{name}: expected which part of how many, such as 2/4. Received: "
                             f"{value!r}")
        return int(found[1]), int(found[2])


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilmOptions(Options):
    """What is taken of a film, and how steady it is to be."""

    frames: bool = option(
        Switch(), False, "paint all frames of an animated GIF or WebP, as a film"
    )
    fps: Fraction | None = option(
        Rate(), None, "take the pictures of a folder as a film of so many frames a second"
    )
    start: Fraction | None = option(
        Moment(), None, "of a film, begin at this time, such as 90 or 1:30"
    )
    end: Fraction | None = option(Moment(), None, "of a film, end before this time")
    every: int = option(whole(1, 1000), 1, "of a film, paint every Nth frame only")
    trial: bool = option(
        Switch(), False, "paint two seconds of a film at 256 pixels, into OUTPUT_trial, to see how "
        "it will look"
    )
    steadiness: float | str = option(
        Number(0, 1), AUTO, "how much a film's frame takes over from the one before, where a "
        "network paints: 0, nothing, to 1"
    )
    frame_steps: int | str = option(
        whole(1, 10_000), AUTO, "steps for each frame of a film after the first of a shot"
    )
    piece: tuple[int, int] | None = option(
        Share(), None, "of a film, paint the Kth of N pieces only, beside other processes or "
        "machines that paint the others; the last to finish puts the film together"
    )
