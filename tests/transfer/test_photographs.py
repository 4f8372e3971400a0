"""Photographs to learn from."""

import numpy as np
import pytest
from PIL import Image

from tf_style.settings import InputError
from tf_style.transfer import photographs
from tf_style.transfer.photographs import Photographs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photographs_of(count, size=(60, 40)):
    names = []
    for number in range(count):
        Image.new("RGB", size, (number, 100, 0)).save(f"{number}.png")
        names.append(f"{number}.png")
    return names


def test_one_in_ten_is_held_out(folder):
    found = Photographs.read(photographs_of(60), seed=0)
    assert (len(found.held_out), len(found.pictures), found.given) == (6, 54, 54)
    shades = [{int(each[0, 0, 0]) for each in part} for part in (found.held_out, found.pictures)]
    assert not shades[0] & shades[1] and len(shades[0] | shades[1]) == 60


@pytest.mark.parametrize("side, kept", [(100, 256), (600, 600), (5000, 1024)])
def test_they_are_as_large_as_what_is_aimed_for(side, kept, folder):
    names = photographs_of(60, (1100, 550))
    assert {max(each.shape) for each in Photographs.read(names, 0, side=side).pictures} == {kept}


def test_few_have_drawn_scenes_beside_them(folder):
    with pytest.warns(UserWarning, match="photographs to learn from: 3. Scenes"):
        found = Photographs.read(photographs_of(3), seed=0)
    assert found.given == 3 and len(found.pictures) > 20
    crops = np.concatenate([found.crops(number, 32, 8, 0) for number in range(20)])
    flat = (np.ptp(crops, axis=(1, 2)).max(-1) == 0).mean()
    # The plain photographs count half.
    assert 0.3 < flat < 0.7


def test_none_at_all_is_possible():
    found = Photographs.read([], seed=0)
    assert found.given == 0 and found.held_out and found.crops(1, 24, 3, 0).shape == (3, 24, 24, 3)


def test_seed_and_number_decide_the_crops(folder):
    found = Photographs.read([], seed=0)
    np.testing.assert_array_equal(found.crops(5, 32, 4, 1), found.crops(5, 32, 4, 1))
    assert (found.crops(5, 32, 4, 1) != found.crops(6, 32, 4, 1)).any()
    assert (found.crops(5, 32, 4, 1) != found.crops(5, 32, 4, 2)).any()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (900, 20), (2000, 1500)])
def test_any_size_is_cropped(folder, size):
    found = Photographs.read(photographs_of(1, size), seed=0)
    crops = found.crops(1, 64, 8, 0)
    assert crops.shape == (8, 64, 64, 3) and 0 <= crops.min() <= crops.max() <= 1
    assert max(max(each.shape[:2]) for each in found.pictures) <= 512


def test_broken_files_are_left_out_and_said(folder):
    names = photographs_of(2)
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"left out: broken\.png"):
        assert Photographs.read([*names, "broken.png"], seed=0).given == 2
    with pytest.raises(InputError, match="pictures: none can be read"):
        Photographs.read(["broken.png"], seed=0)


def test_of_many_some_are_drawn(folder, monkeypatch):
    monkeypatch.setattr(photographs, "MOST", 20)
    names = photographs_of(50)
    first, again, other = (
        {int(each[0, 0, 0]) for each in Photographs.read(names, seed=seed).pictures[:18]}
        for seed in (0, 0, 1)
    )
    assert first == again != other and len(first) == 18
