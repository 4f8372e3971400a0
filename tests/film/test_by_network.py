"""Films painted by a network."""

import itertools

import keras
import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.film.exact import ExactFilm, half_still, sample, seen, sky
from tf_style.film import by_network
from tf_style.film.by_network import NetworkFrames
from tf_style.film.flow import Motion
from tf_style.film.frame import Past
from tf_style.film.parted import Parted
from tf_style.settings import InputError, Settings
from tf_style.transfer.painter import ModelPainter

STEP = (1.3, 0.7)


@pytest.fixture(scope="module")
def painter():
    return ModelPainter(Settings(model="sample:waves", precision="float32"))


@pytest.fixture(scope="module")
def pan():
    """A camera that moves over a photograph."""
    return [rounded(seen(sample(), 60 + STEP[0] * number, 90 + STEP[1] * number))
            for number in range(20)]


def rounded(picture):
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.float32) / 255


def filmed(frames, contents):
    """The painted frames, rounded as a film holds them."""
    past, made = None, []
    for content in contents:
        painted = frames.paint(content, past)
        made.append(rounded(painted.picture))
        past = Past({1: content}, {1: made[-1]}, painted.state)
    return made


def warping_error(frames, step=STEP):
    """Mean difference from the frame before, moved by what is known, a border left out."""
    flow = np.broadcast_to(np.float32(step), (*frames[0].shape[:2], 2))
    motion = Motion(flow, np.ones(flow.shape[:2], np.float32))
    return np.mean([np.abs(motion.carried(before) - after)[8:-8, 8:-8].mean()
                    for before, after in itertools.pairwise(frames)])


def edges(picture):
    return sum(np.square(np.diff(picture.mean(2), axis=axis)).mean() for axis in (0, 1))


def test_a_pan_is_as_steady_as_its_source_and_as_sharp_as_its_stills(painter, pan):
    made = filmed(NetworkFrames(painter), pan)
    plain = filmed(NetworkFrames(painter, 0), [pan[0], pan[1], pan[-1]])
    allowed = 1.3 * warping_error(pan) + 0.004
    assert warping_error(made) < allowed < 0.2 * warping_error(plain[:2])
    assert 0.98 < edges(made[-1]) / edges(plain[-1]) < 1.1
    assert np.abs(made[-1].mean((0, 1)) - plain[-1].mean((0, 1))).max() < 0.05


def test_strokes_follow_the_camera_over_a_sky(painter):
    """It changes by no more than noise, which would be no reason to move them."""
    plain = sky()
    before, after = (rounded(seen(plain, 90 + left, 80 + top, size=(180, 320)))
                     for left, top in ((0, 0), STEP))
    assert np.abs(before - after).max() < 2.5 / 255
    moved = NetworkFrames(painter).look(before, after).parted.moved
    np.testing.assert_allclose(moved, [STEP[::-1]] * 2, atol=0.3)
    noisy = rounded(before + np.random.default_rng(0).normal(0, 1 / 255, before.shape))
    assert not NetworkFrames(painter).look(before, noisy).parted.moved.any()


def test_light_that_flickers_moves_nothing(painter):
    """Not even over a gradient, where a motion would do the same."""
    random = np.random.default_rng(0)
    gradient = np.add.outer(np.linspace(0.3, 0.5, 180), np.linspace(0, 0.1, 320))[..., None]
    before, after = (rounded(gradient + light / 255 + random.normal(0, 0.3 / 255, (180, 320, 3)))
                     for light in (0, 1.2))
    assert not NetworkFrames(painter).look(before, after).parted.moved.any()


def test_strokes_follow_the_camera_by_parts_of_pixels(painter, pan):
    """Before anything is blended: what is left are borders and interpolation."""
    first = NetworkFrames(painter)._new(pan[0])
    found = {}
    for moved in (np.array(STEP[::-1]), np.round(STEP[::-1]), np.zeros(2)):
        made = NetworkFrames(painter)._new(pan[1], first.state, Parted.whole(moved))
        found[moved[0], moved[1]] = warping_error([first.picture, made.picture])
    exact, rounded_off, none = found.values()
    assert exact < 0.6 * rounded_off < 0.6 * none


