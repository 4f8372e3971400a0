import numpy as np
import pytest

from tests.film.exact import half_still, pan, sample, written, zoom

PICTURE = sample()
SIZE = 72, 96


def warping_error(film, before, after):
    motion = film.motion(before, after)
    seen = motion.trust > 0
    difference = motion.carried(film.frame(before)) - film.frame(after)
    return np.abs(difference)[seen].mean(), seen.mean()


def test_whole_pixels_are_cut_out():
    film = pan(PICTURE, SIZE, (3, 1), 4)
    assert np.array_equal(film.frame(2), PICTURE[2 : 2 + 72, 6 : 6 + 96])
    assert warping_error(film, 0, 1) == (0, pytest.approx(71 * 93 / (72 * 96)))


@pytest.mark.parametrize("film, largest", [
    (pan(PICTURE, SIZE, (1.5, 0.25), 7), 0.01), (zoom(PICTURE, SIZE, 1.02, 7), 0.01),
    (half_still(pan(PICTURE, SIZE, (1.5, 0.25), 7)), 0.01),
    (half_still(pan(PICTURE, SIZE, (1.5, 0.25), 7), PICTURE[-72:, -96:]), 0.01),
])
@pytest.mark.parametrize("lag", [1, 5])
def test_the_flow_leads_to_where_things_were(film, largest, lag):
    error, seen = warping_error(film, 6 - lag, 6)
    assert error < largest and seen > 0.7
    nothing = np.abs(film.frame(6 - lag) - film.frame(6)).mean()
    assert error < nothing / 2


def test_a_camera_turns_back_at_the_end():
    film = pan(PICTURE, SIZE, (100, 0), 20)
    assert max(place[0] for place in film.places) <= PICTURE.shape[1] - 96
    assert min(place[0] for place in film.places[1:]) >= 0


def test_half_a_film_stands_still():
    film = half_still(pan(PICTURE, SIZE, (2, 0), 3), 0.25)
    for number in range(3):
        assert (film.frame(number)[:, :48] == 0.25).all()
    motion = film.motion(0, 1)
    assert not motion.flow[:, :48].any() and (motion.flow[:, 48:] == (2, 0)).all()
    # Seen at once, but behind the still half before.
    back = film.motion(1, 0)
    assert (back.trust[:, 48:50] == 0).all() and (back.trust[:, 50:] == 1).all()


def test_a_film_is_written_as_it_is(tmp_path):
    av = pytest.importorskip("av")
    film = pan(PICTURE, SIZE, (1.5, 0.5), 3)
    with av.open(written(film, tmp_path / "film.mp4")) as file:
        read = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert np.array_equal(read, [(frame * 255).round() for frame in film])
