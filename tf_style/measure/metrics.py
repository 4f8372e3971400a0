"""How good a stylised picture is, in numbers from a judge network and from the pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_style.image.masks import resized
from tf_style.image.resize import fit, resize, shrink
from tf_style.measure import structure
from tf_style.measure.comparison import DISTANCES, Comparison
from tf_style.measure.distances import quantile_distance
from tf_style.measure.nearest import copied_places
from tf_style.measure.views import View

if TYPE_CHECKING:
    import keras

# Nearest neighbours are searched among all pairs of places: pictures are shown no larger.
_NEAREST_SIDE = 768


@dataclasses.dataclass(frozen=True)
class Depth:
    """The layers that a judge looks at, from the fine to the large.

    Attributes:
        style: whose statistics are compared.
        content: whose maps are compared, position by position.
        local: whose single places are compared.
    """

    style: tuple[str, ...]
    content: str
    local: str

    @property
    def layers(self) -> tuple[str, ...]:
        """All of them, once each."""
        return tuple(dict.fromkeys([*self.style, self.content, self.local]))


FINE = Depth(
    ("block1_conv2", "block2_conv2", "block3_conv1", "block3_conv3"), "block3_conv3",
    "block3_conv1",
)
LARGE = Depth(("block4_conv1", "block5_conv1"), "block4_conv2", "block4_conv1")

_NOT_MEASURED = float("nan")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The measures of one generated picture.

    Distances are relative: 0 is the style itself, 1 the untouched content. What could not be
    measured is `nan`: without a mask, or where the judge lacks a layer, or a picture is too small
    for one. Names that end in `_large` are those of the deeper layers.

    Attributes:
        style_distance: of Gaussians fitted to the features.
        content_similarity: 1 is the untouched content.
        edge_agreement: 1 is the content's edges.
        color_distance: sliced Wasserstein distance to the style's colours; 0 is its palette. This
            one is in units of the range of a channel, not relative.
        gram_distance: of Gram matrices.
        sliced_distance: sliced Wasserstein distance of the features.
        patch_distance: sliced Wasserstein distance of 7x7 patches of pixels at three scales.
        local_distance: of each place to the most similar one of the style.
        local_distance_back: of each place of the style to the most similar one of the picture.
        copied: share of the places that continue one another as the style's do, less the same for
            the untouched content: 0 is none; what copies all of the style has 1, less that.
        self_similarity: whether places that are alike in the content are still alike; 1 is the
            untouched content.
        content_similarity_masked: as `content_similarity`, inside the mask.
    """

    style_distance: float = _NOT_MEASURED
    content_similarity: float = _NOT_MEASURED
    edge_agreement: float = _NOT_MEASURED
    color_distance: float = _NOT_MEASURED
    style_distance_large: float = _NOT_MEASURED
    content_similarity_large: float = _NOT_MEASURED
    gram_distance: float = _NOT_MEASURED
    gram_distance_large: float = _NOT_MEASURED
    sliced_distance: float = _NOT_MEASURED
    sliced_distance_large: float = _NOT_MEASURED
    patch_distance: float = _NOT_MEASURED
    local_distance: float = _NOT_MEASURED
    local_distance_large: float = _NOT_MEASURED
    local_distance_back: float = _NOT_MEASURED
    local_distance_back_large: float = _NOT_MEASURED
    copied: float = _NOT_MEASURED
    self_similarity: float = _NOT_MEASURED
    content_similarity_masked: float = _NOT_MEASURED
    content_similarity_masked_large: float = _NOT_MEASURED


