"""Where things in a frame were in an earlier one: optical flow, how far to trust it, and its use.

By OpenCV, of the extra `video`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_style.film.extra import needs

# OpenCV's search writes beyond smaller pictures' ends.
_LEAST_SIDE = 64
# Pixels over which distrust fades, so that blends have no hard edges.
_SOFT = 5


@dataclasses.dataclass(frozen=True)
class Motion:
    """Where each pixel of a frame was in an earlier frame.

    Attributes:
        flow: `(height, width, 2)` float32, in pixels: what is at `(x, y)` was at
            `(x, y) + flow[y, x]`.
        trust: `(height, width)` float32 in `[0, 1]`; 0 where it was not to be seen, or may have
            been elsewhere.
    """

    flow: np.ndarray
    trust: np.ndarray

    @classmethod
    def between(cls, before: np.ndarray, after: np.ndarray, *, fine: bool = False) -> Motion:
        """Find the motion from one frame to another.

        A place is trusted if the flow from there leads back to it, if it does not lie on the edge
        of something that moves, and if it was inside of the frame.

        Args:
            before, after: `(height, width, 3)` in `[0, 1]`.
            fine: search longer and down to finer scales.

        Raises:
            InputError: if OpenCV is missing.
            ValueError: if the frames differ in size.

        Source: Kroeger, Timofte, Dai, Van Gool, Fast Optical Flow using Dense Inverse Search, 2016.
            Trust: Ruder, Dosovitskiy, Brox, Artistic Style Transfer for Videos, 2016, the two
            inequalities of section 4.3 (there from Sundaram, Brox, Keutzer, Dense Point
            Trajectories, 2010), here with a soft edge.
        """
        needs("cv2")
        import cv2

        if before.shape != after.shape:
            raise ValueError(f"expected frames of one size. Received: {before.shape} and "
                             f"{after.shape}")
        preset = (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv2.DISOPTICAL_FLOW_PRESET_FAST)
        height, width = after.shape[:2]
        grays = _as_gray(before), _as_gray(after)
        # Each with a search of its own: one that was used before starts from what it found then.
        forward, flow = (
            cv2.DISOpticalFlow_create(preset).calc(*pair, None)[:height, :width]
            for pair in (grays, grays[::-1])
        )
        return cls(flow, _trust(flow, forward))

    def carried(self, picture: np.ndarray) -> np.ndarray:
        """A picture of the earlier frame, moved to where things are in the later one.

        Lanczos interpolation: repeated 100 times by motion of a third of a pixel, it keeps 0.7 to
        1.1 times a picture's edge energy; linear interpolation keeps 0.01, and OpenCV's cubic one
        adds 0.6 to 2 times as much. By half a pixel each time, it rings to 1.2 to 2.6 times, where
        nothing new is mixed in. Where the flow is whole pixels, no value changes.

        Args:
            picture: `(height, width, channels)` in `[0, 1]`; of one, two, three or four channels.

        Returns:
            float32 of the same shape, in `[0, 1]`. What was outside of the frame is its border.
        """
        import cv2

        moved = _sampled(np.asarray(picture, np.float32), self.flow, cv2.INTER_LANCZOS4)
        return np.clip(moved, 0, 1, out=moved).reshape(picture.shape)


def _as_gray(picture: np.ndarray) -> np.ndarray:
    """8 bits of gray, large enough for the search."""
    import cv2

    gray = cv2.cvtColor(np.asarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    gray = cv2.convertScaleAbs(gray, alpha=255)
    below, right = (max(0, _LEAST_SIDE - side) for side in gray.shape)
    return cv2.copyMakeBorder(gray, 0, below, 0, right, cv2.BORDER_REPLICATE)


def _positions(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel was, across and down."""
    rows, columns = np.indices(flow.shape[:2], np.float32, sparse=True)
    return columns + flow[..., 0], rows + flow[..., 1]


def _sampled(picture: np.ndarray, flow: np.ndarray, interpolation: int) -> np.ndarray:
    import cv2

    return cv2.remap(picture, *_positions(flow), interpolation, borderMode=cv2.BORDER_REPLICATE)


def _trust(flow: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """How far a flow is to be trusted, given the one from the earlier frame to the later."""
    import cv2

    returning = _sampled(forward, flow, cv2.INTER_LINEAR)
    length = np.square(flow).sum(axis=2)
    astray = np.square(returning + flow).sum(axis=2) > (
        0.01 * (np.square(returning).sum(axis=2) + length) + 0.5
    )
    steepness = sum(
        np.square(np.diff(flow, axis=axis, append=np.take(flow, [-1], axis))).sum(axis=2)
        for axis in (0, 1)
    )
    edge = steepness > 0.01 * length + 0.002
    across, down = _positions(flow)
    height, width = flow.shape[:2]
    # The border's own pixels reach half a pixel beyond their middle.
    outside = ((across < -0.5) | (across > width - 0.5) | (down < -0.5) | (down > height - 0.5))
    hard = (~(astray | edge | outside)).astype(np.float32)
    return hard * cv2.blur(hard, (_SOFT, _SOFT), borderType=cv2.BORDER_REPLICATE)
