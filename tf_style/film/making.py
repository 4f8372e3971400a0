"""Painting a film frame by frame, from where it stands to its end. No TensorFlow."""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tf_style.film.ahead import ahead
from tf_style.film.cuts import is_cut
from tf_style.film.frame import FramePainter, Past
from tf_style.film.known import Known
from tf_style.film.pieces import Piece
from tf_style.film.source import Film, Frame, Info
from tf_style.film.store import Store
from tf_style.image.numbers import eight_bit
from tf_style.settings import InputError


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which frames of a film are taken.

    Attributes:
        start, end: in seconds since its beginning; `None` for its end.
        every: 1 for all frames, 2 for every second one.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    every: int = 1

    @classmethod
    def noted(cls, note: str) -> Selection:
        """What a painted film's note says was taken; all, where it says nothing of the kind."""
        try:
            found = json.loads(note)["taken"]
            end = found["end"] and Fraction(found["end"])
            return cls(Fraction(found["start"]), end, max(1, int(found["every"])))
        except (ValueError, TypeError, KeyError, ZeroDivisionError, RecursionError):
            return cls()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, for a note."""
        return {"start": str(self.start), "end": self.end and str(self.end), "every": self.every}

    def frames(self, film: Film) -> Iterator[Frame]:
        """Those frames, their times counted from the first."""
        first = None
        for frame in self.taken(film):
            first = frame.time if first is None else first
            yield dataclasses.replace(frame, time=frame.time - first)

    def taken(self, film: Film) -> Iterator[Frame]:
        """The same with the times that they have in the film.

        Where none begins to be shown between `start` and `end`, it is the one that is shown then.
        """
        number, before, total = 0, None, film.info.frames
        lasts = total is not None and total / film.info.rate > self.start
        for frame in film.frames():
            if frame.time < self.start:
                before = frame
                continue
            if self.end is not None and frame.time >= self.end:
                lasts = True
                break
            if number % self.every == 0:
                yield frame
            number += 1
        if before and lasts and not number:
            yield before

    def count(self, info: Info) -> int | None:
        """How many there are, or about so many; `None` if that is not known."""
        if info.frames is None:
            return None
        ends = info.frames if self.end is None else min(info.frames, self.end * info.rate)
        return max(1, round((ends - self.start * info.rate) / self.every))


class _Looked(NamedTuple):
    """A frame of the film, and what is known of it before the frames before it are painted.

    Attributes:
        number, time, alpha: which it is, when it is shown, and how opaque it is.
        content, values: the frame at the size that is painted, 8 bits and in `[0, 1]`.
        begins: the number of the frame that its shot begins with.
        is_missing: whether it is to be painted.
        seen: see `Past`.
    """

    number: int
    time: Fraction
    content: np.ndarray
    values: np.ndarray
    alpha: np.ndarray | None
    begins: int
    is_missing: bool
    seen: Any


class Making:
    """A film that is being painted.

    Args:
        film: the film.
        selection: which of its frames.
        size: height and width to paint at, in pixels.
        painter: paints its frames.
        store: where painted frames are.
        piece: the part of the film to paint; `None` for all of it.
        whole: whether it goes through all of the film even so, to know when each frame is shown.
        known: what is known of its frames, if that is not needed, so that a piece is found sooner.

    Attributes:
        selection, size, painter, store: as they were given.
        times: when each frame is shown, in seconds since the first, of the frames seen so far.
        begins: when the first is shown, in seconds since the film's beginning, once it was seen;
            not before the selection's start.
        painted: how many frames were painted here.
        shots: how many shots were seen so far.
    """

    def __init__(
        self, film: Film, selection: Selection, size: tuple[int, int],
        painter: FramePainter, store: Store, piece: Piece | None = None, *, whole: bool = True,
        known: Known | None = None,
    ):
        self.times: list[Fraction] = []
        self.begins = selection.start
        self.painted = self.shots = 0
        self.selection, self.size, self.painter, self.store = selection, size, painter, store
        self._film, self._piece, self._known = film, piece, known
        self._first, self._end = (0, None) if whole or not piece else (piece.warm, piece.end)
        # Frames that lead to a piece are not those that the piece before it shows.
        self._leading = Store(store.folder / f"before_{piece.start}") if piece else store
        self._state: Mapping[str, np.ndarray] = {}
        self._last: tuple[int, np.ndarray] | None = None

    def frames(self) -> Iterator[int]:
        """Paint the frames that are missing; yields how many are dealt with, after each.

        A frame may still be being written then; the next one is not begun to be written before.

        Raises:
            InputError: if the film has no frames here, or one can be neither read nor written.
        """
        with ThreadPoolExecutor(1) as writer:
            written: Future[None] | None = None
            for number, work in self._painted_frames():
                if work:
                    if written:
                        written.result()
                    written = writer.submit(work)
                yield number + 1
            if written:
                written.result()
        if not self.times:
            raise InputError("--start: no frame of the film is shown then. Expected a time before "
                             "its end")

    def _painted_frames(self) -> Iterator[tuple[int, Callable[[], None] | None]]:
        """The number of each frame, and what keeps it if it was painted here."""
        contents: collections.deque[np.ndarray] = collections.deque(
            maxlen=max(self.painter.lags, default=0))
        for frame in ahead(self._looked(self._missing())):
            self.times.append(frame.time)
            self.shots += frame.begins == frame.number
            work = None
            if frame.is_missing:
                number, past = frame.number, self._past(frame, contents)
                made = self.painter.paint(frame.values, past)
                picture = eight_bit(made.picture)
                self._last, self._state = (number, picture), made.state
                work = functools.partial(self._keep, number, picture, frame.alpha, made.state)
                self.painted += 1
            contents.appendleft(frame.content)
            yield frame.number, work

    def _missing(self) -> Callable[[int], bool]:
        """Whether a frame is to be painted here."""
        there, piece = self.store.numbers(), self._piece
        if not piece:
            return lambda number: number not in there
        missing = {*range(piece.warm, piece.start)} - self._leading.numbers()
        missing |= {*range(piece.start, piece.end)} - there
        return missing.__contains__

    def _looked(self, is_missing: Callable[[int], bool]) -> Iterator[_Looked]:
        """The frames, with what can be said of each before the one before it is painted."""
        begins, before = 0, None
        if self._known and self._end is not None:
            frames = self._known.frames(
                self._film, self._first, self._end, lambda: self.selection.frames(self._film))
        else:
            frames = itertools.islice(self._taken(), self._first, self._end)
        fitted = ((frame, self._fitted(frame.picture)) for frame in frames)
        for number, (frame, content) in enumerate(ahead(fitted), self._first):
            values, seen = _values(content), None
            if before is None or is_cut(before, values):
                begins = number
            elif is_missing(number) and number > self._begins(begins):
                seen = self.painter.look(before, values)
            before = values
            yield _Looked(number, frame.time, content, values, frame.alpha, begins,
                          is_missing(number), seen)

    def _taken(self) -> Iterator[Frame]:
        """All frames that are taken, their times counted from the first."""
        first = None
        for frame in self.selection.taken(self._film):
            if first is None:
                first = frame.time
                self.begins = max(first, self.selection.start)
            yield dataclasses.replace(frame, time=frame.time - first)

    def is_complete(self) -> bool:
        """Whether all frames of the film are painted."""
        return self.store.numbers() >= set(range(len(self.times)))

    def _of(self, number: int) -> Store:
        """Where a frame is kept, or would be."""
        return self._leading if self._piece and number < self._piece.start else self.store

    def _fitted(self, picture: np.ndarray) -> np.ndarray:
        if picture.shape[:2] == self.size:
            return picture
        return _resized(picture, self.size)

    def _begins(self, shot: int) -> int:
        """The first frame that is painted here of a shot that begins at `shot`."""
        return shot if self._piece is None else max(shot, self._piece.warm)

    def _past(self, frame: _Looked, contents: collections.deque[np.ndarray]) -> Past | None:
        number, first = frame.number, self._begins(frame.begins)
        lags = [lag for lag in self.painter.lags if number - lag >= first]
        if number == first:
            return None
        if self._last and self._last[0] == number - 1:
            state = self._state
        else:
            # Gone where somebody deleted a frame in the middle.
            state = self._of(number - 1).state(number - 1) or {}
        return Past({lag: _values(contents[lag - 1]) for lag in lags},
                    {lag: _values(self._picture(number - lag)) for lag in lags}, state, frame.seen)

    def _picture(self, number: int) -> np.ndarray:
        if self._last and self._last[0] == number:
            return self._last[1]
        return self._of(number).picture(number)

    def _keep(
        self, number: int, picture: np.ndarray, alpha: np.ndarray | None,
        state: Mapping[str, np.ndarray],
    ) -> None:
        if alpha is not None and alpha.shape != self.size:
            alpha = _resized(alpha, self.size)
        self._of(number).add(number, picture, alpha, state)


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """8 bits at another size."""
    import cv2

    height, width = size
    if height <= picture.shape[0] and width <= picture.shape[1]:
        # By OpenCV's means of areas, in a tenth of the time.
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def _values(picture: np.ndarray) -> np.ndarray:
    """`(height, width, 3)` float32 in `[0, 1]`."""
    return picture.astype(np.float32) / 255
