"""Networks that paint, in use by LiteRT: loading TensorFlow takes longer than a picture.

No TensorFlow.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import threading

import numpy as np

import tf_style
from tf_style.image.decoding import native_messages_off
from tf_style.image.samples import PREFIX, STYLE_SAMPLES
from tf_style.run.machine import cores
from tf_style.settings import AUTO, InputError, Settings
from tf_style.transfer.painter import WHOLE
from tf_style.transfer.samples import ENDING, locate_model

# Of more pictures, TensorFlow paints enough faster to make up for its start.
_FEW = 20


def serves(settings: Settings, pictures: int) -> bool:
    """Whether LiteRT is to paint this number of pictures; it always does from its own files."""
    if str(settings.model).endswith(ENDING):
        return True
    return (
        str(settings.model).startswith(PREFIX) and pictures <= _FEW
        and settings.device.lower() in (AUTO, "cpu") and settings.precision in (AUTO, "float32")
        and importlib.util.find_spec("ai_edge_litert") is not None
    )


class LiteBrush:
    """A network that paints, as `brush.Brush`, on the processor and in float32.

    Args:
        settings: with a `model` that it serves.

    Attributes:
        device, threads, precision, file: as those of a `Brush`.

    Raises:
        InputError: for a file that holds no such model.
    """

    device, precision = "cpu", "float32"

    def __init__(self, settings: Settings):
        from ai_edge_litert.interpreter import Interpreter

        self.file, style = locate_model(settings.model)
        self.file = self.file.with_suffix(ENDING)
        self._settings, self._name = settings, f"--model={settings.model}"
        is_sample = settings.model.startswith(PREFIX)
        styles = [style] if style else list(STYLE_SAMPLES) if is_sample else []
        shares = _shares(settings, styles)
        self._others = {}
        if is_sample:
            row = shares if len(styles) > 1 else [float(each == style) for each in STYLE_SAMPLES]
            self._others = {"shares": row, "strength": [1.0]}
        self._lock = threading.Lock()
        self.threads = cores() if settings.threads == AUTO else settings.threads
        self._large = None
        try:
            with native_messages_off():
                self._network = Interpreter(os.fspath(self.file), num_threads=self.threads)
                self._places = {
                    each["name"].partition("_default_")[2].partition(":")[0] or each["name"]: each
                    for each in self._network.get_input_details()
                }
                pictures = [each for each in self._places.values() if len(each["shape"]) == 4]
                self._made, = self._network.get_output_details()
                self._content, = pictures
                if len(self._places) != 1 + len(self._others) or any(
                    each["dtype"] is not np.float32 or each["shape"][-1] != 3
                    for each in (self._content, self._made)
                ):
                    raise ValueError
                self._ready((4, 4))
        # It refuses a file in many ways.
        except Exception:
            raise InputError(f"{self._name}: expected a .tflite file that tf_style_train --export "
                             "wrote: from RGB pictures of any size to such pictures") from None

    def versions(self) -> dict[str, str]:
        """Versions of what a picture's pixels depend on."""
        return {
            "tf_style": tf_style.__version__,
            "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        }

    def paint(self, content: np.ndarray) -> np.ndarray:
        """As `Brush.paint`; a large picture is painted by TensorFlow, if it has the network."""
        if self._others and content.shape[0] * content.shape[1] > WHOLE:
            if self._large is None:
                from tf_style.transfer.brush import Brush

                self._large = Brush(self._settings.replace(device="cpu", precision="float32"))
            return self._large.paint(content)
        try:
            with self._lock:
                self._ready(content.shape[:2])
                self._network.set_tensor(self._content["index"], content[None])
                for name, values in self._others.items():
                    self._network.set_tensor(
                        self._places[name]["index"], np.array([values], np.float32))
                self._network.invoke()
                image = np.clip(self._network.get_tensor(self._made["index"])[0], 0, 1)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self._name}: cannot paint a picture of {content.shape[1]}x"
                             f"{content.shape[0]} ({' '.join(str(error).split())[:120]})") from None
        if image.shape != content.shape or not np.isfinite(image).all():
            raise InputError(f"{self._name}: expected a model whose pictures keep their size, with "
                             "values that are finite")
        return image

    def _ready(self, size: tuple[int, int]) -> None:
        """Make room for a picture of this height and width."""
        self._network.resize_tensor_input(self._content["index"], (1, *size, 3))
        self._network.allocate_tensors()


def _shares(settings: Settings, styles: list[str]) -> list[float]:
    """The shares of a network's styles; by default the first alone."""
    if settings.style_blend == AUTO:
        return [float(number == 0) for number in range(len(styles))]
    if not styles or len(settings.style_blend) != len(styles):
        raise InputError(
            f"--style_blend: expected a share for each of the styles of {settings.model}, "
            f"{', '.join(styles) or 'which has none of its own'}. Received: "
            f"{len(settings.style_blend)}"
        )
    return list(settings.style_blend)
