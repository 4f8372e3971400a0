"""Who does which task, and what happens when a worker is lost. No TensorFlow."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator

from tf_style.cluster.engine import Engine, Hello, Kind, Message
from tf_style.cluster.task import Done, Task
from tf_style.settings import InputError

# Seconds from one look at the user's wishes to the next.
_LOOK = 0.2
# A task that so many workers ended with is set aside.
_LOSSES = 2
# So many workers in a row that end before they are ready: another would, too.
_FALSE_STARTS = 3
# Seconds that tasks are given to end early.
_GRACE = 20.0


class BrokenError(Exception):
    """A worker met something that nothing foresaw; the message is its traceback."""


@dataclasses.dataclass
class _Hands:
    """A worker as the dispatcher knows it."""

    name: str = ""
    task: Task | None = None
    share: float = 0.0
    ready: bool = False


class Dispatcher:
    """Gives tasks to the workers of an engine, one at a time to each.

    A task whose worker is lost is given to another; after the second, it is set aside. Tasks are
    taken from `tasks` only when somebody can do them, so that there may be any number.

    Args:
        engine: has the workers; it is closed with the last result.
        stop: whether no more tasks are to be begun, and those at hand to end early.
        note: called with what the user should know, and the task that it is about, if any.
        fault: likewise with what went wrong, of which the user has to know.
        grace: seconds that those at hand have, once they are asked to end early.
        watch: called several times a second.
    """

    def __init__(
        self, engine: Engine, stop: Callable[[], object] = lambda: False,
        note: Callable[[str, Task | None], object] = lambda text, task: None,
        fault: Callable[[str, Task | None], object] = lambda text, task: None,
        watch: Callable[[], object] = lambda: None, grace: float = _GRACE,
    ):
        self._engine, self._stop, self._watch, self._grace = engine, stop, watch, grace
        self._note, self._fault = note, fault
        self._hands: dict[str, _Hands] = {}
        self._again: collections.deque[Task] = collections.deque()
        self._ahead: collections.deque[Task] = collections.deque()
        self._losses: dict[str, int] = {}
        self._false_starts = 0
        self._hello = Hello.of_this_process()

    @property
    def at_hand(self) -> float:
        """How much of the tasks at hand is done, in tasks."""
        return sum(each.share for each in self._hands.values() if each.task)

    @property
    def working(self) -> int:
        """How many workers have a task."""
        return sum(each.task is not None for each in self._hands.values())

    def done(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """What came of each task, as it comes.

        Raises:
            InputError: if no task can be done, for one reason.
            BrokenError: if a worker met something that nothing foresaw.
        """
        source, asked = iter(tasks), None
        try:
            while True:
                self._watch()
                if asked is None and self._stop():
                    asked = time.monotonic()
                    self._call_off()
                if asked is None:
                    self._deal(source)
                    if not (self._again or self._ahead or self.working):
                        return
                elif not self.working or time.monotonic() - asked > self._grace:
                    return
                for message in self._engine.hear(_LOOK):
                    yield from self._heard(message)
        finally:
            self._engine.close()

    def _call_off(self) -> None:
        """Have those end early who have something to show; the others at once."""
        for worker, hands in list(self._hands.items()):
            if hands.task and hands.share:
                self._engine.stop(worker)
            else:
                self._dismiss(worker)

    def _dismiss(self, worker: str) -> None:
        del self._hands[worker]
        self._engine.dismiss(worker)

    def _deal(self, source: Iterator[Task]) -> None:
        """Give tasks to those who are idle, and start workers for those that are left."""
        idle = [worker for worker, each in self._hands.items() if each.ready and not each.task]
        starting = sum(not each.ready for each in self._hands.values())
        while True:
            room = self._engine.room()
            # One more than can be done: as long as there is any, it may be that there is room soon.
            wanted = max(1, len(idle) + starting + room - len(self._again))
            while len(self._ahead) < wanted and (task := next(source, None)):
                self._ahead.append(task)
            waiting = len(self._again) + len(self._ahead)
            if idle and waiting:
                self._give(idle.pop())
            elif room and waiting > starting:
                self._hands[self._engine.start()] = _Hands()
                starting += 1
            else:
                return

    def _give(self, worker: str) -> None:
        task = self._again.popleft() if self._again else self._ahead.popleft()
        self._hands[worker].task, self._hands[worker].share = task, 0.0
        self._engine.give(worker, task)

    def _heard(self, message: Message) -> Iterator[Done]:
        hands = self._hands.get(message.worker)
        if hands is None:
            # It was given up, and its task is somebody else's.
            return
        task = hands.task
        if message.kind is Kind.READY:
            if differs := message.value.differs(self._hello):
                self._dismiss(message.worker)
                self._start_failed(f"{message.value.name} has {differs}: the pictures of one run "
                                   "come from one version")
                return
            hands.name, hands.ready = message.value.name, True
            self._false_starts = 0
        elif message.kind is Kind.SHARE:
            hands.share = message.value
        elif message.kind is Kind.NOTE:
            self._note(message.value, task)
        elif message.kind is Kind.FAULT:
            self._fault(message.value, task)
        elif message.kind is Kind.RESULT and task:
            hands.task = None
            self._losses.pop(task.key, None)
            yield Done(task, message.value, hands.name, unwritten=message.unwritten)
        elif message.kind is Kind.LEFT:
            self._dismiss(message.worker)
        elif message.kind is Kind.UNABLE:
            raise InputError(message.value)
        elif message.kind is Kind.BROKEN:
            raise BrokenError(message.value)
        elif message.kind is Kind.LOST:
            del self._hands[message.worker]
            if task:
                yield from self._lost(hands, task, message.value)
            elif not hands.ready:
                self._start_failed(message.value)
        elif message.kind is Kind.UNFIT:
            del self._hands[message.worker]
            self._note(f"a worker was not started: {message.value}", None)

    def _lost(self, hands: _Hands, task: Task, why: str) -> Iterator[Done]:
        losses = self._losses[task.key] = self._losses.get(task.key, 0) + 1
        if losses < _LOSSES:
            self._note(f"{hands.name} {why}; it is begun again elsewhere", task)
            self._again.append(task)
            return
        del self._losses[task.key]
        yield Done(task, None, hands.name, f"set aside, as {losses} workers ended with it; the "
                   f"last, {hands.name}, {why}")

    def _start_failed(self, why: str) -> None:
        self._false_starts += 1
        others = any(each.ready for each in self._hands.values())
        if self._false_starts >= _FALSE_STARTS and not others:
            raise InputError(f"no worker can be started: {why}")
        self._note(f"a worker was not started: {why}", None)
