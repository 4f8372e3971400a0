"""The status line: what a command is doing now, on stderr, until there is something else to say.

On a terminal it is one line, drawn by a thread several times a second, because Python's main thread
may not come back from TensorFlow for long. Elsewhere it is a plain line for each activity that
lasts. No imports that take time: the first seconds of a command are those that need it most.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Iterator
from typing import Protocol

# The terminal belongs to the whole process, and so does what is shown at its bottom.
_LOCK = threading.RLock()
_SHOWN: list[Status] = []

# Seconds until a terminal shows something, and until a plain line tells of an activity; from one
# drawing to the next; from one plain line of an activity to the next.
SOON, LASTING, TICK, EVERY = 0.5, 1.0, 0.25, 5.0


@dataclasses.dataclass(frozen=True)
class View:
    """What the status line says.

    Attributes:
        text: what is done now, in a few words.
        share: how much of it is done, 0 to 1; `None` if that is not known.
        ends: when it will be done, by `time.monotonic()`; `None` if that is not known.
        details: what else there is to say, the most important first: shown as far as it fits.
        since: when it began.
    """

    text: str
    share: float | None = None
    ends: float | None = None
    details: tuple[str, ...] = ()
    since: float = dataclasses.field(default_factory=time.monotonic)


class Painter(Protocol):
    """Makes a line of a view that is no wider than `width`, and says how wide it is."""

    def __call__(self, view: View, width: int, now: float) -> tuple[str, int]: ...


class Status:
    """The status line of a command, from its first moment to its last.

    Args:
        program: which command.
        quiet: whether it shows nothing.
    """

    def __init__(self, program: str = "tf_style", *, quiet: bool = False):
        self._program = program
        self._quiet = quiet
        self._terminal: int | None = None
        self._paint: Painter | None = None
        self._view: View | None = None
        self._width = 0
        self._began = time.monotonic()
        self._told: tuple[str, float] = ("", 0.0)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Status:
        with contextlib.suppress(OSError):
            # While TensorFlow is imported, what is written to stderr is not shown.
            self._terminal = None if self._quiet else os.dup(2)
        if self._terminal is not None:
            if is_terminal(self._terminal):
                from tf_style.commands.drawing import painter

                self._paint = painter(self._terminal)
                # A log has lines of what lasts alone: bad input is to be one line.
                self.show(View("starting"))
            with _LOCK:
                _SHOWN.append(self)
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            return
        self.stop()
        self._thread.join()
        with _LOCK:
            self.erase()
            _SHOWN.remove(self)
            os.close(self._terminal)

    def show(self, view: View | None) -> None:
        """Show this from now on, in place of what was shown before; `None` shows nothing."""
        # A reference is replaced at once: no thread has to wait for one that draws.
        self._view = view

    def stop(self) -> None:
        """Draw no more."""
        self._ended.set()

    def erase(self) -> None:
        """Remove the line from the terminal until it is drawn again."""
        if self._width:
            # All of it: behind what is drawn, a terminal shows the keys that were pressed.
            self._write("\r" + " " * (columns(self._terminal) - 1) + "\r")
            self._width = 0

    def _tick(self) -> None:
        while not self._ended.wait(TICK):
            with _LOCK:
                if self._ended.is_set():
                    return
                view, now = self._view, time.monotonic()
                if view is None:
                    self.erase()
                elif self._paint is None:
                    self._tell(view, now)
                elif now - self._began >= SOON:
                    self._draw(view, now)

    def _draw(self, view: View, now: float) -> None:
        # The last column is left free: behind it, some terminals begin a new line.
        line, width = self._paint(view, columns(self._terminal) - 1, now)
        self._write("\r" + line + " " * (self._width - width) + "\b" * (self._width - width))
        self._width = width

    def _tell(self, view: View, now: float) -> None:
        """Say in a plain line what lasts, and from time to time how far it is."""
        from tf_style.commands.drawing import sentence

        text, when = self._told
        if now - view.since < LASTING or (text == view.text and (
            view.share is None or now - when < EVERY
        )):
            return
        self._told = view.text, now
        self._write(f"{self._program}: {sentence(view, now)}\n")

    def _write(self, text: str) -> None:
        try:
            os.write(self._terminal, text.encode())
        except OSError:
            # Nobody can see it any more.
            self._ended.set()


def show(text: str, share: float | None = None, **given: object) -> None:
    """Say what the command is doing from now on, if a status line is shown.

    Args:
        text: in a few words.
        share: how much of it is done.
        given: further fields of a `View`.
    """
    if not _SHOWN:
        return
    before = _SHOWN[-1]._view
    if before and before.text == text and "since" not in given:
        given["since"] = before.since
    _SHOWN[-1].show(View(text, share, **given))


def hide() -> None:
    """Show nothing until `show` is called again."""
    if _SHOWN:
        _SHOWN[-1].show(None)


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Something else can be written to the terminal in this context."""
    with _LOCK:
        if _SHOWN:
            _SHOWN[-1].erase()
        yield


def stop() -> None:
    """Show nothing any more."""
    if _SHOWN:
        with hidden():
            _SHOWN[-1].stop()


def silence() -> None:
    """Show nothing any more, as the process is about to end: for a handler of signals."""
    # Whoever holds the lock may wait for a terminal that was stopped. It is never given back.
    if _LOCK.acquire(timeout=0.5) and _SHOWN:
        _SHOWN[-1].erase()


def is_terminal(number: int) -> bool:
    """Whether this is a terminal on which a line can be drawn again."""
    try:
        return os.isatty(number) and os.environ.get("TERM") not in ("dumb", "unknown")
    except OSError:
        return False


def columns(number: int) -> int:
    """The width of a terminal."""
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(number).columns or 80
    # It has just gone, or is closed.
    return 80
