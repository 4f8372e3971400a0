"""TensorFlow's own profile of what it computes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tf_style.settings import InputError


def start_profile(folder: str) -> None:
    """Have TensorFlow record what it computes, until `stop_profile`.

    Raises:
        InputError: here or in `stop_profile`, if it cannot be written.
    """
    with _profiling():
        tf.profiler.experimental.start(folder)


def stop_profile() -> None:
    """Write the profile, for TensorBoard, into the folder that `start_profile` was given."""
    with _profiling():
        tf.profiler.experimental.stop()


@contextlib.contextmanager
def _profiling() -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise InputError(f"--profile: cannot be written ({error.message})") from None
