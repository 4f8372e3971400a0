"""Unusual, damaged and hostile picture files: a right picture, or one error of one line."""

import errno
import io
import os
import shutil
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

import tf_style
from tf_style import cli
from tf_style.image import deep, files
from tf_style.settings import InputError

RAMP = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
PICTURE = Image.fromarray(RAMP)
SRGB = ImageCms.createProfile("sRGB")
ORIENTATION, GPS = 0x0112, 0x8825

needs_deep = pytest.mark.skipif(
    not deep.is_available(), reason="needs 16-bit pictures: pip install '.[deep]'"
)


@pytest.fixture(autouse=True)
def no_warnings_but_expected():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def encoded(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def written(path, content):
    path.write_bytes(content)
    return path


def refused(source):
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as error:
        files.read_picture(source)
    message = str(error.value)
    assert message.startswith(f"{source}: ") and "\n" not in message
    return message


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, *, depth=8, color=2, interlaced=0, rows=b"", before=b""):
    """A PNG by its own parts, which need not fit together."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def ifd(*entries, after=b""):
    """A TIFF of one directory of (tag, type, count, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + after


# Unusual files


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
            np.testing.assert_allclose(files.read_picture(path) * 255, upright, atol=1e-4)
            alpha.save(path, exif=exif)
            np.testing.assert_allclose(files.read_alpha(path) * 255, upright[..., 0], atol=1e-4)
        image.save(tmp_path / f"{value}.webp", exif=exif, lossless=True)
        assert (files.read_picture(tmp_path / f"{value}.webp") * 255).round().tolist() == (
            upright.tolist())
        image.resize((image.width * 16, image.height * 16), 0).save(
            tmp_path / f"{value}.jpg", exif=exif, quality=100, subsampling=0)
        seen = files.read_picture(tmp_path / f"{value}.jpg")[8::16, 8::16] * 255
        np.testing.assert_allclose(seen, upright, atol=4)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_means_nothing_is_none(tmp_path, value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    PICTURE.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_allclose(files.read_picture(tmp_path / "a.png") * 255, RAMP, atol=1e-4)


@pytest.mark.parametrize("exif", [
    b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff",
    b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 9,
    b"Exif\0\0" + ifd((ORIENTATION, 2, 3, 1)), b"Exif\0\0" + ifd((ORIENTATION, 3, 2**31, 6)),
])
def test_damaged_metadata_is_no_reason_to_refuse(tmp_path, exif):
    for kind in ("JPEG", "PNG", "WEBP"):
        path = written(tmp_path / "a", encoded(PICTURE, kind, exif=exif))
        assert files.read_picture(path).shape == RAMP.shape


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
    picture = files.read_picture(path)
    expected = np.broadcast_to(np.asarray(expected, float).reshape(*expected.shape[:2], -1),
                               (*expected.shape[:2], 3))
    assert picture.dtype == np.float32 and picture.shape == expected.shape
    np.testing.assert_allclose(picture, expected, atol=tolerance / 255 + 1e-4)
    assert files.read_alpha(path) is None


@pytest.mark.skipif(".avif" not in Image.registered_extensions(), reason="an older Pillow")
def test_avif_is_read(tmp_path):
    path = tmp_path / "a.avif"
    Image.new("RGB", (16, 16), (9, 99, 199)).save(path, quality=100)
    np.testing.assert_allclose(files.read_picture(path)[4, 4] * 255, (9, 99, 199), atol=3)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tiff"])
def test_of_several_pictures_the_first_is_taken_and_said(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {}
    PICTURE.quantize(256).save(
        path, save_all=True, append_images=[PICTURE.rotate(180).quantize(256)], **lossless)
    with pytest.warns(UserWarning, match="holds several pictures; the first is taken") as caught:
        picture = files.read_picture(path)
    assert len(caught) == 1 and str(caught[0].message).startswith(f"{path}: ")
    np.testing.assert_allclose(picture * 255, RAMP, atol=1e-4)
    assert files.read_alpha(path) is None  # says it no second time


# Profiles


def swapped_profile():
    """sRGB with the primaries red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(SRGB).tobytes()
    return profile.replace(b"rXYZ", b"-XYZ").replace(b"bXYZ", b"rXYZ").replace(b"-XYZ", b"bXYZ")


def linear_gray_profile():
    """A gray profile whose curve is a straight line. Source: ICC.1:2010, 7 and 10.5."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"g\0" + bytes(79),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061),
        b"kTRC": b"curv" + bytes(8),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s12s4s28s3i48s", 128 + len(table) + len(body), b"", 0x02100000, b"mntr",
        b"GRAY", b"XYZ ", bytes(12), b"acsp", bytes(28), 63190, 65536, 54061, b"")
    return header + table + body


def srgb_encoded(linear):
    """Source: IEC 61966-2-1, 5.2."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_apply_whatever_holds_the_colors(tmp_path, mode):
    image = PICTURE.quantize(256) if mode == "P" else PICTURE.convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (*image.getpixel((0, 0))[:3], 254))
    image.save(tmp_path / "a.png", icc_profile=swapped_profile())
    picture = files.read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(picture * 255, RAMP[..., ::-1], atol=4)


# Pillow has no mode for 16 bits with alpha.
@pytest.mark.parametrize("dtype, alpha", [(np.uint8, False), (np.uint8, True), (np.uint16, False)])
def test_gray_profiles_apply(tmp_path, dtype, alpha):
    # Of the darkest, which this curve spreads far, lcms makes only a few values of 8 bits.
    gray = np.linspace(0.05, 1, 48).reshape(6, 8)
    image = _gray(gray * np.iinfo(dtype).max, dtype)
    if alpha:
        image = image.convert("LA")
        image.putpixel((7, 5), (255, 0))  # white already
    image.save(tmp_path / "a.png", icc_profile=linear_gray_profile())
    picture = files.read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(picture[..., 0], srgb_encoded(gray), atol=0.02)


@pytest.mark.parametrize("profile", [
    b"x", bytes(128), swapped_profile()[:200], linear_gray_profile(),
    ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
])
def test_profiles_that_do_not_fit_are_left_alone(tmp_path, profile):
    PICTURE.save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_allclose(files.read_picture(tmp_path / "a.png") * 255, RAMP, atol=1e-4)


def test_a_picture_of_our_own_comes_back_unchanged(tmp_path):
    files.write_picture(tmp_path / "a.png", RAMP / np.float32(255))
    assert (files.read_picture(tmp_path / "a.png") == RAMP / np.float32(255)).all()


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
        alpha = files.read_alpha(path)
        assert alpha.dtype == np.float32, name
        np.testing.assert_array_equal(alpha, halves / 255, name)
        # What is under it does not show.
        assert (files.read_picture(path)[:, :4] == 1).all(), name


@pytest.mark.parametrize("packages", [deep._PACKAGES, ("no_such_package",)])
def test_16_bits_and_one_transparent_color(tmp_path, monkeypatch, packages):
    monkeypatch.setattr(deep, "_PACKAGES", packages)
    rows = b"\0" + struct.pack(">6H", 65535, 0, 300, 1, 2, 3)
    before = chunk(b"tRNS", struct.pack(">3H", 65535, 0, 300))
    path = written(tmp_path / "a.png", png(2, 1, depth=16, rows=rows, before=before))
    assert files.read_alpha(path).tolist() == [[0, 1]]
    assert files.read_picture(path)[0, 0].tolist() == [1, 1, 1]


def transparent_picture(path):
    alpha = np.linspace(0, 255, 48).reshape(6, 8).astype(np.uint8)
    Image.fromarray(np.dstack([RAMP, alpha])).save(path)
    return alpha / 255


@pytest.mark.parametrize("ending, tolerance", [("png", 1), ("tiff", 1), ("webp", 25), ("jpg", 12)])
def test_over_white_a_result_looks_as_in_the_run(tmp_path, ending, tolerance):
    alpha = transparent_picture(tmp_path / "a.png")
    picture = files.read_picture(tmp_path / "a.png")
    result = tmp_path / f"b.{ending}"
    files.write_picture(result, picture, alpha=files.read_alpha(tmp_path / "a.png"))
    assert np.abs(files.read_picture(result) - picture).mean() * 255 <= tolerance
    if ending == "jpg":
        assert files.read_alpha(result) is None
    else:
        np.testing.assert_allclose(files.read_alpha(result), alpha, atol=0.5 / 255)


def test_what_the_run_painted_on_nothing_is_gone(tmp_path):
    transparent_picture(tmp_path / "a.png")
    alpha = files.read_alpha(tmp_path / "a.png")
    for ending in ("png", "jpg"):
        files.write_picture(tmp_path / f"b.{ending}", np.zeros((6, 8, 3)), alpha=alpha)
        seen = files.read_picture(tmp_path / f"b.{ending}")[..., 0]
        np.testing.assert_allclose(seen, 1 - alpha, atol=4 / 255)


def test_alpha_is_resized_with_the_picture(tmp_path):
    alpha = np.zeros((2, 2), np.float32)
    alpha[:, 1] = 1
    files.write_picture(tmp_path / "a.png", np.ones((20, 20, 3)), alpha=alpha)
    back = files.read_alpha(tmp_path / "a.png")
    assert back.shape == (20, 20) and back[0, 0] == 0 and back[0, -1] == 1


def test_an_alpha_that_hides_nothing_is_none(tmp_path):
    PICTURE.convert("RGBA").save(tmp_path / "a.png")
    assert files.read_alpha(tmp_path / "a.png") is None


# 16 bits


@needs_deep
@pytest.mark.parametrize("ending", ["png", "tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_come_back_exactly(tmp_path, ending, channels):
    values = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(np.float32)
    alpha = np.full((5, 7), 1, np.float32) if channels == 3 else (
        np.linspace(1, 65535, 35, dtype=np.uint16).reshape(5, 7) / np.float32(65535))
    picture = np.maximum(values / 65535, 1 - alpha[..., None])
    path = tmp_path / f"a.{ending}"
    files.write_picture(path, picture, "note", bits=16, alpha=None if channels == 3 else alpha)
    back = files.read_picture(path)
    np.testing.assert_allclose(back, picture, atol=0 if channels == 3 else 1 / 65535)
    if channels == 4:
        assert (files.read_alpha(path) == alpha).all()
    with Image.open(path) as image:
        assert image.info["icc_profile"] == Image.open(
            io.BytesIO(_eight_bit(tmp_path))).info["icc_profile"]
    assert files.read_note(path) == ("note" if ending == "png" else None)


def _eight_bit(folder):
    files.write_picture(folder / "eight.png", np.zeros((2, 2, 3)))
    return (folder / "eight.png").read_bytes()


@needs_deep
@pytest.mark.parametrize("options", [
    {}, {"compression": "lzw"}, {"compression": "zlib", "predictor": True}, {"byteorder": ">"},
    {"planarconfig": "separate"}, {"planarconfig": "separate", "compression": "zlib"},
])
def test_16_bit_tiff_of_every_kind(tmp_path, options):
    import tifffile

    values = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    stored = np.moveaxis(values, 2, 0) if "planarconfig" in options else values
    for orientation, back in ((1, values), (6, np.rot90(values, -1))):
        tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", metadata=None,
                         extratags=[(ORIENTATION, 3, 1, orientation, True)], **options)
        assert (files.read_picture(tmp_path / "a.tif") == back / np.float32(65535)).all()


@needs_deep
def test_profiles_apply_to_16_bits(tmp_path):
    import tifffile

    values = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=swapped_profile())
    picture = files.read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(picture, values[..., ::-1] / 65535, atol=0.005)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=b"nonsense")
    assert (files.read_picture(tmp_path / "a.tif") == values / np.float32(65535)).all()


def test_without_the_extra_16_bits_are_read_as_8(tmp_path, monkeypatch):
    monkeypatch.setattr(deep, "_PACKAGES", ("no_such_package",))
    rows = b"\0" + struct.pack(">6H", 65535, 0, 32768, 1, 2, 3)
    path = written(tmp_path / "a.png", png(2, 1, depth=16, rows=rows))
    np.testing.assert_allclose(files.read_picture(path)[0, 0], (1, 0, 0.5), atol=1 / 255)
    with pytest.raises(InputError, match=r"a\.png: 16 bits .* pip install 'tf_style\[deep\]'"):
        files.write_picture(tmp_path / "a.png", np.zeros((2, 2, 3)), bits=16)
    with pytest.raises(InputError, match=r"pip install 'tf_style\[deep\]'"):
        files.check_output(tmp_path / "b.tiff", bits=16)
    # Three planes, each of one pixel of 16 bits.
    tags = ((256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 8 + 2 + 12 * 8 + 4), (259, 3, 1, 1),
            (262, 3, 1, 2), (273, 4, 3, 8 + 2 + 12 * 8 + 4 + 6), (277, 3, 1, 3), (284, 3, 1, 2))
    after = struct.pack("<3H3I3H", 16, 16, 16, 0, 0, 0, 1, 2, 3)
    assert "planes" in refused(written(tmp_path / "a.tif", ifd(*tags, after=after)))


@pytest.mark.parametrize("name, bits, message", [
    ("a.jpg", 16, "holds 8 bits a channel. For 16 choose .png or .tiff"),
    ("a.webp", 16, "holds 8 bits"), ("a.png", 12, "expected 8 or 16 bits"),
])
def test_bits_that_a_format_lacks(tmp_path, name, bits, message):
    with pytest.raises(InputError, match=message):
        files.write_picture(tmp_path / name, np.zeros((2, 2, 3)), bits=bits)
    assert not any(tmp_path.iterdir())


# Damaged and hostile files


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
    whole = files.read_picture(path)
    size = len(WHOLE[kind])
    for kept in sorted({0, 1, 2, 8, 16, size - 1, *range(3, size, max(1, size // 40))}):
        path = written(tmp_path / "cut", WHOLE[kind][:kept])
        try:
            picture = files.read_picture(path)
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
            picture = files.read_picture(path)
            alpha = files.read_alpha(path)
            files.read_note(path)
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
    "text bomb": (png(1, 1, rows=bytes(4), before=chunk(
        b"zTXt", b"x\0\0" + zlib.compress(bytes(70_000_000), 1))), "too large"),
    "profile bomb": (png(1, 1, rows=bytes(4), before=chunk(
        b"iCCP", b"x\0\0" + zlib.compress(bytes(70_000_000), 1))), "too large"),
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
    for read in (files.read_alpha, files.read_note):
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
    assert files.expand(os.fspath(tmp_path)) == [os.fspath(path)]


def test_heic_is_read_where_the_package_is(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 64), (9, 99, 199))
    heif.from_pillow(image).save(tmp_path / "a.heic", quality=-1)
    np.testing.assert_allclose(files.read_picture(tmp_path / "a.heic")[32, 32] * 255,
                               (9, 99, 199), atol=3)
    content = (tmp_path / "a.heic").read_bytes()
    for kept in (20, 100, len(content) // 2, len(content) - 1):
        refused(written(tmp_path / "cut.heic", content[:kept]))


def test_a_folder_is_its_pictures(tmp_path):
    names = ["a.PNG", "b.jpeg", "c.webp", "d.tif", "e.heic", "f.gif", "g.jp2"]
    for name in [*names, "h.eps", "i.pdf", "j.txt", "k", "l.hdf", "._a.PNG", ".b.jpeg"]:
        written(tmp_path / name, b"x")
    (tmp_path / "m.png").mkdir()
    assert files.expand(os.fspath(tmp_path)) == [os.fspath(tmp_path / name) for name in names]
    assert files.expand(os.fspath(tmp_path / "[ab].*")) == [
        os.fspath(tmp_path / name) for name in names[:2]]
    for pattern in ("*", "*.*", "?.*"):
        assert files.expand(os.fspath(tmp_path / pattern)) == files.expand(os.fspath(tmp_path))
    with pytest.raises(InputError, match="no picture has such a name"):
        files.expand(os.fspath(tmp_path / ".*"))
    with pytest.raises(InputError, match="no picture has such a name"):
        files.expand(os.fspath(tmp_path / "m.png"))


def test_no_picture_file_at_all(tmp_path, monkeypatch):
    assert "there is no such file" in refused(tmp_path / "no.png")
    assert "this is a folder" in refused(tmp_path)
    written(tmp_path / "file", b"x")
    assert "there is no such file" in refused(tmp_path / "file" / "a.png")
    refused(tmp_path / ("a" * 300))
    refused("a\0b.png")
    with pytest.raises(InputError):
        files.check_output("a\0b.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes that have names")
@pytest.mark.parametrize("read", [files.read_picture, files.read_alpha, files.read_note])
def test_pipes_and_devices_are_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.png")
    for source in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(InputError, match="a pipe or a device"):
            read(source)
    with pytest.raises(InputError, match="expected the name of a plain file"):
        files.check_output(tmp_path / "pipe.png")


def test_links_in_a_circle(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    try:
        first.symlink_to(second)
        second.symlink_to(first)
    except OSError:
        pytest.skip("this system does not let us make links")
    refused(first)
    with pytest.raises(InputError):
        files.write_picture(first, np.zeros((2, 2, 3)))
    assert first.is_symlink() and sorted(tmp_path.iterdir()) == [first, second]


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


# Writing


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


class FullFile(io.BytesIO):
    """A file on a file system that has room for a part."""

    write = full


@pytest.mark.parametrize("failure", ["write", "fsync", "replace", "vanished", "interrupted"])
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_a_failed_write_leaves_the_older_file(tmp_path, monkeypatch, failure, ending):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = written(folder / f"a.{ending}", b"older")
    error, message = InputError, "No space left on device"
    if failure == "write":
        real = open

        def opener(name, *arguments, **options):
            file = real(name, *arguments, **options)
            if os.fspath(name).endswith(".partial"):
                file.close()
                return FullFile()
            return file

        monkeypatch.setattr(files, "open", opener, raising=False)
    elif failure == "vanished":
        def vanish(path, **_):
            shutil.rmtree(folder)
            return path

        monkeypatch.setattr(files, "check_output", vanish)
        message = "No such file or directory"
    elif failure == "interrupted":
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        error, message = KeyboardInterrupt, None
    else:
        monkeypatch.setattr(os, failure, full)
    with pytest.raises(error, match=message):
        files.write_picture(path, np.zeros((2, 2, 3)))
    if failure == "vanished":
        assert not folder.exists()
    else:
        assert {each.name: each.read_bytes() for each in folder.iterdir()} == {path.name: b"older"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_devices_are_not_written_to(tmp_path):
    (tmp_path / "a.png").symlink_to("/dev/full")
    with pytest.raises(InputError, match="a plain file"):
        files.write_picture(tmp_path / "a.png", np.zeros((2, 2, 3)))
    assert (tmp_path / "a.png").is_symlink()


@pytest.mark.parametrize("name, reason", [
    ("folder.png", "expected a file name, this is a folder"),
    ("no/a.png", "the folder {}no does not exist"),
    ("locked.png", "the file is write-protected"),
])
def test_names_that_cannot_be_written(tmp_path, monkeypatch, name, reason):
    (tmp_path / "folder.png").mkdir()
    written(tmp_path / "locked.png", b"older")
    # Root may write anything, so the refusal is a stand-in.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError) as error:
        files.check_output(tmp_path / name)
    expected = f"{tmp_path / name}: {reason.format(os.fspath(tmp_path) + os.sep)}"
    assert str(error.value) == expected


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps other permissions")
def test_permissions_stay(tmp_path):
    path = written(tmp_path / "a.png", b"older")
    path.chmod(0o640)
    files.write_picture(path, np.zeros((2, 2, 3)))
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name, height, width", [
    ("a.webp", 16384, 1), ("a.jpg", 1, 65501), ("a.jpeg", 65501, 1)])
def test_sides_that_a_format_lacks(name, height, width):
    with pytest.raises(InputError, match="holds at most"):
        files.check_dimensions(name, height, width)
    files.check_dimensions("a.png", height, width)


def test_the_longest_sides_can_be_written(tmp_path):
    for name, side in (("a.webp", 16383), ("a.jpg", 65500)):
        files.check_dimensions(name, 1, side)
        files.write_picture(tmp_path / name, np.zeros((1, side, 3), np.float32))


def test_nothing_private_is_written(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "N"
    exif[0x010F] = "a maker"
    PICTURE.save(tmp_path / "a.jpg", exif=exif, comment=b"a secret")
    for ending in ("png", "jpg", "webp", "tiff"):
        path = tmp_path / f"b.{ending}"
        files.write_picture(path, files.read_picture(tmp_path / "a.jpg"), "settings")
        with Image.open(path) as image:
            assert not image.getexif().get_ifd(GPS) and "exif" not in image.info
        assert b"a maker" not in path.read_bytes() and b"a secret" not in path.read_bytes()


# Through the command line


@pytest.fixture
def older(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    written(pictures / "older.png", b"older")
    return pictures


COMMAND_LINE = {
    "text": "text", "huge header": "huge header", "no rows": "no rows", "zeros": "zeros",
    "wrong checksum": "wrong checksum", "infinite floats": "infinite floats",
    "profile bomb": "profile bomb", "a program": "a program", "huge GIF": "huge GIF",
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
