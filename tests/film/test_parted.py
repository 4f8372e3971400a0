"""What of a frame stands, and what moves."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from tf_style.film.flow import Motion
from tf_style.film.parted import Parted


def motion(flow, trust=1.0):
    flow = np.array(np.broadcast_to(np.float32(flow), (64, 96, 2)))
    return Motion(flow, np.full((64, 96), trust, np.float32))


def test_a_frame_that_moves_or_stands_is_one_part():
    pans = Parted.of(motion((1.5, -0.5)))
    assert pans.moved.tolist() == [[-0.5, 1.5]] * 2 and pans.moves is None
    assert Parted.of(motion(0)).moved.tolist() == [[0, 0]] * 2
    assert Parted.of(motion((3, 3), trust=0)).moved.tolist() == [[0, 0]] * 2


@pytest.mark.parametrize("creeps", [0, 0.03])
def test_what_moves_behind_what_stands_is_a_part(creeps):
    both = motion(creeps)
    both.flow[:, 60:] = (2, 1)
    parted = Parted.of(both)
    assert parted.moved == pytest.approx(np.array([[creeps, creeps], [1, 2]]))
    assert (parted.moves[:, :54] == 0).all() and (parted.moves[:, 66:] == 1).all()
    assert 0 < parted.moves[30, 60] < 1 and parted.larger == 0
    both.flow[:, 20:] = (2, 1)
    assert Parted.of(both).larger == 1


@pytest.mark.parametrize("kind", ["little", "by hundredths", "as many motions as places"])
def test_no_part_is_made_of_what_needs_none(kind):
    both = motion(0)
    if kind == "little":
        both.flow[:, 92:] = (2, 1)
    elif kind == "by hundredths":
        both.flow[:, 60:] = (0.1, 0)
    else:
        both.flow[...] = np.linspace(-3, 3, 96)[None, :, None]
    assert Parted.of(both).moves is None


def test_anchors_part_and_meet_where_the_larger_part_is():
    where = np.zeros((64, 96), np.float32)
    pans = Parted.whole(np.array([0.5, 2]))
    places = pans.carried(np.zeros((2, 2), np.float32), 0)
    assert places.tolist() == [[0.5, 2], [0.5, 2]]
    places = Parted(np.array([[0, 0], [0, 1]]), where).carried(places, 0)
    assert places.tolist() == [[0.5, 2], [0.5, 3]]
    assert pans.carried(places, 0).tolist() == [[1, 4]] * 2
    assert pans.carried(places, 1).tolist() == [[1, 5]] * 2
