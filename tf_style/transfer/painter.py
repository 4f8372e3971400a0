"""Painting pictures with a network: what `--model` does."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.image import color
from tf_style.image.paths import PathLike
from tf_style.run import machine
from tf_style.run.result import Result, Stop
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, InputError, Settings
from tf_style.transfer.large import paint_large
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.samples import locate_model

# Pixels of a picture that is painted at once. Larger ones take too much memory.
_WHOLE = 1_500_000


def transform_model(model: PathLike, *, style_blend: Sequence[float] | None = None) -> keras.Model:
    """A network that paints, from a file that `tf_style_train` wrote.

    It consists of Keras' built-in layers only: `keras.models.load_model` reads such a file, too,
    where tf_style is not installed.

    Args:
        model: a file, or `sample:NAME` for a network that comes with tf_style.
        style_blend: shares of its styles, if it has several; by default the first alone.

    Returns:
        A `keras.Model`: `(batch, height, width, 3)` RGB in `[0, 1]`, of any size → the painted
        pictures, float32 in `[0, 1]`, of the same shape.

    Raises:
        InputError: (a `ValueError`) for a file that holds no such model, or other shares.

    Example:
        >>> transform_model("sample:waves")(np.zeros((1, 30, 41, 3))).shape
        TensorShape([1, 30, 41, 3])
    """
    return _read(model, style_blend).model


def _read(model: PathLike, shares: Sequence[float] | None) -> TransformModel:
    path, row = locate_model(model)
    made = TransformModel.read(path)
    if row:
        made = made.only(row)
    if shares is None:
        return made
    shares = Settings(style_blend=shares).style_blend
    if not made.styles or len(shares) != len(made.styles):
        raise InputError(
            f"--style_blend: expected a share for each of the styles of {model}, "
            f"{', '.join(made.styles) or 'which has none of its own'}. Received: {len(shares)}"
        )
    return made.blended(shares)


class ModelPainter:
    """Paints scenes with a network, as `run.painter.Painter` does with an optimiser.

    It holds no state of a picture: several threads may use it at once.

    Args:
        settings: with `model`.

    Attributes:
        settings: with every `auto` resolved that matters here.
        weights: `model` → fingerprint of its file.
        least_size: the shortest side of a picture that it can paint, in pixels.

    Raises:
        InputError: for a file that holds no such model.
    """

    least_size = 1

    def __init__(self, settings: Settings):
        began = time.perf_counter()
        device = machine.resolve_device(settings.device)
        precision = machine.resolve_precision(settings.precision, device)
        # Where a GPU computes in half precision, its own kernels are no faster for so few channels.
        precision = "bfloat16" if precision == "bfloat16" else "float32"
        self._given = settings
        self.settings = settings.replace(device=device, precision=precision)
        shares = None if settings.style_blend == AUTO else settings.style_blend
        made = _read(settings.model, shares)
        path, _ = locate_model(settings.model)
        self.weights: Mapping[str, str] = {
            "model": hashlib.sha256(path.read_bytes()).hexdigest()[:16]}
        with tf.device(device):
            self._made = made.in_precision(precision)
        self._whole = tf.function(
            lambda picture: self._made.model(picture, training=False),
            input_signature=[tf.TensorSpec((1, None, None, 3))],
        )
        self._lock = threading.Lock()
        self._seconds = time.perf_counter() - began

    def paint(
        self, scene: Scene, *, callback: Callable[..., Any] | None = None,
        checkpoints: None = None, time_limit: float | str | None = None,
    ) -> Result:
        """Paint the content of a scene; there are no steps to call back after, or to keep.

        Raises:
            InputError: if the model can't paint this picture.
        """
        del callback, checkpoints, time_limit
        began = time.perf_counter()
        full = scene.scales[-1]
        content = scene.content
        if content.shape[:2] != (full.height, full.width):
            content = full.fit(content)
        # A smaller one can only be the content's own, which is what the settings say.
        side = max(content.shape[:2])
        image = self._painted(content)
        change = {
            "statistics": color.match_statistics, "histogram": color.match_histogram
        }.get(self.settings.preserve_color)
        if change:
            image = change(image, content, None)
        if scene.is_gray(self.settings) and self.settings.preserve_color != "none":
            image = color.as_gray(image)
        return Result(
            image=scene.finished(image, self.settings, full),
            content=content,
            styles=(),
            inputs=scene.inputs,
            history=(),
            given=self._given,
            settings=self.settings.replace(size=side) if side >= 8 else self.settings,
            weights=self.weights,
            weights_seconds=self._seconds,
            weights_cached=None,
            seconds=time.perf_counter() - began,
            stopped=Stop.STEPS,
            versions=machine.versions(),
        )

    def _painted(self, content: np.ndarray) -> np.ndarray:
        try:
            with self._lock, tf.device(self.settings.device):
                if self._made.width and content.shape[0] * content.shape[1] > _WHOLE:
                    image = paint_large(self._made.model, self._made.width, content)
                else:
                    image = np.clip(self._whole(content[None]).numpy()[0], 0, 1)
        except tf.errors.ResourceExhaustedError:
            raise MemoryError from None
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            raise InputError(f"--model={self.settings.model}: cannot paint a picture of "
                             f"{content.shape[1]}x{content.shape[0]} "
                             f"({' '.join(str(error).split())[:120]})") from None
        if image.shape != content.shape or not np.isfinite(image).all():
            raise InputError(
                f"--model={self.settings.model}: made {image.shape[1]}x{image.shape[0]} of a "
                f"picture of {content.shape[1]}x{content.shape[0]}, or values that are not finite. "
                "Expected a model whose pictures keep their size"
            )
        return image
