"""How large the output is, as it is written and as it is meant."""

import pytest

from tf_style.settings import InputError, Settings, Size
from tf_style.settings.size import SizeType


@pytest.mark.parametrize("written, meant, plain", [
    (512, Size(512), 512), ("512", Size(512), 512), ("300x200", Size(width=300, height=200),
                                                     "300x200"),
    ("300X200", Size(width=300, height=200), "300x200"), ("original", Size(), "original"),
    (Size(48), Size(48), 48), ((300, 200), Size(width=300, height=200), "300x200"),
    ([300, 200], Size(width=300, height=200), "300x200"),
])
def test_a_size_is_parsed_once(written, meant, plain):
    assert SizeType().parse("size", written) == meant == Settings(size=written).size
    assert meant.plain() == plain and str(meant) == str(plain)


@pytest.mark.parametrize("written", [
    "300x", "x", "7x7x7", "0x5", "-1", 7, "auto", None, (300,), (3, 2, 1), (300, 1), (),
])
def test_what_is_no_size_is_named(written):
    with pytest.raises(InputError, match="size: expected a whole number"):
        SizeType().parse("size", written)


@pytest.mark.parametrize("written", ["large", "50%", "auto", "7x7x7"])
def test_a_size_in_words_is_told_of_the_contents_own(written):
    with pytest.raises(InputError, match=r"whole number.*The content's own size is size=original$"):
        SizeType().parse("size", written)
    with pytest.raises(InputError, match=r"at least 8\. Received: 7$"):
        SizeType().parse("size", "7")


@pytest.mark.parametrize("size, content, expected", [
    ("512", (30, 40), ((30, 40), 512)), ("original", (30, 40), ((30, 40), 40)),
    ("512", None, ((512, 512), 512)), ("300x200", None, ((200, 300), 300)),
])
def test_proportions_and_long_side(size, content, expected):
    assert SizeType().parse("size", size).proportions(content) == expected


def test_sizes_that_do_not_go_with_the_content_are_named():
    with pytest.raises(InputError, match="size=original: there is no content"):
        Size().proportions(None)
    with pytest.raises(InputError, match="size=64x48: the content gives the proportions"):
        Size(width=64, height=48).proportions((10, 10))
