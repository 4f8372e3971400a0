"""A page's camera: each frame that it sends is painted by a network and sent back."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tf_style.image.picture import jpeg_bytes
from tf_style.image.resize import fitted_size, resize
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import Number, whole
from tf_style.studio import form

if TYPE_CHECKING:
    from tf_style.film.frame import Past
    from tf_style.studio.painters import Painters

# Of a frame, in pixels: more than any camera's is meant to exhaust memory.
_MOST_PIXELS = 4096 * 4096
_SIDE, _USUAL_SIDE = whole(8, 1024), 320
_QUALITY = 80


@dataclasses.dataclass(frozen=True)
class Choice:
    """What the page wants its camera's frames painted by.

    Attributes:
        settings: name the network.
        steadiness: as for `tf_style_camera`.
        size: long side of what is painted, in pixels.
    """

    settings: Settings
    steadiness: float | str
    size: int

    @classmethod
    def of(cls, text: str, **fixed: Any) -> Choice:
        """Read what the page said.

        Args:
            fixed: settings that are the same for all.

        Raises:
            InputError: if that is not possible.
        """
        try:
            data = json.loads(text)
            given = {name: data[name] for name in ("model", "strength", "style_blend",
                                                   "preserve_color") if name in data}
            steadiness, size = data.get("steadiness", AUTO), data.get("size", _USUAL_SIDE)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise InputError("expected an object: model, steadiness, size") from None
        settings = form.checked(given, **fixed)
        if not settings.model:
            raise InputError("--model: expected a network that paints")
        if steadiness != AUTO:
            steadiness = Number(0, 1).parse("steadiness", steadiness)
        return cls(settings, steadiness, _SIDE.parse("size", size))


class Camera:
    """The frames of one camera, one after another; for the worker's thread."""

    def __init__(self, painters: Painters):
        self._painters = painters
        self._choice: Choice | None = None
        self._past: Past | None = None

    def paint(self, choice: Choice | None, frame: bytes) -> bytes:
        """A frame as it is painted.

        Args:
            choice: by what.
            frame: a JPEG.

        Returns:
            A JPEG.

        Raises:
            InputError: for what is no such frame, or before anything was chosen.
        """
        if choice is None:
            raise InputError("--model: choose a network first")
        from tf_style.film.frame import Past

        content = _content(frame, choice.size)
        past = self._past
        # A picture in another style, or of another size, is nothing to hold to.
        if choice != self._choice or (past and past.contents[1].shape != content.shape):
            past = None
        self._choice = choice
        made = self._painters.frames(choice.settings, choice.steadiness).paint(content, past)
        self._past = Past({1: content}, {1: made.picture}, made.state)
        return jpeg_bytes(made.picture, _QUALITY)


def _content(frame: bytes, side: int) -> np.ndarray:
    """A frame, `(height, width, 3)` in `[0, 1]`, of that long side."""
    try:
        with Image.open(io.BytesIO(frame), formats=["JPEG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ValueError("too large")
            image.draft("RGB", (2 * side, 2 * side))
            picture = np.asarray(image.convert("RGB"))
    # For a damaged file, a decoder may raise almost any exception.
    except Exception as error:
        raise InputError(f"a frame cannot be read ({' '.join(str(error).split())[:120]}). Expected "
                         "a JPEG") from None
    size = fitted_size(*picture.shape[:2], side)
    return np.clip(resize(picture, *size, smooth=True), 0, 255).astype(np.float32) / 255
