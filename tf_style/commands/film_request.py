"""What a command line asks for where the content is a film, checked without TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import naming, status
from tf_style.commands.command import CommandLine
from tf_style.commands.display import say
from tf_style.commands.drawing import count
from tf_style.commands.exits import tensorflow_quiet
from tf_style.commands.film_options import FilmOptions
from tf_style.commands.outputs import check_apart
from tf_style.commands.places import check_painter, places_of_model, places_of_run
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.film.source import ANIMATIONS, Film, Info
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.commands.film_work import PaintedPiece
    from tf_style.film.frame import FramePainter
    from tf_style.film.making import Selection
    from tf_style.film.pieces import Piece
    from tf_style.film.store import Store

# What belongs to a picture and its steps.
_OF_PICTURES = (
    "content_mask", "style_mask", "protect", "bits", "dry_run", "sheet", "sheet_of",
    "settings_from", "snapshot_every", "animate", "plot", "logdir", "checkpoint",
    "checkpoint_every", "profile",
)
_TRIAL_SIDE, _TRIAL_SECONDS = 256, 2
# How frames are painted: one that others were painted by is not gone on with.
_METHOD = 4
# Of a file that is read for its digest, at once.
_PIECE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be painted, and where it goes.

    Attributes:
        line: the command line.
        options, films, settings: as they were given.
        name: the film.
        styles: style pictures, or the network that paints.
        output: where the film is written.
        folder: whether it is a folder of frames.
        report: where a report is written; `None` for nowhere.
        memory: bytes that painting may take; `None` for what the settings say.
    """

    line: CommandLine
    options: StylizeOptions
    films: FilmOptions
    settings: Settings
    name: str
    styles: tuple[str, ...]
    output: Path
    folder: bool
    report: Path | None
    memory: float | None = None

    @classmethod
    def of(cls, line: CommandLine, name: str) -> Request:
        """Parse and check a command line, without TensorFlow.

        Raises:
            InputError: for anything that it asks for and that is not possible.
        """
        from tf_style.commands import engines
        from tf_style.film.extra import needs
        from tf_style.film.sink import check_film, is_folder
        from tf_style.image.paths import check_writable, locate

        for flag in _OF_PICTURES:
            if flag in line.given:
                raise InputError(f"--{flag}: is for pictures, and {name} is a film. Leave it out")
        options, films = line.options(StylizeOptions), line.options(FilmOptions)
        check_painter(line)
        settings = line.options(Settings)
        if films.end is not None and films.end <= (films.start or 0):
            raise InputError(f"--end: expected a time after --start={float(films.start or 0):g}. "
                             f"Received: {float(films.end):g}")
        if films.trial and films.piece:
            raise InputError("--trial and --piece: choose one of them")
        engines.check(options)
        for flag, given in (("workers", options.workers != 1), ("cluster", options.cluster)):
            if given and films.piece:
                raise InputError(f"--{flag} and --piece: choose one of them")
        other = "frame_steps" if settings.model else "steadiness"
        if other in line.given:
            raise InputError(f"--{other}: has no effect {'with' if settings.model else 'without'} "
                             "--model. Leave it out")
        if films.fps and os.path.isfile(locate(name)):
            raise InputError(f"--fps: {name} has times of its own. Leave it out")
        for module in ("av", "cv2"):
            needs(module)
        _, styles, output = (
            places_of_run(options, line.places) if settings.model is None
            else places_of_model(options, settings.model, line.places, replaces=not films.trial)
        )
        place = _output(name, styles, output, trial=films.trial)
        kept = options.skip_existing and os.path.exists(place)
        path = Path(place) if kept else check_film(place)
        report = check_writable(options.report) if options.report else None
        _check_styles(settings, styles)
        inputs = [*styles, *line.flagfiles, *([name] if os.path.isfile(locate(name)) else [])]
        check_apart({"output": path, "report": report}, inputs)
        return cls(
            line, options, films, settings, name, styles, path, is_folder(place), report)

    def size(self, info: Info) -> tuple[int, int]:
        """Height and width to paint at."""
        from tf_style.image.resize import fitted_size

        side = self.settings.size.long_side
        if self.films.trial and "size" not in self.line.given:
            side = _TRIAL_SIDE
        if self.settings.size.width:
            raise InputError(f"--size={self.settings.size}: a film has its own proportions. "
                             "Expected one number, or original")
        side = side or max(info.height, info.width)
        return fitted_size(info.height, info.width, side)

    def tell_lost(self, info: Info) -> None:
        """Say what cannot be kept of the film."""
        for each in info.lost:
            say(f"tf_style: {self.name}: {each}")

    def selection(self, info: Info) -> Selection:
        """Which frames are painted."""
        from tf_style.film.making import Selection

        start, end = self.films.start or Fraction(0), self.films.end
        if self.films.trial:
            if self.films.start is None and info.frames:
                # From the middle: films begin with titles, or black.
                lasts = min(filter(None, (end, info.frames / info.rate)))
                start = max(Fraction(0), (lasts - _TRIAL_SECONDS) / 2)
            end = min(filter(None, (end, start + _TRIAL_SECONDS)))
        return Selection(start, end, self.films.every)

    def was_made(self) -> bool:
        """Whether the film that is to be gone on with was complete, and only its frames were not
        removed yet."""
        return self._store().was_removed() and self.options.resume and self.output.exists()

    def _store(self) -> Store:
        from tf_style.film.store import Store

        return Store(self.output.with_name(f"{self.output.name}.frames"))

    @contextlib.contextmanager
    def store(self, size: tuple[int, int]) -> Iterator[Store]:
        """Where its painted frames are kept until all are there; nothing is, where none is painted.

        Raises:
            InputError: if there are frames that it cannot go on with.
        """
        from tf_style.run.checkpoints import FREE

        store = self._store()
        store.begin({
            "film": _digest(self.name), "size": list(size),
            "styles": [_digest(each) for each in self.styles],
            "fps": str(self.films.fps), "start": str(self.films.start), "end": str(self.films.end),
            "every": self.films.every, "trial": self.films.trial,
            "steadiness": self.films.steadiness, "frame_steps": self.films.frame_steps,
            "method": _METHOD,
            **{f"--{name}": value for name, value in self.settings.as_dict().items()
               if name not in FREE},
        }, resume=self.options.resume or self.films.piece is not None)
        try:
            yield store
        finally:
            if not store.numbers():
                store.remove()

    def piece(self, film: Film) -> Piece | None:
        """The part of the film that is painted; `None` for all of it."""
        if not self.films.piece:
            return None
        from tf_style.film.pieces import cuts_of, pieces

        status.show("looking for cuts")
        found, cuts = cuts_of(each.picture for each in self.selection(film.info).frames(film))
        number, parts = self.films.piece
        if parts > found:
            raise InputError(f"--piece={number}/{parts}: the film has {count(found, 'frame')}")
        return pieces(found, cuts, parts)[number - 1]

    def painter(self, size: tuple[int, int]) -> FramePainter:
        """What paints frames of this size."""
        # No frame is made smaller or larger again.
        settings = self.settings.replace(size=max(8, *size))
        with tensorflow_quiet(self.options.verbose):
            if settings.model:
                from tf_style.film.by_network import NetworkFrames
                from tf_style.transfer.painter import ModelPainter
            else:
                from tf_style.film.by_optimizer import OptimizedFrames
                from tf_style.run.painter import Painter
        status.show("loading the network")
        if settings.model:
            return NetworkFrames(ModelPainter(settings), self.films.steadiness)
        from tf_style.run.inputs import PictureFile
        from tf_style.run.scene import starts_by_network
        from tf_style.run.schedule import needed_sides

        styles = [PictureFile.of(each, max_pixels=settings.max_pixels,
                                 side=needed_sides(settings)[1]) for each in self.styles]
        start = None
        if starts_by_network(settings):
            from tf_style.transfer.brush import Brush

            start = Brush(settings, "init").paint
        painter = OptimizedFrames(
            Painter(settings, watch=status.show, start=start, memory=self.memory), styles,
            frame_steps=self.films.frame_steps)
        painter.callback = lambda step: bool(self.line.signals)
        return painter

    def provenance(self, painter: FramePainter | PaintedPiece) -> dict[str, Any]:
        """What decided the film, as plain JSON data."""
        from tf_style.commands.film_work import PaintedPiece
        from tf_style.run import machine

        made_here = not isinstance(painter, PaintedPiece)
        return {
            "content": self.name, "style": list(self.styles),
            **{each.name: None if value is None else str(value)
               for each in FilmOptions.options()
               for value in [getattr(self.films, each.name)]},
            "given": self.settings.as_dict(), "settings": painter.settings.as_dict(),
            "weights": dict(painter.weights),
            "versions": machine.versions() if made_here else dict(painter.versions),
        }

    def resuming(self) -> str:
        """The command that goes on with the film, for a shell."""
        argv = self.line.argv
        # In front, because nothing after a -- is a flag.
        named = self.options.output or len(self.line.places) == (2 if self.settings.model else 3)
        output = self.output
        if self.films.trial:
            output = output.with_name(output.stem.removesuffix("_trial") + output.suffix)
        added = [f"--output={output}"] * (not named) + ["--resume"] * (
            not self.options.resume)
        command = ["tf_style", *added, *argv]
        return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _output(name: str, styles: Sequence[str], output: str | None, *, trial: bool) -> str:
    """Where a film is written; with a / at its end, it is a folder of frames."""
    from tf_style.film.sink import is_folder

    if output is None:
        ending = Path(name).suffix.lower()
        kept = ending if ending in (*ANIMATIONS, ".webm") and os.path.isfile(name) else ".mp4"
        output = os.fspath(naming.beside(name, styles, ending=kept))
    if Path(output).name in ("", ".."):
        # What lies beside the folder is named after it.
        output = os.path.join(os.path.abspath(output), "")
    if not trial:
        return output
    path = Path(output)
    if is_folder(output):
        return os.path.join(path.with_name(f"{path.name}_trial"), "")
    return os.fspath(path.with_name(f"{path.stem}_trial{path.suffix}"))


def _check_styles(settings: Settings, styles: Sequence[str]) -> None:
    from tf_style.image.picture import read_picture
    from tf_style.network import weights
    from tf_style.network.choice import check_weights, choose
    from tf_style.run.scene import check_start, starts_by_network
    from tf_style.transfer.samples import check_model

    if settings.model:
        check_model("model", settings.model)
        return
    if starts_by_network(settings):
        check_model("init", settings.init)
    check_start(settings)
    for style in styles:
        read_picture(style, max_pixels=settings.max_pixels, side=64)
    check_weights(choose(settings, weights.settle_known)[1])


def _digest(name: str) -> str:
    """SHA-256 of a file, or of the names and sizes of several."""
    from tf_style.image.paths import expand, locate

    found = hashlib.sha256()
    path = locate(name)
    if not os.path.isfile(path):
        for each in expand(name):
            found.update(f"{Path(each).name} {os.path.getsize(each)}\n".encode(errors="replace"))
        return found.hexdigest()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
