"""What a run costs: the memory that a step takes, and the time of all steps."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

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

# A step passes through the network forwards and backwards; in blocks, three quarters of that are
# computed again, plus the margins.
_IN_BLOCKS = 1.4

# Everything that is not convolution.
_REST = 1.2


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What memory a step takes, from the network's layers and the picture's size.

    Attributes:
        pixels: of the largest picture that the network sees.
        maps: bytes of all feature maps for each pixel.
        kept: bytes for each pixel of what is kept whole beside blocks: content targets, and the
            maps between pieces of the network with their gradients.
    """

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
        return cls(
            pixels=max(height * width for height, width in [(scale.height, scale.width), *seen]),
            maps=_BYTES[precision] * _values(computed),
            kept=_BYTES[precision] * _values([*between, *between, *content]),
        )

    @property
    def whole(self) -> float:
        """Bytes that the process takes if a step sees the whole picture."""
        return _BASE + self.pixels * (_PICTURES + _HELD * self.maps)

    def in_blocks(self, block_size: int) -> float:
        """Bytes that the process takes if a step sees one block after another."""
        block = min(self.pixels, (block_size + 24) ** 2)
        return _BASE + self.pixels * (_PICTURES + self.kept) + block * _HELD * self.maps

    def block_size(self, limit: float) -> int:
        """The widest blocks that fit into `limit` bytes, or else the narrowest; 0 for the whole."""
        if self.whole <= limit:
            return 0
        fitting = [size for size in _BLOCK_SIZES if self.in_blocks(size) <= limit]
        return max(fitting, default=_BLOCK_SIZES[-1])


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


def forecast(
    choices: Sequence[Choice],
    precision: str,
    scales: Sequence[Scale],
    styles: Sequence[tuple[int, int]],
    block_size: int,
    speed: float,
) -> list[Forecast]:
    """What each size of a run will take.

    Args:
        choices: the networks, whose layers are known.
        styles: height and width of each style image.
        block_size: of the run.
        speed: products a second, as `products_per_second` measures them.
    """
    products = sum(9 * layer.inputs * layer.channels / layer.stride**2
                   for choice in choices for layer in choice.layers if not layer.pooling)
    products += sum(layer.channels**2 / layer.stride**2
                    for choice in choices for layer in choice.readouts)
    seconds_for_each = 2 * products / speed * _REST
    found = []
    for scale in scales:
        size = block_size if block_size < max(scale.height, scale.width) else 0
        estimate = Estimate.of(choices, precision, scale, styles)
        found.append(Forecast(
            scale,
            size,
            scale.steps * scale.height * scale.width * seconds_for_each
            * (_IN_BLOCKS if size else 1),
            estimate.in_blocks(size) if size else estimate.whole,
        ))
    return found


def products_per_second(precision: str, side: int = 128, channels: int = 128) -> float:
    """How fast this machine convolves."""
    import tensorflow as tf

    maps = tf.zeros((1, side, side, channels), precision)
    kernel = tf.zeros((3, 3, channels, channels), precision)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        tf.nn.conv2d(maps, kernel, 1, "SAME").numpy()
        seconds.append(time.perf_counter() - began)
    return side**2 * 9 * channels**2 / min(seconds)
