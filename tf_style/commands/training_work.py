"""What workers do that train networks. No TensorFlow of its own."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tf_style.cluster.task import Talk, Task
from tf_style.commands.training import Plan, Trained, attempted
from tf_style.commands.workers import told

if TYPE_CHECKING:
    from tf_style.transfer.training import Lesson


@dataclasses.dataclass(frozen=True)
class TrainingWork:
    """Trains a network with each task.

    Attributes:
        threads: with which each worker computes.
        quiet: whether only errors are said.
    """

    threads: int
    quiet: bool

    def results(self, data: Iterator[Plan], talk: Talk) -> Iterator[Trained]:
        """What became of each training. One that is stopped leaves the network so far."""
        with told(talk, quiet=self.quiet):
            for plan in data:
                settings = plan.settings.replace(threads=self.threads)
                made = attempted(dataclasses.replace(plan, settings=settings), _Passed(talk))
                yield dataclasses.replace(made, plan=plan)

    def check(self) -> None:
        """Workers are on this machine, which was checked before."""

    def moved(self, data: Plan, places: Mapping[str, str]) -> Plan:
        """The same training with its files in other places."""
        def place(name: str) -> str:
            return places.get(name, name)

        return dataclasses.replace(
            data, styles=tuple(map(place, data.styles)), pictures=tuple(map(place, data.pictures)))


class _Passed:
    """Passes on how far a training is to who has the workers."""

    def __init__(self, talk: Talk):
        self._talk = talk

    def begin(self, text: str, *more: Any) -> None:
        pass

    def say(self, text: str) -> None:
        self._talk.note(text)

    def stops(self) -> bool:
        return self._talk.stopping

    def hear(self, lesson: Lesson) -> None:
        self._talk.share(lesson.done)


def task(plan: Plan) -> Task:
    """A training as a task."""
    decided = [plan.settings.as_dict(), plan.styles, plan.pictures, str(plan.output)]
    key = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]
    return Task(key, plan.title, plan, (*plan.styles, *plan.pictures), plan.output)
