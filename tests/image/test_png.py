import io
import itertools
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.image.conftest import (
    ORIENTATION,
    PICTURE,
    RAMP,
    chunk,
    iccp,
    ifd,
    png,
    swapped_profile,
    written,
)
from tf_style.image.picture import read_alpha, read_note, read_picture, write_picture
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


# What lies beside the pixels

ROWS = b"".join(b"\0" + row.tobytes() for row in RAMP)


def damaged(chunk):
    """The same chunk with a checksum that is wrong."""
    return chunk[:-1] + bytes([chunk[-1] ^ 1])


LARGE = zlib.compress(bytes(5_000_000), 1)
BESIDE = {
    "long text": chunk(b"zTXt", b"x\0\0" + LARGE),
    "long text of ours": chunk(b"zTXt", b"tf_style\0\0" + LARGE),
    "long international text": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE),
    "many texts": chunk(b"tEXt", b"x\0" + bytes(700_000)) * 100,
    "long profile": iccp(bytes(5_000_000)),
    "packed in another way": chunk(b"zTXt", b"tf_style\0\7" + zlib.compress(b"a")),
    "text that is no text": chunk(b"zTXt", b"tf_style\0\0nonsense"),
    "text without an end": chunk(b"iTXt", b"tf_style\0\1\0"),
    "keywords of the library's own": b"".join(
        chunk(b"tEXt", name + b"\0nonsense")
        for name in (b"transparency", b"icc_profile", b"gamma", b"exif", b"interlace", b"bbox")),
    "wrong checksum of a text": damaged(chunk(b"tEXt", b"a\0b")),
    "wrong checksum of a time": damaged(chunk(b"tIME", bytes(7))),
    "wrong checksum of a profile": damaged(iccp(swapped_profile())),
    "wrong checksum of a gamma": damaged(chunk(b"gAMA", struct.pack(">I", 100_000))),
    "wrong checksum of a side": damaged(chunk(b"eXIf", ifd((ORIENTATION, 3, 1, 6)))),
    "frames out of order": (chunk(b"acTL", struct.pack(">2I", 3, 0))
                            + chunk(b"fcTL", struct.pack(">5I", 7, 8, 6, 0, 0) + bytes(6))),
    "frame outside": chunk(b"acTL", struct.pack(">2I", 3, 0))
                     + chunk(b"fcTL", struct.pack(">5I", 0, 99, 6, 0, 0) + bytes(6)),
    "chunks too short": b"".join(
        chunk(kind, b"") for kind in (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"iCCP", b"cICP",
                                      b"acTL", b"fcTL", b"eXIf", b"zTXt", b"iTXt", b"tEXt")),
}


@pytest.mark.parametrize("case", BESIDE)
@pytest.mark.parametrize("after", [False, True])
def test_what_lies_beside_the_pixels_never_costs_them(tmp_path, case, after):
    content = png(8, 6, rows=ROWS, before=b"" if after else BESIDE[case])
    if after:
        content = content[:-12] + BESIDE[case] + content[-12:]
    path = written(tmp_path / "a.png", content)
    np.testing.assert_allclose(read_picture(path) * 255, RAMP, atol=1e-4)
    assert read_alpha(path) is None
    assert read_note(path) in (None, "", "nonsense")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_of_any_depth(tmp_path, depth):
    most = 2**depth - 1
    # Each value in turn; at 8 and 16 bits, some of them.
    for value in {0, most // 3, most}:
        row = (value << depth | (0 if value else most)) << (-2 * depth % 8)
        rows = b"\0" + row.to_bytes(-(-2 * depth // 8), "big")
        path = written(tmp_path / "a.png", png(2, 1, depth=depth, color=0, rows=rows, before=chunk(
            b"tRNS", struct.pack(">H", value))))
        assert read_alpha(path).tolist() == [[0, 1]]
        assert read_picture(path)[0, 0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("transparency", [
    damaged(chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))), chunk(b"tRNS", b"\0")])
def test_damaged_transparency_is_left_out_and_said(tmp_path, transparency):
    path = written(tmp_path / "a.png", png(8, 6, rows=ROWS, before=transparency))
    with pytest.warns(UserWarning, match="its transparency is damaged, and left out"):
        np.testing.assert_allclose(read_picture(path) * 255, RAMP, atol=1e-4)


def test_a_missing_palette_is_not_guessed():
    content = png(2, 1, color=3, rows=b"\0\0\1")
    with pytest.raises(ValueError, match="palette is missing"):
        Chunks.read(io.BytesIO(content))


def test_texts_that_matter_are_kept(tmp_path):
    write_picture(tmp_path / "a.png", RAMP / 255, note="x" * 2_000_000)
    assert read_note(tmp_path / "a.png") == "x" * 2_000_000
    xmp = b'<x tiff:Orientation="6"/>'
    for text in (chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
                 chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
                 chunk(b"eXIf", ifd((ORIENTATION, 3, 1, 6)))):
        path = written(tmp_path / "b.png", png(8, 6, rows=ROWS, before=text))
        np.testing.assert_allclose(read_picture(path) * 255, np.rot90(RAMP, -1), atol=1e-4)


_KINDS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"eXIf", b"pHYs",
          b"acTL", b"fcTL", b"sBIT", b"bKGD", b"hIST", b"tIME", b"prVt")


@settings(max_examples=100, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.tuples(st.sampled_from(_KINDS), st.binary(max_size=40), st.booleans()),
                       max_size=5))
def test_any_chunks_beside_the_pixels_leave_a_picture(chunks, tmp_path):
    before = b"".join(chunk(kind, content) if is_sound else damaged(chunk(kind, content))
                      for kind, content, is_sound in chunks)
    path = written(tmp_path / "a.png", png(8, 6, rows=ROWS, before=before))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = read_picture(path)
    assert sorted(picture.shape) == [3, 6, 8] and picture.min() >= 0 and picture.max() <= 1
    if not any(is_sound and kind in (b"gAMA", b"cHRM", b"cICP", b"eXIf", b"iTXt", b"iCCP")
               for kind, _, is_sound in chunks):
        np.testing.assert_allclose(picture * 255, RAMP, atol=1e-4)


@pytest.mark.parametrize("case", ["large texts", "many texts", "bad palette", "long tRNS"])
def test_what_the_pixels_do_not_need_costs_no_picture(tmp_path, case):
    packed = b"XML:com.adobe.xmp\0\0\0\0\0"
    before, color, rows = {
        "large texts": (chunk(b"iTXt", packed + b"a" * 70_000_000), 2, bytes(2 * 7)),
        "many texts": (90 * chunk(b"iTXt", packed + b"a" * 900_000), 2, bytes(2 * 7)),
        "bad palette": (chunk(b"PLTE", bytes(3))[:-1] + b"x", 2, bytes(2 * 7)),
        "long tRNS": (chunk(b"PLTE", bytes(3)) + chunk(b"tRNS", b"\xff" * 261), 3, bytes(2 * 3)),
    }[case]
    path = written(tmp_path / "a.png", png(2, 2, color=color, rows=rows, before=before))
    np.testing.assert_array_equal(read_picture(path), np.zeros((2, 2, 3)))
