"""What a run costs: the memory that a step takes, and the time of all steps."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

from tf_style.image.resize import fitted_size
from tf_style.network.architectures import Layer
from tf_style.network.choice import Choice
from tf_style.run.schedule import Scale

# A process that has imported TensorFlow and built a network.
_BASE = 0.75e9

# Bytes a pixel of pictures, the image's moments and gradient, and arithmetic with them, in float32.
_PICTURES = 12 * 20

# Feature maps that are held at once, relative to those of the network: gradients, and what
# convolutions set aside. Measured on oneDNN, rounded up: benchmarks/RESULTS.md.
_HELD = 3.2

# Wider blocks than these were no faster when measured; narrower ones waste more on margins.
_BLOCK_SIZES = (512, 256, 128)
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}

# A step passes through the network forwards and backwards; in blocks it goes forwards twice.
_IN_BLOCKS = 1.5

# How often a step reads and writes each value of a feature map, beside convolutions. This and the
# next two are fitted to steps in three kinds of arithmetic: benchmarks/RESULTS.md.
_MOVED = 6

# Pixels that a block's margins add to its side, and the seconds a block takes whatever its size.
_MARGIN = 24
_BLOCK_SECONDS = 0.008


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What memory a step takes, from the network's layers and the picture's size.

    Attributes:
        side: the longest side of all pictures that the network sees, in pixels.
        pixels: of the largest of them.
        maps: bytes of all feature maps for each pixel.
        kept: bytes for each pixel of what is kept whole beside blocks: content targets, and the
            maps between pieces of the network with their gradients.
    """

    side: int
    pixels: int
    maps: float
    kept: float

    @classmethod
    def of(
        cls,
        choices: Sequence[Choice],
        precision: str,
        scale: Scale,
        styles: Sequence[tuple[int, int]],
    ) -> Estimate:
        """The estimate for a run whose largest size is `scale`.

        Args:
            choices: the networks, whose layers are known.
            styles: height and width of each style image.
        """
        computed = [layer for choice in choices for layer in (*choice.layers, *choice.readouts)]
        # The first cut is after the second pooling.
        between = [layer for layer in computed if layer.pooling and layer.stride >= 4]
        content = [layer for choice in choices for layer in choice.layers
                   if layer.name in choice.content]
        seen = [fitted_size(*shape, side)
                for shape, side in zip(styles, scale.sides(len(styles)), strict=True)]
        seen.append((scale.height, scale.width))
        return cls(
            side=max(map(max, seen)),
            pixels=max(height * width for height, width in seen),
            maps=_BYTES[precision] * _values(computed),
            kept=_BYTES[precision] * _values([*between, *between, *content]),
        )

    @property
    def whole(self) -> float:
        """Bytes that the process takes if a step sees the whole picture."""
        return _BASE + self.pixels * (_PICTURES + _HELD * self.maps)

    def in_blocks(self, block_size: int) -> float:
        """Bytes that the process takes if a step sees one block after another."""
        return _BASE + self._beside_blocks + self._block(block_size)

    def block_size(self, limit: float) -> int:
        """The widest blocks that fit into `limit` bytes; 0 for the whole picture.

        If none fits, the narrowest that save anything: in large pictures most memory is taken by
        what is kept beside blocks, and narrow ones take twice the time.
        """
        smaller = [size for size in _BLOCK_SIZES if size < self.side]
        if self.whole <= limit or not smaller:
            return 0
        fitting = [size for size in smaller if self.in_blocks(size) <= limit]
        narrow = [size for size in smaller if self._block(size) < 0.1 * self._beside_blocks]
        return max(fitting or narrow or smaller[-1:])

    @property
    def _beside_blocks(self) -> float:
        return self.pixels * (_PICTURES + self.kept)

    def _block(self, size: int) -> float:
        return min(self.pixels, (size + _MARGIN) ** 2) * _HELD * self.maps


def _values(layers: Sequence[Layer]) -> float:
    """Values in feature maps for each pixel."""
    return sum(layer.channels / layer.stride**2 for layer in layers)


def smaller_block_size(side: int) -> int | None:
    """The next narrower blocks to try when blocks, or a picture, of this side do not fit."""
    return next((size for size in _BLOCK_SIZES if size < side), None)


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


@dataclasses.dataclass(frozen=True)
class Speed:
    """How fast a machine is.

    Attributes:
        products: of a convolution, each second.
        values: read and written again, each second.
    """

    products: float
    values: float


def forecast(
    choices: Sequence[Choice],
    precision: str,
    scales: Sequence[Scale],
    styles: Sequence[tuple[int, int]],
    block_size: int,
    speed: Speed,
) -> list[Forecast]:
    """What each size of a run will take.

    Args:
        choices: the networks, whose layers are known.
        styles: height and width of each style image.
        block_size: of the run.
        speed: of this machine, as `measured_speed` finds it.
    """
    layers = [layer for choice in choices for layer in choice.layers]
    readouts = [layer for choice in choices for layer in choice.readouts]
    products = sum(9 * layer.inputs * layer.channels / layer.stride**2
                   for layer in layers if not layer.pooling)
    products += sum(layer.channels**2 / layer.stride**2 for layer in readouts)
    seconds_for_each = (2 * products / speed.products
                        + _MOVED * _values([*layers, *readouts]) / speed.values)
    found = []
    for scale in scales:
        size = block_size if block_size < max(scale.height, scale.width) else 0
        estimate = Estimate.of(choices, precision, scale, styles)
        pixels = scale.height * scale.width
        seconds = pixels * seconds_for_each
        if size:
            seconds *= _IN_BLOCKS * (1 + _MARGIN / size) ** 2
            seconds += pixels / size**2 * _BLOCK_SECONDS
        found.append(Forecast(
            scale, size, scale.steps * seconds,
            # A style may be seen larger than the picture is painted.
            min(estimate.in_blocks(block_size), estimate.whole) if block_size else estimate.whole,
        ))
    return found


def measured_speed(precision: str, side: int = 128, channels: int = 128) -> Speed:
    """How fast this machine is."""
    import tensorflow as tf

    maps = tf.zeros((1, side, side, channels), precision)
    kernel = tf.zeros((3, 3, channels, channels), precision)
    convolved = _seconds(lambda: tf.nn.conv2d(maps, kernel, 1, "SAME"))
    moved = _seconds(lambda: tf.nn.relu(maps))
    return Speed(side**2 * 9 * channels**2 / convolved, side**2 * channels / moved)


def _seconds(compute: Callable[[], Any]) -> float:
    """How long it takes to compute maps: the least of five tries."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        # One value is waited for: to copy all takes as long as to move them.
        compute()[0, 0, 0, 0].numpy()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
