"""Which pictures of a library are asked for. No TensorFlow."""

from __future__ import annotations

import dataclasses
import fnmatch
import os

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
        folder = os.path.join(os.path.abspath(self.folder), "") if self.folder else ""
        object.__setattr__(self, "_folder", os.path.normcase(folder))

    def passed(self, record: Record) -> Record | None:
        """A picture with those of its files that are asked for; `None` if it is not."""
        if max(record.height, record.width) < self.min_size:
            return None
        if self._folder or self.name:
            paths = tuple(filter(self._takes, record.paths))
            if not paths:
                return None
            # Most have one file, and there may be 100 000.
            if paths != record.paths:
                record = dataclasses.replace(record, paths=paths)
        return None if self._colors and not has_colors(record.palette, self._colors) else record

    def _takes(self, path: str) -> bool:
        if not os.path.normcase(path).startswith(self._folder):
            return False
        if not self.name:
            return True
        name, wanted = os.path.basename(path).casefold(), self.name.casefold()
        return wanted in name or fnmatch.fnmatchcase(name, wanted)
