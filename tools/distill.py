"""Trains a small network to see what VGG16 sees: the network `compact`.

    python -m tools.gather --output=pictures
    python -m tools.midrun --pictures=pictures --output=midrun --weights=vgg16.h5
    python -m tools.distill --teacher=vgg16.h5 --pictures=pictures --pairs=midrun --output=compact

The small network, the student, has VGG16's shape with fewer channels. Behind each of its layers, a
linear map of the student's channels is to give the teacher's. The loss is the squared error of
these maps, relative to the variance of the teacher's, and that of what a step of a run changes in
them: a network that agrees in values but not in slopes is fooled by an optimiser.

The start is no chance: of each layer, those of the teacher's channels are kept that explain the
others best, and their kernels are fitted by least squares to what the student's layer before gives.
Then all layers are trained together, by Adam with a learning rate that falls along a cosine.

The folder of output holds the training's state, from which it goes on, `progress.jsonl`, a line
every 500 steps, and at the end `compact.h5`, for `--network=compact --weights=`. With `--init=FILE`
it begins with such a file, for example to look at pictures from the middle of runs that this one
has made. Everything is written with Keras alone, for any of its backends.

Sources: He, Zhang, Sun, Channel pruning for accelerating very deep neural networks, ICCV 2017 (the
start); Beyer et al., Knowledge distillation: A good teacher is patient and consistent, CVPR 2022
(the same crops for both, a long schedule).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from keras import ops

from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import read_kernels, write_kernels
from tools.crops import Crops
from tools.selection import nearest, selected
from tools.trunk import Trunk, scaled, trunk_model, trunk_of

TEACHER, STUDENT = ARCHITECTURES["vgg16"], ARCHITECTURES["compact"]
LAYERS = [layer.name for layer in STUDENT.convolutions]
# The teacher's layers, to the student's deepest.
TAUGHT = [layer for layer in TEACHER.up_to(LAYERS) if not layer.pooling]
# The loss looks at every so many positions of large maps: neighbours say nearly the same.
STRIDES = {"block1": 8, "block2": 4, "block3": 4}
# A flat crop has little variance; its error counts relative to this share of all crops', too.
SHARED = 0.1
# How much the change of maps counts beside the maps.
SLOPES = 0.5
# Batches that the start is fitted to, and those that the progress is measured on.
FIRST, CHECKED = 8, 6
RIDGE = 1e-5
KEPT_EVERY = 500
# The number of the first batch to measure the progress on: no step of training has it.
CHECKS = 2**40
NOTES = {
    "teacher": "VGG16, K. Simonyan and A. Zisserman, Visual Geometry Group, University of Oxford",
    "licence": "CC BY 4.0",
    "made_from": "the teacher's weights and the pictures of tools/DATA.md, by tools/distill.py",
}


class Distiller(keras.Model):
    """The student's errors, `(pictures, layers)`, from a dict of `pictures` and the teacher's maps.

    Args:
        student: with maps that have a mean square of about 1, as the teacher's have.
        readouts: layer → `(student's channels, teacher's channels)`, where to begin.
        paired: how many pairs the pictures begin with, one picture after the other.
    """

    def __init__(
        self, student: keras.Model, readouts: dict[str, np.ndarray], paired: int, dtype: str
    ):
        super().__init__()
        self.student, self.paired = student, paired
        self.readouts = {}
        for name, matrix in readouts.items():
            self.readouts[name] = keras.layers.Dense(
                matrix.shape[1], use_bias=False, dtype=dtype, name=f"{name}_readout"
            )
            self.readouts[name].build((None, None, None, matrix.shape[0]))
            self.readouts[name].set_weights([matrix])

    def given(self, pictures):
        """Layer → what the student makes of the teacher's map, at the positions of the loss."""
        maps = self.student(pictures)
        return {name: ops.cast(self.readouts[name](thinned(name, maps[name])), "float32")
                for name in LAYERS}

    def call(self, inputs):
        given, errors = self.given(inputs["pictures"]), []
        for name in LAYERS:
            target = ops.cast(inputs[name], "float32")
            error = _relative(given[name] - target, target - ops.mean(target, (0, 1, 2)))
            if self.paired:
                first, second = slice(0, 2 * self.paired, 2), slice(1, 2 * self.paired, 2)
                change = target[second] - target[first]
                slope = _relative(given[name][second] - given[name][first] - change, change)
                error = error + SLOPES * ops.mean(slope)
            errors.append(error)
        return ops.stack(errors, axis=1)


