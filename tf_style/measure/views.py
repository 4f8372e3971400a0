"""What a judge sees of a picture: feature maps, and statistics of them that are computed once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from tf_style.image.masks import mostly
from tf_style.measure.distances import Gaussian, projected_quantiles
from tf_style.measure.nearest import Places
from tf_style.measure.patches import patch_quantiles


class View:
    """One picture, or several as if they were one.

    Args:
        pictures: `(height, width, 3)` in `[0, 1]`.
        maps: of each picture: layer name → feature map `(h, w, channels)`.
        alphas: how opaque each picture is, `(height, width)` in `[0, 1]`; what is mostly
            transparent does not count. By default all are opaque.
    """

    def __init__(
        self, pictures: Sequence[np.ndarray], maps: Sequence[Mapping[str, np.ndarray]],
        alphas: Sequence[np.ndarray | None] | None = None,
    ):
        self.pictures = pictures
        self.maps = maps
        self._alphas = alphas or [None] * len(pictures)
        self._gaussians: dict[str, Gaussian] = {}
        self._quantiles: dict[str, np.ndarray] = {}

    def gaussian(self, layer: str) -> Gaussian:
        """The Gaussian fitted to a layer's feature vectors."""
        if layer not in self._gaussians:
            self._gaussians[layer] = Gaussian.of(self._vectors(layer))
        return self._gaussians[layer]

    def quantiles(self, layer: str) -> np.ndarray:
        """What `projected_quantiles` finds of a layer's feature vectors."""
        if layer not in self._quantiles:
            self._quantiles[layer] = projected_quantiles(self._vectors(layer))
        return self._quantiles[layer]

    @functools.cached_property
    def colors(self) -> np.ndarray:
        """What `projected_quantiles` finds of the colours."""
        return projected_quantiles(self._pooled(self.pictures))

    @functools.cached_property
    def patches(self) -> list[np.ndarray]:
        """What `patch_quantiles` finds of the pixels."""
        return patch_quantiles(self.pictures, self._alphas)

    def places(self, layer: str) -> Places:
        """The places of a layer."""
        return Places.of([each[layer] for each in self.maps], self._alphas)

    def _vectors(self, layer: str) -> np.ndarray:
        return self._pooled([each[layer] for each in self.maps])

    def _pooled(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """What counts of `(height, width, channels)` of each picture, `(count, channels)`."""
        return np.concatenate([
            each[mostly(alpha, *each.shape[:2])]
            for each, alpha in zip(arrays, self._alphas, strict=True)
        ])
