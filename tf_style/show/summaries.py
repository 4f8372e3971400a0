"""A run for TensorBoard."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_style.image.paths import PathLike
from tf_style.image.resize import shrink
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.result import Step

# The plugin that shows a value, and the kind of its data.
_SCALAR = ("scalars", "DATA_CLASS_SCALAR")
_IMAGE = ("images", "DATA_CLASS_BLOB_SEQUENCE")
_TEXT = ("text", "DATA_CLASS_TENSOR")
IMAGE_EVERY = 20
LONG_SIDE = 512


class Summaries:
    """Writes losses, pictures and the settings of a run: `show` is a callback for `stylize`.

    The loss and its parts at every step; the picture every `IMAGE_EVERY` steps and at the end of
    each size, at most `LONG_SIDE` pixels long. The count of steps continues from size to size.

    TensorFlow's own `tf.summary.scalar` and the like need the package TensorBoard; writing their
    data directly does not.

    Args:
        folder: as in `tensorboard --logdir=folder`; created if it is missing.
        settings: of the run.

    Raises:
        InputError: here and in the methods, if nothing can be written there.
    """

    def __init__(self, folder: PathLike, settings: Settings):
        self._folder = os.fspath(folder)
        self._steps = 0
        with self._writing():
            self._writer = tf.summary.create_file_writer(self._folder)
            # TensorBoard's Markdown shows lines indented by four as code.
            text = json.dumps(settings.as_dict(), indent=2, ensure_ascii=False)
            text = "\n".join("    " + line for line in text.splitlines())
            self._write("settings", tf.constant(text), _TEXT)

    def show(self, step: Step) -> None:
        self._steps += 1
        with self._writing():
            for name, loss in {"loss": step.loss, **step.parts}.items():
                tag = name if name == "loss" else f"loss/{name}"
                self._write(tag, tf.constant(loss, tf.float32), _SCALAR)
            if self._steps % IMAGE_EVERY == 0 or step.step == step.steps:
                picture = shrink(step.image(), LONG_SIDE)
                height, width = picture.shape[:2]
                encoded = tf.io.encode_png(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
                self._write("image", tf.stack([str(width), str(height), encoded]), _IMAGE)

    def close(self) -> None:
        with self._writing():
            self._writer.close()

    def _write(self, tag: str, value: tf.Tensor, kind: tuple[str, str]) -> None:
        plugin, data_class = kind
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data={"plugin_name": plugin}, data_class=data_class
        )
        with self._writer.as_default():
            tf.summary.write(tag, value, step=self._steps, metadata=metadata)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            # Text exists only on the CPU, whatever device the run is on.
            with tf.device("cpu"):
                yield
        except tf.errors.OpError as error:
            raise InputError(f"{self._folder}: cannot be written ({error.message})") from None
