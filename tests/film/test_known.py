"""Films that were gone through once: any piece of them is found soon, and is the same."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.film.films import write
from tf_style.film.known import Known
from tf_style.film.making import Selection
from tf_style.film.source import Frame, open_film

COUNT = 60
# Frames for 10 to 120 milliseconds each.
UNEVEN = [Fraction(sum(10 + number * 37 % 111 for number in range(each)), 1000)
          for each in range(COUNT)]
GROUPS = {"g": "12", "keyint_min": "12", "sc_threshold": "0", "crf": "20"}


def moving(number, height=32, width=48):
    """Noise that moves, so that a frame needs those around it."""
    noise = np.random.default_rng(number // 20).integers(0, 256, (height, width, 3), np.uint8)
    return np.roll(noise, 2 * number, 1)


def known_of(film, selection):
    known = Known()
    for frame in selection.taken(film):
        known.add(frame)
    return known


@pytest.mark.parametrize(("name", "codec", "options"), [
    ("a.mp4", "libx264", {**GROUPS, "bf": "3"}),
    ("open.mp4", "libx264", {**GROUPS, "bf": "3", "x264-params": "open-gop=1"}),
    ("a.mkv", "libx264", {**GROUPS, "bf": "2"}), ("a.webm", "libvpx-vp9", {"g": "12"}),
    ("a.mov", "mpeg4", {"g": "12", "bf": "2"}),
])
@pytest.mark.parametrize("times", [None, UNEVEN])
@pytest.mark.parametrize("selection", [Selection(), Selection(Fraction(1, 3), every=3)])
def test_a_piece_is_the_same_and_found_soon(tmp_path, name, codec, options, times, selection):
    path = write(tmp_path / name, COUNT, codec=codec, options=options, times=times, picture=moving)
    with open_film(str(path)) as film:
        whole = list(selection.frames(film))
        known = known_of(film, selection)
        assert len(whole) == len(known.times) > 10

        def never():
            raise AssertionError("read from the beginning")

        for first in (0, 1, len(whole) // 2, len(whole) - 3):
            end = min(first + 9, len(whole))
            read = never if first else lambda: selection.frames(film)
            piece = list(known.frames(film, first, end, read))
            assert [each.time for each in piece] == [each.time for each in whole[first:end]]
            for one, other in zip(piece, whole[first:end], strict=True):
                np.testing.assert_array_equal(one.picture, other.picture)


def test_what_was_not_needed_was_not_decoded(tmp_path, monkeypatch):
    from tf_style.film.container import Container

    path = write(tmp_path / "a.mp4", COUNT, options=GROUPS, picture=moving)
    pixels, decoded = Container._pixels, []
    with open_film(str(path)) as film:
        known = known_of(film, Selection())
        monkeypatch.setattr(
            Container, "_pixels", lambda self, frame: decoded.append(1) or pixels(self, frame))
        assert len(list(known.frames(film, 52, 57, list))) == 5
    # From a key frame, of which every twelfth is one, before the sixteenth before.
    assert len(decoded) == 57 - 36


@pytest.mark.parametrize("wrong", ["early", "late", "pixels", "end"])
def test_where_a_film_is_another_it_is_read_from_its_beginning(wrong):
    pictures = [np.full((4, 4, 3), number, np.uint8) for number in range(10)]
    frames = [Frame(each, Fraction(number, 10)) for number, each in enumerate(pictures)]
    entered = {
        "early": frames[8:], "late": [frames[4], frames[6]], "end": frames[:6],
        "pixels": [frames[4], frames[5], Frame(pictures[3], frames[6].time), frames[7]],
    }[wrong]

    class Film:
        asked = []  # noqa: RUF012

        def frames(self, begin=None):
            self.asked.append(begin)
            return iter(frames if begin is None else entered)

    film, known = Film(), Known()
    for frame in frames:
        known.add(frame)
    piece = list(known.frames(film, 4, 9, film.frames))
    assert [each.time for each in piece] == [each.time for each in frames[4:9]]
    np.testing.assert_array_equal([each.picture for each in piece], pictures[4:9])
    assert film.asked == [0, None]


def test_transparency_counts():
    picture, alpha = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)
    known = Known()
    for each in (None, alpha, alpha + 1):
        known.add(Frame(picture, Fraction(0), each))
    assert len({*known.digests}) == 3
