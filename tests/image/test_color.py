import numpy as np
import pytest

from tests.image.conftest import sample
from tf_style.image import color
from tf_style.measure.distances import sliced_wasserstein

PAIRS = [("brushstrokes", "harbor"), ("ink", "grace_hopper"), ("stained_glass", "waves")]


def small(name):
    return sample(name, 96)


def muted(seed, mix):
    """A picture whose colours stay far from the ends of the range; `mix` is `(3, 3)`."""
    noise = np.random.default_rng(seed).standard_normal((40, 50, 3)).clip(-2, 2)
    return (0.5 + noise @ mix).astype(np.float32)


def moments(picture):
    colors = picture.reshape(-1, 3).astype(np.float64)
    return colors.mean(axis=0), np.cov(colors.T)


def test_luminance_of_gray_is_the_gray():
    assert np.allclose(color.luminance(np.full((2, 2, 3), 0.3)), 0.3)


def test_gradient_magnitude_of_a_ramp_is_its_slope():
    rows, columns = np.mgrid[:5, :6]
    assert np.allclose(color.gradient_magnitude(3.0 * rows + 4.0 * columns), 5)


@pytest.mark.parametrize("of_light, of_colors", PAIRS)
def test_the_luminance_is_the_one_asked_for(of_light, of_colors):
    light = color.luminance(small(of_light))
    colors = np.resize(small(of_colors), (*light.shape, 3))
    result = color.with_luminance(colors, light)
    assert result.dtype == np.float32 and result.min() >= 0 and result.max() <= 1
    np.testing.assert_allclose(color.luminance(result), light, atol=1e-6)
    np.testing.assert_allclose(color.with_luminance(result, light), result, atol=1e-6)


def test_hues_stay_under_another_luminance():
    colors = small("stained_glass")
    result = color.with_luminance(colors, np.full(colors.shape[:2], 0.4))
    chroma = [picture - color.luminance(picture)[..., None] for picture in (colors, result)]
    lengths = [np.linalg.norm(each, axis=2) for each in chroma]
    cosine = np.sum(chroma[0] * chroma[1], axis=2) / np.maximum(lengths[0] * lengths[1], 1e-12)
    assert cosine[lengths[0] > 0.05].min() > 0.9999
    assert (lengths[1] <= lengths[0] + 1e-6).all()


def test_colours_that_fit_are_kept_whole():
    colors = muted(0, 0.03 * np.eye(3))
    np.testing.assert_allclose(
        color.with_luminance(colors, color.luminance(colors) + 0.2), colors + 0.2, atol=1e-6
    )


def test_black_and_white_hold_no_colour():
    colors = small("waves")
    for light in (0.0, 1.0):
        assert (color.with_luminance(colors, np.full(colors.shape[:2], light)) == light).all()


def test_mean_and_covariance_are_the_target_s():
    rng = np.random.default_rng(0)
    image = muted(1, 0.05 * rng.standard_normal((3, 3)))
    target = muted(2, 0.05 * rng.standard_normal((3, 3)))
    mean, covariance = moments(color.match_statistics(image, target))
    np.testing.assert_allclose(mean, moments(target)[0], atol=1e-4)
    np.testing.assert_allclose(covariance, moments(target)[1], atol=1e-3 * np.trace(covariance))


def test_the_linear_map_moves_colours_least():
    # Of maps between the same two covariances the symmetric, positive one is optimal.
    rng = np.random.default_rng(0)
    image, target = (muted(seed, 0.04 * rng.standard_normal((3, 3))) for seed in (1, 2))
    matched = color.match_statistics(image, target)
    centered = [(each - each.mean(axis=(0, 1))).reshape(-1, 3).astype(np.float64)
                for each in (image, matched)]
    transform = np.linalg.lstsq(*centered, rcond=None)[0]
    np.testing.assert_allclose(transform, transform.T, atol=1e-3)
    assert np.linalg.eigvalsh(transform).min() > 0


@pytest.mark.parametrize("match", [color.match_statistics, color.match_histogram])
@pytest.mark.parametrize("image, target", PAIRS)
def test_palettes_come_closer(match, image, target):
    image, target = small(image), small(target)
    before = sliced_wasserstein(image, target)
    matched = match(image, target)
    after = sliced_wasserstein(matched, target)
    assert matched.dtype == np.float32 and matched.shape == image.shape
    assert matched.min() >= 0 and matched.max() <= 1
    assert after < 0.8 * before
    again = sliced_wasserstein(match(matched, target), target)
    assert again < 1.05 * after


