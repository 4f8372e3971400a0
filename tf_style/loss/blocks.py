"""The same gradient in bounded memory: a picture of any size, block by block.

A statistic that is a mean over positions is the mean of what blocks find. So a first pass gathers
the statistics; the objective's derivative with respect to them is a few small matrices; a second
pass takes each block's gradient with that derivative fixed. Source: Galerne, Raad, Lezama, Morel,
Scaling Painting Style Transfer, Computer Graphics Forum 43(4), 2024.

There, a block holds all that the deepest layer sees. Here the network is cut behind its second and
each further pooling, and each piece has blocks of its own: what goes from piece to piece is small
enough to be kept whole, and a block's margin needs only what one piece sees.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf_style.loss.compiled import Compiled
from tf_style.loss.content import energy
from tf_style.loss.objective import Network, Objective, Statistics
from tf_style.loss.style import STYLE_LOSSES, StyleLoss
from tf_style.loss.variation import total_variation
from tf_style.network.architectures import Layer
from tf_style.settings import InputError


@dataclasses.dataclass(frozen=True)
class Piece:
    """Consecutive layers of a network that are computed block by block.

    Attributes:
        layers: a chain, from `start` on.
        start: stride of the map that the piece gets.
    """

    layers: tuple[Layer, ...]
    start: int

    @property
    def stride(self) -> int:
        """Positions of the piece's input from one position of its output to the next."""
        return self.layers[-1].stride // self.start

    @property
    def margin(self) -> int:
        """Positions of its input, a multiple of the stride, that a position of its output sees."""
        first, last = self.layers[0], self.layers[-1]
        before = first.radius - self.start
        return -(-((last.radius - before) // self.start) // self.stride) * self.stride


def pieces(layers: Sequence[Layer]) -> tuple[Piece, ...]:
    """Layers, from the picture on, cut behind the second and each further pooling."""
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
        core: of each but the last, which has what is left, and at least `least`.
        before, after: margins.
    """
    starts = list(range(0, length, core))
    if len(starts) > 1 and length - starts[-1] < least:
        starts.pop()
    return [
        Span(start, stop, max(0, start - before), min(length, stop + after))
        for start, stop in zip(starts, [*starts[1:], length], strict=True)
    ]


class Blocks(Objective):
    """An objective that computes its gradient block by block.

    Args:
        objective: what is computed.
        size: side of the blocks' cores, in pixels; behind the first cut half as many positions,
            which have more channels.

    Raises:
        InputError: for a network whose layers are not known, or a style loss that is no mean over
            positions.
    """

    def __init__(self, objective: Objective, size: int):
        super().__init__(objective.networks, objective.settings)
        for loss in self.settings.style_loss if self.settings.style_weight else ():
            if not STYLE_LOSSES[loss].mean_over_positions:
                raise InputError(
                    f"--style_loss={loss}: no mean over positions, so it cannot be computed block "
                    "by block. Choose --block_size=0, a smaller --size or another loss"
                )
        # Past the frozen dataclass: what is compiled is no field of it.
        vars(self).update(
            chains=[_Chain(objective, network, size) for network in self.networks],
            compare=Compiled(self._style_part_and_slopes),
            smooth=Compiled(self._variation_and_gradient),
        )

    @property
    def traces(self) -> int:
        """How often something has been traced: once, whatever the sizes."""
        compiled = [self.compare, self.smooth]
        for chain in self.chains:
            for link in chain.links:
                compiled += [link.look, link.gather, link.descend]
        return max(each.traces for each in compiled)

    def content_targets(
        self, network: Network, content: tf.Tensor
    ) -> dict[str, dict[str, tf.Tensor]]:
        return self.chains[self.networks.index(network)].content_targets(content)

    def style_statistics(
        self, network: Network, style: tf.Tensor, regions: Sequence[Mapping[str, tf.Tensor]]
    ) -> Statistics:
        chain = self.chains[self.networks.index(network)]
        return chain.gathered(style, {"content": {}, "regions": regions}).statistics

    def value_and_gradient(
        self, image: tf.Tensor, targets: Mapping[str, Any], step: tf.Tensor | int = 0
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        parts: dict[str, tf.Tensor] = {}
        passes = []
        for network, chain in zip(self.networks, self.chains, strict=True):
            seen = {
                "content": targets["content"] if network.content else {},
                "style": targets["style"] if network.style else {},
                "regions": targets["regions"] if network.style else [],
            }
            gathered = chain.gathered(image, seen)
            if seen["content"]:
                parts["content"] = gathered.content
            slopes: Statistics = {}
            if seen["style"]:
                parts["style"], slopes = self.compare(
                    gathered.statistics, seen["style"], tf.constant(step, tf.int32)
                )
                slopes = tf.nest.map_structure(tf.math.divide_no_nan, slopes, gathered.weights)
            passes.append((chain, gathered, slopes, seen))
        if self.settings.tv_weight:
            parts["variation"], gradient = self.smooth(image)
        else:
            gradient = tf.zeros_like(image)
        loss = tf.add_n(list(parts.values()))
        scale = self.gradient_scale(image, loss)
        for chain, gathered, slopes, seen in passes:
            gradient += chain.gradient(gathered, slopes, seen, scale) / scale
        return loss, parts, gradient

    def _style_part_and_slopes(
        self, statistics: Statistics, style: Mapping[str, Any], step: tf.Tensor
    ) -> tuple[tf.Tensor, Statistics]:
        """The style part and its derivative with respect to each statistic."""
        network = next(each for each in self.networks if each.style)
        with tf.GradientTape() as tape:
            tape.watch(statistics)
            part = self.style_part(network, statistics, {"style": style}, step)
        return part, tape.gradient(
            part, statistics, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    def _variation_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            part = self.settings.tv_weight * total_variation(image)
        return part, tape.gradient(part, image)


@dataclasses.dataclass
class _Gathered:
    """What a first pass over a picture found.

    Attributes:
        inputs: the map that each piece of the network got; the first is the picture.
        statistics: of the whole picture.
        weights: in the same structure, what they were divided by.
        content: the content part.
    """

    inputs: list[tf.Tensor]
    statistics: dict[str, list[dict[str, tf.Tensor]]]
    weights: dict[str, list[dict[str, tf.Tensor]]]
    content: tf.Tensor


@dataclasses.dataclass(frozen=True)
class _Block:
    """Where a block lies in the map that its piece of the network gets."""

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


class _Chain:
    """A network in pieces."""

    def __init__(self, objective: Objective, network: Network, size: int):
        if network.architecture is None:
            raise InputError(
                "--network: a saved model cannot be computed block by block. Choose "
                "--block_size=0 and a smaller --size, or --network=vgg16"
            )
        layers = network.model.layers[1:]
        known = {layer.name: layer for layer in network.architecture.layers}
        self.links: list[_Link] = []
        for piece in pieces([known[layer.name] for layer in layers if layer.name in known]):
            end = [layer.name for layer in layers].index(piece.layers[-1].name) + 1
            core = size if piece.start == 1 else size // 2
            self.links.append(_Link(objective, network, piece, layers[:end], core))
            layers = layers[end:]

    def content_targets(self, picture: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """As `Objective.content_targets`."""
        targets: dict[str, dict[str, tf.Tensor]] = {}
        for link in self.links:
            maps = {name: link.empty(picture, name) for name in {*link.content, link.end}}
            energies = dict.fromkeys(link.content, tf.constant(0.0))
            for block in link.blocks(picture):
                found = link.look(picture[block.with_margins()], block.core)
                for name, (values, of_block) in found.items():
                    maps[name][block.core_of(link.strides[name])].assign(values)
                    if name in energies:
                        energies[name] += of_block
            for name in link.content:
                targets[name] = {"map": tf.convert_to_tensor(maps[name]), "energy": energies[name]}
            picture = tf.convert_to_tensor(maps[link.end])
        return targets

    def gathered(self, picture: tf.Tensor, targets: Mapping[str, Any]) -> _Gathered:
        """The first pass."""
        inputs, content = [picture], tf.constant(0.0)
        sums: dict[str, list[dict[str, tf.Tensor]]] = {}
        weights: dict[str, list[dict[str, tf.Tensor]]] = {}
        for link in self.links:
            # The last piece's output is nobody's input.
            output = None if link is self.links[-1] else link.empty(inputs[-1], link.end)
            total = None
            for block in link.blocks(inputs[-1]):
                values, found = link.gather(
                    inputs[-1][block.with_margins()], block.core,
                    link.content_of(targets, block), link.weights_of(targets, block),
                )
                total = tf.nest.map_structure(tf.add, total, found) if total else found
                if output is not None:
                    output[block.core_of(link.strides[link.end])].assign(values)
            if output is not None:
                inputs.append(tf.convert_to_tensor(output))
            content += total[0]
            for of_link, merged in ((total[1], sums), (total[2], weights)):
                for loss, regions in of_link.items():
                    for region, layers in zip(
                        merged.setdefault(loss, [{} for _ in regions]), regions, strict=True
                    ):
                        region.update(layers)
        return _Gathered(
            inputs, tf.nest.map_structure(tf.math.divide_no_nan, sums, weights), weights,
            content,
        )

    def gradient(
        self, gathered: _Gathered, slopes: Statistics, targets: Mapping[str, Any], scale: tf.Tensor
    ) -> tf.Tensor:
        """The second pass: the gradient with respect to the picture, times `scale`.

        Args:
            gathered: what the first pass found; its inputs are used up.
            slopes: what a unit of each statistic's sum adds to the loss.
        """
        following = None
        for link in reversed(self.links):
            passing = gathered.inputs.pop()
            gradient = tf.Variable(tf.zeros_like(passing), trainable=False)
            own = {loss: [{name: region[name] for name in link.style} for region in regions]
                   for loss, regions in slopes.items()}
            for block in link.blocks(passing):
                place = gradient[block.with_margins()]
                after = (
                    [] if following is None
                    else [following[block.core_of(link.strides[link.end])]]
                )
                place.assign(place + link.descend(
                    passing[block.with_margins()], block.core, link.content_of(targets, block),
                    link.weights_of(targets, block), own, after, scale,
                ))
            following = tf.convert_to_tensor(gradient)
        return following


class _Link:
    """A piece of a network, with the losses of its layers: what is computed for one block."""

    def __init__(
        self, objective: Objective, network: Network, piece: Piece, layers: Sequence[Any], core: int
    ):
        self._objective = objective
        self._network = network
        self._layers = layers
        self._channels = {layer.name: layer.channels for layer in piece.layers}
        self.strides = {layer.name: layer.stride // piece.start for layer in piece.layers}
        self.end = piece.layers[-1].name
        self.content = [name for name in network.content if name in self.strides]
        self.style = [name for name in network.style if name in self.strides]
        windows = [(STYLE_LOSSES[loss], self.strides[name])
                   for loss in objective.settings.style_loss for name in self.style]
        # A core begins where a window begins, and the last one holds at least one.
        grid = math.lcm(piece.stride, *[loss.hop * stride for loss, stride in windows])
        self._core = max(1, core // grid) * grid
        self._least = max([piece.stride, *[loss.window * stride for loss, stride in windows]])
        self._reach = max([0, *[loss.window - loss.hop for loss, _ in windows]])
        beyond = max([0, *[self._reach * stride for _, stride in windows]])
        self._before = piece.margin
        self._after = piece.margin + -(-beyond // piece.stride) * piece.stride
        self.look = Compiled(self._look)
        self.gather = Compiled(self._gather)
        self.descend = Compiled(self._descend)

    def blocks(self, passing: tf.Tensor) -> Iterator[_Block]:
        """The blocks of the map that the piece gets."""
        rows, columns = (
            spans(length, self._core, self._before, self._after, self._least)
            for length in passing.shape[1:3]
        )
        return itertools.starmap(_Block, itertools.product(rows, columns))

    def empty(self, passing: tf.Tensor, name: str) -> tf.Variable:
        """Room for the map of a layer of the piece that gets `passing`."""
        height, width = (length // self.strides[name] for length in passing.shape[1:3])
        dtype = self._layers[-1].compute_dtype
        return tf.Variable(
            tf.zeros((1, height, width, self._channels[name]), dtype), trainable=False
        )

    def content_of(
        self, targets: Mapping[str, Any], block: _Block
    ) -> dict[str, dict[str, tf.Tensor]]:
        """The content targets of a block."""
        return {
            name: {"map": targets["content"][name]["map"][block.core_of(self.strides[name])],
                   "energy": targets["content"][name]["energy"]}
            for name in self.content if name in targets["content"]
        }

    def weights_of(
        self, targets: Mapping[str, Any], block: _Block
    ) -> list[dict[str, tf.Tensor]]:
        """The regions' weights in a block, as far as a window that begins there reaches."""
        return [
            {name: region[name][block.core_of(self.strides[name], self._reach)]
             for name in self.style}
            for region in targets["regions"]
        ]

    def _maps(self, block: tf.Tensor) -> dict[str, tf.Tensor]:
        maps = {}
        for layer in self._layers:
            block = maps[layer.name] = layer(block, training=False)
        return maps

    def _look(
        self, block: tf.Tensor, core: tf.Tensor
    ) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        maps = self._maps(block)
        cores = {name: self._core_of(maps, name, core) for name in {*self.content, self.end}}
        return {name: (values, energy(values)) for name, values in cores.items()}

    def _gather(
        self,
        block: tf.Tensor,
        core: tf.Tensor,
        content: Mapping[str, Mapping[str, tf.Tensor]],
        regions: Sequence[Mapping[str, tf.Tensor]],
    ) -> tuple[tf.Tensor, tuple]:
        """The core of the piece's output; and content part, statistics' sums, and weights."""
        maps = self._maps(block)
        sums, weights = self._sums(maps, core, regions)
        return self._core_of(maps, self.end, core), (
            self._content_part(maps, core, content), sums, weights
        )

    def _descend(
        self,
        block: tf.Tensor,
        core: tf.Tensor,
        content: Mapping[str, Mapping[str, tf.Tensor]],
        regions: Sequence[Mapping[str, tf.Tensor]],
        slopes: Statistics,
        following: Sequence[tf.Tensor],
        scale: tf.Tensor,
    ) -> tf.Tensor:
        """What the core adds to the gradient with respect to the block."""
        with tf.GradientTape() as tape:
            tape.watch(block)
            maps = self._maps(block)
            loss = self._content_part(maps, core, content)
            if slopes:
                sums, _ = self._sums(maps, core, regions)
                loss += tf.add_n([
                    tf.reduce_sum(slope * each) for slope, each in zip(
                        tf.nest.flatten(slopes), tf.nest.flatten(sums), strict=True
                    )
                ])
            outputs = [loss] + [self._core_of(maps, self.end, core) for _ in following]
        return tape.gradient(
            outputs, block, [scale, *following],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    def _core_of(
        self, maps: Mapping[str, tf.Tensor], name: str, core: tf.Tensor, reach: int = 0
    ) -> tf.Tensor:
        return _crop(maps[name], core // self.strides[name] + tf.constant([0, reach, 0, reach]))

    def _content_part(
        self, maps: Mapping[str, tf.Tensor], core: tf.Tensor, content: Mapping[str, Any]
    ) -> tf.Tensor:
        if not content:
            return tf.constant(0.0)
        cores = {name: self._core_of(maps, name, core) for name in content}
        return self._objective.content_part(self._network, cores, content)

    def _sums(
        self,
        maps: Mapping[str, tf.Tensor],
        core: tf.Tensor,
        regions: Sequence[Mapping[str, tf.Tensor]],
    ) -> tuple[Statistics, Statistics]:
        """Statistics times the weight of what they are means of, and that weight."""
        sums: dict[str, list[dict[str, tf.Tensor]]] = {}
        weights: dict[str, list[dict[str, tf.Tensor]]] = {}
        for name in self._objective.settings.style_loss:
            loss = STYLE_LOSSES[name]
            found = [
                {layer: _sum(loss, self._core_of(maps, layer, core, loss.window - loss.hop),
                             region.get(layer)) for layer in self.style}
                for region in (regions or [{}])
            ]
            sums[name] = [{layer: pair[0] for layer, pair in each.items()} for each in found]
            weights[name] = [{layer: pair[1] for layer, pair in each.items()} for each in found]
        return sums, weights


@tf.custom_gradient
def _crop(
    maps: tf.Tensor, bounds: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """A part of maps between `top, bottom, left, right`, cut off where the maps end."""
    top, bottom, left, right = tf.unstack(bounds)
    part = maps[:, top:bottom, left:right]

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # TensorFlow's own takes twenty times as long, more than the convolutions.
        height, width = tf.shape(part)[1], tf.shape(part)[2]
        below, beside = tf.shape(maps)[1] - top - height, tf.shape(maps)[2] - left - width
        return tf.pad(upstream, [[0, 0], [top, below], [left, beside], [0, 0]]), None

    return part, gradient


def _sum(
    loss: StyleLoss, features: tf.Tensor, weights: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """A statistic times the weight of what it is the mean of, and that weight."""
    height, width = tf.shape(features)[1], tf.shape(features)[2]
    if weights is not None:
        weights = weights[:, :height, :width]
    weight = loss.weight(height, width, weights)
    return loss.statistic(features, weights) * weight, weight
