"""Style transfer as in TensorFlow's tutorial, written with care: what ours is measured against.

float32, a `tf.function` step, Gram matrices by einsum, `tf.image.total_variation`, Keras' Adam.
Algorithm: https://www.tensorflow.org/tutorials/generative/style_transfer
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf


def feature_model(
    kernels: dict[str, tuple[np.ndarray, np.ndarray]], layers: Sequence[str]
) -> keras.Model:
    """`keras.applications.VGG16` with the given kernels, cut at the layers named."""
    whole = keras.applications.VGG16(include_top=False, weights=None)
    for name, arrays in kernels.items():
        whole.get_layer(name).set_weights(arrays)
    whole.trainable = False
    return keras.Model(whole.input, {name: whole.get_layer(name).output for name in layers})


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """As the tutorial's: einsum, over the number of positions."""
    shape = tf.shape(features)
    positions = tf.cast(shape[1] * shape[2], tf.float32)
    return tf.linalg.einsum("bijc,bijd->bcd", features, features) / positions


class Reference:
    """The tutorial's transfer of one style to one content image.

    Args:
        model: feature maps by layer, of BGR in [0, 255] without the mean.
        content, style: `(1, height, width, 3)` RGB in [0, 1].
        content_layers, style_layers: compared layers.
        content_weight, style_weight, tv_weight: of the losses, each relative to its target.
        learning_rate: of Adam.
    """

    def __init__(
        self,
        model: keras.Model,
        content: np.ndarray,
        style: np.ndarray,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        *,
        content_weight: float = 1.0,
        style_weight: float = 20.0,
        tv_weight: float = 2.0,
        learning_rate: float = 0.02,
    ):
        self._model = model
        self._weights = content_weight, style_weight, tv_weight
        of_content, of_style = self._features(content), self._features(style)
        self._content = {name: of_content[name] for name in content_layers}
        self._style = {name: gram_matrix(of_style[name]) for name in style_layers}
        self.image = tf.Variable(tf.constant(content))
        # The losses are relative, so a pixel's gradient is far below Keras' default epsilon.
        self._optimizer = keras.optimizers.Adam(learning_rate, epsilon=1e-12)
        self._optimizer.build([self.image])

    def _features(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._model(keras.applications.vgg16.preprocess_input(image * 255.0))

    def _loss(self) -> tf.Tensor:
        features = self._features(self.image)
        content_weight, style_weight, tv_weight = self._weights
        content = tf.add_n([
            tf.reduce_mean((features[name] - target) ** 2) / tf.reduce_mean(target**2)
            for name, target in self._content.items()
        ]) / len(self._content)
        style = tf.add_n([
            tf.reduce_mean((gram_matrix(features[name]) - target) ** 2)
            / tf.reduce_mean(target**2)
            for name, target in self._style.items()
        ]) / len(self._style)
        pixels = tf.cast(tf.size(self.image) // 3, tf.float32)
        variation = tf.reduce_sum(tf.image.total_variation(self.image)) / pixels
        return content_weight * content + style_weight * style + tv_weight * variation

    def compiled(self) -> Callable[[], tf.Tensor]:
        """A step: moves the image, returns the loss."""

        @tf.function
        def step() -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = self._loss()
            gradient = tape.gradient(loss, self.image)
            self._optimizer.apply([gradient], [self.image])
            self.image.assign(tf.clip_by_value(self.image, 0.0, 1.0))
            return loss

        return step
