"""The feature model: a Keras model from a picture to the feature maps of chosen layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from tf_style.image.files import PathLike, as_picture
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer, check_layers
from tf_style.network.kernel_files import Kernels
from tf_style.settings import AUTO, InputError

# RGB, in units of [0, 255]. Source: keras.applications.vgg16.preprocess_input, mode "caffe".
_IMAGENET_MEAN = (123.68, 116.779, 103.939)


def feature_model(
    layers: Iterable[str],
    weights: str = AUTO,
    *,
    network: PathLike = "vgg16",
    pictures: Sequence[PathLike | np.ndarray] = (),
    seed: int = 0,
    dtype: str = "float32",
    cache_dir: PathLike = AUTO,
    offline: bool = False,
) -> keras.Model:
    """A Keras model that turns pictures into the feature maps of the chosen layers.

    It holds its own preprocessing and nothing deeper than the deepest layer asked for. It is made
    of Keras' built-in layers only: saved as `.keras` it loads where tf_style is not installed.

    Args:
        layers: names such as `block3_conv1`.
        weights: `auto`, `imagenet`, `unsupervised`, `random`, or a weights file; only for `vgg16`
            and `vgg19`.
        network: `vgg16`, `vgg19`, or a saved Keras model that takes RGB in `[0, 1]`.
        pictures: paths or arrays that `weights="unsupervised"` learns from, beside the pictures
            that come with tf_style.
        seed: of `weights="unsupervised"` and `"random"`.
        dtype: in which the network computes and gives its feature maps: `float32`, `bfloat16`.
        cache_dir: folder where learned features are kept; `auto`: the user's cache.
        offline: fetch nothing; `imagenet` is Keras' file only where it is in Keras' cache.

    Returns:
        A `keras.Model`, not trainable: `(batch, height, width, 3)` RGB in `[0, 1]`, of any size
        of at least the stride of the deepest layer → dict, layer name →
        `(batch, h, w, channels)`, behind the ReLU.

    Raises:
        InputError: (a `ValueError`) for an unknown layer, or weights that cannot be had or do
            not fit.

    Example:
        >>> model = feature_model(["block1_conv1", "block2_conv1"], weights="random")
        >>> model(np.zeros((1, 64, 48, 3)))["block2_conv1"].shape
        TensorShape([1, 32, 24, 128])
    """
    layers = list(layers)
    if not layers:
        raise InputError("layers: expected at least one layer name. Received none")
    if network in ARCHITECTURES:
        architecture = ARCHITECTURES[network]
        architecture.check(layers)
        needed = architecture.up_to(layers)
        loaded = weight_sources.load(
            architecture, needed,
            weight_sources.resolve(os.fspath(weights), architecture, offline=offline),
            seed=seed, pictures=[as_picture(picture) for picture in pictures],
            cache_folder=cache_dir, offline=offline,
        )
        return vgg_model(architecture, layers, loaded.kernels, dtype)
    if weights != AUTO:
        raise InputError("weights: a saved model brings its own; leave them away with a file")
    return in_precision(cut_model(network, layers), dtype)


def vgg_model(
    architecture: Architecture,
    layers: Iterable[str],
    kernels: Kernels,
    dtype: str = "float32",
    pooling: str = "max",
    padding: str = "zeros",
) -> keras.Model:
    """The feature model of a VGG network with the given kernels.

    The channels' order and the factor 255 are folded into the first kernel. The mean is not: it
    is subtracted before the convolution pads with zeros, so that no bias can stand for it.

    Args:
        kernels: layer name → (kernel, bias), as `tf_style.network.weights.load` gives them.
        pooling: `max`, as the network was trained with, or `average`, which Gatys et al. 2016
            found to give slightly more appealing results.
        padding: what the first convolution sees beyond the picture: `zeros`, as the network was
            trained with, which are the mean gray; or `edge`, the pixels of the border once more.
            With zeros a border looks like an edge to gray, which draws a line along it when an
            image is optimised. Other convolutions always see zeros there.
    """
    layers = list(layers)
    picture = keras.Input((None, None, 3), name="picture")
    offset = [-mean / 255 for mean in _IMAGENET_MEAN]
    features = keras.layers.Rescaling(1.0, offset, dtype=dtype, name="rescaling")(picture)
    maps = {}
    if padding == "edge":
        features = _EdgePadding(dtype=dtype, name="edge_padding")(features)
    for layer in architecture.up_to(layers):
        padded = padding == "edge" and layer.inputs == 3
        features = maps[layer.name] = _keras_layer(layer, dtype, pooling, padded)(features)
    model = keras.Model(
        picture, {name: maps[name] for name in layers}, name=f"{architecture.name}_features"
    )
    model.trainable = False
    for index, (name, (kernel, bias)) in enumerate(kernels.items()):
        if index == 0:
            kernel = kernel[:, :, ::-1] * np.float32(255)
        model.get_layer(name).set_weights([kernel, bias])
    return model


class _EdgePadding(keras.layers.Layer):
    """One more row or column at each side, like the one at the border."""

    def call(self, features):
        return keras.ops.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(side and side + 2 for side in sides), channels)


def _keras_layer(
    layer: Layer, dtype: str, pooling: str, padded: bool
) -> keras.layers.Layer:
    if layer.pooling:
        kind = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
        return kind[pooling](
            2, data_format="channels_last", dtype=dtype, name=layer.name
        )
    return keras.layers.Conv2D(
        layer.channels,
        3,
        padding="valid" if padded else "same",
        activation="relu",
        data_format="channels_last",
        # The kernels are set right after: none needs drawing.
        kernel_initializer="zeros",
        dtype=dtype,
        name=layer.name,
    )


def cut_model(path: PathLike, layers: Iterable[str]) -> keras.Model:
    """The feature model of a saved Keras model: cut at the deepest layer, free of a fixed size.

    Args:
        path: a file that `keras.models.load_model` reads; the model takes RGB in `[0, 1]`.
        layers: names of its own layers, each with one output `(batch, h, w, channels)`.

    Raises:
        InputError: if the file cannot be read, has no such layer, or something before the layer
            needs pictures of one size.
    """
    layers = list(layers)
    whole = load_model(path)
    check_layers(layers, [layer.name for layer in whole.layers], os.fspath(path),
                 "content_layers, --style_layers", f" --network={path}")
    try:
        cut = keras.Model(whole.inputs[0], {name: whole.get_layer(name).output for name in layers})
        picture = keras.Input((None, None, 3), name="picture")
        model = keras.models.clone_model(cut, input_tensors=picture)
        model.set_weights(cut.get_weights())
        shapes = {name: output.shape for name, output in model.output.items()}
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise InputError(
            f"--network={path}: cannot be cut at {', '.join(layers)} into a model for RGB "
            f"pictures of any size ({str(error).splitlines()[0]})"
        ) from None
    for name, shape in shapes.items():
        if len(shape) != 4 or shape[1] is not None or shape[2] is not None:
            raise InputError(
                f"--network={path}: layer {name!r} gives {shape}, expected maps of any height "
                "and width. Choose a layer before the one that fixes the size"
            )
    model.trainable = False
    return model


def load_model(path: PathLike) -> keras.Model:
    """A saved Keras model with one input.

    Raises:
        InputError: if there is none that can be loaded at `path`.
    """
    if not os.path.isfile(path):
        raise InputError(
            f"--network={path}: expected vgg16, vgg19 or a saved Keras model. "
            "There is no such file"
        )
    try:
        model = keras.models.load_model(path, compile=False)
    # Keras raises nearly anything on a foreign file.
    except Exception as error:
        raise InputError(
            f"--network={path}: not a Keras model that can be loaded "
            f"({' '.join(str(error).split())[:200]})"
        ) from None
    if not model.built or len(model.inputs) != 1:
        raise InputError(f"--network={path}: expected a model with one input, a picture")
    return model


def least_size(model: keras.Model) -> int:
    """The least side of a square picture that leaves each of the model's maps a position.

    Raises:
        InputError: if 512 pixels are not enough.
    """
    for side in range(1, 513):
        try:
            shapes = model.compute_output_shape((1, side, side, 3))
        # A layer that has nothing left to look at.
        except ValueError:
            continue
        if all(min(shape[1:3]) >= 1 for shape in shapes.values()):
            return side
    raise InputError("--network: its layers leave nothing of pictures of 512 pixels")


def in_precision(model: keras.Model, dtype: str) -> keras.Model:
    """The same model with another type for weights and feature maps."""
    if dtype == "float32":
        return model

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        return layer.__class__.from_config({**layer.get_config(), "dtype": dtype})

    converted = keras.models.clone_model(
        model, input_tensors=model.inputs[0], clone_function=convert
    )
    converted.set_weights(model.get_weights())
    converted.trainable = False
    return converted
