"""How steady a painted film is, beside the film that it was made from."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tf_style.film.cuts import is_cut
from tf_style.film.flow import Motion
from tf_style.image.color import gradient_magnitude, luminance
from tf_style.image.resize import resize

# How many frames ago the frames are that each is compared with.
LAGS = (1, 5)
# How long a still part is held against one frame: what a film may drift is told for 100.
_WINDOW = 100
# A part is still if so little changes around it, in parts of the range and in pixels: less is the
# noise of an encoder. Flat parts that move do not change either, but flow goes through them.
_UNCHANGED, _AROUND, _UNMOVED = 2 / 255, 15, 0.25
# Of fewer pixels' drift nothing is said, in parts of the frame.
_LEAST_STILL = 0.01

_NOT_MEASURED = float("nan")


@dataclasses.dataclass(frozen=True)
class Moment:
    """The measures of one frame. What could not be measured is `nan`.

    Attributes:
        time: in seconds.
        cut: whether a shot begins.
        warping_error_1: mean absolute difference, in parts of the range, between the frame and the
            one before, moved to where things are now, over what the motion is trusted for.
        warping_error_5: likewise, of the frame five frames ago.
        source_warping_error_1, source_warping_error_5: the same of the source.
        drift: how much parts have changed, on average, that do not change in the source: since they
            stand still, or for up to 100 frames; in 255ths of the range.
        still: the share of the frame that stands still in the source.
        edge_energy: mean of the squared luminance gradient, relative to the shot's first frame.
        source_edge_energy: the same of the source.
    """

    time: float
    cut: bool = False
    warping_error_1: float = _NOT_MEASURED
    warping_error_5: float = _NOT_MEASURED
    source_warping_error_1: float = _NOT_MEASURED
    source_warping_error_5: float = _NOT_MEASURED
    drift: float = _NOT_MEASURED
    still: float = 0
    edge_energy: float = _NOT_MEASURED
    source_edge_energy: float = _NOT_MEASURED


@dataclasses.dataclass(frozen=True)
class Steadiness:
    """The measures of a film: of its moments, what they come to.

    Attributes:
        warping_error_1, warping_error_5, source_warping_error_1, source_warping_error_5: mean.
        relative_error_1, relative_error_5: how many times the source's own the film's is.
        drift: the largest, of moments at which enough stands still to tell.
        edge_energy, source_edge_energy: mean over the last tenth of the film.
    """

    warping_error_1: float
    warping_error_5: float
    source_warping_error_1: float
    source_warping_error_5: float
    relative_error_1: float
    relative_error_5: float
    drift: float
    edge_energy: float
    source_edge_energy: float

    @classmethod
    def of(cls, moments: Sequence[Moment]) -> Steadiness:
        """What the moments of a film come to."""
        def mean(name: str, some: Sequence[Moment]) -> float:
            values = [value for each in some if np.isfinite(value := getattr(each, name))]
            return float(np.mean(values)) if values else _NOT_MEASURED

        errors = {f"{kind}warping_error_{lag}": mean(f"{kind}warping_error_{lag}", moments)
                  for kind in ("", "source_") for lag in LAGS}
        relative = {}
        for lag in LAGS:
            own = errors[f"source_warping_error_{lag}"]
            relative[f"relative_error_{lag}"] = (
                errors[f"warping_error_{lag}"] / own if own > 0 else _NOT_MEASURED
            )
        drifts = [each.drift for each in moments if np.isfinite(each.drift)]
        last = moments[-max(1, len(moments) // 10) :]
        return cls(
            **errors, **relative, drift=max(drifts, default=_NOT_MEASURED),
            **{name: mean(name, last) for name in ("edge_energy", "source_edge_energy")},
        )


class FilmMeasure:
    """Measures a film frame by frame; keeps no more than six frames, and `Moment`s.

    Args:
        motion: `(before, after) → Motion` of two frames by their numbers, if it is known exactly;
            by default it is found in the source, and so are cuts.

    Attributes:
        moments: of the frames so far.
    """

    def __init__(self, motion: Callable[[int, int], Motion] | None = None):
        self.moments: list[Moment] = []
        self._known = motion
        self._before: collections.deque[tuple[np.ndarray, np.ndarray]] = collections.deque(
            maxlen=max(LAGS)
        )
        self._still: _Still | None = None
        self._energies: tuple[float, float] = (0, 0)

    def add(self, source: np.ndarray, generated: np.ndarray, time: float) -> Moment:
        """Measure the next frame.

        Args:
            source: `(height, width, 3)` in `[0, 1]`; seen at the size of the generated frame.
            generated: likewise.
            time: in seconds.
        """
        source = np.clip(resize(source, *generated.shape[:2]), 0, 1)
        generated = np.asarray(generated, np.float32)
        cut = self._is_cut(source)
        energies = _edge_energy(generated), _edge_energy(source)
        if cut or not self.moments:
            self._before.clear()
            self._still, self._energies = _Still(source, generated), energies
        relative = [now / first if first > 0 else _NOT_MEASURED
                    for now, first in zip(energies, self._energies, strict=True)]
        errors, drift, still = {}, _NOT_MEASURED, 0.0
        for lag in LAGS:
            if lag > len(self._before):
                continue
            earlier, painted = self._before[-lag]
            motion = self._motion(earlier, source, lag)
            errors[f"warping_error_{lag}"] = _warping_error(motion, painted, generated)
            errors[f"source_warping_error_{lag}"] = _warping_error(motion, earlier, source)
            if lag == 1:
                drift, still = self._still.drift(source, generated, motion)
        self._before.append((source, generated))
        self.moments.append(Moment(
            float(time), cut, **errors, drift=drift, still=still, edge_energy=relative[0],
            source_edge_energy=relative[1],
        ))
        return self.moments[-1]

    def _is_cut(self, source: np.ndarray) -> bool:
        return bool(self._known is None and self._before and is_cut(self._before[-1][0], source))

    def _motion(self, earlier: np.ndarray, source: np.ndarray, lag: int) -> Motion:
        if self._known is None:
            return Motion.between(earlier, source)
        number = len(self.moments)
        return self._known(number - lag, number)


def measure_film(
    source: Iterable[np.ndarray], generated: Iterable[np.ndarray],
    motion: Callable[[int, int], Motion] | None = None, *, rate: float = 25,
) -> list[Moment]:
    """Measure a film whose frames are at hand.

    Args:
        source, generated: frames `(height, width, 3)` in `[0, 1]`, as many in each.
        motion: as for `FilmMeasure`.
        rate: frames a second.

    Raises:
        ValueError: if there are more of the one than of the other.
    """
    measure = FilmMeasure(motion)
    for number, pair in enumerate(zip(source, generated, strict=True)):
        measure.add(*pair, number / rate)
    return measure.moments


class Samples:
    """Some frames of a film, spread evenly over it, however long it turns out to be.

    Args:
        count: how many; at any time, fewer than twice as many are kept.
    """

    def __init__(self, count: int):
        self._count = count
        self._step = 1
        self._seen = itertools.count()
        self._kept: list = []

    def add(self, frame: object) -> None:
        """Note the next frame."""
        if next(self._seen) % self._step:
            return
        self._kept.append(frame)
        if len(self._kept) >= 2 * self._count:
            self._kept, self._step = self._kept[::2], 2 * self._step

    def chosen(self) -> list:
        """The frames, in order; all, if there are no more."""
        if len(self._kept) <= self._count:
            return list(self._kept)
        at = np.linspace(0, len(self._kept) - 1, self._count).round().astype(int)
        return [self._kept[number] for number in at]


class _Still:
    """The parts of a shot that stand still, and what they were painted as when they began to."""

    def __init__(self, source: np.ndarray, generated: np.ndarray):
        self._source, self._generated = source.copy(), generated.copy()
        self._frames = 0

    def drift(
        self, source: np.ndarray, generated: np.ndarray, motion: Motion
    ) -> tuple[float, float]:
        """How much these parts have changed, in 255ths, and which share of the frame they are."""
        import cv2

        change = cv2.blur(np.abs(source - self._source).mean(axis=2), (3, 3))
        change = cv2.dilate(change, np.ones((_AROUND, _AROUND), np.uint8))
        moved = (change > _UNCHANGED) | (np.linalg.norm(motion.flow, axis=2) > _UNMOVED)
        still = 1 - float(moved.mean())
        drift = _NOT_MEASURED
        if still >= _LEAST_STILL:
            drift = 255 * float(np.abs(generated - self._generated)[~moved].mean())
        self._frames += 1
        if self._frames % _WINDOW == 0:
            moved[:] = True
        self._source[moved], self._generated[moved] = source[moved], generated[moved]
        return drift, still


def _warping_error(motion: Motion, before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of a frame and an earlier one that was moved, by trust."""
    trust = np.asarray(motion.trust, np.float64)
    if not trust.sum() > 0:
        return _NOT_MEASURED
    difference = np.abs(motion.carried(before) - after).mean(axis=2)
    return float(np.average(difference, weights=trust))


def _edge_energy(picture: np.ndarray) -> float:
    if min(picture.shape[:2]) < 2:
        return 0.0
    return float(np.square(gradient_magnitude(luminance(picture))).mean())
