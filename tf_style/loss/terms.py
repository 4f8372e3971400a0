"""Terms: what the loss is the sum of, and the pair of functions behind each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


def _unchanged(statistic: tf.Tensor) -> tf.Tensor:
    return statistic


def _one(channels: int) -> int:
    del channels
    return 1


@dataclasses.dataclass(frozen=True)
class Loss:
    """A way to compare two pictures: a statistic of feature maps, and a distance between two.

    Attributes:
        name: as in the settings.
        statistic: (feature maps `(batch, height, width, channels)` of any float type, soft weights
            `(batch, height, width, 1)` of their positions or None) → tensor `(batch, …)`.
        distance: (statistic, target, draw) → float32 `(batch,)`, for each picture separately: 0 at
            equality, about 1 where the statistic is zero. A target of one picture serves the whole
            batch. `draw`, int32 `(2,)`, is the seed and the step; losses that draw at random use
            it alone, and draw the same for each picture.
        target: statistic → a nest of tensors, the `target` of `distance`. No gradient reaches it.
        mean_over_positions: whether the statistic is a mean over the map's positions. Such
            statistics can be averaged over pictures, and gathered block by block.
        sum_over_positions: whether the statistic is the map itself, and the distance is the sum of
            its parts' distances, each to its part of the target's `map`, and of its `weights` if
            it has them, with the whole `energy`.
        window: side, in positions, of the windows that a mean is taken over; 1 for single
            positions.
        paired: whether the statistic also takes, as its third argument, the region's `paired`: the
            content's map.
        least_positions: channels → how many positions the style's map must have for its statistic
            to describe a style rather than that picture.
        hop: positions from one window to the next. Windows start at 0, `hop`, 2 `hop`, ... as
            long as they fit; smaller maps are padded with zeros to one window.
    """

    name: str
    statistic: Callable[..., tf.Tensor]
    distance: Callable[[tf.Tensor, Any, tf.Tensor], tf.Tensor]
    target: Callable[[tf.Tensor], Any] = _unchanged
    mean_over_positions: bool = False
    sum_over_positions: bool = False
    window: int = 1
    hop: int = 1
    paired: bool = False
    least_positions: Callable[[int], int] = _one

    def of(self, features: tf.Tensor, region: Mapping[str, Any]) -> tf.Tensor:
        """The statistic of a feature map in a region of the image: see `loss.targets`."""
        beside = (region["paired"],) if self.paired else ()
        return self.statistic(features, region.get("weights"), *beside)

    def weight(
        self, height: tf.Tensor, width: tf.Tensor, weights: tf.Tensor | None
    ) -> tf.Tensor:
        """The weight of such a map's statistic in the statistic of a larger map.

        The number of windows; or `(batch, 1, 1)`, the sum of their weights, each the mean over its
        positions.
        """
        if weights is None:
            counts = [tf.maximum(side - self.window, 0) // self.hop + 1
                      for side in (height, width)]
            return tf.cast(counts[0], tf.float32) * tf.cast(counts[1], tf.float32)
        below, right = (tf.maximum(self.window - side, 0) for side in (height, width))
        padded = tf.pad(weights, [[0, 0], [0, below], [0, right], [0, 0]])
        means = tf.nn.avg_pool2d(padded, self.window, self.hop, "VALID")
        return tf.reduce_sum(means[..., 0], axis=(1, 2), keepdims=True)


@dataclasses.dataclass(frozen=True)
class Term:
    """One thing that the objective asks of the image.

    Attributes:
        part: the name that it is reported under, such as `content` or `style`.
        weight: its share of that part.
        loss: what is compared.
        layer: the layer whose feature map is compared; empty for the pixels.
        network: index of the network among the objective's.
        reference: what the target is made from: `content`, `style` or `previous`, the previous
            frame of a film; empty where the term needs no picture or gets its target from
            elsewhere.
    """

    part: str
    weight: float
    loss: Loss
    layer: str = ""
    network: int = 0
    reference: str = ""

    @property
    def key(self) -> str:
        """The key of its target."""
        return f"{self.part} {self.loss.name} {self.layer}"

    def losses(
        self, statistics: list[tf.Tensor], target: list[Mapping[str, Any]], draw: tf.Tensor
    ) -> list[tf.Tensor]:
        """The weighted losses of an image with these statistics, float32 `(batch,)` each.

        Args:
            statistics: one for each region of the image.
            target: for each region, as described in `tf_style.loss.targets`.
            draw: see `Loss`.
        """
        return [
            self.weight * goal["share"] * self.loss.distance(statistic, goal["target"], draw)
            for statistic, region in zip(statistics, target, strict=True)
            for goal in region["goals"]
        ]

    def statistics(
        self, features: tf.Tensor, target: list[Mapping[str, Any]]
    ) -> list[tf.Tensor]:
        """The statistics of an image's feature map in each region of the target."""
        return [self.loss.of(features, region) for region in target]
