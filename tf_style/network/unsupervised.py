"""Kernels learned from pictures alone: no labels, no pretrained weights, no gradients.

A layer is learned from the feature maps of the layer before it: its kernels are directions in the
space of whitened 3x3 patches. Half of its channels are principal components, each with its
negative, which passes what the other's ReLU throws away: they distinguish content. The other half
are centres of spherical k-means, which respond to whole strokes: they carry the style. The first
layer uses all components of the pixels, because noise could grow in what it does not see.

Sources: Coates, Ng, Learning Feature Representations with K-means, Neural Networks: Tricks of the
    Trade, 2012; Chan et al., PCANet, IEEE Transactions on Image Processing 2015, for principal
    components as kernels; Shang et al., Understanding and Improving Convolutional Neural Networks
    via Concatenated Rectified Linear Units, ICML 2016, for kernels with their negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tf_style.image.resize import fit
from tf_style.network.architectures import Architecture, Layer
from tf_style.network.kernel_files import IMAGENET_MEAN, Kernels

# Raise this when the same pictures give other kernels: it is part of the cache's key.
METHOD = 1

# BGR, as the first kernel expects it.
_MEAN = np.array(IMAGENET_MEAN[::-1], np.float32)

# Long sides at which a picture is looked at: those of a run.
SIDES = (512, 256, 128)
# Side of a crop; the most crops of a picture at each long side; the most crops in all.
CROP, CROPS_PER_SIDE, CROPS = 192, 2, 24

# Patches that a layer is learned from, and those that its activations are measured on.
PATCHES, MEASURED = 20_000, 8_000
# Principal components of the channels, then of their patches, that a layer looks at.
COMPONENTS, DIRECTIONS = 64, 128
# Added to each direction's variance, relative to their mean. Without it, directions of little
# variance, which are noise, would count as much as the others. Between pixels they are fine lines
# and colours, which should count.
SHRINKAGE, PIXEL_SHRINKAGE = 0.5, 0.02
# The most principal components, with their negatives, as a share of the channels.
PRINCIPAL, PIXEL_PRINCIPAL = 0.5, 1.0
# Rounds of k-means.
ROUNDS = 10
# Patches whose deviation is a smaller share of their size than this are treated as all alike.
ALIKE = 0.01


def learn(
    architecture: Architecture,
    layers: Sequence[Layer],
    pictures: Sequence[np.ndarray],
    *,
    seed: int = 0,
    watch: Callable[[str], object] = lambda stage: None,
) -> Kernels:
    """Kernels and biases of the convolutions among `layers`, learned from pictures.

    Args:
        architecture: the network that the layers belong to.
        layers: its layers from the first to the deepest one needed.
        pictures: at least one, `(h, w, 3)` RGB in `[0, 1]`, of any sizes.
        seed: for the crops, the patches and the first centres.
        watch: called with what comes next, in a few words.

    Returns:
        Layer name → (kernel `(3, 3, inputs, channels)`, bias `(channels,)`), float32, in the
        layout of `tf_style.network.kernel_files`. Each layer's mean activation is 1 on the
        pictures. A layer's kernels do not depend on how many layers follow.
    """
    if not pictures:
        raise ValueError("pictures: expected at least one to learn from. Received: none")
    maps = _crops(pictures, _generator(seed, architecture.name))
    kernels = {}
    count = sum(not layer.pooling for layer in layers)
    for layer in layers:
        if layer.pooling:
            maps = [_pooled(each) for each in maps]
            continue
        watch(f"learning features, layer {len(kernels) + 1} of {count}")
        kernels[layer.name] = _learn_layer(layer, maps, _generator(seed, layer.name))
        if layer is not layers[-1]:
            maps = [_convolved(each, *kernels[layer.name]) for each in maps]
    return kernels


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def _crops(pictures: Sequence[np.ndarray], generator: np.random.Generator) -> list[np.ndarray]:
    """Crops of the pictures at several sizes, as the first kernel sees them."""
    looks = [
        (picture, side)
        for picture in pictures
        # Enlarged, a picture would show nothing but the resampling.
        for side in sorted({min(side, max(picture.shape[:2])) for side in SIDES}, reverse=True)
    ]
    if len(looks) > CROPS:
        looks = [looks[i] for i in sorted(generator.permutation(len(looks))[:CROPS])]
    crops = []
    for picture, side in looks:
        seen = fit(picture, side)
        height, width = seen.shape[:2]
        several = max(height, width) > CROP
        for _ in range(min(CROPS_PER_SIDE, CROPS // len(looks)) if several else 1):
            top, left = (generator.integers(max(1, n - CROP + 1)) for n in (height, width))
            crop = 255 * np.clip(seen[top : top + CROP, left : left + CROP, ::-1], 0, 1)
            crops.append((crop - _MEAN).astype(np.float32))
    return crops


def _learn_layer(
    layer: Layer, maps: Sequence[np.ndarray], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The kernel and the bias of one layer, learned from its input feature maps."""
    pixels = layer.inputs == 3
    shrinkage = PIXEL_SHRINKAGE if pixels else SHRINKAGE
    principal = PIXEL_PRINCIPAL if pixels else PRINCIPAL
    patches = _patches(maps, PATCHES, generator)
    mean = patches.mean(axis=0)
    channels = _channel_basis(patches - mean, layer.inputs)
    whitening = _whitening(_reduced(patches - mean, channels), shrinkage)
    white = _reduced(patches - mean, channels) @ whitening
    directions = whitening @ _directions(white, layer.channels, principal, generator)
    kernel = np.einsum(
        "cr,prk->pck", channels, directions.reshape(9, -1, layer.channels)
    ).reshape(-1, layer.channels)
    bias = -mean @ kernel
    activations = np.maximum(_patches(maps, MEASURED, generator) @ kernel + bias, 0)
    gain = 1 / max(float(activations.mean()), np.finfo(np.float32).tiny)
    return (
        (gain * kernel).reshape(3, 3, layer.inputs, layer.channels).astype(np.float32),
        (gain * bias).astype(np.float32),
    )


