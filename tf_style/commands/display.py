"""What a command shows: on stderr what may be lost, on stdout what it was called for."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TextIO

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


def say(text: str) -> None:
    """Print one line on stderr."""
    draw(printable(" ".join(text.split("\n"))) + "\n")


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


def columns() -> int:
    """The width of the terminal that stderr is; 0 if it is none."""
    try:
        if not sys.stderr.isatty():
            return 0
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        # It has just gone, or is closed.
        return 80


def _write(stream: TextIO, text: str) -> None:
    try:
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
