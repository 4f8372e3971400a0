"""Frames painted by a network, steadily: each keeps what it can of the one before."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_style.film.camera_motion import steadied
from tf_style.film.extra import needs
from tf_style.film.flow import Motion
from tf_style.film.frame import Painted, Past
from tf_style.film.parted import Parted
from tf_style.image.numbers import eight_bit
from tf_style.settings import AUTO, Settings
from tf_style.settings.option import Number
from tf_style.transfer.carried import CarriedNetwork
from tf_style.transfer.painter import WHOLE, ModelPainter
from tf_style.transfer.transform import STRIDE

STEADINESS = 0.9
# Of the frame before, at most, where nothing speaks against it: what is there is then a mean over
# two dozen frames, so that an error of the flow fades.
_KEPT = 0.96
# How far a place may differ from where it was, in values, until half of that is lost.
_ALIKE = 0.05
# Likewise of what it was painted as, until that is not kept for this reason alone.
_NEAR = 4 / 255
_AROUND = (5, 5)
# In values: less than the least that a frame of 8 bits can change by; and what noise changes.
_SAME, _NOISE = 0.6 / 255, 2 / 255
# A motion that leaves so many times less of a change is no noise.
_EXPLAINED = 1.2
# The least side of what stands, as a share of the frame's shorter side.
_UNMOVED = 0.1
# Blocks whose means say whether a frame has changed, in pixels, and by how much, in values.
_BLOCK, _CHANGED = 16, 4 / 255
# How fast statistics follow, as a share for each frame, where all has changed; where less than the
# smaller share of blocks has, they are held.
_FOLLOW = 0.1
_HELD, _FREE = 0.6, 0.8
# By how much edges are made sharper in one frame, at most; and how much of their energy is wanted
# where that may be, as a share: it makes up for places where it may not.
_SHARPER, _WANTED = 0.15, 1.1
# How many times smaller a frame has lost its strokes; and what is blurred then: for what is no
# stroke, and for how strong strokes are around a place.
_COARSE, _STROKES, _AROUND_STROKES = 4, (3, 3), (7, 7)
# What is no stroke, squared; and how much stronger one frame may make strokes.
_FAINT, _STRONGER = 1e-6, 1.25
# The name of what was painted among what is carried on, where that is not what is shown.
_PAINTED = "painted"
# How far a network sees, and the sides of what is painted for itself are multiples of, in pixels.
_SEEN, _TILE = 48, 32
# In pixels: nearer to whole ones, nothing is gained by moving.
_WHOLE_PIXEL = 1 / 64


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What two neighbouring frames say, whatever they are painted as.

    Attributes:
        motion: from the frame before.
        parted: what of it stands, and what moves.
        alike: how alike both are after that, `(height, width)`, from 0 to 1.
        same: `(height, width)` uint8: not 0 where nothing has changed.
    """

    motion: Motion
    parted: Parted
    alike: np.ndarray
    same: np.ndarray

    @classmethod
    def of(cls, before: np.ndarray, content: np.ndarray) -> _Seen:
        """Of two frames, `(height, width, 3)` float32 in `[0, 1]`."""
        import cv2

        motion = steadied(Motion.between(before, content), before, content)
        off = _off(before, content)
        earlier, gray = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (before, content))
        moved = motion.carried(earlier, once=True)
        parted = Parted.of(motion)
        if parted.moves is None and _stands(off, earlier, moved, gray):
            parted = Parted.whole(np.zeros(2))
        return cls(motion, parted, _alike(moved, gray), _same(off))


