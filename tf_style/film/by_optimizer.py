"""Frames painted by the optimiser: the first of a shot anew, the others from those before."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from tf_style.film.camera_motion import steadied
from tf_style.film.flow import Motion
from tf_style.film.frame import Painted, Past, StoppedError
from tf_style.image.numbers import eight_bit
from tf_style.image.previous import Previous
from tf_style.run.inputs import Picture, PictureFile
from tf_style.run.painter import Painter
from tf_style.run.result import Stop
from tf_style.run.run import Callback
from tf_style.run.scene import Scene
from tf_style.run.schedule import needed_sides
from tf_style.settings import AUTO, Settings

LAGS = (1, 10, 40)
FRAME_STEPS = 6

# Interpolation takes something away, which steps are to be free to bring back: of the weight of
# what moved by whole pixels, or not at all, this is left to what lay between pixels.
_BETWEEN = 0.2
# Pixels that a motion may be off whole ones.
_WHOLE = 0.1
# What came into view had few steps; it becomes as firm as the rest by this share a frame.
_SETTLING = 0.3
# Differences of the frames themselves, mean of the channels, up to which a place shows the same,
# and from which it doesn't: what flow takes for the same may be something else.
_SAME, _OTHER = 0.06, 0.18
# With less left of the frame before, on average, a frame is painted anew: few steps would not do.
_LEAST = 0.25
# The trust in a place that shows the same, though flow and its reverse disagree: where all is flat,
# flow may be anything, and strokes are not to be painted anew for that.
_LIKELY = 0.5
# Pixels around a place that are looked at for differences.
_AROUND = 5


class OptimizedFrames:
    """Paints frames by descent, as `FramePainter` says.

    The first frame of a shot is a picture like any other. The others start from the frame before,
    warped along the optical flow, at the full size, with few steps; and they are held to it by the
    temporal loss. Where the frame before does not show the same, that is done with an earlier one.
    A frame of which hardly anything was to be seen before is painted as a first one.

    Args:
        painter: networks and compiled steps.
        styles: of the film: files, or as for `tf_style.stylize`.
        content_masks, style_masks, protect: as for `tf_style.stylize`, the same for all frames.
        frame_steps: how many steps frames take that have a frame before; `auto`: six.

    Attributes:
        lags: see `FramePainter`.
        callback: called with each step of each frame; a true return value ends the frame, and
            `paint` raises `StoppedError`.

    Source: Ruder, Dosovitskiy, Brox, Artistic style transfer for videos, GCPR 2016. Ours are the
        camera's motion where flow is a guess, the freedom of what moves or came into view, and the
        colours that it starts from.
    """

    lags = LAGS

    def __init__(
        self, painter: Painter, styles: Sequence[Picture | PictureFile],
        content_masks: Sequence[Picture] = (), style_masks: Sequence[Picture] = (), *,
        protect: Picture | None = None, frame_steps: int | str = AUTO,
    ):
        self.callback: Callback | None = None
        self._painter = painter
        most, side = painter.settings.max_pixels, needed_sides(painter.settings)[1]
        self._styles = [
            PictureFile.of(os.fspath(each), max_pixels=most, side=side)
            if isinstance(each, (str, os.PathLike)) else each for each in styles
        ]
        self._content_masks, self._style_masks = content_masks, style_masks
        self._protect = protect
        self._steps = FRAME_STEPS if frame_steps == AUTO else frame_steps

    @property
    def settings(self) -> Settings:
        """With every `auto` resolved that does not depend on the pictures."""
        return self._painter.settings

    @property
    def weights(self) -> Mapping[str, str]:
        """Layer → fingerprint of the kernels in use."""
        return self._painter.weights

    def look(self, before: np.ndarray, content: np.ndarray) -> None:
        """Nothing: beside its steps, what a frame needs of those before takes no time."""

    def paint(self, content: np.ndarray, past: Past | None) -> Painted:
        """Paint a frame; see `FramePainter`.

        Raises:
            InputError: for a frame, or styles or masks, that cannot be used.
            StoppedError: if the callback ended it.
        """
        scene = Scene.of(
            self.settings, content, self._styles, self._content_masks, self._style_masks,
            protect=self._protect, least=self._painter.least_size,
        )
        settled = np.ones(content.shape[:2], np.float32)
        if past is not None:
            previous, found = expected(content, past)
            if found.mean() >= _LEAST:
                scene, settled = scene.continued(previous, self._steps), found
        result = self._painter.paint(scene, callback=self.callback)
        if result.stopped is Stop.CALLBACK:
            raise StoppedError
        return Painted(result.image, {"settled": eight_bit(settled)})


def expected(content: np.ndarray, past: Past) -> tuple[Previous, np.ndarray]:
    """What earlier frames say of this one; and how settled each pixel is, in `[0, 1]`.

    Each pixel is taken from the nearest frame that shows it; from a farther one, as far as the
    nearer ones are not to be trusted. Where the frame before does not show the same, the picture
    is the content, in the colours that things around were painted in.

    Source: Ruder et al. 2016, section "Long-term consistency".
    """
    known = np.zeros(content.shape[:2], np.float32)
    picture = np.zeros_like(content)
    for lag in sorted(past.contents):
        before = past.contents[lag]
        motion = _motion(before, content)
        apart = _apart(motion.carried(before), content)
        alike = np.clip((_OTHER - apart) / (_OTHER - _SAME), 0, 1)
        trust = alike * motion.trust
        if lag == 1:
            firm = _firm(motion.flow)
            settled = motion.carried(_settled(past))
            seen = alike * _inside(motion.flow)
            trust = np.maximum(trust, _LIKELY * seen)
        share = np.maximum(trust - known, 0)
        picture += share[..., None] * motion.carried(past.pictures[lag])
        known += share
    seen = np.maximum(seen, known)
    settled = seen * (settled + _SETTLING * (1 - settled))
    picture = np.divide(picture, known[..., None], out=picture, where=known[..., None] > 0)
    start = seen[..., None] * picture + (1 - seen[..., None]) * _recolored(content, picture, seen)
    return Previous(start, known * firm * np.square(settled)), settled


def _motion(before: np.ndarray, after: np.ndarray) -> Motion:
    """The flow between two frames; the camera's where that leads to the same."""
    flow = Motion.between(before, after, fine=True)
    camera = steadied(flow, before, after)
    same = _apart(camera.carried(before), after) < _SAME
    return Motion(np.where(same[..., None], camera.flow, flow.flow),
                  np.where(same, camera.trust, flow.trust))