def thinned(name: str, features):
    """The positions of a layer's map that the loss looks at."""
    step = STRIDES.get(name.partition("_")[0], 1)
    return features[:, ::step, ::step]


class Lessons:
    """Batches of pictures with the teacher's maps, which are kept to be used again.

    Args:
        trunk: of the teacher, scaled.
        count: how many different batches there are; the next one is the first again.
    """

    def __init__(self, trunk: Trunk, crops: Crops, count: int, dtype: str):
        maps = trunk_model(TEACHER, trunk, dtype)
        self._teacher = keras.Model(
            maps.inputs, {name: thinned(name, maps.output[name]) for name in LAYERS}
        )
        self._crops, self._count = crops, count
        self._kept: dict[int, dict[str, np.ndarray]] = {}

    def lesson(self, number: int) -> dict[str, np.ndarray]:
        """The pictures and layer → the teacher's map, float16."""
        number = number if number >= CHECKS else number % self._count
        if number not in self._kept:
            batch = self._crops.batch(number)
            maps = self._teacher.predict_on_batch(batch)
            self._kept[number] = {"pictures": batch.astype(np.float16)} | {
                name: np.asarray(each, np.float16) for name, each in maps.items()
            }
        return self._kept[number]


def _relative(error, signal):
    """The squared error of each picture over its signal's, and a share of all pictures'."""
    squares = ops.mean(ops.square(signal), (1, 2, 3))
    return ops.mean(ops.square(error), (1, 2, 3)) / (
        (1 - SHARED) * squares + SHARED * ops.mean(squares) + 1e-6
    )


def sizes(trunk: Trunk, pictures: list[np.ndarray]) -> dict[str, float]:
    """Layer → root mean square of its maps."""
    model = trunk_model(TEACHER, trunk, "float32")
    squares = [
        {name: float(ops.mean(ops.square(each))) for name, each in model(batch).items()}
        for batch in pictures
    ]
    return {name: float(np.sqrt(np.mean([each[name] for each in squares]))) for name in trunk}


def beginning(
    trunk: Trunk, pictures: list[np.ndarray], seed: int, file: Path | None
) -> tuple[Trunk, dict[str, np.ndarray]]:
    """The student that training starts from, of `file` or chosen anew, and its readouts."""
    if file:
        kernels = read_kernels(file, STUDENT, STUDENT.convolutions)
        student = {name: arrays[:2] for name, arrays in kernels.items()}
    else:
        student = selected(TEACHER, STUDENT, trunk, pictures, positions=30_000, seed=seed)
    small, large = trunk_model(STUDENT, student, "float32"), trunk_model(TEACHER, trunk, "float32")
    squares = {name: [0.0, 0.0] for name in LAYERS}
    for batch in pictures:
        given, wanted = small(batch), large(batch)
        for name in LAYERS:
            rows = np.asarray(given[name]).reshape(-1, given[name].shape[-1])
            targets = np.asarray(wanted[name]).reshape(-1, wanted[name].shape[-1])
            squares[name][0] += rows.T @ rows / len(rows)
            squares[name][1] += rows.T @ targets / len(rows)
    return student, {name: nearest(*each, RIDGE) for name, each in squares.items()}


