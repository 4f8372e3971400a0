"""Keras models that return feature maps: made from kernels, or cut out of a saved model."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.image.paths import PathLike, no_plain_file
from tf_style.network import archives
from tf_style.network.architectures import Architecture, Layer, check_layers
from tf_style.network.kernel_files import IMAGENET_MEAN, Kernels
from tf_style.settings import InputError, LiveModel, no_network

# A multiple of every stride that a network may have: of all numbers up to 10, and of 64.
_LARGE = 20160


def vgg_model(
    architecture: Architecture,
    layers: Iterable[str],
    kernels: Kernels,
    dtype: str = "float32",
    pooling: str = "max",
    padding: str = "zeros",
    name: str | None = None,
    input_range: tuple[float, float] = (0.0, 1.0),
) -> keras.Model:
    """The feature model of a network like VGG with the given kernels.

    The channels' order and the factor 255 are folded into the first kernel. The mean is not: it
    is subtracted before the convolution pads with zeros, so no bias can replace it.

    A network with readouts has them of the layers asked for alone. The readout has the layer's
    name; the convolution before it, from which the network goes on, has `trunk_name` of it.

    Args:
        kernels: layer name → arrays, as returned by `tf_style.network.weights.load`.
        pooling: `max`, as in training, or `average`, which Gatys et al. 2016 found to give
            slightly more appealing results.
        padding: what the first convolution sees beyond the picture: `zeros`, as in training,
            which are the mean gray; or `edge`, the border's pixels repeated. With zeros, a border
            looks like an edge next to gray, and optimising an image draws a line along it. Other
            convolutions always see zeros there.
        name: of the model; by default the network's, with `_features`.
        input_range: black and white in the pictures that the model takes.
    """
    layers = list(layers)
    picture = keras.Input((None, None, 3), name="picture", dtype="float32")
    scale, black = _to_unit(input_range)
    offset = [black - mean / 255 for mean in IMAGENET_MEAN]
    features = keras.layers.Rescaling(scale, offset, dtype=dtype, name="rescaling")(picture)
    maps = {}
    if padding == "edge":
        features = _EdgePadding(dtype=dtype, name="edge_padding")(features)
    read = architecture.read_out(layers)
    for layer in architecture.up_to(layers):
        padded = padding == "edge" and layer.inputs == 3
        own = trunk_name(architecture, layer)
        features = maps[own] = _keras_layer(layer, own, dtype, pooling, padded)(features)
        if layer in read:
            maps[layer.name] = _readout(layer, dtype)(features)
    model = keras.Model(
        picture, {layer: maps[layer] for layer in layers},
        name=name or f"{architecture.name}_features",
    )
    model.trainable = False
    for layer in architecture.up_to(layers):
        if layer.pooling:
            continue
        kernel, bias, *readout = kernels[layer.name]
        if layer.inputs == 3:
            kernel = kernel[:, :, ::-1] * np.float32(255)
        model.get_layer(trunk_name(architecture, layer)).set_weights([kernel, bias])
        if layer in read:
            model.get_layer(layer.name).set_weights(readout)
    return model


def trunk_name(architecture: Architecture, layer: Layer) -> str:
    """What the Keras layer is called that the network goes on from."""
    return f"{layer.name}_trunk" if architecture.readouts and not layer.pooling else layer.name


def in_order(
    model: keras.Model, architecture: Architecture
) -> list[tuple[keras.layers.Layer, bool]]:
    """The layers of a feature model as they are computed, and whether each passes its map on.

    A readout does not. Keras' own list has readouts last, wherever they branch off.
    """
    layers = architecture.up_to(model.output)
    # What stands before the first convolution is the preprocessing.
    first = model.get_layer(trunk_name(architecture, layers[0]))
    found = [(each, True) for each in model.layers[1 : model.layers.index(first)]]
    read = architecture.read_out(model.output)
    for layer in layers:
        found.append((model.get_layer(trunk_name(architecture, layer)), True))
        if layer in read:
            found.append((model.get_layer(layer.name), False))
    return found


def _to_unit(input_range: tuple[float, float]) -> tuple[float, float]:
    """The factor and the summand that bring pictures of this range to `[0, 1]`."""
    low, high = input_range
    return 1 / (high - low), -low / (high - low)


class _EdgePadding(keras.layers.Layer):
    """One more row or column on each side, a copy of the one at the border."""

    def call(self, features):
        return keras.ops.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(side and side + 2 for side in sides), channels)


def _keras_layer(
    layer: Layer, name: str, dtype: str, pooling: str, padded: bool
) -> keras.layers.Layer:
    if layer.pooling:
        kind = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
        return kind[pooling](
            2, data_format="channels_last", dtype=dtype, name=name
        )
    return keras.layers.Conv2D(
        layer.channels,
        3,
        padding="valid" if padded else "same",
        activation="relu",
        data_format="channels_last",
        # The kernels are set right afterwards, so none need be drawn.
        kernel_initializer="zeros",
        dtype=dtype,
        name=name,
    )


def _readout(layer: Layer, dtype: str) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        layer.channels, 1, use_bias=False, data_format="channels_last",
        kernel_initializer="zeros", dtype=dtype, name=layer.name,
    )


def cut_model(
    path: PathLike, layers: Iterable[str], option: str = "content_layers, --style_layers"
) -> keras.Model:
    """The feature model of another Keras model: cut at the deepest layer, for pictures of any size.

    It shares no weights with a model in memory, which may go on to be trained.

    Args:
        path: a file that `keras.models.load_model` reads, or a `LiveModel`; the model takes RGB in
            `[0, 1]`.
        layers: names of its own layers, each with one output `(batch, h, w, channels)`.
        option: the flag that named the layers, without dashes.

    Raises:
        InputError: if the file cannot be read or has no such layer, or if something before the
            layer needs pictures of one size.
    """
    layers = list(layers)
    is_live = isinstance(path, LiveModel)
    whole = _with_one_input(path.model, path) if is_live else load_model(path)
    known = [layer.name for layer in whole.layers]
    if not is_live:
        check_layers(layers, known, os.fspath(path), option, f" --network={path}")
    elif unknown := [name for name in layers if name not in known]:
        raise InputError(f"--{option}: {path} has no layer {unknown[0]!r}. All layers: "
                         f"{', '.join(known)}")
    try:
        cut = keras.Model(whole.inputs[0], {name: whole.get_layer(name).output for name in layers})
        picture = keras.Input((None, None, 3), name="picture", dtype="float32")
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


def of_range(model: keras.Model, input_range: tuple[float, float]) -> keras.Model:
    """The same model for pictures of another range than `[0, 1]`, as a layer of a new one.

    Args:
        input_range: black and white in the pictures that it takes.
    """
    if input_range == (0.0, 1.0):
        return model
    picture = keras.Input((None, None, 3), name="picture", dtype="float32")
    rescaling = keras.layers.Rescaling(*_to_unit(input_range), dtype="float32", name="rescaling")
    found = keras.Model(picture, model(rescaling(picture)), name=model.name)
    found.trainable = False
    return found


def load_model(path: PathLike, flag: str = "network") -> keras.Model:
    """A saved Keras model with one input.

    It is checked before Keras opens it: `tf_style.network.archives`.

    Args:
        flag: the option that names it, for errors.

    Raises:
        InputError: if `path` holds none that can be loaded safely.
    """
    if reason := no_plain_file(path):
        raise no_network(flag, os.fspath(path), reason)
    try:
        _check_weights(path, *archives.read_config(path, _is_registered))
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras raises nearly anything for a foreign file.
    except Exception as error:
        raise InputError(
            f"--{flag}={path}: not a Keras model that can be loaded "
            f"({' '.join(str(error).split())[:200]})"
        ) from None
    return _with_one_input(model, path, flag)


def _with_one_input(model: keras.Model, path: PathLike, flag: str = "network") -> keras.Model:
    """The model, if it is one that can be cut."""
    # A model of its maker's own class knows no inputs.
    if not model.built or len(getattr(model, "inputs", None) or ()) != 1:
        raise InputError(f"--{flag}={path}: expected a model with one input, a picture")
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise InputError(f"--{flag}={path}: some of its weights are not finite")
    return model


def _is_registered(name: str) -> bool:
    return keras.saving.get_registered_object(name) is not None


def _check_weights(path: PathLike, config: Mapping[str, Any], stored: int) -> None:
    """Check that a model has no more weights than its file holds, before memory is taken for them.

    Raises:
        ValueError: if it has.
    """
    # In a graph, a variable takes no memory.
    with tf.Graph().as_default():
        if "module" in config:
            model = keras.saving.deserialize_keras_object(archives.renamed(config))
        else:
            # An older .h5 model, whose configuration only this function reads.
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        asked = sum(math.prod(variable.shape) for variable in model.variables)
    # Some layers make a few that are not saved.
    if asked > stored + 1_000_000:
        raise ValueError(f"its layers have {asked} weights, the file holds {stored}")


def least_size(model: keras.Model) -> int:
    """The smallest side of a square picture that leaves each of the model's maps one position.

    Raises:
        InputError: if 512 pixels are not enough.
    """
    for side in range(1, 513):
        try:
            shapes = model.compute_output_shape((1, side, side, 3))
        # A layer has no input left.
        except ValueError:
            continue
        if all(min(shape[1:3]) >= 1 for shape in shapes.values()):
            return side
    raise InputError("--network: its layers reduce pictures of 512 pixels to nothing")


def stride(model: keras.Model) -> int:
    """Pixels from one position of the coarsest of a model's maps to the next.

    1 where the maps do not grow by one position for so many pixels, as behind a layer that resizes.
    """
    found = []
    for side in (_LARGE, 2 * _LARGE):
        shapes = model.compute_output_shape((1, side, side, 3))
        found.append(min(min(shape[1:3]) for shape in shapes.values()))
    grown = found[1] - found[0]
    return _LARGE // grown if grown > 0 and _LARGE % grown == 0 else 1


def in_precision(model: keras.Model, dtype: str) -> keras.Model:
    """The same model with another type, or Keras' policy, for weights and feature maps."""
    if all(layer.dtype_policy.name == dtype for layer in model.layers[1:]):
        return model

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        return layer.__class__.from_config({**layer.get_config(), "dtype": dtype})

    converted = keras.models.clone_model(
        model, input_tensors=model.inputs[0], clone_function=convert
    )
    converted.set_weights(model.get_weights())
    converted.trainable = False
    return converted
