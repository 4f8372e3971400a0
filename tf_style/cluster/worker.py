"""A worker: does one task after another, in a process of its own. No TensorFlow of its own."""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tf_style.cluster.child import parent
from tf_style.cluster.engine import Hello, Kind
from tf_style.cluster.task import Work
from tf_style.image.unfinished import none_unfinished
from tf_style.settings import InputError

# Seconds between two words about how far a task is.
_EVERY = 0.5
# What a worker process is asked for: to do a task, whose data follow, or to leave it early.
DO, STOP = "do", "stop"


class Speaker:
    """What a work can say, and be told, in the middle of a task.

    Args:
        say: called with the kind of message and its value.

    Attributes:
        say: the same.
        stopping: whether the task at hand is to end early.
    """

    def __init__(self, say: Callable[[Kind, Any], object]):
        self.stopping = False
        self.say = say
        self._next = 0.0

    def share(self, done: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self.say(Kind.SHARE, done)

    def note(self, text: str) -> None:
        self.say(Kind.NOTE, text)

    def fault(self, text: str) -> None:
        self.say(Kind.FAULT, text)


def work_off(work: Work, data: Iterator[Any], speaker: Speaker) -> None:
    """Do all tasks, and say what comes of each; whatever goes wrong is said, too."""
    say = speaker.say
    try:
        for result in work.results(data, speaker):
            say(Kind.RESULT, result)
        say(Kind.LEFT, None)
    except InputError as error:
        say(Kind.UNABLE, error.flags)
    except MemoryError:
        say(Kind.UNABLE, f"{Hello.of_this_process().name}: not enough memory. Try a smaller "
                         "--size, or fewer --workers")
    except Exception:
        say(Kind.BROKEN, traceback.format_exc())


def main() -> None:
    """The program of a worker process."""
    reader, send = parent()

    def say(kind: Kind, value: Any) -> None:
        send((kind, value))

    speaker = Speaker(say)
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    try:
        work: Work = pickle.load(reader)
    except Exception:
        say(Kind.BROKEN, traceback.format_exc())
        return
    threading.Thread(target=_listen, args=(reader, waiting, speaker), daemon=True).start()
    say(Kind.READY, Hello.of_this_process())
    work_off(work, _each(waiting), speaker)
    with none_unfinished():
        sys.stderr.flush()
        os._exit(0)


def _listen(reader: Any, waiting: queue.SimpleQueue, speaker: Speaker) -> None:
    """Hear what comes while a task is done. Nobody is left to do it for when there is no more."""
    while True:
        try:
            order, data = pickle.load(reader)
        except (EOFError, OSError, pickle.UnpicklingError):
            with none_unfinished():
                os._exit(1)
        if order == STOP:
            speaker.stopping = True
        else:
            waiting.put(data)


def _each(waiting: queue.SimpleQueue) -> Iterator[Any]:
    while True:
        yield waiting.get()
