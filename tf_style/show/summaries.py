"""A run for TensorBoard."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tf_style.image.numbers import eight_bit
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

    TensorFlow's own `tf.summary` writes in another thread, which keeps a full disk to itself, and
    some of it needs the package TensorBoard; writing the same records directly does not.

    Args:
        folder: as in `tensorboard --logdir=folder`; created if it is missing.
        settings: of the run.

    Raises:
        InputError: in the methods, if nothing can be written there.
    """

    def __init__(self, folder: PathLike, settings: Settings):
        self._folder = os.fspath(folder)
        self._settings = settings
        self._steps = 0
        self._writer: tf.io.TFRecordWriter | None = None

    def show(self, step: Step) -> None:
        with self._writing():
            if self._writer is None:
                self._writer = self._opened()
            self._steps = step.number
            for name, loss in {"loss": step.loss, **step.parts}.items():
                tag = name if name == "loss" else f"loss/{name}"
                self._write(tag, np.float32(loss), _SCALAR)
            if self._steps % IMAGE_EVERY == 0 or step.step == step.steps:
                picture = shrink(step.image(), LONG_SIDE)
                height, width = picture.shape[:2]
                encoded = tf.io.encode_png(eight_bit(picture))
                self._write("image", [b"%d" % width, b"%d" % height, encoded.numpy()], _IMAGE)
            # A full disk is noticed now, not at the end, where it would be too late to say so.
            self._writer.flush()

    def close(self) -> None:
        with self._writing():
            if self._writer is not None:
                self._writer.close()

    def _opened(self) -> tf.io.TFRecordWriter:
        """A new file in the folder, with the settings."""
        tf.io.gfile.makedirs(self._folder)
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}.v2"
        self._writer = tf.io.TFRecordWriter(os.path.join(self._folder, name))
        self._record(file_version="brain.Event:2")
        # TensorBoard's Markdown shows lines indented by four as code.
        text = json.dumps(self._settings.as_dict(), indent=2, ensure_ascii=False)
        text = "\n".join("    " + line for line in text.splitlines())
        self._write("settings", text.encode(errors="backslashreplace"), _TEXT)
        return self._writer

    def _write(self, tag: str, value: Any, kind: tuple[str, str]) -> None:
        plugin, data_class = kind
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data={"plugin_name": plugin}, data_class=data_class
        )
        self._record(step=self._steps, summary=tf.compat.v1.Summary(value=[
            tf.compat.v1.Summary.Value(
                tag=tag, tensor=tf.make_tensor_proto(value), metadata=metadata
            )
        ]))

    def _record(self, **content: Any) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            # Text exists only on the CPU, whatever device the run is on.
            with tf.device("cpu"):
                yield
        except tf.errors.OpError as error:
            raise InputError(f"{self._folder}: cannot be written ({error.message})") from None
