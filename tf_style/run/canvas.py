"""The image that one run paints, and what its optimizer remembers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image.previous import Previous
from tf_style.image.resize import resize
from tf_style.image.style import Style
from tf_style.loss.targets import Targets
from tf_style.run import cost
from tf_style.run.descent import Descent, Value
from tf_style.run.optimizers import Moments, carried_over, lbfgs
from tf_style.settings import InputError

Watch = Callable[[float, Mapping[str, tf.Tensor]], bool]

_FILES = "state"


class Canvas:
    """The image variable of a run and its optimizer, for one size after another.

    Args:
        descent: the compiled steps, which other runs may use as well.
        optimizer: as in the settings.
        block_size: as in the settings: 0 for the whole picture at once.
        note: called with the text of each note.

    Attributes:
        block_size: smaller than given if memory ran out.
        gray: whether an image that starts without colours is to get none.
    """

    def __init__(
        self, descent: Descent, optimizer: str, block_size: int,
        note: Callable[[str], None] = lambda text: None,
    ):
        self.block_size = block_size
        self.gray = False
        self._descent = descent
        self._optimizer = optimizer
        self._note = note
        # Of any size, so that a checkpoint of any size can be read.
        self._image, first, second = (
            tf.Variable(tf.zeros((1, 1, 1, 3)), shape=(1, None, None, 3), name=name)
            for name in ("image", "first_moment", "second_moment")
        )
        self._adam = _State(first, second)

    def picture(self) -> Callable[[], np.ndarray]:
        """A function that returns the image as it is now, `(height, width, 3)`, even later."""
        image = tf.convert_to_tensor(self._image)
        return lambda: image.numpy()[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image, in pixels."""
        return tuple(tf.shape(self._image)[1:3].numpy().tolist())

    @property
    def moments(self) -> Moments:
        """What Adam remembers of the gradients."""
        return Moments(*map(tf.convert_to_tensor,
                            (self._adam.first, self._adam.second, self._adam.count)))

    def save(self, folder: Path, note: dict[str, Any]) -> None:
        """Write the image, the moments and a note of JSON data into a folder.

        Raises:
            OSError: if they cannot be written.
        """
        try:
            self._checkpoint(_Note(note)).write(os.fspath(folder / _FILES))
        except tf.errors.OpError as error:
            # Between the name of an operation and its kind; without those of its own files.
            reason = error.message.partition("}} ")[2] or error.message
            raise OSError(reason.rpartition("; ")[2].partition(" [Op:")[0]) from None

    def restore(self, folder: Path) -> dict[str, Any] | None:
        """Go on with what `save` wrote. Returns the note.

        Returns `None` for a folder that is incomplete or damaged, which TensorFlow detects by
        checksums; the image is then undefined.
        """
        note = _Note()
        try:
            self._checkpoint(note).read(os.fspath(folder / _FILES)).assert_consumed()
        # TensorFlow raises an IndexError where a file ends too early.
        except (tf.errors.OpError, IndexError, AssertionError):
            return None
        return note.content

    def _checkpoint(self, note: _Note) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(image=self._image, adam=self._adam, note=note)

    def start(self, image: np.ndarray) -> None:
        """Begin with this image, `(height, width, 3)`, and no memory of gradients."""
        zeros = tf.zeros((1, *image.shape))
        self._assign(tf.constant(image[None]), Moments(zeros, zeros, tf.constant(0, tf.int64)))

    def enlarge(self, height: int, width: int, detail: np.ndarray | float = 0.0) -> None:
        """Go on with the same image and moments at another size.

        Args:
            detail: what a small image cannot hold, `(height, width, 3)`, to be added to it.
        """
        image = np.clip(resize(self.picture()(), height, width) + detail, 0, 1)
        self._assign(tf.constant(image[None]), carried_over(self.moments, height, width))

    def _assign(self, image: tf.Tensor, moments: Moments) -> None:
        self._image.assign(image)
        self._adam.first.assign(moments.first)
        self._adam.second.assign(moments.second)
        self._adam.count.assign(moments.count)

    def targets(
        self, content: np.ndarray | None, styles: Sequence[Style],
        protect: np.ndarray | None = None, previous: Previous | None = None,
        regions: np.ndarray | None = None,
    ) -> Targets:
        """What the image is compared with, at its size; see `Descent.targets`.

        Raises:
            InputError: if the network gives values that are not finite.
        """
        try:
            return self._in_memory(
                lambda: self._descent.targets(
                    content, styles, self.block_size, protect, previous, regions
                )
            )
        except tf.errors.InvalidArgumentError as error:
            if "Eig" not in str(error):
                raise
            raise InputError("--weights: with these, the network gives values that are not finite. "
                             "Choose other weights") from None

    def value_and_gradient(self, targets: Targets) -> Value:
        """The loss of the image as it is, its parts, and the gradient."""
        image = tf.convert_to_tensor(self._image)
        step = tf.cast(tf.convert_to_tensor(self._adam.count), tf.int32)
        loss, parts, gradient = self._in_memory(
            lambda: self._descent.value_and_gradient(image, targets, step, self.block_size)
        )
        if self.gray:
            mean = tf.reduce_mean(gradient, axis=-1, keepdims=True)
            gradient = tf.broadcast_to(mean, tf.shape(gradient))
        return loss, parts, gradient

    def step(
        self, targets: Targets, learning_rate: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Move the image by Adam. Returns the loss that it had before, and its parts."""
        loss, parts, gradient = self.value_and_gradient(targets)
        image, moments, loss = self._descent.move(
            tf.convert_to_tensor(self._image), self.moments, loss, gradient, learning_rate,
            targets,
        )
        self._assign(image, moments)
        return loss, parts

    def descend(self, targets: Targets, rates: Sequence[float], watch: Watch) -> None:
        """Move the image, one step for each learning rate.

        Args:
            watch: called with the loss that the image had before each step, and its parts; a true
                return value ends the descent.
        """
        if self._optimizer == "lbfgs":
            # SciPy takes a step where none is allowed.
            if rates:
                self._descend_by_lbfgs(targets, len(rates), watch)
            return
        for rate in rates:
            loss, parts = self.step(targets, tf.constant(rate, tf.float32))
            if watch(float(loss[0]), parts):
                return

    def _descend_by_lbfgs(self, targets: Targets, steps: int, watch: Watch) -> None:
        start = self.picture()()
        found: dict[str, Any] = {}

        def evaluate(pixels: np.ndarray) -> tuple[float, np.ndarray]:
            self._image.assign(pixels.reshape(1, *start.shape).astype(np.float32))
            loss, found["parts"], gradient = self.value_and_gradient(targets)
            return float(loss[0]), gradient.numpy().ravel().astype(np.float64)

        def accept(pixels: np.ndarray, loss: float) -> bool:
            self._image.assign(pixels.reshape(1, *start.shape).astype(np.float32))
            return watch(loss, found["parts"])

        lbfgs(evaluate, start.ravel(), steps, accept)

    def _in_memory(self, compute: Callable[[], Any]) -> Any:
        """The result of `compute`, in smaller blocks if memory runs out."""
        while True:
            try:
                return compute()
            except tf.errors.ResourceExhaustedError:
                side = max(self.shape)
                size = cost.smaller_block_size(min(side, self.block_size or side))
                if size is None:
                    raise MemoryError from None
                self._note(f"out of memory; going on in blocks of {size} pixels")
                self.block_size = size


class _State(tf.Module):
    """Adam's moments, as a checkpoint holds them."""

    def __init__(self, first: tf.Variable, second: tf.Variable):
        super().__init__()
        self.first, self.second = first, second
        self.count = tf.Variable(0, dtype=tf.int64, name="count")


class _Note(tf.train.experimental.PythonState):
    """JSON data in a checkpoint."""

    def __init__(self, content: dict[str, Any] | None = None):
        self.content = content

    def serialize(self) -> str:
        return json.dumps(self.content)

    def deserialize(self, string_value: bytes | str) -> None:
        self.content = json.loads(string_value)
