import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.image.conftest import PICTURE, RAMP, saved, swapped_profile
from tf_style.image.picture import read_picture
from tf_style.image.profiles import gray_to_srgb


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


def test_pixels_are_brought_to_srgb(tmp_path):
    image = Image.new("RGB", (4, 4), (200, 100, 50))
    picture = read_picture(saved(tmp_path / "a.png", image, icc_profile=swapped_profile()))
    np.testing.assert_allclose(picture[0, 0] * 255, (50, 100, 200), atol=3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_apply_whatever_holds_the_colors(tmp_path, mode):
    image = PICTURE.quantize(256) if mode == "P" else PICTURE.convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (*image.getpixel((0, 0))[:3], 254))
    image.save(tmp_path / "a.png", icc_profile=swapped_profile())
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(picture * 255, RAMP[..., ::-1], atol=4)


# Pillow has no mode for 16 bits with alpha.
@pytest.mark.parametrize("dtype, alpha", [(np.uint8, False), (np.uint8, True), (np.uint16, False)])
def test_gray_profiles_apply(tmp_path, dtype, alpha):
    # Of the darkest, which this curve spreads far, lcms makes only a few values of 8 bits.
    gray = np.linspace(0.05, 1, 48).reshape(6, 8)
    image = Image.fromarray((gray * np.iinfo(dtype).max).astype(dtype))
    if alpha:
        image = image.convert("LA")
        image.putpixel((7, 5), (255, 0))  # white already
    image.save(tmp_path / "a.png", icc_profile=linear_gray_profile())
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(picture[..., 0], srgb_encoded(gray), atol=0.02)


def test_gray_of_any_depth_follows_its_profile():
    gray = np.linspace(0.05, 1, 999, dtype=np.float32)
    found = gray_to_srgb(gray, linear_gray_profile())
    np.testing.assert_allclose(found, srgb_encoded(gray), atol=0.01)
    assert len(np.unique(found)) > 256
    assert gray_to_srgb(gray, None) is gray


def test_a_damaged_profile_is_no_reason_to_refuse(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (4, 4), "red"), icc_profile=b"nonsense")
    assert read_picture(path).shape == (4, 4, 3)


@pytest.mark.parametrize("profile", [
    b"x", bytes(128), swapped_profile()[:200], linear_gray_profile(),
    ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
])
def test_profiles_that_do_not_fit_are_left_alone(tmp_path, profile):
    PICTURE.save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_allclose(read_picture(tmp_path / "a.png") * 255, RAMP, atol=1e-4)
