"""What a run was given, by name and digest: enough to run it again. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_style.image import files
from tf_style.image.files import PathLike

ARRAY = "array:"


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The pictures of a run.

    Attributes:
        content: the file as it was named; `array:DIGEST` for an array; `None` for no content.
        style, content_mask, style_mask: likewise, each in order.
        digests: name → SHA-256 in hexadecimal, of a file's bytes, or of an array's float32 values.
    """

    content: str | None = None
    style: tuple[str, ...] = ()
    content_mask: tuple[str, ...] = ()
    style_mask: tuple[str, ...] = ()
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        content: PathLike | np.ndarray | None,
        style: Sequence[PathLike | np.ndarray],
        content_mask: Sequence[PathLike | np.ndarray] = (),
        style_mask: Sequence[PathLike | np.ndarray] = (),
        others: Sequence[PathLike] = (),
    ) -> Inputs:
        """Name pictures that have been read without an error.

        Args:
            others: files that are known by the settings, such as where the image starts.
        """
        digests: dict[str, str] = {}

        def name(picture: PathLike | np.ndarray) -> str:
            if isinstance(picture, (str, os.PathLike)):
                text = os.fspath(picture)
                digests[text] = hashlib.sha256(files.locate(text).read_bytes()).hexdigest()
            else:
                digest = hashlib.sha256(files.as_picture(picture).tobytes()).hexdigest()
                text = ARRAY + digest
                digests[text] = digest
            return text

        named = cls(
            None if content is None else name(content),
            tuple(map(name, style)),
            tuple(map(name, content_mask)),
            tuple(map(name, style_mask)),
            digests,
        )
        for file in others:
            name(file)
        return named

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, by the names of the flags."""
        return {
            "content": self.content,
            "style": list(self.style),
            "content_mask": list(self.content_mask),
            "style_mask": list(self.style_mask),
            "digests": dict(self.digests),
        }
