"""What of the style image the generated image takes over.

A style loss is a pair: a statistic of a feature map, and a distance between two such statistics.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from tf_style.loss.content import relative_squared_error
from tf_style.loss.statistics import gram_matrix


@dataclasses.dataclass(frozen=True)
class StyleLoss:
    """A way to compare the styles of two feature maps.

    Attributes:
        statistic: feature map `(batch, height, width, channels)` → float32 tensor.
        distance: (statistic, target's statistic) → float32 scalar, 0 at equality.
        mean_over_positions: whether the statistic is a mean over the map's positions. Such
            statistics of several pictures can be averaged, and gathered block by block.
    """

    statistic: Callable[[tf.Tensor], tf.Tensor]
    distance: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    mean_over_positions: bool


STYLE_LOSSES = {
    # Gatys et al. 2016, eq. 4, made free of scale by the target's norm.
    "gram": StyleLoss(gram_matrix, relative_squared_error, mean_over_positions=True),
}
