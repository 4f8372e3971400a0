"""Workers of a command, whatever they do: what is said and shown of them, and when they stop."""

from __future__ import annotations

import collections
import contextlib
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.engine import Engine
from tf_style.cluster.task import Done, Talk, Task
from tf_style.commands import status
from tf_style.commands.display import say
from tf_style.commands.signals import Signals
from tf_style.settings import with_flags

# What is said once, however many workers and tasks it is about, as far as is remembered.
_REMEMBERED = 1000


class Workers:
    """The workers of a command.

    Args:
        program: the command.
        engine: has them.
        signals: those that ask the command to stop.
        quiet: whether only errors are said.
        seconds: after which no more tasks are begun; `None` for no limit.
        grace: as for a `Dispatcher`; `None`: its own.

    Attributes:
        late: whether these are over.
    """

    def __init__(
        self, program: str, engine: Engine, signals: Signals, *, quiet: bool = False,
        seconds: float | None = None, grace: float | None = None,
    ):
        self.late = False
        self._program, self._signals, self._quiet = program, signals, quiet
        self._said: set[str] = set()
        self._began = time.monotonic()
        self._ends = self._began + seconds if seconds else None
        self._paced: tuple[float, float] | None = None
        self._dispatcher = Dispatcher(
            engine, self._is_over, self._note, self._fault, lambda: self._watch(),
            **({} if grace is None else {"grace": grace}))
        self._watch: Callable[[], object] = lambda: None

    def done(self, tasks: Iterable[Task], watch: Callable[[], object]) -> Iterator[Done]:
        """What came of each task, as it comes; raises as a `Dispatcher` does.

        Args:
            watch: called several times a second, to `show` how far it is.
        """
        self._watch = watch
        self._signals.keep()
        status.show("starting workers")
        yield from self._dispatcher.done(tasks)

    @property
    def at_hand(self) -> float:
        """How much of the tasks at hand is done, in tasks."""
        return self._dispatcher.at_hand

    @property
    def seconds(self) -> float:
        """How long there have been workers."""
        return time.monotonic() - self._began

    def show(
        self, text: str, reached: float, count: float, details: Sequence[str] = (), *,
        before: float = 0.0,
    ) -> None:
        """Show how far all tasks are together.

        Args:
            text: what is done.
            reached: how much is, with what is at hand, in any unit.
            count: how much there is.
            details: what else there is to say.
            before: how much of what is done took no time.
        """
        if self._signals:
            status.show("stopping")
        elif reached <= before:
            status.show("starting workers")
        else:
            now, ends = time.monotonic(), None
            # Until then, workers were starting.
            since, first = self._paced = self._paced or (now, reached)
            if reached > first:
                ends = now + (now - since) / (reached - first) * max(0.0, count - reached)
            status.show(text, min(1.0, reached / count), details=tuple(details), ends=ends)

    def _is_over(self) -> bool:
        self.late = self._ends is not None and time.monotonic() >= self._ends
        return bool(self._signals) or self.late

    def _note(self, text: str, task: Task | None) -> None:
        """Say what several may say once."""
        if not self._quiet:
            self._fault(text, task)

    def _fault(self, text: str, task: Task | None) -> None:
        if text in self._said:
            return
        if len(self._said) < _REMEMBERED:
            self._said.add(text)
        say(f"{self._program}: {task.title + ': ' if task else ''}{text}")


@contextlib.contextmanager
def told(talk: Talk, *, quiet: bool) -> Iterator[None]:
    """In this context, which a work has in its worker, warnings are what the user should know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: talk.note(with_flags(message))
        yield


def in_order(
    tasks: Iterable[Task], done: Callable[[Iterator[Task]], Iterable[Done]]
) -> Iterator[Done]:
    """What came of each task, in the order of the tasks, of which no two have the same key.

    Args:
        tasks: taken as `done` takes them.
        done: yields what came of each, in any order.
    """
    waiting: collections.deque[str] = collections.deque()
    found: dict[str, Done] = {}

    def begun() -> Iterator[Task]:
        for task in tasks:
            waiting.append(task.key)
            yield task

    for each in done(begun()):
        found[each.task.key] = each
        while waiting and waiting[0] in found:
            yield found.pop(waiting.popleft())
