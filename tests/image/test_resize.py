import numpy as np
import pytest

from tf_style.image.resize import fit, fitted_size, resize, shrink


@pytest.mark.parametrize("shape, side, expected", [
    ((768, 1024), 512, (384, 512)), ((1024, 768), 512, (512, 384)), ((100, 100), 7, (7, 7)),
    ((1, 5000), 512, (1, 512)),
])
def test_proportions_are_kept(shape, side, expected):
    assert fitted_size(*shape, side) == expected


def test_resizing_keeps_the_mean_and_a_constant():
    picture = np.random.default_rng(0).random((64, 48, 3)).astype(np.float32)
    small = resize(picture, 16, 12)
    assert small.shape == (16, 12, 3)
    assert np.allclose(small.mean(), picture.mean(), atol=2e-3)
    assert np.allclose(resize(np.full((8, 8, 3), 0.25), 33, 5), 0.25)


def test_smooth_resizing_stays_in_range():
    spikes = np.zeros((8, 8, 3), np.float32)
    spikes[4, 4] = 1
    assert resize(spikes, 31, 17, smooth=True).min() >= 0
    assert resize(spikes, 31, 17).min() < 0


def test_any_range_and_any_number_of_channels_is_resized():
    values = np.float32([-300, 0, 1, 2000, 7])
    found = resize(np.tile(values, (6, 9, 1)), 4, 17)
    assert found.dtype == np.float32 and found.shape == (4, 17, 5)
    np.testing.assert_allclose(found, np.tile(values, (4, 17, 1)), rtol=1e-6)


def test_fitting_clips_what_overshoots():
    edge = np.zeros((8, 6, 3), np.float32)
    edge[:, 3:] = 1
    assert resize(edge, 32, 24).max() > 1
    for side, shape in ((32, (32, 24, 3)), (4, (4, 3, 3))):
        fitted = fit(edge, side)
        assert fitted.shape == shape and fitted.min() >= 0 and fitted.max() <= 1


def test_shrinking_never_enlarges():
    picture = np.random.default_rng(0).random((10, 20, 3), np.float32)
    assert shrink(picture, 20) is picture
    np.testing.assert_array_equal(shrink(picture, 10), fit(picture, 10))
    assert shrink(picture, 10).shape == (5, 10, 3)
