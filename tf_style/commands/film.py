"""The command `tf_style` where its content is a film."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shlex
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import naming, status
from tf_style.commands.command import CommandLine
from tf_style.commands.display import mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, tensorflow_quiet
from tf_style.commands.film_options import FilmOptions
from tf_style.commands.outputs import check_apart, writing
from tf_style.commands.places import places_of_model, places_of_run
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.film.source import ANIMATIONS, CONTAINERS, Film, Info, is_film, open_film
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.film.frame import FramePainter
    from tf_style.film.making import Making, Selection
    from tf_style.film.pieces import Piece
    from tf_style.film.store import Store

# What belongs to a picture and its steps.
_OF_PICTURES = (
    "content_mask", "style_mask", "protect", "bits", "dry_run", "sheet", "sheet_of",
    "settings_from", "snapshot_every", "animate", "plot", "logdir", "checkpoint",
    "checkpoint_every", "profile",
)
_TRIAL_SIDE, _TRIAL_SECONDS = 256, 2
# Of a file that is read for its digest, at once.
_PIECE = 1 << 20


def film_in(line: CommandLine) -> str | None:
    """The film among what a command line names; `None` if there is none, as for pictures."""
    options, films = line.options(StylizeOptions), line.options(FilmOptions)
    name = options.content or next(iter(line.places), None)
    if name and is_film(name, animated=films.frames, rate=films.fps):
        return name
    for flag in ("frames", "fps", "start", "end", "every", "trial", "steadiness", "frame_steps",
                 "piece", "temporal_weight"):
        if flag in line.given:
            raise InputError(
                f"--{flag}: is for films, and {name or 'the content'} is none. Expected one of "
                f"{', '.join(CONTAINERS)}; {' or '.join(ANIMATIONS)} with --frames; or, with "
                "--fps, a folder of frames"
            )
    return None


def make_film(line: CommandLine, name: str) -> int:
    """Paint a film."""
    from tf_style.film.making import Making

    request = Request.of(line, name)
    if request.options.skip_existing and request.output.exists():
        say(f"tf_style: {request.output} exists already and is kept")
        return DONE
    line.tell()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        film = stack.enter_context(open_film(name, request.films.fps))
        size, piece = request.size(film.info), request.piece(film)
        request.tell_lost(film.info)
        part = "{} of {}".format(*request.films.piece) if request.films.piece else "film"
        store = stack.enter_context(request.store(size))
        stack.enter_context(store.held(f".{part.replace(' ', '_')}"))
        stack.enter_context(_said_once())
        selection = request.selection(film.info)
        making = Making(film, selection, size, request.painter(size), store, piece)
        ended = _paint(request, making, film.info)
        if film.broken:
            is_one = film.broken == 1
            say(f"tf_style: {count(film.broken, 'frame')} of {name} cannot be read and "
                f"{'is' if is_one else 'are'} left out")
        if ended is not None:
            return ended
        if request.films.piece and not making.is_complete():
            say(f"tf_style: piece {part} is painted; others of {request.output} are not yet")
            return DONE
        _put_together(request, making, film, time.monotonic() - began)
    store.remove()
    return DONE


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be painted, and where it goes.

    Attributes:
        line: the command line.
        options, films, settings: as they were given.
        name: the film.
        styles: style pictures, or the network that paints.
        output: where the film is written.
        report: where a report is written; `None` for nowhere.
    """

    line: CommandLine
    options: StylizeOptions
    films: FilmOptions
    settings: Settings
    name: str
    styles: tuple[str, ...]
    output: Path
    report: Path | None

    @classmethod
    def of(cls, line: CommandLine, name: str) -> Request:
        """Parse and check a command line, without TensorFlow.

        Raises:
            InputError: for anything that it asks for and that is not possible.
        """
        from tf_style.film.extra import needs
        from tf_style.film.sink import check_film
        from tf_style.image.paths import check_writable, locate

        for flag in _OF_PICTURES:
            if flag in line.given:
                raise InputError(f"--{flag}: is for pictures, and {name} is a film. Leave it out")
        options, films = line.options(StylizeOptions), line.options(FilmOptions)
        settings = line.options(Settings)
        if films.end is not None and films.end <= (films.start or 0):
            raise InputError(f"--end: expected a time after --start={float(films.start or 0):g}. "
                             f"Received: {float(films.end):g}")
        if films.trial and films.piece:
            raise InputError("--trial and --piece: choose one of them")
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
            else places_of_model(options, settings.model, line.places)
        )
        path = _output(name, styles, output, trial=films.trial)
        if not options.skip_existing:
            check_film(path)
        report = check_writable(options.report) if options.report else None
        _check_styles(settings, styles)
        inputs = [*styles, *line.flagfiles, *([name] if os.path.isfile(locate(name)) else [])]
        check_apart({"output": path, "report": report}, inputs)
        return cls(line, options, films, settings, name, styles, path, report)

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
                start = max(Fraction(0), (info.frames / info.rate - _TRIAL_SECONDS) / 2)
            end = min(filter(None, (end, start + _TRIAL_SECONDS)))
        return Selection(start, end, self.films.every)

    @contextlib.contextmanager
    def store(self, size: tuple[int, int]) -> Iterator[Store]:
        """Where its painted frames are kept until all are there; nothing is, where none is painted.

        Raises:
            InputError: if there are frames that it cannot go on with.
        """
        from tf_style.film.store import Store

        store = Store(self.output.with_name(f"{self.output.name}.frames"))
        store.begin({
            "film": _digest(self.name), "size": list(size),
            "styles": [_digest(each) for each in self.styles],
            "fps": str(self.films.fps), "start": str(self.films.start), "end": str(self.films.end),
            "every": self.films.every, "trial": self.films.trial,
            "steadiness": self.films.steadiness, "frame_steps": self.films.frame_steps,
            "settings": self.settings.as_dict(),
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
        painter = OptimizedFrames(Painter(settings, watch=status.show, start=start), styles,
                                  frame_steps=self.films.frame_steps)
        painter.callback = lambda step: bool(self.line.signals)
        return painter

    def provenance(self, painter: FramePainter) -> dict[str, Any]:
        """What decided the film, as plain JSON data."""
        from tf_style.run.machine import versions

        return {
            "content": self.name, "style": list(self.styles),
            **{each.name: None if value is None else str(value)
               for each in FilmOptions.options()
               for value in [getattr(self.films, each.name)]},
            "given": self.settings.as_dict(), "settings": painter.settings.as_dict(),
            "weights": dict(painter.weights), "versions": versions(),
        }

    def resuming(self) -> str:
        """The command that goes on with the film, for a shell."""
        argv = self.line.argv
        # In front, because nothing after a -- is a flag.
        named = self.options.output or len(self.line.places) == (2 if self.settings.model else 3)
        added = [f"--output={self.output}"] * (not named) + ["--resume"] * (
            not self.options.resume)
        command = ["tf_style", *added, *argv]
        return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _paint(request: Request, making: Making, info: Info) -> int | None:
    """Paint all frames that are missing; returns an exit code where that was stopped."""
    signals, options = request.line.signals, request.options
    from tf_style.film.frame import StoppedError

    total = making.selection.count(info)
    began, shown, first = time.monotonic(), 0, 0.0
    ends = began + options.time_limit if options.time_limit else None
    status.show("reading the film")
    signals.keep()
    done, late = 0, False
    with contextlib.suppress(StoppedError):
        for done in making.frames():
            if making.painted == 1 and not first:
                first = time.monotonic()
            left = None
            if making.painted > 1 and total:
                pace = (time.monotonic() - first) / (making.painted - 1)
                left = time.monotonic() + pace * max(0, total - done)
                shown = 1 / pace
            status.show(
                "painting", min(1.0, done / total) if total else None, ends=left,
                details=(f"frame {done}" + (f"/{total}" if total else ""),
                         *([f"{shown:.2g} a second"] if shown else [])),
            )
            late = ends is not None and time.monotonic() >= ends
            if signals or late:
                break
        else:
            return None
    why = ", as the time is up" if late else ""
    say(f"tf_style: stopped after {count(done, 'frame')}{why}; they are in {making.store.folder}")
    say(f"tf_style: go on with: {request.resuming()}", whole=True)
    return INTERRUPTED if signals else FAILED


def _put_together(request: Request, making: Making, film: Film, seconds: float) -> None:
    """Write the film, and a report if one is asked for; say what was made."""
    from tf_style.film.sink import write
    from tf_style.run.machine import peak_memory
    from tf_style.show.report import write_report

    remarks: list[str] = []

    def remark(text: str) -> None:
        if text not in remarks:
            remarks.append(text)
            if not request.options.quiet:
                say(f"tf_style: {text}")

    sound = None
    if Path(request.name).suffix.lower() in CONTAINERS:
        selection = making.selection
        sound = request.name, selection.start, selection.end
    decided = request.provenance(making.painter)
    note = json.dumps(decided) if request.options.embed_settings else None
    status.show("writing")
    with writing():
        write(request.output, making.store, making.times, film.info, sound, note, remark,
              lambda share: status.show("writing", share))
        if request.report:
            write_report(request.report, {
                **decided, "output": os.fspath(request.output),
                "frames": len(making.times), "painted": making.painted, "shots": making.shots,
                "broken": film.broken, "size": [*making.size], "seconds": round(seconds, 3),
                "peak_memory_bytes": peak_memory(), "remarks": remarks,
            })
    status.hide()
    if not request.options.quiet:
        mention(printable(request.output))
        pace = f", {making.painted / seconds:.2g} a second" if making.painted > 1 else ""
        say(f"tf_style: {count(len(making.times), 'frame')} of {making.size[1]}x{making.size[0]} "
            f"pixels in {minutes(seconds)}{pace}")


@contextlib.contextmanager
def _said_once() -> Iterator[None]:
    """In this context, what each frame would warn of again is said once."""
    said: set[str] = set()
    show = warnings.showwarning

    def once(message: Warning | str, *rest: Any, **more: Any) -> None:
        if str(message) not in said:
            said.add(str(message))
            show(message, *rest, **more)

    warnings.showwarning = once
    try:
        yield
    finally:
        warnings.showwarning = show


def _output(name: str, styles: Sequence[str], output: str | None, *, trial: bool) -> Path:
    """Where a film is written."""
    if output is None:
        ending = Path(name).suffix.lower()
        kept = ending if ending in (*ANIMATIONS, ".webm") and os.path.isfile(name) else ".mp4"
        path = naming.beside(name, styles, ending=kept)
    else:
        path = Path(output)
    return path.with_name(f"{path.stem}_trial{path.suffix}") if trial else path


def _check_styles(settings: Settings, styles: Sequence[str]) -> None:
    from tf_style.image.picture import read_picture
    from tf_style.transfer.samples import check_model

    if settings.model:
        check_model("model", settings.model)
        return
    for style in styles:
        read_picture(style, max_pixels=settings.max_pixels, side=64)


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