def _patches(
    maps: Sequence[np.ndarray], count: int, generator: np.random.Generator
) -> np.ndarray:
    """About `count` patches `(count, 9 * channels)`, all places equally likely."""
    if all(min(each.shape[:2]) < 3 for each in maps):
        # As the convolution pads them.
        maps = [np.pad(each, ((1, 1), (1, 1), (0, 0))) for each in maps]
    maps = [each for each in maps if min(each.shape[:2]) >= 3]
    places = [(each.shape[0] - 2) * (each.shape[1] - 2) for each in maps]
    found = []
    for each, here in zip(maps, places, strict=True):
        share = min(here, max(1, round(count * here / sum(places))))
        top, left = np.divmod(
            generator.choice(here, share, replace=False), each.shape[1] - 2
        )
        rows = [each[top + y, left + x] for y in range(3) for x in range(3)]
        found.append(np.stack(rows, axis=1).reshape(share, -1))
    return _varied(np.concatenate(found), generator)


def _varied(patches: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The patches themselves, or, if all are alike, with noise of the same size added.

    In a tiny or plain picture, all are alike: nothing to tell apart, and dead channels.
    """
    size = float(np.sqrt(np.square(patches).mean())) + 1e-3
    if patches.std(axis=0).mean() > ALIKE * size:
        return patches
    patches = np.resize(patches, (max(len(patches), 100), patches.shape[1]))
    return patches + size * generator.standard_normal(patches.shape, np.float32)


def _channel_basis(patches: np.ndarray, inputs: int) -> np.ndarray:
    """The channels' first principal components, `(inputs, at most COMPONENTS)`.

    The patches of all channels of a deep layer have too many dimensions to whiten quickly.
    """
    if inputs <= COMPONENTS:
        return np.eye(inputs, dtype=np.float32)
    return _principal(patches.reshape(-1, inputs))[1][:, :COMPONENTS]


def _reduced(patches: np.ndarray, channels: np.ndarray) -> np.ndarray:
    inputs, components = channels.shape
    return (patches.reshape(-1, inputs) @ channels).reshape(len(patches), 9 * components)


def _whitening(patches: np.ndarray, shrinkage: float) -> np.ndarray:
    """The matrix that gives patches nearly uncorrelated principal components of variance near 1."""
    variances, components = _principal(patches)
    variances = variances[:DIRECTIONS]
    floor = shrinkage * variances.mean() + np.finfo(np.float32).tiny
    return (components[:, :DIRECTIONS] / np.sqrt(variances + floor)).astype(np.float32)


def _principal(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances, largest first, and principal components in columns, of centred vectors."""
    covariance = (vectors.T @ vectors).astype(np.float64) / len(vectors)
    variances, components = np.linalg.eigh(covariance)
    return np.maximum(variances[::-1], 0), components[:, ::-1].astype(np.float32)


def _directions(
    white: np.ndarray, count: int, principal_share: float, generator: np.random.Generator
) -> np.ndarray:
    """Unit vectors of the whitened space in columns, `(dimensions, count)`."""
    dimensions = white.shape[1]
    pairs = min(int(principal_share * count) // 2, dimensions)
    principal = np.eye(dimensions, pairs, dtype=np.float32)
    centers = _spherical_k_means(white, count - 2 * pairs, generator)
    return np.concatenate([principal, -principal, centers.T], axis=1)


def _spherical_k_means(
    vectors: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Unit vectors `(count, dimensions)` such that each vector is near a multiple of one of them.

    Source: Coates, Ng 2012, section 2, but with the sign: a ReLU passes only positive multiples.
    """
    centers = _drawn(vectors, count, generator)
    for _ in range(ROUNDS):
        products = vectors @ centers.T
        nearest = products.argmax(axis=1)
        weighted = vectors * products.max(axis=1, keepdims=True)
        order = np.argsort(nearest, kind="stable")
        chosen, first = np.unique(nearest[order], return_index=True)
        sums = np.zeros_like(centers)
        sums[chosen] = np.add.reduceat(weighted[order], first)
        lost = np.linalg.norm(sums, axis=1) < 1e-6
        sums[lost] = _drawn(vectors, int(lost.sum()), generator)
        centers = _normalized(sums)
    return centers


def _drawn(vectors: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Vectors drawn at random as first centres: with a little noise, so that no two are equal."""
    drawn = vectors[generator.choice(len(vectors), count, replace=len(vectors) < count)]
    return _normalized(drawn + 1e-4 * generator.standard_normal(drawn.shape, np.float32))


def _normalized(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _convolved(features: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return tf.nn.relu(tf.nn.conv2d(features[None], kernel, 1, "SAME") + bias).numpy()[0]


def _pooled(features: np.ndarray) -> np.ndarray:
    # "SAME" does not reduce a map of a single row to nothing.
    return tf.nn.max_pool2d(features[None], 2, 2, "SAME").numpy()[0]
