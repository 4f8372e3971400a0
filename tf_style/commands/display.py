"""What a command shows: on stderr what may be lost, on stdout what it was called for."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import textwrap
from typing import TextIO

from tf_style.commands import status
from tf_style.commands.outputs import OutputError

# Control characters, line ends, changes of the writing direction, and bytes that are no text. Other
# characters that Python does not print, such as wide spaces, are part of many names.
_MOVING = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


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


def folded(line: str, width: int) -> str:
    """A line, broken between words if it is wider than `width`; 0 for any width."""
    if not width or len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(line, max(width, 20), subsequent_indent=indent + "  ",
                         break_long_words=False, break_on_hyphens=False)


def printable(text: object) -> str:
    """A name from a file, or anything else, without characters that would move the cursor."""
    return _MOVING.sub(lambda found: repr(found[0])[1:-1], str(text))


def draw(text: str) -> None:
    """Write text on stderr as it is, unless nobody can see it any more."""
    with contextlib.suppress(OSError, ValueError):
        _write(sys.stderr, text)


def mention(text: str) -> None:
    """Print one line on stdout, unless nobody reads it any more."""
    with contextlib.suppress(OSError, ValueError):
        _write(sys.stdout, text + "\n")


def answer(text: str) -> None:
    """Print on stdout what the command was called for.

    Raises:
        OutputError: if that is no longer possible.
    """
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