def test_what_stands_still_stands_still(painter, pan):
    made = filmed(NetworkFrames(painter), [pan[0]] * 4)
    assert all(np.array_equal(each, made[0]) for each in made)
    chance = np.random.default_rng(0)
    noisy = [rounded(pan[0] + chance.normal(0, 0.006, pan[0].shape)) for _ in range(12)]
    made = filmed(NetworkFrames(painter), noisy)
    plain = filmed(NetworkFrames(painter, 0), noisy[-2:])
    assert np.abs(made[-1] - made[-2]).mean() < 0.25 * np.abs(plain[1] - plain[0]).mean()
    assert np.abs(made[-1] - made[0]).mean() < 2 / 255


@pytest.mark.parametrize("cover", [0.5, "photograph"])
def test_a_half_that_is_constant_does_not_change_while_the_other_does(painter, pan, cover):
    cover = pan[9][:, :80] if cover == "photograph" else cover
    halves = []
    for number, content in enumerate(pan[:16]):
        halves.append(rounded(content * (1 - 0.04 * number)))
        halves[-1][:, :80] = cover
    made = filmed(NetworkFrames(painter), halves)
    assert all(np.array_equal(each[:, :80], made[0][:, :80]) for each in made)
    assert not np.allclose(made[-1][:, 80:], made[0][:, 80:], atol=0.1)
    plain = filmed(NetworkFrames(painter, 0), [halves[0], halves[-1]])
    assert np.abs(plain[0] - plain[1])[:, :60].max() > 5 / 255


def test_what_moves_behind_what_stands_is_as_steady_as_its_source(painter, pan):
    """With one anchor for all, it is not."""
    places = [(60 + STEP[0] * number, 90 + STEP[1] * number, 1) for number in range(12)]
    film = half_still(ExactFilm(sample(), places, (96, 160)), pan[9])
    contents = [rounded(each) for each in film]
    made = filmed(NetworkFrames(painter), contents)

    def error(frames):
        found = []
        for after in range(1, len(film)):
            motion = film.motion(after - 1, after)
            trusted = (motion.trust > 0) & ~film.still
            trusted[:8] = trusted[-8:] = trusted[:, -8:] = False
            carried = motion.carried(frames[after - 1])
            found.append(np.abs(carried - frames[after])[trusted].mean())
        return np.mean(found)

    assert error(made) < 1.3 * error(contents) + 0.004
    assert all(np.array_equal(each[:, :70], made[0][:, :70]) for each in made)


def test_statistics_follow_a_film_that_grows_bright_however_slowly(painter, pan):
    lights = [rounded(pan[0] * light) for light in np.linspace(0.1, 1, 60)]
    frames, state = NetworkFrames(painter), {}
    for content in lights:
        # Without the frame before, the picture is the network's alone.
        painted = frames._new(content, state, Parted.whole(np.zeros(2)))
        state = painted.state
    own = frames._new(lights[-1])
    assert np.abs(painted.picture.mean((0, 1)) - own.picture.mean((0, 1))).max() < 0.03
    held = frames._new(lights[-1], frames._new(lights[0]).state, Parted.whole(np.zeros(2)))
    assert np.abs(held.picture - own.picture).mean() > 4 * np.abs(
        painted.picture - own.picture).mean()


def test_statistics_wait_where_much_stands_still():
    blocks = np.zeros((10, 10, 3), np.float32)
    changed = blocks.copy()
    changed[:5] = 0.5
    assert by_network._rate(blocks, changed) == 0
    changed[:7] = 0.5
    some = by_network._rate(blocks, changed)
    assert 0 < some < by_network._rate(blocks, blocks + 0.5) == by_network._FOLLOW
    assert by_network._rate(blocks, blocks + 0.01) == 0


def test_what_is_blended_keeps_the_strength_of_its_strokes():
    """Also beside stronger strokes that need nothing."""
    import cv2

    chance = np.random.default_rng(0)
    one, other = (0.5 + cv2.GaussianBlur(chance.normal(0, 0.3, (96, 160, 3)), None, 2)
                  .astype(np.float32) for _ in range(2))
    one[:, 80:] = other[:, 80:] = 0.5 + 3 * (one[:, 80:] - 0.5)
    blended, where = (one + other) / 2, np.ones((96, 160, 1), np.float32)

    def strength(picture):
        return picture[:, 20:60].std() / other[:, 20:60].std(), picture[:, 100:].std()

    made = by_network._as_strong(blended, other, where)
    assert strength(blended)[0] < 0.75 and 0.82 < strength(made)[0] < 1
    assert strength(made)[1] == pytest.approx(strength(other)[1], rel=0.02)
    np.testing.assert_array_equal(by_network._as_strong(one, other, 0 * where), np.clip(one, 0, 1))


