"""Networks that are ready to use: the one place where they are built."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_style.network import weights as weight_sources
from tf_style.network.architectures import Architecture
from tf_style.network.choice import Choice
from tf_style.network.kernel_files import Kernels, digests
from tf_style.network.models import (
    cut_model,
    in_precision,
    least_size,
    of_range,
    stride,
    vgg_model,
)
from tf_style.settings import Settings


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that looks at pictures.

    Attributes:
        model: `(batch, height, width, 3)` RGB in `[0, 1]` → dict, layer name → feature map.
        architecture: its layers; `None` for a saved model.
        least_size: the shortest side of a picture that leaves each layer one position.
        stride: pixels from one position of the coarsest map to the next.
        fingerprints: layer → fingerprint of its kernels.
        cached: whether learned kernels came from the cache; `None` for other kinds.
    """

    model: keras.Model
    architecture: Architecture | None = None
    least_size: int = 1
    stride: int = 1
    fingerprints: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cached: bool | None = None

    def coarse(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that tell things apart, fine to coarse; none of a saved model."""
        return self.architecture.coarse(names) if self.architecture else ()

    def continued(self, picture: tf.Tensor) -> tf.Tensor:
        """A picture, or a mask of one, with its mirror image beyond the bottom and the right.

        Poolings leave out an odd last row, so that none of the last `height % stride` rows reaches
        the coarsest map. They would hardly be painted.

        Args:
            picture: `(batch, height, width, channels)`.

        Returns:
            The same, continued to multiples of `stride`; no further than to twice its size.
        """
        if None not in picture.shape[1:3] and not any(
                side % self.stride for side in picture.shape[1:3]):
            return picture
        sides = tf.shape(picture)[1:3]
        beyond = tf.minimum(-sides % self.stride, sides)
        return tf.pad(
            picture, [[0, 0], [0, beyond[0]], [0, beyond[1]], [0, 0]], mode="SYMMETRIC"
        )


def build(
    choice: Choice,
    layers: Iterable[str],
    *,
    precision: str = "float32",
    pooling: str = "max",
    padding: str = "zeros",
    seed: int = 0,
    pictures: Sequence[np.ndarray] = (),
    cache_folder: str | os.PathLike | None = None,
    offline: bool = False,
    watch: Callable[..., object] = weight_sources.unwatched,
    input_range: tuple[float, float] = (0.0, 1.0),
    option: str = "content_layers, --style_layers",
) -> Network:
    """Load or learn a network's kernels and build its feature model.

    Args:
        choice: the network and its weights, without `auto`.
        layers: whose maps the model returns.
        precision, pooling, padding: see `tf_style.network.models.vgg_model`; a saved model keeps
            its own pooling and padding.
        seed, pictures, cache_folder, offline, watch: see `tf_style.network.weights.load`.
        input_range: black and white in the pictures that the model takes.
        option: the flag that named the layers of a saved model, without dashes.

    Raises:
        InputError: if the weights are not available or do not fit.
    """
    layers = list(layers)
    architecture = choice.architecture
    if architecture is None:
        model = cut_model(choice.network, layers, option)
        return Network(
            of_range(in_precision(model, precision), input_range), least_size=least_size(model),
            stride=stride(model), fingerprints=digests(_arrays(model)),
        )
    loaded = weight_sources.load(
        architecture, architecture.up_to(layers), choice.weights, seed=seed, pictures=pictures,
        cache_folder=cache_folder, offline=offline, watch=watch,
    )
    return Network(
        vgg_model(
            architecture, layers, loaded.kernels, precision, pooling, padding,
            _signed(f"{architecture.name}_features", loaded.notes), input_range,
        ),
        architecture, architecture.least_size(layers), architecture.up_to(layers)[-1].stride,
        digests(loaded.kernels), loaded.cached,
    )


def build_for_run(
    choices: Sequence[Choice],
    settings: Settings,
    pictures: Sequence[np.ndarray],
    also: Iterable[str] = (),
    watch: Callable[..., object] = weight_sources.unwatched,
) -> tuple[Network, ...]:
    """The networks of a run, which see the border's pixels repeated beyond a picture.

    Args:
        choices: as returned by `tf_style.network.choice.choose`.
        settings: with every `auto` resolved.
        pictures: to learn features from, if features are learned.
        also: more layers to look at.
        watch: as for `build`.
    """
    return tuple(
        build(
            choice, dict.fromkeys([*choice.names, *also]), precision=settings.precision,
            pooling=settings.pooling, padding="edge", seed=settings.seed, pictures=pictures,
            cache_folder=settings.cache_dir, offline=settings.offline,
            watch=watch,
        )
        for choice in choices
    )


def fingerprints(choices: Sequence[Choice], networks: Sequence[Network]) -> dict[str, str]:
    """Layer → fingerprint; with two networks, each layer's name follows its part of the loss."""
    return {
        # Networks of the same kind have layers of the same names.
        (f"{choice.parts[0]}/{layer}" if len(networks) > 1 else layer): digest
        for choice, network in zip(choices, networks, strict=True)
        for layer, digest in network.fingerprints.items()
    }


def _signed(name: str, notes: Mapping[str, str]) -> str:
    """The name of a model, with what its weights were made from: a saved model has no other place.

    Args:
        notes: as `tf_style.network.kernel_files.read_notes` returns them.
    """
    said = [notes[each] for each in ("teacher", "licence") if each in notes]
    text = "_".join(["made_from", *said]) if said else ""
    # What TensorFlow accepts as a name, at a length that can be read.
    return "_".join([name, *re.findall(r"[A-Za-z0-9.]+", text)])[:200]


def _arrays(model: keras.Model) -> Kernels:
    return {
        layer.name: tuple(np.asarray(array) for array in layer.get_weights())
        for layer in model.layers
        if len(layer.get_weights()) == 2
    }
