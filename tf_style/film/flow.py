"""Where things in a frame were in an earlier one: optical flow, how far to trust it, and its use.

By OpenCV, of the extra `video`.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_style.film.extra import needs

if TYPE_CHECKING:
    import cv2

# OpenCV's search writes beyond smaller pictures' ends.
_LEAST_SIDE = 64
# Pixels over which distrust fades, so that blends have no hard edges.
_SOFT = 5
# How far a simpler motion may be from what the search found, in pixels; and how much worse it may
# fit, relative to that and in 255ths: the search fits noise, and smooths it.
_NEAR, _SLACK, _LEAST_MISFIT = 1.5, 1.3, 0.5
# A place surely stands still where so little changes, in 255ths, in so many pairs of pixels around.
_ROUNDING, _AROUND = 1, 13


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

        Where one affine motion of all, that of a camera, or none explains the frames as well as
        what the search found, it is taken: noise does not move what stands still. What is flat
        and does not change stands still, whatever moves beside it.

        A place is trusted if the flow from there leads back to it, if it does not lie on the edge
        of something that moves, and if it was inside of the frame.

        Args:
            before, after: `(height, width, 3)` in `[0, 1]`.
            fine: search down to single pixels, which takes three times as long.

        Raises:
            InputError: if OpenCV is missing.
            ValueError: if the frames differ in size.

        Source: Kroeger, Timofte, Dai, Van Gool, Fast Optical Flow using Dense Inverse Search, 2016.
            Trust: Ruder, Dosovitskiy, Brox, Artistic Style Transfer for Videos, 2016, the two
            inequalities for disocclusions and motion boundaries (from Sundaram, Brox, Keutzer,
            Dense Point Trajectories by GPU-accelerated Large Displacement Optical Flow, 2010),
            here with a soft edge.
        """
        needs("cv2")
        if before.shape != after.shape:
            raise ValueError(f"expected frames of one size. Received: {before.shape} and "
                             f"{after.shape}")
        import cv2

        height, width = after.shape[:2]
        # As fine as the search is: what is finer than that would only be interpolated.
        size = (height, width) if fine else (-(-height // 2), -(-width // 2))
        grays = _as_gray(before, size), _as_gray(after, size)
        # Each with a search of its own: one that was used before starts from what it found then.
        there, back = _search(fine), _search(fine)
        # The way there only says whether to trust the way back.
        there.setVariationalRefinementIterations(2)
        there.setFinestScale(1)
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            forward = thread.submit(there.calc, *grays, None)
            flow = back.calc(*grays[::-1], None)
            camera = _camera(flow, 0.5 if fine else 0.25)
            forward = thread.submit(
                _simplified, forward.result(), _inverse(camera), *grays, halve=fine)
            flow = _simplified(flow, camera, *grays[::-1], halve=fine)
            flow, forward = (each[: size[0], : size[1]] for each in (flow, forward.result()))
        if fine:
            return cls(flow, _softened(_sure(flow, forward)))
        unit = width / size[1], height / size[0]
        sure = cv2.resize(_sure(flow, forward, unit), (width, height),
                          interpolation=cv2.INTER_NEAREST)
        flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
        flow *= np.float32(unit)
        return cls(flow, _softened(sure))

    def carried(self, picture: np.ndarray, *, once: bool = False) -> np.ndarray:
        """A picture of the earlier frame, moved to where things are in the later one.

        Lanczos interpolation: repeated 100 times by motion of a third of a pixel, it keeps 0.7 to
        1.1 times a picture's edge energy; linear interpolation keeps 0.01, and OpenCV's cubic one
        adds 0.6 to 2 times as much. By half a pixel each time, it rings to 1.2 to 2.6 times, where
        nothing new is mixed in. Where the flow is whole pixels, no value changes.

        Args:
            picture: `(height, width, channels)` in `[0, 1]`; of one, two, three or four channels.
            once: whether the result is not carried on; then OpenCV's cubic interpolation serves, in
                a seventh of the time.

        Returns:
            float32 of the same shape, in `[0, 1]`. What was outside of the frame is its border.
        """
        import cv2

        by = cv2.INTER_CUBIC if once else cv2.INTER_LANCZOS4
        moved = cv2.remap(np.asarray(picture, np.float32), *self._places, by,
                          borderMode=cv2.BORDER_REPLICATE)
        return np.clip(moved, 0, 1, out=moved).reshape(picture.shape)

    @functools.cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel was, as OpenCV takes it in half of the time, with the same result."""
        import cv2

        return cv2.convertMaps(*_positions(self.flow), cv2.CV_16SC2)


def _search(fine: bool) -> cv2.DISOpticalFlow:
    """OpenCV's search; by default as coarse as its fast preset, but for twice as fine a grid."""
    import cv2

    search = cv2.DISOpticalFlow_create(
        cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv2.DISOPTICAL_FLOW_PRESET_FAST
    )
    search.setFinestScale(0)
    if not fine:
        search.setPatchStride(5)
    search.setVariationalRefinementAlpha(40)
    return search


def _as_gray(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """8 bits of gray at a size, large enough for the search."""
    import cv2

    gray = cv2.cvtColor(np.asarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    if gray.shape != size:
        gray = cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA)
    gray = cv2.convertScaleAbs(gray, alpha=255)
    below, right = (max(0, _LEAST_SIDE - side) for side in gray.shape)
    return cv2.copyMakeBorder(gray, 0, below, 0, right, cv2.BORDER_REPLICATE)


def _simplified(
    flow: np.ndarray, camera: np.ndarray | None, after: np.ndarray, before: np.ndarray, *,
    halve: bool,
) -> np.ndarray:
    """A flow, replaced by simpler ones where they explain two frames as well.

    Args:
        camera: an affine motion, as `_camera` finds it.
        after, before: the frames, as the search takes them.
        halve: whether the frames are compared at half of their size.
    """
    import cv2

    unit = 2 if halve else 1
    size = tuple(-(-side // unit) for side in after.shape[::-1])
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (after, before)]
    scaled = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) / unit
    allowed = _SLACK * _misfit(scaled, *small) + _LEAST_MISFIT
    change = cv2.dilate(cv2.absdiff(*small), np.ones((_AROUND, _AROUND), np.uint8))
    unchanged = change <= _ROUNDING
    candidates = [] if camera is None else [_affine(camera, flow.shape[:2])]
    candidates.append(np.zeros_like(flow))
    found = []
    for simpler in candidates:
        at_size = cv2.resize(simpler, size, interpolation=cv2.INTER_AREA) / unit
        near = _squared(at_size - scaled) < (_NEAR / 2) ** 2
        fits = (_misfit(at_size, *small) <= allowed) & near
        found.append((fits & ~unchanged if simpler.any() else fits | unchanged, simpler))
    # Where both fit, such as where all is flat, the one counts that explains more of the frame.
    for fits, simpler in sorted(found, key=lambda each: each[0].mean()):
        share = cv2.blur(fits.astype(np.float32), (7, 7))
        share = cv2.resize(share, flow.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        # A factor with one channel takes NumPy more than twice as long.
        flow = flow + cv2.merge([share, share]) * (simpler - flow)
    return flow


def _misfit(flow: np.ndarray, after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """How much two frames differ around each place where a flow takes them as the same."""
    import cv2

    difference = cv2.absdiff(_sampled(before, flow, cv2.INTER_LINEAR), after)
    return cv2.blur(difference.astype(np.float32), (5, 5), borderType=cv2.BORDER_REPLICATE)


def _camera(flow: np.ndarray, near: float) -> np.ndarray | None:
    """The affine motion that most of a flow agrees with: where what is at a place was, `(2, 3)`.

    Args:
        near: how far a flow that agrees with it may be from it, in pixels.
    """
    import cv2

    rows, columns = (each.ravel() for each in np.indices(flow.shape[:2])[:, 4::8, 4::8])
    places = np.stack([columns, rows], axis=1).astype(np.float32)
    matrix, _ = cv2.estimateAffine2D(places, places + flow[rows, columns],
                                     ransacReprojThreshold=near, maxIters=200)
    return matrix


def _inverse(matrix: np.ndarray | None) -> np.ndarray | None:
    """The motion there, of the one back."""
    import cv2

    return None if matrix is None else cv2.invertAffineTransform(matrix)


def _affine(matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The flow that an affine motion is, `(height, width, 2)` float32."""
    across, down = (np.arange(side, dtype=np.float32) for side in shape[::-1])
    (a, b, left), (c, d, top) = matrix.astype(np.float32)
    return np.stack([np.add.outer(b * down + left, (a - 1) * across),
                     np.add.outer((d - 1) * down + top, c * across)], axis=2)


def _positions(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel was, across and down."""
    rows, columns = np.indices(flow.shape[:2], np.float32, sparse=True)
    return columns + flow[..., 0], rows + flow[..., 1]


def _sampled(picture: np.ndarray, flow: np.ndarray, interpolation: int) -> np.ndarray:
    import cv2

    return cv2.remap(picture, *_positions(flow), interpolation, borderMode=cv2.BORDER_REPLICATE)


def _squared(flow: np.ndarray) -> np.ndarray:
    """The squared length of each vector."""
    # A sum over an axis of two takes NumPy ten times as long.
    return flow[..., 0] ** 2 + flow[..., 1] ** 2


def _sure(
    flow: np.ndarray, forward: np.ndarray, unit: Sequence[float] = (1, 1)
) -> np.ndarray:
    """Where a flow is to be trusted, given the one from the earlier frame to the later.

    Args:
        unit: how many pixels of a frame one of theirs is, across and down.

    Returns:
        `(height, width)` float32: 1, or else 0.
    """
    import cv2

    returning = _sampled(forward, flow, cv2.INTER_LINEAR) * np.float32(unit)
    across, down = _positions(flow)
    flow = flow * np.float32(unit)
    length = _squared(flow)
    astray = _squared(returning + flow) > 0.01 * (_squared(returning) + length) + 0.5
    steepness = np.zeros_like(length)
    steepness[:, :-1] += _squared(flow[:, 1:] - flow[:, :-1]) / unit[0]**2
    steepness[:-1] += _squared(flow[1:] - flow[:-1]) / unit[1]**2
    edge = steepness > 0.01 * length + 0.002
    height, width = flow.shape[:2]
    # The border's own pixels reach half a pixel beyond their middle.
    outside = ((across < -0.5) | (across > width - 0.5) | (down < -0.5) | (down > height - 0.5))
    return (~(astray | edge | outside)).astype(np.float32)


def _softened(sure: np.ndarray) -> np.ndarray:
    """The same, fading towards where it is 0."""
    import cv2

    return sure * cv2.blur(sure, (_SOFT, _SOFT), borderType=cv2.BORDER_REPLICATE)