def _settled(past: Past) -> np.ndarray:
    return past.state["settled"].astype(np.float32) / 255


def _inside(flow: np.ndarray) -> np.ndarray:
    """Whether each pixel was in the earlier frame."""
    height, width = flow.shape[:2]
    rows, columns = np.indices((height, width), np.float32, sparse=True)
    across, down = columns + flow[..., 0], rows + flow[..., 1]
    return (across > -1) & (across < width) & (down > -1) & (down < height)


def _firm(flow: np.ndarray) -> np.ndarray:
    """How firmly a pixel is held that moved so far, from `_BETWEEN` to 1."""
    off = np.square(flow - np.round(flow)).sum(axis=2)
    return _BETWEEN + (1 - _BETWEEN) * np.exp(-off / _WHOLE**2)


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How much two frames differ around each pixel."""
    import cv2

    return cv2.blur(np.abs(one - other).mean(axis=2), (_AROUND, _AROUND))


def _recolored(content: np.ndarray, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The content, changed as the picture changes it around, as far as that is known."""
    import cv2

    weights = known[..., None] + 1e-6
    change = weights * (picture - content)
    whole = change.sum(axis=(0, 1)) / weights.sum()
    sigma = max(content.shape[:2]) / 24
    # A little of the whole picture's change, for places that are far from all that is known.
    around = cv2.GaussianBlur(change, (0, 0), sigma) + 1e-3 * whole
    share = cv2.GaussianBlur(weights, (0, 0), sigma) + 1e-3
    return np.clip(content + around / share.reshape(*known.shape, 1), 0, 1)
