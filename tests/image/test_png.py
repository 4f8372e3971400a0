import itertools
import struct
import zlib

import numpy as np
import pytest

from tests.image.conftest import PICTURE, chunk, png, written
from tf_style.image.png import Chunks

# Width, height, bits, kind of colour, interlaced; bytes of pixels and filters, counted by hand.
SIZES = [
    (4, 4, 8, 2, 0, 4 * 13), (9, 2, 1, 0, 0, 2 * 3), (5, 3, 4, 3, 0, 3 * 4), (2, 2, 8, 4, 0, 2 * 5),
    (3, 2, 16, 6, 0, 2 * 25), (5, 5, 8, 2, 1, 4 + 4 + 7 + 2 * 4 + 10 + 3 * 7 + 2 * 16),
    (1, 1, 8, 0, 1, 2),
]


def check_whole(path):
    with open(path, "rb") as file:
        Chunks.read(file).check_whole()


@pytest.mark.parametrize("width, height, depth, color, interlaced, size", SIZES)
def test_one_byte_too_few_is_missed(tmp_path, width, height, depth, color, interlaced, size):
    def file(rows):
        return written(tmp_path / "a.png", png(
            width, height, depth=depth, color=color, interlaced=interlaced, rows=rows,
            before=chunk(b"PLTE", bytes(3)) if color == 3 else b""))

    check_whole(file(bytes(size)))
    with pytest.raises(ValueError, match=f"1 of {size} bytes of pixels are missing"):
        check_whole(file(bytes(size - 1)))


def test_pixels_in_several_chunks_are_added_up(tmp_path):
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    packed = zlib.compress(np.random.default_rng(0).bytes(64 * 65))
    cuts = (0, 1, 100, 101, len(packed))
    parts = [chunk(b"IDAT", packed[start:stop]) for start, stop in itertools.pairwise(cuts)]
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    check_whole(written(tmp_path / "a.png", head + b"".join(parts) + chunk(b"IEND", b"")))
    with pytest.raises(ValueError, match="bytes of pixels are missing"):
        check_whole(written(tmp_path / "a.png", head + b"".join(parts[:2]) + chunk(b"IEND", b"")))


def test_pixels_are_counted_however_well_they_were_packed(tmp_path):
    size = 3000 * 1001
    check_whole(written(tmp_path / "a.png", png(1000, 3000, color=0, rows=bytes(size))))
    with pytest.raises(ValueError, match=f"1 of {size} bytes"):
        check_whole(written(tmp_path / "a.png", png(1000, 3000, color=0, rows=bytes(size - 1))))


def test_no_changed_bit_and_no_cut_goes_unseen(tmp_path):
    PICTURE.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    check_whole(tmp_path / "a.png")
    # The end marker holds nothing.
    end = len(whole) - 12
    for place in range(8, end):
        changed = bytearray(whole)
        changed[place] ^= 1
        for content in (changed, whole[:place]):
            with pytest.raises((ValueError, zlib.error)):
                check_whole(written(tmp_path / "bad.png", content))
    for place in range(end, len(whole)):
        check_whole(written(tmp_path / "a.png", whole[:place]))
