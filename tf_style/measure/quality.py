"""How good a result is in one number: what it takes over of the style, and keeps of the content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from tf_style.image.resize import fit, resize
from tf_style.measure import structure
from tf_style.measure.comparison import Comparison
from tf_style.measure.metrics import FINE, LARGE
from tf_style.measure.views import View

if TYPE_CHECKING:
    import keras

# The layers of the network that a `Gauge` looks with.
LAYERS = tuple(dict.fromkeys(
    layer for depth in (FINE, LARGE) for layer in (*depth.style, depth.content)))


def quality(style_distances: Iterable[float], content_similarities: Iterable[float]) -> float:
    """How good a result is, 0 to 1: the harmonic mean of the style taken over and content kept.

    Args:
        style_distances: `style_distance` and `style_distance_large` of an `Evaluation`, of which 1
            less the mean is the style taken over; what is `nan` does not count.
        content_similarities: likewise, of which the mean is the content kept.
    """
    taken = max(1 - _mean(style_distances), 0)
    kept = max(_mean(content_similarities), 0)
    return float(2 * taken * kept / (taken + kept)) if taken and kept else 0.0


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else 0.0


class Gauge:
    """Tells the quality of small pictures of one size, made from one content image.

    A `Judge` of many styles measures more, and looks at the content for each of them.

    Args:
        model: a feature model with `LAYERS`.
        content: picture `(height, width, 3)` in `[0, 1]`.
    """

    def __init__(self, model: keras.Model, content: np.ndarray):
        from tf_style.network.models import least_size

        self._model, self._content, self._least = model, content, least_size(model)
        self._seen: View | None = None

    def quality(
        self, generated: np.ndarray, style: np.ndarray, alpha: np.ndarray | None = None
    ) -> float:
        """The quality of a picture, 0 to 1.

        Args:
            style: that it was made from, `(height, width, 3)` in `[0, 1]`.
            alpha: how opaque that is, as for a `Judge`.
        """
        if self._seen is None or self._seen.pictures[0].shape != generated.shape:
            self._seen = self._view(np.clip(resize(self._content, *generated.shape[:2]), 0, 1))
        seen = self._view(generated)
        compared = Comparison(self._seen, self._view(fit(style, max(generated.shape[:2])), alpha))
        return quality(
            [compared.distance("style_distance", seen, depth.style) for depth in (FINE, LARGE)],
            [structure.content_similarity(*(each.maps[0][depth.content]
                                            for each in (seen, self._seen)))
             for depth in (FINE, LARGE)],
        )

    def _view(self, picture: np.ndarray, alpha: np.ndarray | None = None) -> View:
        missing = [max(0, self._least - side) for side in picture.shape[:2]]
        # A strip has a style, too.
        seen = np.pad(picture, [(0, missing[0]), (0, missing[1]), (0, 0)], "symmetric")
        maps = self._model(np.asarray(seen, np.float32)[None], training=False)
        return View([picture], [{name: np.asarray(each)[0] for name, each in maps.items()}],
                    [alpha])
