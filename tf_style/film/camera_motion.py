"""The camera's own motion: one map for most of a frame, far finer than flow from place to place."""

from __future__ import annotations

import math

import numpy as np

from tf_style.film.flow import Motion

# Pixels that are looked at.
_PIXELS = 15_000
_BLUR = 1.0
# In values: what has changed less says nothing of the camera, which moves behind it.
_UNCHANGED = 0.5 / 255
_LEAST_SIDE = 8
_ROUNDS = 5
# In pixels, anywhere in the frame: less is none.
_NONE = 0.03
# How much worse it may explain a place than the flow does, as a share and in values.
_WORSE = 1.3, 2 / 255
_AROUND = (7, 7)
# The least share of what tells standing from moving that has to stand, before anything plain does.
_LEAST_STANDING = 0.03
# In values: what tells one motion from another at a place, at least; and how much it counts most.
_TELLS, _TOLD = 0.5 / 255, 8 / 255
# How far it tells of, as a share of the frame's shorter side; and at how many times smaller a size.
_NEARBY, _COARSE = 0.12, 4
# How much more of that has to tell that a place stands, as a share of it.
_CLEARLY = 0.5


def steadied(motion: Motion, before: np.ndarray, after: np.ndarray) -> Motion:
    """A motion, with the camera's wherever that explains the frame as well.

    Where a frame is smooth, flow is a guess, and a painter's strokes stand there all the same. A
    camera that pans, turns or zooms moves all of them by one map of six numbers, which is found to
    a few hundredths of a pixel.

    Args:
        motion: from `before` to `after`.
        before, after: `(height, width, 3)` float32 in `[0, 1]`.

    Source: Lucas, Kanade, IJCAI 1981; Odobez, Bouthemy, Journal of Visual Communication 1995 (of
        the whole frame, by weights that leave out what moves by itself). Ours: its use.
    """
    import cv2

    height, width = after.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return motion
    grays = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (before, after)]
    camera = _refined(_fitted(motion, _changed(*grays)), *grays)
    flow = _flow(camera, *_coordinates(height, width))
    if np.abs(flow[:: height - 1, :: width - 1]).max() < _NONE:
        flow[:] = 0
    by_camera, by_flow = (_off(each, *grays) for each in (flow, motion.flow))
    better = by_camera <= _WORSE[0] * by_flow + _WORSE[1]
    if flow.any():
        better &= ~_standing(by_camera, *grays)
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    inside = ((across + flow[..., 0] >= -0.5) & (across + flow[..., 0] <= width - 0.5)
              & (down + flow[..., 1] >= -0.5) & (down + flow[..., 1] <= height - 0.5))
    # What borders on something that moves otherwise is neither's.
    sure = (better & inside).astype(np.float32)
    sure *= cv2.blur(sure, (5, 5))**2
    where = better.astype(np.uint8)
    return Motion(cv2.copyTo(flow, where, motion.flow.copy()),
                  cv2.copyTo(sure, where, motion.trust.copy()))


