"""How a network is cut into pieces, and a map into blocks.

The network is cut after its second and each later pooling, and each piece has its own blocks. The
maps between pieces are small enough to be kept whole, and a block's margin need only cover what one
piece sees.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tf_style.network.architectures import Layer


@dataclasses.dataclass(frozen=True)
class Piece:
    """Consecutive layers of a network that are computed block by block.

    Attributes:
        layers: a chain.
        start: stride of the piece's input map.
    """

    layers: tuple[Layer, ...]
    start: int

    @property
    def stride(self) -> int:
        """Positions of the piece's input from one position of its output to the next."""
        return self.layers[-1].stride // self.start

    @property
    def margin(self) -> int:
        """How far a position of its output sees into its input: a multiple of the stride."""
        first, last = self.layers[0], self.layers[-1]
        before = first.radius - self.start
        return -(-((last.radius - before) // self.start) // self.stride) * self.stride


def pieces(layers: Sequence[Layer]) -> tuple[Piece, ...]:
    """Cut layers, starting at the picture, after the second and each later pooling."""
    found, start, begin = [], 1, 0
    for index, layer in enumerate(layers, 1):
        if index == len(layers) or (layer.pooling and layer.stride >= 4):
            found.append(Piece(tuple(layers[begin:index]), start))
            begin, start = index, layer.stride
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class Span:
    """One side of a block, in positions of its piece's input.

    Attributes:
        start, stop: of the core: the blocks' cores cover the map once.
        first, last: of core and margins, cut off where the map ends.
    """

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, core: int, before: int, after: int, least: int) -> list[Span]:
    """Cut a side into spans.

    Args:
        core: length of each core but the last, which is what is left, at least `least`.
        before, after: margins.
    """
    starts = list(range(0, length, core))
    if len(starts) > 1 and length - starts[-1] < least:
        starts.pop()
    return [
        Span(start, stop, max(0, start - before), min(length, stop + after))
        for start, stop in zip(starts, [*starts[1:], length], strict=True)
    ]


@dataclasses.dataclass(frozen=True)
class Block:
    """Where a block lies in the input map of its piece of the network."""

    rows: Span
    columns: Span

    @property
    def core(self) -> tf.Tensor:
        """Top, bottom, left, right of the core within the block."""
        return tf.constant([
            self.rows.start - self.rows.first, self.rows.stop - self.rows.first,
            self.columns.start - self.columns.first, self.columns.stop - self.columns.first,
        ])

    def with_margins(self) -> tuple[slice, ...]:
        return (slice(None), slice(self.rows.first, self.rows.last),
                slice(self.columns.first, self.columns.last))

    def core_of(self, stride: int, reach: int = 0) -> tuple[slice, ...]:
        """The core in a map of that stride, and `reach` positions beyond."""
        return (slice(None),
                slice(self.rows.start // stride, self.rows.stop // stride + reach),
                slice(self.columns.start // stride, self.columns.stop // stride + reach))
