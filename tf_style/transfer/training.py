"""Training a network that paints, by the objective that a run descends."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.image.style import Style
from tf_style.loss.objective import Objective
from tf_style.loss.terms import Term
from tf_style.transfer.photographs import Photographs
from tf_style.transfer.pupil import Pupil
from tf_style.transfer.replicas import Replicas
from tf_style.transfer.steady import Change, changed, unsteadiness
from tf_style.transfer.transform import STRIDE

# Most of the training; it rises before, and falls along half a wave.
LEARNING_RATE = 3e-3
_WARM, _LEAST_RATE = 30, 0.02
# A few hundred steps: a shorter memory than usual.
_BETA_2 = 0.99
_CLIP = 10.0
# Pictures whose statistics are taken together. Those of one small crop say more about what is on
# it than about how it is painted; and fewer are to be decomposed.
_GROUP = 4
# Of the regular pattern, against which no other part of the loss weighs.
_REGULAR = 2000.0
# Of unsteadiness; and of how many crops one is looked at again, changed.
_STEADY = 150.0
_CHANGED = 2
_FILES = "state"


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        side: of the crops, in pixels.
        count: crops in a batch.
        share: of the whole training.
    """

    side: int
    count: int
    share: float


# Small crops teach colours and strokes in half the time; large ones, what goes where.
STAGES = (Stage(128, 16, 0.5), Stage(256, 4, 0.5))


@dataclasses.dataclass(frozen=True)
class Lesson:
    """One step of a training.

    Attributes:
        number: counted from 1.
        steps: how many there are; `None` if the time decides.
        done: share of the whole training, up to 1.
        seconds: since it began, with what came before the first step, and without the time between
            a stop and a resume.
        loss: of the batch that the step looked at.
        parts: the weighted losses that add up to it: `content`, `style`, `variation`,
            `regular`, of a pattern that repeats every four pixels, and perhaps `steady`.
        image: a function that returns what the network then makes of a photograph that is held
            out, `(height, width, 3)` in `[0, 1]`; `None` if nobody is called.
    """

    number: int
    steps: int | None
    done: float
    seconds: float
    loss: float
    parts: Mapping[str, float]
    image: Callable[[], np.ndarray] | None = dataclasses.field(
        default=None, repr=False, compare=False)

    @property
    def is_last(self) -> bool:
        """Whether it is the last of the training."""
        return self.done == 1

    def __str__(self) -> str:
        of = f" of {self.steps}" if self.steps else f", {self.done:.0%}"
        return f"step {self.number}{of}, loss {self.loss:.3g}"


