"""Pictures read from files and written to them.

In memory a picture is a float32 array `(height, width, 3)`: RGB, sRGB-encoded, in `[0, 1]`.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from tf_style.image import deep
from tf_style.image.decoding import decode, decode_image
from tf_style.image.files import opened
from tf_style.image.paths import PathLike, check_writable, locate, write_bytes
from tf_style.image.png import NOTE
from tf_style.image.profiles import srgb_profile
from tf_style.image.resize import resize
from tf_style.settings import MAX_PIXELS, InputError, Remark

_JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}
_TIFF = {"format": "TIFF", "compression": "tiff_deflate"}
_SAVE_OPTIONS = {
    ".png": {"format": "PNG"},
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": {"format": "WEBP", "quality": 95},
    ".tif": _TIFF,
    ".tiff": _TIFF,
}

# The longest side that a format, or its library, can hold.
_LIMITS = {"WEBP": ("WebP", 16383), "JPEG": ("JPEG", 65500)}


def read_picture(
    source: PathLike, *, max_pixels: int = MAX_PIXELS, side: int | None = None
) -> np.ndarray:
    """The picture in a file, upright, in sRGB, over white where it is transparent.

    Args:
        source: a path, or `sample:NAME`.
        max_pixels: the most that the file may have. It may be larger than what memory holds.
        side: the long side that is enough, in pixels. A JPEG of more than 178 million pixels comes
            no larger than needed, but with at least this side, for little memory.

    Returns:
        float32 array `(height, width, 3)` in `[0, 1]`.

    Raises:
        InputError: if the file is missing, empty, damaged, not a picture, or larger than
            `max_pixels`, because it may be meant to exhaust memory.

    Warns:
        UserWarning: for a file with several pictures, of which the first is read; and for one
            that is read otherwise than it may have been meant.
    """
    return _over_white(*read_layers(source, max_pixels=max_pixels, side=side))


def read_pictures(
    names: Iterable[str], *, most: int | None = None, max_pixels: int = MAX_PIXELS,
    side: int | None = None,
) -> Iterator[np.ndarray]:
    """Pictures to learn from, as `read_picture` has them; those that cannot be read are left out.

    Args:
        most: how many are enough.

    Raises:
        InputError: if all that were asked for cannot be read.

    Warns:
        UserWarning: at the end, for what was left out.
    """
    read, broken = 0, []
    for name in names:
        if read == most:
            break
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = read_picture(name, max_pixels=max_pixels, side=side)
        except InputError as error:
            broken.append(error.flags)
        else:
            read += 1
            yield picture
    if not broken:
        return
    if not read:
        raise InputError(f"--pictures: none can be read. The first: {broken[0]}")
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    warnings.warn(f"left out: {broken[0]}{more}", Remark, stacklevel=2)


def read_layers(
    source: PathLike, *, max_pixels: int = MAX_PIXELS, side: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture in a file as it is stored, and how opaque it is.

    Args:
        source, max_pixels, side: as for `read_picture`, which raises and warns likewise.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`, whatever its transparency; and as `read_alpha`.
    """
    path = locate(source)
    with opened(path, source, max_pixels) as file:
        remarks = ["holds several pictures; the first is taken"] if file.has_more else []
        found = decode(file, side)
    for remark in (*remarks, *found.remarks):
        warnings.warn(f"{source}: {remark}", Remark, stacklevel=3)
    return found.pixels, found.alpha


def read_alpha(source: PathLike, *, max_pixels: int = MAX_PIXELS) -> np.ndarray | None:
    """How opaque the picture in a file is, upright, to give a result the same shape.

    Args:
        source: a path, or `sample:NAME`.
        max_pixels: the most that the file may have.

    Returns:
        float32 array `(height, width)`, 0 where transparent, 1 where opaque; `None` for a picture
        that is opaque everywhere.

    Raises:
        InputError: as `read_picture` does.
    """
    path = locate(source)
    with opened(path, source, max_pixels) as file:
        return decode(file).alpha if file.may_be_transparent else None


