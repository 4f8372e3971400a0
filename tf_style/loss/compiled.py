"""Compiled functions that pictures of all sizes share."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf


class Compiled:
    """A function of nests of tensors, traced once for feature maps of any height and width.

    Several threads may call it.

    `tf.function` alone traces again for each size, which takes seconds.

    Args:
        function: what is compiled.

    Attributes:
        traces: how many times it has been traced: once for each structure of its arguments.
    """

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        self._by_structure: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def traces(self) -> int:
        return sum(
            each.experimental_get_tracing_count() for each in self._by_structure.values()
        )

    def __call__(self, *arguments: Any) -> Any:
        specs = tf.nest.map_structure(_any_size, arguments)
        key = repr(specs)
        with self._lock:
            if key not in self._by_structure:
                self._by_structure[key] = compiled(self._function, *specs)
        return self._by_structure[key](*arguments)


def compiled(function: Callable[..., Any], *specs: Any) -> Callable[..., Any]:
    """A function, traced once for tensors of these specs."""
    # TensorFlow warns of many traces of one function, such as the same method of several networks.
    # These are meant.
    return tf.function(functools.partial(function), input_signature=specs, autograph=False)


def _any_size(tensor: tf.Tensor) -> tf.TensorSpec:
    """The spec of maps `(batch, any, any, channels)`, or of rows `(batch, any, channels)`."""
    shape = tensor.shape
    if shape.rank in (3, 4):
        shape = tf.TensorShape([shape[0], *[None] * (shape.rank - 2), shape[-1]])
    return tf.TensorSpec(shape, tensor.dtype)
