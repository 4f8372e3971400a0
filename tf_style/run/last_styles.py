"""What was found for the styles seen last. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from tf_style.image.style import Style

Found = TypeVar("Found")


class LastStyles(Generic[Found]):
    """Keeps what was found for the styles of one scene for the next with the same, in any thread.

    Args:
        find: returns what is to be kept, by the styles' pictures and masks, and which of them have
            a share.
    """

    def __init__(self, find: Callable[[Sequence[Style]], Found]):
        self._find = find
        self._kept: tuple[list[object], Found] | None = None

    def of(self, styles: Sequence[Style]) -> Found:
        """What was found for these styles, or is now."""
        key = [each for style in styles
               for each in (style.picture, style.mask, bool(style.share))]
        # One reference, as another thread may put its own there.
        kept = self._kept
        if kept is None or len(kept[0]) != len(key) or not all(
                one is other or np.array_equal(one, other)
                for one, other in zip(kept[0], key, strict=True)):
            kept = key, self._find(styles)
            self._kept = kept
        return kept[1]
