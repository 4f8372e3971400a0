"""A Keras model in memory, in the place of a file's name. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from typing import Any

import numpy as np

from tf_style.settings.option import File

PREFIX = "model:"


class LiveModel(str):
    """What settings call a Keras model in memory: `model:NAME:FINGERPRINT`.

    Only this text is recorded. The fingerprint is that of the weights, 12 hexadecimal digits; it
    tells two models of one name apart, and later whether the same one is at hand.

    Attributes:
        model: the model.
    """

    model: Any

    @classmethod
    def of(cls, model: Any) -> LiveModel:
        digest = hashlib.sha256()
        for array in model.get_weights():
            digest.update(f"{array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        text = cls(f"{PREFIX}{model.name}:{digest.hexdigest()[:12]}")
        text.model = model
        return text


@dataclasses.dataclass(frozen=True)
class NetworkFile(File):
    """The name of a network or of a saved model's file; in Python also a Keras model."""

    def parse(self, name: str, value: Any) -> str:
        if isinstance(value, LiveModel):
            return value
        if not isinstance(value, (str, os.PathLike)) and hasattr(value, "get_weights"):
            return LiveModel.of(value)
        return super().parse(name, value)