class Judge:
    """Measures pictures made from one content image and one or more style images.

    Args:
        model: a feature model with the layers of `fine`, and perhaps those of `large`, without
            which the measures of those are `nan`.
        content: picture `(height, width, 3)` in `[0, 1]`.
        styles: likewise; the feature vectors of several are pooled.
        alphas: how opaque each style is, `(height, width)` in `[0, 1]`, or `None`; what is mostly
            transparent does not count. By default all are opaque.
        mask: what matters most of the content, such as a face: `(height, width)` in `[0, 1]`.
        fine, large: which layers are looked at.
    """

    def __init__(
        self, model: keras.Model, content: np.ndarray, styles: Sequence[np.ndarray],
        alphas: Sequence[np.ndarray | None] | None = None, *, mask: np.ndarray | None = None,
        fine: Depth = FINE, large: Depth = LARGE,
    ):
        import keras

        from tf_style.network.models import least_size

        shallow = keras.Model(model.inputs[0], {name: model.output[name] for name in fine.layers})
        # What is too small for all layers is seen by those of `fine`.
        self._models = [(least_size(each), each) for each in (model, shallow)]
        self._content = content
        self._styles = styles
        self._alphas = alphas or [None] * len(styles)
        self._mask = mask
        self._fine = fine
        self._depths = {"": fine, "_large": large}
        self._compared: dict[tuple[int, int], Comparison] = {}

    def evaluate(self, generated: np.ndarray) -> Evaluation:
        """Measure a picture; the others are seen at its size, the styles with its long side."""
        compared, seen = self._comparison(generated), self._view(generated)
        shown = shrink(generated, _NEAREST_SIDE)
        local = seen if shown is generated else self._view(shown)
        return self._evaluation(compared, seen, seen, self._comparison(shown), local)

    def references(self, generated: np.ndarray) -> dict[str, Evaluation]:
        """What the untouched content and the style itself score beside a picture of this size.

        Returns:
            `untouched_content` and `style_itself`. The latter is all styles; to keep content, the
            first one is stretched to the size of the picture.
        """
        compared = self._comparison(generated)
        near = self._comparison(shrink(generated, _NEAREST_SIDE))
        stretched = np.clip(resize(self._styles[0], *generated.shape[:2]), 0, 1)
        return {
            "untouched_content": self._evaluation(
                compared, compared.content, compared.content, near, near.content
            ),
            "style_itself": self._evaluation(
                compared, compared.style, self._view(stretched), near, near.style
            ),
        }

    def copied_places(self, generated: np.ndarray) -> np.ndarray:
        """Where a picture holds pieces of the styles, bool `(height, width)` of the picture."""
        layer, shown = self._fine.local, shrink(generated, _NEAREST_SIDE)
        compared, seen = self._comparison(shown), self._view(shown)
        if not compared.shows(self._fine.layers):
            return np.zeros(generated.shape[:2], bool)
        places, _ = copied_places(compared.nearest(seen, layer), seen.maps[0][layer].shape[:2])
        return resized(places.astype(np.float32), *generated.shape[:2]) >= 0.5

    def _evaluation(
        self, compared: Comparison, styled: View, kept: View, near: Comparison, local: View
    ) -> Evaluation:
        """All measures.

        Args:
            compared: at the size of the picture.
            styled: whose style is measured.
            kept: whose content is measured.
            near: at the size at which nearest neighbours are searched.
            local: whose single places are measured, at that size.
        """
        content, measures = compared.content, {}
        for suffix, depth in self._depths.items():
            # Of what is too small for a layer there is no map.
            if not near.shows(depth.layers):
                continue
            found = {name: compared.distance(name, styled, depth.style) for name in DISTANCES}
            maps = [each.maps[0][depth.content] for each in (kept, content)]
            found |= self._kept(*maps)
            nearest = near.nearest(local, depth.local)
            found["local_distance"], found["local_distance_back"] = near.local_distances(
                nearest, depth.local
            )
            measures |= {f"{name}{suffix}": value for name, value in found.items()}
            if depth is self._fine:
                measures["self_similarity"] = structure.self_similarity(*maps)
                measures["copied"] = near.copied(
                    nearest, depth.local, local.maps[0][depth.local].shape[:2]
                )
        return Evaluation(
            edge_agreement=structure.edge_agreement(kept.pictures[0], content.pictures[0]),
            color_distance=quantile_distance(styled.colors, compared.style.colors),
            patch_distance=compared.patch_distance(styled),
            **measures,
        )

    def _kept(self, generated: np.ndarray, content: np.ndarray) -> dict[str, float]:
        """What the maps of the generated image keep of the content's: everywhere, in the mask."""
        measures = {"content_similarity": structure.content_similarity(generated, content)}
        if self._mask is not None:
            measures["content_similarity_masked"] = structure.content_similarity(
                generated, content, resized(self._mask, *content.shape[:2])
            )
        return measures

    def _comparison(self, generated: np.ndarray) -> Comparison:
        """Content and styles as seen beside a picture; kept for others of its size."""
        height, width = generated.shape[:2]
        if (height, width) not in self._compared:
            content = np.clip(resize(self._content, height, width), 0, 1)
            styles = [fit(style, max(height, width)) for style in self._styles]
            if len(self._compared) > 1:
                self._compared.clear()
            self._compared[height, width] = Comparison(
                self._view(content), View(styles, list(map(self._maps, styles)), self._alphas)
            )
        return self._compared[height, width]

    def _view(self, picture: np.ndarray) -> View:
        return View([picture], [self._maps(picture)])

    def _maps(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        """Of the layers for which a picture is large enough."""
        for least, model in self._models:
            if min(picture.shape[:2]) >= least:
                maps = model(np.asarray(picture, np.float32)[None], training=False)
                return {name: np.asarray(each)[0] for name, each in maps.items()}
        return {}


def flattered(maker: Mapping[str, str], judge: Mapping[str, str]) -> bool | None:
    """Whether a picture is judged by kernels that it was made with, and so scores too well.

    Args:
        maker, judge: layer → fingerprint of the kernels in use. A part of the loss may stand before
            the maker's layers, as `tf_style.network.networks.fingerprints` has it.

    Returns:
        `None` for a network that paints: the judge may have trained it.
    """
    if "model" in maker:
        return None
    made = {(name.rpartition("/")[2], digest) for name, digest in maker.items()}
    return not made.isdisjoint(judge.items())
