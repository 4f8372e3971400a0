"""Picture files, opened: by Pillow, or what Pillow does not know by the extra `deep`."""

from __future__ import annotations

import dataclasses
import difflib
import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tf_style.image import deep, frames, jpeg, samples
from tf_style.image.png import SIGNATURE, Chunks
from tf_style.settings import MAX_PIXELS, InputError

# Pillow knows more: some by name only, one (EPS) by running the program in the file.
_FORMATS = (
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM",
    "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP",
)
# Source: ISO/IEC 14496-12, 4.3 (file type box), ISO/IEC 23008-12, 10 (HEIF brands).
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
# Source: TIFF 6.0, section 2; the last two are BigTIFF.
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# In front of names that stand for files.
_PREFIXES = ("sample", "library")
_JPEG_HEAD = b"\xff\xd8\xff"
# All threads share Pillow's limit.
_LIMIT = threading.RLock()


@dataclasses.dataclass(frozen=True)
class Opened:
    """A picture file that was just opened.

    Attributes:
        path: the file.
        image: as Pillow opened it; `None` for a TIFF of numbers that Pillow does not know.
        content: of a JPEG, in full, without what cannot be read beside its pixels.
        tiff: such a TIFF.
        chunks: what a PNG holds.
        empty: where the canvas is empty, `(height, width)`; `None` for nowhere.
    """

    path: Path
    image: Image.Image | None = None
    content: bytes | None = None
    tiff: deep.Tiff | None = None
    chunks: Chunks | None = None
    empty: np.ndarray | None = None

    @property
    def has_more(self) -> bool:
        """Whether it holds more pictures than the one that is read."""
        known = self.chunks or self.tiff
        return known.is_animated if known else frames.has_more(self.image)

    @property
    def may_be_transparent(self) -> bool:
        """Whether it has to be decoded to know what in it is transparent."""
        return self.image is None or self.empty is not None or self.image.has_transparency_data

    @property
    def text(self) -> dict[str, str]:
        """The texts that a PNG holds: keyword → text."""
        return getattr(self.image, "text", {})


def address(source: str | os.PathLike) -> str:
    """Why this is no file's name, in a few words: it is an address. Empty for all else."""
    # A path has no double slash. A single letter is a drive of Windows.
    scheme = re.match(r"(?i)([a-z][a-z0-9+.-]+):/", os.fspath(source))
    if not scheme or os.path.exists(source) or os.path.isdir(f"{scheme[1]}:"):
        return ""
    what = "leave out file://" if scheme[1].lower() == "file" else "download it first"
    return f"this is an address, not a file; {what}"


def known_endings() -> set[str]:
    """The file name endings that can be read, in lower case, each with its dot."""
    known = {ending for ending, kind in Image.registered_extensions().items() if kind in _FORMATS}
    # These too, so that an error can name the package that reads them if it is missing.
    return known | {".heic", ".heif"}


@contextmanager
def opened(
    path: Path, name: str | os.PathLike, max_pixels: int = MAX_PIXELS
) -> Iterator[Opened]:
    """A picture file, opened; any error in the `with` block becomes an `InputError`.

    Args:
        name: what errors call the file.
        max_pixels: the most that it may have.
    """
    try:
        _check_file(path, name)
        with warnings.catch_warnings(), _limited(max_pixels):
            # Pillow warns about odd metadata, and at half the size that it refuses.
            warnings.simplefilter("ignore")
            _prepare(path)
            # Given a name, Pillow maps the file into memory: turned TIFFs come out wrong, and the
            # process ends if the file is cut short meanwhile.
            with open(path, "rb") as file, _opened(path, file) as found:
                size = found.image or found.tiff
                if size.width * size.height > max_pixels:
                    raise Image.DecompressionBombError(size.width * size.height)
                yield found
    except InputError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        if reason := address(path):
            raise InputError(f"{name}: {reason}") from None
        raise InputError(f"{name}: there is no such file{near_file(path)}") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: {_unknown(path)}") from None
    except Image.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))[0]
        raise InputError(f"{name}: {count} pixels are too large to open safely. For a file that "
                         f"you trust, raise --max_pixels={max_pixels}") from None
    except MemoryError:
        raise InputError(f"{name}: there is not enough memory to read the picture") from None
    except Exception as error:
        # For a damaged file, a decoder may raise almost any exception.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = " ".join(reason.split())
        raise InputError(f"{name}: the picture cannot be read ({reason})") from None


