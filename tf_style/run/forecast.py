"""What a run will take, without running it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import tensorflow as tf

from tf_style.network.choice import Use
from tf_style.run.memory import Estimate
from tf_style.run.schedule import Scale

# A step is the network there and back; in blocks three quarters of it once more, and the margins.
_IN_BLOCKS = 1.4
# All that is not convolution.
_REST = 1.2


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What one size of a run will take.

    Attributes:
        scale: the size.
        block_size: side of the blocks; 0 for the whole picture at once.
        seconds: for all its steps, if none settles earlier.
        memory: bytes that the process takes.
    """

    scale: Scale
    block_size: int
    seconds: float
    memory: float


def forecast(
    uses: Sequence[Use],
    precision: str,
    scales: Sequence[Scale],
    styles: Sequence[tuple[int, int]],
    block_size: int,
) -> list[Forecast]:
    """What each size of a run will take.

    Args:
        uses: the networks, whose layers are known.
        styles: height and width of each style image.
        block_size: of the run.
    """
    products = sum(9 * layer.inputs * layer.channels / layer.stride**2
                   for use in uses for layer in use.layers if not layer.pooling)
    seconds_for_each = 2 * products / _products_per_second(precision) * _REST
    found = []
    for scale in scales:
        size = block_size if block_size < max(scale.height, scale.width) else 0
        estimate = Estimate.of(uses, precision, scale, styles)
        found.append(Forecast(
            scale,
            size,
            scale.steps * scale.height * scale.width * seconds_for_each
            * (_IN_BLOCKS if size else 1),
            estimate.in_blocks(size) if size else estimate.whole,
        ))
    return found


def _products_per_second(precision: str, side: int = 128, channels: int = 128) -> float:
    """How fast this machine convolves."""
    maps = tf.zeros((1, side, side, channels), precision)
    kernel = tf.zeros((3, 3, channels, channels), precision)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        tf.nn.conv2d(maps, kernel, 1, "SAME").numpy()
        seconds.append(time.perf_counter() - began)
    return side**2 * 9 * channels**2 / min(seconds)
