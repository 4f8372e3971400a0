import numpy as np
import pytest

from tests.image.conftest import SIGMA, compressed, noisy, sample
from tf_style.image import color, defects, mending
from tf_style.image.defects import COMPRESSED, NOISY, SMALL
from tf_style.image.resize import fit
from tf_style.image.samples import STYLE_SAMPLES


def error(picture, clean):
    return np.sqrt(np.mean((picture.astype(np.float64) - clean) ** 2))


def fine_power(picture):
    """Power of what differs between neighbours, for each channel."""
    return np.var(np.diff(picture.astype(np.float64), axis=0), axis=(0, 1))


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_denoising_halves_the_error_and_keeps_the_texture(name):
    picture = sample(name)
    poor = noisy(picture)
    better = mending.mend(poor, defects.defects(poor))
    assert better.dtype == np.float32 and better.min() >= 0 and better.max() <= 1
    assert error(better, picture) < 0.65 * error(poor, picture)
    wanted, before, after = (fine_power(each).sum() for each in (picture, poor, better))
    assert abs(after - wanted) < 0.15 * abs(before - wanted)
    assert defects.defects(better) == ()


@pytest.mark.parametrize("level", [0.0, 0.03, 0.5, 1.0])
def test_the_mean_that_clipping_shifts_is_set_right(level):
    flat = np.full((96, 96, 3), level, np.float32)
    poor = noisy(flat)
    better = mending.denoised(poor, np.full(3, SIGMA))
    assert abs(better.mean() - level) < 0.006
    if level in (0, 1):
        assert abs(poor.mean() - level) > 0.03


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_colours_come_back_to_compressed_pictures(name):
    picture = sample(name)
    poor = compressed(picture)
    better = mending.mend(poor, defects.defects(poor))
    of_clean, of_poor, of_better = (
        each - color.luminance(each)[..., None] for each in (picture, poor, better)
    )
    assert error(of_better, of_clean) < error(of_poor, of_clean)
    lost = np.sum(fine_power(of_clean) - fine_power(of_poor))
    assert abs(np.sum(fine_power(of_clean) - fine_power(of_better))) < 0.8 * abs(lost)


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_enlarging_is_sharper_than_interpolation(name):
    clean, small = sample(name, 181), sample(name, 128)
    better = mending.mend(small, defects.defects(small, 256))
    assert max(better.shape) == 181
    plain = fit(small, 181)
    power = [fine_power(each).sum() for each in (plain, better, clean)]
    assert abs(np.log(power[1] / power[2])) < abs(np.log(power[0] / power[2]))


@pytest.mark.parametrize("worsen", [noisy, compressed, lambda picture: fit(picture, 128)])
def test_a_good_picture_gets_the_defects_of_a_poor_one(worsen):
    poor = worsen(sample("waves"))
    found = defects.defects(poor, 384)
    worse = mending.degraded(sample("ink"), poor, found)
    assert worse.shape == poor.shape and worse.dtype == np.float32
    assert defects.defects(worse, 384) == found
    np.testing.assert_array_equal(worse, mending.degraded(sample("ink"), poor, found))


def test_compressing_once_more_is_as_bad_as_the_first_time():
    picture = sample("waves")
    poor = compressed(picture)
    # In the same place there is nothing left to round.
    assert error(compressed(poor), poor) < 0.3 * error(poor, picture)
    assert error(mending.degraded(poor, poor, [COMPRESSED]), poor) > 0.6 * error(poor, picture)
    # Wherever the blocks begin.
    cut = poor[4:, 4:]
    assert error(mending.degraded(cut, cut, [COMPRESSED]), cut) > 0.6 * error(poor, picture)


@pytest.mark.parametrize("worsen", [noisy, compressed])
def test_cleaning_again_shows_what_cleaning_left(worsen):
    def statistics(picture):
        """Covariances of the channels' differences between neighbours."""
        return np.concatenate([
            np.cov(np.diff(picture.astype(np.float64), axis=axis).reshape(-1, 3).T)
            for axis in (0, 1)
        ])

    left, after = [], []
    for name in STYLE_SAMPLES:
        picture = sample(name, 192)
        cleaned = mending.Mended.of(worsen(picture), 192)
        of_clean, of_good, of_again = map(statistics, (picture, cleaned.image, cleaned.again))
        size = np.linalg.norm(of_clean)
        left.append(np.linalg.norm(of_good - of_clean) / size)
        after.append(np.linalg.norm(2 * of_good - of_again - of_clean) / size)
    assert np.mean(after) < 0.8 * np.mean(left)


def test_a_little_compression_is_mended_a_little():
    """Less is taken off where less was lost."""
    picture = sample("waves")
    changes = []
    for quality in (20, 10, 5):
        cleaned = mending.Mended.of(compressed(picture, quality), 384)
        changes.append(error(cleaned.again, cleaned.image))
    assert changes[0] < 0.9 * changes[1] < 0.81 * changes[2]


def test_what_is_all_lost_is_seen_at_half_its_size():
    picture = sample("ink", 128)
    assert mending.sharp_side(picture, picture) == 128
    assert mending.sharp_side(picture, np.full_like(picture, 0.5)) == 64


def test_compressed_pictures_are_seen_smaller():
    """As much smaller as they lost detail: ink has strong edges, which stay."""
    sides = {
        name: mending.Mended.of(compressed(sample(name)), 384).largest for name in STYLE_SAMPLES
    }
    assert all(250 < side < 384 for side in sides.values()), sides
    assert max(sides, key=sides.get) == "ink"
    assert mending.Mended.of(noisy(sample("ink")), 384).largest > 384


def test_a_style_of_one_pixel_is_seen_large_enough_for_deep_maps():
    assert mending.Mended.of(np.full((1, 1, 3), 0.5, np.float32), 512).largest == 64


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (7, 8), (33, 41), (65, 50)])
def test_any_size_and_a_constant_can_be_cleaned(shape):
    constant = np.full((*shape, 3), 0.4, np.float32)
    assert defects.defects(constant) == ()
    for cleaned in (mending.denoised(constant, np.full(3, SIGMA)), mending.recolored(constant, 10)):
        assert cleaned.shape == constant.shape
        np.testing.assert_allclose(cleaned, 0.4, atol=0.01)
    np.testing.assert_allclose(mending.enlarged(constant), 0.4, atol=1e-5)
    poor = noisy(constant)
    for found in ([NOISY], [COMPRESSED], [SMALL], [NOISY, COMPRESSED, SMALL]):
        better = mending.mend(poor, found)
        again = mending.mend(mending.degraded(better, poor, found), found)
        assert again.shape == better.shape and np.isfinite(again).all()
        assert better.shape == (mending.enlarged(poor) if SMALL in found else poor).shape
        assert 1 <= mending.sharp_side(better, again) <= max(better.shape)