def near_file(path: Path) -> str:
    """The name that may be meant, of a sample or in the same folder, as a question; else empty."""
    prefix, _, name = os.fspath(path).rpartition(":")
    words = difflib.get_close_matches(prefix.lower(), _PREFIXES, n=1, cutoff=0.75)
    meant = words[0] if words else "sample"
    is_known = meant != "sample" or name in (*samples.CONTENT_SAMPLES, *samples.STYLE_SAMPLES)
    if is_known and meant != prefix:
        return f". Did you mean '{meant}:{name}'?"
    try:
        known = [name for name in os.listdir(path.parent)
                 if Path(name).suffix.lower() in known_endings()]
    except (OSError, ValueError):
        return ""
    near = difflib.get_close_matches(path.name, known, n=1, cutoff=0.75)
    return f". Did you mean {os.fspath(path.with_name(near[0]))!r}?" if near else ""


def _check_file(path: Path, name: str | os.PathLike) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{name}: expected a picture file, this is a folder")
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe waits for its writer, and a device may never end.
        raise InputError(f"{name}: expected a picture file, this is a pipe or a device")
    if status.st_size == 0:
        raise InputError(f"{name}: the file is empty")


@contextmanager
def _limited(most: int) -> Iterator[None]:
    """Raise Pillow's own limit, if it is lower."""
    # Pillow refuses twice the number.
    if Image.MAX_IMAGE_PIXELS is None or most <= 2 * Image.MAX_IMAGE_PIXELS:
        yield
        return
    with _LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, most
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _opened(path: Path, file: BinaryIO) -> Iterator[Opened]:
    head = file.read(len(SIGNATURE))
    file.seek(0)
    chunks = Chunks.read(file) if head == SIGNATURE else None
    formats = [each for each in _FORMATS if each in Image.OPEN]
    try:
        image = Image.open(io.BytesIO(chunks.content) if chunks else file, formats=formats)
    except UnidentifiedImageError:
        if head.startswith(_JPEG_HEAD):
            file.seek(0)
            content = jpeg.bare(file.read())
            with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
                yield Opened(path, image, content)
            return
        tiff = deep.Tiff.known(file) if head.startswith(_TIFF_HEADS) else None
        if tiff is None:
            raise
        yield Opened(path, tiff=tiff)
        return
    with image:
        if chunks:
            image.info["icc_profile"] = chunks.profile
        yield Opened(path, image, chunks=chunks, empty=frames.uncovered(image))


def _prepare(path: Path) -> None:
    Image.init()
    if _brand(path) in _HEIF_BRANDS:
        try:
            import pillow_heif
        except ImportError:
            return
        pillow_heif.register_heif_opener()


def _brand(path: Path) -> bytes:
    with open(path, "rb") as file:
        head = file.read(12)
    return head[8:] if head[4:8] == b"ftyp" else b""


def _unknown(path: Path) -> str:
    brand = _brand(path)
    if brand in _HEIF_BRANDS and "HEIF" not in Image.OPEN:
        return "HEIC pictures need one more package: pip install pillow-heif"
    if brand in _AVIF_BRANDS and "AVIF" not in Image.OPEN:
        return "AVIF pictures need Pillow 11.3 or newer: pip install --upgrade pillow"
    if path.suffix == ".keras":
        return "this is not a picture; a network that paints is given as --model=FILE"
    with open(path, "rb") as file:
        is_tiff = file.read(4) in _TIFF_HEADS
    if is_tiff and not deep.is_available():
        return ("this is not a picture that Pillow can read; a TIFF of unusual numbers needs "
                "pip install 'tf_style[deep]'")
    return "this is not a picture that Pillow can read"
