"""Questions as pictures, one a sheet, for viewers who cannot click, and a form for the answers."""

from __future__ import annotations

import csv
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.vote.ballot import ASPECTS, Ballot

MARGIN, LABEL = 16, 30
# Of content and style.
_HEIGHT = 256
_PAPER, _INK = (236, 236, 236), (20, 20, 20)


def sheet(
    title: str, content: np.ndarray, style: np.ndarray, left: np.ndarray, right: np.ndarray
) -> Image.Image:
    """Content and style, small, above the two results, pixel by pixel.

    Args:
        title: of the sheet.
        content, style, left, right: uint8 `(height, width, 3)`; the results have the same size.
    """
    height, width = left.shape[:2]
    column = max(width, _HEIGHT)
    small = [_within(picture, column, _HEIGHT) for picture in (content, style)]
    below = 2 * MARGIN + 2 * LABEL + max(each.height for each in small)
    page = Image.new("RGB", (2 * column + 3 * MARGIN, below + LABEL + height + MARGIN), _PAPER)
    _write(page, title, MARGIN, MARGIN)
    big = (Image.fromarray(left), Image.fromarray(right))
    for top, labels, row in ((MARGIN + LABEL, ("CONTENT", "STYLE"), small),
                             (below, ("LEFT", "RIGHT"), big)):
        for place, (label, picture) in enumerate(zip(labels, row, strict=True)):
            start = MARGIN + place * (column + MARGIN)
            _write(page, label, start, top)
            page.paste(picture, (start, top + LABEL))
    return page


def _within(picture: np.ndarray, width: int, height: int) -> Image.Image:
    found = Image.fromarray(picture)
    found.thumbnail((width, height), Image.Resampling.LANCZOS)
    return found


def _write(page: Image.Image, text: str, left: int, top: int) -> None:
    ImageDraw.Draw(page).text((left, top), text, _INK, ImageFont.load_default(20))


def form(ballot: Ballot) -> str:
    """A CSV form with a line for each question, to fill with `left` and `right`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["question", *ASPECTS])
    writer.writerows([each, *("" for _ in ASPECTS)] for each in ballot.questions)
    return text.getvalue()
