"""What of a frame stands, and what moves before or behind it."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_style.film.flow import Motion

# In pixels, down or across: what moves less stands.
_STANDS = 0.05
# How far a motion may be from the one that moves together, as a share of it.
_TOGETHER = 0.2
# The smallest share of a frame that is a part of its own; and of what both parts have to be, since
# what zooms or walks has as many motions as places.
_LEAST, _CLEAR = 0.1, 0.75
# In pixels: less keeps apart nothing.
_APART = 0.15
# How softly a part ends, in pixels.
_AROUND = (9, 9)
# Places where a motion is looked at.
_SOME = np.s_[4::8, 4::8]


@dataclasses.dataclass(frozen=True)
class Parted:
    """What of a frame stands, and what moves before or behind it.

    Attributes:
        moved: how far each of both has moved, down and across in pixels, `(2, 2)`; the same, where
            the whole frame moves or stands.
        moves: where what moves is, `(height, width)` float32 from 0 to 1; `None` for the whole.
    """

    moved: np.ndarray
    moves: np.ndarray | None = None

    @classmethod
    def whole(cls, moved: np.ndarray) -> Parted:
        """A frame that moves or stands as a whole."""
        return cls(np.stack([moved, moved]))

    @classmethod
    def of(cls, motion: Motion) -> Parted:
        """By the motion from the frame before."""
        import cv2

        flows = motion.flow[_SOME][motion.trust[_SOME] > 0.5]
        if len(flows) <= 8:
            return cls.whole(np.zeros(2))
        whole = cls.whole(np.median(flows, axis=0)[::-1])
        stands = np.abs(flows).max(1) < _STANDS
        if stands.mean() < _LEAST or stands.all():
            return whole
        # What creeps is no more than a share of a pixel off in each frame, but in each of them.
        standing, moved = (np.median(flows[each], axis=0) for each in (stands, ~stands))
        largest = np.abs(moved).max()
        together = np.abs(flows - moved).max(1) < _TOGETHER * largest
        if (largest < _APART or together.mean() < _LEAST
                or (stands | together).mean() < _CLEAR):
            return whole
        nearer = np.square(motion.flow - moved).sum(2) < np.square(motion.flow).sum(2)
        return cls(np.stack([standing, moved])[:, ::-1],
                   cv2.blur(nearer.astype(np.float32), _AROUND))

    @property
    def larger(self) -> int:
        """Which part is the larger: 0 for what stands, 1 for what moves."""
        return 0 if self.moves is None else int(self.moves.mean() > 0.5)

    def carried(self, places: np.ndarray, larger: int) -> np.ndarray:
        """Where the anchors of both parts are now, `(2, 2)` in pixels.

        Args:
            places: where they were.
            larger: which part was the larger then. The whole frame goes on from where that was.
        """
        if self.moves is None:
            places = places[[larger, larger]]
        return places + self.moved
