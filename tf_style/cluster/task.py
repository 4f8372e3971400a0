"""Tasks: what is to be done, as plain data, and what came of it. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol


@dataclasses.dataclass(frozen=True)
class Task:
    """Something that a worker does by itself.

    Attributes:
        key: a digest of what decides its result.
        title: what it is, in a few words.
        data: plain data, which says all of it to a worker that knows the work.
        files: those that it reads, by their names in `data`.
        output: the file that it writes; `None` for none.
    """

    key: str
    title: str
    data: Any
    files: tuple[str, ...] = ()
    output: Path | None = None


@dataclasses.dataclass(frozen=True)
class Unwritten:
    """Files that a worker made elsewhere and that cannot be written where they belong.

    Attributes:
        names: theirs, without folders.
        why: a text that names the first of them, or what the task is to write.
        folder: for temporary files, where they are instead; `None`: nowhere.
    """

    names: tuple[str, ...]
    why: str
    folder: Path | None = None

    def __str__(self) -> str:
        return self.why + (f"; what came is in {self.folder}" if self.folder else "")

    def place(self, name: str) -> Path | None:
        """Where a file is instead; `None` for one that is nowhere."""
        return self.folder / name if self.folder and name in self.names else None


@dataclasses.dataclass(frozen=True)
class Done:
    """What came of a task.

    Attributes:
        task: the task.
        value: what the work made of it, plain data; `None` where it was lost.
        worker: who did it, in words.
        lost: why nobody could do it, where each who tried ended; otherwise empty.
        unwritten: files that were brought from elsewhere and cannot be written; `None` for none.
    """

    task: Task
    value: Any = None
    worker: str = ""
    lost: str = ""
    unwritten: Unwritten | None = None


class Talk(Protocol):
    """What a work can say, and be told, in the middle of a task."""

    def share(self, done: float) -> None:
        """Say how much of the task at hand is done, 0 to 1."""

    def note(self, text: str) -> None:
        """Say something that the user should know."""

    def fault(self, text: str) -> None:
        """Say what went wrong: also to those who asked for errors alone."""

    @property
    def stopping(self) -> bool:
        """Whether the task at hand is to end early."""


class Work(Protocol):
    """A kind of task, and how it is done. Plain data itself: each worker gets it once."""

    def results(self, data: Iterator[Any], talk: Talk) -> Iterator[Any]:
        """The result of each task, from its data: plain data, in the same order.

        What is worth keeping from one task to the next, networks and compiled steps, is kept here.
        `data` waits for the next task. The results may end early, where `talk` says so.

        Raises:
            InputError: for what would be wrong with each task alike.
        """

    def check(self) -> None:
        """Check, in a moment, that this machine has what each task needs.

        Raises:
            InputError: if not.
        """

    def moved(self, data: Any, places: Mapping[str, str]) -> Any:
        """The same task with its files in other places: name → where it is read or written.

        What is recorded and said of them keeps to their names.
        """
