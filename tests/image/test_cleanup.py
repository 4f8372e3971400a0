import io

import numpy as np
import pytest
import scipy.fft
from PIL import Image

from tf_style.image import cleanup, color
from tf_style.image.cleanup import COMPRESSED, NOISY, SMALL
from tf_style.image.files import fit, read_picture, shrink
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES

SAMPLES = [*CONTENT_SAMPLES, *STYLE_SAMPLES]
SIGMA = 25 / 255


def sample(name, side=384):
    return shrink(read_picture(f"sample:{name}"), side)


def in_8_bits(picture):
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def noisy(picture, sigma=SIGMA, channels=3):
    rng = np.random.default_rng(0)
    grain = rng.normal(0, sigma, (*picture.shape[:2], channels))
    return in_8_bits(picture + grain).astype(np.float32) / 255


def compressed(picture, quality=10):
    file = io.BytesIO()
    Image.fromarray(in_8_bits(picture)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


def error(picture, clean):
    return np.sqrt(np.mean((picture.astype(np.float64) - clean) ** 2))


def fine_power(picture):
    """Power of what differs between neighbours, for each channel."""
    return np.var(np.diff(picture.astype(np.float64), axis=0), axis=(0, 1))


def test_the_transforms_keep_lengths():
    for matrix in (cleanup._DCT, cleanup._COLOR):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-6)
    plane = np.random.default_rng(0).random((16, 24)).astype(np.float32)
    coefficients = cleanup._transformed(plane)
    expected = scipy.fft.dctn(plane[8:, 16:], norm="ortho")
    np.testing.assert_allclose(coefficients[-1].reshape(8, 8), expected, atol=1e-5)
    np.testing.assert_allclose(cleanup._restored(coefficients, 16, 24), plane, atol=1e-5)


@pytest.mark.parametrize("name", SAMPLES)
def test_good_pictures_are_not_flagged(name):
    for side in (10_000, 512, 256):
        picture = sample(name, side)
        assert cleanup.defects(picture, max(picture.shape)) == ()
        assert cleanup.Cleaned.of(picture, max(picture.shape)).image is picture
    assert cleanup.defects(compressed(sample(name), 75)) == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_defect_is_recognised(name):
    picture = sample(name)
    assert cleanup.defects(noisy(picture)) == (NOISY,)
    assert cleanup.defects(noisy(picture, channels=1)) == (NOISY,)
    assert cleanup.defects(compressed(picture)) == (COMPRESSED,)
    # A grid that begins anywhere.
    assert cleanup.defects(compressed(picture)[3:, 5:]) == (COMPRESSED,)
    assert cleanup.defects(fit(picture, 128), 256) == (SMALL,)


def test_a_small_picture_is_good_enough_for_a_small_result():
    picture = sample("waves", 128)
    assert cleanup.largest_side(picture) == 181
    assert cleanup.defects(picture, 181) == ()
    assert cleanup.defects(picture, 192) == (SMALL,)


@pytest.mark.parametrize("sigma", [0.05, SIGMA, 0.15])
def test_noise_is_measured(sigma):
    flat = np.full((160, 200, 3), 0.5)
    np.testing.assert_allclose(cleanup.noise(noisy(flat, sigma)), sigma, rtol=0.1)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("quality", [5, 10, 16, 20, 25])
def test_the_quality_of_compression_is_found(name, quality):
    poor = compressed(sample(name), quality)
    assert cleanup.quality(poor) == quality
    assert cleanup.quality(poor[3:, 5:]) == quality
    again = cleanup.worsened(sample(name), poor, [COMPRESSED])
    assert cleanup.quality(again) == quality


def test_an_even_margin_does_not_hide_the_quality():
    picture = sample("waves", 768)
    wide = np.pad(picture, [(600, 40), (600, 40), (0, 0)], constant_values=1)
    assert cleanup.quality(compressed(wide, 20)) == 20
    assert cleanup.quality(np.ones((64, 64, 3), np.float32)) == 30


def test_what_is_all_lost_is_seen_at_half_its_size():
    picture = sample("ink", 128)
    assert cleanup.sharp_side(picture, picture) == 128
    assert cleanup.sharp_side(picture, np.full_like(picture, 0.5)) == 64


def test_a_little_compression_is_mended_a_little():
    """Less is taken off where less was lost."""
    picture = sample("waves")
    changes = []
    for quality in (20, 10, 5):
        cleaned = cleanup.Cleaned.of(compressed(picture, quality), 384)
        changes.append(error(cleaned.again, cleaned.image))
    assert changes[0] < 0.9 * changes[1] < 0.81 * changes[2]


def test_stripes_are_no_blocks():
    columns = np.arange(128) // 8 % 2
    stripes = np.tile(columns[None, :, None], (96, 1, 3)) * 0.5
    assert cleanup.blockiness(stripes) < 0.001
    checks = np.abs(stripes - stripes[:96, :96].swapaxes(0, 1).repeat(2, axis=1)[:, :128])
    assert cleanup.blockiness(checks) > 0.1


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_denoising_halves_the_error_and_keeps_the_texture(name):
    picture = sample(name)
    poor = noisy(picture)
    better = cleanup.clean(poor, cleanup.defects(poor))
    assert better.dtype == np.float32 and better.min() >= 0 and better.max() <= 1
    assert error(better, picture) < 0.65 * error(poor, picture)
    wanted, before, after = (fine_power(each).sum() for each in (picture, poor, better))
    assert abs(after - wanted) < 0.15 * abs(before - wanted)
    assert cleanup.defects(better) == ()


