"""What of the style image the generated image takes over.

A style loss is a pair: a statistic of a feature map, and a distance between two such statistics, of
which the style's may be prepared once for all steps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_style.loss.content import relative_squared_error
from tf_style.loss.spectrum import HOP, WINDOW, phase_match_distance, phase_matrix, weighted_map
from tf_style.loss.statistics import channel_moments, gram_matrix, moments, weighted_rows
from tf_style.loss.transport import (
    gaussian_distance,
    gaussian_target,
    histogram_distance,
    mean_std_distance,
    sliced_distance,
)


def _unchanged(statistic: tf.Tensor) -> tf.Tensor:
    return statistic


@dataclasses.dataclass(frozen=True)
class StyleLoss:
    """A way to compare the styles of two feature maps.

    Attributes:
        statistic: (feature map `(1, height, width, channels)` of any float type, soft weights
            `(1, height, width, 1)` of its positions or None) → float32 tensor.
        distance: (statistic, target, draw) → float32 scalar, 0 at equality, about 1 where the
            statistic is zero. `draw`, int32 `(2,)`, is the seed and the step; losses that draw at
            random draw from it alone.
        mean_over_positions: whether the statistic is a mean over the map's positions. Such
            statistics of several pictures can be averaged, and gathered block by block.
        window: the side, in positions, of what that mean is taken over: 1 for the positions
            themselves.
        hop: the positions from one window to the next. Windows start at 0, `hop`, 2 `hop`, ... as
            long as they fit; smaller maps are filled up with zeros to one window.
        target: the style's statistic → a nest of tensors, what `distance` compares others with.
            No gradient reaches it.
    """

    statistic: Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]
    distance: Callable[[tf.Tensor, Any, tf.Tensor], tf.Tensor]
    mean_over_positions: bool
    window: int = 1
    hop: int = 1
    target: Callable[[tf.Tensor], Any] = _unchanged

    def weight(
        self, height: tf.Tensor, width: tf.Tensor, weights: tf.Tensor | None
    ) -> tf.Tensor:
        """How much the statistic of a map of that size counts in one of a larger map.

        The number of windows; or the sum of their weights, each the mean of its positions'.
        """
        if weights is None:
            counts = [tf.maximum(side - self.window, 0) // self.hop + 1
                      for side in (height, width)]
            return tf.cast(counts[0], tf.float32) * tf.cast(counts[1], tf.float32)
        below, right = (tf.maximum(self.window - side, 0) for side in (height, width))
        padded = tf.pad(weights, [[0, 0], [0, below], [0, right], [0, 0]])
        return tf.reduce_sum(tf.nn.avg_pool2d(padded, self.window, self.hop, "VALID"))


def matrix_distance(matrix: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared difference of two matrices, relative to the target's. `draw` is not used.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 4, made free of scale by the target's norm.
    """
    del draw
    return relative_squared_error(matrix, target)


STYLE_LOSSES = {
    "gram": StyleLoss(gram_matrix, matrix_distance, mean_over_positions=True),
    "moments": StyleLoss(
        moments, gaussian_distance, mean_over_positions=True, target=gaussian_target
    ),
    "mean_std": StyleLoss(channel_moments, mean_std_distance, mean_over_positions=True),
    "sliced_wasserstein": StyleLoss(weighted_rows, sliced_distance, mean_over_positions=False),
    "histogram": StyleLoss(weighted_rows, histogram_distance, mean_over_positions=False),
    "phase": StyleLoss(
        phase_matrix, matrix_distance, mean_over_positions=True, window=WINDOW, hop=HOP
    ),
    "phase_match": StyleLoss(weighted_map, phase_match_distance, mean_over_positions=False),
}
