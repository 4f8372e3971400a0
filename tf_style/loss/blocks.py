"""The same gradient in bounded memory: a picture of any size, block by block.

A statistic that is a mean over positions is the mean of the blocks' statistics. So a first pass
gathers the statistics. The objective's derivative with respect to them is a few small matrices.
A second pass takes each block's gradient with that derivative fixed. Source: Galerne, Raad, Lezama,
Morel, Scaling Painting Style Transfer, Computer Graphics Forum 43(4), 2024.

In the source, a block holds everything that the deepest layer sees. Here the network is cut into
pieces, as described in `tf_style.loss.pieces`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tf_style.image.previous import Previous
from tf_style.image.style import Style
from tf_style.loss.compiled import Compiled
from tf_style.loss.link import Link, Regional
from tf_style.loss.objective import Objective
from tf_style.loss.pieces import pieces
from tf_style.loss.targets import Targets, targets_of
from tf_style.network.models import in_order
from tf_style.settings import InputError


class Blocks:
    """Computes an objective's targets and gradient block by block.

    Args:
        objective: what is computed.
        size: side of the blocks' cores, in pixels; after the first cut half as many positions,
            because these have more channels.

    Raises:
        InputError: for a network whose layers are not known, or a style loss that is not a mean
            over positions.
    """

    def __init__(self, objective: Objective, size: int):
        for term in objective.terms:
            loss = term.loss
            if term.layer and not (loss.mean_over_positions or loss.sum_over_positions):
                raise InputError(
                    f"--style_loss={loss.name}: not a mean over positions, so it cannot be "
                    "computed block by block. Choose --block_size=0, a smaller --size or another "
                    "loss"
                )
        self._objective = objective
        self._chains = [_Chain(objective, place, size) for place in range(len(objective.networks))]
        self._compare = Compiled(self._parts_and_slopes)
        self._whole = Compiled(self._whole_parts_and_gradient)

    @property
    def traces(self) -> int:
        """How many times each function has been traced: once, whatever the sizes."""
        compiled = [self._compare, self._whole]
        for chain in self._chains:
            for link in chain.links:
                compiled += [link.look, link.gather, link.slope]
        return max(each.traces for each in compiled)

    def targets(
        self, content: np.ndarray | None, styles: Sequence[Style],
        protect: np.ndarray | None = None, previous: Previous | None = None,
        regions: np.ndarray | None = None,
    ) -> Targets:
        """See `Objective.targets`."""
        return targets_of(
            self, self._objective.networks, self._objective.terms, content, styles, protect,
            previous, regions,
        )

    def content_maps(self, network: int, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `tf_style.loss.targets.Observer`."""
        return self._chains[network].content_maps(picture)

    def style_statistics(
        self, network: int, picture: tf.Tensor, weights: Mapping[str, Sequence[tf.Tensor]]
    ) -> dict[str, list[tf.Tensor]]:
        """See `tf_style.loss.targets.Observer`."""
        terms = [term for term in self._objective.terms
                 if term.network == network and term.reference == "style"]
        asked = {
            term.key: [{"goals": [], "weights": each} for each in weights[term.layer]]
            if term.layer in weights else [{"goals": []}] for term in terms
        }
        return self._chains[network].gathered(picture, asked).statistics

    def value_and_gradient(
        self, image: tf.Tensor, targets: Targets, step: tf.Tensor | int = 0
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """See `Objective.value_and_gradient`."""
        passes = [(chain, chain.gathered(chain.network.continued(image), targets))
                  for chain in self._chains if chain.is_asked(targets)]
        statistics = {key: each for _, gathered in passes
                      for key, each in gathered.statistics.items()}
        parts, slopes = {}, {}
        for _, gathered in passes:
            parts = _added(parts, gathered.parts)
        if statistics:
            compared = {key: targets[key] for key in statistics}
            found, slopes = self._compare(statistics, compared, tf.constant(step, tf.int32))
            parts = _added(parts, found)
        pixel_terms = {
            term.key: targets[term.key] for term in self._objective.terms
            if not term.layer and term.key in targets
        }
        if pixel_terms:
            found, gradient = self._whole(image, pixel_terms, tf.constant(step, tf.int32))
            parts = _added(parts, found)
        else:
            gradient = tf.zeros_like(image)
        loss = tf.add_n(list(parts.values()))
        scale = self._objective.gradient_scale(image, loss)
        for chain, gathered in passes:
            own = {
                key: [tf.math.divide_no_nan(slope, weight)
                      for slope, weight in zip(slopes[key], weights, strict=True)]
                for key, weights in gathered.weights.items()
            }
            found = chain.gradient(gathered, own, targets, scale)
            gradient += chain.folded(found, image) / scale[:, None, None, None]
        return loss, parts, gradient

    def _parts_and_slopes(
        self, statistics: Regional, targets: Targets, step: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], Regional]:
        """Parts of the loss, and its derivative with respect to each statistic."""
        losses: dict[str, list[tf.Tensor]] = {}
        with tf.GradientTape() as tape:
            tape.watch(statistics)
            for term in self._objective.terms:
                if term.key in statistics:
                    losses.setdefault(term.part, []).extend(term.losses(
                        statistics[term.key], targets[term.key], self._objective.draw(step)
                    ))
            parts = self._objective.weighted(losses)
            loss = tf.add_n(list(parts.values()))
        return parts, tape.gradient(
            loss, statistics, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    def _whole_parts_and_gradient(
        self, image: tf.Tensor, targets: Targets, step: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """The parts and the gradient of the terms that look at pixels."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self._objective.parts(image, targets, step)
            loss = tf.add_n(list(parts.values()))
        return parts, tape.gradient(loss, image)


def _added(
    parts: Mapping[str, tf.Tensor], more: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    return {**parts, **{name: parts[name] + each if name in parts else each
                        for name, each in more.items()}}


@dataclasses.dataclass
class _Gathered:
    """What a first pass over a picture found.

    Attributes:
        inputs: the input map of each piece of the network; the first is the picture.
        statistics: of the whole picture.
        weights: what the statistics were divided by, in the same structure.
        parts: of the loss, from the terms that are sums over positions.
    """

    inputs: list[tf.Tensor]
    statistics: Regional
    weights: Regional
    parts: dict[str, tf.Tensor]


class _Chain:
    """A network in pieces."""

    def __init__(self, objective: Objective, place: int, size: int):
        network = self.network = objective.networks[place]
        if network.architecture is None:
            raise InputError(
                "--network: a saved model cannot be computed block by block. Choose "
                "--block_size=0 and a smaller --size, or --network=vgg16"
            )
        layers = in_order(network.model, network.architecture)
        terms = [term for term in objective.terms if term.network == place and term.layer]
        self.links: list[Link] = []
        for piece in pieces(network.architecture.up_to(network.model.output)):
            end = [layer.name for layer, _ in layers].index(piece.layers[-1].name) + 1
            core = size if piece.start == 1 else size // 2
            self.links.append(Link(objective, terms, piece, layers[:end], core))
            layers = layers[end:]

    def is_asked(self, targets: Targets) -> bool:
        """Whether any target is one of this network's terms."""
        return any(term.key in targets for link in self.links for term in link.terms)

    def content_maps(self, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `tf_style.loss.targets.Observer`."""
        picture = self.network.continued(picture)
        found: dict[str, tf.Tensor] = {}
        for link in self.links:
            own = {term.layer for term in link.terms if term.reference == "content"}
            maps = {name: link.empty(picture, name) for name in {*own, link.end}}
            for block in link.blocks(picture):
                for name, values in link.look(picture[block.with_margins()], block.core).items():
                    maps[name][block.core_of(link.strides[name])].assign(values)
            found |= {name: tf.convert_to_tensor(maps[name]) for name in own}
            picture = tf.convert_to_tensor(maps[link.end])
        return found

    def gathered(self, picture: tf.Tensor, targets: Targets) -> _Gathered:
        """The first pass."""
        inputs, parts = [picture], {}
        sums: Regional = {}
        weights: Regional = {}
        for link in self.links:
            # Nothing reads the last piece's output.
            output = None if link is self.links[-1] else link.empty(inputs[-1], link.end)
            total = None
            for block in link.blocks(inputs[-1]):
                values, found = link.gather(
                    inputs[-1][block.with_margins()], block.core, link.part_of(targets, block)
                )
                total = tf.nest.map_structure(tf.add, total, found) if total else found
                if output is not None:
                    output[block.core_of(link.strides[link.end])].assign(values)
            if output is not None:
                inputs.append(tf.convert_to_tensor(output))
            parts = _added(parts, total[0])
            sums |= total[1]
            weights |= total[2]
        statistics = tf.nest.map_structure(tf.math.divide_no_nan, sums, weights)
        return _Gathered(inputs, statistics, weights, parts)

    def gradient(
        self, gathered: _Gathered, slopes: Regional, targets: Targets, scale: tf.Tensor
    ) -> tf.Tensor:
        """The second pass: the gradient with respect to the picture, times `scale`.

        Args:
            gathered: what the first pass found; its `inputs` are emptied.
            slopes: derivative of the loss with respect to each statistic's sum.
        """
        following = None
        for link in reversed(self.links):
            passing = gathered.inputs.pop()
            gradient = tf.Variable(tf.zeros_like(passing), trainable=False)
            own = {term.key: slopes[term.key] for term in link.terms if term.key in slopes}
            for block in link.blocks(passing):
                place = gradient[block.with_margins()]
                after = (
                    [] if following is None
                    else [following[block.core_of(link.strides[link.end])]]
                )
                place.assign(place + link.slope(
                    passing[block.with_margins()], block.core, link.part_of(targets, block), own,
                    after, scale,
                ))
            following = tf.convert_to_tensor(gradient)
        return following

    def folded(self, gradient: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """The gradient with respect to the image, from that of the continued image."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            continued = self.network.continued(image)
        return tape.gradient(continued, image, gradient)
