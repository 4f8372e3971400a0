"""Workers that are processes of this machine. No TensorFlow."""

from __future__ import annotations

import contextlib
import pickle
import queue
import signal
import time
from typing import Any

from tf_style.cluster.child import Child
from tf_style.cluster.engine import Kind, Message
from tf_style.cluster.task import Task, Work
from tf_style.cluster.worker import DO, STOP

# Seconds that processes have for their end.
_GRACE = 5.0
# The first would take all memory of a GPU that they share.
_ENVIRONMENT = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}


class Processes:
    """An engine whose workers are processes that end with this one, however it ends.

    Args:
        work: what they do.
        count: how many there are at most.
        verbose: whether what libraries print in them is shown.
    """

    def __init__(self, work: Work, count: int, *, verbose: bool = False):
        self._work = pickle.dumps(work)
        self._count = count
        self._verbose = verbose
        self._heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._running: dict[str, Child] = {}
        self._dismissed: list[Child] = []
        self._started = 0

    def room(self) -> int:
        return self._count - len(self._running)

    def start(self) -> str:
        self._started += 1
        name = f"process {self._started}"

        def hear(said: tuple[Kind, Any]) -> None:
            self._heard.put(Message(name, *said))

        def ended(code: int) -> None:
            self._heard.put(Message(name, Kind.LOST, _why(code)))

        self._running[name] = Child("tf_style.cluster.worker", hear, ended,
                                    environment=_ENVIRONMENT, verbose=self._verbose)
        self._running[name].send(self._work)
        return name

    def give(self, worker: str, task: Task) -> None:
        self._send(worker, DO, task.data)

    def stop(self, worker: str) -> None:
        self._send(worker, STOP, None)

    def dismiss(self, worker: str) -> None:
        if child := self._running.pop(worker, None):
            # It removes what is half written.
            child.end()
            self._dismissed.append(child)

    def hear(self, seconds: float) -> list[Message]:
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._heard.get(timeout=seconds))
            while True:
                found.append(self._heard.get_nowait())
        for message in found:
            if message.kind is Kind.LOST:
                self._running.pop(message.worker, None)
        return found

    def close(self) -> None:
        for name in list(self._running):
            self.dismiss(name)
        ends = time.monotonic() + _GRACE
        for child in self._dismissed:
            child.wait(ends - time.monotonic())
        self._dismissed.clear()

    def _send(self, worker: str, order: str, data: Any) -> None:
        if child := self._running.get(worker):
            child.send(pickle.dumps((order, data)))


def _why(code: int) -> str:
    """Why a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        often = ", as the system does where memory is short" if code == -9 else ""
        return f"was ended by {signal.Signals(-code).name}{often}"
    return f"was ended by signal {-code}"