@pytest.mark.parametrize("image, target", PAIRS)
def test_the_histogram_is_closer_than_the_statistics(image, target):
    image, target = small(image), small(target)
    linear, full = (
        sliced_wasserstein(match(image, target), target)
        for match in (color.match_statistics, color.match_histogram)
    )
    assert full < 0.7 * linear


def test_matching_does_not_make_flat_parts_speckled():
    rng = np.random.default_rng(0)
    flat = np.float32([0.9, 0.85, 0.75]) + rng.integers(-1, 2, (60, 80, 3)) / 255
    picture = np.where(rng.random((60, 80, 1)) < 0.1, 0.1, flat).astype(np.float32)
    paper = picture[..., 0] > 0.5
    matched = color.match_histogram(picture, small("harbor"))
    assert matched[paper].std(axis=0).max() < 0.05


@pytest.mark.parametrize("match", [color.match_statistics, color.match_histogram])
def test_matching_a_picture_to_itself_keeps_it(match):
    picture = small("brushstrokes")
    assert np.abs(match(picture, picture) - picture).max() < 2 / 255


@pytest.mark.parametrize("match", [color.match_statistics, color.match_histogram])
def test_flat_and_gray_pictures_are_matched(match):
    picture = small("harbor")
    gray = np.repeat(color.luminance(picture)[..., None], 3, axis=2).astype(np.float32)
    constant = np.full((5, 7, 3), 0.3, np.float32)
    mean = picture.mean(axis=(0, 1))
    flat = match(constant, picture)
    assert np.ptp(flat, axis=(0, 1)).max() == 0
    np.testing.assert_allclose(flat[0, 0], mean, atol=0.15)
    np.testing.assert_allclose(match(picture, constant), 0.3, atol=1e-3)
    assert np.ptp(match(picture, gray), axis=2).max() < 0.02
    assert np.isfinite(match(gray, picture)).all()
    assert match(gray[:1, :1], picture).shape == (1, 1, 3)


def test_a_gray_picture_keeps_to_the_spread_that_it_can_have():
    picture = small("harbor")
    gray = np.repeat(color.luminance(picture)[..., None] / 2 + 0.2, 3, axis=2)
    matched = color.match_statistics(gray, picture)
    spread = np.sqrt(np.trace(moments(matched)[1]) / np.trace(moments(picture)[1]))
    assert 0.7 < spread < 1.01


def test_the_map_between_histograms_is_smooth():
    # Neighbouring colours, all in one cell, of a picture that is nearly paper and ink.
    rng = np.random.default_rng(0)
    picture = np.clip(small("ink") + rng.normal(0, 0.01, 3), 0, 0.99).astype(np.float32)
    both = np.concatenate([picture, picture + 1 / 255])
    matched = color.match_histogram(both, small("stained_glass"))
    here, beside = np.split(matched, 2)
    assert np.abs(here - beside).max() < 16 / 255


def test_gray_is_no_colour_but_for_rounding():
    gray = color.as_gray(small("harbor"))
    assert color.is_gray(gray) and not color.is_gray(small("harbor"))
    tinted = gray.copy()
    tinted[3, 4, 1] += 1 / 255
    assert color.is_gray(tinted)
    tinted[3, 4, 1] += 1 / 255
    assert not color.is_gray(tinted)
    np.testing.assert_allclose(gray[..., 0], small("harbor").mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("match", [color.match_statistics, color.match_histogram])
def test_colours_that_do_not_count_change_nothing(match):
    picture, target = sample("brushstrokes", 64), sample("harbor", 64)
    expected = match(picture, target)
    wider = np.concatenate([picture, np.full_like(picture, (1, 0, 1))], axis=1)
    counted = np.arange(wider.shape[1])[None].repeat(len(wider), axis=0) < picture.shape[1]
    found = match(wider, target, counted)
    np.testing.assert_allclose(found[counted], expected.reshape(-1, 3), atol=1e-5)
    assert np.abs(match(wider, target)[counted] - expected.reshape(-1, 3)).max() > 0.1
