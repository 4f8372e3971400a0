"""Pictures of a command that are painted by several workers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.engine import Engine
from tf_style.cluster.processes import Processes
from tf_style.cluster.share import Share, share
from tf_style.cluster.task import Done, Task
from tf_style.commands import status
from tf_style.commands.audience import Audience
from tf_style.commands.display import say
from tf_style.commands.naming import title
from tf_style.commands.painted import Painted
from tf_style.commands.picture_work import PictureWork
from tf_style.commands.request import Request
from tf_style.commands.signals import Signals
from tf_style.commands.tally import Tally
from tf_style.run.jobs import Job, drawn, memory_of
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.result import Stop

# What is said once, however many workers and pictures it is about, as far as is remembered.
_REMEMBERED = 1000


def share_of(request: Request) -> Share:
    """What each worker gets that a command asks for.

    Raises:
        InputError: for flags that do not go together with several workers.
    """
    options, settings = request.options, request.settings
    if options.workers == 1:
        return share(1, settings.threads, len(request.jobs), 1)
    if options.profile:
        raise InputError(f"--profile={options.profile}: is for one process. Leave --workers out")
    needed = memory_of(request.jobs[0], settings, least=request.least)
    return share(options.workers, settings.threads, len(request.jobs), needed)


def painted(
    request: Request, each: Share, audience: Audience, tally: Tally, signals: Signals
) -> Iterator[Painted]:
    """All pictures, as workers make them.

    Args:
        each: what each worker gets.
        tally: what became of the pictures so far.
    """
    crew = _Crew(request, audience, tally, signals)
    signals.keep()
    yield from crew.painted(_work(request, each), each)


def _work(request: Request, each: Share) -> PictureWork:
    settings = request.settings
    learned = ()
    if settings.model is None and {*request.weights} & {"unsupervised", None}:
        status.show("reading pictures")
        learned = tuple(drawn(request.jobs, settings.seed, settings.max_pixels))
    known = dataclasses.replace(
        request, jobs=(), kept=0, settings=settings.replace(threads=each.threads))
    return PictureWork(known, len(request.jobs), learned, each.memory)


class _Crew:
    """The workers of a command, and what is shown of them."""

    def __init__(self, request: Request, audience: Audience, tally: Tally, signals: Signals):
        self._request, self._audience, self._tally = request, audience, tally
        self._signals = signals
        self._said: set[str] = set()
        limit = request.options.time_limit
        self._began = time.monotonic()
        self._ends = self._began + limit if limit else None
        self._late = False

    def painted(self, work: PictureWork, each: Share) -> Iterator[Painted]:
        status.show("starting workers")
        self._dispatcher = Dispatcher(
            self._engine(work, each), self._is_over, self._note, self._watch)
        for done in self._dispatcher.done(self._task(job) for job in self._request.jobs):
            yield self._painted(done)

    def _engine(self, work: PictureWork, each: Share) -> Engine:
        return Processes(work, each.workers, verbose=self._request.options.verbose)

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
        if stopped == "callback" and self._late:
            from tf_style.run.result import Stop

            stopped = Stop.TIME_LIMIT
        return dataclasses.replace(
            painted, stopped=stopped,
            entry={**painted.entry, "worker": done.worker} if painted.entry else {})

    def _is_over(self) -> bool:
        self._late = self._ends is not None and time.monotonic() >= self._ends
        return bool(self._signals) or self._late

    def _note(self, text: str, task: Task | None) -> None:
        """Say what several may say once."""
        if text in self._said or self._request.options.quiet:
            return
        if len(self._said) < _REMEMBERED:
            self._said.add(text)
        say(f"tf_style: {task.title + ': ' if task else ''}{text}")

    def _watch(self) -> None:
        """Show how far all pictures are together."""
        count = len(self._request.jobs)
        done = self._tally.done
        share = (done + self._dispatcher.at_hand) / count
        seconds = time.monotonic() - self._began
        if self._signals:
            status.show("stopping")
            return
        if not share:
            status.show("starting workers")
            return
        pace = done / seconds * 60
        status.show(
            "painting", share, ends=time.monotonic() + seconds / share * (1 - share),
            details=(f"{done}/{count}", *([f"{pace:.3g} a minute"] if done else []),
                     *([f"{len(self._tally.failed)} failed"] if self._tally.failed else [])),
        )
