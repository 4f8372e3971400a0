"""Signals that ask a command to stop. No imports that take time: one may come at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from tf_style.commands import status
from tf_style.image.unfinished import none_unfinished

INTERRUPTED = 130
STOPPED = "stopped at once; no result was written"
_GIVEN_UP = "stopped at once; what was not complete was given up"

# Windows has no SIGHUP; there, a console that is closed sends SIGBREAK.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_HANGUP = getattr(signal, "SIGHUP", None)
# Who closes a terminal or a session may send SIGHUP twice, or after SIGTERM: that is one wish.
_SECONDS = 1.0


def stopping() -> list[int]:
    """The signals that ask a command to stop, without those that the process was told to ignore."""
    found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [each for each in found if signal.getsignal(each) not in (signal.SIG_IGN, None)]


class Signals:
    """What happens when a command is asked to stop, from its first moment to its last.

    Before there is anything to keep, a signal ends the command at once. Then the first one is only
    remembered, so that the command can write what there is; a second one ends it at once. What is
    half written then is removed. After the command's end, signals are ignored.

    Args:
        program: which command.
        owns_process: whether the process ends with the command. If not, as in a test or a notebook,
            signals are only remembered; otherwise they do what they did before.

    Attributes:
        received: the signals that are remembered.
    """

    def __init__(self, program: str = "tf_style", *, owns_process: bool = False):
        self.received: list[int] = []
        self._program = program
        self._owns_process = owns_process
        self._keeps = False
        self._since = 0.0
        self._before: dict[int, Any] = {}
        # While TensorFlow is imported, what is written to stderr is not shown.
        self._stderr: int | None = None

    def __bool__(self) -> bool:
        """Whether the command is to stop."""
        return bool(self.received)

    def __enter__(self) -> Signals:
        if self._owns_process:
            with contextlib.suppress(OSError):
                self._stderr = os.dup(2)
            self._handle(self._heard_by_a_thread())
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._owns_process else handler)
        # One that has just been received is too late.
        self._before.clear()

    def keep(self) -> None:
        """From now on there is something to keep: remember the first signal."""
        self._keeps = True
        self._handle(self._receive)

    def _heard_by_a_thread(self) -> Callable[[int, Any], None]:
        """Have a thread receive the signals; returns what the main thread is to do with one.

        The main thread would hear of them only between two steps, which may take minutes.
        """
        if os.name == "nt":
            return self._receive
        try:
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            threading.Thread(target=self._listen, args=(reader,), daemon=True).start()
        except (OSError, RuntimeError, ValueError):
            return self._receive
        return lambda number, frame: None

    def _listen(self, reader: int) -> None:
        while number := os.read(reader, 1):
            if number[0] in self._before:
                self._receive(number[0])

    def _handle(self, receive: Callable[[int, Any], None]) -> None:
        # Python lets only the main thread do so.
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for number in stopping():
            self._before[number] = signal.getsignal(number)
            signal.signal(number, receive)

    def _receive(self, number: int, frame: Any = None) -> None:
        if not self._keeps:
            self._end(number)
        elif not self.received:
            self._since = time.monotonic()
            self.received.append(number)
            status.show("stopping")
        elif number != _HANGUP or time.monotonic() - self._since > _SECONDS:
            self.received.append(number)
            self._end(number)

    def _end(self, number: int) -> None:
        if not self._owns_process:
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
            return
        # An exception could be raised, and lost, in any library's callback.
        with none_unfinished():
            status.silence()
            what = _GIVEN_UP if self._keeps else STOPPED
            with contextlib.suppress(OSError, TypeError):
                os.write(self._stderr, f"{self._program}: {what}\n".encode())
            os._exit(INTERRUPTED)
