"""One run: a descent from a start to a picture, and its state."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image.resize import resize
from tf_style.run import machine, schedule
from tf_style.run.canvas import Canvas
from tf_style.run.checkpoints import Checkpoints, has_more_steps, origin
from tf_style.run.descent import Descent
from tf_style.run.result import Result, Step, Stop
from tf_style.run.scene import Scene
from tf_style.run.schedule import Scale
from tf_style.settings import Remark, Settings
from tf_style.settings.option import Duration

# A rise of the loss up to this is nothing that can be seen.
_RISE = 0.01

Callback = Callable[[Step], Any]


@dataclasses.dataclass(frozen=True)
class Work:
    """What a run is made from; nothing in it changes.

    Attributes:
        given: the settings as they were given.
        settings: with every `auto` resolved.
        scene: as it was given.
        prepared: the scene, with the styles as the run is to see them.
        descent: the compiled steps.
        weights, weights_seconds, weights_cached: as in a `Result`.
        block_size: returns the one to use if no checkpoint has one.
    """

    given: Settings
    settings: Settings
    scene: Scene
    prepared: Scene
    descent: Descent
    weights: Mapping[str, str]
    weights_seconds: float
    weights_cached: bool | None
    block_size: Callable[[], int]


class Run:
    """The state of one run: its canvas, its history, why it stopped, and its notes.

    Args:
        prepare: returns what it is made from; takes a function to call with the text of each note.
        callback: called with each step; a true return value ends the run.
        checkpoints: where it keeps what it can go on from.
        time_limit: seconds, or a time such as `"5m"`.
    """

    def __init__(
        self,
        prepare: Callable[[Callable[[str], None]], Work],
        callback: Callback | None = None,
        checkpoints: Checkpoints | None = None,
        time_limit: float | str | None = None,
    ):
        self.history: list[Step] = []
        self.stopped = Stop.STEPS
        self.notes: list[str] = []
        self._callback = callback
        self._checkpoints = checkpoints
        self._began = time.perf_counter()
        self._ends = math.inf if time_limit is None else (
            self._began + Duration().parse("time_limit", time_limit)
        )
        # From the checkpoint that the run goes on from.
        self._sizes_done = self._resumed_at_step = 0
        self._extended = False
        self._seconds_before = 0.0
        self._origin: dict[str, Any] = {}
        self._note = _teller(self.notes)
        self._work = prepare(self._note)
        self._canvas = Canvas(
            self._work.descent, self._work.settings.optimizer, 0, self._note
        )

    def result(self) -> Result:
        """Take all steps that are left, and return the result."""
        work = self._work
        held = self._checkpoints.held() if self._checkpoints else contextlib.nullcontext()
        with held, tf.device(work.settings.device):
            self._begin()
            for scale in work.prepared.scales[self._sizes_done :]:
                self._paint(scale)
                if self.stopped is not Stop.STEPS:
                    break
            image = self._canvas.picture()()
        if self._sizes_done == len(work.prepared.scales):
            # Whoever asked for an end asked in the last step.
            self.stopped = Stop.STEPS
        full = work.prepared.scales[-1]
        if image.shape[:2] != (full.height, full.width):
            image = full.fit(image)
        if self.stopped is Stop.NOT_FINITE:
            self._note(
                f"the loss is not finite at step {len(self.history)}; kept the image as it was. "
                "Try a smaller --learning_rate or --precision=float32"
            )
        elif self.history and self.history[-1].loss > 2 * self.history[0].loss + _RISE:
            self._note(
                f"the loss ended at {self.history[-1].loss:.3g}, far above the "
                f"{self.history[0].loss:.3g} where it began; try a smaller --learning_rate"
            )
        content = work.scene.content
        return Result(
            image=work.prepared.finished(image, work.settings, full),
            content=None if content is None else full.fit(content),
            styles=tuple(style.picture for style in work.scene.styles),
            inputs=work.scene.inputs,
            history=tuple(self.history),
            given=work.given,
            settings=work.settings.replace(block_size=self._canvas.block_size),
            style_defects=() if work.settings.style_cleanup == "off" else tuple(
                style.defects for style in work.prepared.styles
            ),
            weights=work.weights,
            weights_seconds=work.weights_seconds,
            weights_cached=work.weights_cached,
            seconds=self._seconds(),
            stopped=self.stopped,
            versions=machine.versions(),
            resumed_at_step=self._resumed_at_step,
            extended=self._extended,
            notes=tuple(self.notes),
        )

    def _begin(self) -> None:
        """Start from the beginning, or from a checkpoint if one exists and is asked for."""
        work = self._work
        start = work.prepared.start(work.settings)
        self._canvas.gray = work.prepared.is_gray(work.settings)
        self._origin = origin(work.settings, work.weights, work.scene, start)
        note = self._checkpoints and self._checkpoints.load(
            self._canvas.restore, self._origin, self._note
        )
        block_size = None
        if note:
            block_size = self._resume(note)
        else:
            self._canvas.start(start)
        self._canvas.block_size = work.block_size() if block_size is None else block_size

    def _resume(self, note: Mapping[str, Any]) -> int | None:
        """Take over what a checkpoint holds; returns its block size if that still applies."""
        # Checkpoints of earlier versions have no numbers.
        self.history = [Step(**{**step, "number": number})
                        for number, step in enumerate(note["history"], 1)]
        self._sizes_done = note["sizes_done"]
        self._resumed_at_step = len(self.history)
        self._seconds_before = self.history[-1].seconds
        if note["versions"] != machine.versions():
            then = ", ".join(f"{name} {each}" for name, each in note["versions"].items())
            self._note(f"the run began with {then}; with other versions pixels may differ "
                            "from those of an unbroken run")
        before, now = note["origin"]["settings"], self._work.settings
        self._extended = note.get("extended", False)
        if has_more_steps(before, now.as_dict()):
            self._note("going on with more steps than the run began with; sizes that are done stay "
                       "as they are, but the last goes on")
            self._sizes_done = min(self._sizes_done, len(self._work.prepared.scales) - 1)
            self._extended = True
        same = all(before[name] == getattr(now, name) for name in ("block_size", "max_memory"))
        return note["block_size"] if same else None

    def _paint(self, scale: Scale) -> None:
        """Take the steps of one size that are left."""
        canvas, settings = self._canvas, self._work.settings
        if canvas.shape != (scale.height, scale.width):
            canvas.enlarge(scale.height, scale.width, self._detail(*canvas.shape, scale))
        prepared = self._work.prepared
        targets = canvas.targets(
            *prepared.at(scale), prepared.protected_at(scale), prepared.previous_at(scale),
            prepared.regions,
        )
        losses = [step.loss for step in self.history if step.scale == scale.number]

        def watch(loss: float, parts: Mapping[str, tf.Tensor]) -> bool:
            losses.append(loss)
            self._hear(scale, len(losses), loss, parts)
            settled = schedule.has_settled(losses, settings.tolerance)
            ends = self.stopped is not Stop.STEPS or settled
            if not ends and len(losses) < scale.steps:
                self._save(if_due=True)
            return ends

        rates = schedule.learning_rates(settings, scale)
        canvas.descend(targets, rates[len(losses) :], watch)
        if self.stopped is Stop.NOT_FINITE:
            return
        if (self.stopped is Stop.STEPS or len(losses) == scale.steps
                or schedule.has_settled(losses, settings.tolerance)):
            self._sizes_done += 1
        self._save()

    def _detail(self, height: int, width: int, scale: Scale) -> np.ndarray | float:
        """The content's detail that it lacks at the size before, as far as it is to stay."""
        kept = self._work.descent.objective.kept
        content = self._work.scene.content
        if content is None or not kept:
            return 0.0
        before = np.clip(resize(content, height, width), 0, 1)
        return kept * (scale.fit(content) - resize(before, scale.height, scale.width))

    def _hear(
        self, scale: Scale, number: int, loss: float, parts: Mapping[str, tf.Tensor]
    ) -> None:
        """Record a step, call the callback, and find out whether the run is to end."""
        step = Step(
            scale=scale.number,
            scales=scale.count,
            height=scale.height,
            width=scale.width,
            step=number,
            steps=scale.steps,
            loss=loss,
            parts={name: float(part[0]) for name, part in parts.items()},
            seconds=self._seconds(),
            number=len(self.history) + 1,
        )
        self.history.append(step)
        if not math.isfinite(loss):
            self.stopped = Stop.NOT_FINITE
        elif self._callback and self._callback(
            dataclasses.replace(step, image=self._picture(scale))
        ):
            self.stopped = Stop.CALLBACK
        elif time.perf_counter() >= self._ends:
            self.stopped = Stop.TIME_LIMIT

    def _picture(self, scale: Scale) -> Callable[[], np.ndarray]:
        """A function that returns the picture as it is now, whenever it is called."""
        image, scene, settings = self._canvas.picture(), self._work.prepared, self._work.settings
        return lambda: scene.finished(image(), settings, scale)

    def _seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began

    def _save(self, *, if_due: bool = False) -> None:
        # L-BFGS takes no step where there is nothing to gain.
        if not self._checkpoints or not self.history:
            return
        if if_due and not self._checkpoints.due(len(self.history)):
            return
        # SciPy gives no access to what L-BFGS remembers of a size.
        by_lbfgs = self._work.settings.optimizer == "lbfgs"
        if by_lbfgs and self.history[-1].scale > self._sizes_done:
            return
        note = {
            "origin": self._origin,
            "history": [step.as_dict() for step in self.history],
            "sizes_done": self._sizes_done,
            "block_size": self._canvas.block_size,
            "extended": self._extended,
            "versions": machine.versions(),
        }
        self._checkpoints.add(lambda folder: self._canvas.save(folder, note), self._note)


def _teller(notes: list[str]) -> Callable[[str], None]:
    """A function that keeps a note and warns of it.

    It is not a method, because a run that refers to itself would stay in memory.
    """

    def tell(text: str) -> None:
        notes.append(text)
        warnings.warn(text, Remark, stacklevel=3)

    return tell
