"""Pictures of a command that are painted by several workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tf_style.cluster.engine import Engine
from tf_style.cluster.share import Share
from tf_style.cluster.task import Done, Task, Unwritten
from tf_style.commands import engines, status
from tf_style.commands.audience import Audience
from tf_style.commands.naming import title
from tf_style.commands.painted import Painted
from tf_style.commands.picture_work import PictureWork
from tf_style.commands.request import Request
from tf_style.commands.signals import Signals
from tf_style.commands.tally import Tally
from tf_style.commands.workers import Workers
from tf_style.run.jobs import Job, drawn, memory_of
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.result import Stop


def share_of(request: Request) -> Share | None:
    """What each worker gets that a command asks for; `None` where one process does all.

    Raises:
        InputError: for flags that do not go together with several workers.
    """
    options, settings = request.options, request.settings
    if options.profile and (options.cluster or options.workers != 1):
        flag = "--cluster" if options.cluster else "--workers"
        raise InputError(f"--profile={options.profile}: is for one process. Leave {flag} out")
    return engines.share_of(
        options, settings.threads, len(request.jobs),
        lambda: memory_of(request.jobs, settings, least=request.least))


def painted(
    request: Request, each: Share, audience: Audience, tally: Tally, signals: Signals
) -> Iterator[Painted]:
    """All pictures, as workers make them.

    Args:
        each: what each worker gets.
        tally: what became of the pictures so far.
    """
    def work(each: Share, settle: engines.Settle) -> PictureWork:
        settings = settle(request.settings).replace(threads=each.threads)
        return PictureWork(
            dataclasses.replace(request, jobs=(), kept=0, settings=settings), len(request.jobs),
            learned(request, settings), each.memory,
            request.settings.replace(threads=each.threads))

    engine, _ = engines.engine(request.options, each, work, request.settings.device)
    yield from _Crew(request, audience, tally, signals).painted(engine)


def learned(request: Request, settings: Settings) -> tuple[np.ndarray, ...]:
    """Pictures for workers to learn features from, if they may have to."""
    if settings.model is not None or not {*request.weights} & {"unsupervised", None}:
        return ()
    status.show("reading pictures")
    return tuple(drawn(request.jobs, settings.seed, settings.max_pixels))


class _Crew:
    """The workers of a command that paint pictures, and what is shown of them."""

    def __init__(self, request: Request, audience: Audience, tally: Tally, signals: Signals):
        self._request, self._audience, self._tally = request, audience, tally
        self._signals = signals

    def painted(self, engine: Engine) -> Iterator[Painted]:
        options = self._request.options
        self._workers = Workers(
            "tf_style", engine, self._signals, quiet=options.quiet, seconds=options.time_limit)
        tasks = map(self._task, self._request.jobs)
        for done in self._workers.done(tasks, self._watch):
            yield self._painted(done)

    def _task(self, job: Job) -> Task:
        return Task(job.key(self._request.settings), title(job), job, job.files, job.output)

    def _painted(self, done: Done) -> Painted:
        painted = Painted.failed(done.task.data, done.lost) if done.lost else done.value
        painted = dataclasses.replace(painted, job=done.task.data)
        if done.unwritten:
            painted = self._not_at_home(painted, done.unwritten)
        self._audience.failed |= painted.spoiled
        stopped: Stop | str | None = painted.stopped
        if stopped == "callback" and self._workers.late:
            from tf_style.run.result import Stop

            stopped = Stop.TIME_LIMIT
        entry = dict(painted.entry)
        if entry:
            entry["worker"] = done.worker
        if "stopped" in entry:
            entry["stopped"] = str(stopped)
        return dataclasses.replace(painted, stopped=stopped, entry=entry)

    def _not_at_home(self, painted: Painted, files: Unwritten) -> Painted:
        """What is known of a picture where files that a worker sent cannot be written."""
        if painted.path is None or painted.path.name not in files.names:
            # Of what is beside it.
            self._audience.fail(InputError(str(files)))
            return painted
        kept = files.place(painted.path.name)
        if kept is None:
            return Painted.failed(painted.job, files.why)
        return dataclasses.replace(
            painted, path=kept, error=f"{files.why}; the picture is in {kept}",
            entry={**painted.entry, "output": str(kept)} if painted.entry else {})

    def _watch(self) -> None:
        """Show how far all pictures are together."""
        done, count, failed = self._tally.done, len(self._request.jobs), self._tally.failed
        workers = self._workers
        pace = [f"{done / workers.seconds * 60:.3g} a minute"] if done else []
        lost = [f"{len(failed)} failed"] if failed else []
        workers.show("painting", done + workers.at_hand, count, (f"{done}/{count}", *pace, *lost))
