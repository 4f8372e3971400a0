"""Whether a PNG file is whole. Pillow ignores its checksums, and paints missing pixels black."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

_SIGNATURE = 8
# First column and row, and the distance to the next, of each pass of an interlaced picture.
# Source: PNG specification, 8.2.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
           (0, 1, 1, 2))
# Source: PNG specification, 11.2.2.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIECE = 2**20


def check_whole(path: Path) -> None:
    """Check that every checksum of a PNG file is right and that all its pixels are there.

    Raises:
        ValueError, zlib.error: if not.
    """
    expected = found = 0
    inflate = zlib.decompressobj()
    with open(path, "rb") as file:
        file.seek(_SIGNATURE)
        kind = b""
        while kind != b"IEND":
            head = file.read(8)
            length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
            content, checksum = file.read(length), file.read(4)
            if len(checksum) < 4:
                raise ValueError("the file ends too early")
            if struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))) != checksum:
                raise ValueError(f"wrong checksum of {kind}")
            if kind == b"IHDR":
                expected = _pixel_bytes(content)
            while kind == b"IDAT" and content and found < expected:
                found += len(inflate.decompress(content, _PIECE))
                content = inflate.unconsumed_tail
    if found < expected:
        raise ValueError(f"{expected - found} of {expected} bytes of pixels are missing")


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
