"""The command `tf_style_train`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed, require
from tf_style.commands.display import columns, mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.settings import AUTO, WEIGHTS, InputError, Settings
from tf_style.settings.option import Duration, File, Files, Switch, Word, option, whole
from tf_style.settings.presets import preset_path, presets
from tf_style.settings.settings import IN_TRAINING

if TYPE_CHECKING:
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.transfer.model_file import TransformModel
    from tf_style.transfer.train import Trainer
    from tf_style.transfer.training import Lesson

USAGE = """\
Train a network that paints any photograph in one style, in a tenth of a second.

  tf_style_train STYLE [STYLE ...] -o painting.keras --pictures=FOLDER [--flag=value ...]
  tf_style photo.jpg out.png --model=painting.keras

It also takes the flags of tf_style that say what to aim for, such as --style_weight. --size is the
size of picture that is aimed for, and --network=auto is compact.
"""

# In seconds.
_LINES_EVERY, _SHEET_EVERY = 10.0, 60.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainOptions(CommonOptions):
    """The options of `tf_style_train` besides those that say what to aim for."""

    style: tuple[str, ...] = option(
        Files(), (), "painting, sample:NAME or library:NAME; give it again for more styles, which "
        "tf_style --style_blend can mix",
    )
    pictures: tuple[str, ...] = option(
        Files("FILES"), (), "photographs to learn from, a folder or a pattern such as "
        "'photos/*.jpg', or library: for all of a library; may be given several times; default: "
        "scenes drawn at random",
    )
    output: str | None = option(File(), None, "the network: a .keras file that --model=FILE reads")
    time_limit: str = option(
        Duration(), "10m", "how long to train, loading included, such as 30s, 10m or 1h: longer is "
        "better"
    )
    steps: int | None = option(
        whole(1, 1_000_000), None, "how many steps to train, whatever time they take"
    )
    width: str = option(
        Word(("fine", "fast")), "fine", "fast: paints in a third of the time, and less well"
    )
    init: str = option(
        File("FILE"), AUTO, "a network of the same width to start from; auto: the one that comes "
        "with tf_style; none: drawn at random",
    )
    steady: bool = option(
        Switch(), False, "learn to paint films, too: moved, noisy and brightened photographs are "
        "painted alike",
    )
    export: str | None = option(
        File(), None, "the network for programs without Keras, too: .tflite, or .onnx with pip "
        "install 'tf_style[onnx]'",
    )
    sheet: str | None = option(
        File(), None, "every minute, show what the network makes of photographs kept back; of "
        "fewer than ten none is: then it shows one that is learned from"
    )
    report: str | None = option(
        File(), None, "write settings, steps and losses as JSON, and how it compares with "
        "tf_style's own steps on photographs kept back, or on one of fewer than ten",
    )
    checkpoint: str | None = option(
        File("FOLDER"), None, "keep in this folder what a stopped training needs to go on"
    )
    checkpoint_every: int | str = option(
        whole(1), AUTO, "steps from one checkpoint to the next; auto: so that they take two "
        "percent of the time",
    )
    resume: bool = option(
        Switch(), False, "go on from the last complete checkpoint"
    )


def train(line: CommandLine) -> int:
    """Train a network and write it."""
    began = time.perf_counter()
    line = placed(COMMAND, line)
    options = line.options(TrainOptions)
    known = {os.fspath(preset_path(name)): name for name in presets()}
    if named := [known[each] for each in line.flagfiles if each in known]:
        raise InputError(f"--preset={named[0]}: it is for single pictures: some of its flags, such "
                         "as --steps, mean something else here. Leave it out, and give those that "
                         "say what to aim for, such as --style_layers")
    if not options.output and options.style and options.style[-1].endswith(".keras"):
        raise InputError(f"{options.style[-1]!r}: all names without a flag are styles. The network "
                         f"is written to --output={options.style[-1]}")
    require(options, style="painting.jpg", output="painting.keras")
    if options.steps and "time_limit" in line.given:
        raise InputError("--steps and --time_limit: choose one of them")
    own = {each.name for each in TrainOptions.options()}
    settings = dataclasses.replace(line, given={
        name: value for name, value in line.given.items() if name not in own
    }).options(Settings)
    from tf_style.image.paths import check_writable
    from tf_style.image.picture import check_output, read_picture
    from tf_style.network import weights
    from tf_style.network.choice import choose
    from tf_style.transfer.samples import check_export, check_model

    settings = settings.for_training()
    _, choices = choose(settings, weights.settle_known)
    output = check_writable(options.output)
    if output.suffix != ".keras":
        raise InputError(f"--output={output}: expected a name that ends in .keras")
    export = check_export(options.export) if options.export else None
    sheet = check_output(Path(options.sheet)) if options.sheet else None
    report = check_writable(options.report) if options.report else None
    names = [name for pattern in options.pictures for name in _photographs(pattern)]
    inputs = [*options.style, *names, *line.flagfiles,
              *(file for choice in choices for file in choice.files)]
    if options.init not in (AUTO, "none"):
        inputs += [os.fspath(check_model("init", options.init))]
    folder = Path(options.checkpoint) if options.checkpoint else None
    check_apart({"output": output, "export": export, "sheet": sheet, "report": report,
                 "checkpoint": folder}, inputs)
    for name in options.style:
        read_picture(name, max_pixels=settings.max_pixels, side=64)
    for choice in choices:
        if choice.layers and choice.weights not in (None, *WEIGHTS):
            weights.load(choice.architecture, choice.layers, choice.weights)
    checkpoints = _checkpoints(options)
    status.show("reading photographs")
    line.tell()
    with tensorflow_quiet(options.verbose):
        from tf_style.transfer.train import Trainer
    trainer = Trainer(
        options.style, names, settings, width=options.width, steps=options.steps,
        time_limit=options.time_limit, init=options.init, steady=options.steady,
        watch=status.show, spent=time.perf_counter() - began,
    )
    follower = _Follower(line, options, trainer, sheet)
    made = trainer.train(follower.hear, checkpoints)
    # A signal that comes from here on stops what is written beside the network, not the training.
    stopped = bool(line.signals)
    line.signals.keep()
    status.show("writing")
    with writing():
        made.save(output)
    if not options.quiet:
        mention(printable(output))
    follower.draw()
    if export:
        status.show("exporting")
        with follower.spared(), tensorflow_quiet(options.verbose):
            made.export(export)
    if report and not line.signals:
        status.show("comparing with the optimiser")
        with follower.spared():
            _write_report(report, trainer, made, follower.last)
    status.hide()
    if stopped:
        say(f"tf_style_train: stopped after {made.note['steps']} steps; the network so far is in "
            f"{output}")
        return INTERRUPTED
    if not options.quiet:
        say(f"tf_style_train: {count(made.note['steps'], 'step')} in "
            f"{minutes(made.note['seconds'])}; use it with tf_style PHOTO --model={output}")
    return FAILED if follower.failed else DONE


class _Follower:
    """Says how far the training is, and draws the sheet.

    Attributes:
        last: the last step that it heard of; `None` for none.
        failed: whether something besides the network could not be written.
    """

    def __init__(
        self, line: CommandLine, options: TrainOptions, trainer: Trainer, sheet: Path | None
    ):
        self.last: Lesson | None = None
        self._line, self._options, self._trainer, self._sheet = line, options, trainer, sheet
        self._next_line = 0.0
        self._drawn = time.monotonic()
        self._losses: list[float] = []
        self.failed = False

    @contextlib.contextmanager
    def spared(self) -> Iterator[None]:
        """What cannot be written beside the network is said, and ends nothing."""
        try:
            yield
        except InputError as error:
            self.failed = True
            say(f"tf_style_train: {error.flags}")

    def hear(self, lesson: Lesson) -> bool:
        """Called after each step; true if the user asked to stop."""
        self._line.signals.keep()
        self.last = lesson
        self._losses = [*self._losses[-49:], lesson.loss]
        self._tell(lesson)
        if time.monotonic() > self._drawn + _SHEET_EVERY:
            self.draw()
        return bool(self._line.signals)

    def _tell(self, lesson: Lesson) -> None:
        left = lesson.seconds / lesson.done - lesson.seconds
        number = f"step {lesson.number}" + (f"/{lesson.steps}" if lesson.steps else "")
        loss = f"loss {sum(self._losses) / len(self._losses):.3g}"
        if columns():
            status.show("training", lesson.done, ends=time.monotonic() + left,
                        details=(number, loss))
            return
        status.hide()
        if not self._options.quiet and (lesson.seconds >= self._next_line or lesson.done == 1):
            self._next_line = lesson.seconds + _LINES_EVERY
            say(f"{number}, {lesson.done:.0%}, {minutes(left)} left  {loss}")

    def draw(self) -> None:
        """Show what the network makes of photographs that it does not learn from."""
        self._drawn = time.monotonic()
        if self._sheet:
            from tf_style.image.picture import write_picture
            from tf_style.transfer.sheet import sheet

            with self.spared():
                write_picture(self._sheet, sheet(self._trainer), None)


def _write_report(
    path: Path, trainer: Trainer, made: TransformModel, last: Lesson | None
) -> None:
    from tf_style.image.paths import write_bytes
    from tf_style.transfer.comparison import compared

    data: dict[str, Any] = {
        **made.note, **({"loss": last.loss, "parts": dict(last.parts)} if last else {}),
        "held_out": compared(trainer),
    }
    write_bytes(path, json.dumps(data, indent=2).encode())


def _photographs(pattern: str) -> list[str]:
    """The files that a value of --pictures names."""
    from tf_style.image.paths import expand, locate, no_plain_file

    try:
        found = expand(pattern)
    except InputError as error:
        raise InputError(f"--pictures={error.flags}") from None
    if found == [pattern] and (reason := no_plain_file(locate(pattern))):
        raise InputError(f"--pictures={pattern}: {reason}")
    return found


def _checkpoints(options: TrainOptions) -> Checkpoints | None:
    from tf_style.run.checkpoints import Checkpoints

    if options.checkpoint:
        return Checkpoints(options.checkpoint, every=options.checkpoint_every,
                           resume=options.resume)
    for name, given in (("resume", options.resume),
                        ("checkpoint_every", options.checkpoint_every != AUTO)):
        if given:
            raise InputError(f"--{name}: say where the training is kept: --checkpoint=FOLDER")
    return None


COMMAND = Command(
    "tf_style_train", USAGE, (TrainOptions, Settings), train, places=("style",),
    needed=("style", "pictures", "output", "time_limit", "steps", "width", "sheet", "size",
            "style_weight", "style_scale", "checkpoint", "resume", "network"),
    unused=tuple(each.name for each in Settings.options() if each.name not in IN_TRAINING
                 and each.name not in {own.name for own in TrainOptions.options()}),
    examples=("tf_style_train sample:waves -o waves.keras --time_limit=2m",
              "tf_style_train painting.jpg -o painting.keras --pictures=photos "
              "--sheet=sheet.jpg"),
)
