import numpy as np
import pytest

from tf_style import InputError
from tf_style.library.palette import colors_of, has_colors, palette


def flag(*stripes):
    """A picture of stripes: colour, width."""
    return np.concatenate([np.tile(np.float32(color) / 255, (40, width, 1))
                           for color, width in stripes], axis=1)


FLAG = flag(((20, 30, 120), 30), ((250, 250, 245), 20), ((200, 20, 30), 10))


def test_colours_and_shares():
    found = palette(FLAG)
    assert [each.color for each in found] == ["#141e78", "#fafaf5", "#c8141e"]
    assert [each.share for each in found] == pytest.approx([1 / 2, 1 / 3, 1 / 6], abs=0.02)


def test_at_most_five_that_are_everything():
    found = palette(np.random.default_rng(0).random((50, 50, 3), np.float32))
    assert len(found) == 5
    assert sum(each.share for each in found) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("colors", "expected"), [
    ("navy", True), ("#1a2470", True), ("crimson,white", True), ("white", True),
    ("green", False), ("navy,green", False), ("gold", False), ("black", False),
])
def test_has_colours(colors, expected):
    assert has_colors(palette(FLAG), colors_of(colors)) == expected


def test_a_speck_is_no_colour_of_a_picture():
    speck = flag(((250, 250, 245), 58), ((200, 20, 30), 2))
    assert not has_colors(palette(speck), colors_of("crimson"))


def test_unknown_colour():
    with pytest.raises(InputError, match=r"palette=navy,bleu: expected colours.*'bleu'"):
        colors_of("navy,bleu")
