"""Picture files: reading, resizing and writing, by Pillow.

In memory a picture is a float32 array `(height, width, 3)`: RGB, sRGB-encoded, in `[0, 1]`.
"""

from __future__ import annotations

import contextlib
import glob
import io
import os
import secrets
import shutil
import stat
import struct
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from tf_style.image import samples
from tf_style.settings import InputError

PathLike = str | os.PathLike

_SAVE_OPTIONS = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "quality": 95},
    ".tif": {"format": "TIFF", "compression": "tiff_deflate"},
    ".tiff": {"format": "TIFF", "compression": "tiff_deflate"},
}
_WEBP_LIMIT = 16383
_NOTE = "tf_style"
# Formats that Pillow knows by name only.
_STUBS = ("BUFR", "GRIB", "HDF5")


def locate(source: PathLike) -> Path:
    """The file that `source`, a path or `sample:NAME`, names."""
    text = os.fspath(source)
    if text.startswith(samples.PREFIX):
        return samples.sample_path(text[len(samples.PREFIX):])
    return Path(text)


def expand(source: str) -> list[str]:
    """The picture files that a path, a folder or a pattern names, sorted by name.

    Raises:
        InputError: for a folder or a pattern that names none.
    """
    if Path(source).is_dir():
        known = {ending for ending, kind in Image.registered_extensions().items()
                 if kind in Image.OPEN and kind not in _STUBS}
        found = [os.fspath(path) for path in Path(source).iterdir()
                 if path.suffix.lower() in known and path.is_file()]
    elif glob.has_magic(source) and not Path(source).exists():
        found = glob.glob(source)
    else:
        return [source]
    if not found:
        raise InputError(f"{source}: no picture has such a name")
    return sorted(found)


def read_picture(source: PathLike) -> np.ndarray:
    """The picture in a file, upright, in sRGB, over white where it is transparent.

    Args:
        source: a path, or `sample:NAME`.

    Returns:
        float32 array `(height, width, 3)` in `[0, 1]`.

    Raises:
        InputError: if the file is missing, empty, damaged, not a picture, or so large (over 178
            million pixels) that it may be made to exhaust memory.
    """
    with _opened(source) as image:
        image.load()
        return _to_array(_to_srgb(ImageOps.exif_transpose(image)))


def read_note(source: PathLike) -> str | None:
    """The text that `write_picture` was given as `note`, or `None` if the file has none."""
    with _opened(source) as image:
        return getattr(image, "text", {}).get(_NOTE)


@contextmanager
def _opened(source: PathLike) -> Iterator[Image.Image]:
    path = locate(source)
    try:
        if path.is_dir():
            raise InputError(f"{source}: expected a picture file, this is a folder")
        if path.stat().st_size == 0:
            raise InputError(f"{source}: the file is empty")
        with warnings.catch_warnings():
            # Pillow warns at half of the size that it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except FileNotFoundError:
        raise InputError(f"{source}: there is no such file") from None
    except UnidentifiedImageError:
        raise InputError(f"{source}: this is not a picture that Pillow can read") from None
    except Image.DecompressionBombError as error:
        raise InputError(f"{source}: too large to open safely ({error})") from None
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError) as error:
        # Pillow's decoders raise all of these on damaged files.
        raise InputError(f"{source}: the picture cannot be read ({error})") from None


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):
        # A damaged profile says nothing about the pixels; they are taken as they are.
        return image