def test_single_blocks_of_an_encoder_do_not_stand():
    off = np.full((180, 320), 1 / 255, np.float32)
    off[32:48, 32:48] = 0
    assert not by_network._same(off).any()
    off[:, 160:] = 0
    assert by_network._same(off)[:, 160:].all() and not by_network._same(off)[:, :160].any()


def test_nothing_stays_behind_where_things_come_into_view(painter, pan):
    before, after = pan[0].copy(), pan[0].copy()
    before[20:76, 30:90] = (0.9, 0.1, 0.1)
    frames = NetworkFrames(painter, 1)
    first = frames.paint(before, None)
    past = Past({1: before}, {1: rounded(first.picture)}, first.state)
    made = frames.paint(after, past).picture
    wanted = frames._new(after, first.state, Parted.whole(np.zeros(2))).picture
    assert np.abs(made - wanted)[30:66, 40:80].mean() < 0.03
    assert np.abs(first.picture - wanted)[30:66, 40:80].mean() > 0.1


def test_a_frame_is_decided_by_what_is_known_of_those_before(painter, pan):
    first, other = NetworkFrames(painter), NetworkFrames(painter)
    made = filmed(first, pan[:3])
    past = None
    for number, content in enumerate(pan[:3]):
        # As a film that goes on does: another painter, arrays that were kept.
        painted = NetworkFrames(painter).paint(content, past) if number else other.paint(
            content, None)
        state = {name: np.array(each) for name, each in painted.state.items()}
        assert sum(each.nbytes for each in state.values()) < 20_000
        np.testing.assert_array_equal(rounded(painted.picture), made[number])
        past = Past({1: content}, {1: rounded(painted.picture)}, state)


def test_without_steadiness_each_frame_is_painted_by_itself(painter, pan):
    frames = NetworkFrames(painter, 0)
    assert frames.lags == () and NetworkFrames(painter).lags == (1,)
    past = Past({1: pan[5]}, {1: pan[5]}, {})
    np.testing.assert_array_equal(frames.paint(pan[0], past).picture, painter.painted(pan[0]))


@pytest.mark.parametrize("size", [(1, 1), (2, 31), (9, 7), (37, 50)])
def test_frames_of_any_size(painter, size):
    contents = [rounded(seen(sample(), 60 + number, 90, size=size)) for number in range(3)]
    for each in filmed(NetworkFrames(painter), contents):
        assert each.shape == (*size, 3) and np.isfinite(each).all()


def test_a_strangers_network_and_large_frames_are_blended_only(painter, pan, tmp_path, monkeypatch):
    given = keras.Input((None, None, 3))
    keras.Model(given, 1 - given).save(tmp_path / "stranger.keras")
    stranger = ModelPainter(Settings(model=str(tmp_path / "stranger.keras")))
    made = NetworkFrames(stranger).paint(pan[0], None)
    np.testing.assert_allclose(made.picture, 1 - pan[0], atol=1e-6)
    gray = np.full_like(pan[0], 0.5)
    blended = NetworkFrames(stranger).paint(pan[1], Past({1: pan[0]}, {1: gray}, made.state))
    off = np.abs(blended.picture - 0.5)[20:-20, 20:-20].mean()
    assert off < 0.5 * np.abs(pan[1] - 0.5)[20:-20, 20:-20].mean() and blended.state == {}
    monkeypatch.setattr(by_network, "WHOLE", 100)
    assert NetworkFrames(painter).paint(pan[0], None).state == {}


def test_steadiness_is_a_share(painter):
    with pytest.raises(InputError, match="steadiness: expected a number"):
        NetworkFrames(painter, 2)
    assert NetworkFrames(painter, "auto")._steadiness == by_network.STEADINESS
