"""What painting a frame needs of the frames before it, as plain data. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tf_style.settings import Settings


@dataclasses.dataclass(frozen=True)
class Past:
    """Earlier frames of the same shot.

    Attributes:
        contents: how many frames ago, 1 for the frame before → the frame of the film, of the size
            that is painted, `(height, width, 3)` in `[0, 1]`.
        pictures: the same numbers → what it was painted as, rounded to 8 bits.
        state: what the painter itself carried on, by name.
        seen: what its `look` returned of the frame before and this one; `None` if nobody asked.
    """

    contents: Mapping[int, np.ndarray]
    pictures: Mapping[int, np.ndarray]
    state: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    seen: Any = None


@dataclasses.dataclass(frozen=True)
class Painted:
    """A painted frame.

    Attributes:
        picture: `(height, width, 3)` float32 in `[0, 1]`.
        state: small arrays that the painter needs again at the next frame of the shot, by name.
    """

    picture: np.ndarray
    state: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


class FramePainter(Protocol):
    """Paints one frame after another.

    All that it needs of earlier frames comes as `Past`, so that a film whose making was interrupted
    goes on with the same frames.

    Attributes:
        lags: how many frames ago the earlier frames are that it asks for, in any order.
        settings: with every `auto` resolved that does not depend on the pictures.
        weights: fingerprints of the kernels in use.
    """

    lags: tuple[int, ...]
    settings: Settings
    weights: Mapping[str, str]

    def look(self, before: np.ndarray, content: np.ndarray) -> Any:
        """What can be found of two neighbouring frames of a shot before either is painted.

        It may be asked for in another thread, while an earlier frame is painted; see `Past.seen`.

        Args:
            before, content: `(height, width, 3)` float32 in `[0, 1]`.
        """

    def paint(self, content: np.ndarray, past: Past | None) -> Painted:
        """Paint a frame.

        Args:
            content: `(height, width, 3)` float32 in `[0, 1]`.
            past: `None` where a shot begins. Of its `lags`, those that reach back before the shot
                are missing.
        """


class StoppedError(Exception):
    """Raised by `FramePainter.paint` if its callback ends a frame, which is given up."""
