import struct
import warnings

import numpy as np
import pytest

from tests.image.conftest import RAMP, chunk, iccp, png, swapped_profile, written
from tf_style.image import colorimetry
from tf_style.image.colorimetry import coded, measured
from tf_style.image.picture import read_picture

PIXELS = RAMP / 255
ROWS = b"".join(b"\0" + row.tobytes() for row in RAMP)
# From linear light of Display P3, and of BT.2020, to that of sRGB. Source: CSS Color Module
# Level 4, 17, sample code.
P3 = np.array([[1.2249402, -0.2249402, 0], [-0.0420570, 1.0420570, 0],
               [-0.0196376, -0.0786360, 1.0982736]])
BT2020 = np.array([[1.6604910, -0.5876411, -0.0728499], [-0.1245505, 1.1328999, -0.0083494],
                   [-0.0181508, -0.1005789, 1.1187297]])
SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
P3_POINTS = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def light(value):
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encoded(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def gama(value):
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chrm(points):
    return chunk(b"cHRM", struct.pack(">8I", *points))


def cicp(*codes):
    return chunk(b"cICP", bytes(codes))


SRGB = chunk(b"sRGB", b"\0")
SWAPPED = iccp(swapped_profile())
P3_PIXELS = encoded(light(PIXELS) @ P3.T)
MEANT = {
    # name: (chunks, pixels)
    "nothing": (b"", PIXELS),
    "gamma 1": (gama(1), encoded(PIXELS)),
    "gamma 1/1.8": (gama(1 / 1.8), encoded(PIXELS**1.8)),
    "gamma of sRGB": (gama(0.45455), PIXELS),
    "gamma 0": (gama(0), PIXELS),
    "gamma of nonsense": (gama(40_000), PIXELS),
    "gamma too short": (chunk(b"gAMA", b"\0"), PIXELS),
    "chromaticities of sRGB": (gama(0.45455) + chrm(SRGB_POINTS), PIXELS),
    "chromaticities": (chrm(P3_POINTS), P3_PIXELS),
    "both": (gama(1) + chrm(P3_POINTS), encoded(PIXELS @ P3.T)),
    "impossible chromaticities": (chrm((0,) * 8), PIXELS),
    "one line of chromaticities": (chrm((31270, 32900, *(50000, 50000) * 3)), PIXELS),
    "sRGB over gamma": (gama(1) + SRGB, PIXELS),
    "profile over gamma": (gama(1) + SWAPPED, PIXELS[..., ::-1]),
    "profile over sRGB": (SRGB + SWAPPED, PIXELS[..., ::-1]),
    "code points of sRGB": (cicp(1, 13, 0, 1), PIXELS),
    "code points over all": (cicp(1, 13, 0, 1) + gama(1) + SWAPPED, PIXELS),
    "code points of video": (cicp(1, 1, 0, 1), PIXELS),
    "Display P3": (cicp(12, 13, 0, 1), P3_PIXELS),
    "BT.2020": (cicp(9, 14, 0, 1), encoded(light(PIXELS) @ BT2020.T)),
    "linear": (cicp(1, 8, 0, 1), encoded(PIXELS)),
    "range of video": (cicp(1, 13, 0, 0), np.clip((PIXELS * 255 - 16) / 219, 0, 1)),
    "unknown code points": (cicp(99, 13, 0, 1) + gama(1), encoded(PIXELS)),
    "code points of another matrix": (cicp(1, 13, 9, 1), PIXELS),
}


@pytest.mark.parametrize("case", MEANT)
def test_what_chunks_say_is_obeyed_in_order(tmp_path, case):
    before, expected = MEANT[case]
    path = written(tmp_path / "a.png", png(8, 6, rows=ROWS, before=before))
    # A profile is applied in 8 bits.
    np.testing.assert_allclose(read_picture(path), expected, atol=4 / 255 if SWAPPED in before
                               and "code" not in case else 1e-3)


@pytest.mark.parametrize(
    "depth, color", [(1, 0), (4, 0), (8, 0), (16, 0), (8, 3), (16, 4), (16, 6)])
def test_gamma_is_that_of_every_kind_of_pixels(tmp_path, depth, color):
    samples = {0: 1, 3: 1, 4: 2, 6: 4}[color]
    rows = b"\0" + b"\x80" * max(1, samples * depth // 8)
    palette = chunk(b"PLTE", b"\x80" * 3 * 256) if color == 3 else b""
    path = written(tmp_path / "a.png", png(
        1, 1, depth=depth, color=color, rows=rows, before=gama(1) + palette))
    value = {1: 1, 4: 8 / 15}.get(depth, 0x80 / 255)
    opacity = 0x8080 / 65535 if color in (4, 6) else 1
    expected = encoded(value) * opacity + 1 - opacity
    np.testing.assert_allclose(read_picture(path), np.full((1, 1, 3), expected), atol=2e-3)


@pytest.mark.parametrize("curve, value, seen", [
    # White, half its light, and what is brighter. Sources: ITU-R BT.2408, table 1 (58 % and 75 %).
    (16, 0.5807, 1), (16, 0.5087, 0.735), (16, 0.9, 1), (18, 0.75, 1), (18, 0.9, 1), (18, 0, 0),
])
def test_hdr_is_shown_up_to_its_white_and_said(tmp_path, curve, value, seen):
    rows = b"\0" + struct.pack(">H", round(value * 65535)) * 3
    path = written(tmp_path / "a.png", png(1, 1, depth=16, rows=rows,
                                           before=cicp(9, curve, 0, 1)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_allclose(read_picture(path), np.full((1, 1, 3), seen), atol=0.01)
    assert any("HDR" in str(each.message) for each in caught)


def test_grays_stay_gray_whatever_the_white():
    gray = np.full((1, 1, 3), 0.4, np.float32)
    for space in (coded(4, 13, 0, 1, 8), coded(11, 13, 0, 1, 8), coded(10, 13, 0, 1, 8),
                  measured(None, (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001, 0.3457, 0.3585))):
        np.testing.assert_allclose(space.to_srgb(gray), gray, atol=1e-4)


def test_a_space_of_srgb_changes_no_bit():
    pixels = np.float32(PIXELS)
    assert colorimetry.ColorSpace().to_srgb(pixels) is pixels
    assert measured(None, None) is None
