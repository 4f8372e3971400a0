"""A worker on a node of a Ray cluster. Neither TensorFlow nor Ray of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import shutil
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_style.cluster.engine import Hello, Kind
from tf_style.cluster.task import Work
from tf_style.cluster.worker import Speaker, work_off
from tf_style.image.paths import named
from tf_style.image.unfinished import none_unfinished
from tf_style.settings import InputError

# Seconds after which the one who listens is told that there is nothing to hear.
_SILENCE = 10.0

# A file as whoever has it sees it: path, size in bytes, time of its last change in nanoseconds.
File = tuple[str, int, int]


class Actor:
    """Does one task after another; is made an actor where Ray is at hand.

    Several threads call its methods: one listens all the time, one at a time gives tasks.

    Args:
        work: what it does, pickled.
    """

    def __init__(self, work: bytes):
        self._said: queue.SimpleQueue[tuple[Kind, Any]] = queue.SimpleQueue()
        self._data: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._speaker = Speaker(self._say)
        # What was sent here, and where it is kept, for as long as the next task needs it, too.
        self._kept: dict[File, Path] = {}
        self._folder: Path | None = None
        self._output: Path | None = None
        self._names: dict[str, str] = {}
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def hear(self) -> list[tuple[Kind, Any]]:
        """What it has to say, as soon as it has; after some seconds, that may be nothing."""
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._said.get(timeout=_SILENCE))
            while True:
                found.append(self._said.get_nowait())
        return found

    def see(self, files: Sequence[File], probe: str) -> tuple[list[bool], bool]:
        """Which files of the other side are here, and whether one can write where `probe` is.

        Args:
            probe: a file that was just put there; empty for no such place.
        """
        seen = [file in self._kept or _size(file[0]) == file[1] for file in files]
        return seen, bool(
            probe and os.path.exists(probe) and os.access(os.path.dirname(probe), os.W_OK))

    def give(
        self, data: Any, files: Mapping[str, File], sent: Sequence[str], output: str,
        place: str, *contents: bytes,
    ) -> None:
        """Have it do a task, for which it is idle.

        Args:
            files: name → the file.
            sent: names of those whose contents are given.
            output: the name of what is written; empty for nothing.
            place: the path of that; empty: it is brought home as bytes.
        """
        wanted = {file: self._kept[file] for file in files.values() if file in self._kept}
        for file, path in list(self._kept.items()):
            if file not in wanted:
                path.unlink(missing_ok=True)
        self._kept = wanted
        for name, content in zip(sent, contents, strict=True):
            file = files[name]
            # In a folder of its own it has its own name, whose ending says what it is.
            path = Path(tempfile.mkdtemp(dir=self._home())) / os.path.basename(file[0])
            path.write_bytes(content)
            self._kept[file] = path
        places = {name: os.fspath(self._kept.get(file, file[0])) for name, file in files.items()}
        self._output = None
        if output and not place:
            self._output = Path(tempfile.mkdtemp(dir=self._home()))
            place = os.fspath(self._output / os.path.basename(output))
        if output:
            places[output] = place
        self._names = {there: name for name, there in places.items()}
        self._data.put((data, places))

    def stop(self) -> None:
        """Ask it to leave its task early."""
        self._speaker.stopping = True

    def leave(self) -> None:
        """End its process."""
        with none_unfinished():
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(0)

    def _run(self, pickled: bytes) -> None:
        try:
            work: Work = pickle.loads(pickled)
            work.check()
        except InputError as error:
            self._unfit(error.flags)
        except Exception:
            self._unfit(traceback.format_exc().strip().splitlines()[-1])
        else:
            self._said.put((Kind.READY, Hello.of_this_process()))
            work_off(work, self._tasks(work), self._speaker)

    def _unfit(self, why: str) -> None:
        self._said.put((Kind.UNFIT, f"{Hello.of_this_process().name}: {why}"))

    def _tasks(self, work: Work) -> Iterator[Any]:
        while True:
            yield work.moved(*self._data.get())

    def _say(self, kind: Kind, value: Any) -> None:
        if kind is Kind.RESULT:
            value = value, self._brought()
        elif kind in (Kind.NOTE, Kind.FAULT, Kind.UNABLE):
            value = named(value, self._names)
        self._said.put((kind, value))

    def _brought(self) -> dict[str, bytes]:
        """What was written that has to be brought home, by name."""
        if self._output is None:
            return {}
        found = {path.name: path.read_bytes() for path in self._output.iterdir()
                 if path.is_file() and not path.name.startswith(".")}
        shutil.rmtree(self._output, ignore_errors=True)
        return found

    def _home(self) -> Path:
        """A folder of its own, made where it is first needed."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tf_style_"))
        return self._folder


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None
