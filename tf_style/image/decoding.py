"""What is in a picture file: upright pixels in sRGB and their transparency.

Files come from anywhere. Whatever is wrong with one is an `InputError`; missing data is never
guessed, and what lies beside the pixels never costs a picture.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from tf_style.image import deep, jpeg
from tf_style.image.files import Opened
from tf_style.image.numbers import Numbers
from tf_style.image.profiles import gray_to_srgb, srgb_profile, to_srgb
from tf_style.image.resize import fitted_size
from tf_style.settings import MAX_PIXELS

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
# Tags of a TIFF: bits of a number, what 0 is, whether each channel has a plane of its own, and the
# kind of the numbers. Source: TIFF 6.0, section 8 and 19.
_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339
# Begin of the segment of a JPEG 2000 file that has the sizes, and from there to the bits of the
# first channel. Source: ITU-T T.800, A.5.1.
_SIZES, _OF_FIRST = b"\xff\x4f\xff\x51", 42
# All threads share one file descriptor 2. For each that has redirected it: where it led before.
_STDERR, _REDIRECTED = threading.Lock(), []
# Without a handler, Python writes their warnings to stderr; those that matter are raised as well.
for _package in ("PIL", "imagecodecs", "tifffile"):
    logging.getLogger(_package).addHandler(logging.NullHandler())


@dataclasses.dataclass(frozen=True)
class Decoded:
    """What is in a picture file.

    Attributes:
        pixels: float32 `(height, width, 3)` in `[0, 1]`, RGB in sRGB.
        alpha: float32 `(height, width)` in `[0, 1]`, 1 where the picture is opaque; `None` if
            nothing in it is transparent.
        remarks: what the user should know about it.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    remarks: tuple[str, ...] = ()


def decode(file: Opened, side: int | None = None) -> Decoded:
    """The pixels of a file that was just opened, and their alpha.

    Args:
        side: the long side that is enough, in pixels; a JPEG that is larger than most files may
            be is decoded at half, a quarter or an eighth of its size as long as it has that many.
    """
    if file.tiff:
        numbers = _upright(file.tiff.read(), file.tiff.orientation)
        found = _of_numbers(numbers, file.tiff.profile)
    else:
        found = _of_image(file, side)
    is_opaque = found.alpha is None or found.alpha.min() == 1
    return dataclasses.replace(found, alpha=None) if is_opaque else found


def decode_image(image: Image.Image) -> Decoded:
    """The pixels of a picture that Pillow holds in memory, upright, and their alpha."""
    image.load()
    # Metadata that cannot be read says nothing about the pixels.
    with suppress(Exception):
        image = ImageOps.exif_transpose(image)
    numbers = _numbers(image, False)
    found = (_of_numbers(numbers, image.info.get("icc_profile")) if numbers
             else _of_8_bits(image, False))
    is_opaque = found.alpha is None or found.alpha.min() == 1
    return dataclasses.replace(found, alpha=None) if is_opaque else found


@contextmanager
def native_messages_off() -> Iterator[None]:
    """Keep what C and C++ code writes to stderr off the screen.

    Several threads may do so at once, none waits for another: the last to end puts it back.
    """
    with _STDERR:
        if sys.stderr:
            sys.stderr.flush()
        _REDIRECTED.append(_REDIRECTED[-1] if _REDIRECTED else _silenced())
    try:
        yield
    finally:
        with _STDERR:
            kept = _REDIRECTED.pop()
            if kept is not None and not _REDIRECTED:
                os.dup2(kept, 2)
                os.close(kept)


def _silenced() -> int | None:
    """Redirect stderr to nowhere; returns where it led, or `None` if there is none."""
    try:
        kept = os.dup(2)
    except OSError:
        return None
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    os.close(sink)
    return kept


