"""What is in a picture file: upright pixels in sRGB and their transparency, by Pillow.

Files come from anywhere. Whatever is wrong with one is an `InputError`; missing data is never
guessed.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tf_style.image import deep
from tf_style.image.png import check_whole
from tf_style.image.profiles import gray_to_srgb, srgb_profile, to_srgb
from tf_style.settings import InputError

# Pillow knows more: some by name only, one (EPS) by running the program in the file.
_FORMATS = (
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM",
    "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP",
)
# In other formats, further pictures are not frames: layers, sizes, the other eye of a stereo pair.
_ANIMATED = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")
# Source: ISO/IEC 14496-12, 4.3 (file type box), ISO/IEC 23008-12, 10 (HEIF brands).
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_ORIENTATION = ExifTags.Base.Orientation
# Value of the EXIF tag → from pixels as stored to pixels upright. Source: Exif 2.32, 4.6.4 A.
_UPRIGHT = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
# All threads share one file descriptor 2.
_STDERR = threading.RLock()
# Without a handler, Python writes their warnings to stderr; those that matter are raised as well.
for _package in ("PIL", "imagecodecs", "tifffile"):
    logging.getLogger(_package).addHandler(logging.NullHandler())


def known_endings() -> set[str]:
    """The file name endings that can be read, in lower case, each with its dot."""
    known = {ending for ending, kind in Image.registered_extensions().items() if kind in _FORMATS}
    # These too, so that an error can name the package that reads them if it is missing.
    return known | {".heic", ".heif"}


@contextmanager
def opened(path: Path, name: str | os.PathLike) -> Iterator[Image.Image]:
    """A picture file, opened by Pillow; any error in the `with` block becomes an `InputError`.

    Args:
        name: what errors call the file.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{name}: expected a picture file, this is a folder")
        if not stat.S_ISREG(status.st_mode):
            # Opening a pipe waits for its writer, and a device may never end.
            raise InputError(f"{name}: expected a picture file, this is a pipe or a device")
        if status.st_size == 0:
            raise InputError(f"{name}: the file is empty")
        with warnings.catch_warnings():
            # Pillow warns about odd metadata, and at half the size that it refuses.
            warnings.simplefilter("ignore")
            _prepare(path)
            formats = [each for each in _FORMATS if each in Image.OPEN]
            # Given a name, Pillow maps the file into memory: turned TIFFs come out wrong, and the
            # process ends if the file is cut short meanwhile.
            with open(path, "rb") as file, Image.open(file, formats=formats) as image:
                yield image
    except InputError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{name}: there is no such file") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: {_unknown(path)}") from None
    except Image.DecompressionBombError as error:
        raise InputError(f"{name}: too large to open safely ({error})") from None
    except MemoryError:
        raise InputError(f"{name}: there is not enough memory to read the picture") from None
    except Exception as error:
        # For a damaged file, a decoder may raise almost any exception.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = " ".join(reason.split())
        raise InputError(f"{name}: the picture cannot be read ({reason})") from None


def has_frames(image: Image.Image) -> bool:
    """Whether a file that was just opened holds more pictures than the one that is read."""
    return image.format in _ANIMATED and getattr(image, "is_animated", False)


