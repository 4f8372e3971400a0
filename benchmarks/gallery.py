"""The README's gallery: `python -m benchmarks.gallery docs/gallery.jpg [--flag=value …]`.

Rows are sample contents, columns are sample styles; the flags are those of `tf_style`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from PIL import Image

from tf_style.image.numbers import eight_bit
from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES
from tf_style.run.stylizer import Stylizer

SIDE, GAP = 256, 6


def tile(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture, square, `SIDE` pixels wide."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    framed = np.ones((SIDE + GAP, SIDE + GAP, 3), np.float32)
    framed[:SIDE, :SIDE] = fit(picture[top : top + side, left : left + side], SIDE)
    return framed


def gallery(settings: Mapping[str, str]) -> np.ndarray:
    """Styles on top, contents on the left, results where they meet."""
    stylizer = Stylizer(**settings)
    styles = [read_picture(f"sample:{name}") for name in STYLE_SAMPLES]
    rows = [np.concatenate([np.ones_like(tile(styles[0])), *map(tile, styles)], axis=1)]
    for name in CONTENT_SAMPLES:
        content = read_picture(f"sample:{name}")
        made = [stylizer.stylize(content, style).image for style in styles]
        rows.append(np.concatenate([tile(content), *map(tile, made)], axis=1))
    return np.concatenate(rows)[:-GAP, :-GAP]


if __name__ == "__main__":
    output, *given = sys.argv[1:]
    made = gallery(dict(flag.lstrip("-").split("=", 1) for flag in given))
    # A page of thumbnails: smaller matters more than the last bit.
    Image.fromarray(eight_bit(made)).save(output, quality=88)