def read_size(source: PathLike, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width of the picture in a file, upright, in pixels; none of them is read.

    Args:
        source: a path, or `sample:NAME`.
        max_pixels: the most that it may have.

    Raises:
        InputError: for a file that is missing, empty, too large or not a picture, but not for one
            whose pixels are damaged.
    """
    with opened(locate(source), source, max_pixels) as file:
        if file.tiff:
            width, height, orientation = file.tiff.width, file.tiff.height, file.tiff.orientation
        else:
            width, height = file.image.size
            orientation = 1
            # Metadata that cannot be read says nothing about the pixels.
            with contextlib.suppress(Exception):
                orientation = file.image.getexif().get(ExifTags.Base.Orientation, 1)
            if file.image.format == "TIFF":
                # Some versions of Pillow have turned it already.
                width, height = file.image.tag_v2[256], file.image.tag_v2[257]
        return (width, height) if orientation in (5, 6, 7, 8) else (height, width)


def read_note(source: PathLike) -> str | None:
    """The text that `write_picture` was given as `note`, or `None` if the file has none."""
    with opened(locate(source), source) as file:
        return file.text.get(NOTE)


def as_picture(
    source: PathLike | np.ndarray | Image.Image, name: str = "picture", *,
    max_pixels: int = MAX_PIXELS, side: int | None = None,
) -> np.ndarray:
    """A picture in memory from a path, `sample:NAME`, an array or a Pillow image.

    Args:
        source: as for `as_layers`.
        name: what errors call what is no file.
        max_pixels, side: of a file, as for `read_picture`.

    Returns:
        float32 array `(height, width, 3)` in `[0, 1]`, over white where it is transparent.

    Raises:
        InputError: if the file cannot be read or this is not such a picture.
    """
    return _over_white(*as_layers(source, name, max_pixels=max_pixels, side=side))


def as_layers(
    source: PathLike | np.ndarray | Image.Image, name: str = "picture", *,
    max_pixels: int = MAX_PIXELS, side: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The same as it is stored, and how opaque it is.

    Args:
        source: a path or `sample:NAME`; a Pillow image, of any mode; or an array, float in
            `[0, 1]` or uint8: `(height, width, 3)`, RGB; `(height, width, 4)`, RGB and alpha;
            `(height, width)` or `(height, width, 1)`, gray.
        name, max_pixels, side: as for `as_picture`, which raises likewise.

    Returns:
        As `read_layers` does.
    """
    if isinstance(source, (str, os.PathLike)):
        return read_layers(source, max_pixels=max_pixels, side=side)
    if isinstance(source, Image.Image):
        try:
            found = decode_image(source)
        # It may have been opened and not yet read, and its file be damaged.
        except Exception as error:
            raise InputError(f"{name}: the picture cannot be read ({error})") from None
        for remark in found.remarks:
            warnings.warn(f"{name}: {remark}", Remark, stacklevel=3)
        return found.pixels, found.alpha
    array = np.asarray(source)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise InputError(
            f"{name}: expected a path, a Pillow image, or an array (height, width, 3), RGB; "
            f"(height, width, 4), RGBA; or (height, width), gray. Received: shape {array.shape}"
        )
    if array.dtype == np.uint8:
        array = array.astype(np.float32) / 255
    elif not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{name}: expected floats in [0, 1] or uint8. Received: {array.dtype}")
    elif not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise InputError(
            f"{name}: expected values in [0, 1]. Received: {array.min():g} to {array.max():g}"
        )
    array = array.astype(np.float32)
    pixels = array.repeat(3, axis=2) if array.shape[2] == 1 else (
        np.ascontiguousarray(array[..., :3]))
    alpha = array[..., 3] if array.shape[2] == 4 else None
    return pixels, None if alpha is None or alpha.min() == 1 else alpha


def jpeg_bytes(image: np.ndarray, quality: int = 90) -> bytes:
    """A picture, `(height, width, 3)`, clipped to `[0, 1]`, as a JPEG to be looked at."""
    buffer = io.BytesIO()
    Image.fromarray(_quantized(image, None, 8, transparent=False)).save(
        buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def png_bytes(image: np.ndarray) -> bytes:
    """A picture `(height, width, 3)` in `[0, 1]` as a PNG of 8 bits a channel."""
    buffer = io.BytesIO()
    Image.fromarray(_quantized(image, None, 8, transparent=False)).save(
        buffer, "PNG", icc_profile=srgb_profile())
    return buffer.getvalue()


def _over_white(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """The pixels, which are changed, over white."""
    if alpha is not None:
        pixels *= alpha[..., None]
        pixels += 1 - alpha[..., None]
    return pixels


def check_output(path: PathLike, *, bits: int = 8) -> Path:
    """`path`, if a picture can be written there.

    Args:
        bits: 8, or 16 for .png and .tiff where the extra `deep` is installed.

    Raises:
        InputError: for an ending that is not a picture format or holds fewer bits, for missing
            packages, or for a folder that is missing or cannot be written to.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _SAVE_OPTIONS:
        raise InputError(
            f"{path}: expected a name that ends in {', '.join(_SAVE_OPTIONS)}. "
            f"Received: {repr(path.suffix) if path.suffix else 'no ending'}"
        )
    if bits not in (8, 16):
        raise InputError(f"{path}: expected 8 or 16 bits a channel. Received: {bits}")
    if bits == 16 and _SAVE_OPTIONS[ending]["format"] not in ("PNG", "TIFF"):
        raise InputError(f"{path}: {ending} holds 8 bits a channel. For 16 choose .png or .tiff")
    if bits == 16 and not deep.is_available():
        raise InputError(f"{path}: 16 bits a channel need pip install 'tf_style[deep]'")
    return check_writable(path)


def check_dimensions(path: PathLike, height: int, width: int) -> None:
    """Check that the format that the ending of `path` names can hold a picture of this size.

    Raises:
        InputError: if not.
    """
    kind = _SAVE_OPTIONS.get(Path(path).suffix.lower(), {}).get("format")
    name, limit = _LIMITS.get(kind, (kind, None))
    if limit and max(height, width) > limit:
        raise InputError(
            f"{path}: {name} holds at most {limit} pixels a side. Received: {width}x{height}. "
            "Choose .png or .tiff"
        )


def write_picture(
    path: PathLike,
    image: np.ndarray | Image.Image,
    note: str | None = None,
    *,
    alpha: np.ndarray | None = None,
    bits: int = 8,
) -> None:
    """Write a picture in the format that the ending of `path` names.

    An older file is replaced only when the new one is complete.

    Args:
        path: ends in .png, .jpg, .webp or .tiff.
        image: `(height, width, 3)` in `[0, 1]`; what lies beyond is clipped. Or anything else that
            `stylize` takes for a picture.
        note: text kept inside a PNG, for `read_note`; other formats drop it.
        alpha: how opaque the result is, `(any height, any width)` in `[0, 1]`, such as
            `read_alpha` returns; resized to the picture. `image` is taken to be over white, as
            `read_picture` returns it, and looks the same over white in the file. JPEG has no
            transparency: there it is over white.
        bits: of a channel, 8 or 16; 16 for .png and .tiff where the extra `deep` is installed.

    Raises:
        InputError: if the ending is unknown, holds fewer bits, or nothing can be written there.
    """
    path = check_output(path, bits=bits)
    if not (isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
            and image.dtype.kind == "f"):
        image = as_picture(image, "image")
    options = dict(_SAVE_OPTIONS[path.suffix.lower()])
    kind = options["format"]
    pixels = _quantized(image, alpha, bits, transparent=kind != "JPEG")
    info = PngImagePlugin.PngInfo()
    if note is not None:
        info.add_itxt(NOTE, note)
    if bits == 16:
        content = deep.encode(pixels, kind, srgb_profile(), info)
    else:
        if kind == "PNG":
            options["pnginfo"] = info
        # In memory first: on a full disk libtiff would write its own messages to stderr.
        buffer = io.BytesIO()
        try:
            Image.fromarray(pixels).save(buffer, icc_profile=srgb_profile(), **options)
        except (ValueError, OSError) as error:
            raise InputError(f"{path}: cannot be written ({error})") from None
        content = buffer.getbuffer()
    write_bytes(path, content)


def _quantized(
    image: np.ndarray, alpha: np.ndarray | None, bits: int, *, transparent: bool
) -> np.ndarray:
    """A picture in whole numbers, with its alpha as a fourth channel if that is kept.

    Over white, a colour c of opacity a is seen as i = a c + 1 - a, from which c follows. Where c
    would be less than 0, the nearest colour that can be seen is i = 1 - a.
    """
    height, width = image.shape[:2]
    channels = 4 if transparent and alpha is not None else 3
    pixels = np.empty((height, width, channels), np.uint16 if bits == 16 else np.uint8)
    if alpha is not None:
        alpha = resize(alpha[..., None], height, width)
    # In bands, so that memory need not hold a second picture of floats.
    for top in range(0, height, 256):
        band = image[top : top + 256]
        if alpha is not None:
            opacity = np.clip(alpha[top : top + 256], 0, 1)
            band = np.maximum(band, 1 - opacity)
            if transparent:
                color = (band - 1 + opacity) / np.maximum(opacity, np.finfo(np.float32).tiny)
                band = np.concatenate([color, opacity], axis=2)
        pixels[top : top + 256] = np.rint(np.clip(band, 0, 1) * (2**bits - 1))
    return pixels
