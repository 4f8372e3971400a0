"""What watches a run: the progress on the screen, the profiler, and the like."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tf_style.commands.display import columns, draw, say
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.result import Step
    from tf_style.run.schedule import Scale


class Watcher(Protocol):
    """Called with each step, and when there are no more."""

    def show(self, step: Step) -> None: ...

    def close(self) -> None: ...


class Watchers:
    """All that watch a run. One that fails, as on a full disk, is left out from then on.

    Attributes:
        failed: whether one has failed.
    """

    def __init__(self, watchers: Iterable[Watcher]):
        self._watchers = list(watchers)
        self.failed = False

    def show(self, step: Step) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher.show(step)
            except InputError as error:
                self._watchers.remove(watcher)
                self._fail(error)

    def close(self) -> None:
        for watcher in self._watchers:
            try:
                watcher.close()
            except InputError as error:
                self._fail(error)

    def _fail(self, error: InputError) -> None:
        # The picture is worth more than what is written beside it: the run goes on.
        self.failed = True
        say(f"tf_style: {error}")


class Overall:
    """A line for each of many pictures on stderr, before that picture's own progress."""

    def __init__(self, count: int):
        self._count = count
        self._shown = 0
        self._began = time.perf_counter()

    def show(self, number: int, title: str) -> None:
        """Say which picture, counted from 1, begins, and how long the rest may take."""
        done = number - 1
        bar = _bar(done / self._count) if columns() else ""
        left = ""
        if self._shown:
            # Pictures that could not be read took no time and are not among those shown.
            pace = (time.perf_counter() - self._began) / self._shown
            left = f", {minutes(pace * (self._count - done))} left"
        self._shown += 1
        say(f"[{number}/{self._count}] {bar}{title}{left}")


class Progress:
    """A bar on a terminal, plain lines elsewhere, both on stderr."""

    EVERY = 5.0

    def __init__(self, plan: Sequence[Scale]):
        self._plan = plan
        self._terminal = bool(columns())
        self._shown = 0
        self._next_line = 0.0
        self._first: Step | None = None

    def show(self, step: Step) -> None:
        bar = _bar(step.step / step.steps) if self._terminal else ""
        line = (f"{step.width}x{step.height} ({step.scale}/{step.scales}) "
                f"{bar}step {step.step}/{step.steps}{self._left(step)}  "
                f"loss {step.loss:.3g}  "
                + "  ".join(f"{name} {part:.3g}" for name, part in step.parts.items()))
        if self._terminal:
            width = (columns() or 80) - 1
            draw("\r" + line[:width].ljust(min(self._shown, width)))
            self._shown = len(line)
        elif step.seconds >= self._next_line or step.step == step.steps:
            self._next_line = step.seconds + self.EVERY
            draw(line + "\n")

    def close(self) -> None:
        if self._terminal and self._shown:
            draw("\n")

    def _left(self, step: Step) -> str:
        """Time left, if the rest takes as long for each pixel as this size does."""
        if self._first is None or self._first.scale != step.scale:
            # The first step at a size, or after a stop, is not counted: it includes compilation.
            self._first = step
            return ""
        pixels = step.width * step.height
        pace = (step.seconds - self._first.seconds) / (step.step - self._first.step) / pixels
        rest = (step.steps - step.step) * pixels + sum(
            scale.steps * scale.width * scale.height for scale in self._plan[step.scale:]
        )
        return f", {minutes(pace * rest)} left"


def _bar(share: float, width: int = 10) -> str:
    done = round(width * share)
    return f"[{'#' * done}{'-' * (width - done)}] "


def minutes(seconds: float) -> str:
    """A duration, such as 1:05."""
    whole, rest = divmod(math.ceil(seconds), 60)
    return f"{whole}:{rest:02}"


class Profiler:
    """Makes TensorFlow record ten steps of the last size, without the first, which compiles."""

    STEPS = 10

    def __init__(self, folder: Path):
        self._folder = folder
        self._left = self.STEPS
        self._running = False

    def show(self, step: Step) -> None:
        from tf_style.show import profiling

        if self._running:
            self._left -= 1
            if not self._left:
                self.close()
        elif self._left and step.scale == step.scales:
            profiling.start_profile(os.fspath(self._folder))
            self._running = True

    def close(self) -> None:
        from tf_style.show import profiling

        if self._running:
            self._running = False
            profiling.stop_profile()


@contextlib.contextmanager
def closed(watcher: Watcher) -> Iterator[None]:
    try:
        yield
    finally:
        watcher.close()
