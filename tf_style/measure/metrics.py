"""How good a stylised picture is, in numbers from a judge network and from the pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_style.image import color
from tf_style.image.masks import resized
from tf_style.image.resize import fit, resize

if TYPE_CHECKING:
    import keras

STYLE_LAYERS = ("block1_conv2", "block2_conv2", "block3_conv1", "block3_conv3")
CONTENT_LAYER = "block3_conv3"


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Mean `(channels,)` and covariance `(channels, channels)` of feature vectors, float64."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Gaussian:
        """The Gaussian fitted to the feature vectors at all positions of `(h, w, channels)`."""
        vectors = np.asarray(features, np.float64).reshape(-1, np.shape(features)[-1])
        mean = vectors.mean(axis=0)
        centered = vectors - mean
        return cls(mean, centered.T @ centered / len(vectors))


def squared_wasserstein(first: Gaussian, second: Gaussian) -> float:
    """Squared 2-Wasserstein distance between two Gaussians.

    ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½), in squared units of the features, at least 0.

    Source: Dowson, Landau, The Fréchet distance between multivariate normal distributions, 1982.
    """
    root = _square_root(first.covariance)
    # The trace of a square root is the sum of the square roots of the eigenvalues.
    cross = np.linalg.eigvalsh(root @ second.covariance @ root)
    value = (
        np.sum((first.mean - second.mean) ** 2)
        + np.trace(first.covariance)
        + np.trace(second.covariance)
        - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    )
    return float(max(value, 0))


def _square_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def style_distance(
    generated: Mapping[str, np.ndarray],
    content: Mapping[str, np.ndarray],
    style: Mapping[str, np.ndarray],
) -> float:
    """How far the generated image's feature statistics are from the style's.

    The mean over `STYLE_LAYERS` of sqrt(W²(generated, style) / W²(content, style)), where W² is the
    squared 2-Wasserstein distance between the Gaussians fitted to the feature vectors.

    Args:
        generated, content, style: layer name → feature map `(h, w, channels)`.

    Returns:
        0 at the style's own statistics, 1 for the untouched content; `nan` if content and style
        have the same statistics.
    """
    ratios = []
    for layer in STYLE_LAYERS:
        target = Gaussian.of(style[layer])
        moved = squared_wasserstein(Gaussian.of(generated[layer]), target)
        whole = squared_wasserstein(Gaussian.of(content[layer]), target)
        # A smaller distance is that of equal statistics: nothing but rounding.
        size = np.trace(target.covariance) + np.sum(target.mean**2)
        ratios.append(np.sqrt(moved / whole) if whole > 1e-9 * size else np.nan)
    return float(np.mean(ratios))


def content_similarity(generated: np.ndarray, content: np.ndarray) -> float:
    """Cosine similarity of two feature maps `(h, w, channels)`, each channel's mean removed.

    1 for the same map, about 0 for unrelated ones; `nan` for a constant map.
    """
    first, second = (
        np.asarray(each, np.float64) - np.mean(each, axis=(0, 1), dtype=np.float64)
        for each in (generated, content)
    )
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    return float(np.sum(first * second) / norm) if norm > 0 else float("nan")


def edge_agreement(generated: np.ndarray, content: np.ndarray) -> float:
    """Pearson correlation of the luminance gradients' magnitudes of two pictures of one size.

    1 for the same edges, 0 for unrelated ones; `nan` for a picture without any.
    """
    first, second = (
        color.gradient_magnitude(color.luminance(each)).ravel() for each in (generated, content)
    )
    if not (first.std() > 0 and second.std() > 0):
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The measures of one generated picture.

    Attributes:
        style_distance: 0 is the style's own statistics, 1 the untouched content.
        content_similarity: 1 is the untouched content.
        edge_agreement: 1 is the content's edges.
        color_distance: sliced Wasserstein distance to the style's colours; 0 is its palette.
    """

    style_distance: float
    content_similarity: float
    edge_agreement: float
    color_distance: float


class Judge:
    """Measures pictures made from one content image and one or more style images.

    Args:
        model: a feature model with the layers `STYLE_LAYERS`.
        content: picture `(height, width, 3)` in `[0, 1]`.
        styles: likewise; the feature vectors of several are pooled.
        alphas: how opaque each style is, `(height, width)` in `[0, 1]`, or `None`; what is mostly
            transparent does not count. By default all are opaque.
    """

    def __init__(
        self, model: keras.Model, content: np.ndarray, styles: Sequence[np.ndarray],
        alphas: Sequence[np.ndarray | None] | None = None,
    ):
        self._model = model
        self._content = content
        self._styles = styles
        self._alphas = alphas or [None] * len(styles)

    def evaluate(self, generated: np.ndarray) -> Evaluation:
        """Measure a picture; the others are seen at its size, the styles with its long side."""
        content = np.clip(resize(self._content, *generated.shape[:2]), 0, 1)
        styles = [fit(style, max(generated.shape[:2])) for style in self._styles]
        of_generated, of_content = self._features(generated), self._features(content)
        of_styles = [self._features(style) for style in styles]
        pooled = {
            layer: self._pooled([features[layer] for features in of_styles])
            for layer in STYLE_LAYERS
        }
        palette = self._pooled(styles)
        return Evaluation(
            style_distance=style_distance(of_generated, of_content, pooled),
            content_similarity=content_similarity(
                of_generated[CONTENT_LAYER], of_content[CONTENT_LAYER]
            ),
            edge_agreement=edge_agreement(generated, content),
            color_distance=color.sliced_wasserstein(generated, palette),
        )

    def _pooled(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """The values `(height, width, channels)` of each style where it is opaque, in one column.

        Returns:
            `(count, 1, channels)`.
        """
        return np.concatenate(list(map(_opaque, values, self._alphas)))[:, None]

    def _features(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        maps = self._model(picture[None].astype(np.float32), training=False)
        return {name: np.asarray(each)[0] for name, each in maps.items()}


def _opaque(values: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """The values `(height, width, channels)` where a picture is opaque, `(count, channels)`."""
    if alpha is not None:
        share = resized(alpha, *values.shape[:2])
        values = values[share >= share.max() / 2]
    return values.reshape(-1, values.shape[-1])


def flattered(maker: Mapping[str, str], judge: Mapping[str, str]) -> bool:
    """Whether a picture is judged by kernels that it was made with, and so scores too well.

    Args:
        maker, judge: layer → fingerprint of the kernels in use.
    """
    return any(maker.get(layer) == digest for layer, digest in judge.items())
