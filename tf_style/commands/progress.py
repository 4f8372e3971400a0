"""What watches a run: the progress on the screen, the profiler, and the like."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tf_style.commands import status
from tf_style.commands.display import columns, draw, say
from tf_style.commands.drawing import bar, minutes
from tf_style.run.remaining import Remaining
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

    Args:
        tell: called with why one has failed.

    Attributes:
        failed: whether one has failed.
    """

    def __init__(
        self, watchers: Iterable[Watcher],
        tell: Callable[[str], object] = lambda text: say(f"tf_style: {text}"),
    ):
        self._watchers = list(watchers)
        self._tell = tell
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
        self._tell(error.flags)


class Overall:
    """A line for each of many pictures on stderr, before that picture's own progress."""

    def __init__(self, count: int):
        self._count = count
        self._shown = 0
        # When the first began: TensorFlow is loaded once.
        self._began = 0.0

    def show(self, number: int, title: str) -> None:
        """Say which picture, counted from 1, begins, and how long the rest may take."""
        done = number - 1
        share = bar(done / self._count) if columns() else ""
        left = ""
        if not self._shown:
            self._began = time.perf_counter()
        else:
            # Pictures that could not be read took no time and are not among those shown.
            pace = (time.perf_counter() - self._began) / self._shown
            left = f", {minutes(pace * (self._count - done))} left"
        self._shown += 1
        say(f"[{number}/{self._count}] {share}{title}{left}")


class Progress:
    """How far a run is: one bar for all its sizes on a terminal, plain lines elsewhere.

    Args:
        plan: all sizes of the run.
        text: what is said behind the bar.
    """

    EVERY = 5.0

    def __init__(self, plan: Sequence[Scale], text: str = ""):
        self._remaining = Remaining(plan)
        self._text = text
        self._terminal = bool(columns())
        self._next_line = 0.0

    def show(self, step: Step) -> None:
        size = f"{step.width}x{step.height} ({step.scale}/{step.scales})"
        number = f"step {step.step}/{step.steps}"
        losses = [f"loss {step.loss:.3g}",
                  *(f"{name} {part:.3g}" for name, part in step.parts.items())]
        left = self._remaining.left(step)
        if self._terminal:
            ends = None if left is None else time.monotonic() + left
            status.show(self._text, self._remaining.share(step), ends=ends,
                        details=(size, number, *losses))
            return
        status.hide()
        if step.seconds >= self._next_line or step.step == step.steps:
            self._next_line = step.seconds + self.EVERY
            rest = "" if left is None else f", {minutes(left)} left"
            draw("  ".join([f"{size} {number}{rest}", *losses]) + "\n")

    def close(self) -> None:
        """The run has ended."""


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
