"""One training of `tf_style_train`, by its own process or by a worker. No TensorFlow of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tf_style.commands.exits import tensorflow_quiet
from tf_style.commands.outputs import OutputError, writing
from tf_style.run.lock import unmade
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.commands.train import TrainOptions
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.transfer.model_file import TransformModel
    from tf_style.transfer.train import Trainer
    from tf_style.transfer.training import Lesson

# In seconds.
_SHEET_EVERY = 60.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """A network that is to be trained, as plain data.

    Attributes:
        styles: the paintings.
        pictures: the files of photographs to learn from.
        settings: what to aim for.
        options: as they were given.
        output, export, sheet, report: what is written; `None` for nothing.
        checkpoint: the folder that keeps what it can go on from; `None` for none.
        title: what tells it from others; empty if there are none.
        names: place → what is said in its stead, of files that were brought elsewhere.
        begun: when the command began, in seconds as of `time.time`.
        beside_others: whether others are trained at the same time.
    """

    styles: tuple[str, ...]
    pictures: tuple[str, ...]
    settings: Settings
    options: TrainOptions
    output: Path
    export: Path | None = None
    sheet: Path | None = None
    report: Path | None = None
    checkpoint: Path | None = None
    title: str = ""
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    begun: float = dataclasses.field(default_factory=time.time)
    beside_others: bool = False

    @property
    def unfinished(self) -> Path:
        """Where the network of a training is written that stops early.

        With --skip_existing, `output` exists only when it is complete.
        """
        if not self.options.skip_existing:
            return self.output
        return self.output.with_name(f"{self.output.stem}_unfinished{self.output.suffix}")

    def moved(self, places: Mapping[str, str]) -> Plan:
        """The same with its files in other places: name → place.

        What is written besides the network goes where that goes.

        Raises:
            InputError: if its checkpoints would be left behind.
        """
        def place(name: str) -> str:
            return places.get(name, name)

        def beside(path: Path | None) -> Path | None:
            return path and output.with_name(path.name)

        output = Path(place(os.fspath(self.output)))
        if self.checkpoint and output.parent != Path(os.path.abspath(self.output)).parent:
            raise InputError(f"--checkpoint={self.checkpoint}: a node of the --cluster does not "
                             "share this folder. Leave it out")
        return dataclasses.replace(
            self, styles=tuple(map(place, self.styles)), pictures=tuple(map(place, self.pictures)),
            output=output, export=beside(self.export), sheet=beside(self.sheet),
            report=beside(self.report), checkpoint=beside(self.checkpoint),
            names={there: name for name, there in places.items()})

    def checkpoints(self) -> Checkpoints | None:
        """Where it is kept."""
        from tf_style.run.checkpoints import Checkpoints

        options = self.options
        if not self.checkpoint:
            return None
        kept = Checkpoints(
            self.checkpoint, every=options.checkpoint_every, resume=options.resume)
        # One that is newer than the command is its own, by a worker that was lost.
        newest = kept.newest_first()[:1]
        kept.resume |= any(each.stat().st_mtime >= self.begun for each in newest)
        return kept


@dataclasses.dataclass(frozen=True)
class Trained:
    """What became of a training: plain data.

    Attributes:
        plan: what was to be trained.
        path: where the network was written; `None` for nowhere.
        steps, seconds: how long it was.
        stopped: whether that was before its end.
        failed: whether something besides the network could not be written.
        error: why there is no network; empty if there is one.
        kept: whether nothing was done because it was there, or another process makes it.
        title: which process of several this was, if another wrote the network; otherwise empty.
    """

    plan: Plan
    path: Path | None = None
    steps: int = 0
    seconds: float = 0.0
    stopped: bool = False
    failed: bool = False
    error: str = ""
    kept: bool = False
    title: str = ""


class Listener(Protocol):
    """Hears how far a training is."""

    def begin(self, text: str) -> None:
        """Hear what is done next, in a few words; it may be followed by how much of it is done."""

    def hear(self, lesson: Lesson) -> None:
        """Hear of a step."""

    def say(self, text: str) -> None:
        """Hear what could not be written."""

    def stops(self) -> bool:
        """Whether the training is to end; asked after each step."""


def trained(plan: Plan, listener: Listener, spent: float = 0.0) -> Trained:
    """Train a network, and write it and what belongs to it.

    Args:
        spent: seconds of its time limit that are over.

    Raises:
        InputError: for pictures, settings or weights that cannot be used.
        OutputError: if the network cannot be written, or another process of the training is gone.
    """
    options = plan.options
    with tensorflow_quiet(options.verbose):
        from tf_style.transfer.replicas import LostError, on_one
        from tf_style.transfer.train import Trainer
    settings = on_one(plan.settings) if plan.beside_others else plan.settings
    trainer = Trainer(
        plan.styles, plan.pictures, settings, width=options.width, steps=options.steps,
        time_limit=options.time_limit, init=options.init, steady=options.steady,
        watch=listener.begin, spent=spent,
    )
    follower = _Follower(plan, trainer, listener)
    replicas = trainer.replicas
    try:
        made = trainer.train(follower.hear, plan.checkpoints())
        # Who asks from here on stops what is written beside the network, not the training.
        stopped = replicas.any(listener.stops())
        if not replicas.chief:
            # Ends when the chief has written the network, and as the chief does.
            listener.begin("waiting for the chief")
            return Trained(plan, None, made.note["steps"], made.note["seconds"], stopped,
                           replicas.any(False), title=replicas.title)
    except LostError as error:
        kept = ""
        if options.checkpoint:
            kept = "; with --resume, all go on from the checkpoint"
        elif replicas.chief and follower.last:
            with writing():
                trainer.made().save(plan.unfinished)
            kept = f"; the network so far is in {plan.unfinished}"
        raise OutputError(f"{error}{kept}") from None
    listener.begin("writing")
    path = plan.unfinished if stopped else plan.output
    with writing():
        made.save(path)
    follower.draw()
    if plan.export:
        listener.begin("exporting")
        with follower.spared(), tensorflow_quiet(options.verbose):
            made.export(plan.export)
    if plan.report and not listener.stops():
        listener.begin("comparing with the optimiser")
        with follower.spared():
            _write_report(plan.report, trainer, made, follower.last)
    # The network is written, whatever has become of the others.
    with contextlib.suppress(LostError):
        replicas.any(follower.failed)
    return Trained(
        plan, path, made.note["steps"], made.note["seconds"], stopped, follower.failed)


def attempted(plan: Plan, listener: Listener) -> Trained:
    """The same for one of several, the others of which go on if it cannot be.

    With --skip_existing, one that is there, or that another process is making, is left alone.
    """
    keeps = plan.options.skip_existing
    try:
        with unmade(plan.output) if keeps else contextlib.nullcontext(True) as is_free:
            return trained(plan, listener) if is_free else Trained(plan, kept=True)
    except InputError as error:
        return Trained(plan, error=error.flags)
    except OutputError as error:
        return Trained(plan, error=str(error))
    except MemoryError:
        return Trained(plan, error="not enough memory; try fewer --workers")


class _Follower:
    """Passes on how far the training is, and draws the sheet.

    Attributes:
        last: the last step that it heard of; `None` for none.
        failed: whether something besides the network could not be written.
    """

    def __init__(self, plan: Plan, trainer: Trainer, listener: Listener):
        self.last: Lesson | None = None
        self._plan, self._trainer, self._listener = plan, trainer, listener
        self._drawn = time.monotonic()
        self.failed = False

    @contextlib.contextmanager
    def spared(self) -> Iterator[None]:
        """What cannot be written beside the network is said, and ends nothing."""
        try:
            yield
        except InputError as error:
            self.failed = True
            self._listener.say(error.flags)

    def hear(self, lesson: Lesson) -> bool:
        """Called after each step; true if the user asked to stop."""
        self.last = lesson
        if not self._trainer.replicas.chief:
            self._listener.begin("training with others, of which the chief tells more")
            return self._listener.stops()
        self._listener.hear(lesson)
        if time.monotonic() > self._drawn + _SHEET_EVERY:
            self.draw()
        return self._listener.stops()

    def draw(self) -> None:
        """Show what the network makes of photographs that it does not learn from."""
        self._drawn = time.monotonic()
        if self._plan.sheet:
            from tf_style.image.picture import write_picture
            from tf_style.transfer.sheet import sheet

            with self.spared():
                write_picture(self._plan.sheet, sheet(self._trainer), None)


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