class Training:
    """The state of one training.

    Args:
        objective: what is descended.
        styles: one or more, as they are seen at the size that the network is trained for.
        photographs: to take crops from.
        pupil: what is trained.
        seed: of all chance.
        steps: how many; `None`: as many as `seconds` allow.
        seconds: how long, `math.inf` for no limit; there is one step in any case.
        spent: how much of them is over before the first step.
        steady: whether it learns to paint films, too: `tf_style.transfer.steady`.
        replicas: who takes the steps; `None`: the device that this is called on.
    """

    def __init__(
        self, objective: Objective, styles: Sequence[Style], photographs: Photographs,
        pupil: Pupil, *, seed: int, steps: int | None = None, seconds: float = math.inf,
        spent: float = 0.0, steady: bool = False, replicas: Replicas | None = None,
    ):
        self.number, self.seconds, self.spent = 0, spent, spent
        self._objective, self._photographs, self._pupil = objective, photographs, pupil
        self._seed, self._steps, self._limit = seed, steps, seconds
        self._steady = steady
        self._targets = [objective.targets(None, [style]) for style in styles]
        self._replicas = replicas or Replicas()
        self._optimizer = _optimizer(pupil)
        # What each device of this process moves, in the order of these.
        self._copies = [(pupil, self._optimizer)]
        for device in self._replicas.devices[1:]:
            with tf.device(device):
                another = pupil.another()
                self._copies.append((another, _optimizer(another)))
        self._compiled = _compiled(
            self._step if self._replicas.count == 1 else self._gradients_of_all)
        self._moved = _compiled(self._move_all)

    def lessons(self) -> Iterator[Lesson]:
        """Take all steps that are left; the crops of each are cut while the one before is taken.

        Raises:
            FloatingPointError: if the loss is not finite; the weights are as before that step.
        """
        self._share_state()
        began = time.perf_counter() - self.seconds
        with ThreadPoolExecutor(1) as cutter:
            stage = self._stage()
            waiting = cutter.submit(self._crops, self.number + 1, stage)
            while self._done() < 1 or not self.number:
                if self._stage() != stage:
                    stage = self._stage()
                    waiting = cutter.submit(self._crops, self.number + 1, stage)
                crops = waiting.result()
                waiting = cutter.submit(self._crops, self.number + 2, stage)
                loss, parts = self._learn(crops)
                if not math.isfinite(loss):
                    raise FloatingPointError
                self.number += 1
                # Replicas that went by clocks of their own would not end together.
                self.seconds = float(self._replicas.of_chief(time.perf_counter() - began))
                yield Lesson(self.number, self._steps, min(1.0, self._done()), self.seconds, loss,
                             parts)

    def apart(self) -> float:
        """How far any weight of any replica is from that of the first; 0 without a fault."""
        first = self._state(*self._copies[0])
        chief = self._replicas.of_chief(first)
        return float(self._replicas.sum(np.max([
            np.abs(self._state(*each) - chief).max() for each in self._copies])))

    def _share_state(self) -> None:
        """Have all replicas begin with the state of the first, and do as much."""
        if self._replicas.count == 1:
            return
        limits = [self.number, self.seconds, self._steps or 0, self._limit]
        told = self._replicas.of_chief(np.array([*limits, *self._state(*self._copies[0])]))
        number, self.seconds, steps, self._limit = told[:4].tolist()
        self.number, self._steps = int(number), int(steps) or None
        for pupil, optimizer in self._copies:
            rest = told[4:]
            for each in [*pupil.variables, *optimizer.variables]:
                values, rest = np.split(rest, [math.prod(each.shape)])
                each.value.assign(values.reshape(each.shape).astype(each.value.dtype.as_numpy_dtype))

    @staticmethod
    def _state(pupil: Pupil, optimizer: keras.optimizers.Optimizer) -> np.ndarray:
        """All that training changes, float64, one after another."""
        return np.concatenate([each.numpy().ravel().astype(np.float64)
                               for each in [*pupil.variables, *optimizer.variables]])

    def save(self, folder: Path, note: Mapping[str, Any]) -> None:
        """Write its state and a note of JSON data into a folder.

        Raises:
            OSError: if they cannot be written.
        """
        try:
            self._checkpoint().write(os.fspath(folder / _FILES))
        except tf.errors.OpError as error:
            raise OSError(error.message) from None
        state = {**note, "shapes": self._shapes(), "number": self.number,
                 "seconds": self.seconds}
        (folder / "note.json").write_text(json.dumps(state))

    def restore(self, folder: Path) -> dict[str, Any] | None:
        """Go on with what `save` wrote. Returns the note; `None` if the folder is damaged.

        The state of a network of another shape is not taken over.
        """
        try:
            note = json.loads((folder / "note.json").read_text())
            if note["shapes"] != self._shapes():
                return note
            self._checkpoint().read(os.fspath(folder / _FILES)).assert_consumed()
        # TensorFlow raises an IndexError where a file ends too early.
        except (tf.errors.OpError, IndexError, AssertionError, OSError, ValueError, KeyError):
            return None
        # What it took to get ready again counts as well.
        self.number, self.seconds = note["number"], note["seconds"] + self.spent
        return note

    def _checkpoint(self) -> tf.train.Checkpoint:
        variables = [*self._pupil.variables, *self._optimizer.variables]
        return tf.train.Checkpoint(variables=[each.value for each in variables])

    def _shapes(self) -> list[list[int]]:
        return [list(each.shape) for each in self._pupil.variables]

    def _done(self) -> float:
        """How much of the training is done, from 0."""
        if self._steps is not None:
            return self.number / self._steps
        return self.seconds / self._limit

    def _stage(self) -> Stage:
        done = self._done()
        for stage in STAGES:
            done -= stage.share
            if done < -1e-9:
                return stage
        return STAGES[-1]

    def _crops(self, number: int, stage: Stage) -> np.ndarray:
        """The share of this process in the crops of a step.

        Each replica has whole groups: where there are more replicas than groups, or one would have
        less than the others, there are more groups.
        """
        replicas = self._replicas
        groups = max(1, stage.count // _GROUP)
        more = -(-groups // replicas.count) * replicas.count
        own = more // replicas.processes * (stage.count // groups)
        return self._photographs.crops(
            number, stage.side, more * (stage.count // groups), self._seed,
            slice(replicas.rank * own, (replicas.rank + 1) * own))

    def _learn(self, crops: np.ndarray) -> tuple[float, dict[str, float]]:
        """Take one step with this process's crops. Returns the loss before it, and its parts."""
        replicas, places = self._replicas, len(self._replicas.devices)
        groups = max(places, len(crops) // _GROUP)
        chance = np.random.default_rng([self._seed, self.number, 1])
        chosen = chance.permutation(
            np.arange(groups * replicas.processes) + chance.integers(len(self._targets)))
        chosen = _part(chosen % len(self._targets), replicas.rank, replicas.processes)
        change = None
        if self._steady:
            chance = np.random.default_rng([self._seed, self.number, 3])
            count = max(places, len(crops) // _CHANGED) * replicas.processes
            change = [_part(each, replicas.rank, replicas.processes)
                      for each in Change.drawn(chance, count, crops.shape[1]).parts()]
        done = self._done()
        rate = LEARNING_RATE * min(1, (self.number + 1) / _WARM) * (
            _LEAST_RATE + (1 - _LEAST_RATE) * (1 + math.cos(math.pi * min(1, done))) / 2)
        rate = tf.constant(rate, tf.float32)
        rows = np.repeat(chosen, len(crops) // groups)
        shares = [(
            tf.constant(_part(crops, place, places)),
            tf.constant(_part(rows, place, places), tf.int32),
            [self._targets[each] for each in _part(chosen, place, places)],
            change and [tf.constant(_part(each, place, places)) for each in change],
        ) for place in range(places)]
        if replicas.count == 1:
            loss, parts = self._compiled(rate, *shares[0])
            return float(loss), {name: float(each) for name, each in parts.items()}
        with replicas.joined():
            found = self._compiled(shares)
            parts = {name: float(each) for name, each in found[0][1].items()}
        return float(self._moved(found, rate)), parts

    def _step(self, rate: tf.Tensor, *share: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Take one step on one device."""
        loss, parts, gradients = self._gradients(self._pupil, *share)
        return _move(self._pupil, self._optimizer, loss, gradients, rate), parts

    def _gradients_of_all(self, shares: Sequence[Sequence[Any]]) -> list[Any]:
        """What `_gradients` returns, as a mean over all replicas, for each of this process."""
        return self._replicas.run(lambda place: self._replicas.mean(
            self._gradients(self._copies[place][0], *shares[place])))

    def _move_all(self, found: Sequence[Any], rate: tf.Tensor) -> tf.Tensor:
        # Apart from what waits for others: whoever of them is lost, a step is taken or not.
        losses = [_move(*copy, loss, gradients, rate)
                  for copy, (loss, _, gradients) in zip(self._copies, found, strict=True)]
        return losses[0]

    def _gradients(
        self, pupil: Pupil, crops: tf.Tensor, rows: tf.Tensor, targets: Sequence[Any],
        change: Sequence[tf.Tensor] | None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], list[tf.Tensor]]:
        """The loss of some crops, its parts, and its gradients."""
        shown = [network.model(crops, training=False) for network in self._objective.networks]
        with tf.GradientTape() as tape:
            painted = pupil.paint(crops, rows)
            with tf.GradientTape() as inner:
                inner.watch(painted)
                parts = self._parts(painted, crops, shown, targets)
                loss = tf.add_n(list(parts.values()))
                scale = self._objective.gradient_scale(painted, loss[None])[0]
                scaled = loss * scale
            slope = tf.stop_gradient(inner.gradient(scaled, painted) / scale)
            made, slopes = [painted], [slope]
            if change is not None:
                parts["steady"] = _STEADY * _unsteadiness(pupil, painted, crops, rows, change)
                loss += parts["steady"]
                made, slopes = [painted, parts["steady"]], [slope, tf.constant(1.0)]
        return loss, parts, tape.gradient(made, [each.value for each in pupil.variables], slopes)

    def _parts(
        self, painted: tf.Tensor, crops: tf.Tensor, shown: Sequence[Mapping[str, tf.Tensor]],
        targets: Sequence[Any],
    ) -> dict[str, tf.Tensor]:
        """Part → its weighted mean over the batch."""
        seen = [network.model(painted, training=False) for network in self._objective.networks]
        losses: dict[str, list[tf.Tensor]] = {}
        for term in self._objective.terms:
            if term.reference == "previous":
                continue
            maps = seen[term.network][term.layer] if term.layer else painted
            if term.reference == "style":
                found = self._of_groups(term, maps, targets)
            elif term.reference == "content":
                before = shown[term.network][term.layer] if term.layer else crops
                found = term.weight * self._kept(term, maps, before)
            else:
                found = term.weight * term.loss.distance(maps, (), self._objective.draw(0))
            losses.setdefault(term.part, []).append(tf.reduce_mean(found))
        return {**self._objective.weighted(losses),
                "regular": _REGULAR * regularity(painted, self._replicas.together)}

    def _kept(self, term: Term, maps: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        """How far the maps are from those of the photographs, for each."""
        region = {"paired": before} if term.loss.paired else {}
        target = tf.nest.map_structure(
            tf.stop_gradient, term.loss.target(term.loss.of(before, region)))
        return term.loss.distance(term.loss.of(maps, region), target, self._objective.draw(0))

    def _of_groups(self, term: Term, maps: tf.Tensor, targets: Sequence[Any]) -> tf.Tensor:
        """How far each group of pictures is from its style."""
        found = []
        draw = self._objective.draw(tf.cast(self._optimizer.iterations, tf.int32))
        for group, target in zip(tf.split(maps, len(targets)), targets, strict=True):
            [region] = target[term.key]
            statistic = term.loss.of(group, {})
            if term.loss.mean_over_positions:
                statistic = tf.reduce_mean(statistic, 0, keepdims=True)
            found += term.losses([statistic], [region], draw)
        return tf.stack([tf.reduce_mean(each) for each in found])


def _part(values: np.ndarray, number: int, count: int) -> np.ndarray:
    """One of `count` equal parts, counted from 0."""
    size = len(values) // count
    return values[number * size :][:size]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # Of several trainings, TensorFlow would warn of many traces of one function.
    return tf.function(functools.partial(function), autograph=False, reduce_retracing=True)


def _optimizer(pupil: Pupil) -> keras.optimizers.Optimizer:
    made = keras.optimizers.Adam(LEARNING_RATE, beta_2=_BETA_2, global_clipnorm=_CLIP)
    made.build(pupil.variables)
    return made


def _move(
    pupil: Pupil, optimizer: keras.optimizers.Optimizer, loss: tf.Tensor,
    gradients: Sequence[tf.Tensor], rate: tf.Tensor,
) -> tf.Tensor:
    """Move a network, unless something is not finite. Returns the loss; NaN if it is not moved."""
    finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
    gradients = [tf.where(finite, each, tf.zeros_like(each)) for each in gradients]
    optimizer.learning_rate.assign(tf.where(finite, rate, 0.0))
    optimizer.apply(gradients, pupil.variables)
    return tf.where(finite, loss, math.nan)


def _unsteadiness(
    pupil: Pupil, painted: tf.Tensor, crops: tf.Tensor, rows: tf.Tensor,
    change: Sequence[tf.Tensor],
) -> tf.Tensor:
    """How unsteadily some of the crops are painted: as many as there are changes."""
    count = change[0].shape[0]
    some = slice(None, None, crops.shape[0] // count)
    again = pupil.paint(changed(crops[some], *change), rows[some])
    return unsteadiness(painted[some], again, *change[:2])


def regularity(
    painted: tf.Tensor, together: Callable[[tf.Tensor], tf.Tensor] = lambda values: values
) -> tf.Tensor:
    """How strong the pattern is that repeats every four pixels, as enlarging leaves it.

    Args:
        painted: `(batch, height, width, 3)`; sides are multiples of 4.
        together: makes the pattern of all pictures of that of these.

    Returns:
        A scalar: the mean square of the pattern, which is the mean of all squares of 4x4 pixels,
        of the pictures without their local mean.
    """
    local = tf.nn.avg_pool2d(painted, STRIDE, 1, "SAME")
    shape = tf.shape(painted)
    squares = tf.reshape(painted - local, [
        shape[0], shape[1] // STRIDE, STRIDE, shape[2] // STRIDE, STRIDE, 3])
    return tf.reduce_mean(tf.square(together(tf.reduce_mean(squares, (0, 1, 3)))))
