"""Workers that are processes of this machine. No TensorFlow."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from tf_style.cluster import worker as worker_program
from tf_style.cluster.engine import Kind, Message
from tf_style.cluster.task import Task, Work

# In place of the program's own folder, or the current one, in which a file may have any name.
_PROGRAM = ("import sys; sys.path[:] = {paths!r}; from tf_style.cluster.worker import main; "
            "main()")
# Seconds that processes have for their end.
_GRACE = 5.0


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
        # The first would take all memory of a GPU that they share.
        self._environment = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", **os.environ}
        self._verbose = verbose
        self._heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._running: dict[str, subprocess.Popen] = {}
        self._dismissed: list[subprocess.Popen] = []

    def room(self) -> int:
        return self._count - len(self._running)

    def start(self) -> str:
        # Apart from the terminal: Ctrl-C is for this process, which asks its workers to stop.
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt"
            else {"start_new_session": True}
        )
        paths = [path or os.getcwd() for path in sys.path]
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(paths=paths)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=None if self._verbose else subprocess.DEVNULL,
            env=self._environment, bufsize=0, **apart,
        )
        name = str(process.pid)
        self._running[name] = process
        threading.Thread(target=self._listen, args=(name, process), daemon=True).start()
        self._send(name, self._work)
        return name

    def give(self, worker: str, task: Task) -> None:
        self._send(worker, pickle.dumps(task.data))

    def stop(self, worker: str) -> None:
        self._send(worker, pickle.dumps(worker_program.STOP))

    def dismiss(self, worker: str) -> None:
        if process := self._running.pop(worker, None):
            # Its end of the pipe tells it, and it removes what is half written.
            with contextlib.suppress(OSError):
                process.stdin.close()
            self._dismissed.append(process)

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
        for process in self._dismissed:
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        self._dismissed.clear()

    def _send(self, worker: str, message: bytes) -> None:
        # One that is no more is reported by the thread that listens to it.
        with contextlib.suppress(OSError, ValueError, KeyError):
            worker_program._write(self._running[worker].stdin, message)

    def _listen(self, name: str, process: subprocess.Popen) -> None:
        reader = os.fdopen(process.stdout.fileno(), "rb", closefd=False)
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self._heard.put(Message(name, *pickle.load(reader)))
        self._heard.put(Message(name, Kind.LOST, _why(process.wait())))


def _why(code: int) -> str:
    """Why a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        often = ", as the system does where memory is short" if code == -9 else ""
        return f"was ended by {signal.Signals(-code).name}{often}"
    return f"was ended by signal {-code}"
