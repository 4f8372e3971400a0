"""What workers do that train networks. No TensorFlow of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tf_style.cluster.share import Share
from tf_style.cluster.task import Done, Talk, Task
from tf_style.commands import engines
from tf_style.commands.display import say
from tf_style.commands.picture_work import check_files
from tf_style.commands.signals import Signals
from tf_style.commands.training import Plan, Trained, attempted
from tf_style.commands.workers import Workers, told
from tf_style.image.paths import existing, mark, named
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.settings import IN_TRAINING
from tf_style.transfer.samples import check_model

if TYPE_CHECKING:
    from tf_style.transfer.training import Lesson


@dataclasses.dataclass(frozen=True)
class TrainingWork:
    """Trains a network with each task.

    Attributes:
        settings: what to aim for.
        init: as the option.
        quiet: whether only errors are said.
        folder: that checkpoints are kept in; empty for none, or where all workers are on one
            machine.
        mark: a file in it, by which a machine knows that it shares the folder.
    """

    settings: Settings
    init: str
    quiet: bool
    folder: str = ""
    mark: str = ""

    def results(self, data: Iterator[Plan], talk: Talk) -> Iterator[Trained]:
        """What became of each training. One that is stopped leaves the network so far."""
        with told(talk, quiet=self.quiet):
            for plan in data:
                options = dataclasses.replace(plan.options, init=self.init)
                made = attempted(dataclasses.replace(
                    plan, settings=self.settings, options=options, beside_others=True),
                    _Passed(talk))
                yield dataclasses.replace(made, plan=plan, error=named(made.error, plan.names))

    def check(self) -> None:
        """Check that the files are here which the settings name, and that folder.

        Raises:
            InputError: if one is missing.
        """
        if self.folder and not os.path.exists(self.mark):
            raise InputError(f"{self.folder}: this folder is not there; a --checkpoint on a "
                             "--cluster needs one that all nodes share")
        check_files(self.settings)
        if self.init not in (AUTO, "none"):
            check_model("init", self.init)

    def moved(self, data: Plan, places: Mapping[str, str]) -> Plan:
        """The same training with its files in other places."""
        return data.moved(places)


class _Passed:
    """Passes on how far a training is to who has the workers."""

    def __init__(self, talk: Talk):
        self._talk = talk

    def begin(self, text: str, *more: Any) -> None:
        pass

    def say(self, text: str) -> None:
        self._talk.fault(text)

    def stops(self) -> bool:
        return self._talk.stopping

    def hear(self, lesson: Lesson) -> None:
        self._talk.share(lesson.done)


def trained_by_workers(
    plans: Sequence[Plan], each: Share, signals: Signals
) -> Iterator[Trained]:
    """What becomes of each training, as workers end it."""
    options = plans[0].options
    kept = [plan.checkpoint for plan in plans if plan.checkpoint] if options.cluster else []
    with contextlib.ExitStack() as stack:
        folder, marked = "", ""
        if kept:
            # They are all in the folder of the networks.
            folder = os.path.abspath(existing(kept[0].parent))
            marked = stack.enter_context(mark(folder))
        yield from _trained(plans, each, signals, folder, marked)


def _trained(
    plans: Sequence[Plan], each: Share, signals: Signals, folder: str, marked: str
) -> Iterator[Trained]:
    options = plans[0].options

    def work(each: Share, settle: engines.Settle) -> TrainingWork:
        given = plans[0].settings.replace(threads=each.threads)
        settled = settle(given)
        init = options.init
        if options.cluster and init not in (AUTO, "none") and os.path.isfile(init):
            init = os.path.abspath(init)
        return TrainingWork(
            given.replace(**{name: getattr(settled, name) for name in IN_TRAINING}), init,
            options.quiet, folder, marked)

    engine, _ = engines.engine(options, each, work, plans[0].settings.device)
    # One that is stopped writes its network, and perhaps exports it. Another signal ends all.
    workers = Workers("tf_style_train", engine, signals, quiet=options.quiet, grace=math.inf)
    done = 0

    def watch() -> None:
        workers.show("training", done + workers.at_hand, len(plans), (f"{done}/{len(plans)}",))

    for made in workers.done(map(task, plans), watch):
        done += 1
        yield _at_home(made)


def _at_home(done: Done) -> Trained:
    """What became of a training, with its files as this process names them."""
    plan, made = done.task.data, done.value
    if done.lost:
        return Trained(plan, error=done.lost)
    path = made.path and plan.output.with_name(made.path.name)
    made = dataclasses.replace(made, plan=plan, path=path)
    files = done.unwritten
    if not files:
        return made
    if path and path.name in files.names:
        kept = files.place(path.name)
        return dataclasses.replace(
            made, path=None,
            error=files.why + (f"; the network is in {kept}" if kept else ""))
    say(f"tf_style_train: {plan.title}: {files}")
    return dataclasses.replace(made, failed=True)


def task(plan: Plan) -> Task:
    """A training as a task."""
    decided = [plan.settings.as_dict(), plan.styles, plan.pictures, str(plan.output)]
    key = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]
    return Task(key, plan.title, plan, (*plan.styles, *plan.pictures), plan.output)
