"""Pictures as they come: from a camera, or from a film that is shown in its own time."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tf_style.film.extra import needs
from tf_style.film.source import open_film
from tf_style.settings import InputError

# Seconds that a camera may take to show its first picture.
_PATIENCE = 10.0
# Seconds after which a film's frame that is still shown comes once more.
_AGAIN = 0.1


class Source(Protocol):
    """Where pictures come from.

    Attributes:
        name: the option that it was asked for with.
    """

    name: str

    def pictures(self) -> Iterator[np.ndarray]:
        """`(height, width, 3)` uint8 RGB, each as soon as it is there."""


class Camera:
    """A camera, as OpenCV finds it.

    Args:
        number: of the camera, from 0.

    Raises:
        InputError: if there is none, or it cannot be used.
    """

    def __init__(self, number: int):
        needs("cv2")
        import cv2

        self.name = f"--camera={number}"
        with contextlib.suppress(AttributeError):
            # It says what it tries.
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device = cv2.VideoCapture(number)
        if not self._device.isOpened():
            raise InputError(f"--camera={number}: there is no such camera, or another program uses "
                             "it. In its place: --content=FILM")

    def pictures(self) -> Iterator[np.ndarray]:
        import cv2

        try:
            while True:
                is_there, picture = self._device.read()
                if not is_there:
                    return
                yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        finally:
            self._device.release()


class Shown:
    """A film in the place of a camera: over and over, each frame at its time.

    A frame that is shown for long comes again and again meanwhile, as it would from a camera.

    Args:
        name: as for `open_film`.
    """

    def __init__(self, name: str):
        with open_film(name):
            # What cannot be read is known before a window opens.
            self._film = name
        self.name = f"--content={name}"

    def pictures(self) -> Iterator[np.ndarray]:
        with open_film(self._film) as film:
            for _ in itertools.count():
                began, shown = time.monotonic(), None
                for frame in film.frames():
                    yield from _held(shown, began + float(frame.time))
                    shown = frame.picture
                    yield shown
                # The last one is shown for a while, too.
                yield from _held(shown, time.monotonic() + 1 / float(film.info.rate))


def _held(picture: np.ndarray | None, until: float) -> Iterator[np.ndarray]:
    """Wait until a time of the monotonic clock; a picture that is shown that long comes again."""
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _AGAIN))
        if left > _AGAIN and picture is not None:
            yield picture


class Newest:
    """The newest picture of a source, which a thread of its own reads; older ones are forgotten.

    Args:
        source: where pictures come from.
    """

    def __init__(self, source: Source):
        self._source = source
        self._picture: np.ndarray | None = None
        self._there = threading.Condition()
        self._ended = False
        self._error: InputError | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def take(self) -> np.ndarray | None:
        """The newest picture that was not taken yet, waited for; `None` if there are no more.

        Raises:
            InputError: if the source could not be read any further, or shows nothing.
        """
        with self._there:
            came = self._there.wait_for(lambda: self._picture is not None or self._ended, _PATIENCE)
            picture, self._picture = self._picture, None
        if picture is not None:
            return picture
        if self._error:
            raise self._error
        if not came:
            raise InputError(f"{self._source.name}: no picture came for {_PATIENCE:g} seconds")
        return None

    def close(self) -> None:
        """Read no more."""
        with self._there:
            self._ended = True
        self._thread.join(_PATIENCE)

    def _read(self) -> None:
        pictures = self._source.pictures()
        try:
            for picture in pictures:
                with self._there:
                    if self._ended:
                        break
                    self._picture = picture
                    self._there.notify()
        except InputError as error:
            self._error = error
        finally:
            pictures.close()
            with self._there:
                self._ended = True
                self._there.notify()


class Pace:
    """Pictures a second, over the last few."""

    def __init__(self, few: int = 20):
        self._few = few
        self._times: list[float] = []

    def count(self, now: float) -> float:
        """One more is shown at `now`, in seconds; returns how many a second, 0 at the first."""
        self._times = [*self._times[-self._few :], now]
        passed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / passed if passed > 0 else 0.0
