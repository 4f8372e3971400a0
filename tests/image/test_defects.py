import numpy as np
import pytest

from tests.image.conftest import SIGMA, compressed, noisy, sample
from tf_style.image import defects, mending
from tf_style.image.defects import COMPRESSED, NOISY, SMALL
from tf_style.image.resize import fit
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES

SAMPLES = [*CONTENT_SAMPLES, *STYLE_SAMPLES]


@pytest.mark.parametrize("name", SAMPLES)
def test_good_pictures_are_not_flagged(name):
    for side in (10_000, 512, 256):
        picture = sample(name, side)
        assert defects.defects(picture, max(picture.shape)) == ()
        assert mending.Mended.of(picture, max(picture.shape)).image is picture
    assert defects.defects(compressed(sample(name), 75)) == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_defect_is_recognised(name):
    picture = sample(name)
    assert defects.defects(noisy(picture)) == (NOISY,)
    assert defects.defects(noisy(picture, channels=1)) == (NOISY,)
    assert defects.defects(compressed(picture)) == (COMPRESSED,)
    # A grid that begins anywhere.
    assert defects.defects(compressed(picture)[3:, 5:]) == (COMPRESSED,)
    assert defects.defects(fit(picture, 128), 256) == (SMALL,)


def test_a_small_picture_is_good_enough_for_a_small_result():
    picture = sample("waves", 128)
    assert defects.largest_side(picture) == 181
    assert defects.defects(picture, 181) == ()
    assert defects.defects(picture, 192) == (SMALL,)


@pytest.mark.parametrize("sigma", [0.05, SIGMA, 0.15])
def test_noise_is_measured(sigma):
    flat = np.full((160, 200, 3), 0.5)
    np.testing.assert_allclose(defects.noise(noisy(flat, sigma)), sigma, rtol=0.1)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("quality", [5, 10, 16, 20, 25])
def test_the_quality_of_compression_is_found(name, quality):
    poor = compressed(sample(name), quality)
    assert defects.quality(poor) == quality
    assert defects.quality(poor[3:, 5:]) == quality
    again = mending.degraded(sample(name), poor, [COMPRESSED])
    assert defects.quality(again) == quality


def test_an_even_margin_does_not_hide_the_quality():
    picture = sample("waves", 768)
    wide = np.pad(picture, [(600, 40), (600, 40), (0, 0)], constant_values=1)
    assert defects.quality(compressed(wide, 20)) == 20
    assert defects.quality(np.ones((64, 64, 3), np.float32)) == 30


def test_stripes_are_no_blocks():
    columns = np.arange(128) // 8 % 2
    stripes = np.tile(columns[None, :, None], (96, 1, 3)) * 0.5
    assert defects.blockiness(stripes) < 0.001
    checks = np.abs(stripes - stripes[:96, :96].swapaxes(0, 1).repeat(2, axis=1)[:, :128])
    assert defects.blockiness(checks) > 0.1


def test_compressed_pictures_are_looked_at_as_they_are():
    """Resized they have no blocks of eight pixels any more; seen far smaller, none that matter."""
    poor = compressed(sample("waves", 768))
    assert defects.examined(poor, 256) is poor
    large = np.tile(poor, (2, 2, 1))
    assert defects.examined(large, 512) is large
    assert max(defects.examined(large, 256).shape) == 1024
    assert max(defects.examined(np.tile(sample("waves", 768), (2, 2, 1)), 512).shape) == 1024
