"""What moves the image down its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image import files


class Adam(tf.Module):
    """Adam for one image of any size, with moments that can be carried over to another size.

    Keras' Adam has the same step; its moments have no public way in or out. Call `reset` first.

    Source: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1.
    """

    # A few hundred steps with gradients that have no noise: less memory than usual reaches further.
    BETA_1, BETA_2 = 0.8, 0.9
    # A pixel's gradient is about one over the number of pixels; this is small at any size.
    EPSILON = 1e-14

    def __init__(self):
        super().__init__()
        self.first = image_variable("first_moment")
        self.second = image_variable("second_moment")
        self.count = tf.Variable(0, dtype=tf.int64, name="count")

    def reset(self, height: int, width: int) -> None:
        """Forget all gradients; the next ones are of an image of this size."""
        for moment in (self.first, self.second):
            moment.assign(tf.zeros((1, height, width, 3)))
        self.count.assign(0)

    def update(self, gradient: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
        """Take a gradient in; return what is to be subtracted from the image."""
        count = tf.cast(self.count.assign_add(1), tf.float32)
        first = self.first.assign(self.BETA_1 * self.first + (1 - self.BETA_1) * gradient)
        second = self.second.assign(
            self.BETA_2 * self.second + (1 - self.BETA_2) * tf.square(gradient)
        )
        rate = learning_rate * tf.sqrt(1 - self.BETA_2**count) / (1 - self.BETA_1**count)
        return rate * first / (tf.sqrt(second) + self.EPSILON * tf.sqrt(1 - self.BETA_2**count))

    def carry_over(self, height: int, width: int) -> None:
        """Go on with the moments for the same image at another size.

        The losses are means over positions: where an image has n times the pixels, each pixel's
        gradient is 1/n of what it was, and its square 1/n². Linear interpolation keeps the second
        moment non-negative.
        """
        ratio = np.prod(self.first.numpy().shape[1:3]) / (height * width)
        for moment, scale in ((self.first, ratio), (self.second, ratio**2)):
            resampled = files.resize(moment.numpy()[0], height, width, smooth=True)
            moment.assign(scale * resampled[None])


def image_variable(name: str) -> tf.Variable:
    """A float32 variable for images `(1, height, width, 3)` of any size, one after another.

    One compiled step serves all sizes then.
    """
    return tf.Variable(
        tf.zeros((1, 1, 1, 3)), shape=tf.TensorShape((1, None, None, 3)), name=name
    )


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
        accept: hears of the pixels after each step, and of their loss; a true return value ends
            the descent.

    Source: Byrd, Lu, Nocedal, Zhu, A Limited Memory Algorithm for Bound Constrained Optimization,
        1995; for style Gatys, Ecker, Bethge, CVPR 2016.
    """
    from scipy.optimize import Bounds, minimize

    def callback(intermediate_result: Any) -> None:
        if accept(intermediate_result.x, float(intermediate_result.fun)):
            raise StopIteration

    minimize(
        evaluate, start.astype(np.float64), jac=True, method="L-BFGS-B", bounds=Bounds(0, 1),
        callback=callback,
        # The run decides what is good enough.
        options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 0, "gtol": 0},
    )
