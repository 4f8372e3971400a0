"""The picture as it forms, in a notebook."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tf_style.image.numbers import eight_bit
from tf_style.image.resize import shrink
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.result import Step
    from tf_style.transfer.training import Lesson


def show_progress(*, seconds: float = 1.0, long_side: int = 384) -> Callable[[Step | Lesson], None]:
    """A callback that shows the picture below the cell, in place of the one before.

    It is for `stylize`, and for `train`: there the picture is what the network makes of a
    photograph.

    Args:
        seconds: from one picture to the next. The last one of each size is always shown.
        long_side: the most that is shown, in pixels.

    Raises:
        InputError: outside a notebook.

    Example:
        >>> result = stylize("photo.jpg", "painting.jpg", callback=show_progress())
    """
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        shell = None
    else:
        shell = get_ipython()
    if shell is None:
        raise InputError("show_progress: this is not a notebook, such as Jupyter's. Elsewhere "
                         "use the command: tf_style --animate=FILE")
    shown: list = []
    since = 0.0

    def show(step: Step | Lesson) -> None:
        nonlocal since
        if time.perf_counter() - since < seconds and not step.is_last:
            return
        line = str(step)
        bundles = [{"text/plain": line},
                   {"text/plain": line, "image/jpeg": _jpeg(shrink(step.image(), long_side))}]
        if shown:
            for handle, bundle in zip(shown, bundles, strict=True):
                handle.update(bundle, raw=True)
        else:
            shown.extend(display(bundle, raw=True, display_id=True) for bundle in bundles)
        since = time.perf_counter()

    return show


def _jpeg(picture: np.ndarray) -> str:
    """A picture as notebooks hold it: JPEG, in base64."""
    content = io.BytesIO()
    Image.fromarray(eight_bit(picture)).save(content, "JPEG", quality=85)
    return base64.b64encode(content.getvalue()).decode()
