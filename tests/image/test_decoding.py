"""Unusual, damaged and hostile picture files: a right picture, or one error of one line."""

import errno
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

import tf_style
from tests.image.conftest import (
    ORIENTATION,
    PICTURE,
    RAMP,
    SRGB,
    ifd,
    png,
    refused,
    saved,
    written,
)
from tf_style import cli
from tf_style.image.decoding import native_messages_off
from tf_style.image.paths import expand
from tf_style.image.picture import (
    check_output,
    read_alpha,
    read_note,
    read_picture,
    write_picture,
)
from tf_style.settings import InputError


def encoded(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


# Unusual files


def test_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (4, 2), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert read_picture(saved(tmp_path / "a.jpg", image, exif=exif)).shape == (4, 2, 3)


def test_every_orientation_is_turned_upright(tmp_path):
    upright = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14
    # What the camera stored, for each value of the tag: the way back from upright.
    # Source: Exif 2.32, 4.6.4 A, Orientation.
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright), 7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }
    for value, pixels in stored.items():
        exif = Image.Exif()
        exif[ORIENTATION] = value
        image = Image.fromarray(np.ascontiguousarray(pixels))
        alpha = image.copy()
        alpha.putalpha(image.getchannel("R"))
        for ending in ("png", "tiff"):
            path = tmp_path / f"{value}.{ending}"
            image.save(path, exif=exif)
            np.testing.assert_allclose(read_picture(path) * 255, upright, atol=1e-4)
            alpha.save(path, exif=exif)
            np.testing.assert_allclose(read_alpha(path) * 255, upright[..., 0], atol=1e-4)
        image.save(tmp_path / f"{value}.webp", exif=exif, lossless=True)
        assert (read_picture(tmp_path / f"{value}.webp") * 255).round().tolist() == (
            upright.tolist())
        image.resize((image.width * 16, image.height * 16), 0).save(
            tmp_path / f"{value}.jpg", exif=exif, quality=100, subsampling=0)
        seen = read_picture(tmp_path / f"{value}.jpg")[8::16, 8::16] * 255
        np.testing.assert_allclose(seen, upright, atol=4)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_means_nothing_is_none(tmp_path, value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    PICTURE.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_allclose(read_picture(tmp_path / "a.png") * 255, RAMP, atol=1e-4)


@pytest.mark.parametrize("exif", [
    b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff",
    b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 9,
    b"Exif\0\0" + ifd((ORIENTATION, 2, 3, 1)), b"Exif\0\0" + ifd((ORIENTATION, 3, 2**31, 6)),
])
def test_damaged_metadata_is_no_reason_to_refuse(tmp_path, exif):
    for kind in ("JPEG", "PNG", "WEBP"):
        path = written(tmp_path / "a", encoded(PICTURE, kind, exif=exif))
        assert read_picture(path).shape == RAMP.shape


SEGMENTS = [
    # (number of the marker, content): too short, too long, or of another kind than they say.
    (0xE0, b"JFIF\0"), (0xE0, b"JFIF\0\1"), (0xE2, b"ICC_PROFILE\0"), (0xE2, b"ICC_PROFILE\0\1\1x"),
    (0xE2, b"ICC_PROFILE\0\2\5x"), (0xE2, b"MPF\0"), (0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff"),
    (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10"), (0xEE, b"Adobe"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0<"), (0xFE, bytes(60_000)),
]


@pytest.mark.parametrize("number, content", SEGMENTS)
def test_damaged_segments_of_a_jpeg_are_passed_over(tmp_path, number, content):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    whole = encoded(PICTURE, "JPEG", exif=exif)
    segment = bytes([0xFF, number]) + struct.pack(">H", len(content) + 2) + content
    expected = read_picture(written(tmp_path / "a.jpg", whole))
    assert expected.shape == (8, 6, 3)
    changed = whole[:2] + segment + whole[2:]
    assert (read_picture(written(tmp_path / "a.jpg", changed)) == expected).all()


@pytest.mark.parametrize("tag", [
    (700, 4, 1, 7), (700, 2, 4, 0), (700, 1, 2**31, 8), (700, 5, 1, 8), (34665, 4, 1, 2**32 - 1),
    (34665, 13, 1, 8), (34853, 4, 1, 2**31), (34675, 3, 1, 1), (34675, 7, 99, 8),
    (33723, 4, 10**6, 0), (40965, 4, 1, 2**32 - 1), (270, 99, 1, 0), (37724, 1, 5, 2**31),
])
@pytest.mark.parametrize("orientation", [1, 6])
def test_damaged_tags_of_a_tiff_are_passed_over(tmp_path, tag, orientation):
    tags = sorted([
        (256, 4, 1, 8), (257, 4, 1, 6), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8 + 2 + 12 * 10 + 4), (ORIENTATION, 3, 1, orientation), (278, 4, 1, 6),
        (279, 4, 1, 48), tag])
    path = written(tmp_path / "a.tif", ifd(*tags, after=RAMP[..., 0].tobytes()))
    gray = RAMP[..., 0] if orientation == 1 else np.rot90(RAMP[..., 0], -1)
    np.testing.assert_allclose(read_picture(path)[..., 1] * 255, gray, atol=1e-4)


def test_16_bit_gray_is_scaled_not_clipped(tmp_path):
    gray = np.full((4, 4), 32768, np.uint16)
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(gray)))
    assert picture.shape == (4, 4, 3)
    assert np.allclose(picture, 0.5, atol=1e-3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "F"])
