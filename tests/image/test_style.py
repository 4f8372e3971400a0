import numpy as np
import pytest
from PIL import Image

from tests.image.conftest import RAMP, compressed, noisy, refused, sample, saved
from tf_style.image.defects import COMPRESSED, NOISY, largest_side
from tf_style.image.mending import Mended
from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.style import Style, continued, read_style

LEFT = np.float32(np.arange(20) < 10)[None].repeat(30, axis=0)


def test_a_good_style_stays_as_it_is():
    style = Style(sample("waves", 128), "waves.jpg", 0.25, LEFT, LEFT.T)
    mended = style.mended(128)
    assert mended.picture is style.picture and mended.mask is LEFT
    assert (mended.name, mended.share, mended.defects) == ("waves.jpg", 0.25, ())
    assert mended.mended_again is None and mended.largest == largest_side(style.picture)


@pytest.mark.parametrize("worsen, found", [(noisy, NOISY), (compressed, COMPRESSED)])
def test_a_poor_style_is_mended_twice_and_keeps_the_rest(worsen, found):
    poor = worsen(sample("waves", 96))
    style = Style(poor, "waves.jpg", 0.25, LEFT, LEFT.T).mended(96)
    assert style.defects == (found,)
    expected = Mended.of(poor, 96)
    np.testing.assert_array_equal(style.picture, expected.image)
    np.testing.assert_array_equal(style.mended_again, expected.again)
    assert style.largest == expected.largest
    assert not np.array_equal(style.picture, poor)
    assert (style.name, style.share) == ("waves.jpg", 0.25)
    assert style.mask is LEFT and (style.region == LEFT.T).all()


def test_each_part_is_seen_at_the_size_of_what_it_lies_on():
    picture, again = np.random.default_rng(0).random((2, 40, 60, 3), np.float32)
    style = Style(
        picture, share=0.5, mask=LEFT, region=LEFT.T, defects=(NOISY,), mended_again=again
    )
    seen = style.at(90, 48, 70)
    np.testing.assert_array_equal(seen.picture, fit(picture, 90))
    np.testing.assert_array_equal(seen.mended_again, fit(again, 90))
    assert seen.mask.shape == seen.picture.shape[:2] == (60, 90)
    assert seen.region.shape == (48, 70)
    assert (seen.defects, seen.share) == ((NOISY,), 0.5)
    assert style.picture is picture


def test_masks_lie_as_they_were_drawn_and_stay_in_range():
    seen = Style(sample("waves", 60), mask=LEFT, region=LEFT.T).at(90, 48, 70)
    for mask in (seen.mask, seen.region.T):
        assert mask.min() == 0 and mask.max() == 1
        assert (mask[:, :9] == 1).all() and (mask[:, -9:] == 0).all()
        assert mask.mean() == pytest.approx(0.5, abs=0.01)


def test_no_style_is_seen_larger_than_it_should_be():
    picture = sample("ink", 64)
    style = Style(picture, mended_again=picture, largest=50)
    for side, seen in ((49, 49), (50, 50), (200, 50)):
        found = style.at(side, 30, 30)
        assert max(found.picture.shape) == max(found.mended_again.shape) == seen
    assert max(Style(picture).at(200, 30, 30).picture.shape) == 200


def test_what_a_style_does_not_have_it_does_not_get():
    seen = Style(sample("ink", 64)).at(32, 30, 30)
    assert seen.mask is seen.region is seen.mended_again is None


# Transparency


def layers(alpha, under=(255, 255, 255)):
    """A file's picture: RAMP where there is alpha, another colour where there is none."""
    pixels = np.where(alpha[..., None] > 0, RAMP, np.uint8(under))
    return Image.fromarray(np.dstack([pixels, alpha]).astype(np.uint8))


def test_an_opaque_style_is_the_picture_itself(tmp_path):
    for image in (Image.fromarray(RAMP), layers(np.full((6, 8), 255, np.uint8))):
        path = saved(tmp_path / "a.png", image)
        picture, alpha = read_style(path)
        np.testing.assert_array_equal(picture, read_picture(path))
        assert alpha is None


@pytest.mark.parametrize("under", [(255, 255, 255), (0, 0, 0), (9, 200, 30)])
def test_what_is_transparent_mirrors_what_is_not(under, tmp_path):
    alpha = np.zeros((6, 8), np.uint8)
    alpha[1:4, 2:6] = 255
    picture, found = read_style(saved(tmp_path / "a.png", layers(alpha, under)))
    np.testing.assert_array_equal(found, alpha / np.float32(255))
    expected = np.pad(RAMP[1:4, 2:6], [(1, 2), (2, 2), (0, 0)], "symmetric") / np.float32(255)
    np.testing.assert_array_equal(picture, expected)


def test_a_soft_edge_has_the_colours_of_the_style_alone(tmp_path):
    alpha = np.uint8([255, 255, 200, 128, 64, 20, 3, 0])[None].repeat(6, axis=0)
    picture, found = read_style(saved(tmp_path / "a.png", layers(alpha)))
    np.testing.assert_array_equal(picture[:, :6], RAMP[:, :6] / np.float32(255))
    # 3 of 255 is too faint for a colour; what is left of it mirrors the rest.
    np.testing.assert_array_equal(picture[:, 6:], picture[:, [5, 4]])
    np.testing.assert_array_equal(found, alpha / np.float32(255))


def test_a_style_of_which_all_is_faint_is_still_one(tmp_path):
    picture, alpha = read_style(
        saved(tmp_path / "a.png", layers(np.full((6, 8), 5, np.uint8))))
    np.testing.assert_array_equal(picture, RAMP / np.float32(255))
    assert (alpha == np.float32(5 / 255)).all()


def test_a_style_that_is_not_there_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", layers(np.zeros((6, 8), np.uint8)))
    assert "transparent everywhere. Choose another" in refused(path, read_style)


def test_a_picture_is_continued_from_any_pixel():
    pixels = np.random.default_rng(0).random((5, 9, 3), np.float32)
    for row, column in np.ndindex(5, 9):
        known = np.zeros((5, 9), bool)
        known[row, column] = True
        assert (continued(pixels, known) == pixels[row, column]).all()
    known = np.random.default_rng(1).random((5, 9)) > 0.6
    found = continued(pixels, known)
    np.testing.assert_array_equal(found[known], pixels[known])
    inside = {tuple(color) for color in pixels[known]}
    assert {tuple(color) for color in found.reshape(-1, 3)} == inside


def test_only_what_is_opaque_is_recoloured_alike():
    alpha = LEFT * np.float32(0.8)
    picture = np.random.default_rng(0).random((60, 40, 3), np.float32)
    style = Style(picture, alpha=alpha, mended_again=picture * 0.5)
    asked = []
    seen = style.recolored(lambda each, opaque: asked.append(opaque) or each / 2)
    np.testing.assert_array_equal(seen.picture, picture / 2)
    np.testing.assert_array_equal(seen.mended_again, picture / 4)
    for opaque in asked:
        assert opaque[:, :20].all() and not opaque[:, 20:].any()
    Style(picture).recolored(lambda each, opaque: asked.append(opaque) or each)
    assert asked[2:] == [None]


def test_a_thin_region_counts_more_where_it_is_seen():
    line = np.zeros((64, 64), np.float32)
    line[:, 20] = 1
    seen = Style(sample("ink", 64), share=0.25, region=line).at(64, 64, 64)
    assert seen.share == pytest.approx(2) and (seen.region == line).all()
    assert Style(sample("ink", 64), share=0.25, region=LEFT).at(64, 30, 20).share == 0.25
