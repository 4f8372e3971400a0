"""The objective: content, style and total variation in one number, and its gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_style.loss.content import content_loss, energy
from tf_style.loss.style import STYLE_LOSSES
from tf_style.loss.variation import total_variation
from tf_style.network.architectures import Architecture
from tf_style.settings import Settings

# Leaves both ends of float16's range a factor of a hundred away from gradients as they occur.
_FLOAT16_SCALE = 16.0

# style loss → one for each region → layer → statistic
Statistics = Mapping[str, Sequence[Mapping[str, tf.Tensor]]]


@dataclasses.dataclass(frozen=True)
class Network:
    """A feature model, and what the losses look at in it.

    Attributes:
        model: picture → dict, layer name → feature map.
        content, style: layer → weight, of the content and of the style loss; may be empty.
        architecture: the network's layers; `None` for a model of somebody's own.
    """

    model: keras.Model
    content: Mapping[str, float]
    style: Mapping[str, float]
    architecture: Architecture | None = None


@dataclasses.dataclass(frozen=True)
class Style:
    """What is to be taken over from one style image, and where to.

    Attributes:
        image: `(1, height, width, 3)` of any size.
        share: of the style loss; the shares of all styles add up to 1.
        mask: `(1, height, width, 1)` in `[0, 1]`: how much each pixel of the style counts; `None`
            for the whole picture.
        region: likewise, of the generated image: where the style goes.
        mended_again: for a poor picture that was mended, of the same size: `image` with the same
            defects put on and mended again. The change of a statistic from `image` to this one
            estimates its bias, and is taken off where the statistic is a mean over positions.
            Source: the bootstrap's estimate of bias, Efron, Annals of Statistics 1979.
    """

    image: tf.Tensor
    share: float = 1.0
    mask: tf.Tensor | None = None
    region: tf.Tensor | None = None
    mended_again: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Objective:
    """The weighted sum of content loss, style loss and total variation.

    Within content and within style, layers count by their weights' share: the weighted mean over
    layers, so that a style weight means the same with two layers as with five.

    Attributes:
        networks: one, or one for content and one for style.
        settings: weights and style losses.
    """

    networks: Sequence[Network]
    settings: Settings

    def targets(self, content: tf.Tensor | None, styles: Sequence[Style]) -> dict[str, Any]:
        """What `value_and_gradient` compares an image with.

        Args:
            content: `(1, height, width, 3)`, of the image's size; `None` for none.
            styles: at least one; with a region for each, or for none.

        Returns:
            A nest of tensors. `content`: layer → `map` and `energy`, its sum of squares. `style`:
            style loss → one list for each region → `share` and `layers`, layer → the loss's target.
            `regions`: for each, layer → weights of the map's positions.
        """
        targets: dict[str, Any] = {"content": {}, "style": {}, "regions": []}
        for network in self.networks:
            if self.settings.content_weight and network.content and content is not None:
                targets["content"] = self.content_targets(network, content)
            if self.settings.style_weight and network.style:
                targets["style"] = self._style_targets(network, styles)
                targets["regions"] = [
                    self._layer_weights(network, style.region)
                    for style in styles if style.region is not None
                ]
        return targets

    def _style_targets(self, network: Network, styles: Sequence[Style]) -> dict[str, Any]:
        seen = [self._shown_statistics(network, style) for style in styles]
        targets = {}
        for loss in self.settings.style_loss:
            shown = [
                _Shown(style.share, each[loss][0]) for style, each in zip(styles, seen, strict=True)
            ]
            if styles[0].region is not None:
                groups = [[each] for each in shown]
            elif STYLE_LOSSES[loss].mean_over_positions:
                groups = [[_blended(shown)]]
            else:
                groups = [shown]
            targets[loss] = [[each.target(loss) for each in group] for group in groups]
        return targets

    def _shown_statistics(self, network: Network, style: Style) -> Statistics:
        masks = [] if style.mask is None else [self._layer_weights(network, style.mask)]
        found = self.style_statistics(network, style.image, masks)
        averaged = any(STYLE_LOSSES[loss].mean_over_positions for loss in found)
        if style.mended_again is None or not averaged:
            return found
        again = self.style_statistics(network, style.mended_again, masks)
        return {
            loss: tf.nest.map_structure(lambda one, other: 2 * one - other, each, again[loss])
            if STYLE_LOSSES[loss].mean_over_positions else each
            for loss, each in found.items()
        }

    def content_targets(
        self, network: Network, content: tf.Tensor
    ) -> dict[str, dict[str, tf.Tensor]]:
        """Content layer → its feature `map`, and its `energy`."""
        features = network.model(content, training=False)
        return {name: {"map": features[name], "energy": energy(features[name])}
                for name in network.content}

    def style_statistics(
        self, network: Network, style: tf.Tensor, regions: Sequence[Mapping[str, tf.Tensor]]
    ) -> Statistics:
        """The style statistics of a picture, in each region, or in the whole."""
        return self.statistics(network, network.model(style, training=False), regions)

    def _layer_weights(self, network: Network, mask: tf.Tensor) -> dict[str, tf.Tensor]:
        """A mask as weights of the positions of each style layer's map."""
        shapes = network.model.compute_output_shape((1, *mask.shape[1:3], 3))
        return {
            name: tf.image.resize(mask, shapes[name][1:3], method="area")
            for name in network.style
        }

    def statistics(
        self,
        network: Network,
        features: Mapping[str, tf.Tensor],
        regions: Sequence[Mapping[str, tf.Tensor]],
    ) -> Statistics:
        """The style statistics of feature maps, in each region, or in the whole."""
        return {
            loss: [
                {name: STYLE_LOSSES[loss].statistic(features[name], weights.get(name))
                 for name in network.style}
                for weights in (regions or [{}])
            ]
            for loss in self.settings.style_loss
        }

    def style_part(
        self, network: Network, statistics: Statistics, targets: Mapping[str, Any], step: tf.Tensor
    ) -> tf.Tensor:
        """The weighted style loss of an image with these statistics."""
        draw = tf.stack([tf.constant(self.settings.seed), tf.cast(step, tf.int32)])
        shares = _shares(network.style)
        return self.settings.style_weight * tf.add_n([
            (self.settings.style_loss[loss] * shares[name]) * style["share"]
            * STYLE_LOSSES[loss].distance(found[name], style["layers"][name], draw)
            for loss, of_regions in statistics.items()
            for found, of_styles in zip(of_regions, targets["style"][loss], strict=True)
            for style in of_styles
            for name in network.style
        ])

    def content_part(
        self, network: Network, features: Mapping[str, tf.Tensor],
        targets: Mapping[str, Mapping[str, tf.Tensor]],
    ) -> tf.Tensor:
        """The weighted content loss of an image, or of a part of one, with these feature maps.

        Args:
            targets: layer → `map` and `energy`.
        """
        shares = _shares(network.content)
        return self.settings.content_weight * tf.add_n([
            shares[name] * content_loss(features[name], target["map"], target["energy"])
            for name, target in targets.items()
        ])

    def parts(
        self, image: tf.Tensor, targets: Mapping[str, Any], step: tf.Tensor | int = 0
    ) -> dict[str, tf.Tensor]:
        """The weighted losses that are added up: `content`, `style`, `variation`.

        Args:
            image: `(1, height, width, 3)` float32.
            targets: as `targets` gives them.
            step: decides what is drawn at random.
        """
        parts = {}
        for network in self.networks:
            features = network.model(image, training=False)
            if network.content and targets["content"]:
                parts["content"] = self.content_part(
                    network,
                    self._evened(features, network.content, self.settings.content_weight),
                    targets["content"],
                )
            if network.style and targets["style"]:
                statistics = self.statistics(
                    network, self._evened(features, network.style, self.settings.style_weight),
                    targets["regions"],
                )
                parts["style"] = self.style_part(network, statistics, targets, step)
        if self.settings.tv_weight:
            parts["variation"] = self.settings.tv_weight * total_variation(image)
        return parts

    def _evened(
        self, features: Mapping[str, tf.Tensor], weights: Mapping[str, float], weight: float
    ) -> Mapping[str, tf.Tensor]:
        """The same feature maps, whose gradients get the length of their weights if asked for."""
        if not self.settings.normalize_gradients:
            return features
        return {name: _of_length(features[name], weight * share)
                for name, share in _shares(weights).items()}

    def value_and_gradient(
        self, image: tf.Tensor, targets: Mapping[str, Any], step: tf.Tensor | int = 0
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """The loss, its parts, and the loss's gradient with respect to the image."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self.parts(image, targets, step)
            loss = tf.add_n(list(parts.values()))
            scale = self.gradient_scale(image, loss)
            scaled = loss * scale
        return loss, parts, tape.gradient(scaled, image) / scale

    def gradient_scale(self, image: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """What the loss is multiplied with on the way back.

        A feature's gradient is about the loss over the number of features, which float16 has no
        small enough numbers for. Source: Micikevicius et al., Mixed Precision Training, ICLR 2018.
        """
        if self.settings.precision != "float16":
            return tf.constant(1.0)
        return _FLOAT16_SCALE * tf.cast(tf.size(image), tf.float32) / (
            tf.stop_gradient(loss) + 1e-12
        )


def _of_length(features: tf.Tensor, length: float) -> tf.Tensor:
    """The same values; the sum of absolute values of their gradient is `length`.

    Source: Johnson, neural-style, 2015, option `-normalize_gradients`.
    """

    @tf.custom_gradient
    def identity(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            exact = tf.cast(upstream, tf.float32)
            total = tf.reduce_sum(tf.abs(exact))
            return tf.cast(length * tf.math.divide_no_nan(exact, total), values.dtype)

        return tf.identity(values), gradient

    return identity(features)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


@dataclasses.dataclass(frozen=True)
class _Shown:
    """What one style image shows of one style loss: its statistics, by layer, and its share."""

    share: float
    statistics: Mapping[str, tf.Tensor]

    def target(self, loss: str) -> dict[str, Any]:
        return {
            "share": tf.constant(self.share, tf.float32),
            "layers": {name: STYLE_LOSSES[loss].target(statistic)
                       for name, statistic in self.statistics.items()},
        }


def _blended(styles: Sequence[_Shown]) -> _Shown:
    """The one style whose statistics are the weighted mean of these styles'."""
    share = sum(style.share for style in styles)
    return _Shown(share, {
        name: tf.add_n([style.share / share * style.statistics[name] for style in styles])
        for name in styles[0].statistics
    })