def test_any_mode_gives_rgb(tmp_path, mode):
    path = saved(tmp_path / "a.tiff", Image.new("L", (5, 4), 128).convert(mode))
    picture = read_picture(path)
    assert picture.shape == (4, 5, 3) and picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("top", [1, 255])
def test_pictures_of_floats_are_read(tmp_path, top):
    gray = np.linspace(0, top, 16, dtype=np.float32).reshape(4, 4)
    picture = read_picture(saved(tmp_path / "a.tiff", Image.fromarray(gray)))
    np.testing.assert_allclose(picture[..., 0], gray / top, atol=1e-6)


def _gray(values, dtype):
    return Image.fromarray(values.astype(dtype))


GRAY = np.array([[0, 1, 2], [3, 4, 5]]) / 5
UNUSUAL = {
    # name: (content, pixels in [0, 1], tolerance in 1/255)
    "1 bit": ("a.png", _gray(GRAY * 255, np.uint8).convert("1", dither=0), {}, GRAY > 0.5, 0),
    "16-bit gray": ("a.png", _gray(GRAY * 65535, np.uint16), {}, GRAY, 0),
    "16-bit gray, big-endian": ("a.tif", _gray(GRAY * 65535, ">u2"), {}, GRAY, 0),
    "32-bit numbers": ("a.tif", _gray(GRAY * 65535, np.int32), {}, GRAY, 0),
    "32-bit numbers of 8": ("a.tif", _gray(GRAY * 255, np.int32), {}, GRAY, 0),
    "floats up to 1": ("a.tif", _gray(GRAY, np.float32), {}, GRAY, 0),
    "floats up to 255": ("a.tif", _gray(GRAY * 255, np.float32), {}, GRAY, 0),
    "floats up to 65535": ("a.tif", _gray(GRAY * 65535, np.float32), {}, GRAY, 0),
    "negative floats": ("a.tif", _gray(GRAY * 2 - 1, np.float32), {},
                        np.clip(GRAY * 2 - 1, 0, 1), 0),
    "gray": ("a.pgm", _gray(GRAY * 255, np.uint8), {}, GRAY, 0),
    "CMYK": ("a.tif", PICTURE.convert("CMYK"), {}, RAMP / 255, 1),
    "CMYK JPEG": ("a.jpg", PICTURE.convert("CMYK"), {"quality": 100}, RAMP / 255, 3),
    "LAB": ("a.tif", ImageCms.profileToProfile(PICTURE, SRGB, ImageCms.createProfile("LAB"),
                                               outputMode="LAB"), {}, RAMP / 255, 20),
    "palette": ("a.gif", PICTURE.quantize(256), {}, RAMP / 255, 0),
    "palette, PNG": ("a.png", PICTURE.quantize(256), {}, RAMP / 255, 0),
    "PPM": ("a.ppm", PICTURE, {}, RAMP / 255, 0),
    "BMP": ("a.bmp", PICTURE, {}, RAMP / 255, 0),
    "Targa": ("a.tga", PICTURE, {"compression": "tga_rle"}, RAMP / 255, 0),
    "JPEG 2000": ("a.jp2", PICTURE, {}, RAMP / 255, 0),
    "stereo pair": ("a.mpo", Image.new("RGB", (8, 8), (9, 99, 199)),
                    {"save_all": True, "append_images": [PICTURE]},
                    np.full((8, 8, 3), (9, 99, 199)) / 255, 2),
    "icon": ("a.ico", Image.new("RGB", (16, 16), (9, 99, 199)), {},
             np.full((16, 16, 3), (9, 99, 199)) / 255, 0),
    "WebP": ("a.webp", PICTURE, {"lossless": True}, RAMP / 255, 0),
    "TIFF, LZW": ("a.tif", PICTURE, {"compression": "tiff_lzw"}, RAMP / 255, 0),
    "another ending": ("a.jpg", PICTURE, {"format": "PNG"}, RAMP / 255, 0),
    "no ending": ("a", PICTURE, {"format": "PNG"}, RAMP / 255, 0),
    "ending of a program": ("a.eps", PICTURE, {"format": "PNG"}, RAMP / 255, 0),
    "name of two lines": ("a\nb.png", PICTURE, {"format": "PNG"}, RAMP / 255, 0),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_files_are_read_right(case, tmp_path):
    name, image, options, expected, tolerance = UNUSUAL[case]
    if os.name == "nt" and "\n" in name:
        pytest.skip("no such name on Windows")
    path = tmp_path / name
    image.save(path, **options)
    picture = read_picture(path)
    expected = np.broadcast_to(np.asarray(expected, float).reshape(*expected.shape[:2], -1),
                               (*expected.shape[:2], 3))
    assert picture.dtype == np.float32 and picture.shape == expected.shape
    np.testing.assert_allclose(picture, expected, atol=tolerance / 255 + 1e-4)
    assert read_alpha(path) is None


@pytest.mark.skipif(".avif" not in Image.registered_extensions(), reason="an older Pillow")
def test_avif_is_read(tmp_path):
    path = tmp_path / "a.avif"
    Image.new("RGB", (16, 16), (9, 99, 199)).save(path, quality=100)
    np.testing.assert_allclose(read_picture(path)[4, 4] * 255, (9, 99, 199), atol=3)


# Transparency


def test_alpha_of_every_kind(tmp_path):
    halves = np.where(np.arange(8) < 4, 0, 255).astype(np.uint8)[None].repeat(6, axis=0)
    mask = Image.fromarray(halves)
    kinds = {}
    for mode in ("RGBA", "LA"):
        image = PICTURE.convert(mode)
        image.putalpha(mask)
        kinds[mode] = (image, {})
    palette = Image.fromarray(halves // 255).convert("P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    kinds["palette, one colour"] = (palette, {"transparency": 0})
    kinds["palette, a list"] = (palette, {"transparency": bytes([0, 255])})
    kinds["gray, one value"] = (mask, {"transparency": 0})
    two = Image.new("RGB", (8, 6), (1, 2, 3))
    two.paste((200, 100, 50), (4, 0, 8, 6))
    kinds["RGB, one colour"] = (two, {"transparency": (1, 2, 3)})
    for name, (image, options) in kinds.items():
        path = tmp_path / "a.png"
        image.save(path, **options)
        alpha = read_alpha(path)
        assert alpha.dtype == np.float32, name
        np.testing.assert_array_equal(alpha, halves / 255, name)
        # What is under it does not show.
        assert (read_picture(path)[:, :4] == 1).all(), name


def test_an_alpha_that_hides_nothing_is_none(tmp_path):
    PICTURE.convert("RGBA").save(tmp_path / "a.png")
    assert read_alpha(tmp_path / "a.png") is None


# Damaged and hostile files


def test_files_that_cannot_be_read_are_named(tmp_path, content):
    write_picture(tmp_path / "whole.png", content)
    write_picture(tmp_path / "whole.jpg", content)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    bad = [tmp_path / "missing.png", tmp_path / "empty.png", tmp_path / "text.png", tmp_path]
    for kind in ("png", "jpg"):
        whole = (tmp_path / f"whole.{kind}").read_bytes()
        for share in (0.01, 0.3, 0.9):
            bad.append(tmp_path / f"cut{share}.{kind}")
            bad[-1].write_bytes(whole[: int(len(whole) * share)])
    for path in bad:
        with pytest.raises(InputError) as error:
            read_picture(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


WHOLE = {
    "png": encoded(PICTURE, "PNG"),
    "interlaced gif": encoded(PICTURE.quantize(256), "GIF", interlace=1),
    "jpg": encoded(PICTURE, "JPEG"),
    "progressive jpg": encoded(PICTURE, "JPEG", progressive=True),
    "webp": encoded(PICTURE, "WEBP"),
    "lossless webp": encoded(PICTURE, "WEBP", lossless=True),
    "tiff": encoded(PICTURE, "TIFF"),
    "deflated tiff": encoded(PICTURE, "TIFF", compression="tiff_deflate"),
    "jpeg in tiff": encoded(PICTURE, "TIFF", compression="jpeg"),
    "bmp": encoded(PICTURE, "BMP"),
    "ppm": encoded(PICTURE, "PPM"),
    "tga": encoded(PICTURE, "TGA", compression="tga_rle"),
    "ico": encoded(PICTURE.resize((16, 16)), "ICO"),
    "jpeg 2000": encoded(PICTURE, "JPEG2000"),
    "interlaced png": png(5, 5, interlaced=1, rows=bytes(86)),
    "16-bit png": png(1, 2, depth=16, rows=b"\0abcdef" * 2),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_anywhere_is_refused_or_whole(kind, tmp_path, capfd):
    path = written(tmp_path / "whole", WHOLE[kind])
    whole = read_picture(path)
    size = len(WHOLE[kind])
    for kept in sorted({0, 1, 2, 8, 16, size - 1, *range(3, size, max(1, size // 40))}):
        path = written(tmp_path / "cut", WHOLE[kind][:kept])
        try:
            picture = read_picture(path)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            # What is missing is no part of the pixels.
            assert (picture == whole).all() and kept > size // 2
    assert capfd.readouterr().err == ""


@settings(max_examples=150, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(WHOLE)), data=st.data())
def test_bytes_changed_anywhere_are_a_picture_or_an_input_error(kind, data, tmp_path):
    content = bytearray(WHOLE[kind])
    # Most of what a decoder decides is in the first bytes.
    places = st.integers(0, 99) | st.integers(0, len(content) - 1)
    changes = data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6))
    for place, value in changes:
        content[place % len(content)] = value
    path = written(tmp_path / "fuzzed", content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = read_picture(path)
            alpha = read_alpha(path)
            read_note(path)
        except InputError as error:
            assert "\n" not in str(error)
            return
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.size
    assert picture.min() >= 0 and picture.max() <= 1
    assert alpha is None or alpha.shape == picture.shape[:2]


HOSTILE = {
    "zero bytes": (b"", "the file is empty"),
    "zeros": (bytes(5000), "not a picture"),
    "text": (b"no picture\n" * 99, "not a picture"),
    "a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
                  "not a picture"),
    "another program": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "huge header": (png(100_000, 100_000), "too large to open safely"),
    "largest header": (png(2**31 - 1, 2**31 - 1), "too large to open safely"),
    "huge GIF": (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\0;",
                 "too large to open safely"),
    "no width": (png(0, 4), "not a picture"),
    "no rows": (png(4, 4), "the picture cannot be read"),
    "one byte too few": (png(4, 4, rows=bytes(51)), "1 of 52 bytes of pixels are missing"),
    "nearly no pixels": (png(16_000_000, 8, rows=bytes(999)), "bytes of pixels are missing"),
    "too few for its passes": (png(5, 5, interlaced=1, rows=bytes(85)), "1 of 86 bytes"),
    "no such depth": (png(1, 1, depth=3), "not a picture"),
    "wrong checksum": (WHOLE["png"][:50] + b"\0" + WHOLE["png"][51:], "checksum"),
    "floats that are none": (encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"),
                             "not finite"),
    "infinite floats": (encoded(Image.fromarray(np.full((2, 2), np.inf, np.float32)), "TIFF"),
                        "not finite"),
    "TIFF that names itself as the next": (
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 256, 3, 1, 1) + b"\x08\0\0\0", ""),
    "TIFF without end": (b"II*\0\x08\0\0\0\xff\xff" + bytes(99), "not a picture"),
    "TIFF of many samples": (ifd(
        (256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 8), (277, 3, 1, 255)), "not a picture"),
    "TIFF of fewer rows than it says": (ifd(
        (256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (278, 4, 1, 7), (279, 4, 1, 63)), "18 pixels are missing"),
    "TIFF of a huge strip": (ifd(
        (256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 2**32 - 1), (279, 4, 1, 2**32 - 1)), "cannot be read"),
    "BMP of negative size": (
        b"BM" + bytes(8) + struct.pack("<III", 54, 40, 2**31) + struct.pack("<IHH", 5, 1, 24)
        + bytes(24), ""),
    "PPM of a billion digits": (b"P6 " + b"9" * 999 + b" 1 255 ", ""),
    "AVIF header": (b"\0\0\0\x18ftypavif" + bytes(99), ""),
    "JPEG of markers": (b"\xff\xd8" + b"\xff\xe1\xff\xff" * 999, ""),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(case, tmp_path, capfd):
    content, message = HOSTILE[case]
    path = written(tmp_path / "a.png", content)
    assert message.lower() in refused(path).lower()
    for read in (read_alpha, read_note):
        with pytest.raises(InputError):
            read(path)
            raise InputError("these need not decode the pixels")
    assert capfd.readouterr().err == ""


def test_heic_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for registry in (Image.OPEN, Image.EXTENSION):
        for key in [key for key, value in registry.items() if "HEIF" in (key, value)]:
            monkeypatch.delitem(registry, key)
    path = written(tmp_path / "a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    assert refused(path) == (
        f"{path}: HEIC pictures need one more package: pip install pillow-heif")
    # A folder of them is no empty folder.
    assert expand(os.fspath(tmp_path)) == [os.fspath(path)]


def test_heic_is_read_where_the_package_is(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 64), (9, 99, 199))
    heif.from_pillow(image).save(tmp_path / "a.heic", quality=-1)
    np.testing.assert_allclose(read_picture(tmp_path / "a.heic")[32, 32] * 255,
                               (9, 99, 199), atol=3)
    content = (tmp_path / "a.heic").read_bytes()
    for kept in (20, 100, len(content) // 2, len(content) - 1):
        refused(written(tmp_path / "cut.heic", content[:kept]))


def test_no_picture_file_at_all(tmp_path, monkeypatch):
    assert "there is no such file" in refused(tmp_path / "no.png")
    assert "this is a folder" in refused(tmp_path)
    written(tmp_path / "file", b"x")
    assert "there is no such file" in refused(tmp_path / "file" / "a.png")
    refused(tmp_path / ("a" * 300))
    refused("a\0b.png")
    with pytest.raises(InputError):
        check_output("a\0b.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes that have names")
@pytest.mark.parametrize("read", [read_picture, read_alpha, read_note])
def test_pipes_and_devices_are_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.png")
    for source in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(InputError, match="a pipe or a device"):
            read(source)
    with pytest.raises(InputError, match="expected the name of a plain file"):
        check_output(tmp_path / "pipe.png")


def test_a_file_that_vanishes_or_may_not_be_read(tmp_path, monkeypatch):
    path = written(tmp_path / "a.png", WHOLE["png"])

    def vanish(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", os.fspath(path))

    def forbid(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))

    monkeypatch.setattr(Image, "open", vanish)
    assert "there is no such file" in refused(path)
    # Root may read anything, so the refusal is a stand-in.
    monkeypatch.setattr(Image, "open", forbid)
    assert refused(path) == f"{path}: the picture cannot be read (Permission denied)"


def test_too_little_memory_is_said(tmp_path, monkeypatch):
    path = written(tmp_path / "a.png", WHOLE["png"])

    def exhaust(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image, "open", exhaust)
    assert "not enough memory" in refused(path)


def test_what_libraries_write_to_stderr_is_kept_off_it(capfd):
    with native_messages_off():
        os.write(2, b"a library's own words")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"


def test_several_threads_silence_native_code_and_none_waits(capfd):
    inside, ends = threading.Event(), threading.Event()

    def silence():
        with native_messages_off():
            inside.set()
            ends.wait(10)

    thread = threading.Thread(target=silence)
    thread.start()
    assert inside.wait(10)
    with native_messages_off():
        os.write(2, b"lost\n")
    os.write(2, b"still lost\n")
    ends.set()
    thread.join()
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"


# Through the command line


@pytest.fixture
def older(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    written(pictures / "older.png", b"older")
    return pictures


COMMAND_LINE = {
    "text": "text", "huge header": "huge header", "no rows": "no rows", "zeros": "zeros",
    "wrong checksum": "wrong checksum", "infinite floats": "infinite floats",
    "a program": "a program", "huge GIF": "huge GIF",
}


@pytest.mark.parametrize("case", COMMAND_LINE)
@pytest.mark.parametrize("place", ["content", "style"])
def test_the_command_line_says_one_line(older, capfd, case, place):
    written(older / "bad.png", HOSTILE[case][0])
    names = ["bad.png", "style.png"] if place == "content" else ["content.png", "bad.png"]
    before = {path.name: path.read_bytes() for path in older.iterdir()}
    with pytest.raises(SystemExit) as stopped:
        cli.main([*names, "older.png"])
    assert stopped.value.code == 2
    captured = capfd.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.startswith("tf_style: bad.png: ")
    assert captured.out == ""
    assert {path.name: path.read_bytes() for path in older.iterdir()} == before


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
@pytest.mark.parametrize("name", [b"two\nlines.png", b"no\xff text.png", b"\x1b[31m.png"])
def test_names_that_no_terminal_shows(older, name):
    # One that Pillow's logger has words for, which pytest would catch in this process.
    content = HOSTILE["TIFF of many samples"][0]
    try:
        (older / os.fsdecode(name)).write_bytes(content)
    except OSError:
        pytest.skip("this file system has no such names")
    code = "from tf_style.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, os.fsdecode(name), "style.png", "older.png"],
        capture_output=True, cwd=older,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])})
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert (older / "older.png").read_bytes() == b"older"


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_jpeg_2000_of_many_bits(tmp_path, bits, channels):
    """Pillow makes white black, and opaque transparent."""
    imagecodecs = pytest.importorskip("imagecodecs")
    white = 2**bits - 1
    pixels = np.full((40, 48, channels), white, np.uint8 if bits == 8 else np.uint16)
    pixels[:20, :, 0] = white // 4
    content = imagecodecs.jpeg2k_encode(
        pixels, level=0, codecformat="jp2", bitspersample=bits, reversible=True)
    found = read_picture(written(tmp_path / "a.jp2", content))
    np.testing.assert_allclose(found[30, 10], 1, atol=0.01)
    np.testing.assert_allclose(found[10, 10], [0.25, 1, 1], atol=0.01)


@pytest.mark.parametrize("options", [
    {}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}, {"mode": "L"},
    {"mode": "CMYK"},
], ids=str)
def test_an_end_marker_before_the_end_of_the_pixels(tmp_path, options):
    options = dict(options)
    image = Image.fromarray(np.kron(
        np.random.default_rng(0).integers(0, 255, (12, 16, 3)), np.ones((8, 8, 1))
    ).astype(np.uint8)).convert(options.pop("mode", "RGB"))
    content = io.BytesIO()
    image.save(content, "JPEG", **options)
    content = content.getvalue()
    for sound in (content, content + b"after\xff\xd9 it", content + bytes(9)):
        read_picture(written(tmp_path / "a.jpg", sound))
    for share in (0.5, 0.9):
        cut = content[: int(share * len(content))].rstrip(b"\xff") + b"\xff\xd9"
        with pytest.raises(InputError, match="the file ends too early"):
            read_picture(written(tmp_path / "b.jpg", cut))


def test_damaged_metadata_and_no_end_of_a_jpeg_at_once(tmp_path):
    content = io.BytesIO()
    Image.fromarray(np.full((24, 32, 3), 90, np.uint8)).save(content, "JPEG")
    content = content.getvalue()
    whole = read_picture(written(tmp_path / "a.jpg", content))
    damage = b"\xff\xe2\x00\x0eICC_PROFILE\0"
    found = read_picture(written(tmp_path / "b.jpg", content[:2] + damage + content[2:-2]))
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("shape, kind", [
    ((2,), "unassalpha"), ((2,), "assocalpha"), ((4,), "assocalpha"), ((4,), "unassalpha"),
], ids=str)
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_alpha_in_planes_of_a_plain_tiff(tmp_path, shape, kind, dtype):
    tifffile = pytest.importorskip("tifffile")
    top = np.iinfo(dtype).max
    pixels = np.full((*shape, 20, 30), top // 2, dtype)
    pixels[-1] = top
    tifffile.imwrite(tmp_path / "a.tif", pixels, planarconfig="separate", extrasamples=[kind],
                     photometric="rgb" if shape == (4,) else "minisblack")
    np.testing.assert_allclose(read_picture(tmp_path / "a.tif"), 0.5, atol=0.01)


def test_a_network_that_is_given_as_a_picture_is_told_its_flag(tmp_path):
    (tmp_path / "painting.keras").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"a network that paints is given as model=FILE"):
        read_picture(tmp_path / "painting.keras")