class NetworkFrames:
    """Paints a film's frames with a network.

    A network that paints by a stride of four pixels sets other strokes for a picture that has moved
    on by one, and where a face comes into view, normalisation changes the colours of all that is
    beside it. So in each shot

    - its maps are anchored to what is seen: they follow the camera, by parts of pixels. Where much
      stands before or behind what moves, both have anchors of their own;
    - its statistics are carried on. They follow the film slowly, and stand still where much of a
      frame does;
    - what stood elsewhere a frame ago is carried from there, and the new frame is blended in.

    Args:
        painter: of still pictures. A stranger's network has no statistics and no stride that we
            know of, and large frames are painted by their own: these are blended only.
        steadiness: 0, each frame by itself, to 1; `auto`: `STEADINESS`.

    Attributes:
        lags: as in `FramePainter`.

    Raises:
        InputError: if OpenCV is missing.

    Source: blending along optical flow: Chen, Liao, Yuan, Yu, Hua, Coherent Online Video Style
        Transfer, ICCV 2017 (of features). Ours: the anchor and the statistics.
    """

    lags: tuple[int, ...] = (1,)

    def __init__(self, painter: ModelPainter, steadiness: float | str = AUTO):
        if steadiness == AUTO:
            steadiness = STEADINESS
        self._steadiness = Number(0, 1).parse("steadiness", steadiness)
        if self._steadiness:
            needs("cv2")
        else:
            self.lags = ()
        self._painter, made = painter, painter.made
        self._network = CarriedNetwork(made.model, made.width) if made.width else None

    @property
    def settings(self) -> Settings:
        """With every `auto` resolved that matters here."""
        return self._painter.settings

    @property
    def weights(self) -> Mapping[str, str]:
        """`model` → fingerprint of its file."""
        return self._painter.weights

    def look(self, before: np.ndarray, content: np.ndarray) -> _Seen | None:
        """How things moved: see `FramePainter`."""
        return _Seen.of(before, content) if self._steadiness else None

    def paint(self, content: np.ndarray, past: Past | None) -> Painted:
        """Paint a frame: see `FramePainter`.

        Raises:
            InputError: if the network can't paint this frame.
        """
        content = np.ascontiguousarray(content, np.float32)
        if not self._steadiness:
            return self._finished(Painted(self._painter.painted(content)), content)
        return self._finished(self._steady(content, past), content)

    def _finished(self, painted: Painted, content: np.ndarray) -> Painted:
        """The frame in the content's colours, and as strong, as the settings have it."""
        picture = self._painter.finished(painted.picture, content)
        if picture is painted.picture:
            return painted
        # What is blended into the next frame is what was painted.
        kept = eight_bit(painted.picture)
        return Painted(picture, {**painted.state, _PAINTED: kept})

    def _steady(self, content: np.ndarray, past: Past | None) -> Painted:
        """The frame as it is painted, before it is finished."""
        import cv2

        if past is None:
            return self._new(content)
        seen = past.seen
        if seen is None:
            seen = _Seen.of(np.ascontiguousarray(past.contents[1], np.float32), content)
        earlier = past.pictures[1]
        if _PAINTED in past.state:
            earlier = past.state[_PAINTED] / np.float32(255)
        earlier = np.ascontiguousarray(earlier, np.float32)
        made = self._new(content, past.state, seen.parted)
        carried = seen.motion.carried(earlier)
        trusted = self._steadiness * seen.motion.trust * seen.alike
        near = _near(carried, made.picture)
        kept = (1 - (1 - _KEPT * trusted) * (1 - near * trusted))[..., None]
        picture = made.picture + kept * (carried - made.picture)
        picture = _as_strong(picture, made.picture, kept)
        picture = _sharpened(picture, made.picture, kept * _between_pixels(seen.motion))
        # Where nothing changes, nothing is to change.
        return Painted(cv2.copyTo(earlier, seen.same, picture), made.state)

    def _new(
        self, content: np.ndarray, state: Mapping[str, np.ndarray] | None = None,
        parted: Parted | None = None,
    ) -> Painted:
        """The frame by itself, painted with what is carried on.

        Args:
            parted: what of it stands, and what moves; needed with `state`.
        """
        if self._network is None or content.shape[0] * content.shape[1] > WHOLE:
            return Painted(self._painter.painted(content))
        blocks = _blocks(content)
        if not (state and "statistics" in state):
            with tf.device(self._painter.settings.device):
                picture, known = self._network.begin(content)
            return Painted(picture, {"statistics": known, "reference": blocks,
                                     "place": np.zeros((2, 2), np.float32), "larger": np.array(0)})
        known, reference = state["statistics"], state["reference"]
        rate = np.float32(_rate(reference, blocks))
        places = parted.carried(state["place"], int(state["larger"]))
        places = (places % STRIDE).astype(np.float32)
        larger = parted.larger
        picture, own = self._anchored(content, places[larger], known, follows=rate > 0)
        if parted.moves is not None and (places[0] != places[1]).any():
            smaller = 1 - parted.moves if larger else parted.moves
            box = _box(smaller)
            painted, _ = self._anchored(content[box], places[1 - larger], known, follows=False)
            picture[box] += smaller[box][..., None] * (painted - picture[box])
        return Painted(picture, {
            "statistics": known + rate * (own - known), "place": places,
            "larger": np.array(larger), "reference": reference + rate * (blocks - reference)})

    def _anchored(
        self, content: np.ndarray, place: np.ndarray, known: np.ndarray, *, follows: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """What is painted by maps anchored at a place, with statistics of earlier frames.

        Returns:
            The picture; and, if `follows`, its own statistics, else those that are known.
        """
        whole = np.round(place)
        part = place - whole
        shown, place = _moved(content, part), (int(whole[0]) % STRIDE, int(whole[1]) % STRIDE)
        with tf.device(self._painter.settings.device):
            if follows:
                picture, known = self._network.follow(shown, known, place)
            else:
                picture = self._network.paint(shown, known, place)
        return _moved(picture, -part), known


def _box(where: np.ndarray) -> tuple[slice, slice]:
    """What holds all that is not 0, and what a network sees around it."""
    found = (np.flatnonzero(where.max(axis)) for axis in (1, 0))
    # By whole tiles: each size is another to prepare for, and maps begin at their strides.
    return tuple(slice(max(0, (each[0] - _SEEN) // _TILE * _TILE),
                       -(-(each[-1] + 1 + _SEEN) // _TILE) * _TILE) for each in found)


def _blocks(content: np.ndarray) -> np.ndarray:
    """The means of blocks of a frame."""
    import cv2

    height, width = (-(-side // _BLOCK) for side in content.shape[:2])
    return cv2.resize(content, (width, height), interpolation=cv2.INTER_AREA)


def _rate(reference: np.ndarray, blocks: np.ndarray) -> float:
    """How far statistics follow a frame, given what they are of.

    They wait until most of the frame has changed, which noise and one who walks by don't: where
    much of a frame stands still, its colours are to stand, too.
    """
    changed = _off(blocks, reference) > _CHANGED
    return _FOLLOW * float(np.clip((changed.mean() - _HELD) / (_FREE - _HELD), 0, 1))


def _off(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How far two pictures are apart at each pixel, in the channel where they are most."""
    return functools.reduce(np.maximum, np.moveaxis(np.abs(first - second), 2, 0))


def _same(off: np.ndarray) -> np.ndarray:
    """Where nothing has changed, `(height, width)` uint8, not 0; single blocks do not count.

    Those that a film's encoder left as they were would stand in what slowly changes.

    Args:
        off: how far two frames are apart, as `_off` has it.
    """
    import cv2

    same = (off < _SAME).astype(np.uint8)
    # An even side would shift what is left.
    side = max(*_AROUND, 2 * round(_UNMOVED * min(off.shape) / 2) + 1)
    return cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))


def _stands(off: np.ndarray, before: np.ndarray, moved: np.ndarray, after: np.ndarray) -> bool:
    """Whether the camera stands still, as far as anything is to be seen of it.

    A sky changes by no more than noise when the camera pans; but then its motion explains that.
    Light that flickers moves nothing.

    Args:
        off: how far two frames are apart, as `_off` has it.
        before, after: these frames, in gray.
        moved: the earlier one after its motion.
    """
    import cv2

    stands = cv2.blur(off, _AROUND) < _NOISE
    rough = cv2.absdiff(after, cv2.blur(after, _AROUND))
    if rough[stands].sum() < 0.4 * rough.sum():
        return False
    changes = (cv2.blur(after - each, _AROUND)[stands] for each in (before, moved))
    still, moving = (np.abs(each - np.median(each)).sum() for each in changes)
    return bool(still <= _EXPLAINED * moving)


def _moved(picture: np.ndarray, by: np.ndarray) -> np.ndarray:
    """A picture moved down and across by parts of a pixel.

    Source: Duchon, Journal of Applied Meteorology 1979 (Lanczos' window, here of four lobes).
    """
    import cv2

    if np.abs(by).max() < _WHOLE_PIXEL:
        return picture
    kernels = [np.sinc(at) * np.sinc(at / 4) * (np.abs(at) < 4)
               for at in (np.arange(-4, 5) + each for each in by)]
    down, across = (each / each.sum() for each in kernels)
    made = cv2.sepFilter2D(picture, -1, across, down, borderType=cv2.BORDER_REPLICATE)
    return np.clip(made, 0, 1, out=made)


def _alike(moved: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How alike two frames are after a motion, in gray: `(height, width)`, from 0 to 1."""
    import cv2

    return _halved(cv2.blur(cv2.absdiff(moved, after), _AROUND) / np.float32(_ALIKE))


def _near(carried: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """How little speaks for the new picture, `(height, width)`, from 0 to 1: noise is no reason."""
    import cv2

    return _halved(cv2.blur(_off(carried, painted), _AROUND) / np.float32(_NEAR))


def _halved(off: np.ndarray) -> np.ndarray:
    """1 at 0, a half at 1, and less and less beyond: a bell."""
    import cv2

    # In a tenth of the time of NumPy's exp2.
    return cv2.exp(np.square(off) * np.float32(-np.log(2)))


def _between_pixels(motion: Motion) -> np.ndarray:
    """How much interpolation smoothes, `(height, width, 1)`, from 0 to 1."""
    return np.minimum(4 * _off(motion.flow, np.round(motion.flow)), 1)[..., None]


def _as_strong(picture: np.ndarray, like: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A picture whose strokes are as strong again as those of another, place by place.

    A mean of strokes that do not meet is fainter than either.

    Args:
        where: `(height, width, 1)`, how far this is wanted, from 0 to 1.

    Source: Yu, Neyret, Bruneton, Holzschuch, Lagrangian Texture Advection, IEEE TVCG 2011 (what is
        blended keeps its variance).
    """
    import cv2

    height, width = picture.shape[:2]
    small = -(-width // _COARSE), -(-height // _COARSE)

    def strokes(of: np.ndarray) -> np.ndarray:
        coarse = cv2.blur(cv2.resize(of, small, interpolation=cv2.INTER_AREA), _STROKES)
        return of - cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)

    def strength(of: np.ndarray) -> np.ndarray:
        return cv2.blur(cv2.resize(np.square(of), small, interpolation=cv2.INTER_AREA),
                        _AROUND_STROKES) + _FAINT

    own = strokes(picture)
    wanted = strength(strokes(cv2.cvtColor(like, cv2.COLOR_RGB2GRAY)))
    gain = np.sqrt(wanted / strength(cv2.cvtColor(own, cv2.COLOR_RGB2GRAY)))
    gain = cv2.resize(np.clip(gain, 1, _STRONGER) - 1, (width, height),
                      interpolation=cv2.INTER_LINEAR)
    return np.clip(picture + (gain[..., None] * where) * own, 0, 1)


def _sharpened(picture: np.ndarray, like: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A picture whose edges are as strong again as those of another.

    A little in each frame is enough: what is carried on stays sharp.

    Args:
        where: `(height, width, 1)`, how far this is wanted, from 0 to 1.
    """
    import cv2

    wanted, found = (float((_edges(each) * where[..., 0]).sum()) for each in (like, picture))
    amount = min(np.sqrt(_WANTED * wanted / max(found, 1e-9)) - 1, _SHARPER)
    if amount <= 0:
        return picture
    fine = picture - cv2.GaussianBlur(picture, None, 1.0)
    return np.clip(picture + float(amount) * where * fine, 0, 1)


def _edges(picture: np.ndarray) -> np.ndarray:
    """The energy of edges."""
    import cv2

    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return sum(np.square(cv2.Sobel(gray, cv2.CV_32F, *axis, ksize=1, scale=0.5))
               for axis in ((1, 0), (0, 1)))
