"""The command `tf_style`."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tf_style.commands import status
from tf_style.commands.audience import Audience
from tf_style.commands.command import Command, CommandLine
from tf_style.commands.display import answer, columns, mention, printable, say, table
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, tensorflow_quiet
from tf_style.commands.film import film_in, make_film
from tf_style.commands.film_options import FilmOptions
from tf_style.commands.painted import Painted
from tf_style.commands.painting import painter_of
from tf_style.commands.progress import closed
from tf_style.commands.request import Request
from tf_style.commands.signals import STOPPED, Signals
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.commands.tally import Tally
from tf_style.settings import AUTO, InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.cost import Forecast
    from tf_style.run.jobs import Job
    from tf_style.run.result import Result

USAGE = """\
Paint a content picture in the style of another picture.

  tf_style CONTENT STYLE [OUTPUT] [--flag=value ...]
  tf_style --content=FILE --style=FILE [--output=FILE] [--flag=value ...]
  tf_style --content=FOLDER --style=FILE --output='out/{content}_{style}.png' [--flag=value ...]
  tf_style CONTENT [OUTPUT] --model=FILE|sample:NAME [--flag=value ...]
"""


def stylize(line: CommandLine) -> int:
    """Make all pictures that are asked for."""
    options = line.options(StylizeOptions)
    if options.list_samples:
        _list_samples()
        return DONE
    if options.list_presets:
        _list_presets()
        return DONE
    if options.list_layers:
        network = Settings.option("network")
        _list_layers(network.parse(line.given.get("network", network.default)))
        return DONE
    if options.sheet or "sheet_of" in line.given:
        from tf_style.commands.sheet import make_sheet

        return make_sheet(COMMAND, line, painter_of)
    if name := film_in(line):
        return make_film(line, name)
    request = Request.of(line)
    dataclasses.replace(line, notes=request.notes).tell()
    if not request.jobs:
        Tally(kept=request.kept).tell(quiet=options.quiet)
        return DONE
    if request.options.dry_run:
        return _forecast(request)
    return _make(request, line.signals)


def _make(request: Request, signals: Signals) -> int:
    tally = Tally(kept=request.kept)
    audience = Audience(request, tally, signals)
    entries: list[tuple[Job, Mapping[str, Any]]] = []
    held = request.checkpoints.held() if request.checkpoints else contextlib.nullcontext()
    with held, closed(audience):
        try:
            for painted in _paint_each(request, audience, tally, signals):
                _tell(painted, request, audience)
                tally.count(painted.job, request.jobs, painted.error, painted.stopped)
                if request.report and painted.entry:
                    entries.append((painted.job, painted.entry))
        except KeyboardInterrupt:
            if request.is_single:
                raise
            # Pressed again: the current picture is given up.
    tally.left = len(request.jobs) - tally.done
    if request.report and (entries or not request.is_single):
        _report(request, entries, audience)
    if not request.is_single:
        tally.tell(quiet=request.options.quiet)
    elif not tally.done:
        say(f"tf_style: {STOPPED}")
    # A signal that came when all was made stopped nothing.
    if signals and (tally.stopped or tally.left):
        return INTERRUPTED
    return FAILED if tally.failed or audience.failed else DONE


def _paint_each(
    request: Request, audience: Audience, tally: Tally, signals: Signals
) -> Iterator[Painted]:
    """All pictures, painted one after another in this process, or by several."""
    from tf_style.commands import crew

    share = None if request.is_single else crew.share_of(request)
    if share:
        yield from crew.painted(request, share, audience, tally, signals)
    else:
        yield from _paint_here(request, audience)


def _paint_here(request: Request, audience: Audience) -> Iterator[Painted]:
    from tf_style.run import jobs

    limit = request.options.time_limit
    status.show("reading pictures")
    for outcome in jobs.make(
        request.jobs, request.settings, painter_of(request), audience, least=request.least,
        checkpoints=request.checkpoints, **({"seconds": limit} if limit else {}),
    ):
        audience.end()
        if request.is_single and outcome.error and not outcome.begun:
            raise InputError(outcome.error)
        if outcome.value:
            _write_byproducts(outcome.value, request, audience)
        yield Painted.of(outcome, reported=bool(request.report))
        status.show("reading pictures")
        # Its pictures need not stay in memory while the next are read.
        del outcome


def _report(
    request: Request, entries: Sequence[tuple[Job, Mapping[str, Any]]], audience: Audience
) -> None:
    from tf_style.show.report import write_report

    # Several workers end in any order.
    places = {job.output: place for place, job in enumerate(request.jobs)}
    ordered = [entry for _, entry in sorted(entries, key=lambda each: places[each[0].output])]
    try:
        write_report(request.report, ordered[0] if request.is_single else {"pictures": ordered})
    except InputError as error:
        audience.fail(error)


def _write_byproducts(result: Result, request: Request, audience: Audience) -> None:
    """Write what shows the whole run."""
    try:
        request.byproducts.write(result)
    except InputError as error:
        # It could be written when the run began, and no longer can: the input is not at fault.
        audience.fail(error)


def _tell(painted: Painted, request: Request, audience: Audience) -> None:
    """Say what became of a job."""
    job, quiet = painted.job, request.options.quiet
    if painted.error:
        say(f"tf_style: {audience.heading(job)}{painted.error}")
    if painted.stopped is None:
        return
    # Of a single picture, a warning has said so.
    if painted.stopped == "not finite" and (quiet or not request.is_single):
        say(f"tf_style: {audience.heading(job)}{painted.stopped.message}")
    if not quiet:
        mention(printable(painted.path))
        if painted.stopped == "steps":
            say(f"tf_style: {painted.ending}")
    if painted.stopped in ("callback", "time limit"):
        _tell_stopped(painted, request, audience)


def _tell_stopped(painted: Painted, request: Request, audience: Audience) -> None:
    if request.is_single and request.options.quiet and not audience.signals:
        return
    why = ", as the time is up" if painted.stopped == "time limit" else ""
    say(f"tf_style: stopped after {count(painted.steps, 'step')}{why}; the picture so far is in "
        f"{os.fspath(painted.path)}")
    if request.is_single and request.checkpoints:
        say(f"tf_style: resume with: {request.resuming}", whole=True)
    elif request.is_single:
        say("tf_style: without --checkpoint=FOLDER there is nothing to resume from")


def _forecast(request: Request) -> int:
    """Print what all pictures would take."""
    from tf_style.commands.naming import title
    from tf_style.run import jobs

    memory, seconds, failed = 0.0, 0.0, False
    if not request.is_single:
        answer("memory  time at most  picture")
    # A dry run learns nothing.
    for outcome in jobs.forecast(
        request.jobs, request.settings, painter_of(request, learned=tuple),
        Audience(request, Tally(), Signals()), least=request.least,
    ):
        if outcome.error and request.is_single:
            raise InputError(outcome.error)
        if outcome.error:
            failed = True
            say(f"tf_style: {title(outcome.job)}: {outcome.error}")
            continue
        most = max(each.memory for each in outcome.value)
        takes = sum(each.seconds for each in outcome.value)
        if request.is_single:
            _print_sizes(outcome.value)
        else:
            answer(f"{most / 1e9:3.1f} GB  {minutes(takes):>12}  {printable(title(outcome.job))}",
                   column=22)
        memory, seconds = max(memory, most), seconds + takes
    answer(f"about {minutes(seconds)} and {memory / 1e9:.1f} GB in all, plus loading")
    return FAILED if failed else DONE


def _print_sizes(sizes: list[Forecast]) -> None:
    rows = [("size", "steps", "blocks", "memory", "time at most"), *(
        (f"{each.scale.width}x{each.scale.height}", str(each.scale.steps),
         str(each.block_size or "-"), f"{each.memory / 1e9:4.1f} GB", minutes(each.seconds))
        for each in sizes
    )]
    _print_table(rows, "{:12} {:>5}  {:>6}  {:>6}  {}")


def _list_samples() -> None:
    from tf_style.image import samples

    for title, group in (("content", samples.CONTENT_SAMPLES), ("style", samples.STYLE_SAMPLES)):
        answer(f"{title}:")
        for name, text in group.items():
            answer(f"  {samples.PREFIX}{name:16} {text}", column=26)
    answer("networks that paint, for --model: those of the styles")


def _list_presets() -> None:
    from tf_style.settings.presets import presets

    for name, text in presets().items():
        answer(f"  {name:12} {text}", column=15)


def _list_layers(network: str) -> None:
    from tf_style.network.architectures import ARCHITECTURES

    # The compact network, which `auto` may stand for, has no others.
    network = "vgg16" if network == AUTO else network
    if network not in ARCHITECTURES:
        with tensorflow_quiet(False):
            from tf_style.network.models import load_model
        status.show("loading the network")
        for layer in load_model(network).layers:
            answer(printable(layer.name), whole=True)
        return
    rows = [("layer", "channels", "stride", "sees (pixels)"), *(
        (layer.name, *map(str, (layer.channels, layer.stride, layer.field)))
        for layer in ARCHITECTURES[network].layers
    )]
    _print_table(rows, "{:14} {:>8} {:>7} {:>14}")


def _print_table(rows: Sequence[Sequence[str]], form: str) -> None:
    """Print a table; on a terminal that is too narrow for this form, with narrow columns."""
    lines = [form.format(*row) for row in rows]
    width = columns(sys.stdout)
    answer("\n".join(table(rows) if width and max(map(len, lines)) > width else lines))


COMMAND = Command(
    "tf_style", USAGE, (StylizeOptions, FilmOptions, Settings), stylize,
    places=("content", "style", "output"),
    needed=("content", "style", "output", "size", "strength", "large_forms", "style_scale",
            "preserve_color", "protect", "preset", "sheet", "network", "time_limit"),
    examples=("tf_style sample:harbor sample:waves waves.png",
              "tf_style --content=photos --style=painting.jpg --output=results/ --size=768"),
)
