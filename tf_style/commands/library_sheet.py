"""The sheets of `tf_style_library`: what was found, or a photograph in each style."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tf_style.commands import status
from tf_style.commands.display import mention, printable, say
from tf_style.commands.engines import share_of
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, tensorflow_quiet
from tf_style.commands.outputs import writing
from tf_style.commands.preview_work import NEEDED, painted_by_workers
from tf_style.image.picture import read_picture, write_picture
from tf_style.image.resize import shrink
from tf_style.library.entry import THUMBNAIL
from tf_style.settings import InputError
from tf_style.show.sheet import Cell, contact_sheet

if TYPE_CHECKING:
    from tf_style.commands.library import LibraryOptions
    from tf_style.commands.signals import Signals
    from tf_style.library.library import Library, Match, Suggestion

# With the photograph, two dozen previews fill five rows.
_ABREAST = 5


def write_thumbnails(
    options: LibraryOptions, shelf: Library, rows: Iterable[Sequence[Match]]
) -> None:
    """Write a sheet of pictures of the library, in rows of any length."""
    status.show("drawing")
    _write(options, [[_thumbnail(shelf, match) for match in row] for row in rows])


def write_previews(
    options: LibraryOptions, found: Sequence[Suggestion], signals: Signals
) -> int:
    """Write a sheet of the photograph in each of these styles; returns the exit code.

    If it is stopped, those are on it that were painted.
    """
    name = options.pictures[0]
    photograph = read_picture(name)
    cells, failed = [], 0
    each = share_of(options, options.threads, len(found), lambda: NEEDED)
    if each:
        painted = painted_by_workers(options, name, [match.path for match in found], each, signals)
    else:
        painted = _painted_here(options, photograph, [match.path for match in found], signals)
    for number, (match, picture) in enumerate(zip(found, painted, strict=False), start=1):
        if isinstance(picture, InputError):
            say(f"tf_style_library: {printable(picture.flags)}")
            failed += 1
        else:
            cells.append(Cell(_bytes(picture), f"{number}. {_name(match.path)} {match.score:.2f}"))
    made = len(cells)
    if made:
        cells.insert(0, Cell(_bytes(shrink(photograph, THUMBNAIL)), _name(name)))
        _write(options, [cells[start : start + _ABREAST]
                         for start in range(0, len(cells), _ABREAST)])
    if made < len(found):
        say(f"tf_style_library: {'stopped; ' * bool(signals)}{made} of {len(found)} previews are "
            "on the sheet" if made else "tf_style_library: no preview was painted; no sheet was "
            "written")
    return INTERRUPTED if signals else FAILED if failed else DONE


def _painted_here(
    options: LibraryOptions, photograph: np.ndarray, styles: Sequence[str], signals: Signals
) -> Iterator[np.ndarray | InputError]:
    with tensorflow_quiet(options.verbose):
        from tf_style.library.previews import previews

    signals.keep()
    status.show("painting previews", 0, details=(f"0/{len(styles)}",))
    painted = previews(photograph, styles, lambda: bool(signals), options.threads)
    for number, picture in enumerate(painted, start=1):
        status.show("painting previews", number / len(styles),
                    details=(f"{number}/{len(styles)}",))
        yield picture


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


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(255 * picture).astype(np.uint8)
