"""The objective: content, style and total variation in one number, and its gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tf_style.loss.content import content_loss
from tf_style.loss.style import STYLE_LOSSES
from tf_style.loss.variation import total_variation
from tf_style.settings import Settings

# Leaves both ends of float16's range a factor of a hundred away from gradients as they occur.
_FLOAT16_SCALE = 16.0

Targets = Mapping[str, Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Objective:
    """The weighted sum of content loss, style loss and total variation.

    Within content and within style, layers count by their weights' share: the weighted mean over
    layers, so that a style weight means the same with two layers as with five.

    Attributes:
        model: gives the feature maps of all layers that the settings name.
        settings: layers and weights.
    """

    model: keras.Model
    settings: Settings

    def targets(self, content: tf.Tensor, styles: Sequence[tf.Tensor]) -> Targets:
        """What `value_and_gradient` compares an image with.

        Args:
            content: `(1, height, width, 3)`, of the image's size.
            styles: pictures `(1, h, w, 3)` of any sizes; their statistics are averaged.

        Returns:
            A nest of tensors: the content's feature maps and the style's statistics, by layer.
        """
        statistic = STYLE_LOSSES[self.settings.style_loss].statistic
        targets: dict[str, dict[str, tf.Tensor]] = {"content": {}, "style": {}}
        if self.settings.content_weight:
            features = self.model(content, training=False)
            targets["content"] = {name: features[name] for name in self.settings.content_layers}
        if self.settings.style_weight:
            seen = [
                {name: statistic(features[name]) for name in self.settings.style_layers}
                for features in (self.model(style, training=False) for style in styles)
            ]
            targets["style"] = {
                name: tf.add_n([statistics[name] for statistics in seen]) / len(seen)
                for name in self.settings.style_layers
            }
        return targets

    @staticmethod
    def specs(targets: Targets) -> Mapping[str, Mapping[str, tf.TensorSpec]]:
        """The types of `targets` for pictures of any size: one trace serves all of them."""
        return {
            "content": {name: tf.TensorSpec((1, None, None, target.shape[-1]), target.dtype)
                        for name, target in targets["content"].items()},
            "style": {name: tf.TensorSpec(target.shape, target.dtype)
                      for name, target in targets["style"].items()},
        }

    def parts(self, image: tf.Tensor, targets: Targets) -> dict[str, tf.Tensor]:
        """The weighted losses that are added up: `content`, `style`, `variation`.

        Args:
            image: `(1, height, width, 3)` float32.
        """
        settings = self.settings
        features = self.model(image, training=False)
        style_loss = STYLE_LOSSES[settings.style_loss]
        parts = {}
        if targets["content"]:
            parts["content"] = settings.content_weight * _weighted_mean(
                {name: content_loss(features[name], target)
                 for name, target in targets["content"].items()},
                settings.content_layers,
            )
        if targets["style"]:
            parts["style"] = settings.style_weight * _weighted_mean(
                {name: style_loss.distance(style_loss.statistic(features[name]), target)
                 for name, target in targets["style"].items()},
                settings.style_layers,
            )
        if settings.tv_weight:
            parts["variation"] = settings.tv_weight * total_variation(image)
        return parts

    def value_and_gradient(
        self, image: tf.Tensor, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """The loss, its parts, and the loss's gradient with respect to the image."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self.parts(image, targets)
            loss = tf.add_n(list(parts.values()))
            scale = self._gradient_scale(image, loss)
            scaled = loss * scale
        return loss, parts, tape.gradient(scaled, image) / scale

    def _gradient_scale(self, image: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """What the loss is multiplied with on the way back.

        A feature's gradient is about the loss over the number of features, which float16 has no
        small enough numbers for. Source: Micikevicius et al., Mixed Precision Training, ICLR 2018.
        """
        if self.settings.precision != "float16":
            return tf.constant(1.0)
        return _FLOAT16_SCALE * tf.cast(tf.size(image), tf.float32) / (
            tf.stop_gradient(loss) + 1e-12
        )


def _weighted_mean(losses: Mapping[str, tf.Tensor], weights: Mapping[str, float]) -> tf.Tensor:
    total = sum(weights.values())
    return tf.add_n([losses[name] * (weights[name] / total) for name in losses])
