import numpy as np
import pytest

from tests.image.conftest import compressed, noisy, sample
from tf_style.image.defects import COMPRESSED, NOISY, largest_side
from tf_style.image.mending import Mended
from tf_style.image.resize import fit
from tf_style.image.style import Style

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
