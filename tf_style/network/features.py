"""The feature model: a Keras model from a picture to the feature maps of chosen layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from tf_style.image.paths import PathLike
from tf_style.image.picture import as_picture
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.choice import Choice
from tf_style.network.networks import build
from tf_style.settings import AUTO, InputError


def feature_model(
    layers: Iterable[str],
    weights: str = AUTO,
    *,
    network: PathLike = AUTO,
    pictures: Sequence[PathLike | np.ndarray] = (),
    seed: int = 0,
    dtype: str = "float32",
    cache_dir: PathLike = AUTO,
    offline: bool = False,
) -> keras.Model:
    """A Keras model that turns pictures into the feature maps of the chosen layers.

    It includes its preprocessing, and nothing deeper than the deepest layer asked for. It consists
    of Keras' built-in layers only: saved as `.keras`, it loads where tf_style is not installed.

    Args:
        layers: names such as `block3_conv1`.
        weights: `auto`, `imagenet`, `unsupervised`, `included`, `random`, or a weights file; not
            for a saved model.
        network: `vgg16`, `vgg19`, `compact`, or a saved Keras model that takes RGB in `[0, 1]`;
            `auto`: the one that `weights` belong to, and without these VGG16 if its pretrained
            weights are there or can be had, else `compact`. Name it if you rely on its channels.
        pictures: paths or arrays that `weights="unsupervised"` learns from, besides the pictures
            that come with tf_style.
        seed: for `weights="unsupervised"` and `"random"`.
        dtype: type in which the network computes and returns its feature maps: `float32`,
            `bfloat16`.
        cache_dir: folder where learned features are kept; `auto`: the user's cache.
        offline: download nothing; `imagenet` works only if its file is in Keras' cache.

    Returns:
        A `keras.Model`, not trainable, of `(batch, height, width, 3)` RGB in `[0, 1]`, of any size
        from the stride of the deepest layer up → dict, layer name →
        `(batch, h, w, channels)`, after the ReLU. Those of `compact` are linear readouts of such
        maps, with values of both signs; the convolution before `block1_conv1` is called
        `block1_conv1_trunk`.

    Raises:
        InputError: (a `ValueError`) for an unknown layer, or weights that are not available or do
            not fit.

    Example:
        >>> model = feature_model(["block1_conv1", "block2_conv1"], weights="random")
        >>> model(np.zeros((1, 64, 48, 3)))["block2_conv1"].shape
        TensorShape([1, 32, 24, 128])
    """
    layers = list(layers)
    if not layers:
        raise InputError("layers: expected at least one layer name. Received none")
    network, weights = os.fspath(network), os.fspath(weights)
    if network == AUTO or network in ARCHITECTURES:
        for settle in (weight_sources.settle_known, weight_sources.settle):
            choice = Choice(*settle(network, weights, offline=offline))
            choice.architecture.check(layers)
    elif weights == AUTO:
        choice = Choice(network, None)
    else:
        raise InputError("weights: a saved model brings its own; leave them out for a file")
    return build(
        choice, layers, precision=dtype, seed=seed, offline=offline, cache_folder=cache_dir,
        pictures=[as_picture(picture) for picture in pictures],
    ).model