@pytest.mark.parametrize("level", [0.0, 0.03, 0.5, 1.0])
def test_the_mean_that_clipping_shifts_is_set_right(level):
    flat = np.full((96, 96, 3), level, np.float32)
    poor = noisy(flat)
    better = cleanup.denoised(poor, np.full(3, SIGMA))
    assert abs(better.mean() - level) < 0.006
    if level in (0, 1):
        assert abs(poor.mean() - level) > 0.03


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_colours_come_back_to_compressed_pictures(name):
    picture = sample(name)
    poor = compressed(picture)
    better = cleanup.clean(poor, cleanup.defects(poor))
    of_clean, of_poor, of_better = (
        each - color.luminance(each)[..., None] for each in (picture, poor, better)
    )
    assert error(of_better, of_clean) < error(of_poor, of_clean)
    lost = np.sum(fine_power(of_clean) - fine_power(of_poor))
    assert abs(np.sum(fine_power(of_clean) - fine_power(of_better))) < 0.8 * abs(lost)


@pytest.mark.parametrize("name", STYLE_SAMPLES)
def test_enlarging_is_sharper_than_interpolation(name):
    clean, small = sample(name, 181), sample(name, 128)
    better = cleanup.clean(small, cleanup.defects(small, 256))
    assert max(better.shape) == 181
    plain = fit(small, 181)
    power = [fine_power(each).sum() for each in (plain, better, clean)]
    assert abs(np.log(power[1] / power[2])) < abs(np.log(power[0] / power[2]))


@pytest.mark.parametrize("worsen", [noisy, compressed, lambda picture: fit(picture, 128)])
def test_a_good_picture_gets_the_defects_of_a_poor_one(worsen):
    poor = worsen(sample("waves"))
    found = cleanup.defects(poor, 384)
    worse = cleanup.worsened(sample("ink"), poor, found)
    assert worse.shape == poor.shape and worse.dtype == np.float32
    assert cleanup.defects(worse, 384) == found
    np.testing.assert_array_equal(worse, cleanup.worsened(sample("ink"), poor, found))


def test_compressing_once_more_is_as_bad_as_the_first_time():
    picture = sample("waves")
    poor = compressed(picture)
    # In the same place there is nothing left to round.
    assert error(compressed(poor), poor) < 0.3 * error(poor, picture)
    assert error(cleanup.worsened(poor, poor, [COMPRESSED]), poor) > 0.6 * error(poor, picture)
    # Wherever the blocks begin.
    cut = poor[4:, 4:]
    assert error(cleanup.worsened(cut, cut, [COMPRESSED]), cut) > 0.6 * error(poor, picture)


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
        picture = sample(name)
        cleaned = cleanup.Cleaned.of(worsen(picture), 384)
        of_clean, of_good, of_again = map(statistics, (picture, cleaned.image, cleaned.again))
        size = np.linalg.norm(of_clean)
        left.append(np.linalg.norm(of_good - of_clean) / size)
        after.append(np.linalg.norm(2 * of_good - of_again - of_clean) / size)
    assert np.mean(after) < 0.8 * np.mean(left)


def test_compressed_pictures_are_seen_smaller():
    """As much smaller as they lost detail: ink has strong edges, which stay."""
    sides = {
        name: cleanup.Cleaned.of(compressed(sample(name)), 384).largest for name in STYLE_SAMPLES
    }
    assert all(250 < side < 384 for side in sides.values()), sides
    assert max(sides, key=sides.get) == "ink"
    assert cleanup.Cleaned.of(noisy(sample("ink")), 384).largest > 384


def test_a_style_of_one_pixel_is_seen_large_enough_for_deep_maps():
    assert cleanup.Cleaned.of(np.full((1, 1, 3), 0.5, np.float32), 512).largest == 64


def test_compressed_pictures_are_looked_at_as_they_are():
    """Resized they have no blocks of eight pixels any more; seen far smaller, none that matter."""
    poor = compressed(sample("waves", 768))
    assert cleanup.looked_at(poor, 256) is poor
    large = np.tile(poor, (2, 2, 1))
    assert cleanup.looked_at(large, 512) is large
    assert max(cleanup.looked_at(large, 256).shape) == 1024
    assert max(cleanup.looked_at(np.tile(sample("waves", 768), (2, 2, 1)), 512).shape) == 1024


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (7, 8), (33, 41), (65, 50)])
def test_any_size_and_a_constant_can_be_cleaned(shape):
    constant = np.full((*shape, 3), 0.4, np.float32)
    assert cleanup.defects(constant) == ()
    for cleaned in (cleanup.denoised(constant, np.full(3, SIGMA)), cleanup.recolored(constant, 10)):
        assert cleaned.shape == constant.shape
        np.testing.assert_allclose(cleaned, 0.4, atol=0.01)
    np.testing.assert_allclose(cleanup.enlarged(constant), 0.4, atol=1e-5)
    poor = noisy(constant)
    for found in ([NOISY], [COMPRESSED], [SMALL], [NOISY, COMPRESSED, SMALL]):
        better = cleanup.clean(poor, found)
        again = cleanup.clean(cleanup.worsened(better, poor, found), found)
        assert again.shape == better.shape and np.isfinite(again).all()
        assert better.shape == (cleanup.enlarged(poor) if SMALL in found else poor).shape
        assert 1 <= cleanup.sharp_side(better, again) <= max(better.shape)
