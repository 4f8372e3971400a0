"""A worker: does one task after another, in a process of its own. No TensorFlow of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tf_style.cluster.engine import Hello, Kind
from tf_style.cluster.task import Work
from tf_style.image.unfinished import none_unfinished
from tf_style.settings import InputError

# Seconds between two words about how far a task is.
_EVERY = 0.5
# In place of a task.
STOP, END = "stop", "end"


class Speaker:
    """What a work can say, and be told, in the middle of a task.

    Args:
        say: called with the kind of message and its value.
    """

    def __init__(self, say: Callable[[Kind, Any], object]):
        self.stopping = False
        self._say = say
        self._next = 0.0

    def share(self, done: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._say(Kind.SHARE, done)

    def note(self, text: str) -> None:
        self._say(Kind.NOTE, text)


def work_off(work: Work, data: Iterator[Any], speaker: Speaker) -> None:
    """Do all tasks, and say what comes of each; whatever goes wrong is said, too."""
    say = speaker._say
    try:
        for result in work.results(data, speaker):
            say(Kind.RESULT, result)
        say(Kind.LEFT, None)
    except InputError as error:
        say(Kind.UNABLE, error.flags)
    except Exception:
        say(Kind.BROKEN, traceback.format_exc())


def main() -> None:
    """The program of a worker process: messages come by its stdin and leave by its stdout."""
    # What asks a command to stop is for the process that has the workers, which asks them.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Native code may print: that belongs to nobody's messages.
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    lock = threading.Lock()

    def say(kind: Kind, value: Any) -> None:
        message = pickle.dumps((kind, value))
        with lock, contextlib.suppress(OSError):
            _write(writer, message)

    speaker = Speaker(say)
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    try:
        work: Work = pickle.load(reader)
    except Exception:
        say(Kind.BROKEN, traceback.format_exc())
        return
    threading.Thread(target=_listen, args=(reader, waiting, speaker), daemon=True).start()
    say(Kind.READY, Hello.of_this_process())
    work_off(work, iter(waiting.get, END), speaker)
    with none_unfinished():
        sys.stderr.flush()
        os._exit(0)


def _listen(reader: Any, waiting: queue.SimpleQueue, speaker: Speaker) -> None:
    """Hear what comes while a task is done. Nobody is left to do it for when there is no more."""
    while True:
        try:
            message = pickle.load(reader)
        except (EOFError, OSError, pickle.UnpicklingError):
            with none_unfinished():
                os._exit(1)
        if message == STOP:
            speaker.stopping = True
        else:
            waiting.put(message)


def _write(file: Any, message: bytes) -> None:
    """Write all of it: a pipe takes as much at once as it likes."""
    view = memoryview(message)
    while view:
        view = view[file.write(view):]


if __name__ == "__main__":
    main()
