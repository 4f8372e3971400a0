"""The content and the styles at one size, and how a generated image of that size compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tf_style.measure.distances import (
    gram_distance,
    quantile_distance,
    relative,
    squared_wasserstein,
)
from tf_style.measure.nearest import Nearest, copied_places
from tf_style.measure.patches import patch_distance
from tf_style.measure.views import View


def _style_distance(one: View, other: View, layer: str) -> float:
    return np.sqrt(squared_wasserstein(one.gaussian(layer), other.gaussian(layer)))


def _gram_distance(one: View, other: View, layer: str) -> float:
    return gram_distance(one.gaussian(layer), other.gaussian(layer))


def _sliced_distance(one: View, other: View, layer: str) -> float:
    return quantile_distance(one.quantiles(layer), other.quantiles(layer))


# Of two views at a layer; and the size of the style's statistic, in the same units.
DISTANCES: Mapping[str, tuple[Callable[[View, View, str], float], Callable[[View, str], float]]] = {
    "style_distance": (
        _style_distance, lambda style, layer: np.sqrt(np.trace(style.gaussian(layer).gram))
    ),
    "gram_distance": (
        _gram_distance, lambda style, layer: np.linalg.norm(style.gaussian(layer).gram)
    ),
    "sliced_distance": (
        _sliced_distance, lambda style, layer: np.abs(style.quantiles(layer)).mean()
    ),
}


class Comparison:
    """What generated images of one size are compared with.

    Args:
        content: the content image at that size.
        style: the styles with its long side.
    """

    def __init__(self, content: View, style: View):
        self.content = content
        self.style = style
        self._wholes: dict[tuple[str, str], float] = {}
        self._nearest: dict[str, Nearest] = {}

    def shows(self, layers: tuple[str, ...]) -> bool:
        """Whether there are maps of all these layers."""
        return all(
            each.keys() >= set(layers) for view in (self.content, self.style) for each in view.maps
        )

    def distance(self, name: str, generated: View, layers: tuple[str, ...]) -> float:
        """The mean over layers of a relative distance.

        Args:
            name: a key of `DISTANCES`.

        Returns:
            0 is the style itself, 1 the untouched content; `nan` if these do not differ.
        """
        distance, size = DISTANCES[name]
        for layer in layers:
            if (name, layer) not in self._wholes:
                self._wholes[name, layer] = distance(self.content, self.style, layer)
        return float(np.mean([
            relative(
                distance(generated, self.style, layer), self._wholes[name, layer],
                size(self.style, layer),
            )
            for layer in layers
        ]))

    def patch_distance(self, generated: View) -> float:
        """The relative distance of patches of pixels."""
        whole = patch_distance(self.content.patches, self.style.patches)
        return relative(patch_distance(generated.patches, self.style.patches), whole, 1)

    def nearest(self, generated: View, layer: str) -> Nearest:
        """The nearest places of the styles."""
        untouched = self._untouched(layer)
        if generated is self.content:
            return untouched
        return Nearest.of(generated.places(layer), untouched.second)

    def local_distances(self, found: Nearest, layer: str) -> tuple[float, float]:
        """The relative distances of places to the styles' nearest, and back."""
        untouched = self._untouched(layer)
        return (relative(found.distance, untouched.distance, 1),
                relative(found.back, untouched.back, 1))

    def copied(self, found: Nearest, layer: str, shape: tuple[int, int]) -> float:
        """The share of places in pieces of the styles, less that of the untouched content.

        Args:
            shape: of the picture's map.
        """
        untouched = self._untouched(layer)
        by_chance = copied_places(untouched, self.content.maps[0][layer].shape[:2])
        return copied_places(found, shape)[1] - by_chance[1]

    def _untouched(self, layer: str) -> Nearest:
        """How near the untouched content is."""
        if layer not in self._nearest:
            self._nearest[layer] = Nearest.of(
                self.content.places(layer), self.style.places(layer)
            )
        return self._nearest[layer]
