"""Regions that a content and its styles have in common, such as sky and houses.

Found by what the deep layers of the style's network see. What a painting has in one region goes
where the content has its like, and what the content has no place for is not painted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tf_style.image.masks import mostly
from tf_style.image.style import Style
from tf_style.loss.places import of_length_one, place_vectors
from tf_style.network.networks import Network

# How sharply a place belongs to one region: cosines that differ by this are e times as likely.
_SOFTNESS = 0.1
_TRIALS, _ROUNDS = 8, 25


@dataclasses.dataclass(frozen=True)
class Regions:
    """Kinds of places that styles consist of, and where each style has them.

    Attributes:
        network: looks at pictures.
        layers: whose maps are compared.
        centers: `(count, features)`, each of length 1.
        of_styles: for each style `(count, height, width)`, how much each place counts in each
            region, in `[0, 1]`.

    Source: our own. Styles clustered by deep features, and contents matched to the clusters, are
        Zhang et al., Multimodal Style Transfer via Graph Cuts, ICCV 2019, section 3; statistics of
        regions are Gatys et al., CVPR 2017, section 4.
    """

    network: Network
    layers: tuple[str, ...]
    centers: np.ndarray
    of_styles: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, network: Network, layers: Sequence[str], styles: Sequence[Style], count: int
    ) -> Regions | None:
        """The regions of styles; `None` where pictures are too small or too uniform to have any.

        Args:
            layers: those that tell things apart, at least one.
            count: how many there are, at least 2.
        """
        # One that has no share describes nothing.
        described = [style for style in styles if style.share]
        seen = [place_vectors(network, layers, style.picture) for style in described]
        if any(each is None for each in seen):
            return None
        places = np.concatenate([
            each[mostly(style.mask, *each.shape[:2])]
            for style, each in zip(described, seen, strict=True)
        ])
        if len(places) < 2 * count:
            return None
        centers, rest = _centers(places, count), iter(seen)
        return cls(network, tuple(layers), centers, tuple(
            _typical(next(rest), centers) if style.share else np.zeros((count, 1, 1), np.float32)
            for style in styles
        ))

    def of_content(self, content: np.ndarray) -> np.ndarray | None:
        """How much each place of a content belongs to each region.

        Args:
            content: `(height, width, 3)` in `[0, 1]`.

        Returns:
            Float32 `(count, rows, columns)`, which add up to 1 at each place; `None` for a picture
            that is too small, or the same everywhere.
        """
        seen = place_vectors(self.network, self.layers, content)
        return None if seen is None else _memberships(seen, self.centers)


def _likeness(features: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Cosines, `(count, rows, columns)`."""
    return np.moveaxis(features @ centers.T, -1, 0)


def _memberships(features: np.ndarray, centers: np.ndarray) -> np.ndarray:
    likeness = _likeness(features, centers) / _SOFTNESS
    found = np.exp(likeness - likeness.max(axis=0))
    return found / found.sum(axis=0)


def _typical(features: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Memberships of which what is not typical, such as a head in the sky, has hardly any."""
    return _memberships(features, centers) * np.maximum(_likeness(features, centers), 0)


def _centers(vectors: np.ndarray, count: int) -> np.ndarray:
    """The centres of k-means by cosine, the best of a few trials; the same for the same vectors.

    Source: Dhillon, Modha, Machine Learning 2001 (spherical k-means).
    """
    random = np.random.default_rng(0)
    best, most = vectors[:count], -np.inf
    for _ in range(_TRIALS):
        centers = vectors[random.choice(len(vectors), count, replace=False)]
        for _ in range(_ROUNDS):
            nearest = (vectors @ centers.T).argmax(axis=1)
            centers = of_length_one(np.stack([
                vectors[nearest == each].mean(axis=0) if (nearest == each).any() else centers[each]
                for each in range(count)
            ]))
        fit_of_all = float((vectors @ centers.T).max(axis=1).sum())
        if fit_of_all > most:
            best, most = centers, fit_of_all
    return best.astype(np.float32)
