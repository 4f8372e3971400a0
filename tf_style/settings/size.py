"""How large the output is."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from tf_style.settings.option import InputError, Number

ORIGINAL = "original"
_SIDE = Number(8, 32768, whole=True)


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of the output: a long side, a width and a height, or the content's own.

    Attributes:
        long_side: in pixels; the content gives the proportions.
        width, height: in pixels, where there is no content.
    """

    long_side: int | None = None
    width: int | None = None
    height: int | None = None

    def __str__(self) -> str:
        if self.width:
            return f"{self.width}x{self.height}"
        return str(self.long_side or ORIGINAL)

    def plain(self) -> int | str:
        """The size as JSON data: a number if it is one, else text."""
        return self.long_side or str(self)

    def proportions(self, content: tuple[int, int] | None) -> tuple[tuple[int, int], int]:
        """The height and width that give the output's proportions, and its long side.

        Args:
            content: height and width of the content image; `None` for none.

        Raises:
            InputError: if the two do not fit together.
        """
        if content is not None:
            if self.width:
                raise InputError(
                    f"--size={self}: the content gives the proportions. Expected the long side, "
                    f"such as --size={max(self.width, self.height)}, or --content=none"
                )
            return content, self.long_side or max(content)
        if not (self.width or self.long_side):
            raise InputError(
                f"--size={self}: there is no content. Expected a side, or --size=512x384"
            )
        shape = (self.height, self.width) if self.width else (self.long_side, self.long_side)
        return shape, max(shape)


@dataclasses.dataclass(frozen=True)
class SizeType:
    """A `Size`, written as `512`, `512x384` or `original`; in Python also `(512, 384)`."""

    form: ClassVar[str] = f"N|{ORIGINAL}|WxH"

    def parse(self, name: str, value: Any) -> Size:
        if isinstance(value, Size):
            return value
        if value == ORIGINAL:
            return Size()
        if isinstance(value, str):
            sides = value.lower().split("x")
        else:
            sides = value if isinstance(value, (tuple, list)) else [value]
        if len(sides) == 2:
            width, height = (_SIDE.parse(name, side) for side in sides)
            return Size(width=width, height=height)
        try:
            return Size(_SIDE.parse(name, value))
        except InputError as error:
            if not isinstance(value, str) or value.strip().lstrip("+-").isdecimal():
                raise
            raise InputError(f"{error.flags}. The content's own size is --{name}={ORIGINAL}"
                             ) from None
