"""What a run was given, by name and digest: enough to run it again. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tf_style.image.paths import PathLike, locate
from tf_style.image.picture import as_picture
from tf_style.image.style import read_style
from tf_style.settings import MAX_PIXELS, InputError

Picture = PathLike | np.ndarray | Image.Image

ARRAY = "array:"


@dataclasses.dataclass(frozen=True)
class PictureFile:
    """A picture file that has been read, for several runs.

    Attributes:
        name: the file as it was named.
        pixels: `(height, width, 3)` in `[0, 1]`.
        digest: SHA-256 of the file's bytes, in hexadecimal.
        alpha: how opaque it is, as `read_style` returns it.
    """

    name: str
    pixels: np.ndarray
    digest: str
    alpha: np.ndarray | None = None

    @classmethod
    def of(
        cls, name: str, *, max_pixels: int = MAX_PIXELS, side: int | None = None
    ) -> PictureFile:
        """Read a path or `sample:NAME`.

        Args:
            max_pixels, side: as for `read_style`.

        Raises:
            InputError: as `read_style` does.
        """
        pixels, alpha = read_style(name, max_pixels=max_pixels, side=side)
        return cls(name, pixels, _digest(name), alpha)


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The pictures of a run.

    Attributes:
        content: the file as it was named; `array:DIGEST` for an array; `None` for no content.
        style, content_mask, style_mask: likewise, each in order.
        protect: likewise; `None` for no such mask.
        digests: name → SHA-256 in hexadecimal, of a file's bytes, or of an array's float32 values.
    """

    content: str | None = None
    style: tuple[str, ...] = ()
    content_mask: tuple[str, ...] = ()
    style_mask: tuple[str, ...] = ()
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    protect: str | None = None

    @classmethod
    def of(
        cls,
        content: Picture | PictureFile | None,
        style: Sequence[Picture | PictureFile],
        content_mask: Sequence[Picture] = (),
        style_mask: Sequence[Picture] = (),
        others: Sequence[PathLike] = (),
        protect: Picture | None = None,
    ) -> Inputs:
        """Name pictures that have been read without an error.

        Args:
            content_mask, style_mask, protect: an array as `as_mask` returns it.
            others: files that the settings name, such as where the image starts.

        Raises:
            InputError: for a file that is no longer there.
        """
        digests: dict[str, str] = {}

        def name(picture: Picture | PictureFile) -> str:
            if isinstance(picture, PictureFile):
                text = picture.name
                digests[text] = picture.digest
            elif isinstance(picture, (str, os.PathLike)):
                text = os.fspath(picture)
                digests[text] = _digest(text)
            else:
                is_mask = isinstance(picture, np.ndarray) and picture.ndim == 2
                values = picture if is_mask else as_picture(picture)
                digest = hashlib.sha256(np.ascontiguousarray(values, np.float32)).hexdigest()
                text = ARRAY + digest
                digests[text] = digest
            return text

        named = cls(
            None if content is None else name(content),
            tuple(map(name, style)),
            tuple(map(name, content_mask)),
            tuple(map(name, style_mask)),
            digests,
            None if protect is None else name(protect),
        )
        for file in others:
            name(file)
        return named

    def renamed(self, names: Mapping[str, str]) -> Inputs:
        """The same with other names: name → the one to record."""
        def name(known: str | None) -> str | None:
            return names.get(known, known)

        def names_of(known: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(names.get(each, each) for each in known)

        return Inputs(
            name(self.content), names_of(self.style), names_of(self.content_mask),
            names_of(self.style_mask),
            {names.get(each, each): digest for each, digest in self.digests.items()},
            name(self.protect),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, by the names of the flags."""
        return {
            "content": self.content,
            "style": list(self.style),
            "content_mask": list(self.content_mask),
            "style_mask": list(self.style_mask),
            "protect": self.protect,
            "digests": dict(self.digests),
        }


def _digest(name: str) -> str:
    try:
        return hashlib.sha256(locate(name).read_bytes()).hexdigest()
    except OSError as error:
        # It was there a moment ago.
        raise InputError(f"{name}: cannot be read any more ({error.strerror})") from None
