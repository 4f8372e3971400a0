"""Networks that paint, in use."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_style.image.paths import PathLike
from tf_style.loss.compiled import compiled
from tf_style.run import machine
from tf_style.settings import AUTO, InputError, Settings
from tf_style.transfer.large import Strips
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.painter import WHOLE
from tf_style.transfer.samples import locate_model


def transform_model(
    model: PathLike, *, style_blend: Sequence[float] | None = None, controls: bool = False
) -> keras.Model:
    """A network that paints, from a file that `tf_style_train` wrote.

    It consists of Keras' built-in layers only: `keras.models.load_model` reads such a file, too,
    where tf_style is not installed.

    Args:
        model: a file, or `sample:NAME` for a network that comes with tf_style.
        style_blend: shares of its styles, if it has several; by default the first alone.
        controls: take the shares and the strength with each picture, as further inputs.

    Returns:
        A `keras.Model`: `(batch, height, width, 3)` RGB in `[0, 1]`, of any size → the painted
        pictures, float32 in `[0, 1]`, of the same shape. With `controls`, of a list: the pictures,
        `(batch, styles)` shares, which are scaled to add up to 1, and `(batch, 1)` strengths, from
        0, the picture as it is, to 1, the painted picture.

    Raises:
        InputError: (a `ValueError`) for a file that holds no such model, or other shares.

    Example:
        >>> transform_model("sample:waves")(np.zeros((1, 30, 41, 3))).shape
        TensorShape([1, 30, 41, 3])
    """
    if not controls:
        return _read(model, style_blend).model
    if style_blend is not None:
        raise InputError("--style_blend and controls: with controls the shares are an input")
    return _read(model, None).controlled()


def _read(
    model: PathLike, shares: Sequence[float] | None, flag: str = "model"
) -> TransformModel:
    path, row = locate_model(model)
    made = TransformModel.read(path, flag)
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


class Brush:
    """A network that paints, ready for pictures of any size.

    It holds no state of a picture: several threads may use it at once.

    Args:
        settings: those of the machine and, with `model`, of the blend count.
        flag: the option that names the network: `model` or `init`.

    Attributes:
        device: where it computes.
        threads: of the processor, with which it does.
        precision: in which it does, `float32` or `bfloat16`.
        file: that the network was read from.
        made: the network, in its computing type.

    Raises:
        InputError: for a file that holds no such model.
    """

    def __init__(self, settings: Settings, flag: str = "model"):
        known = machine.resolve(settings)
        self.device, self.threads = known.device, known.threads
        # Where a GPU computes in half precision, its own kernels are no faster for so few channels.
        self.precision = "bfloat16" if known.precision == "bfloat16" else "float32"
        model = getattr(settings, flag)
        self._name = f"--{flag}={model}"
        self.file, _ = locate_model(model)
        blends = flag == "model" and settings.style_blend != AUTO
        made = _read(model, settings.style_blend if blends else None, flag)
        with tf.device(self.device):
            self.made = made.in_precision(self.precision)
        self._whole = compiled(lambda picture: self.made.model(picture, training=False),
                               tf.TensorSpec((1, None, None, 3)))
        self._strips = Strips(self.made.model, self.made.width) if self.made.width else None
        self._lock = threading.Lock()

    def versions(self) -> dict[str, str]:
        """Versions of what a picture's pixels depend on."""
        return machine.versions()

    def paint(self, content: np.ndarray) -> np.ndarray:
        """What it makes of a picture, `(height, width, 3)` float32 in `[0, 1]`, of the same shape.

        Raises:
            InputError: if the network can't paint this picture.
            MemoryError: if there is too little memory.
        """
        try:
            with self._lock, tf.device(self.device):
                if self._strips and content.shape[0] * content.shape[1] > WHOLE:
                    image = self._strips.paint(content)
                else:
                    image = np.clip(self._whole(content[None]).numpy()[0], 0, 1)
        except tf.errors.ResourceExhaustedError:
            raise MemoryError from None
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            raise InputError(f"{self._name}: cannot paint a picture of "
                             f"{content.shape[1]}x{content.shape[0]} "
                             f"({' '.join(str(error).split())[:120]})") from None
        if image.shape != content.shape or not np.isfinite(image).all():
            raise InputError(
                f"{self._name}: made {image.shape[1]}x{image.shape[0]} of a "
                f"picture of {content.shape[1]}x{content.shape[0]}, or values that are not finite. "
                "Expected a model whose pictures keep their size"
            )
        return image
