"""Painting a film from wherever it stands."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

from tf_style.film.frame import Painted
from tf_style.film.making import Making, Selection
from tf_style.film.pieces import Piece, cuts_of, pieces
from tf_style.film.source import Frame, Info
from tf_style.film.store import Store
from tf_style.settings import InputError

SIZE = (24, 32)


class Shown:
    """A film in memory: two shots, at the fixed times of its frames."""

    def __init__(self, count=12, cut=7, size=SIZE, alpha=None):
        self.broken = 0
        self.info = Info(size[1], size[0], Fraction(10), count)
        generator = np.random.default_rng(0)
        shots = [generator.integers(0, 256, (*size, 3), np.uint8) for _ in range(2)]
        self.pictures = [np.roll(shots[number >= cut], number, 1) for number in range(count)]
        self.alpha = alpha

    def frames(self):
        for number, picture in enumerate(self.pictures):
            yield Frame(picture, Fraction(number, 10), self.alpha)

    def close(self):
        pass


class Counting:
    """Paints what depends on all frames before, and remembers what it was shown."""

    lags = (1, 3)

    def __init__(self):
        self.seen = []

    def look(self, before, content):
        return None

    def paint(self, content, past):
        self.seen.append(past)
        if past is None:
            return Painted(content * 0.5, {"count": np.ones(1)})
        count = past.state["count"] + 1
        mixed = sum(past.pictures.values()) / len(past.pictures)
        held = sum(past.contents.values()) / len(past.contents)
        return Painted(0.3 * content + 0.3 * mixed + 0.3 * held + 0.001 * count, {"count": count})


def made(tmp_path, film, stops=(), selection=None, piece=None):
    """All frames of a film whose making is stopped after so many frames, again and again."""
    store = Store(tmp_path)
    for stop in (*stops, None):
        making = Making(film, selection or Selection(), SIZE, Counting(), store, piece)
        for done in making.frames():
            if stop is not None and done > stop:
                break
    return making, [store.layers(number) for number in sorted(store.numbers())]


@pytest.mark.parametrize("piece", [None, Piece(2, 4, 2)])
@pytest.mark.parametrize(("start", "begins"), [(0, 0), (0.3, 0.3), (0.41, 0.5)])
def test_it_is_known_when_the_first_frame_is_shown(tmp_path, piece, start, begins):
    selection = Selection(Fraction(str(start)))
    making, _ = made(tmp_path, Shown(), selection=selection, piece=piece)
    assert making.begins == Fraction(str(begins)) and making.times[0] == 0


def slides():
    """Three frames, shown for three seconds each."""
    film = Shown(3)
    film.info = dataclasses.replace(film.info, rate=Fraction(1, 3))
    film.frames = lambda: (Frame(picture, 3 * Fraction(number), None)
                           for number, picture in enumerate(film.pictures))
    return film


@pytest.mark.parametrize(("start", "end", "time"), [(4, 5, 3), (1, 2, 0), (7, 8, 6), (8, None, 6)])
def test_where_no_frame_begins_it_is_the_one_that_is_shown(tmp_path, start, end, time):
    selection = Selection(Fraction(start), end and Fraction(end), every=2)
    assert [each.time for each in selection.taken(slides())] == [time]
    making, (frame,) = made(tmp_path, slides(), selection=selection)
    assert making.times == [0] and making.begins == start
    assert np.abs(frame - 0.5 * slides().pictures[time // 3]).max() <= 0.5


def test_after_the_end_of_a_film_no_frame_is_shown():
    assert not list(Selection(Fraction(9)).taken(slides()))


def test_a_painter_may_need_nothing_of_earlier_frames(tmp_path):
    painter = Counting()
    painter.lags = ()
    painter.paint = lambda content, past: Painted(0.5 * content)
    store = Store(tmp_path)
    assert list(Making(Shown(), Selection(), SIZE, painter, store).frames())[-1] == 12
    assert np.abs(store.layers(11) - 0.5 * Shown().pictures[11]).max() <= 0.5


def test_a_film_that_was_stopped_has_the_same_frames(tmp_path):
    _, whole = made(tmp_path / "whole", Shown())
    making, stopped = made(tmp_path / "stopped", Shown(), stops=(0, 0, 3, 6, 7, 10))
    np.testing.assert_array_equal(whole, stopped)
    assert making.painted == 1
    assert making.is_complete()


def test_each_shot_begins_anew_and_looks_back_no_further(tmp_path):
    store, painter, film = Store(tmp_path), Counting(), Shown()
    making = Making(film, Selection(), SIZE, painter, store)
    assert list(making.frames()) == list(range(1, 13))
    assert making.shots == 2
    lags = [None if past is None else sorted(past.pictures) for past in painter.seen]
    assert lags == [None, [1], [1], *[[1, 3]] * 4, None, [1], [1], [1, 3], [1, 3]]
    np.testing.assert_allclose(painter.seen[5].contents[3], film.pictures[2] / np.float32(255))
    np.testing.assert_allclose(painter.seen[5].pictures[3], store.picture(2) / np.float32(255))


def test_frames_are_painted_at_the_size_asked_for(tmp_path):
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:24] = 0
    film = Shown(3, size=(48, 64), alpha=alpha)
    _, frames = made(tmp_path, film)
    assert frames[0].shape == (*SIZE, 4)
    assert (frames[0][:8, :, 3] == 0).all() and (frames[0][16:, :, 3] == 255).all()


@pytest.mark.parametrize(("selection", "expected"), [
    (Selection(), list(range(12))),
    (Selection(start=Fraction(1, 4)), list(range(3, 12))),
    (Selection(end=Fraction(1, 2)), list(range(5))),
    (Selection(Fraction(1, 10), Fraction(8, 10), 3), [1, 4, 7]),
])
def test_a_part_of_a_film_begins_at_zero(selection, expected):
    film = Shown()
    frames = list(selection.frames(film))
    assert [int(each.time * 10) for each in frames] == [each - expected[0] for each in expected]
    assert all((each.picture == film.pictures[number]).all()
               for each, number in zip(frames, expected, strict=True))
    assert selection.count(film.info) == pytest.approx(len(expected), abs=1)


def test_a_part_beyond_the_end_is_refused(tmp_path):
    with pytest.raises(InputError, match="no frame of the film"):
        made(tmp_path, Shown(), selection=Selection(start=Fraction(9)))


def test_pieces_are_the_film_whoever_paints_them(tmp_path):
    film = Shown(24, 7)
    count, cuts = cuts_of(film.pictures)
    assert (count, cuts) == (24, [0, 7])
    found = pieces(count, cuts, 3)
    # A shot begins near 8; the other boundary lies within one, and is led up to.
    assert found == [Piece(0, 7, 0), Piece(7, 16, 7), Piece(16, 24, 8)]
    _, whole = made(tmp_path / "whole", film)
    for piece in (found[2], found[0], found[1]):
        making, _ = made(tmp_path / "pieces", film, piece=piece)
    assert making.is_complete()
    _, together = made(tmp_path / "pieces", film)
    assert len(together) == 24
    # Up to the second boundary nothing differs; behind it, nothing that can be seen.
    np.testing.assert_array_equal(whole[:16], together[:16])
    differences = np.abs(np.subtract(whole[16:], together[16:], dtype=np.float64))
    assert 0 < differences.max() < 8


def test_a_piece_that_was_stopped_has_the_same_frames(tmp_path):
    film, piece = Shown(24, 7), Piece(16, 24, 8)
    _, whole = made(tmp_path / "whole", film, piece=piece)
    _, stopped = made(tmp_path / "stopped", film, stops=(10, 17, 18, 21), piece=piece)
    assert len(whole) == 8
    np.testing.assert_array_equal(whole, stopped)


@pytest.mark.parametrize("piece", [Piece(0, 7, 0), Piece(3, 12, 3), Piece(16, 24, 8)])
def test_a_piece_alone_has_the_same_frames(tmp_path, piece):
    """Only the frames that belong to it are looked at."""
    film = Shown(24, 7)
    _, frames = made(tmp_path / "whole", film, piece=piece)
    making = Making(film, Selection(), SIZE, Counting(), Store(tmp_path / "alone"), piece,
                    whole=False)
    assert list(making.frames()) == list(range(piece.warm + 1, piece.end + 1))
    assert len(making.times) == making.painted == piece.end - piece.warm
    assert making.store.numbers() == {*range(piece.start, piece.end)}
    np.testing.assert_array_equal(
        frames, [making.store.layers(number) for number in range(piece.start, piece.end)])


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (1, 5), (7, 7), (10, 3), (100, 7)])
def test_pieces_leave_nothing_out(count, parts):
    found = pieces(count, [0], parts)
    assert [found[0].start, found[-1].end] == [0, count]
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
    assert all(0 <= each.warm <= each.start < each.end for each in found)
