"""The previews of a sheet: what they are as plain data, and how workers paint them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_style.cluster.share import Share
from tf_style.cluster.task import Talk, Task
from tf_style.commands import engines
from tf_style.commands.crew import learned
from tf_style.commands.naming import title
from tf_style.commands.painting import painter_of
from tf_style.commands.picture_work import WorkerHost, check_files
from tf_style.commands.request import Request
from tf_style.commands.signals import Signals
from tf_style.commands.tally import Tally
from tf_style.commands.workers import Workers, told
from tf_style.image.numbers import eight_bit
from tf_style.run.jobs import Job, Outcome, make, memory_of
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.painter import Painter
    from tf_style.run.result import Result, Stop


@dataclasses.dataclass(frozen=True)
class Place:
    """A picture of a sheet that is to be made.

    Attributes:
        row, column: where it is on the sheet.
        job: what is painted; nothing is written.
    """

    row: int
    column: int
    job: Job


@dataclasses.dataclass(frozen=True)
class Preview:
    """What became of it: plain data.

    Attributes:
        error, begun: as those of an `Outcome`.
        stopped: why the run ended; `None` where there was none.
        image, style, content: what was made of what, uint8; `None` where nothing was.
    """

    error: str = ""
    begun: bool = True
    stopped: Stop | None = None
    image: np.ndarray | None = None
    style: np.ndarray | None = None
    content: np.ndarray | None = None

    @classmethod
    def of(cls, outcome: Outcome[Result]) -> Preview:
        """The same of an outcome."""
        from tf_style.show.sheet import side_by_side

        result, error = outcome.value, outcome.job.named(outcome.error)
        if result is None:
            return cls(error, outcome.begun)
        side = max(result.image.shape[:2])
        return cls(
            error, outcome.begun, result.stopped, eight_bit(result.image),
            eight_bit(side_by_side(result.styles, side)),
            None if result.content is None else eight_bit(result.content))


@dataclasses.dataclass(frozen=True)
class SheetWork:
    """Paints a picture of a sheet with each task.

    Attributes:
        requests: what each column asks for, without its jobs.
        learned: pictures to learn features from, for each column.
        count: how many pictures a column has.
        memory: bytes that a worker may take; `None` if that is not known.
    """

    requests: tuple[Request, ...]
    learned: tuple[tuple[np.ndarray, ...], ...]
    count: int
    memory: float | None

    def results(self, data: Iterator[Place], talk: Talk) -> Iterator[Preview]:
        """What becomes of each picture."""
        column, ready, last = -1, None, None
        with told(talk, quiet=self.requests[0].options.quiet):
            for place in data:
                if place.column != column:
                    # What columns share is made once.
                    column, ready = place.column, self._painter(place.column, last)
                request = self.requests[column]
                try:
                    outcome = next(make([place.job], request.settings, ready,
                                        WorkerHost(request, talk), least=request.least), None)
                except InputError as error:
                    # The network of this column cannot be had.
                    if not column:
                        raise
                    yield Preview(error.flags)
                    continue
                if outcome is None:
                    return
                if outcome.value:
                    last = ready()
                yield Preview.of(outcome)

    def check(self) -> None:
        """Check that the files are here which the settings name; raises an `InputError` if not."""
        for request in self.requests:
            check_files(request.settings)

    def moved(self, data: Place, places: Mapping[str, str]) -> Place:
        """The same picture with its files in other places."""
        return dataclasses.replace(data, job=data.job.moved(places))

    def _painter(self, column: int, like: Painter | None) -> Callable[[], Painter]:
        return painter_of(self.requests[column], like, learned=lambda: self.learned[column],
                          memory=self.memory, count=self.count)


def share_of(requests: Sequence[Request]) -> Share | None:
    """What each worker gets; `None` where one process paints all columns of a sheet."""
    first = requests[0]
    return engines.share_of(
        first.options, first.settings.threads, sum(len(each.jobs) for each in requests),
        lambda: max(memory_of(each.jobs, each.settings, least=each.least) for each in requests))


def painted(
    requests: Sequence[Request], places: Sequence[Place], each: Share, tally: Tally,
    signals: Signals,
) -> Iterator[tuple[Place, Preview]]:
    """All pictures of a sheet and what became of them, as workers make them.

    Args:
        requests: what each column asks for.
        tally: what became of the pictures so far.
    """
    first = requests[0]

    def work(each: Share, settle: engines.Settle) -> SheetWork:
        settled = [request.settings.replace(threads=each.threads) for request in requests]
        settled = [*map(settle, settled)]
        return SheetWork(
            tuple(dataclasses.replace(request, jobs=(), settings=settings)
                  for request, settings in zip(requests, settled, strict=True)),
            tuple(map(learned, requests, settled)), len(first.jobs), each.memory)

    engine, _ = engines.engine(first.options, each, work, first.settings.device)
    workers = Workers("tf_style", engine, signals, quiet=first.options.quiet,
                      seconds=first.options.time_limit)

    def watch() -> None:
        workers.show("painting", tally.done + workers.at_hand, len(places),
                     (f"{tally.done}/{len(places)}",))

    tasks = (Task(place.job.key(requests[place.column].settings), title(place.job), place,
                  place.job.files) for place in places)
    for done in workers.done(tasks, watch):
        preview = Preview(done.lost) if done.lost else done.value
        if preview.stopped == "callback" and workers.late:
            from tf_style.run.result import Stop

            preview = dataclasses.replace(preview, stopped=Stop.TIME_LIMIT)
        yield done.task.data, preview
