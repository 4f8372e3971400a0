"""The image that is painted, and what moves it."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image import files
from tf_style.loss.blocks import Blocks
from tf_style.loss.compiled import Compiled
from tf_style.loss.objective import Objective, Style
from tf_style.run import memory
from tf_style.run.optimizers import Adam, image_variable, lbfgs

Targets = Mapping[str, Any]
Watch = Callable[[float, Mapping[str, tf.Tensor]], bool]

_FILES = "state"


class _Note(tf.train.experimental.PythonState):
    """JSON data in a checkpoint."""

    def __init__(self, content: dict[str, Any] | None = None):
        self.content = content

    def serialize(self) -> str:
        return json.dumps(self.content)

    def deserialize(self, string_value: bytes | str) -> None:
        self.content = json.loads(string_value)


class Canvas:
    """The image variable, its optimizer and what is compiled, for one size after another.

    Attributes:
        block_size: as in the settings: 0 for the whole picture at once. Pictures no larger than a
            block are computed at once, too.
    """

    def __init__(self, objective: Objective, optimizer: str = "adam"):
        self.image = image_variable("image")
        self.adam = Adam()
        self.block_size = 0
        self._optimizer = optimizer
        self.objective = objective
        self._whole = Compiled(objective.value_and_gradient)
        self._blocks: dict[int, Blocks] = {}
        self._move = Compiled(self._moved)

    def picture(self) -> np.ndarray:
        return self.image.numpy()[0]

    @property
    def traces(self) -> int:
        return max([self._whole.traces, *[each.traces for each in self._blocks.values()]])

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image, in pixels."""
        return tuple(tf.shape(self.image)[1:3].numpy().tolist())

    def save(self, folder: Path, note: dict[str, Any]) -> None:
        """Write the image, the moments and a note of JSON data into a folder.

        Raises:
            OSError: if they cannot be written.
        """
        try:
            self._checkpoint(_Note(note)).write(os.fspath(folder / _FILES))
        except tf.errors.OpError as error:
            raise OSError(error.message) from None

    def restore(self, folder: Path) -> dict[str, Any] | None:
        """Go on with what `save` wrote. Returns the note.

        Returns `None` for a folder that lacks something or is damaged, which TensorFlow knows by
        checksums; the image is undefined then.
        """
        note = _Note()
        try:
            self._checkpoint(note).read(os.fspath(folder / _FILES)).assert_consumed()
        # TensorFlow raises an IndexError where a file ends too early.
        except (tf.errors.OpError, IndexError, AssertionError):
            return None
        return note.content

    def _checkpoint(self, note: _Note) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(image=self.image, adam=self.adam, note=note)

    def start(self, image: np.ndarray) -> None:
        self.image.assign(image[None])
        self.adam.reset(*image.shape[:2])

    def enlarge(self, height: int, width: int) -> None:
        """Go on with the same image and moments at another size."""
        self.image.assign(np.clip(files.resize(self.picture(), height, width), 0, 1)[None])
        self.adam.carry_over(height, width)

    def targets(
        self, content: np.ndarray | None, styles: Sequence[Mapping[str, Any]]
    ) -> Targets:
        """What the image is compared with, at the image's size.

        Args:
            content: `(height, width, 3)`, or `None`.
            styles: what `Style` is made of, pictures and masks without a batch axis.
        """
        pictures = [style["image"] for style in styles] + [content] * (content is not None)
        side = max(max(picture.shape[:2]) for picture in pictures)
        batch = None if content is None else tf.constant(content[None])
        batches = [
            Style(**{name: tf.constant(value[None]) if name != "share" else value
                     for name, value in style.items()})
            for style in styles
        ]
        return self._in_memory(side, lambda: self._objective_for(side).targets(batch, batches))

    def step(
        self, targets: Targets, learning_rate: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Move the image by Adam. Returns the loss that it had, and its parts."""
        loss, parts, gradient = self.value_and_gradient(targets)
        return self._move(loss, gradient, learning_rate), parts

    def descend(self, targets: Targets, rates: Sequence[float], watch: Watch) -> None:
        """Move the image, a step for each learning rate.

        Args:
            watch: hears the loss that the image had before a step, and its parts; a true return
                value ends it.
        """
        if self._optimizer == "lbfgs":
            self._descend_by_lbfgs(targets, len(rates), watch)
            return
        for rate in rates:
            loss, parts = self.step(targets, tf.constant(rate, tf.float32))
            if watch(float(loss), parts):
                return

    def _descend_by_lbfgs(self, targets: Targets, steps: int, watch: Watch) -> None:
        start = self.picture()
        found: dict[str, Any] = {}

        def evaluate(pixels: np.ndarray) -> tuple[float, np.ndarray]:
            self.image.assign(pixels.reshape(1, *start.shape).astype(np.float32))
            loss, found["parts"], gradient = self.value_and_gradient(targets)
            return float(loss), gradient.numpy().ravel().astype(np.float64)

        def accept(pixels: np.ndarray, loss: float) -> bool:
            self.image.assign(pixels.reshape(1, *start.shape).astype(np.float32))
            return watch(loss, found["parts"])

        lbfgs(evaluate, start.ravel(), steps, accept)

    def value_and_gradient(
        self, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """The loss of the image as it is, its parts, and the gradient."""
        image, step = tf.convert_to_tensor(self.image), tf.cast(self.adam.count, tf.int32)

        side = max(image.shape[1:3])

        def compute() -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
            objective = self._objective_for(side)
            if objective is self.objective:
                return self._whole(image, targets, step)
            return objective.value_and_gradient(image, targets, step)

        return self._in_memory(side, compute)

    def _objective_for(self, side: int) -> Objective:
        if not 0 < self.block_size < side:
            return self.objective
        if self.block_size not in self._blocks:
            self._blocks[self.block_size] = Blocks(self.objective, self.block_size)
        return self._blocks[self.block_size]

    def _in_memory(self, side: int, compute: Callable[[], Any]) -> Any:
        """What `compute` gives for pictures of `side`, in smaller blocks if memory runs out."""
        while True:
            try:
                return compute()
            except tf.errors.ResourceExhaustedError:
                size = memory.smaller_block_size(min(side, self.block_size or side))
                if size is None:
                    raise MemoryError from None
                warnings.warn(
                    f"out of memory; going on in blocks of {size} pixels", stacklevel=2
                )
                self.block_size = size

    def _moved(
        self, loss: tf.Tensor, gradient: tf.Tensor, learning_rate: tf.Tensor
    ) -> tf.Tensor:
        # One value that is not finite would spread over the whole image and both moments.
        finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.reduce_sum(gradient))
        gradient = tf.where(finite, gradient, tf.zeros_like(gradient))
        moved = self.image - self.adam.update(gradient, learning_rate)
        self.image.assign(tf.where(finite, tf.clip_by_value(moved, 0.0, 1.0), self.image))
        return tf.where(finite, loss, math.nan)
