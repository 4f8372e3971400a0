"""What moves the image down its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_style.image.resize import resize

# A few hundred steps, gradients without noise: a shorter memory than usual gets further.
BETA_1, BETA_2 = 0.8, 0.9
# A pixel's gradient is about one over the number of pixels; this is small at any size.
EPSILON = 1e-14


class Moments(NamedTuple):
    """What Adam remembers of the gradients: their moments and their number."""

    first: tf.Tensor
    second: tf.Tensor
    count: tf.Tensor


def adam(
    moments: Moments, gradient: tf.Tensor, learning_rate: tf.Tensor,
    epsilon: tf.Tensor | float = EPSILON,
) -> tuple[tf.Tensor, Moments]:
    """What to subtract from the image, and the new moments.

    Keras' Adam takes the same step, but has no public access to its moments.

    Args:
        moments: of the gradients so far; the first and second have the gradient's shape.
        gradient: float32, of any shape.
        learning_rate: a scalar.
        epsilon: a scalar, or one for each pixel; gradients far below it give steps in proportion to
            them, not full ones.

    Source: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1.
    """
    total = moments.count + 1
    count = tf.cast(total, tf.float32)
    first = BETA_1 * moments.first + (1 - BETA_1) * gradient
    second = BETA_2 * moments.second + (1 - BETA_2) * tf.square(gradient)
    rate = learning_rate * tf.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
    step = rate * first / (tf.sqrt(second) + epsilon * tf.sqrt(1 - BETA_2**count))
    return step, Moments(first, second, total)


def carried_over(moments: Moments, height: int, width: int) -> Moments:
    """The moments for the same image at another size.

    The losses are means over positions: if an image has n times the pixels, each pixel's gradient
    is 1/n of what it was, and its square 1/n². Linear interpolation keeps the second moment
    non-negative.
    """
    ratio = np.prod(moments.first.shape[1:3]) / (height * width)
    first, second = (
        tf.constant(
            scale * resize(moment.numpy()[0], height, width, smooth=True)[None], tf.float32
        )
        for moment, scale in ((moments.first, ratio), (moments.second, ratio**2))
    )
    return Moments(first, second, moments.count)


def lbfgs(
    evaluate: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    steps: int,
    accept: Callable[[np.ndarray, float], bool],
) -> None:
    """L-BFGS within [0, 1], by SciPy.

    Args:
        evaluate: pixels `(count,)` → loss and its gradient, float64.
        start: pixels `(count,)`.
        steps: the most that are taken.
        accept: called with the pixels after each step and their loss; a true return value ends
            the descent.

    Source: Byrd, Lu, Nocedal, Zhu, A Limited Memory Algorithm for Bound Constrained Optimization,
        1995; for style transfer: Gatys, Ecker, Bethge, CVPR 2016.
    """
    from scipy.optimize import Bounds, minimize

    def callback(intermediate_result: Any) -> None:
        if accept(intermediate_result.x, float(intermediate_result.fun)):
            raise StopIteration

    minimize(
        evaluate, start.astype(np.float64), jac=True, method="L-BFGS-B", bounds=Bounds(0, 1),
        callback=callback,
        # The run decides when the result is good enough.
        options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 0, "gtol": 0},
    )
