"""Pictures as they come."""

from __future__ import annotations

import itertools
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from tests.film.films import number_of, write
from tf_style.film.live import Camera, Newest, Pace, Shown
from tf_style.film.source import open_film
from tf_style.settings import InputError


class Counted:
    """A source whose pictures are numbers, each when it is told to come."""

    def __init__(self, count):
        self.closed = False
        self._count = count
        self._go = threading.Semaphore(0)
        self.came = threading.Semaphore(0)

    def more(self, count=1):
        for _ in range(count):
            self._go.release()
            assert self.came.acquire(timeout=5)

    def pictures(self):
        try:
            for number in range(self._count):
                assert self._go.acquire(timeout=5)
                # When the next is asked for, this one is there to be taken.
                yield np.full((1, 1, 3), number, np.uint8)
                self.came.release()
        finally:
            self.closed = True
            self.came.release()


def test_only_the_newest_picture_waits():
    source = Counted(5)
    newest = Newest(source)
    source.more(4)
    assert newest.take()[0, 0, 0] == 3
    source.more()
    assert newest.take()[0, 0, 0] == 4
    assert newest.take() is None
    assert source.closed


def test_closing_closes_the_source():
    source = Counted(1000)
    newest = Newest(source)
    source.more(2)
    source._go.release()
    newest.close()
    assert source.closed


def test_what_stops_the_source_is_raised():
    class Broken:
        def pictures(self):
            yield np.zeros((1, 1, 3), np.uint8)
            raise InputError("film.mp4: it ends here")

    newest = Newest(Broken())
    with pytest.raises(InputError, match="it ends here"):
        while True:
            newest.take()


def test_a_camera_that_shows_nothing_is_not_waited_for_forever(monkeypatch):
    class Blind:
        name = "--camera=1"

        def pictures(self):
            time.sleep(0.5)
            yield from ()

    monkeypatch.setattr("tf_style.film.live._PATIENCE", 0.05)
    with pytest.raises(InputError, match=r"camera=1: no picture came for 0\.05 seconds"):
        Newest(Blind()).take()


def test_a_film_in_place_of_a_camera_is_shown_over_and_over_in_its_time(tmp_path):
    path = write(tmp_path / "film.mp4", 5, rate=50)
    began = time.monotonic()
    shown = [number_of(each) for each in itertools.islice(Shown(str(path)).pictures(), 12)]
    assert shown == [0, 1, 2, 3, 4] * 2 + [0, 1]
    # Two films and a frame, less than that only if times were not kept.
    assert time.monotonic() - began > 2 * 5 / 50


class Clock:
    """Time that passes where somebody waits."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_a_frame_that_is_shown_for_long_comes_again_and_again(tmp_path, monkeypatch):
    """What waits for pictures neither gives up nor leaves a key or a signal waiting."""
    path = write(tmp_path / "slides.mkv", 2, times=[Fraction(0), Fraction(30)])
    clock = Clock()
    monkeypatch.setattr("tf_style.film.live.time", clock)
    source = Shown(str(path))
    assert source.name == f"--content={path}"
    seen = []
    for picture in source.pictures():
        seen.append((clock.now, number_of(picture)))
        if clock.now > 200:
            break
    assert max(after - before for (before, _), (after, _) in itertools.pairwise(seen)) < 0.11
    with open_film(str(path)) as film:
        second = 30 + 1 / float(film.info.rate)
    # Several times over, each in its time.
    assert not any(number for now, number in seen if 0.05 < now % second < 29.95)
    assert sum(number for _, number in seen) >= 6


def test_a_film_that_cannot_be_read_is_known_at_once(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Shown(str(tmp_path / "gone.mp4"))


def test_a_camera_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match="no such camera"):
        Camera(98)


def test_pictures_a_second():
    pace = Pace(few=4)
    assert pace.count(1.0) == 0
    assert [pace.count(1 + 0.1 * each) for each in range(1, 9)] == pytest.approx([10] * 8)
    # Of the last few alone.
    assert pace.count(2.8) < 10
