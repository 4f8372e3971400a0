"""The command `tf_style_train`."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed, require
from tf_style.commands.display import columns, mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED
from tf_style.commands.naming import name_of
from tf_style.commands.outputs import check_apart, identity
from tf_style.commands.training import Plan, Trained, attempted, trained
from tf_style.run.lock import unmade
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import (
    Duration,
    File,
    Files,
    OrAuto,
    Switch,
    Text,
    Word,
    option,
    whole,
)
from tf_style.settings.presets import preset_path, presets
from tf_style.settings.settings import IN_TRAINING

if TYPE_CHECKING:
    from tf_style.transfer.training import Lesson

USAGE = """\
Train a network that paints any photograph in one style, in a tenth of a second.

  tf_style_train STYLE [STYLE ...] -o painting.keras --pictures=FOLDER [--flag=value ...]
  tf_style_train STYLE [STYLE ...] -o 'nets/{style}.keras' [--workers=N] [--flag=value ...]
  tf_style photo.jpg out.png --model=painting.keras

It also takes the flags of tf_style that say what to aim for, such as --style_weight. --size is the
size of picture that is aimed for, and --network=auto is compact.
"""

# In seconds.
_LINES_EVERY = 10.0
# What stands for a style in the names of several networks.
FIELD = "{style}"
# Bytes that a process takes that trains.
NEEDED = 2.5e9


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
    output: str | None = option(
        File(), None, "the network: a .keras file that --model=FILE reads; with {style} in its "
        "name, one network for each style",
    )
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
    skip_existing: bool = option(
        Switch(), False, "train only the networks that are not there yet; one that is stopped is "
        "left in OUTPUT_unfinished.keras, to be trained again",
    )
    workers: int | str = option(
        OrAuto(whole(1, 1024)), 1, "of several networks, train so many at a time, each in a "
        "process with its share of --threads; auto: as many as there are cores, and as memory "
        "allows",
    )
    cluster: str | None = option(
        Text("ADDRESS|local"), None, "train several networks on the nodes of a Ray cluster, as "
        "many at a time as there is room for, each with --threads cores, by default one, and a "
        "GPU where there are any; local: one of this machine alone; pip install "
        "'tf_style[cluster]'",
    )


def train(line: CommandLine) -> int:
    """Train networks and write them."""
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
    for flag, asked in (("workers", options.workers != 1), ("cluster", options.cluster)):
        if asked and FIELD not in options.output:
            raise InputError(f"--{flag}: is for several networks, one for each style. Expected "
                             f"{FIELD} in --output={options.output}")
    if options.cluster:
        from tf_style.commands import engines

        engines.check(options)
    chief = _is_chief(options)
    plans = _plans(line, options, writes=chief)
    _checkpoints(options)
    status.show("reading photographs")
    line.tell()
    if not chief:
        # The chief has the same to say.
        warnings.simplefilter("ignore", UserWarning)
    if FIELD not in options.output:
        return _train_one(line, plans[0], began)
    return _train_all(line, options, plans)


def _is_chief(options: TrainOptions) -> bool:
    """Whether this process is alone, or of several the one that writes."""
    from tf_style.transfer.tf_config import Cluster

    cluster = Cluster.read()
    several = FIELD if FIELD in options.output else "--skip_existing"
    if cluster and (FIELD in options.output or options.skip_existing):
        raise InputError("TF_CONFIG: the processes that it names train one network together. Leave "
                         f"out {several}, or unset TF_CONFIG")
    return cluster is None or cluster.rank == 0


def _plans(line: CommandLine, options: TrainOptions, *, writes: bool) -> list[Plan]:
    """The networks that are asked for, checked as far as it can be without TensorFlow.

    Args:
        writes: whether this process writes them.
    """
    from tf_style.image.paths import check_writable, named_pictures
    from tf_style.image.picture import check_output, read_picture
    from tf_style.network import weights
    from tf_style.network.choice import check_weights, choose
    from tf_style.transfer.samples import check_export, check_model

    own = {each.name for each in TrainOptions.options()}
    settings = dataclasses.replace(line, given={
        name: value for name, value in line.given.items() if name not in own
    }).options(Settings).for_training()
    _, choices = choose(settings, weights.settle_known)
    names = tuple(named_pictures(options.pictures))
    several = FIELD in options.output
    plans = []
    for styles in [(each,) for each in options.style] if several else [options.style]:
        written = {flag: value and _named(flag, value, styles, several=several)
                   for flag in ("output", "export", "sheet", "report", "checkpoint")
                   for value in [getattr(options, flag) if writes or flag == "output" else None]}
        output = check_writable(written["output"]) if writes else Path(written["output"])
        if output.suffix != ".keras":
            raise InputError(f"--output={output}: expected a name that ends in .keras")
        plans.append(Plan(
            styles, names, settings, options, output,
            written["export"] and check_export(written["export"]),
            written["sheet"] and check_output(Path(written["sheet"])),
            written["report"] and check_writable(written["report"]),
            written["checkpoint"] and Path(written["checkpoint"]), styles[0] if several else "",
        ))
    inputs = [*options.style, *names, *line.flagfiles,
              *(file for choice in choices for file in choice.files)]
    if options.init not in (AUTO, "none"):
        inputs += [os.fspath(check_model("init", options.init))]
    for plan in plans:
        plan.checkpoints()
        beside = {"export": plan.export, "sheet": plan.sheet, "report": plan.report}
        check_apart({"output": list(dict.fromkeys([plan.output, plan.unfinished])), **beside,
                     "checkpoint": plan.checkpoint}, inputs)
        for flag, path in {"output": plan.output, **beside}.items():
            if plan.checkpoint and path and (
                plan.checkpoint.resolve() in path.resolve().parents
            ):
                raise InputError(f"--{flag}={path}: the --checkpoint folder is for checkpoints "
                                 "only")
        for flag, path in {**beside, "checkpoint": plan.checkpoint}.items():
            if options.cluster and path and (
                os.path.abspath(path.parent) != os.path.abspath(plan.output.parent)
            ):
                raise InputError(f"--{flag}={path}: with --cluster, expected the folder of "
                                 f"--output={plan.output}, as all that a node writes goes there")
    made: dict[Any, Plan] = {}
    for plan in plans:
        for path in (plan.output, plan.unfinished):
            other = made.setdefault(identity(path), plan)
            if other is not plan:
                raise InputError(f"{path}: {other.title} and {plan.title} would both get this "
                                 "name. Rename one")
    for name in options.style:
        read_picture(name, max_pixels=settings.max_pixels, side=64)
    check_weights(choices)
    return plans


def _named(flag: str, value: str, styles: Sequence[str], *, several: bool) -> str:
    """The value of a flag for one of several networks."""
    if several and FIELD not in value:
        raise InputError(f"--{flag}={value}: each network has its own. Expected {FIELD} in its "
                         "name, too")
    return value.replace(FIELD, name_of(styles[0])) if several else value


def _train_one(line: CommandLine, plan: Plan, began: float) -> int:
    with (unmade(plan.output) if plan.options.skip_existing
          else contextlib.nullcontext(True)) as is_free:
        if not is_free:
            say(f"tf_style_train: {plan.output} exists already, or is being made, and is kept")
            return DONE
        made = trained(plan, _Shown(line, plan.options), time.perf_counter() - began)
    return _told(made, line, alone=True)


def _train_all(line: CommandLine, options: TrainOptions, plans: Sequence[Plan]) -> int:
    """Train one network after another, or several at a time."""
    from tf_style.commands import engines
    from tf_style.commands.training_work import trained_by_workers

    new = [plan for plan in plans if not (options.skip_existing and plan.output.exists())]
    each = new and engines.share_of(
        options, plans[0].settings.threads, len(new), lambda: NEEDED)
    codes, failed, left, kept = [], [], len(new), len(plans) - len(new)
    for made in (trained_by_workers(new, each, line.signals) if each
                 else _one_by_one(line, new)):
        left -= 1
        if made.kept:
            kept += 1
            continue
        codes.append(_told(made, line, alone=False))
        if codes[-1] == FAILED:
            failed.append(made.plan.title)
    status.hide()
    done, stopped = codes.count(DONE), codes.count(INTERRUPTED)
    parts = [f"{count(done, 'network')} trained", *([f"{stopped} stopped"] if stopped else []),
             *([f"{kept} there already"] if kept else []),
             *([f"{left} not begun"] if left else []),
             *([f"{len(failed)} failed: {', '.join(failed)}"] if failed else [])]
    if len(parts) > 1 or not options.quiet:
        say(f"tf_style_train: {', '.join(parts)}")
    if line.signals and (stopped or left):
        return INTERRUPTED
    return FAILED if failed else DONE


def _one_by_one(line: CommandLine, plans: Sequence[Plan]) -> Iterator[Trained]:
    for number, plan in enumerate(plans, 1):
        yield attempted(plan, _Shown(line, plan.options, f"[{number}/{len(plans)}] "))
        if line.signals:
            return


def _told(made: Trained, line: CommandLine, *, alone: bool) -> int:
    """Say what became of a training; returns an exit code."""
    plan = made.plan
    heading = "" if alone else f"{plan.title}: "
    if made.error:
        say(f"tf_style_train: {heading}{made.error}")
        return FAILED
    status.hide()
    if made.title:
        if not plan.options.quiet:
            say(f"tf_style_train: {made.title}: {count(made.steps, 'step')} in "
                f"{minutes(made.seconds)}; the chief writes {plan.output}")
        return INTERRUPTED if made.stopped else FAILED if made.failed else DONE
    if not plan.options.quiet:
        mention(printable(made.path))
    if made.stopped:
        say(f"tf_style_train: stopped after {made.steps} steps; the network so far is in "
            f"{made.path}")
        return INTERRUPTED
    if not plan.options.quiet:
        say(f"tf_style_train: {count(made.steps, 'step')} in {minutes(made.seconds)}; use it with "
            f"tf_style PHOTO --model={plan.output}")
    return FAILED if made.failed else DONE


class _Shown:
    """Shows how far a training in this process is.

    Args:
        heading: which one of several it is.
    """

    def __init__(self, line: CommandLine, options: TrainOptions, heading: str = ""):
        self._line, self._options, self._heading = line, options, heading
        self._next_line = 0.0
        self._losses: list[float] = []

    def begin(self, text: str, *more: Any) -> None:
        status.show(text, *more)

    def say(self, text: str) -> None:
        say(f"tf_style_train: {text}")

    def stops(self) -> bool:
        self._line.signals.keep()
        return bool(self._line.signals)

    def hear(self, lesson: Lesson) -> None:
        self._line.signals.keep()
        self._losses = [*self._losses[-49:], lesson.loss]
        left = lesson.seconds / lesson.done - lesson.seconds
        number = f"step {lesson.number}" + (f"/{lesson.steps}" if lesson.steps else "")
        loss = f"loss {sum(self._losses) / len(self._losses):.3g}"
        if columns():
            status.show(f"{self._heading}training", lesson.done, ends=time.monotonic() + left,
                        details=(number, loss))
            return
        status.hide()
        if not self._options.quiet and (lesson.seconds >= self._next_line or lesson.done == 1):
            self._next_line = lesson.seconds + _LINES_EVERY
            say(f"{self._heading}{number}, {lesson.done:.0%}, {minutes(left)} left  {loss}")


def _checkpoints(options: TrainOptions) -> None:
    """Check the flags of checkpoints."""
    for name, given in (("resume", options.resume),
                        ("checkpoint_every", options.checkpoint_every != AUTO)):
        if given and not options.checkpoint:
            raise InputError(f"--{name}: say where the training is kept: --checkpoint=FOLDER")


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
