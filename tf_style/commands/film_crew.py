"""A film of a command that is painted by several workers. No TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tf_style.cluster.share import Share
from tf_style.cluster.task import Task
from tf_style.commands import engines, status
from tf_style.commands.display import say
from tf_style.commands.film_request import Request
from tf_style.commands.film_work import FilmWork, PaintedPiece
from tf_style.commands.workers import Workers
from tf_style.film.known import Known
from tf_style.film.making import Selection
from tf_style.film.pieces import Piece, cuts_of, pieces
from tf_style.film.source import Film
from tf_style.film.store import Store
from tf_style.image.paths import mark
from tf_style.run.jobs import Job, memory_of
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.film.frame import FramePainter

# Pieces for each worker, so that none waits long for the last; and frames of a piece at least, as
# one that begins within a shot paints eight frames more.
_FOR_EACH, _LEAST = 2, 24
# On a cluster, frames of a piece at most: nodes that join later are to find some, too.
_MOST = 240


@dataclasses.dataclass
class FilmOfPieces:
    """A film that workers paint, as far as a `Making` is asked about it.

    Attributes:
        selection, size, store, times, begins, shots, painted: as those of a `Making`.
        known: its frames as they were seen.
        painter: what painted it.
        reported: what the report says besides: who painted what, and their memory.
    """

    selection: Selection
    size: tuple[int, int]
    store: Store
    known: Known
    cuts: Sequence[int]
    painter: PaintedPiece | FramePainter | None = None
    painted: int = 0
    reported: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, request: Request, film: Film, size: tuple[int, int], store: Store) -> FilmOfPieces:
        """Go through a film once."""
        selection, known = request.selection(film.info), Known()
        expected = selection.count(film.info)

        def pictures():
            for frame in selection.taken(film):
                known.add(frame)
                status.show("looking for cuts",
                            min(1.0, len(known.times) / expected) if expected else None)
                yield frame.picture

        _, cuts = cuts_of(pictures())
        return cls(selection, size, store, known, cuts)

    @property
    def times(self) -> list[Fraction]:
        return [time - self.known.times[0] for time in self.known.times]

    @property
    def begins(self) -> Fraction:
        return max(self.known.times[0], self.selection.start)

    @property
    def shots(self) -> int:
        return len(self.cuts)

    def share(self, request: Request) -> Share | None:
        """What each worker gets; `None` where one process paints the film."""
        settings = request.settings.replace(size=max(8, *self.size))
        return engines.share_of(
            request.options, settings.threads, max(1, len(self.times) // _LEAST),
            lambda: memory_of([Job(None, request.styles, None)], settings))

    def missing(self, each: Share, *, growing: bool) -> list[Piece]:
        """The pieces of which frames are missing.

        Args:
            growing: whether there may be more workers later.
        """
        count, there = len(self.times), self.store.numbers()
        wanted = max(_FOR_EACH * each.workers, count // _MOST if growing else 0)
        parts = max(each.workers, min(wanted, count // _LEAST))
        return [piece for piece in pieces(count, self.cuts, parts)
                if not there.issuperset(range(piece.start, piece.end))]

    def is_complete(self) -> bool:
        """Whether all frames are painted."""
        return self.store.numbers() >= set(range(len(self.times)))

    def paint(self, request: Request, each: Share) -> bool:
        """Have all frames painted that are missing; whether the time was up before."""
        if self.is_complete():
            return False
        if not request.options.cluster:
            return self._paint(request, each, "")
        with mark(self.store.folder) as marked:
            if not marked:
                raise InputError(f"{self.store.folder}: nothing can be written there")
            return self._paint(request, each, marked)

    def _paint(self, request: Request, each: Share, marked: str) -> bool:
        def work(each: Share, settle: engines.Settle) -> FilmWork:
            settled = dataclasses.replace(request, settings=settle(request.settings))
            return FilmWork.of(
                settled, self.size, self.store.folder, self.known, each, marked)

        options = request.options
        engine, each = engines.engine(options, each, work, request.settings.device)
        missing = self.missing(each, growing=bool(options.cluster))
        workers = Workers("tf_style", engine, request.line.signals, quiet=options.quiet,
                          seconds=options.time_limit)
        total = len(self.times)
        before = done = total - sum(piece.end - piece.start for piece in missing)
        length = (total - before) / max(1, len(missing))

        def watch() -> None:
            reached = done + workers.at_hand * length
            workers.show(
                "painting", reached, total, (
                    f"frame {math.floor(reached)}/{total}",
                    f"{(reached - before) / max(1e-9, workers.seconds):.2g} a second",
                ), before=before)

        tasks = [Task(f"{piece.start}-{piece.end}", f"frames {piece.start + 1} to {piece.end}",
                      piece) for piece in missing]
        for each_done in workers.done(tasks, watch):
            piece, made = each_done.task.data, each_done.value
            if made is None:
                say(f"tf_style: {each_done.task.title}: {each_done.lost}")
                continue
            done += piece.end - piece.start
            self.painter = made
            self.painted += made.painted
            peaks = filter(None, (self.reported.get("peak_memory_bytes"), made.memory))
            pieces_before = self.reported.get("workers", [])
            self.reported = {
                "peak_memory_bytes": max(peaks, default=None),
                "workers": [*pieces_before, {"frames": [piece.start, piece.end],
                                             "worker": each_done.worker}],
            }
        return workers.late
