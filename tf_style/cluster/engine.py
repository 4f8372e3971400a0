"""Engines: what has workers that do tasks. No TensorFlow."""

from __future__ import annotations

import dataclasses
import enum
import importlib.metadata
import os
import platform
import socket
from typing import Any, Protocol

import tf_style
from tf_style.cluster.task import Task, Unwritten

# What has to be the same everywhere, as pixels depend on it and messages have its form.
_PACKAGES = ("tensorflow", "keras", "numpy")


class Kind(enum.Enum):
    """What a message of a worker says."""

    # It has begun: a `Hello`.
    READY = "ready"
    # How much of its task is done, 0 to 1.
    SHARE = "share"
    # Something that the user should know, a text.
    NOTE = "note"
    # Something that went wrong, of which the user has to know, a text.
    FAULT = "fault"
    # What it made of its task.
    RESULT = "result"
    # It leaves its task early, as it was asked to.
    LEFT = "left"
    # The same would be wrong with each task, a text.
    UNABLE = "unable"
    # Nothing foresaw this, a traceback.
    BROKEN = "broken"
    # It is no more, and why, a text.
    LOST = "lost"
    # The machine that it was to be on cannot do such tasks, and why, a text.
    UNFIT = "unfit"


@dataclasses.dataclass(frozen=True)
class Message:
    """What a worker says.

    Attributes:
        worker: which one.
        kind: what it says.
        value: more about it.
        unwritten: what cannot be written here of what it brought with a result.
    """

    worker: str
    kind: Kind
    value: Any = None
    unwritten: Unwritten | None = None


@dataclasses.dataclass(frozen=True)
class Hello:
    """Who a worker is.

    Attributes:
        name: in words.
        versions: package → version, of what pixels depend on.
    """

    name: str
    versions: dict[str, str]

    @classmethod
    def of_this_process(cls) -> Hello:
        """Found without loading any of the packages."""
        found = {"tf_style": tf_style.__version__, "python": platform.python_version()}
        for package in _PACKAGES:
            try:
                found[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                found[package] = "missing"
        return cls(f"process {os.getpid()} on {socket.gethostname()}", found)

    def differs(self, other: Hello) -> str:
        """What it has in other versions, in words; empty if in none."""
        return ", ".join(
            f"{package} {version} instead of {other.versions.get(package)}"
            for package, version in self.versions.items()
            # Python itself computes no pixels.
            if package != "python" and version != other.versions.get(package)
        )


class Engine(Protocol):
    """Has workers. Its methods are called from one thread."""

    def room(self) -> int:
        """How many more workers can be started now."""

    def start(self) -> str:
        """Start a worker; returns which. It says by itself when it is ready."""

    def give(self, worker: str, task: Task) -> None:
        """Have an idle worker do a task."""

    def stop(self, worker: str) -> None:
        """Ask a worker to leave its task early."""

    def dismiss(self, worker: str) -> None:
        """End a worker, whatever it does; nothing more is heard of it."""

    def hear(self, seconds: float) -> list[Message]:
        """What workers have said, as soon as one says something."""

    def close(self) -> None:
        """End all workers."""
