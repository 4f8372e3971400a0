"""Films as numbered pictures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests.film.films import number_of, pattern
from tf_style.film.source import open_film
from tf_style.settings import InputError


def test_pictures_come_by_number_and_not_by_letter(tmp_path):
    for number in (1, 2, 9, 10, 11):
        Image.fromarray(pattern(number)).save(tmp_path / f"frame{number}.png")
    with open_film(str(tmp_path), Fraction(30000, 1001)) as film:
        frames = list(film.frames())
    assert [number_of(each.picture) for each in frames] == [1, 2, 9, 10, 11]
    assert frames[-1].time == 4 * Fraction(1001, 30000)
    assert film.info.frames == 5


def test_transparent_pictures_are_over_white(tmp_path):
    layers = np.zeros((8, 8, 4), np.uint8)
    Image.fromarray(layers).save(tmp_path / "1.png")
    with open_film(str(tmp_path), Fraction(25)) as film:
        frame = next(film.frames())
    assert (frame.picture == 255).all() and (frame.alpha == 0).all()


def test_frames_of_another_size_are_refused_by_name(tmp_path):
    Image.fromarray(pattern(0)).save(tmp_path / "1.png")
    Image.fromarray(pattern(0, 16, 16)).save(tmp_path / "2.png")
    with (pytest.raises(InputError, match=r"2\.png: is 16x16, and the first frame 48x32"),
          open_film(str(tmp_path), Fraction(25)) as film):
        list(film.frames())


def test_a_folder_without_pictures_is_refused(tmp_path):
    with (pytest.raises(InputError, match="no picture matches"),
          open_film(str(tmp_path), Fraction(25))):
        pass


def test_a_folder_without_a_rate_is_told_what_it_needs(tmp_path):
    with pytest.raises(InputError, match="fps"), open_film(str(tmp_path)):
        pass
