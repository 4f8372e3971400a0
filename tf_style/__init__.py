"""Neural style transfer on TensorFlow and Keras.

`import tf_style` is cheap: TensorFlow is imported when a function that computes is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_style.image.picture import read_picture, write_picture
    from tf_style.image.resize import fit
    from tf_style.library.library import Library
    from tf_style.loss.perceptual import PerceptualLoss, StyleLoss
    from tf_style.network.features import feature_model
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.run.result import Result, Step
    from tf_style.run.stylizer import Stylizer, stylize
    from tf_style.settings import InputError, Settings
    from tf_style.show.notebook import show_progress
    from tf_style.show.plotting import plot
    from tf_style.transfer.brush import transform_model
    from tf_style.transfer.model_file import TransformModel
    from tf_style.transfer.train import train

__version__ = "0.2.0"

_HOMES = {
    "Checkpoints": "tf_style.run.checkpoints",
    "InputError": "tf_style.settings.option",
    "Library": "tf_style.library.library",
    "PerceptualLoss": "tf_style.loss.perceptual",
    "Result": "tf_style.run.result",
    "Settings": "tf_style.settings.settings",
    "Step": "tf_style.run.result",
    "StyleLoss": "tf_style.loss.perceptual",
    "Stylizer": "tf_style.run.stylizer",
    "TransformModel": "tf_style.transfer.model_file",
    "feature_model": "tf_style.network.features",
    "fit": "tf_style.image.resize",
    "plot": "tf_style.show.plotting",
    "read_picture": "tf_style.image.picture",
    "show_progress": "tf_style.show.notebook",
    "stylize": "tf_style.run.stylizer",
    "train": "tf_style.transfer.train",
    "transform_model": "tf_style.transfer.brush",
    "write_picture": "tf_style.image.picture",
}

__all__ = [
    "Checkpoints",
    "InputError",
    "Library",
    "PerceptualLoss",
    "Result",
    "Settings",
    "Step",
    "StyleLoss",
    "Stylizer",
    "TransformModel",
    "__version__",
    "feature_model",
    "fit",
    "plot",
    "read_picture",
    "show_progress",
    "stylize",
    "train",
    "transform_model",
    "write_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tf_style' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