def _of_image(file: Opened, side: int | None) -> Decoded:
    chunks = file.chunks
    if chunks:
        chunks.check_whole()
    is_deep, is_swapped = _is_deep(file.image), _is_swapped(file.image)
    if bits := _bits_of_jpeg2000(file):
        return _of_numbers(deep.read_jpeg2000(file.path, bits), file.image.info.get("icc_profile"))
    if is_deep and deep.is_available() and file.image.format == "TIFF":
        # Pillow cannot load some of them.
        image, orientation = file.image, file.image.tag_v2.get(_ORIENTATION, 1)
    else:
        image, orientation = _loaded(file, side)
    if is_deep and deep.is_available():
        numbers = _upright(deep.read(file.path, chunks), orientation)
    else:
        numbers = _numbers(image, is_swapped)
    found = (_of_numbers(numbers, image.info.get("icc_profile")) if numbers
             else _of_8_bits(image, is_deep))
    pixels, alpha, remarks = found.pixels, found.alpha, found.remarks
    if chunks:
        pixels = chunks.space.to_srgb(pixels) if chunks.space else pixels
        remarks += chunks.remarks
    if file.empty is not None:
        empty = _UPRIGHT.get(orientation, np.asarray)(file.empty)
        alpha = np.where(empty, 0, 1 if alpha is None else alpha).astype(np.float32)
    return Decoded(pixels, alpha, remarks)


def _loaded(file: Opened, side: int | None) -> tuple[Image.Image, int | None]:
    """The image of a file, decoded and upright, and the tag that said which side is up."""
    image = file.image
    is_tiff = image.format == "TIFF"
    if is_tiff:
        _check_covered(image)
    orientation = image.tag_v2.get(_ORIENTATION, 1) if is_tiff else None
    if is_tiff:
        # When the pixels are there, Pillow looks into the metadata, and gives up with them.
        image.load_end = lambda: None
        with suppress(Exception):
            image.getexif()
    _reduce(image, side)
    # Pillow also raises what libtiff writes to stderr.
    with native_messages_off() if is_tiff else nullcontext():
        image = _loaded_jpeg(file, side) if image.format == "JPEG" else image
        image.load()
    # Metadata that cannot be read says nothing about the pixels.
    with suppress(Exception):
        orientation = orientation or image.getexif().get(_ORIENTATION, 1)
        ImageOps.exif_transpose(image, in_place=True)
    return image, orientation


def _loaded_jpeg(file: Opened, side: int | None) -> Image.Image:
    """A JPEG, decoded, if all its pixels are there, with or without an end."""
    content = file.content or file.path.read_bytes()

    def prepare(image: Image.Image) -> None:
        _reduce(image, side)

    # Zeros at the end may fill up what was cut off, which a decoder takes for pixels.
    if content[-2:] != bytes(2):
        with suppress(OSError):
            file.image.load()
            # A huge one would take too long.
            is_huge = file.image.width * file.image.height > MAX_PIXELS
            if not is_huge and jpeg.is_cut_off(content, file.image, prepare):
                raise ValueError("the file ends too early")
            return file.image
    image = Image.open(io.BytesIO(jpeg.ended(content, prepare)), formats=["JPEG"])
    prepare(image)
    return image


def _reduce(image: Image.Image, side: int | None) -> None:
    """Have a huge JPEG decoded no larger than needed."""
    # Others stay as they are to the last bit; what is wrong with them shows at their full size.
    if side and image.format in ("JPEG", "MPO") and image.width * image.height > MAX_PIXELS:
        height, width = fitted_size(image.height, image.width, side)
        image.draft(None, (width, height))


def _check_covered(image: Image.Image) -> None:
    """Check that the strips or tiles of a TIFF hold all rows; Pillow leaves missing ones black."""
    held = sum((right - left) * (bottom - top)
               for _, (left, top, right, bottom), *_ in image.tile)
    if held < image.width * image.height:
        raise ValueError(f"{image.width * image.height - held} pixels are missing")


def _is_deep(image: Image.Image) -> bool:
    """Whether Pillow would misread the image, not yet decoded, or read 16-bit colours as 8 bits."""
    if image.format not in ("PNG", "TIFF") or image.mode not in (
            "RGB", "RGBA", "RGBX", "RGBa", "LA", "La"):
        return False
    stored = str(image.tile[0][3]) if image.tile else ""
    if re.search(r"\b(RGB[AaX]?|LA);16", stored):
        return True
    tags = image.tag_v2 if image.format == "TIFF" else {}
    # Pillow takes the two bytes of a number for two pixels, and the plane of alpha for gray.
    has_planes = tags.get(_PLANES) == 2
    in_planes = (set(tags.get(_BITS, ())) == {16} and ";16" not in stored) or (
        has_planes and (image.mode[0] == "L" or (image.tile[0][0] == "raw" and _is_more(tags))))
    if in_planes and not deep.is_available():
        raise ValueError("such channels in planes need pip install 'tf_style[deep]'")
    return in_planes


