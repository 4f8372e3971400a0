import numpy as np
import pytest

from tests.film.exact import half_still, pan, sample, zoom
from tf_style.film import flow
from tf_style.film.flow import Motion
from tf_style.settings import InputError

pytest.importorskip("cv2")

PICTURE = sample("brushstrokes")
SIZE = 144, 192


@pytest.mark.parametrize("film", [
    pan(PICTURE, SIZE, (3, 2), 2), pan(PICTURE, SIZE, (2.5, 0.75), 2),
    pan(PICTURE, SIZE, (12, 5), 2), zoom(PICTURE, SIZE, 1.03, 2),
])
@pytest.mark.parametrize("fine", [False, True])
def test_motion_is_found(film, fine):
    exact, found = film.motion(0, 1), Motion.between(film.frame(0), film.frame(1), fine=fine)
    trusted = found.trust > 0.5
    assert trusted.mean() > 0.7
    astray = np.linalg.norm(found.flow - exact.flow, axis=2)
    assert np.mean(astray[trusted]) < 0.15
    assert found.flow.dtype == found.trust.dtype == np.float32


def test_the_flow_leads_back_in_time():
    film = pan(PICTURE, SIZE, (4, 0), 2)
    motion = Motion.between(film.frame(0), film.frame(1))
    assert np.median(motion.flow[..., 0]) == pytest.approx(4, abs=0.05)
    assert np.abs(motion.carried(film.frame(0)) - film.frame(1))[:, :-6].mean() < 0.005


def test_what_comes_into_view_is_not_trusted():
    film = pan(PICTURE, SIZE, (8, 0), 2)
    assert not Motion.between(film.frame(0), film.frame(1)).trust[:, -8:].any()


def test_what_was_covered_is_not_trusted():
    film = half_still(pan(PICTURE, SIZE, (6, 0), 3), sample("ink")[:144, :192])
    exact = film.motion(2, 0)
    motion = Motion.between(film.frame(2), film.frame(0))
    hidden, seen = exact.trust == 0, exact.trust == 1
    assert motion.trust[hidden].mean() < 0.1
    assert motion.trust[seen].mean() > 0.7


@pytest.mark.parametrize("fine", [False, True])
def test_nothing_moves_in_the_same_frame(fine):
    motion = Motion.between(PICTURE, PICTURE, fine=fine)
    assert not motion.flow.any() and (motion.trust == 1).all()
    assert np.array_equal(motion.carried(PICTURE), PICTURE)


def test_noise_moves_nothing():
    rng = np.random.default_rng(0)
    still = sample()[: SIZE[0], : SIZE[1]]
    noisy = [np.clip(still + rng.normal(0, 0.015, still.shape), 0, 1) for _ in range(2)]
    motion = Motion.between(*noisy)
    assert np.linalg.norm(motion.flow, axis=2).mean() < 0.02 and motion.trust.mean() > 0.95


def test_a_constant_half_stands_still():
    """Though nothing in it tells so, what moves beside it does not carry it along."""
    film = half_still(pan(PICTURE, SIZE, (6, 2), 4))
    for number in range(1, 4):
        motion = Motion.between(film.frame(number - 1), film.frame(number))
        assert not motion.flow[:, :72].any() and motion.trust[:, :72].mean() > 0.99
        assert np.median(motion.flow[:, 100:, 0]) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 5), (1, 90), (16, 300), (300, 3)])
def test_tiny_frames(size):
    rng = np.random.default_rng(0)
    before, after = rng.random((2, *size, 3), dtype=np.float32)
    same = Motion.between(before, before)
    assert same.flow.shape == (*size, 2) and not same.flow.any()
    moved = Motion.between(before, after)
    assert np.isfinite(moved.flow).all() and moved.carried(before).shape == (*size, 3)


def test_trust_follows_the_paper():
    """The two inequalities, place by place in NumPy, without the soft edge."""
    rng = np.random.default_rng(1)
    coarse = rng.normal(0, 2, (6, 6, 2)).astype(np.float32)
    back = np.kron(coarse, np.ones((8, 8, 1), np.float32))
    # Leads back in the upper half alone.
    forward = np.zeros_like(back)
    rows, columns = np.indices((48, 48))
    trust = flow._sure(back, forward)
    hard = np.zeros((48, 48))
    for row, column in zip(rows.ravel(), columns.ravel(), strict=True):
        here = back[row, column].astype(float)
        right = back[row, min(column + 1, 47)] - here
        below = back[min(row + 1, 47), column] - here
        length = here @ here
        hard[row, column] = (
            length <= 0.01 * length + 0.5
            and right @ right + below @ below <= 0.01 * length + 0.002
            and -0.5 <= column + here[0] <= 47.5 and -0.5 <= row + here[1] <= 47.5
        )
    assert 0 < hard.mean() < 1
    assert np.array_equal(trust > 0, hard > 0)


def test_a_hundred_moves_leave_edges_sharp():
    film = pan(sample(), SIZE, (0.3, 0.3), 2)
    there, back = film.motion(0, 1), film.motion(1, 0)
    first = picture = film.frame(0)
    for _ in range(50):
        picture = back.carried(there.carried(picture))
    inner = np.s_[20:-20, 20:-20]

    def energy(picture):
        return sum(np.square(np.diff(picture[inner], axis=axis)).mean() for axis in (0, 1))

    assert 0.7 < energy(picture) / energy(first) < 1.7
    assert picture.min() >= 0 and picture.max() <= 1


def test_frames_of_two_sizes():
    with pytest.raises(ValueError, match=r"one size.*\(4, 5, 3\) and \(5, 4, 3\)"):
        Motion.between(np.zeros((4, 5, 3)), np.zeros((5, 4, 3)))


def test_without_opencv(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"films need OpenCV; pip install 'tf_style\[video\]'"):
        Motion.between(np.zeros((4, 5, 3)), np.zeros((4, 5, 3)))
