"""What the generated image takes over from the style image: every style loss, by name.

A style loss is a pair: a statistic of a feature map, and a distance between two such statistics.
The style's statistic may be prepared once for all steps.
"""

from __future__ import annotations

import tensorflow as tf

from tf_style.loss.content import relative_squared_error
from tf_style.loss.neighbors import neighbor_distance
from tf_style.loss.spectrum import HOP, WINDOW, phase_match_distance, phase_matrix, weighted_map
from tf_style.loss.statistics import channel_moments, gram_matrix, moments, weighted_rows
from tf_style.loss.terms import Loss
from tf_style.loss.transport import (
    gaussian_distance,
    gaussian_target,
    histogram_distance,
    least_positions,
    mean_std_distance,
    sliced_distance,
)


def matrix_distance(matrix: tf.Tensor, target: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Squared difference of two matrices, relative to the target's, `(batch,)`.

    Args:
        matrix, target: `(batch, rows, columns)`.
        draw: not used.

    Source: Gatys, Ecker, Bethge, CVPR 2016, eq. 4, made independent of scale by the target's norm.
    """
    del draw
    return relative_squared_error(matrix, target)


STYLE_LOSSES = {loss.name: loss for loss in (
    Loss("gram", gram_matrix, matrix_distance, mean_over_positions=True),
    Loss("moments", moments, gaussian_distance, gaussian_target, mean_over_positions=True,
         least_positions=least_positions),
    Loss("mean_std", channel_moments, mean_std_distance, mean_over_positions=True),
    Loss("sliced_wasserstein", weighted_rows, sliced_distance),
    Loss("histogram", weighted_rows, histogram_distance),
    Loss("neighbors", weighted_rows, neighbor_distance),
    Loss("phase", phase_matrix, matrix_distance, mean_over_positions=True, window=WINDOW, hop=HOP),
    Loss("phase_match", weighted_map, phase_match_distance),
)}
