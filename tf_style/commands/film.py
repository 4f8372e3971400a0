"""The command `tf_style` where its content is a film."""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import status
from tf_style.commands.command import CommandLine
from tf_style.commands.display import mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED
from tf_style.commands.film_options import FilmOptions
from tf_style.commands.film_request import Request
from tf_style.commands.outputs import writing
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.film.source import ANIMATIONS, CONTAINERS, Film, Info, is_film, open_film
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.cluster.share import Share
    from tf_style.commands.film_crew import FilmOfPieces
    from tf_style.film.making import Making
    from tf_style.film.store import Store


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
    if request.was_made():
        say(f"tf_style: {request.output} is complete already")
        return DONE
    line.tell()
    began = time.monotonic()
    status.show("reading the film")
    with contextlib.ExitStack() as stack:
        film = stack.enter_context(open_film(name, request.films.fps))
        size, piece = request.size(film.info), request.piece(film)
        request.tell_lost(film.info)
        part = "{} of {}".format(*request.films.piece) if request.films.piece else "film"
        store = stack.enter_context(request.store(size))
        stack.enter_context(store.held(f".{part.replace(' ', '_')}"))
        stack.enter_context(_said_once())
        shared, each = _shared(request, film, size, store)
        if shared:
            making, ended = shared, _paint_by_workers(request, shared, each)
        else:
            making = Making(film, request.selection(film.info), size, request.painter(size),
                            store, piece)
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
        if not stack.enter_context(_alone(store)):
            say(f"tf_style: piece {part} is painted; another process puts {request.output} "
                "together")
            return DONE
        _put_together(request, making, film, time.monotonic() - began,
                      shared.reported if shared else {})
        store.remove()
    return DONE


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
    return _stopped(request, making.store, done, late=late)


def _shared(
    request: Request, film: Film, size: tuple[int, int], store: Store
) -> tuple[FilmOfPieces, Share] | tuple[None, None]:
    """The film as workers are to paint it, and what each of them gets; `None` where none do."""
    if request.options.workers == 1 and not request.options.cluster:
        return None, None
    from tf_style.commands.film_crew import FilmOfPieces

    if request.options.cluster:
        # Before all of the film is read.
        from tf_style.cluster import on_ray

        on_ray.check(request.options.cluster)
    found = FilmOfPieces.of(request, film, size, store)
    each = found.share(request)
    return (found, each) if each and found.times else (None, None)


def _paint_by_workers(request: Request, making: FilmOfPieces, each: Share) -> int | None:
    """As `_paint`, by several workers."""
    late = making.paint(request, each)
    if making.is_complete():
        making.painter = making.painter or request.painter(making.size)
        return None
    return _stopped(request, making.store, len(making.store.numbers()), late=late)


def _stopped(request: Request, store: Store, done: int, *, late: bool) -> int:
    """Say that frames are missing, and how to go on; returns an exit code."""
    why = ", as the time is up" if late else ""
    say(f"tf_style: stopped after {count(done, 'frame')}{why}; they are in {store.folder}")
    say(f"tf_style: go on with: {request.resuming()}", whole=True)
    return INTERRUPTED if request.line.signals else FAILED


def _put_together(
    request: Request, making: Making | FilmOfPieces, film: Film, seconds: float,
    more: Mapping[str, Any],
) -> None:
    """Write the film, and a report, with `more`, if one is asked for; say what was made."""
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
        sound = request.name, making.begins, making.selection.end
    decided = {**request.provenance(making.painter), "taken": making.selection.as_dict()}
    note = json.dumps(decided) if request.options.embed_settings else None
    status.show("writing")
    with writing():
        write(request.output, making.store, making.times, film.info, sound, note, remark,
              lambda share: status.show("writing", share), folder=request.folder)
        if request.report:
            write_report(request.report, {
                **decided, "output": os.fspath(request.output),
                "frames": len(making.times), "painted": making.painted, "shots": making.shots,
                "broken": film.broken, "size": [*making.size], "seconds": round(seconds, 3),
                "peak_memory_bytes": peak_memory(), **more, "remarks": remarks,
            })
    status.hide()
    if not request.options.quiet:
        mention(printable(request.output))
        pace = f", {making.painted / seconds:.2g} a second" if making.painted > 1 else ""
        say(f"tf_style: {count(len(making.times), 'frame')} of {making.size[1]}x{making.size[0]} "
            f"pixels in {minutes(seconds)}{pace}")


@contextlib.contextmanager
def _alone(store: Store) -> Iterator[bool]:
    """Whether this process is the one that puts the film together, as others do not meanwhile."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(store.held(".writing"))
        except InputError:
            yield False
            return
        yield True


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