def _standing(by_camera: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where a frame stands while the camera's motion is that of something that passes by.

    What is plain fits both. It does as what is nearest to it and fits one.

    Args:
        by_camera: how far the frames are apart after the camera's motion.

    Returns:
        `(height, width)` bool.
    """
    import cv2

    height, width = after.shape
    worse = by_camera - cv2.blur(np.abs(after - before), _AROUND)
    told = np.clip(worse, -_TOLD, _TOLD)
    told[np.abs(worse) < _TELLS] = 0
    if told.sum(where=told > 0) <= _LEAST_STANDING * np.abs(told).sum():
        return np.zeros(after.shape, bool)
    # Beyond a bell's middle the nearest counts most, however faint it is.
    small = -(-width // _COARSE), -(-height // _COARSE)
    stands, tells = (cv2.resize(
        cv2.GaussianBlur(cv2.resize(each, small, interpolation=cv2.INTER_AREA), None,
                         max(1, _NEARBY * min(small))),
        (width, height), interpolation=cv2.INTER_LINEAR) for each in (told, np.abs(told)))
    return (stands > _CLEARLY * tells) & (worse > -_TELLS)


def _changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where two frames differ, `(height, width)` bool."""
    import cv2

    return cv2.blur(np.abs(after - before), (3, 3)) > _UNCHANGED


def _fitted(motion: Motion, changed: np.ndarray) -> np.ndarray:
    """The map that fits most of the flow of what has changed."""
    step = 8
    some = np.s_[step // 2 :: step, step // 2 :: step]
    flow = motion.flow[some]
    down, across = (each[step // 2 :: step] for each in _coordinates(*motion.flow.shape[:2]))
    places = np.stack(np.broadcast_arrays(across, down[:, None], 1), 2).reshape(-1, 3)
    told = changed[some].ravel()
    flow, places = flow.reshape(-1, 2)[told], places[told]
    camera = np.zeros((2, 3))
    if len(flow) < 12:
        return camera
    camera[:, 2] = np.median(flow, 0)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(flow - places @ camera.T, axis=1)
        weights = 1 / (1 + (off / max(0.2, 1.5 * np.median(off)))**2)**2
        weighted = places * weights[:, None]
        camera = np.linalg.solve(weighted.T @ places + 1e-6 * np.eye(3), weighted.T @ flow).T
    return camera


def _refined(camera: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The map that makes the later frame of the earlier one, but for what moves by itself."""
    import cv2

    height, width = after.shape
    # Noise would draw it to half pixels, where interpolation smoothes.
    before, after = (cv2.GaussianBlur(each, None, _BLUR) for each in (before, after))
    step = max(1, math.ceil(math.sqrt(height * width / _PIXELS)))
    some = np.s_[step // 2 :: step, step // 2 :: step]
    steep = [cv2.Scharr(after, cv2.CV_32F, *axis, scale=1 / 32)[some]
             for axis in ((1, 0), (0, 1))]
    down, across = (each[step // 2 :: step] for each in _coordinates(height, width))
    # Light that changes moves nothing.
    parts = np.stack([each * place for each in steep for place in
                      (across[None], down[:, None], np.float32(1))]
                     + [np.ones_like(steep[0]), after[some]], 2)
    rows, columns = (each[some] for each in np.indices(after.shape, np.float32))
    changed = _changed(before, after)[some]
    for _ in range(_ROUNDS):
        flow = _flow(camera, down, across)
        positions = columns + flow[..., 0], rows + flow[..., 1]
        places = cv2.convertMaps(*positions, cv2.CV_16SC2)
        moved = cv2.remap(before, *places, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
        seen = (changed & (positions[0] >= 0) & (positions[0] <= width - 1)
                & (positions[1] >= 0) & (positions[1] <= height - 1))
        off, seen = (after[some] - moved)[seen], parts[seen]
        if len(off) < 64:
            break
        weights = 1 / (1 + (off / max(0.008, 4 * np.median(np.abs(off))))**2)**2
        weighted = seen * weights[:, None]
        normal = (weighted.T @ seen).astype(np.float64)
        normal += np.diag(1e-4 * np.diag(normal) + 1e-6)
        change = np.linalg.solve(normal, weighted.T @ off)[:6].reshape(2, 3)
        camera = camera + change
        if np.abs(change).max() < 0.01:
            break
    return camera


def _coordinates(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Of rows and of columns, from -1 to 1."""
    down, across = ((2 * np.arange(side, dtype=np.float32) + 1) / side - 1
                    for side in (height, width))
    return down, across


def _flow(camera: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The flow at some coordinates, `(rows, columns, 2)` float32."""
    camera = camera.astype(np.float32)
    return np.stack([across[None] * x + (down * y + whole)[:, None] for x, y, whole in camera], 2)


def _positions(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(flow.shape[:2], np.float32, sparse=True)
    return columns + flow[..., 0], rows + flow[..., 1]


def _off(flow: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far a frame is from the one before after a flow, around each place."""
    import cv2

    moved = cv2.remap(before, *_positions(flow), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.blur(np.abs(moved - after), _AROUND)


