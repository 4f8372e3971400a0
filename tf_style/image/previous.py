"""What a film's frame is to look like where the frames before show the same. No TensorFlow."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_style.image.masks import resized
from tf_style.image.resize import resize


@dataclasses.dataclass(frozen=True)
class Previous:
    """The previous frame as it was painted, warped to where things are in this one.

    Attributes:
        picture: `(height, width, 3)` in `[0, 1]`; a start for the image where nothing is trusted.
        trust: how far each pixel is known to show the same, `(height, width)` in `[0, 1]`: 0 where
            things come into view.
    """

    picture: np.ndarray
    trust: np.ndarray

    def at(self, height: int, width: int) -> Previous:
        """The same at another size."""
        return Previous(np.clip(resize(self.picture, height, width), 0, 1),
                        resized(self.trust, height, width))
