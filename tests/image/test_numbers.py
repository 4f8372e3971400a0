"""Which number of a file is white: grays of every type, made here, and the right grays."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.image.conftest import refused, saved
from tf_style.image import deep
from tf_style.image.numbers import Numbers, eight_bit
from tf_style.image.picture import read_alpha, read_picture

GRAY = np.linspace(0, 1, 48).reshape(6, 8)
FIRST = (0, 0)
needs_deep = pytest.mark.skipif(
    not deep.is_available(), reason="needs 16-bit pictures: pip install '.[deep]'"
)


def changed(values, value):
    """The same numbers with one other among them."""
    values = values.copy()
    values[FIRST] = value
    return values


WHITES = {
    # name: (numbers, bits, white)
    "floats to 1": (np.float32(GRAY), 32, 1),
    "one brighter": (changed(np.float32(GRAY), 1.0001), 32, 1),
    "one much brighter": (changed(np.float32(GRAY), 1e30), 32, 1),
    "nearly half brighter": (np.float32(GRAY * 1.9), 32, 1),
    "all negative": (np.float32(-GRAY), 32, 1),
    "floats to 255": (np.float32(GRAY * 255), 32, 255),
    "one brighter than 255": (changed(np.float32(GRAY * 255), 255.1), 32, 255),
    "floats to 65535": (np.float64(GRAY * 65535), 64, 65535),
    "half floats": (np.float16(GRAY), 16, 1),
    "larger floats": (np.float32(1e9 + GRAY), 32, 1e9 + 1),
    "8 bits": (np.uint8(GRAY * 10), 8, 255),
    "8 bits with a sign": (np.int8(GRAY * 10), 8, 127),
    "12 bits": (np.uint16(GRAY * 10), 12, 4095),
    "16 bits": (np.uint16(GRAY * 10), 16, 65535),
    "16 bits with a sign": (np.int16(GRAY * 256), 16, 32767),
    "16 bits with a sign of 8": (np.int16(GRAY * 255), 16, 255),
    "32 bits of 8": (np.uint32(GRAY * 255), 32, 255),
    "32 bits of 16": (np.int32(GRAY * 256), 32, 65535),
    "32 bits": (np.uint32(GRAY * 65536), 32, 2**32 - 1),
    "32 bits with a sign": (np.int32(GRAY * 65536), 32, 2**31 - 1),
}


@pytest.mark.parametrize("case", WHITES)
def test_white(case):
    values, bits, white = WHITES[case]
    numbers = Numbers(values[..., None], bits=bits)
    assert numbers.white == pytest.approx(white)
    expected = np.clip(values.astype(float) / white, 0, 1)
    np.testing.assert_allclose(numbers.scaled()[0][..., 0], expected, atol=1e-6)
    inverted = Numbers(values[..., None], bits=bits, inverted=True).scaled()[0]
    np.testing.assert_allclose(inverted[..., 0], 1 - expected, atol=1e-6)


def test_alpha_has_the_white_of_its_colours_or_its_own():
    alpha = np.linspace(0, 1, 48).reshape(6, 8)
    for values, stored in (
        (np.uint32(GRAY * 100), np.uint32(alpha * 65535)),
        (np.float32(GRAY * 255), np.float32(alpha)),
    ):
        found = Numbers(values[..., None], stored, bits=32).scaled()[1]
        np.testing.assert_allclose(found, alpha, atol=1e-4)
    color, found = Numbers(np.float32(GRAY * alpha)[..., None], np.float32(alpha),
                           premultiplied=True).scaled()
    np.testing.assert_allclose(color[..., 0][alpha > 0], GRAY[alpha > 0], atol=1e-6)


@pytest.mark.parametrize("values, said", [
    (np.uint16(GRAY * 4095), "largest number is 4095, and 65535 is white"),
    (np.float32(GRAY / 50), "largest number is 0.02, and 1 is white"),
    (np.uint16(GRAY * 65535 / 4), ""), (np.zeros((6, 8), np.uint16), ""),
])
def test_a_picture_that_is_nearly_black_is_said_to_be(tmp_path, values, said):
    assert said in "".join(Numbers(values[..., None]).remarks())
    path = saved(tmp_path / "a.tif", Image.fromarray(values))
    if not said:
        read_picture(path)
        return
    with pytest.warns(UserWarning, match=said) as caught:
        read_picture(path)
    assert len(caught) == 1 and str(caught[0].message).startswith(f"{path}: nearly black")
    assert "\n" not in str(caught[0].message)


# Files


@pytest.mark.parametrize("values", [np.float32(GRAY), np.uint16(GRAY * 65535)])
@pytest.mark.parametrize("compression", ["raw", "tiff_deflate"])
def test_min_is_white(tmp_path, values, compression):
    path = saved(tmp_path / "a.tif", Image.fromarray(values), tiffinfo={262: 0},
                 compression=compression)
    np.testing.assert_allclose(read_picture(path)[..., 0], 1 - GRAY, atol=0.5 / 255)


def test_a_dark_pgm_of_16_bits_stays_dark(tmp_path):
    values = np.uint16(GRAY * 20000)
    path = saved(tmp_path / "a.pgm", Image.fromarray(values))
    np.testing.assert_allclose(read_picture(path)[..., 0], values / 65535, atol=1e-5)


def _kinds():
    for kind, channels, order, compression in itertools.product(
            ("u2", "i2", "u4", "i4", "f4", "f8"), (1, 2, 3, 4), "<>", (None, "zlib")):
        for photometric in ("minisblack", "miniswhite") if channels < 3 else ("rgb",):
            yield kind, channels, order, compression, photometric


@needs_deep
@pytest.mark.parametrize("kind", ["u2", "i2", "u4", "i4", "f4", "f8"])
def test_tiff_of_every_kind_of_numbers(tmp_path, kind):
    import tifffile

    alpha = np.linspace(1, 0.1, 48).reshape(6, 8)
    white = 1 if kind[0] == "f" else np.iinfo(kind).max
    path = tmp_path / "a.tif"
    for kind_, channels, order, compression, photometric in _kinds():
        if kind_ != kind:
            continue
        planes = [GRAY] * (channels - 1 + channels % 2) + [alpha] * (channels % 2 == 0)
        tifffile.imwrite(
            path, (np.dstack(planes) * white).astype(kind).squeeze(), photometric=photometric,
            byteorder=order, compression=compression, metadata=None,
            extrasamples=["unassalpha"] if channels % 2 == 0 else None,
            **{"planarconfig": "contig"} if channels > 1 else {})
        opacity = alpha if channels % 2 == 0 else 1
        expected = (1 - GRAY if photometric == "miniswhite" else GRAY) * opacity + 1 - opacity
        case = f"{order}{kind} {channels} {compression} {photometric}"
        np.testing.assert_allclose(read_picture(path)[..., 1], expected, atol=1e-3, err_msg=case)
        found = read_alpha(path)
        assert (found is None) == (channels % 2 == 1), case
        np.testing.assert_allclose(1 if found is None else found, opacity, atol=1e-3)


@needs_deep
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_missing_numbers_are_not_guessed(tmp_path, compression):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.float32(np.dstack([GRAY] * 3)), photometric="rgb",
                     compression=compression, metadata=None)
    whole = (tmp_path / "a.tif").read_bytes()
    for kept in range(0, len(whole), 29):
        (tmp_path / "b.tif").write_bytes(whole[:kept])
        refused(tmp_path / "b.tif")


def test_without_the_extra_the_package_is_named(tmp_path, monkeypatch):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", np.float32(np.dstack([GRAY] * 3)), photometric="rgb")
    monkeypatch.setattr(deep, "_PACKAGES", ("no_such_package",))
    assert "pip install 'tf_style[deep]'" in refused(tmp_path / "a.tif")


@needs_deep
def test_colours_that_are_none_of_ours_are_named(tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 8, 4), np.float32), photometric="separated")
    assert "not a picture" in refused(tmp_path / "a.tif")


@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from([np.uint16, np.int32, np.float32]))
def test_any_numbers_are_a_picture(data, kind, tmp_path):
    """The brighter number is the brighter pixel, none lies outside [0, 1], and none is made up."""
    least, most = (-1e6, 1e6) if kind is np.float32 else (
        np.iinfo(kind).min, np.iinfo(kind).max)
    several = st.floats(least, most, width=32) if kind is np.float32 else (
        st.integers(int(least), int(most)) | st.integers(0, 300))
    values = np.array(data.draw(st.lists(several, min_size=12, max_size=12)), kind).reshape(3, 4)
    path = saved(tmp_path / "a.tif", Image.fromarray(values))
    with np.errstate(all="raise"), pytest.warns() if _is_dark(values) else _nothing():
        found = read_picture(path)[..., 0]
    assert found.min() >= 0 and found.max() <= 1
    white = Numbers(values[..., None], bits=values.dtype.itemsize * 8).white
    np.testing.assert_allclose(found, np.clip(values.astype(float) / white, 0, 1), atol=1e-6)


def _is_dark(values):
    return Numbers(values[..., None], bits=values.dtype.itemsize * 8).remarks()


def _nothing():
    return np.errstate()


def test_eight_bits_are_rounded_and_what_is_beyond_is_clipped():
    values = np.array([[-0.5, 0.0, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1.0, 7.0]])
    assert eight_bit(values).tolist() == [[0, 0, 0, 1, 255, 255, 255]]
    assert eight_bit(values).dtype == np.uint8
