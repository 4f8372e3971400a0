"""What a command shows: on stderr what may be lost, on stdout what it was called for."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from tf_style.commands import status
from tf_style.commands.outputs import OutputError

# Control characters, line ends, changes of the writing direction, and bytes that are no text. Other
# characters that Python does not print, such as wide spaces, are part of many names.
_MOVING = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

# Columns that text beneath itself needs.
_ROOM = 12


def open_streams() -> None:
    """See to it that stdout and stderr exist, and can show any name."""
    # Python has none where they were closed. What cannot be written should be noticed.
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str, *, whole: bool = False) -> None:
    """Print one line on stderr; on a terminal that is narrower, several that end between words.

    Args:
        whole: whether it stays one line all the same, as what is to be copied.
    """
    line = printable(" ".join(text.split("\n")))
    draw((line if whole else folded(line, columns())) + "\n")


def folded(line: str, width: int, column: int | None = None) -> str:
    """A line, broken between words if it is wider than `width`; 0 for any width.

    Args:
        column: where it goes on, if there is room; by default two behind where it begins.
    """
    if not width or len(line) <= width:
        return line
    if column is None or width - column < _ROOM:
        column = len(line) - len(line.lstrip()) + 2
    return textwrap.fill(line, max(width, 20), subsequent_indent=" " * column,
                         break_long_words=False, break_on_hyphens=False)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are as narrow as their cells, for a terminal that is narrow.

    Args:
        rows: cells, the same number in each; the first are heads, of which each word has a line.
    """
    heads = itertools.zip_longest(*(head.split() for head in rows[0]), fillvalue="")
    rows = [*heads, *rows[1:]]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(first), *map(str.rjust, row[1:], others)]).rstrip()
            for row in rows]


def printable(text: object) -> str:
    """A name from a file, or anything else, without characters that would move the cursor."""
    return _MOVING.sub(lambda found: repr(found[0])[1:-1], str(text))


def draw(text: str) -> None:
    """Write text on stderr as it is, unless nobody can see it any more."""
    with contextlib.suppress(OSError, ValueError):
        _write(sys.stderr, text)


def mention(text: str, *, whole: bool = True) -> None:
    """Print one line on stdout, unless nobody reads it any more.

    Args:
        whole: as for `answer`; most are names of files.
    """
    with contextlib.suppress(OSError, ValueError):
        _write(sys.stdout, (text if whole else folded(text, columns(sys.stdout))) + "\n")


def answer(text: str, *, whole: bool = False, column: int | None = None) -> None:
    """Print on stdout what the command was called for; on a terminal, lines end between words.

    Args:
        whole: whether lines stay as they are all the same, as what is to be copied.
        column: where lines go on that are wider than the terminal, as for `folded`.

    Raises:
        OutputError: if that is no longer possible.
    """
    if not whole:
        width = columns(sys.stdout)
        text = "\n".join(folded(line, width, column) for line in text.split("\n"))
    try:
        _write(sys.stdout, text + "\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"the answer cannot be written to stdout ({reason})") from None


def columns(stream: TextIO | None = None) -> int:
    """The width of the terminal that a stream, by default stderr, is; 0 if it is none."""
    try:
        number = (stream or sys.stderr).fileno()
        return status.columns(number) if status.is_terminal(number) else 0
    except (OSError, ValueError):
        return 0


def _write(stream: TextIO, text: str) -> None:
    try:
        with status.hidden():
            stream.write(text)
            stream.flush()
    except (OSError, ValueError):
        # What is buffered would fail again with each line, and when Python exits.
        with contextlib.suppress(OSError, ValueError):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, stream.fileno())
            os.close(sink)
            stream.flush()
        raise
