"""Contact sheets: where pictures and captions stand."""

import numpy as np
import pytest

from tf_style.show import sheet
from tf_style.show.sheet import Cell, contact_sheet, side_by_side

RED, BLUE = (200, 10, 20), (10, 20, 200)


def plain(color, height=48, width=64):
    return np.full((height, width, 3), color, np.uint8)


def found(drawn, color):
    """Top, bottom, left and right of all that has this colour."""
    rows, columns = np.nonzero((np.rint(drawn * 255) == color).all(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def dark(drawn):
    return (drawn < 0.4).all(axis=2)


def test_pictures_are_whole_and_stand_on_one_line_in_equal_columns():
    drawn = contact_sheet([
        [Cell(plain(RED), "a"), Cell(plain(BLUE, 90, 60), "b")],
        [Cell(None), Cell(plain((9, 200, 9), 20, 60), "c")],
    ])
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() <= 1
    red, blue, green = (found(drawn, each) for each in (RED, BLUE, (9, 200, 9)))
    for place, shape in ((red, (48, 64)), (blue, (90, 60)), (green, (20, 60))):
        assert (place[1] - place[0], place[3] - place[2]) == shape
    assert red[1] == blue[1] < green[0] and red[3] < blue[2]
    assert blue[2:] == green[2:]


def test_a_caption_is_below_its_picture_and_no_wider_than_its_column():
    name = "a_photograph_of_my_holidays_by_the_sea_1.jpg"
    long, short = (
        contact_sheet([[Cell(plain(RED, 120, 160), each), Cell(plain(BLUE, 120, 160), "b")]])
        for each in (name, "a")
    )
    assert long.shape[1] == short.shape[1] and long.shape[0] > short.shape[0]
    red, blue = found(long, RED), found(long, BLUE)
    ink = dark(long)
    rows, columns = np.nonzero(ink[:, : blue[2] - 3])
    assert rows.min() >= red[1] and columns.min() >= red[2] - 1 and columns.max() < red[3] + 1
    assert not ink[:, red[3] + 1 : blue[2] - 1].any()


def test_small_pictures_leave_room_for_what_is_to_be_typed():
    font = sheet._font(12)
    drawn = contact_sheet([[Cell(plain(RED, 24, 32), "--preset=document")]])
    assert drawn.shape[1] >= font.getlength("--preset=document")
    assert found(drawn, RED)[3] - found(drawn, RED)[2] == 32


@pytest.mark.parametrize("text", [
    "a_photograph_of_my_holidays_by_the_sea.jpg", "x" * 300, "wide " * 20, "字" * 40,
    "Ещё одна картина с длинным именем.png",
])
def test_lines_are_no_wider_than_they_may_be_and_nothing_is_lost(text):
    font = sheet._font(14)
    lines = sheet._wrapped(text, font, 120)
    assert "".join(lines) == text and len(lines) > 1
    assert all(font.getlength(line) <= 120 for line in lines)
    if "_" in text:
        assert all(line[-1] in "_.-" for line in lines[:-1])


def test_a_letter_that_is_too_wide_has_a_line_of_its_own():
    assert sheet._wrapped("ab", sheet._font(40), 1) == ["a", "b"]


def test_several_styles_share_the_room_of_one():
    drawn = side_by_side([np.zeros((50, 100, 3)), np.ones((60, 30, 3))], 200)
    assert drawn.shape[1] in (199, 200, 201) and drawn.shape[0] == 80
    assert (drawn[:, :155] < 0.1).all() and (drawn[:, 165:] > 0.9).all()
    one = side_by_side([np.zeros((100, 50, 3))], 200)
    assert one.shape == (200, 100, 3)
