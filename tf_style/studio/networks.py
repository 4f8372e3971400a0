"""Networks of the user's own: files that `tf_style_train` wrote. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tf_style.image.paths import no_plain_file
from tf_style.network.archives import THUMBNAIL
from tf_style.settings import InputError
from tf_style.studio.store import NETWORK_ENDING, Upload, plain_name
from tf_style.transfer.samples import check_model

# Of a thumbnail: more than any is meant to exhaust memory.
_MOST_PIXELS = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Network:
    """A file that was named when the studio was started.

    Attributes:
        path: where it is.
        digest: SHA-256 of its bytes.
        changed: when they last changed, in nanoseconds since 1970.
    """

    path: Path
    digest: str
    changed: int

    @classmethod
    def of(cls, name: str) -> Network:
        """Look at a file.

        Raises:
            InputError: if it is none that `tf_style_train` wrote.
        """
        # Keras takes no other spelling, and what comes with the package is on the page already.
        if not name.endswith(NETWORK_ENDING) or name.startswith("sample:"):
            raise _no_network(name)
        if reason := no_plain_file(name):
            raise _no_network(name, f". {reason[0].upper()}{reason[1:]}")
        thumbnail(name)
        path = Path(name).absolute()
        return cls(path, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)

    @property
    def name(self) -> str:
        """What to call it, in one line."""
        return plain_name(self.path.name)

    @property
    def reference(self) -> str:
        """What the page calls it."""
        return f"network:{self.digest}"

    @property
    def is_there(self) -> bool:
        """Whether the file is there, and as it was."""
        return self.path.is_file() and self.path.stat().st_mtime_ns == self.changed


def look(path: Path, digest: str, name: str, ending: str) -> Upload:
    """What is known of an uploaded network.

    Raises:
        InputError: if it is none that `tf_style_train` wrote.
    """
    if ending != NETWORK_ENDING:
        raise _no_network(name)
    try:
        height, width, _ = thumbnail(path).shape
    except InputError as error:
        raise InputError(error.flags.replace(os.fspath(path), name)) from None
    return Upload(digest, digest + ending, name, width, height)


def thumbnail(path: str | Path) -> np.ndarray:
    """What a network makes of a photograph, as its file shows it: `(height, width, 3)` uint8.

    Raises:
        InputError: if the file holds no network, or none that `tf_style_train` wrote.
    """
    check_model("model", os.fspath(path))
    try:
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read(THUMBNAIL))
        with Image.open(content, formats=["JPEG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ValueError("too large")
            return np.asarray(image.convert("RGB"))
    # For a damaged file, a decoder may raise almost any exception.
    except Exception:
        raise InputError(f"--model={path}: expected a .keras file that tf_style_train wrote. It "
                         "has no thumbnail that can be read") from None


def _no_network(name: str, reason: str = "") -> InputError:
    return InputError(f"--model={name}: expected a .keras file that tf_style_train wrote{reason}")
