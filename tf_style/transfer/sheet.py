"""A contact sheet of what a network in training makes of photographs that are held out."""

from __future__ import annotations

import numpy as np

from tf_style.image.resize import fit
from tf_style.transfer.train import Trainer

_SIDE, _PHOTOGRAPHS, _GAP = 256, 4, 8


def sheet(trainer: Trainer) -> np.ndarray:
    """Photographs in the first row, and each style in a row below.

    Returns:
        `(height, width, 3)` float32 in `[0, 1]`.
    """
    shown = [fit(each / np.float32(255), _SIDE)
             for each in trainer.photographs.held_out[:_PHOTOGRAPHS]]
    rows = [shown, *([trainer.paint(each, style) for each in shown]
                     for style in range(trainer.pupil.styles))]
    return np.concatenate([np.concatenate([_framed(each) for each in row], 1) for row in rows], 0)


def _framed(picture: np.ndarray) -> np.ndarray:
    """A picture in the middle of a white square."""
    side = _SIDE + _GAP
    square = np.ones((side, side, 3), np.float32)
    height, width = picture.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square
