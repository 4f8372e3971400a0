"""Painting pictures with a network: what `--model` does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.image import color
from tf_style.run.result import Result, Stop
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, Settings

if TYPE_CHECKING:
    from tf_style.transfer.brush import Brush
    from tf_style.transfer.lite import LiteBrush
    from tf_style.transfer.model_file import TransformModel


# Pixels of a picture that is painted at once. Larger ones take too much memory.
WHOLE = 1_500_000


class ModelPainter:
    """Paints scenes with a network, as `run.painter.Painter` does with an optimiser.

    It holds no state of a picture: several threads may use it at once.

    Args:
        settings: with `model`.
        brush: the network; by default read with TensorFlow.

    Attributes:
        settings: with every `auto` resolved that matters here.
        weights: `model` → fingerprint of its file.
        least_size: the shortest side of a picture that it can paint, in pixels.

    Raises:
        InputError: for a file that holds no such model.
    """

    least_size = 1

    def __init__(self, settings: Settings, brush: Brush | LiteBrush | None = None):
        began = time.perf_counter()
        if brush is None:
            from tf_style.transfer.brush import Brush

            brush = Brush(settings)
        self._brush = brush
        self._given = settings
        self.settings = settings.replace(
            device=self._brush.device, threads=self._brush.threads,
            precision=self._brush.precision)
        self.weights: Mapping[str, str] = {
            "model": hashlib.sha256(brush.file.read_bytes()).hexdigest()[:16]}
        self._seconds = time.perf_counter() - began

    @property
    def made(self) -> TransformModel:
        """The network, in its computing type; LiteRT has none."""
        return self._brush.made

    def painted(self, content: np.ndarray) -> np.ndarray:
        """What the network makes of a picture, `(height, width, 3)` float32 in `[0, 1]`.

        Raises:
            InputError: if it can't paint this one.
            MemoryError: if there is too little memory.
        """
        return self._brush.paint(content)

    def finished(self, image: np.ndarray, content: np.ndarray) -> np.ndarray:
        """What was painted, in the content's colours and as far as the settings ask for that.

        Args:
            image: as `painted` returns it.
            content: what it was painted from, of the same shape.
        """
        image = self._toned(image, content)
        if self.settings.preserve_color == "luminance":
            image = color.with_luminance(content, color.luminance(image))
        return self._mixed(image, content)

    def _toned(self, image: np.ndarray, content: np.ndarray) -> np.ndarray:
        if self.settings.preserve_color == "none":
            return image
        change = {
            "statistics": color.match_statistics, "histogram": color.match_histogram
        }.get(self.settings.preserve_color)
        if change:
            image = change(image, content, None)
        return color.as_gray(image) if color.is_gray(content) else image

    def _mixed(self, image: np.ndarray, content: np.ndarray) -> np.ndarray:
        if self.settings.strength == AUTO:
            return image
        # The network keeps what is where, so that the two cover each other.
        return content + np.float32(self.settings.strength) * (image - content)

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
        image = scene.finished(self._toned(self.painted(content), content), self.settings, full)
        return Result(
            image=self._mixed(image, content),
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
            versions=self._brush.versions(),
        )
