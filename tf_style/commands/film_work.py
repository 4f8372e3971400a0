"""What workers do for a film: they paint pieces of it. No TensorFlow of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tf_style.cluster.share import Share
from tf_style.cluster.task import Talk
from tf_style.commands import engines
from tf_style.commands.film_request import Request
from tf_style.commands.picture_work import check_files
from tf_style.commands.signals import Signals
from tf_style.commands.workers import told
from tf_style.film.extra import needs
from tf_style.film.frame import StoppedError
from tf_style.film.known import Known
from tf_style.film.making import Making
from tf_style.film.pieces import Piece
from tf_style.film.source import open_film
from tf_style.film.store import Store
from tf_style.image.paths import expand, locate
from tf_style.run import machine
from tf_style.settings import InputError, Settings


@dataclasses.dataclass(frozen=True)
class PaintedPiece:
    """What painted a piece of a film: plain data. Its frames are in the film's store.

    Attributes:
        settings, weights: as those of a `FramePainter`.
        versions: of what its pixels depend on.
        painted: how many frames were painted.
        memory: the most that the process had, in bytes; `None` if unknown.
    """

    settings: Settings
    weights: Mapping[str, str]
    versions: Mapping[str, str]
    painted: int = 0
    memory: int | None = None


@dataclasses.dataclass(frozen=True)
class FilmWork:
    """Paints a piece of a film with each task, into the film's store.

    Attributes:
        request: what is asked for.
        size: height and width to paint at.
        folder: the film's store.
        known: its frames as the command saw them.
        mark: a file in it, by which a machine knows that it shares the folder; empty if all
            workers are on one.
        sizes: of the film and its styles, in bytes, by name.
    """

    request: Request
    size: tuple[int, int]
    folder: Path
    known: Known
    mark: str = ""
    sizes: Mapping[str, int | None] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls, request: Request, size: tuple[int, int], folder: Path, known: Known, each: Share,
        mark: str = "",
    ) -> FilmWork:
        """The work of workers that get so much."""
        # The signals of this process are nobody else's.
        line = dataclasses.replace(request.line, signals=Signals())
        settings = request.settings.replace(threads=each.threads)
        sizes = {}
        if mark:
            # Other machines have other working folders.
            folder = Path(os.path.abspath(folder))
            styles = tuple(map(engines.absolute, request.styles))
            request = dataclasses.replace(
                request, name=engines.absolute(request.name), styles=styles)
            # What `styles` names where a network paints, the settings name.
            read = [request.name, *(() if settings.model else styles)]
            sizes = {name: _size(name) for name in read}
        return cls(dataclasses.replace(
            request, line=line, settings=settings, memory=each.memory), size, folder,
            known, mark, sizes)

    def results(self, data: Iterator[Piece], talk: Talk) -> Iterator[PaintedPiece]:
        """What painted each piece. What is painted of one whose making is stopped stays."""
        line = dataclasses.replace(self.request.line, signals=_Asked(talk))
        request = dataclasses.replace(self.request, line=line)
        with told(talk, quiet=request.options.quiet):
            painter = request.painter(self.size)
            for piece in data:
                with open_film(request.name, request.films.fps) as film:
                    making = Making(film, request.selection(film.info), self.size, painter,
                                    Store(self.folder), piece, whole=False, known=self.known)
                    if not _painted(making, piece, talk):
                        return
                yield PaintedPiece(painter.settings, dict(painter.weights), machine.versions(),
                                   making.painted, machine.peak_memory())

    def check(self) -> None:
        """Check that this machine shares the film, its store, and what paints it.

        Raises:
            InputError: if not.
        """
        for module in ("av", "cv2"):
            needs(module)
        if self.mark and not os.path.exists(self.mark):
            raise InputError(f"{self.folder}: this folder is not there; films on a --cluster need "
                             "one that all nodes share, and so does the film itself")
        for name, size in self.sizes.items():
            if _size(name) != size:
                raise InputError(f"{name}: this is not there, or another file; on a --cluster, all "
                                 "nodes have to see a film and its styles")
        check_files(self.request.settings)

    def moved(self, data: Piece, places: Mapping[str, str]) -> Piece:
        """The same piece: of a film, all workers share the disk."""
        return data


def _size(name: str) -> int | None:
    """Of a file, or of all frames of a folder or a pattern, in bytes; `None` for what is none."""
    try:
        return sum(map(os.path.getsize, expand(os.fspath(locate(name)))))
    except (InputError, OSError):
        return None


class _Asked(Signals):
    """What asks a worker to stop, in place of signals."""

    def __init__(self, talk: Talk):
        super().__init__()
        self._talk = talk

    def __bool__(self) -> bool:
        return self._talk.stopping


def _painted(making: Making, piece: Piece, talk: Talk) -> bool:
    """Paint the frames of a piece that are missing; whether that was not stopped."""
    with contextlib.suppress(StoppedError):
        for done in making.frames():
            talk.share((done - piece.warm) / (piece.end - piece.warm))
            if talk.stopping:
                return False
        return True
    return False
