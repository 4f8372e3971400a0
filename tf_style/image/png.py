"""What a PNG file holds: the chunks that its pixels need, and whether all pixels are there.

Pillow ignores checksums of pixels, paints missing ones black, and gives up for a text that it
finds too long. Here it is the other way round: pixels have to be whole, and what lies beside them
is left out if it is not.
"""

from __future__ import annotations

import dataclasses
import io
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from tf_style.image import colorimetry
from tf_style.image.colorimetry import ColorSpace

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The keyword of our own text.
NOTE = "tf_style"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT")
_COLORS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Two of them may say which side is up.
_KEYWORDS = (NOTE.encode(), b"XML:com.adobe.xmp", b"Raw profile type exif")
# The longest that a compressed text or profile may become, as in Pillow.
_LONGEST = 2**20
# Of one that is not compressed; together, those that matter stay below Pillow's limit of 64 MB.
_LONGEST_TEXT = 4 * 2**20
_MOST_COLORS = 256
# First column and row, and the distance to the next, of each pass of an interlaced picture.
# Source: PNG specification, 8.2.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
           (0, 1, 1, 2))
# Source: PNG specification, 11.2.2.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INDEXED = 3
_PIECE = 2**20


@dataclasses.dataclass(frozen=True)
class Chunks:
    """A PNG file that holds only what its pixels need.

    Attributes:
        content: the file.
        profile: its ICC profile, if that says what the pixels mean.
        space: its colour space, if chunks of numbers say what the pixels mean.
        is_animated: whether more pictures follow the first.
        remarks: what the user should know about it.
    """

    content: bytes
    profile: bytes | None = None
    space: ColorSpace | None = None
    is_animated: bool = False
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: BinaryIO) -> Chunks:
        """Read a file.

        Raises:
            ValueError: if a chunk of pixels is damaged.
        """
        kept, colors = io.BytesIO(), {}
        bits, color, seen, remarks = 8, 0, set(), []
        kept.write(SIGNATURE)
        for kind, content, is_sound in _chunks(file):
            # A capital letter: without this chunk there is no picture. A palette may only advise.
            is_needed = kind[:1].isupper() and (kind != b"PLTE" or color == _INDEXED)
            if is_needed and not is_sound:
                raise ValueError(f"wrong checksum of {kind}, or the file ends too early")
            if kind == b"IHDR" and len(content) >= 10:
                bits, color = content[8:10]
            if kind == b"tRNS":
                is_sound = is_sound and len(content) >= {0: 2, 2: 6}.get(color, 1)
                remarks += [] if is_sound else ["its transparency is damaged, and left out"]
                content = _in_8_bits(content, bits) if color == 0 else content[:_MOST_COLORS]
            if kind in _COLORS and is_sound:
                colors.setdefault(kind, content)
            seen.add(kind)
            keyword = _keyword(kind, content)
            is_first = keyword is not None and (kind, keyword) not in seen
            if is_sound and (kind in (*_PIXELS, b"tRNS", b"eXIf") or is_first):
                _write(kept, kind, content)
                seen.add((kind, keyword))
        if color == _INDEXED and b"PLTE" not in seen:
            raise ValueError("its palette is missing")
        _write(kept, b"IEND", b"")
        profile, space = _meaning(colors, bits)
        if space and space.is_hdr:
            remarks.append("HDR: what is brighter than its white, 203 cd/m², is clipped to it")
        return cls(kept.getvalue(), profile, space, {b"acTL", b"fdAT"} <= seen, tuple(remarks))

    def check_whole(self) -> None:
        """Check that all pixels are there.

        Raises:
            ValueError, zlib.error: if not.
        """
        expected = found = 0
        inflate = zlib.decompressobj()
        for kind, content, _ in _chunks(io.BytesIO(self.content)):
            if kind == b"IHDR":
                expected = _pixel_bytes(content)
            while kind == b"IDAT" and content and found < expected:
                found += len(inflate.decompress(content, _PIECE))
                content = inflate.unconsumed_tail
        if not expected:
            raise ValueError("the file ends too early")
        if found < expected:
            raise ValueError(f"{expected - found} of {expected} bytes of pixels are missing")


def has_note(path: str | os.PathLike) -> bool:
    """Whether a file is a PNG with our own text; its pixels are not read."""
    try:
        with open(path, "rb") as file:
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return False
            while len(head := file.read(8)) == 8:
                length, kind = struct.unpack(">I4s", head)
                start = file.tell()
                if kind in _TEXTS and file.read(len(NOTE) + 1) == NOTE.encode() + b"\0":
                    return True
                # The text is written before them.
                if kind == b"IDAT":
                    return False
                file.seek(start + length + 4)
    except (OSError, ValueError):
        pass
    return False


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes, bool]]:
    """The kind and content of each chunk, and whether it is as it was written.

    What follows the last chunk, or something that is none, is passed over.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND" or not kind.isalpha():
            return
        # No more than there is: the length may be a lie.
        content, checksum = file.read(min(length, size)), file.read(4)
        yield kind, content, checksum == struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _write(file: BinaryIO, kind: bytes, content: bytes) -> None:
    file.write(struct.pack(">I4s", len(content), kind))
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def _in_8_bits(transparent: bytes, bits: int) -> bytes:
    """A transparent gray value as Pillow reads values of fewer bits, which it scales to 8."""
    if bits not in (2, 4):
        return transparent
    value = int.from_bytes(transparent[:2], "big") & (2**bits - 1)
    return (value * 255 // (2**bits - 1)).to_bytes(2, "big")


def _keyword(kind: bytes, content: bytes) -> bytes | None:
    """The keyword of a chunk that is a text that matters, and not too long; else `None`."""
    keyword, _, text = content.partition(b"\0")
    if kind not in _TEXTS or keyword not in _KEYWORDS or len(content) > _LONGEST_TEXT:
        return None
    if kind == b"zTXt":
        is_short = text[:1] == b"\0" and _inflated(text[1:]) is not None
    else:
        # Source: PNG specification, 11.3.3.4: a flag, a method, language, keyword, text.
        is_short = kind == b"tEXt" or not text[:1].strip(b"\0") or (
            _inflated(text[2:].split(b"\0", 2)[-1]) is not None)
    return keyword if is_short else None


def _inflated(packed: bytes) -> bytes | None:
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(packed, _LONGEST)
    except zlib.error:
        return None
    return None if inflate.unconsumed_tail else content


def _meaning(colors: dict[bytes, bytes], bits: int) -> tuple[bytes | None, ColorSpace | None]:
    """What the pixels mean: a profile or a colour space; neither for sRGB.

    Source: PNG specification, third edition, 4.3: the order of precedence.
    """
    if len(codes := colors.get(b"cICP", b"")) == 4:
        space = colorimetry.coded(*codes, bits=max(bits, 8))
        if space:
            return None, space
    profile = _inflated(colors.get(b"iCCP", b"").partition(b"\0")[2][1:])
    if profile:
        return profile, None
    if b"sRGB" in colors:
        return None, None
    gamma, points = colors.get(b"gAMA", b""), colors.get(b"cHRM", b"")
    return None, colorimetry.measured(
        int.from_bytes(gamma, "big") / 100_000 if len(gamma) == 4 else None,
        # Source: PNG specification, 11.3.2.1: white comes first.
        [each / 100_000 for each in struct.unpack(">2I6I", points)[2:] + struct.unpack(
            ">2I6I", points)[:2]] if len(points) == 32 else None,
    )


def _pixel_bytes(header: bytes) -> int:
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            # Each row begins with the number of its filter.
            total += rows * (1 + -(-columns * depth * _CHANNELS[color] // 8))
    return total
