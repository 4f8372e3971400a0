"""The convolutions of a network of VGG's shape as a Keras model, for any of Keras' backends."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from tf_style.network.architectures import Architecture
from tf_style.network.kernel_files import IMAGENET_MEAN

Trunk = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Layer name → kernel `(3, 3, inputs, channels)` and bias `(channels,)`, as in Keras' files."""


def trunk_model(architecture: Architecture, trunk: Trunk, dtype: str) -> keras.Model:
    """RGB pictures in `[0, 1]` → dict, layer name → map after the ReLU.

    Args:
        dtype: what all but the first layer compute in; the variables are float32.
    """
    picture = keras.Input((None, None, 3), name="picture")
    features = keras.layers.Rescaling(
        1.0, [-mean / 255 for mean in IMAGENET_MEAN], dtype="float32", name="rescaling"
    )(picture)
    maps = {}
    for layer in architecture.layers:
        policy = "float32" if layer.inputs == 3 else dtype
        if layer.pooling:
            features = keras.layers.MaxPooling2D(2, dtype=policy, name=layer.name)(features)
            continue
        features = maps[layer.name] = keras.layers.Conv2D(
            layer.channels, 3, padding="same", activation="relu", kernel_initializer="zeros",
            dtype=policy, name=layer.name,
        )(features)
    model = keras.Model(picture, maps, name=architecture.name)
    for name, (kernel, bias) in trunk.items():
        model.get_layer(name).set_weights([_first(kernel, 255), bias])
    return model


def trunk_of(model: keras.Model, architecture: Architecture) -> Trunk:
    """The kernels and biases of a model that `trunk_model` made."""
    return {
        layer.name: (_first(kernel, 1 / 255), bias)
        for layer in architecture.convolutions
        for kernel, bias in [model.get_layer(layer.name).get_weights()]
    }


def _first(kernel: np.ndarray, factor: float) -> np.ndarray:
    """The first kernel sees BGR in `[0, 255]` in files, and RGB in `[0, 1]` in the model."""
    return kernel[:, :, ::-1] * np.float32(factor) if kernel.shape[2] == 3 else kernel


def scaled(trunk: Trunk, sizes: Mapping[str, float]) -> Trunk:
    """The same network, each map of which is divided by its entry of `sizes`."""
    found, before = {}, 1.0
    for name, (kernel, bias) in trunk.items():
        size = sizes[name]
        found[name] = (np.float32(before / size) * kernel, bias / np.float32(size))
        before = size
    return found