def explained(model: Distiller, lessons: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """Layer → share of the variance of the teacher's maps that the student's give."""
    left = {name: [] for name in LAYERS}
    for lesson in lessons:
        given = model.given(lesson["pictures"])
        for name in LAYERS:
            target = lesson[name].astype(np.float32)
            error, centred = np.asarray(given[name]) - target, target - target.mean((0, 1, 2))
            left[name].append(float(np.square(error).sum() / np.square(centred).sum()))
    return {name: round(1 - float(np.mean(errors)), 4) for name, errors in left.items()}


def state_of(model: Distiller) -> list:
    """All variables that training changes, in a fixed order."""
    return [*model.trainable_variables, *model.optimizer.variables]


def keep(path: Path, variables: list) -> None:
    """Writes variables completely or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, *[np.asarray(variable) for variable in variables])
    os.replace(part, path)


def restore(path: Path, variables: list) -> None:
    """Reads what `keep` wrote."""
    with np.load(path) as found:
        for variable, name in zip(variables, found.files, strict=True):
            variable.assign(found[name])


def network_of(model: Distiller, sizes: dict[str, float]) -> dict[str, tuple[np.ndarray, ...]]:
    """Layer → kernel, bias and triangular readout, whose distances are the teacher's."""
    trunk = trunk_of(model.student, STUDENT)
    found = {}
    for name, (kernel, bias) in trunk.items():
        matrix = np.asarray(model.readouts[name].kernel, np.float64) * sizes[name]
        # |x W|² = |x L|², where W Wᵀ = L Lᵀ.
        square = matrix @ matrix.T
        square[np.diag_indices_from(square)] += 1e-8 * np.trace(square) / len(square)
        readout = np.linalg.cholesky(square).astype(np.float32)
        found[name] = (kernel, bias, readout[None, None])
    return found


def prepared(lessons: Lessons, first: int, last: int) -> Iterator[dict[str, np.ndarray]]:
    """Lessons `first` to `last - 1`, each made while the one before is in use."""
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(lessons.lesson, first)
        for number in range(first + 1, last + 1):
            lesson, following = following.result(), maker.submit(lessons.lesson, number)
            yield lesson


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tools.distill", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="VGG16's weights file")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--pairs", type=Path, help="folder that tools.midrun filled")
    parser.add_argument("--output", type=Path, required=True, help="folder of this training")
    parser.add_argument("--init", type=Path, help="a compact.h5 to begin with")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--lessons", type=int, default=500, help="different batches; the "
                        "teacher's maps are kept: about 14 MB each at 256 pixels")
    parser.add_argument("--side", type=int, default=256, help="of a crop, in pixels")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--learning_rate", type=float, default=5e-4)
    parser.add_argument("--precision", default="mixed_bfloat16",
                        help="mixed_bfloat16 or float32, for processors without bfloat16")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Trains, or goes on with a training."""
    given = arguments()
    given.output.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(given.seed)
    crops = Crops.of(given.pictures, given.pairs, side=given.side, count=given.batch,
                     seed=given.seed)
    first = [crops.batch(2 * CHECKS + number) for number in range(FIRST)]
    trunk = dict(read_kernels(given.teacher, TEACHER, TAUGHT))
    state, progress = given.output / "state.npz", given.output / "progress.jsonl"
    scales = sizes(trunk, first)
    trunk = scaled(trunk, scales)
    # Where a training goes on, this is only for the shapes.
    student, readouts = beginning(trunk, first, given.seed, given.init)
    lessons = Lessons(trunk, crops, given.lessons, given.precision.replace("mixed_", ""))
    checked = [lessons.lesson(CHECKS + number) for number in range(CHECKED)]
    model = Distiller(trunk_model(STUDENT, student, given.precision), readouts, crops.paired,
                      given.precision)
    warm = min(300, given.steps // 10)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
            0.0, given.steps - warm, 0.01, warmup_target=given.learning_rate, warmup_steps=warm,
        ), clipnorm=1.0),
        loss=lambda _, errors: ops.mean(errors), jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
    if state.exists():
        restore(state, state_of(model))
    done = int(ops.convert_to_numpy(model.optimizer.iterations))
    nothing = np.zeros((given.batch, len(LAYERS)), np.float32)
    started, losses = time.perf_counter(), []
    for number, lesson in enumerate(prepared(lessons, done, given.steps), start=done):
        if number % KEPT_EVERY == 0:
            note = {
                "step": number, "loss": round(float(np.mean(losses)), 5) if losses else None,
                "seconds": round(time.perf_counter() - started),
                "explained": explained(model, checked),
            }
            with progress.open("a") as lines:
                lines.write(json.dumps(note) + "\n")
            print(json.dumps(note), flush=True)
            keep(state, state_of(model))
            losses = []
        losses.append(model.train_on_batch(lesson, nothing))
    keep(state, state_of(model))
    print(json.dumps(explained(model, checked)))
    write_kernels(given.output / "compact.h5", network_of(model, scales), origin=STUDENT.name,
                  dtype="float16", notes=NOTES)


if __name__ == "__main__":
    main()