def _to_array(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        values = np.asarray(image, np.float32)
        values = values / (255 if values.max() > 1 else 1)
        return np.repeat(np.clip(values, 0, 1)[..., None], 3, axis=2)
    if image.mode.startswith("I"):
        # 16-bit gray: Pillow's own conversion to 8 bits clips instead of scaling.
        gray = np.asarray(image, np.float32) / 65535
        return np.repeat(np.clip(gray, 0, 1)[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"), np.float32) / 255


def as_picture(source: PathLike | np.ndarray, name: str = "picture") -> np.ndarray:
    """A picture in memory from a path, `sample:NAME` or an array.

    Args:
        source: a path; or an array `(height, width, 3)`, float in `[0, 1]` or uint8.
        name: what errors call an array.

    Returns:
        float32 array `(height, width, 3)` in `[0, 1]`.

    Raises:
        InputError: if the file cannot be read or the array is no such picture.
    """
    if isinstance(source, (str, os.PathLike)):
        return read_picture(source)
    array = np.asarray(source)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise InputError(
            f"{name}: expected a path or an array (height, width, 3). "
            f"Received: shape {array.shape}"
        )
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{name}: expected floats in [0, 1] or uint8. Received: {array.dtype}")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise InputError(
            f"{name}: expected values in [0, 1]. Received: {array.min():g} to {array.max():g}"
        )
    return array.astype(np.float32)


def fitted_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width with the long side as given and the proportions kept, at least 1."""
    ratio = long_side / max(height, width)
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def resize(image: np.ndarray, height: int, width: int, *, smooth: bool = False) -> np.ndarray:
    """Resize an array of any range, with antialiasing.

    Args:
        image: `(height, width, channels)`.
        smooth: linear interpolation, whose results stay within the range of the values;
            otherwise Lanczos, which is sharper and may overshoot.

    Returns:
        float32 `(height, width, channels)`.
    """
    if image.shape[:2] == (height, width):
        return np.asarray(image, np.float32)
    kernel = Image.Resampling.BILINEAR if smooth else Image.Resampling.LANCZOS
    channels = [
        np.asarray(Image.fromarray(channel).resize((width, height), kernel))
        for channel in np.moveaxis(np.asarray(image, np.float32), 2, 0)
    ]
    return np.stack(channels, axis=2)


def fit(image: np.ndarray, long_side: int) -> np.ndarray:
    """A picture resized so that its long side is `long_side`, clipped to `[0, 1]`."""
    return np.clip(resize(image, *fitted_size(*image.shape[:2], long_side)), 0, 1)


def shrink(image: np.ndarray, long_side: int) -> np.ndarray:
    """A picture no larger than `long_side`; a smaller one stays as it is."""
    return fit(image, long_side) if max(image.shape[:2]) > long_side else image


def check_output(path: PathLike) -> Path:
    """`path`, if a picture can be written there.

    Raises:
        InputError: for an ending that is no picture format, a missing folder, or one that cannot
            be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in _SAVE_OPTIONS:
        raise InputError(
            f"{path}: expected a name that ends in {', '.join(_SAVE_OPTIONS)}. "
            f"Received: {path.suffix or 'no ending'!r}"
        )
    return check_writable(path)


def check_dimensions(path: PathLike, height: int, width: int) -> None:
    """See that the format that the ending of `path` names can hold a picture of this size.

    Raises:
        InputError: if not.
    """
    if Path(path).suffix.lower() == ".webp" and max(height, width) > _WEBP_LIMIT:
        raise InputError(
            f"{path}: WebP holds at most {_WEBP_LIMIT} pixels a side. Received: {width}x{height}. "
            "Choose .png or .tiff"
        )


def check_writable(path: PathLike) -> Path:
    """`path`, if a file can be created or replaced there.

    Raises:
        InputError: if not.
    """
    path = Path(path)
    try:
        # What a link points to is what will be replaced.
        target = Path(os.path.realpath(path))
        folder = target.parent if os.path.islink(path) else path.parent
        try:
            status = os.stat(target)
        except (FileNotFoundError, NotADirectoryError):
            status = None
        if not folder.is_dir():
            raise InputError(f"{path}: the folder {folder} does not exist")
        if status and stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path}: expected a file name, this is a folder")
        if status and not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: expected the name of a plain file")
        if status and not os.access(target, os.W_OK):
            raise InputError(f"{path}: the file is write-protected")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot write in {folder} ({error.strerror})") from None
    except ValueError as error:
        # A null character, which no name can have.
        raise InputError(f"{str(path)!r}: cannot be a file's name ({error})") from None
    return path


def write_picture(path: PathLike, image: np.ndarray, note: str | None = None) -> None:
    """Write a picture in the format that the ending of `path` names.

    An older file is replaced only when the new one is complete.

    Args:
        path: ends in .png, .jpg, .webp or .tiff.
        image: `(height, width, 3)` in `[0, 1]`.
        note: text kept inside of a PNG, for `read_note`; other formats drop it.

    Raises:
        InputError: if the ending is unknown or nothing can be written there.
    """
    path = check_output(path)
    pixels = Image.fromarray(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))
    options = dict(_SAVE_OPTIONS[path.suffix.lower()])
    options["icc_profile"] = _srgb_profile()
    if note is not None and options["format"] == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(_NOTE, note)
    content = io.BytesIO()
    try:
        pixels.save(content, **options)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be written ({error})") from None
    write_bytes(path, content.getbuffer())


def _srgb_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The time of its making, which would make two files of the same picture differ.
    # Source: ICC.1:2010, 7.2.8: year, month, day, hour, minute, second, 16 bits each.
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def write_bytes(path: PathLike, content: bytes | memoryview) -> None:
    """Write a file so that at any moment `path` is the older file or the complete new one.

    Raises:
        InputError: if it cannot be written; an older file is still there then.
    """
    # A link stays a link: what it points to is replaced.
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            # A disk that is full, or far away, may say so only now.
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, partial)
        os.replace(partial, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise InputError(f"{path}: cannot be written ({error.strerror})") from None
        raise
