"""The objective: a weighted sum of terms, and its gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tf_style.image.previous import Previous
from tf_style.image.style import Style
from tf_style.loss.content import CONTENT_LOSSES, PIXEL_LOSS, pixel_loss_curvature
from tf_style.loss.style import STYLE_LOSSES
from tf_style.loss.targets import Target, Targets, targets_of
from tf_style.loss.temporal import TEMPORAL
from tf_style.loss.terms import Term
from tf_style.loss.variation import VARIATION
from tf_style.network.networks import Network
from tf_style.settings import Settings, auto

# Keeps typical gradients a factor of a hundred away from both ends of float16's range.
_FLOAT16_SCALE = 16.0


@dataclasses.dataclass(frozen=True)
class Objective:
    """The weighted sum of terms.

    Attributes:
        networks: the networks that terms refer to by index.
        terms: in the order in which they are added up.
        weights: part → weight of the weighted mean of its terms.
        seed: for everything that losses draw at random.
        precision: type in which the networks compute.
        normalize_gradients: scale each layer's gradient to the length of its weight.
    """

    networks: Sequence[Network]
    terms: Sequence[Term]
    weights: Mapping[str, float]
    seed: int = 0
    precision: str = "float32"
    normalize_gradients: bool = False

    @classmethod
    def of(cls, networks: Sequence[Network], settings: Settings) -> Objective:
        """Content, style, total variation, and a film's previous frame, as the settings say.

        Content and style are each a weighted mean over their layers, so that a style weight means
        the same with two layers as with five. Where the style weighs less than the content, pixels
        take over from feature maps, and the total variation counts less:
        `tf_style.settings.auto.freedom`.

        Args:
            networks: one, or one for content and one for style.
            settings: with every `auto` that the objective depends on resolved.
        """
        free = auto.freedom(settings)
        weights = {"content": settings.content_weight, "style": settings.style_weight,
                   "variation": settings.tv_weight * free, "temporal": settings.temporal_weight}
        of_style = len(networks) - 1
        content_loss = CONTENT_LOSSES[settings.content_loss]
        terms = [
            Term("content", share * free, content_loss, layer, 0, "content")
            for layer, share in _shares(settings.content_layers).items()
        ] + [Term("content", 1 - free, PIXEL_LOSS, reference="content")] + [
            Term("style", weight * share, STYLE_LOSSES[loss], layer, of_style, "style")
            for loss, weight in settings.style_loss.items()
            for layer, share in _shares(settings.style_layers).items()
        ] + [Term("variation", 1.0, VARIATION),
             Term("temporal", 1.0, TEMPORAL, reference="previous")]
        return cls(
            networks, [term for term in terms if term.weight and weights[term.part]], weights,
            settings.seed, settings.precision, settings.normalize_gradients,
        )

    def targets(
        self, content: np.ndarray | None, styles: Sequence[Style],
        protect: np.ndarray | None = None, previous: Previous | None = None,
        regions: np.ndarray | None = None,
    ) -> Targets:
        """What an image is compared with; see `tf_style.loss.targets.targets_of`."""
        return targets_of(
            self, self.networks, self.terms, content, styles, protect, previous, regions
        )

    def content_maps(self, network: int, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `tf_style.loss.targets.Observer`."""
        maps = self._maps(network, picture)
        return {
            term.layer: maps[term.layer] for term in self.terms
            if term.network == network and term.reference == "content" and term.layer
        }

    def style_statistics(
        self, network: int, picture: tf.Tensor, weights: Mapping[str, Sequence[tf.Tensor]]
    ) -> dict[str, list[tf.Tensor]]:
        """See `tf_style.loss.targets.Observer`."""
        maps = self.networks[network].model(picture, training=False)
        return {
            term.key: [term.loss.statistic(maps[term.layer], each)
                       for each in weights.get(term.layer, [None])]
            for term in self.terms
            if term.network == network and term.reference == "style"
        }

    def parts(
        self, image: tf.Tensor, targets: Targets, step: tf.Tensor | int = 0
    ) -> dict[str, tf.Tensor]:
        """The weighted parts of the loss, by name.

        Args:
            image: `(batch, height, width, 3)` float32.
            targets: as returned by `targets`.
            step: decides what is drawn at random.

        Returns:
            Part → float32 `(batch,)`, a value for each picture.
        """
        asked = [term for term in self.terms if term.key in targets]
        maps = {
            place: self._maps(place, image)
            for place in range(len(self.networks))
            if any(term.layer and term.network == place for term in asked)
        }
        evened: dict[tuple[str, str], tf.Tensor] = {}
        draw, losses = self.draw(step), {}
        for term in asked:
            features = maps[term.network][term.layer] if term.layer else image
            target = targets[term.key]
            if self.normalize_gradients and term.layer:
                key = term.part, term.layer
                if key not in evened:
                    held = _protection(term, target)
                    evened[key] = _of_length(features, self._length(term), held)
                features = evened[key]
            losses.setdefault(term.part, []).extend(
                term.losses(term.statistics(features, target), target, draw)
            )
        return self.weighted(losses)

    def _maps(self, network: int, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        """What a network sees of the image, or of the content."""
        seeing = self.networks[network]
        return seeing.model(seeing.continued(picture), training=False)

    @property
    def kept(self) -> float:
        """How much of the content's pixels is to stay, from 0, where all may change, to 1."""
        return sum(term.weight for term in self.terms if term.loss is PIXEL_LOSS)

    def curvature(self, targets: Targets, size: int) -> float | tf.Tensor:
        """How fast a value's gradient grows as it leaves what holds it; 0 where it is free.

        That is the content's pixel, or that of a film's previous frame.

        Args:
            size: how many values the image has.

        Returns:
            `(1, height, width, 1)` if the image is held more strongly in some places.
        """
        total = 0.0
        for term in self.terms:
            if term.key in targets and term.loss in (PIXEL_LOSS, TEMPORAL):
                held = targets[term.key][0]["goals"][0]["target"].get("weights")
                firm = self.weights[term.part] * term.weight * pixel_loss_curvature(size)
                total += firm if held is None else firm * held
        return total

    def draw(self, step: tf.Tensor | int) -> tf.Tensor:
        """The `draw` of a `Loss`, from which it draws at random."""
        return tf.stack([tf.constant(self.seed), tf.cast(step, tf.int32)])

    def weighted(self, losses: Mapping[str, Sequence[tf.Tensor]]) -> dict[str, tf.Tensor]:
        """The weighted parts of the loss, from the losses of their terms."""
        return {part: self.weights[part] * tf.add_n(each) for part, each in losses.items()}

    def _length(self, term: Term) -> float:
        """The length to which the gradient of the term's layer is scaled in its part."""
        same_part = [each for each in self.terms if each.part == term.part]
        same_layer = sum(each.weight for each in same_part if each.layer == term.layer)
        return self.weights[term.part] * (same_layer / sum(each.weight for each in same_part))

    def value_and_gradient(
        self, image: tf.Tensor, targets: Targets, step: tf.Tensor | int = 0
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """The loss of each picture, its parts, and its gradient with respect to that picture.

        Returns:
            float32 `(batch,)`; part → float32 `(batch,)`; float32 of the shape of `image`.
        """
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self.parts(image, targets, step)
            loss = tf.add_n(list(parts.values()))
            scale = self.gradient_scale(image, loss)
            scaled = loss * scale
        return loss, parts, tape.gradient(scaled, image) / scale[:, None, None, None]

    def gradient_scale(self, image: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """The factor on each picture's loss during back-propagation, `(batch,)` or `(1,)`.

        A feature's gradient is about the loss divided by the number of features, which is too small
        for float16. Source: Micikevicius et al., Mixed Precision Training, ICLR 2018.
        """
        if self.precision != "float16":
            return tf.constant([1.0])
        size = tf.cast(tf.size(image[0]), tf.float32)
        return _FLOAT16_SCALE * size / (tf.stop_gradient(loss) + 1e-12)


def _protection(term: Term, target: Target) -> tf.Tensor | None:
    """How strongly a term holds the content at each position; `None`: equally, or not at all."""
    if term.reference != "content":
        return None
    return (target[0] if term.loss.paired else target[0]["goals"][0]["target"]).get("weights")


def _of_length(
    features: tf.Tensor, length: float, weights: tf.Tensor | None = None
) -> tf.Tensor:
    """The same values, but the absolute values of each picture's gradient add up to `length`.

    Args:
        weights: what the gradient at each position is multiplied by, which does not count.

    Source: Johnson, neural-style, 2015, option `-normalize_gradients`.
    """

    @tf.custom_gradient
    def identity(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            exact = tf.cast(upstream, tf.float32)
            counted = exact if weights is None else exact / weights
            total = tf.reduce_sum(tf.abs(counted), axis=(1, 2, 3), keepdims=True)
            return tf.cast(length * tf.math.divide_no_nan(exact, total), values.dtype)

        return tf.identity(values), gradient

    return identity(features)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}
