"""Which pictures of a library are asked for. No TensorFlow."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
from pathlib import Path

from tf_style.library.catalogue import Record
from tf_style.library.palette import colors_of, has_colors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filter:
    """What pictures must be like; without anything, all are.

    Attributes:
        folder: where they are, at any depth.
        palette: colours that each cover a seventh of them: names, or `#rrggbb`, between commas.
        name: part of their file's name, or a pattern such as `*wave*`; upper case or lower.
        min_size: the least long side, in pixels.

    Raises:
        InputError: for a colour that is not known.
    """

    folder: str | os.PathLike | None = None
    palette: str | None = None
    name: str | None = None
    min_size: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "_colors", colors_of(self.palette) if self.palette else [])

    def passes(self, record: Record) -> bool:
        """Whether a picture is asked for."""
        return (
            max(record.height, record.width) >= self.min_size
            and any(self._is_there(path) for path in record.paths)
            and (not self._colors or has_colors(record.palette, self._colors))
        )

    def _is_there(self, path: str) -> bool:
        if self.folder and Path(os.path.abspath(self.folder)) not in Path(path).parents:
            return False
        if not self.name:
            return True
        name, wanted = os.path.basename(path).casefold(), self.name.casefold()
        return wanted in name or fnmatch.fnmatchcase(name, wanted)
