"""The camera's own motion."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.film.exact import sample, seen
from tf_style.film.camera_motion import steadied
from tf_style.film.flow import Motion


@pytest.fixture(scope="module")
def picture():
    return sample()


def off(motion, wanted):
    return np.linalg.norm(motion.flow - wanted, axis=2)[8:-8, 8:-8]


@pytest.mark.parametrize("step", [(1.3, 0.7), (-4.4, 2.0), (0.25, 0.0), (0, 0)])
def test_a_pan_is_found_to_hundredths_of_a_pixel(picture, step):
    before, after = seen(picture, 90, 80), seen(picture, 90 + step[0], 80 + step[1])
    flow = Motion.between(before, after)
    found = steadied(flow, before, after)
    error = off(found, step)
    assert np.median(error) < 0.04 and (error < 0.1).mean() > 0.95
    assert found.trust[8:-8, 8:-8].mean() > 0.95
    assert np.median(off(flow, step)) > 0.04 or step == (0, 0)


def test_a_zoom_is_one_map_too(picture):
    before, after = seen(picture, 90, 80), seen(picture, 90 + 1.6, 80 + 0.96, 0.98)
    found = steadied(Motion.between(before, after), before, after)
    down, across = np.indices((96, 160))
    wanted = np.stack([(across + 0.5) * 0.98 + 1.1 - across, (down + 0.5) * 0.98 + 0.46 - down], 2)
    assert np.median(off(found, wanted)) < 0.06


def test_what_moves_by_itself_keeps_its_flow(picture):
    before, after = seen(picture, 90, 80), seen(picture, 91.3, 80)
    thing = seen(picture, 300, 150, size=(40, 40))
    before[30:70, 60:100], after[30:70, 63:103] = thing, thing
    found = steadied(Motion.between(before, after), before, after)
    flow = found.flow[38:62, 72:94, 0]
    assert abs(np.median(flow) + 3) < 0.3
    assert abs(np.median(found.flow[:20, :, 0]) - 1.3) < 0.05


def test_the_camera_is_found_behind_a_half_that_stands(picture):
    before, after = seen(picture, 90, 80), seen(picture, 91.3, 80.7)
    before[:, :80] = after[:, :80] = seen(picture, 200, 150, size=(96, 80))
    found = steadied(Motion.between(before, after), before, after)
    assert np.median(off(found, (1.3, 0.7))[:, 80:]) < 0.06
    assert (found.flow[:, :72] == 0).all(2).mean() > 0.8


def test_plain_ground_stands_while_something_passes_by(picture):
    """A plain place fits both motions; the marks around it, which stand, decide."""
    before, after = seen(picture, 90, 80), seen(picture, 90, 86)
    ground = 0.5 + np.random.default_rng(0).normal(0, 0.5 / 255, (2, 96, 80, 3))
    ground[:, 20:32, 10:30] = ground[:, 60:70, 40:60] = 0.2
    before[:, :80], after[:, :80] = ground
    found = steadied(Motion.between(before, after), before, after)
    assert (np.abs(found.flow[:, :56]).max(2) < 0.3).mean() > 0.95
    assert np.median(off(found, (0, 6))[:, 90:]) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 200), (33, 21)])
def test_frames_of_any_size(picture, size):
    before, after = seen(picture, 90, 80, size=size), seen(picture, 91, 80, size=size)
    found = steadied(Motion.between(before, after), before, after)
    assert found.flow.shape == (*size, 2) and np.isfinite(found.flow).all()
    assert found.trust.shape == size and np.isfinite(found.trust).all()


def test_light_moves_nothing(picture):
    before = 0.8 * seen(picture, 90, 80)
    found = steadied(Motion.between(before, before * 1.1), before, before * 1.1)
    assert np.median(np.abs(found.flow)) < 0.03
