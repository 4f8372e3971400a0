"""Descriptors: a picture's style in 512 numbers, whose distances are those of the objective."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tf_style.image.resize import fit
from tf_style.loss.compiled import compiled
from tf_style.loss.content import EPSILON
from tf_style.network import weights
from tf_style.network.choice import choose
from tf_style.network.networks import build_for_run
from tf_style.run import machine
from tf_style.settings import Settings

COUNT = 512
# Changes with everything here that changes descriptors: those of another method are strangers.
_METHOD = 1
# The long side at which a picture is looked at, in pixels.
_SIDE = 256
# Channels of a layer that are looked at: combinations drawn at random. The ranks of distances are
# as good with these as with all 512, whose covariance takes longer to take the root of than the
# picture to describe.
_MIXED = 64


class Describer:
    """A network that looks at pictures, and what it takes from them.

    Args:
        settings: `network` and `weights`, or `style_network`, `style_network_weights` and
            `style_layers`, say what the objective compares styles by.
        watch: called with what comes next while networks are loaded, in a few words.

    Attributes:
        origin: the network and a fingerprint of everything else that descriptors depend on. Those
            of different origin must not be compared.
        made_by: plain data from which `Settings` give the same describer again, as long as the
            files that they name stay the same.

    Raises:
        InputError: for weights that are not available or do not fit.
    """

    def __init__(
        self, settings: Settings | None = None,
        watch: Callable[..., object] = weights.unwatched,
    ):
        settings, choices = choose(
            machine.resolve(settings or Settings()),
            functools.partial(weights.settle, watch=watch),
        )
        layers = dict(settings.style_layers)
        choice = dataclasses.replace(choices[-1], content={}, style=layers)
        self._network = build_for_run([choice], settings, [], watch=watch)[0]
        made_by = [_METHOD, _SIDE, _MIXED, COUNT, settings.pooling, layers,
                   dict(self._network.fingerprints)]
        digest = hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()
        network = choice.network if choice.architecture else "model"
        self.made_by = {
            "network": _found_again(choice.network),
            **({"weights": _found_again(choice.weights)} if choice.weights else {}),
            # Those of a saved model have to be named, though nothing looks at them here.
            "style_layers": layers, "content_layers": dict(list(layers.items())[-1:]),
            "pooling": settings.pooling, "seed": settings.seed,
        }
        self.origin = f"{network}:{digest[:16]}"
        shapes = self._network.model.compute_output_shape((1, _SIDE, _SIDE, 3))
        self._sketch = _Sketch(layers, {layer: shapes[layer][-1] for layer in layers})
        self._described = compiled(self._of, tf.TensorSpec((1, None, None, 3), tf.float32))

    def describe(self, picture: np.ndarray) -> np.ndarray:
        """A picture's descriptor, at most 512 numbers.

        For each layer that the objective compares, a Gaussian is fitted to its feature map, as the
        style loss `moments` does. Where R is the root of the mean square of the map's vectors,
        m their mean and C their covariance, the loss of one picture against another, the mean of
        both directions, is about ‖u − u'‖² + 3/2 (log R − log R')², with u = (m, C^½) / R: the
        distance of the roots stands for that of Bures, and cosh for its first terms. Of the
        numbers u of all layers, weighted as in the objective, a descriptor holds a count sketch,
        which keeps their distances, and of each layer log R.

        Args:
            picture: `(height, width, 3)` in `[0, 1]`, of any size; it is looked at with a long
                side of 256 pixels.

        Returns:
            float16 `(512,)`, or fewer for a network with very few channels. The squared Euclidean
            distance of two follows the objective's style loss: 0 for the same style, and about 1
            for styles that have nothing in common.

        Source: Charikar, Chen, Farach-Colton, Finding frequent items in data streams, 2002; as a
            sketch that keeps distances: Weinberger et al., Feature hashing, ICML 2009.
        """
        seen = fit(picture, _SIDE)
        short = [max(0, self._network.least_size - side) for side in seen.shape[:2]]
        if any(short):
            # A strip has its style all the same.
            seen = np.pad(seen, [(0, short[0]), (0, short[1]), (0, 0)], "symmetric")
        return self._described(seen[None]).numpy().astype(np.float16)

    def _of(self, pictures: tf.Tensor) -> tf.Tensor:
        return self._sketch.of(self._network.model(pictures))


def _found_again(name: str) -> str:
    """A file's name as it is known from every folder; anything else as it is."""
    return os.path.abspath(name) if os.path.isfile(name) else str(name)


class _Sketch:
    """What is kept of feature maps.

    Args:
        layers: layer → weight.
        channels: layer → number of channels.
    """

    def __init__(self, layers: Mapping[str, float], channels: Mapping[str, int]):
        whole = sum(layers.values())
        self._weights = {layer: weight / whole for layer, weight in layers.items()}
        # Its streams are promised to be the same in all versions of NumPy.
        draws = np.random.RandomState(0)
        self._mixes = {
            layer: _mix(draws, channels[layer]) for layer in layers
        }
        sizes = [mix.shape[1] for mix in self._mixes.values()]
        count = sum(size + size * (size + 1) // 2 for size in sizes)
        self._places = draws.randint(0, COUNT - len(layers), count)
        self._signs = (2 * draws.randint(0, 2, count) - 1).astype(np.float32)

    def of(self, maps: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The descriptor of one picture's feature maps, float32 `(512,)`."""
        shapes, strengths = [], []
        for layer, weight in self._weights.items():
            features = tf.cast(maps[layer], tf.float32)
            rows = tf.reshape(features, [-1, features.shape[-1]])
            energy = tf.reduce_mean(tf.reduce_sum(tf.square(rows), axis=1)) + EPSILON
            mean, root = _gaussian(rows @ self._mixes[layer])
            shapes.append(tf.sqrt(weight / energy) * tf.concat([mean, _upper(root)], 0))
            strengths.append(tf.sqrt(1.5 * weight) * tf.math.log(energy) / 2)
        signed = tf.concat(shapes, 0) * self._signs
        bins = tf.math.unsorted_segment_sum(signed, self._places, COUNT - len(strengths))
        return tf.concat([bins, tf.stack(strengths)], 0)


def _mix(draws: np.random.RandomState, channels: int) -> np.ndarray:
    """Orthogonal combinations of channels, `(channels, 64)`, that keep lengths on average."""
    count = min(channels, _MIXED)
    axes, triangle = np.linalg.qr(draws.standard_normal((channels, count)))
    # Which of the two signs comes out is up to the library that NumPy calls.
    axes = axes * np.sign(np.diag(triangle)) * np.sqrt(channels / count)
    return axes.astype(np.float32)


def _gaussian(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean `(channels,)`, and root of the covariance `(channels, channels)`, of such rows."""
    mean = tf.reduce_mean(rows, axis=0)
    centered = rows - mean
    covariance = tf.matmul(centered, centered, transpose_a=True) / tf.cast(
        tf.shape(rows)[0], tf.float32
    )
    values, vectors = tf.linalg.eigh(tf.cast(covariance, tf.float64))
    root = tf.matmul(vectors * tf.sqrt(tf.nn.relu(values)), vectors, transpose_b=True)
    return mean, tf.cast(root, tf.float32)


def _upper(matrix: tf.Tensor) -> tf.Tensor:
    """The upper half of a symmetric matrix, as a vector of the same length."""
    size = matrix.shape[0]
    rows, columns = np.triu_indices(size)
    twice = np.where(rows == columns, 1, np.sqrt(2)).astype(np.float32)
    return tf.gather(tf.reshape(matrix, [-1]), rows * size + columns) * twice
