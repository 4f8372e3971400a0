"""How a command ends: exit codes, and one line that says what stopped it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from tf_style.commands.command import Command
from tf_style.commands.flags import parse
from tf_style.settings import InputError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
# Control characters, line ends, changes of the writing direction, and bytes that are no text. Other
# characters that Python does not print, such as wide spaces, are part of many names.
_MOVING = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def guarded(command: Command, argv: Sequence[str] | None) -> int:
    """Run a command; turn what stops it into one line on stderr and an exit code."""
    program = command.program
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: say(f"{program}: {message}")
        try:
            line = parse(command, list(sys.argv[1:] if argv is None else argv))
            return DONE if command.answers(line) else command.run(line)
        except InputError as error:
            say(f"{program}: {error}")
            return BAD_INPUT
        except KeyboardInterrupt:
            say(f"{program}: stopped at once; no result was written")
            return INTERRUPTED
        except MemoryError:
            say(f"{program}: not enough memory; try a smaller --size")
            return FAILED
        except BrokenPipeError:
            # The reader of our output has gone. Python would complain again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED


def say(text: str) -> None:
    """Print one line on stderr."""
    print(printable(" ".join(text.split("\n"))), file=sys.stderr, flush=True)


def printable(text: object) -> str:
    """A name from a file, or anything else, without characters that would move the cursor."""
    return _MOVING.sub(lambda found: repr(found[0])[1:-1], str(text))


@contextlib.contextmanager
def interruptible() -> Iterator[list[int]]:
    """A list that Ctrl-C and SIGTERM fill; a second one interrupts at once."""
    received: list[int] = []

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def receive(number: int, frame: Any) -> None:
        received.append(number)
        restore()

    before = {each: signal.signal(each, receive) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        restore()


@contextlib.contextmanager
def tensorflow_quiet(verbose: bool) -> Iterator[None]:
    """Import TensorFlow in this context: its start-up messages stay off the screen."""
    if verbose:
        yield
        return
    from tf_style.image.decoding import native_messages_off

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Messages before its log starts obey no variable; C++ code writes them.
    with native_messages_off():
        yield
