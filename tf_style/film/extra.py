"""The packages of the extra `video`, which not everybody has."""

from __future__ import annotations

import importlib.util

from tf_style.settings import InputError

# What is imported → what it is called where it is installed from.
_PACKAGES = {"av": "PyAV", "cv2": "OpenCV"}


def needs(module: str) -> None:
    """Check that a package of the extra is installed.

    Args:
        module: as it is imported, `av` or `cv2`.

    Raises:
        InputError: if it is not.
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(f"films need {_PACKAGES[module]}; pip install 'tf_style[video]'")
