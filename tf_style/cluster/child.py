"""A process beside this one, with which messages are exchanged through pipes. No TensorFlow."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

# In place of the program's own folder, or the current one, in which a file may have any name.
_PROGRAM = "import sys; sys.path[:] = {paths!r}; from {module} import main; main()"
# What asks a command to stop.
_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Child:
    """A process of this program. When its pipe is closed, or this process ends, it is to end, too.

    Args:
        module: whose `main` it runs, which begins with `parent()`.
        hear: called by a thread with each message that comes from it.
        ended: called by that thread at last, with its exit code.
        environment: variables that it has besides those of this process.
        verbose: whether what libraries print in it is shown.
    """

    def __init__(
        self, module: str, hear: Callable[[Any], object], ended: Callable[[int], object], *,
        environment: Mapping[str, str], verbose: bool = False,
    ):
        # Apart from the terminal: Ctrl-C is for this process, which asks others to stop.
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt"
            else {"start_new_session": True}
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(paths=import_paths(), module=module)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=None if verbose else subprocess.DEVNULL, bufsize=0,
            env={**os.environ, **environment}, **apart,
        )
        self.number = self._process.pid
        threading.Thread(target=self._listen, args=(hear, ended), daemon=True).start()

    def send(self, message: bytes) -> None:
        """Send it a pickled message. One that is no more is told by `ended`."""
        with contextlib.suppress(OSError, ValueError):
            _write(self._process.stdin, message)

    def end(self) -> None:
        """Close the pipe by which it hears."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for its end so long, then bring it about."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self, hear: Callable[[Any], object], ended: Callable[[int], object]) -> None:
        reader = os.fdopen(self._process.stdout.fileno(), "rb", closefd=False)
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                hear(pickle.load(reader))
        ended(self._process.wait())


def parent() -> tuple[BinaryIO, Callable[[Any], None]]:
    """In a child: what its messages are loaded from, and a function that sends one back.

    Signals that ask a command to stop are for the parent, and what libraries print is no message.
    """
    for name in _STOPPING:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    lock = threading.Lock()

    def say(message: Any) -> None:
        pickled = pickle.dumps(message)
        with lock, contextlib.suppress(OSError):
            _write(writer, pickled)

    return reader, say


def import_paths() -> list[str]:
    """Where this process imports from, whatever folder it is in."""
    return [path or os.getcwd() for path in sys.path]


def _write(file: Any, message: bytes) -> None:
    """Write all of it: a pipe takes as much at once as it likes."""
    view = memoryview(message)
    while view:
        view = view[file.write(view):]