def _bits_of_jpeg2000(file: Opened) -> int:
    """The bits of colours that Pillow would misread: white becomes black; 0 for all other files."""
    if file.image.format != "JPEG2000" or file.image.mode not in ("RGB", "RGBA"):
        return 0
    with open(file.path, "rb") as content:
        head = content.read(2**20)
    bits = 1 + (head[head.index(_SIZES) + _OF_FIRST] & 127)
    if bits > 8 and not deep.is_available():
        raise ValueError("JPEG 2000 of more than 8 bits needs pip install 'tf_style[deep]'")
    return bits if bits > 8 else 0


def _is_more(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF has more channels than colours."""
    return len(tags.get(_BITS, ())) > (3 if tags.get(_PHOTOMETRIC) == 2 else 1)


def _is_swapped(image: Image.Image) -> bool:
    """Whether Pillow will swap the bytes of numbers, not yet decoded, that libtiff has swapped."""
    return (sys.byteorder == "little" and bool(image.tile) and image.tile[0][0] == "libtiff"
            and image.tile[0][3][0] in ("F;32BF", "I;32BS", "I;16BS"))


def _numbers(image: Image.Image, is_swapped: bool) -> Numbers | None:
    """The numbers of a decoded image; `None` for those without a sign of at most 8 bits."""
    tags = image.tag_v2 if image.format == "TIFF" else {}
    is_signed = tags.get(_SAMPLE_FORMAT, (1,))[0] == 2
    bits = tags.get(_BITS, (16,))[0]
    values = np.asarray(image)
    if is_swapped:
        values = values.astype(np.int16 if bits == 16 else values.dtype).byteswap()
    if image.mode == "L" and is_signed:
        return Numbers(values.view(np.int8)[..., None], bits=8)
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    if not tags and image.mode != "F":
        # Pillow scales the numbers of other formats to 16 bits.
        values = values.astype(np.uint16)
    elif image.mode == "I" and not is_signed:
        # Pillow has no numbers of 32 bits without a sign.
        values = values.view(np.uint32)
    transparent = image.info.get("transparency")
    alpha = np.where(values == transparent, 0, 65535) if isinstance(transparent, int) else None
    return Numbers(
        values[..., None], alpha, bits=bits, inverted=tags.get(_PHOTOMETRIC) == 0
    )


def _upright(numbers: Numbers, orientation: int | None) -> Numbers:
    turn = _UPRIGHT.get(orientation)
    return numbers.turned(turn) if turn else numbers


def _of_numbers(numbers: Numbers, profile: bytes | None) -> Decoded:
    colors, alpha = numbers.scaled()
    if colors.shape[2] == 1:
        colors = np.repeat(gray_to_srgb(colors[..., 0], profile)[..., None], 3, axis=2)
    elif profile and profile != srgb_profile():
        in_16_bits = np.rint(colors * 65535).astype(np.uint16)
        colors = _floats(deep.to_srgb(in_16_bits, profile, srgb_profile()), 65535)
    return Decoded(colors, alpha, numbers.remarks())


def _of_8_bits(image: Image.Image, is_deep: bool) -> Decoded:
    if is_deep and isinstance(transparent := image.info.get("transparency"), tuple):
        # Pillow leaves the transparent colour at 16 bits.
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    image, mask = _split(image)
    # Dark pictures of 8 bits are usual, dark ones of 16 are usually a mistake.
    remarks = Numbers(np.asarray(image), bits=8).remarks() if is_deep else ()
    return Decoded(_floats(to_srgb(image)), None if mask is None else _floats(mask), remarks)


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """An image without its transparency, and the transparency alone."""
    if not image.has_transparency_data:
        return image, None
    gray = image.mode in ("1", "L", "LA", "La")
    image = image.convert("LA" if gray else "RGBA")
    return image.convert("L" if gray else "RGB"), image.getchannel("A")


def _floats(pixels: Image.Image | np.ndarray, white: int = 255) -> np.ndarray:
    return np.divide(np.asarray(pixels), white, dtype=np.float32)