def decode(image: Image.Image, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The pixels of an image that was just opened from a file, and their alpha.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`, RGB in sRGB; and float32 `(height, width)` in
        `[0, 1]`, 1 where the picture is opaque, or `None` if nothing in it is transparent.
    """
    if image.format == "PNG":
        check_whole(path)
    if image.format == "TIFF":
        _check_covered(image)
    is_deep = _is_deep(image)
    # Pillow turns a TIFF upright while loading it, and drops the tag.
    orientation = image.tag_v2.get(_ORIENTATION, 1) if image.format == "TIFF" else None
    # Pillow also raises what libtiff writes to stderr.
    with native_messages_off() if image.format == "TIFF" else nullcontext():
        image.load()
    # Metadata that cannot be read says nothing about the pixels.
    with suppress(Exception):
        orientation = orientation or image.getexif().get(_ORIENTATION, 1)
        ImageOps.exif_transpose(image, in_place=True)
    if is_deep and deep.is_available():
        pixels, alpha = _decode_deep(image, path, orientation)
    elif image.mode == "F" or image.mode.startswith("I"):
        pixels, alpha = _decode_gray(image)
    else:
        if is_deep and isinstance(transparent := image.info.get("transparency"), tuple):
            # Pillow leaves the transparent colour at 16 bits.
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        image, mask = _split(image)
        pixels = _floats(to_srgb(image))
        alpha = None if mask is None else _floats(mask)
    return pixels, None if alpha is None or alpha.min() == 1 else alpha


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
    return "this is not a picture that Pillow can read"


@contextmanager
def native_messages_off() -> Iterator[None]:
    """Keep what C and C++ code writes to stderr off the screen."""
    with _STDERR:
        if sys.stderr:
            sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:
            # There is no stderr.
            yield
            return
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(sink)


def _check_covered(image: Image.Image) -> None:
    """Check that the strips or tiles of a TIFF hold all rows; Pillow leaves missing ones black."""
    held = sum((right - left) * (bottom - top)
               for _, (left, top, right, bottom), *_ in image.tile)
    if held < image.width * image.height:
        raise ValueError(f"{image.width * image.height - held} pixels are missing")


def _is_deep(image: Image.Image) -> bool:
    """Whether the image, not yet decoded, has 16-bit colours that Pillow reads as 8 bits."""
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA", "LA"):
        return False
    stored = str(image.tile[0][3]) if image.tile else ""
    if re.search(r"\b(RGB|RGBA|LA);16", stored):
        return True
    bits = image.tag_v2.get(258, ()) if image.format == "TIFF" else ()
    planes = set(bits) == {16} and ";16" not in stored
    if planes and not deep.is_available():
        # Pillow takes the two bytes of a number for two pixels.
        raise ValueError("16 bits a channel in planes need pip install 'tf_style[deep]'")
    return planes


def _decode_deep(
    image: Image.Image, path: Path, orientation: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    stored = deep.read(path, image.format)
    upright = _UPRIGHT.get(orientation, lambda pixels: pixels)(stored)
    if upright.dtype != np.uint16 or upright.shape[:2] != image.size[::-1] or upright.ndim != 3:
        raise ValueError(f"expected 16 bits a channel, found {stored.dtype} {stored.shape}")
    channels = upright.shape[2]
    alpha = _floats(upright[..., -1], 65535) if channels in (2, 4) else None
    profile = image.info.get("icc_profile")
    if channels < 3:
        return _repeated(gray_to_srgb(_floats(upright[..., 0], 65535), profile)), alpha
    color = upright[..., :3]
    if profile and profile != srgb_profile():
        color = deep.to_srgb(color, profile, srgb_profile())
    return _floats(color, 65535), alpha


def _decode_gray(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray of more than 8 bits, which Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image, np.float32)
    if not np.isfinite(values).all():
        raise ValueError("it holds numbers that are not finite")
    if image.mode.startswith("I;16") or image.format == "PNG":
        white = 65535
    else:
        # The file does not say what white is: take the smallest usual number that all values fit.
        usual = (1, 255, 65535, 2**31 - 1)[image.mode != "F":]
        white = next((each for each in usual if values.max() <= each), values.max())
    gray = gray_to_srgb(np.clip(values / white, 0, 1), image.info.get("icc_profile"))
    transparent = image.info.get("transparency")
    alpha = (values != transparent).astype(np.float32) if isinstance(transparent, int) else None
    return _repeated(gray), alpha


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """An image without its transparency, and the transparency alone."""
    if not image.has_transparency_data:
        return image, None
    gray = image.mode in ("1", "L", "LA", "La")
    image = image.convert("LA" if gray else "RGBA")
    return image.convert("L" if gray else "RGB"), image.getchannel("A")


def _floats(pixels: Image.Image | np.ndarray, white: int = 255) -> np.ndarray:
    return np.divide(np.asarray(pixels), white, dtype=np.float32)


def _repeated(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)
