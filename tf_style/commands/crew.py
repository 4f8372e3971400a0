"""Pictures of a command that are painted by several workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tf_style.cluster.engine import Engine
from tf_style.cluster.processes import Processes
from tf_style.cluster.share import Share, share
from tf_style.cluster.task import Done, Task
from tf_style.commands import on_cluster, status
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
    from tf_style.run.result import Stop


def share_of(request: Request) -> Share:
    """What each worker gets that a command asks for.

    Raises:
        InputError: for flags that do not go together with several workers.
    """
    options, settings = request.options, request.settings
    if options.cluster:
        return on_cluster.share_of(request)
    if options.workers == 1:
        return share(1, settings.threads, len(request.jobs), 1)
    if options.profile:
        raise InputError(f"--profile={options.profile}: is for one process. Leave --workers out")
    needed = memory_of(request.jobs, settings, least=request.least)
    return share(options.workers, settings.threads, len(request.jobs), needed)


def painted(
    request: Request, each: Share, audience: Audience, tally: Tally, signals: Signals
) -> Iterator[Painted]:
    """All pictures, as workers make them.

    Args:
        each: what each worker gets.
        tally: what became of the pictures so far.
    """
    engine: Engine
    if request.options.cluster:
        status.show("connecting")
        engine = on_cluster.engine(request, each, _work)
    else:
        engine = Processes(_work(request, each, request.settings), each.workers,
                           verbose=request.options.verbose)
    yield from _Crew(request, audience, tally, signals).painted(engine)


def _work(request: Request, each: Share, settings: Settings) -> PictureWork:
    """What workers do.

    Args:
        settings: for all of them, but for their number of threads.
    """
    learned = ()
    if settings.model is None and {*request.weights} & {"unsupervised", None}:
        status.show("reading pictures")
        learned = tuple(drawn(request.jobs, settings.seed, settings.max_pixels))
    known = dataclasses.replace(
        request, jobs=(), kept=0, settings=settings.replace(threads=each.threads))
    given = request.settings.replace(threads=each.threads)
    return PictureWork(known, len(request.jobs), learned, each.memory, given)


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
        if done.lost:
            painted = Painted(done.task.data, error=done.lost, entry={
                "content": done.task.data.content, "style": list(done.task.data.styles),
                "output": str(done.task.data.output), "error": done.lost,
            })
        else:
            painted = done.value
        self._audience.failed |= painted.spoiled
        stopped: Stop | str | None = painted.stopped
        if stopped == "callback" and self._workers.late:
            from tf_style.run.result import Stop

            stopped = Stop.TIME_LIMIT
        return dataclasses.replace(
            painted, job=done.task.data, stopped=stopped,
            entry={**painted.entry, "worker": done.worker} if painted.entry else {})

    def _watch(self) -> None:
        """Show how far all pictures are together."""
        done, count, failed = self._tally.done, len(self._request.jobs), self._tally.failed
        workers = self._workers
        pace = [f"{done / workers.seconds * 60:.3g} a minute"] if done else []
        lost = [f"{len(failed)} failed"] if failed else []
        workers.show("painting", done + workers.at_hand, count, (f"{done}/{count}", *pace, *lost))
