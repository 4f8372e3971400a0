"""The sheets of `tf_style_library`: what was found, or a photograph in each style."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tf_style.commands import status
from tf_style.commands.display import mention, printable, say
from tf_style.commands.engines import share_of
from tf_style.commands.exits import tensorflow_quiet
from tf_style.commands.outputs import writing
from tf_style.commands.preview_work import NEEDED, painted_by_workers
from tf_style.image.numbers import eight_bit
from tf_style.image.picture import read_picture, write_picture
from tf_style.image.resize import shrink
from tf_style.library.entry import THUMBNAIL
from tf_style.settings import InputError
from tf_style.show.sheet import Cell, contact_sheet

if TYPE_CHECKING:
    from tf_style.commands.library import LibraryOptions
    from tf_style.commands.signals import Signals
    from tf_style.library.library import Library, Match, Suggestion
    from tf_style.library.previews import Preview

# With the photograph, two dozen previews fill five rows.
_ABREAST = 5


def write_thumbnails(
    options: LibraryOptions, shelf: Library, rows: Iterable[Sequence[Match]]
) -> None:
    """Write a sheet of pictures of the library, in rows of any length."""
    status.show("drawing")
    _write(options, [[_thumbnail(shelf, match) for match in row] for row in rows])


def painted_previews(
    options: LibraryOptions, found: Sequence[Suggestion], made_by: Mapping[str, Any],
    signals: Signals,
) -> list[Preview | None]:
    """The photograph in each of these styles, in small; what is bad or stopped is `None`.

    Args:
        made_by: what described the pictures of the library.
    """
    photograph, paths = options.pictures[0], [match.path for match in found]
    each = share_of(options, options.threads, len(found), lambda: NEEDED)
    if each:
        painted = painted_by_workers(options, photograph, paths, made_by, each, signals)
    else:
        painted = _painted_here(options, photograph, paths, made_by, signals)
    made: list[Preview | None] = []
    for preview in painted:
        if isinstance(preview, InputError):
            say(f"tf_style_library: {printable(preview.flags)}")
        made.append(None if isinstance(preview, InputError) else preview)
    status.hide()
    return [*made, *[None] * (len(found) - len(made))]


def write_previews(
    options: LibraryOptions, found: Sequence[Suggestion], previews: Sequence[Preview | None]
) -> None:
    """Write a sheet of the photograph in each of these styles, those that there are."""
    cells = [
        Cell(eight_bit(preview.picture), f"{number}. {_name(match.path)} {match.score:.2f}")
        for number, (match, preview) in enumerate(zip(found, previews, strict=True), start=1)
        if preview
    ]
    if cells:
        name = options.pictures[0]
        cells.insert(0, Cell(eight_bit(shrink(read_picture(name), THUMBNAIL)), _name(name)))
        _write(options, [cells[start : start + _ABREAST]
                         for start in range(0, len(cells), _ABREAST)])


def _painted_here(
    options: LibraryOptions, photograph: str, styles: Sequence[str], made_by: Mapping[str, Any],
    signals: Signals,
) -> Iterator[Preview | InputError]:
    with tensorflow_quiet(options.verbose):
        from tf_style.library.previews import judge_of, previews

    signals.keep()
    status.show("painting previews", 0, details=(f"0/{len(styles)}",))
    painted = previews(photograph, styles, lambda: bool(signals), options.threads,
                       judge_of(made_by))
    for number, preview in enumerate(painted, start=1):
        status.show("painting previews", number / len(styles),
                    details=(f"{number}/{len(styles)}",))
        yield preview


def _write(options: LibraryOptions, rows: Sequence[Sequence[Cell]]) -> None:
    widest = max(map(len, rows))
    filled = [[*row, *[Cell(None)] * (widest - len(row))] for row in rows]
    with writing():
        write_picture(options.sheet, contact_sheet(filled), None)
    status.hide()
    if not options.quiet and not options.json:
        mention(printable(options.sheet))


def _thumbnail(shelf: Library, match: Match) -> Cell:
    picture = Image.open(io.BytesIO(shelf.thumbnail(match.record))).convert("RGB")
    far = "" if match.distance is None else f" {match.distance:.2f}"
    return Cell(np.asarray(picture), _name(match.path) + far)


def _name(path: str) -> str:
    return printable(os.path.basename(path))
