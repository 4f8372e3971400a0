"""What moves the image down its gradient."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_style.image import files


class Adam(tf.Module):
    """Adam for one image, with moments that can be carried over to another size.

    Keras' Adam has the same step; its moments have no public way in or out.

    Args:
        shape: of the image, `(1, height, width, 3)`.

    Source: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1.
    """

    BETA_1, BETA_2 = 0.9, 0.99
    # A pixel's gradient is about one over the number of pixels; this is small at any size.
    EPSILON = 1e-14

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.first = tf.Variable(tf.zeros(shape), name="first_moment")
        self.second = tf.Variable(tf.zeros(shape), name="second_moment")
        self.count = tf.Variable(0, dtype=tf.int64, name="count")

    def update(self, gradient: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
        """Take a gradient in; return what is to be subtracted from the image."""
        count = tf.cast(self.count.assign_add(1), tf.float32)
        first = self.first.assign(self.BETA_1 * self.first + (1 - self.BETA_1) * gradient)
        second = self.second.assign(
            self.BETA_2 * self.second + (1 - self.BETA_2) * tf.square(gradient)
        )
        rate = learning_rate * tf.sqrt(1 - self.BETA_2**count) / (1 - self.BETA_1**count)
        return rate * first / (tf.sqrt(second) + self.EPSILON * tf.sqrt(1 - self.BETA_2**count))

    def reset(self) -> None:
        """Forget all gradients."""
        for variable in (self.first, self.second, self.count):
            variable.assign(tf.zeros_like(variable))

    def carry_over(self, coarse: Adam) -> None:
        """Go on from the moments of the optimizer of a smaller image.

        The losses are means over positions: where an image has n times the pixels, each pixel's
        gradient is 1/n of what it was, and its square 1/n². Linear interpolation keeps the second
        moment non-negative.
        """
        height, width = self.first.shape[1:3]
        ratio = np.prod(coarse.first.shape[1:3]) / (height * width)
        for mine, theirs, scale in (
            (self.first, coarse.first, ratio),
            (self.second, coarse.second, ratio**2),
        ):
            resampled = files.resize(theirs.numpy()[0], height, width, smooth=True)
            mine.assign(scale * resampled[None])
        self.count.assign(coarse.count)
