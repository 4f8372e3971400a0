"""A piece of a network and the terms of its layers: what is computed for one block."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf_style.loss.compiled import Compiled
from tf_style.loss.objective import Objective
from tf_style.loss.pieces import Block, Piece, spans
from tf_style.loss.targets import Target, Targets
from tf_style.loss.terms import Loss, Term

# Term → a tensor for each region.
Regional = dict[str, list[tf.Tensor]]


class Link:
    """A piece of a network and the terms of its layers: what is computed for one block."""

    def __init__(
        self, objective: Objective, terms: Sequence[Term], piece: Piece,
        layers: Sequence[tuple[Any, bool]], core: int,
    ):
        self._objective = objective
        self._layers = layers
        self._channels = {layer.name: layer.channels for layer in piece.layers}
        self.strides = {layer.name: layer.stride // piece.start for layer in piece.layers}
        self.end = piece.layers[-1].name
        self.terms = [term for term in terms if term.layer in self.strides]
        windows = [(term.loss, self.strides[term.layer]) for term in self.terms]
        # Each core begins where a window begins, and the last core holds at least one window.
        grid = math.lcm(piece.stride, *[loss.hop * stride for loss, stride in windows])
        self._core = max(1, core // grid) * grid
        self._least = max([piece.stride, *[loss.window * stride for loss, stride in windows]])
        self._reach = max([0, *[loss.window - loss.hop for loss, _ in windows]])
        beyond = max([0, *[self._reach * stride for _, stride in windows]])
        self._before = piece.margin
        self._after = piece.margin + -(-beyond // piece.stride) * piece.stride
        self.look = Compiled(self._look)
        self.gather = Compiled(self._gather)
        self.slope = Compiled(self._slope)

    def blocks(self, passing: tf.Tensor) -> Iterator[Block]:
        """The blocks of the piece's input map."""
        rows, columns = (
            spans(length, self._core, self._before, self._after, self._least)
            for length in passing.shape[1:3]
        )
        return itertools.starmap(Block, itertools.product(rows, columns))

    def empty(self, passing: tf.Tensor, name: str) -> tf.Variable:
        """An empty map for a layer of the piece, whose input is `passing`."""
        height, width = (length // self.strides[name] for length in passing.shape[1:3])
        shape = (passing.shape[0], height, width, self._channels[name])
        return tf.Variable(tf.zeros(shape, self._layers[-1][0].compute_dtype), trainable=False)

    def part_of(self, targets: Targets, block: Block) -> dict[str, Target]:
        """The targets of this piece's terms, limited to a block."""
        return {term.key: [self._region_of(term, region, block) for region in targets[term.key]]
                for term in self.terms if term.key in targets}

    def _region_of(self, term: Term, region: Mapping[str, Any], block: Block) -> dict[str, Any]:
        stride = self.strides[term.layer]
        if term.loss.sum_over_positions:
            return {"goals": [
                {**goal, "target": {name: each if name == "energy" else each[block.core_of(stride)]
                                    for name, each in goal["target"].items()}}
                for goal in region["goals"]
            ]}
        # Windows that begin in the core reach beyond it.
        core = block.core_of(stride, self._reach)
        return {"goals": [], **{name: region[name][core] for name in ("weights", "paired")
                                if name in region}}

    def _maps(self, block: tf.Tensor) -> dict[str, tf.Tensor]:
        maps = {}
        for layer, passes_on in self._layers:
            found = maps[layer.name] = layer(block, training=False)
            block = found if passes_on else block
        return maps

    def _look(self, block: tf.Tensor, core: tf.Tensor) -> dict[str, tf.Tensor]:
        maps = self._maps(block)
        names = {*[term.layer for term in self.terms if term.reference == "content"], self.end}
        return {name: self._core_of(maps, name, core) for name in names}

    def _gather(
        self, block: tf.Tensor, core: tf.Tensor, targets: Targets
    ) -> tuple[tf.Tensor, tuple]:
        """The core of the piece's output; the parts; the statistics' sums and their weights."""
        maps = self._maps(block)
        return self._core_of(maps, self.end, core), (
            self._parts(maps, core, targets), *self._sums(maps, core, targets)
        )

    def _slope(
        self,
        block: tf.Tensor,
        core: tf.Tensor,
        targets: Targets,
        slopes: Regional,
        following: Sequence[tf.Tensor],
        scale: tf.Tensor,
    ) -> tf.Tensor:
        """What the core adds to the gradient with respect to the block."""
        with tf.GradientTape() as tape:
            tape.watch(block)
            maps = self._maps(block)
            losses = list(self._parts(maps, core, targets).values())
            if slopes:
                sums, _ = self._sums(maps, core, targets)
                losses += [
                    tf.reduce_sum(slope * each, axis=(1, 2))
                    for key, regions in slopes.items()
                    for slope, each in zip(regions, sums[key], strict=True)
                ]
            loss = tf.add_n(losses) if losses else tf.zeros_like(block[:, 0, 0, 0])
            outputs = [loss] + [self._core_of(maps, self.end, core) for _ in following]
            weights = [scale * tf.ones_like(loss), *following]
        return tape.gradient(
            outputs, block, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    def _core_of(
        self, maps: Mapping[str, tf.Tensor], name: str, core: tf.Tensor, reach: int = 0
    ) -> tf.Tensor:
        return _crop(maps[name], core // self.strides[name] + tf.constant([0, reach, 0, reach]))

    def _parts(
        self, maps: Mapping[str, tf.Tensor], core: tf.Tensor, targets: Targets
    ) -> dict[str, tf.Tensor]:
        """What the core adds to the parts, from the terms that are sums over positions."""
        losses: dict[str, list[tf.Tensor]] = {}
        for term in self.terms:
            if term.loss.sum_over_positions and term.key in targets:
                features = self._core_of(maps, term.layer, core)
                target = targets[term.key]
                losses.setdefault(term.part, []).extend(term.losses(
                    term.statistics(features, target), target, self._objective.draw(0)
                ))
        return self._objective.weighted(losses)

    def _sums(
        self, maps: Mapping[str, tf.Tensor], core: tf.Tensor, targets: Targets
    ) -> tuple[Regional, Regional]:
        """Statistics times the total weight that they are means over, and that weight."""
        sums: Regional = {}
        weights: Regional = {}
        for term in self.terms:
            if term.loss.mean_over_positions and term.key in targets:
                reach = term.loss.window - term.loss.hop
                features = self._core_of(maps, term.layer, core, reach)
                found = [_sum(term.loss, features, region) for region in targets[term.key]]
                sums[term.key] = [each for each, _ in found]
                weights[term.key] = [each for _, each in found]
        return sums, weights


@tf.custom_gradient
def _crop(
    maps: tf.Tensor, bounds: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """The part of maps between `top, bottom, left, right`, cut off where the maps end."""
    top, bottom, left, right = tf.unstack(bounds)
    part = maps[:, top:bottom, left:right]

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # TensorFlow's own gradient takes twenty times as long, longer than the convolutions.
        height, width = tf.shape(part)[1], tf.shape(part)[2]
        below, beside = tf.shape(maps)[1] - top - height, tf.shape(maps)[2] - left - width
        return tf.pad(upstream, [[0, 0], [top, below], [left, beside], [0, 0]]), None

    return part, gradient


def _sum(
    loss: Loss, features: tf.Tensor, region: Mapping[str, Any]
) -> tuple[tf.Tensor, tf.Tensor]:
    """A statistic times the total weight that it is a mean over, and that weight."""
    height, width = tf.shape(features)[1], tf.shape(features)[2]
    shown = {name: region[name][:, :height, :width] for name in ("weights", "paired")
             if name in region}
    weight = loss.weight(height, width, shown.get("weights"))
    return loss.of(features, shown) * weight, weight
