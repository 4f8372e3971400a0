"""The feature model: a Keras model from a picture to the feature maps of chosen layers."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from tf_style.image import samples
from tf_style.image.paths import PathLike
from tf_style.image.picture import as_picture, read_picture
from tf_style.image.resize import fit
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.choice import Choice
from tf_style.network.networks import Network, build
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import Weights

_TYPES = ("float32", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16")
# The long side of the pictures that `unit_rms` measures maps of.
_MEASURED = 256


def feature_model(
    layers: str | Iterable[str],
    weights: str = AUTO,
    *,
    network: PathLike | keras.Model = AUTO,
    pictures: Sequence[PathLike | np.ndarray] = (),
    seed: int = 0,
    dtype: str = AUTO,
    input_range: tuple[float, float] = (0.0, 1.0),
    unit_rms: bool = False,
    cache_dir: PathLike = AUTO,
    offline: bool = False,
) -> keras.Model:
    """A Keras model that turns pictures into the feature maps of the chosen layers.

    It includes its preprocessing, and nothing deeper than the deepest layer asked for. It consists
    of Keras' built-in layers only: saved as `.keras`, it loads where tf_style is not installed.

    Args:
        layers: names such as `block3_conv1`; one, several between commas, or a sequence.
        weights: `auto`, `imagenet`, `unsupervised`, `included`, `random`, or a weights file; not
            for a saved model.
        network: `vgg16`, `vgg19`, `compact`, or a Keras model that takes RGB in `[0, 1]`: a saved
            one's file, or one in memory, whose weights are copied; `auto`: the one that `weights`
            belong to, and without these VGG16 if its pretrained weights are there or can be had,
            else `compact`. Name it if you rely on its channels.
        pictures: paths or arrays that `weights="unsupervised"` learns from, besides the pictures
            that come with tf_style.
        seed: for `weights="unsupervised"` and `"random"`.
        dtype: type in which the network computes and returns its feature maps: `float32`,
            `bfloat16`, `float16`, `mixed_bfloat16` or `mixed_float16`; `auto`: Keras' global
            policy, which is `float32` unless you set another.
        input_range: black and white in the pictures that the model takes, such as `(0, 255)`, with
            which it takes uint8, too, or `(-1, 1)`. A model cannot see that it gets others.
        unit_rms: multiply each layer's map by one number, so that its root mean square is 1 over
            the pictures that come with tf_style. Then a difference counts about as much in each
            layer; as they are, maps of VGG16 differ in size by a factor of ten.
        cache_dir: folder where learned features are kept; `auto`: the user's cache.
        offline: download nothing; `imagenet` works only if its file is in Keras' cache.

    Returns:
        A `keras.Model`, not trainable, of `(batch, height, width, 3)` RGB in `input_range`, of any
        size from the stride of the deepest layer up → dict, layer name →
        `(batch, h, w, channels)`, after the ReLU. Those of `compact` are linear readouts of such
        maps, with values of both signs; the convolution before `block1_conv1` is called
        `block1_conv1_trunk`.

    Raises:
        InputError: (a `ValueError`) for an unknown layer, or weights that are not available or do
            not fit.

    Source: `unit_rms` is the one normalisation of Gatys, Ecker, Bethge, CVPR 2016, section 2, and
        of Chen, Koltun, ICCV 2017, section 3.2, that does not depend on the picture: fixed numbers,
        one a layer. Unlike the first we scale no channel by itself, so that weak channels stay
        weak; unlike LPIPS (Zhang et al., CVPR 2018) no position by itself, so that flat places,
        whose maps are mostly noise, count no more than others.

    Example:
        >>> model = feature_model("block1_conv1,block2_conv1", weights="random")
        >>> model(np.zeros((1, 64, 48, 3)))["block2_conv1"].shape
        TensorShape([1, 32, 24, 128])
    """
    layers = layers if isinstance(layers, str) else list(layers)
    names = [*Weights("layer").parse("layers", layers)]
    choice = choose_features(names, weights, network=network, offline=offline)
    return build_features(
        choice, names, dtype=dtype, input_range=input_range, unit_rms=unit_rms, seed=seed,
        offline=offline, cache_dir=cache_dir, pictures=pictures,
    ).model


def choose_features(
    layers: Iterable[str], weights: str, *, network: PathLike | keras.Model, offline: bool
) -> Choice:
    """The network and the weights that `feature_model` takes, without `auto`."""
    network = Settings.option("network").parse(network)
    weights = os.fspath(weights)
    if network == AUTO or network in ARCHITECTURES:
        for settle in (weight_sources.settle_known, weight_sources.settle):
            choice = Choice(*settle(network, weights, offline=offline))
            choice.architecture.check(layers)
        return choice
    if weights != AUTO:
        raise InputError("weights: a saved model brings its own; leave them out for a file")
    return Choice(network, None)


def build_features(
    choice: Choice,
    layers: Sequence[str],
    *,
    dtype: str,
    input_range: tuple[float, float],
    unit_rms: bool,
    seed: int,
    offline: bool,
    cache_dir: PathLike,
    pictures: Sequence[PathLike | np.ndarray] = (),
) -> Network:
    """The network of a feature model; see `feature_model`."""
    low, high = check_range(input_range)
    built = build(
        choice, layers, precision=_type(dtype), seed=seed, offline=offline, cache_folder=cache_dir,
        pictures=[as_picture(picture) for picture in pictures], input_range=(low, high),
        option="layers",
    )
    return dataclasses.replace(built, model=_scaled(built.model, low, high)) if unit_rms else built


def check_range(given: Any) -> tuple[float, float]:
    """Black and white of pictures, if this names them.

    Raises:
        InputError: if not.
    """
    try:
        low, high = map(float, given)
    except (TypeError, ValueError, OverflowError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError("input_range: expected two numbers, black and white, such as (0, 1), "
                         f"(0, 255) or (-1, 1). Received: {given!r}")
    return low, high


def _type(dtype: str) -> str:
    is_global = dtype == AUTO
    name = keras.config.dtype_policy().name if is_global else str(dtype)
    if name not in _TYPES:
        source = "Keras' global policy is" if is_global else "Received:"
        raise InputError(f"dtype: expected auto, {', '.join(_TYPES)}. {source} {name}")
    return name


def _scaled(model: keras.Model, low: float, high: float) -> keras.Model:
    """The model with maps whose root mean square is 1 over the samples; dead maps stay as they are.

    Args:
        low, high: black and white in the pictures that it takes.
    """
    squares = dict.fromkeys(model.output, 0.0)
    names = (*samples.CONTENT_SAMPLES, *samples.STYLE_SAMPLES)
    for name in names:
        picture = fit(read_picture(samples.PREFIX + name), _MEASURED)
        for layer, features in model(low + (high - low) * picture[None]).items():
            squares[layer] += float(np.mean(np.square(np.asarray(features, np.float32))))
    outputs = {
        layer: keras.layers.Rescaling(
            math.sqrt(len(names) / squares[layer]) if squares[layer] else 1.0,
            dtype=features.dtype, name=f"{layer}_unit_rms",
        )(features)
        for layer, features in model.output.items()
    }
    scaled = keras.Model(model.input, outputs, name=model.name)
    scaled.trainable = False
    return scaled
