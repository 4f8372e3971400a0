"""What a library keeps of a picture besides its descriptor. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from tf_style.image.defects import SMALL, defects, largest_side
from tf_style.image.numbers import eight_bit
from tf_style.image.paths import no_plain_file
from tf_style.image.resize import shrink
from tf_style.image.style import read_style
from tf_style.library.duplicates import picture_hash
from tf_style.library.palette import Swatch, palette
from tf_style.settings import MAX_PIXELS, InputError

# Long sides, in pixels: of thumbnails, and at which defects are looked for in pictures that are
# much larger.
THUMBNAIL, _EXAMINED = 128, 1024
# The long side at which runs see a style by default.
_SEEN = 512


@dataclasses.dataclass(frozen=True)
class FileState:
    """A file as it was found. Whether it has changed since is seen without reading it.

    Attributes:
        path: absolute.
        bytes: its size.
        changed: when it was last written, in nanoseconds.
    """

    path: str
    bytes: int
    changed: int

    @classmethod
    def of(cls, path: str | os.PathLike) -> FileState | None:
        """The file as it is now; `None` if there is none that can be looked at."""
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        return cls(os.path.abspath(path), status.st_size, status.st_mtime_ns)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A picture as it is looked at once.

    Attributes:
        file: where it is.
        digest: SHA-256 of the file's bytes.
        height, width: in pixels.
        thumbnail: a JPEG with a long side of 128 pixels.
        palette: its colours.
        defects: as `image.defects` names them: the same for any size at which it is seen, but for
            `SMALL`, which is meant for a run at 512 pixels.
        hash: as `picture_hash` returns it.
    """

    file: FileState
    digest: bytes
    height: int
    width: int
    thumbnail: bytes
    palette: tuple[Swatch, ...]
    defects: tuple[str, ...]
    hash: int


def digest_of(path: str | os.PathLike) -> bytes:
    """SHA-256 of a file's bytes.

    Raises:
        InputError: if it cannot be read, or is no plain file.
    """
    if reason := no_plain_file(path):
        raise InputError(f"{os.fspath(path)}: {reason}")
    try:
        return hashlib.sha256(Path(path).read_bytes()).digest()
    except OSError as error:
        raise InputError(f"{os.fspath(path)}: cannot be read ({error.strerror})") from None


def look_at(
    file: FileState, digest: bytes, max_pixels: int = MAX_PIXELS
) -> tuple[Entry, np.ndarray]:
    """Look at a picture file: what is kept of it, and the picture no larger than need be.

    Raises:
        InputError: if it is no picture that can be read.
    """
    with warnings.catch_warnings():
        # Of thousands of files, oddities of single ones are not worth a line.
        warnings.simplefilter("ignore")
        picture, _ = read_style(file.path, max_pixels=max_pixels, side=_EXAMINED)
    height, width = picture.shape[:2]
    if max(height, width) > 1.5 * _EXAMINED:
        picture = shrink(picture, _EXAMINED)
    found = defects(picture)
    if 1.01 * largest_side(picture) < _SEEN:
        found += (SMALL,)
    small = shrink(picture, THUMBNAIL)
    return Entry(
        file, digest, height, width, _jpeg(small), palette(small), found, picture_hash(small)
    ), picture


def _jpeg(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(eight_bit(picture)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
