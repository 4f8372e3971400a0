"""`--sheet`: small previews of several settings on one picture, to choose from by eye."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.commands import status
from tf_style.commands.audience import Audience
from tf_style.commands.command import Command, CommandLine
from tf_style.commands.display import mention, printable, say
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, tensorflow_quiet
from tf_style.commands.flagfiles import split_off
from tf_style.commands.flags import parse, parse_one
from tf_style.commands.outputs import writing
from tf_style.commands.progress import closed
from tf_style.commands.request import Request
from tf_style.commands.sheet_work import Place, Preview, painted, share_of
from tf_style.commands.signals import STOPPED, Signals
from tf_style.commands.spelling import spelled
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.commands.tally import Tally
from tf_style.settings import AUTO, InputError, Settings, auto
from tf_style.settings.presets import presets
from tf_style.settings.size import Size

if TYPE_CHECKING:
    from tf_style.run.jobs import Job
    from tf_style.run.painter import Painter
    from tf_style.show.sheet import Cell

# Long side of a preview, in pixels.
_SIDE = 256
# Half the steps of a picture, and never more than so many at a size, show what it will be like.
_MOST_STEPS = 100
_MOST_PIXELS = 50_000_000
_MOST_ABREAST = 7
_OF = StylizeOptions.option("sheet_of").default
# From the photograph that is touched to one that is hard to recognise.
_STRENGTHS = ("0.3", "0.4", "0.5", "0.6", "0.7")
# What belongs to a picture of its own, or to a run of one.
_ALONE = ("output", "skip_existing", "bits", "dry_run", "report", "settings_from",
          "snapshot_every", "animate", "plot", "logdir", "checkpoint", "checkpoint_every", "resume",
          "profile", "logs")
# What settles how large and how fine a picture is, not what it looks like.
_FINENESS = ("size", "scales", "steps", "tolerance", "learning_rate_schedule")


@dataclasses.dataclass(frozen=True)
class Column:
    """What is made with the same settings.

    Attributes:
        label: what to add to the command for it.
        request: its pictures, one for each row.
        chosen: whether the user named it.
    """

    label: str
    request: Request
    chosen: bool = True

    @property
    def jobs(self) -> list[Job]:
        """Its pictures, told apart from those of other columns."""
        return [dataclasses.replace(job, label=self.label) for job in self.request.jobs]


def make_sheet(
    command: Command, line: CommandLine,
    painter: Callable[[Request, Painter | None], Callable[[], Painter]],
) -> int:
    """Make the sheet that a command line asks for; returns the exit code.

    Args:
        painter: takes a request, and a painter that its own may be like; returns a function that
            returns the painter.

    Raises:
        InputError: for anything that is asked for and not possible.
        OutputError: if the sheet cannot be written.
    """
    notes: list[str] = []
    columns = _columns(command, line, notes.append)
    options = columns[0].request.options
    dataclasses.replace(line, notes=(*columns[0].request.notes, *notes)).tell()
    with _each_once():
        columns = [each for each in columns
                   if each.chosen or not _is_learned(each, options.verbose)]
        return _make(columns, options, line.signals, painter)


# What is on the sheet


def _columns(command: Command, line: CommandLine, note: Callable[[str], None]) -> list[Column]:
    options = line.options(StylizeOptions)
    if line.given.get("model"):
        raise InputError("--sheet: has no effect with --model, which takes no steps. Leave it out")
    if not options.sheet:
        raise InputError("--sheet_of: say where the sheet goes: --sheet=FILE")
    extra = [f"--{name}" for name in _ALONE if name in line.given] + list(line.places[2:3])
    if extra:
        raise InputError(f"--sheet and {extra[0]}: nothing but the sheet is written. Leave out one "
                         "of them")
    own = split_off(spelled(command, line.argv, lambda text: None))[1]
    typed = parse_one(command, own, "")[0]
    found: dict[str, Column] = {}
    for word in options.sheet_of.split(","):
        for column in _named(command, line, typed, word.strip(), note):
            found.setdefault(column.label, column)
    columns = list(found.values())
    size = columns[0].request.settings.size
    most = _MOST_PIXELS // _long_side(size) ** 2
    count = sum(len(each.request.jobs) for each in columns)
    if count > most:
        raise InputError(f"--sheet={options.sheet}: expected at most {most} pictures of --size="
                         f"{size}. Received: {count}. Choose fewer, or a smaller --size")
    return columns


def _named(
    command: Command, line: CommandLine, typed: dict[str, Any], word: str,
    note: Callable[[str], None],
) -> Iterator[Column]:
    """The columns that a word of `--sheet_of` names.

    Args:
        typed: the flags that are not from a preset or a flagfile.
    """
    if word == "presets":
        yield from _that_differ(command, line, typed, note)
    elif word in presets():
        yield _of_preset(command, line, typed, word)
    else:
        for each in _STRENGTHS if word == "strengths" else (word,):
            yield _of_strength(line, typed, each)


def _of_strength(line: CommandLine, typed: dict[str, Any], value: str) -> Column:
    try:
        Settings.option("strength").parse(float(value))
    except ValueError:
        raise InputError(
            "--sheet_of: expected strengths, presets, or numbers from 0 to 1 and names of presets, "
            f"such as 0.4,0.6,color. Received: {value!r}. Presets: {', '.join(presets())}"
        ) from None
    for name in ("strength", "style_weight"):
        if name in line.given:
            raise InputError(f"--{name}: this sheet shows strengths of its own. Leave it out, or "
                             "choose --sheet_of=presets")
    line = dataclasses.replace(line, given={**line.given, "strength": value})
    return Column(f"--strength={value}", _preview(line, typed))


def _of_preset(command: Command, line: CommandLine, typed: dict[str, Any], name: str) -> Column:
    # Nothing after a -- is a flag.
    argv = list(line.argv)
    end = argv.index("--") if "--" in argv else len(argv)
    with_it = parse(command, [*argv[:end], f"--preset={name}", *argv[end:]])
    # It may name pictures and files, too.
    settings = {option.name for option in Settings.options()}
    given = line.given | {key: value for key, value in with_it.given.items() if key in settings}
    return Column(f"--preset={name}", _preview(dataclasses.replace(line, given=given), typed))


def _that_differ(
    command: Command, line: CommandLine, typed: dict[str, Any], note: Callable[[str], None]
) -> Iterator[Column]:
    """What no preset makes, and each preset that looks different and is possible here."""
    column = Column("nothing added", _preview(line, typed))
    yield column
    looks = [_look(column)]
    for name in presets():
        try:
            column = dataclasses.replace(_of_preset(command, line, typed, name), chosen=False)
            look = _look(column)
        except InputError as error:
            note(f"--preset={name}: left out ({error.flags})")
            continue
        if look not in looks:
            looks.append(look)
            yield column


def _look(column: Column) -> Settings:
    """The settings that decide what its pictures look like, as far as they are known here."""
    from tf_style.network import weights
    from tf_style.network.choice import choose

    settings = choose(column.request.settings, weights.settle_known)[0]
    return settings.replace(**{name: Settings.option(name).default for name in _FINENESS})


def _preview(line: CommandLine, typed: dict[str, Any]) -> Request:
    """What a command line asks for, small and soon."""
    given = dict(line.given)
    if "size" in given and "size" not in typed:
        # A preset's size, to which its other numbers belong.
        given = {key: value for key, value in given.items()
                 if key in typed or key not in ("size", "scales", "steps")}
    given.setdefault("size", str(_SIDE))
    if "steps" not in typed:
        settings = dataclasses.replace(line, given=given).options(Settings)
        steps = auto.steps(settings, auto.scales(settings, _long_side(settings.size)))
        given["steps"] = ",".join(str(min(_MOST_STEPS, -(-each // 2))) for each in steps)
    return Request.of(dataclasses.replace(line, given=given))


def _long_side(size: Size) -> int:
    side = size.long_side or max(size.width or 0, size.height or 0)
    if not side:
        raise InputError(f"--size={size}: expected a number of pixels with --sheet")
    return side


def _is_learned(column: Column, verbose: bool) -> bool:
    """Whether its network, which cannot be had, would have to be learned; that takes minutes."""
    from tf_style.network import weights
    from tf_style.network.choice import choose

    settings = column.request.settings
    if AUTO not in [settings.network_of(part)[2] for part in ("content", "style")]:
        return False
    with tensorflow_quiet(verbose), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        choices = choose(settings, functools.partial(weights.settle, watch=status.show))[1]
    learned = [each for each in choices if each.weights == "unsupervised"]
    if learned:
        say(f"tf_style: {column.label}: left out (no pretrained {learned[0].architecture.title})")
    return bool(learned)


# How it is made


@dataclasses.dataclass
class _Row:
    """The pictures of one content and style: these, and what was made of them, by column."""

    job: Job
    content: np.ndarray | None = None
    style: np.ndarray | None = None
    made: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    def add(self, column: int, preview: Preview) -> None:
        """Take in one more picture."""
        self.made[column] = preview.image
        if self.style is None:
            self.style, self.content = preview.style, preview.content

    def cells(self, columns: dict[int, str]) -> list[Cell]:
        """Content, style, and what was made.

        Args:
            columns: those of the sheet, with their labels.
        """
        from tf_style.show.sheet import Cell

        names = [printable(Path(name).name) for name in self.job.styles]
        return [
            *([Cell(self.content, printable(Path(self.job.content).name))]
              if self.job.content else []),
            Cell(self.style, " + ".join(names)),
            *(Cell(self.made[number], label) if number in self.made else Cell(None)
              for number, label in columns.items()),
        ]


def _make(
    columns: Sequence[Column], options: StylizeOptions, signals: Signals,
    painter: Callable[[Request, Painter | None], Callable[[], Painter]],
) -> int:
    places = [Place(row, number, job) for number, column in enumerate(columns)
              for row, job in enumerate(column.jobs)]
    jobs = [place.job for place in places]
    rows = [_Row(job) for job in columns[0].request.jobs]
    requests = [column.request for column in columns]
    share = share_of(requests)
    tally = Tally()
    audience = Audience(
        dataclasses.replace(columns[0].request, jobs=jobs), tally, signals
    )
    said: set[str] = set()
    status.show("reading pictures")
    # A second Ctrl-C gives up the current picture.
    with closed(audience), contextlib.suppress(KeyboardInterrupt):
        for place, preview in (
            painted(requests, places, share, tally, signals) if share
            else _painted_here(columns, places, audience, painter, options.time_limit)
        ):
            error = preview.error
            if error and len(rows) == 1 and not preview.begun and not tally.done:
                raise InputError(error)
            if preview.stopped == "steps":
                rows[place.row].add(place.column, preview)
            elif preview.stopped == "not finite":
                error = preview.stopped.message
            if error and error not in said:
                said.add(error)
                say(f"tf_style: {audience.heading(place.job)}{error}")
            tally.count(place.job, jobs, error, preview.stopped)
    made = [row for row in rows if row.made]
    if made:
        labels = {number: column.label for number, column in enumerate(columns)
                  if any(number in row.made for row in made)}
        _write(options, made, labels)
    _tell(options, tally, len(jobs))
    if signals and tally.made < len(jobs):
        return INTERRUPTED
    return FAILED if tally.failed or audience.failed else DONE


def _painted_here(
    columns: Sequence[Column], places: Sequence[Place], audience: Audience,
    painter: Callable[[Request, Painter | None], Callable[[], Painter]], seconds: float | None,
) -> Iterator[tuple[Place, Preview]]:
    """Each picture and what became of it, in the order in which they are made."""
    from tf_style.run import jobs

    ends = math.inf if seconds is None else time.perf_counter() + seconds
    last: Painter | None = None
    for number, column in enumerate(columns):
        ready = painter(column.request, last)
        these = [place for place in places if place.column == number]
        done, made = False, 0
        try:
            for outcome in jobs.make(
                [place.job for place in these], column.request.settings, ready, audience,
                least=column.request.least, seconds=ends - time.perf_counter(),
            ):
                preview = Preview.of(outcome)
                # It need not stay in memory while the next is made.
                del outcome
                audience.end()
                yield these[made], preview
                status.show("reading pictures")
                made += 1
                if preview.stopped in ("callback", "time limit"):
                    return
                done = done or preview.stopped is not None
        except InputError as error:
            # The network of this column cannot be had.
            if not number:
                raise
            # Those before it could not be read.
            for place in these[made:]:
                yield place, Preview(error.flags)
        if done:
            last = ready()
        if audience.stop() or time.perf_counter() >= ends:
            return


def _write(options: StylizeOptions, rows: Sequence[_Row], labels: dict[int, str]) -> None:
    from tf_style.image.picture import write_picture
    from tf_style.show.sheet import contact_sheet

    # A PNG with a note is not taken for a photograph of the folder that it lies in.
    note = json.dumps({"sheet": list(labels.values())}) if options.embed_settings else None
    grid = [row.cells(labels) for row in rows]
    with writing():
        write_picture(options.sheet, contact_sheet(_folded(grid[0]) if len(grid) == 1 else grid),
                      note)


def _folded(row: Sequence[Cell]) -> list[list[Cell]]:
    """A single row, broken into equal ones if it would be too wide for a screen."""
    from tf_style.show.sheet import Cell

    count = -(-len(row) // _MOST_ABREAST)
    width = -(-len(row) // count)
    filled = [*row, *[Cell(None)] * (count * width - len(row))]
    return [filled[start : start + width] for start in range(0, len(filled), width)]


def _tell(options: StylizeOptions, tally: Tally, count: int) -> None:
    """Say what is on the sheet, what to do with it, and where it is."""
    if not tally.made:
        say("tf_style: no picture could be made; no sheet was written" if tally.failed else
            f"tf_style: {STOPPED}")
        return
    if tally.made < count:
        say(f"tf_style: {tally.made} of {count} pictures are on the sheet")
    if options.quiet:
        return
    flags = "--sheet" if options.sheet_of == _OF else "--sheet and --sheet_of"
    say("tf_style: for the picture that you like, type the same command with the words under it in "
        f"place of {flags}")
    mention(printable(options.sheet))


@contextlib.contextmanager
def _each_once() -> Iterator[None]:
    """In this context, what each column would warn of is said once."""
    with warnings.catch_warnings():
        show, shown = warnings.showwarning, set()

        def first(message: Warning | str, *rest: Any, **more: Any) -> None:
            if str(message) not in shown:
                shown.add(str(message))
                show(message, *rest, **more)

        warnings.showwarning = first
        yield
