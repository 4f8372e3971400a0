import numpy as np
import pytest

from tests.film.exact import half_still, pan, sample, zoom
from tf_style.film.cuts import is_cut
from tf_style.image.resize import fit
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES

pytest.importorskip("cv2")

NAMES = [*CONTENT_SAMPLES, *STYLE_SAMPLES]
SIZE = 144, 192
SCENES = {name: sample(name)[:144, :192] for name in NAMES}


@pytest.mark.parametrize("before", NAMES)
@pytest.mark.parametrize("after", NAMES)
def test_from_one_scene_to_another(before, after):
    assert is_cut(SCENES[before], SCENES[after]) == (before != after)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [(2, 1), (15, 3), (30, 0)])
def test_fast_motion_is_no_cut(name, step):
    film = pan(sample(name), SIZE, step, 3)
    assert not is_cut(film.frame(0), film.frame(1))
    assert not is_cut(film.frame(2), film.frame(1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [
    lambda picture: 0.35 * picture + 0.65, lambda picture: 0.4 * picture,
    lambda picture: np.clip(1.3 * picture, 0, 1), lambda picture: picture**0.6,
    lambda picture: np.clip(
        picture + np.random.default_rng(1).normal(0, 0.08, picture.shape), 0, 1
    ),
], ids=["flash", "dark", "bright", "gamma", "noise"])
def test_the_same_scene_in_another_light_is_no_cut(name, change):
    film = pan(sample(name), SIZE, (3, 1), 2)
    assert not is_cut(film.frame(0), change(film.frame(1)))
    assert not is_cut(change(film.frame(0)), film.frame(1))


def test_zooms_and_halves_that_stand_still_are_no_cuts():
    film = zoom(sample(), SIZE, 1.15, 2)
    assert not is_cut(film.frame(0), film.frame(1))
    film = half_still(pan(sample(), SIZE, (20, 5), 2))
    assert not is_cut(film.frame(0), film.frame(1))


def test_a_scene_that_looks_as_bright_is_a_cut():
    before, after = SCENES["harbor"], SCENES["grace_hopper"]
    assert is_cut(before, np.clip(after - after.mean() + before.mean(), 0, 1))


def test_from_and_to_black():
    black = np.zeros((*SIZE, 3), np.float32)
    assert is_cut(black, SCENES["harbor"]) and is_cut(SCENES["harbor"], black)
    assert not is_cut(black, black)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 5), (1, 900), (900, 2)])
def test_tiny_frames(size):
    picture = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    assert not is_cut(picture, picture)


def test_size_does_not_matter():
    for side in (48, 500):
        small = {name: fit(scene, side) for name, scene in SCENES.items()}
        assert is_cut(small["harbor"], small["ink"])
        assert not is_cut(small["harbor"], small["harbor"])
