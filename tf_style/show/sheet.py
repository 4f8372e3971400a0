"""A contact sheet: small pictures in rows, each over a caption. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tf_style.image.resize import resize

# Shares of a picture's long side. Letters that are legible beside it are so at any size.
_LETTERS, _GAP = 1 / 18, 1 / 32
# In pixels.
_LEAST_LETTERS, _LEAST_GAP = 12, 6
# Letters that stand side by side under the narrowest picture.
_LINE = 20
_PAPER, _INK = (255, 255, 255), (32, 32, 32)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place of a sheet.

    Attributes:
        picture: `(height, width, 3)` uint8, in which many take little memory; `None` for an empty
            place.
        caption: what stands below it.
    """

    picture: np.ndarray | None
    caption: str = ""


def contact_sheet(rows: Sequence[Sequence[Cell]]) -> np.ndarray:
    """Pictures in a grid, each over its caption, which is wrapped to the width of its column.

    Args:
        rows: at least one; all have the same number of cells, and one of these a picture.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.
    """
    side = max(max(cell.picture.shape[:2]) for row in rows for cell in row
               if cell.picture is not None)
    font = _font(max(_LEAST_LETTERS, round(side * _LETTERS)))
    gap = max(_LEAST_GAP, round(side * _GAP))
    line = sum(font.getmetrics())
    widths = [_width(column, font) for column in zip(*rows, strict=True)]
    captions = [
        [_wrapped(cell.caption, font, width) for cell, width in zip(row, widths, strict=True)]
        for row in rows
    ]
    heights = [max((each.picture.shape[0] for each in row if each.picture is not None), default=0)
               for row in rows]
    below = [gap // 2 + line * max(map(len, row)) for row in captions]
    sheet = Image.new("RGB", (
        sum(widths) + gap * (len(widths) + 1),
        sum(heights) + sum(below) + gap * (len(rows) + 1),
    ), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = gap
    for row, height, texts, beneath in zip(rows, heights, captions, below, strict=True):
        left = gap
        for cell, width, lines in zip(row, widths, texts, strict=True):
            if cell.picture is not None:
                tall, wide = cell.picture.shape[:2]
                at = left + (width - wide) // 2, top + height - tall
                sheet.paste(Image.fromarray(cell.picture), at)
            for number, text in enumerate(lines):
                start = left + (width - font.getlength(text)) / 2
                draw.text((start, top + height + gap // 2 + number * line), text, _INK, font)
            left += width + gap
        top += height + beneath + gap
    return np.asarray(sheet, np.float32) / 255


def side_by_side(pictures: Sequence[np.ndarray], long_side: int) -> np.ndarray:
    """Pictures at one height, side by side, no larger than `long_side` together.

    Args:
        pictures: `(any height, any width, 3)` in `[0, 1]`.
    """
    whole = sum(picture.shape[1] / picture.shape[0] for picture in pictures)
    height = max(1, round(min(long_side, long_side / whole)))
    shown = [resize(each, height, max(1, round(height * each.shape[1] / each.shape[0])))
             for each in pictures]
    return np.clip(np.concatenate(shown, axis=1), 0, 1)


def _font(size: int) -> ImageFont.FreeTypeFont:
    # The one that figures use. Pillow's own has no Greek or Cyrillic letters.
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return ImageFont.truetype(folder / "DejaVuSans.ttf", size)


def _width(column: Sequence[Cell], font: ImageFont.FreeTypeFont) -> int:
    """As wide as its pictures, and no narrower than a short caption."""
    pictures = [cell.picture.shape[1] for cell in column if cell.picture is not None]
    short = min(font.getlength("0") * _LINE,
                max(font.getlength(cell.caption) for cell in column))
    return max(round(short + 0.5), *pictures, 1)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines no wider than `width`, broken behind a space, a dash, a dot or the like if possible."""
    lines = []
    while text:
        fits = len(text)
        while fits > 1 and font.getlength(text[:fits]) > width:
            fits -= 1
        breaks = [place for place in range(1, fits + 1) if text[place - 1] in " _-./="]
        if fits < len(text) and breaks and breaks[-1] > fits // 2:
            fits = breaks[-1]
        lines.append(text[:fits])
        text = text[fits:]
    return lines
