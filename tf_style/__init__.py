"""Neural style transfer on TensorFlow and Keras.

`import tf_style` is cheap: TensorFlow is imported when a function that computes is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_style.network.features import feature_model
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.run.result import Result, Step
    from tf_style.run.stylizer import Stylizer, stylize
    from tf_style.settings import InputError, Settings
    from tf_style.show.notebook import show_progress
    from tf_style.show.plotting import plot

__version__ = "0.2.0"

_HOMES = {
    "Checkpoints": "tf_style.run.checkpoints",
    "InputError": "tf_style.settings.option",
    "Result": "tf_style.run.result",
    "Settings": "tf_style.settings.settings",
    "Step": "tf_style.run.result",
    "Stylizer": "tf_style.run.stylizer",
    "feature_model": "tf_style.network.features",
    "plot": "tf_style.show.plotting",
    "show_progress": "tf_style.show.notebook",
    "stylize": "tf_style.run.stylizer",
}

__all__ = [
    "Checkpoints",
    "InputError",
    "Result",
    "Settings",
    "Step",
    "Stylizer",
    "__version__",
    "feature_model",
    "plot",
    "show_progress",
    "stylize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tf_style' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
