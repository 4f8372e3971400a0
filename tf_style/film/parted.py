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
        moved: how far that has moved, down and across, in pixels; 0 if all of the frame stands.
        moves: where it is, `(height, width)` float32 from 0 to 1; `None` if all of the frame moves,
            or stands.
    """

    moved: np.ndarray
    moves: np.ndarray | None = None

    @classmethod
    def of(cls, motion: Motion) -> Parted:
        """By the motion from the frame before."""
        import cv2

        flows = motion.flow[_SOME][motion.trust[_SOME] > 0.5]
        if len(flows) <= 8:
            return cls(np.zeros(2))
        stands = np.abs(flows).max(1) < _STANDS
        if stands.mean() < _LEAST or stands.all():
            return cls(np.median(flows, axis=0)[::-1])
        moved = np.median(flows[~stands], axis=0)
        largest = np.abs(moved).max()
        together = np.abs(flows - moved).max(1) < _TOGETHER * largest
        if (largest < _APART or together.mean() < _LEAST
                or (stands | together).mean() < _CLEAR):
            return cls(np.median(flows, axis=0)[::-1])
        nearer = np.square(motion.flow - moved).sum(2) < np.square(motion.flow).sum(2)
        return cls(moved[::-1], cv2.blur(nearer.astype(np.float32), _AROUND))

    def carried(self, places: np.ndarray) -> np.ndarray:
        """Where two anchors are now: of what stands, and of what moves, `(2, 2)` in pixels.

        Args:
            places: where they were, or one of both. What is the whole frame takes both along, so
                that what comes to a stand, or moves on, does so from where it is.
        """
        standing, moving = np.broadcast_to(places, (2, 2))
        moving = moving + self.moved
        if self.moves is None:
            standing = moving = moving if self.moved.any() else standing
        return np.stack([standing, moving])
