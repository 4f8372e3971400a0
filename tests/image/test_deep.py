import io
import struct

import numpy as np
import pytest
from PIL import Image

from tests.image.conftest import ORIENTATION, chunk, ifd, png, refused, swapped_profile, written
from tf_style.image import deep
from tf_style.image.picture import check_output, read_alpha, read_note, read_picture, write_picture
from tf_style.settings import InputError

needs_deep = pytest.mark.skipif(
    not deep.is_available(), reason="needs 16-bit pictures: pip install '.[deep]'"
)


@needs_deep
@pytest.mark.parametrize("ending", ["png", "tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_come_back_exactly(tmp_path, ending, channels):
    values = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(np.float32)
    alpha = np.full((5, 7), 1, np.float32) if channels == 3 else (
        np.linspace(1, 65535, 35, dtype=np.uint16).reshape(5, 7) / np.float32(65535))
    picture = np.maximum(values / 65535, 1 - alpha[..., None])
    path = tmp_path / f"a.{ending}"
    write_picture(path, picture, "note", bits=16, alpha=None if channels == 3 else alpha)
    back = read_picture(path)
    np.testing.assert_allclose(back, picture, atol=0 if channels == 3 else 1 / 65535)
    if channels == 4:
        assert (read_alpha(path) == alpha).all()
    with Image.open(path) as image:
        assert image.info["icc_profile"] == Image.open(
            io.BytesIO(_eight_bit(tmp_path))).info["icc_profile"]
    assert read_note(path) == ("note" if ending == "png" else None)


def _eight_bit(folder):
    write_picture(folder / "eight.png", np.zeros((2, 2, 3)))
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
        assert (read_picture(tmp_path / "a.tif") == back / np.float32(65535)).all()


@needs_deep
def test_profiles_apply_to_16_bits(tmp_path):
    import tifffile

    values = np.random.default_rng(1).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=swapped_profile())
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(picture, values[..., ::-1] / 65535, atol=0.005)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=b"nonsense")
    assert (read_picture(tmp_path / "a.tif") == values / np.float32(65535)).all()


@pytest.mark.parametrize("packages", [deep._PACKAGES, ("no_such_package",)])
def test_16_bits_and_one_transparent_color(tmp_path, monkeypatch, packages):
    monkeypatch.setattr(deep, "_PACKAGES", packages)
    rows = b"\0" + struct.pack(">6H", 65535, 0, 300, 1, 2, 3)
    before = chunk(b"tRNS", struct.pack(">3H", 65535, 0, 300))
    path = written(tmp_path / "a.png", png(2, 1, depth=16, rows=rows, before=before))
    assert read_alpha(path).tolist() == [[0, 1]]
    assert read_picture(path)[0, 0].tolist() == [1, 1, 1]


def test_without_the_extra_16_bits_are_read_as_8(tmp_path, monkeypatch):
    monkeypatch.setattr(deep, "_PACKAGES", ("no_such_package",))
    rows = b"\0" + struct.pack(">6H", 65535, 0, 32768, 1, 2, 3)
    path = written(tmp_path / "a.png", png(2, 1, depth=16, rows=rows))
    np.testing.assert_allclose(read_picture(path)[0, 0], (1, 0, 0.5), atol=1 / 255)
    with pytest.raises(InputError, match=r"a\.png: 16 bits .* pip install 'tf_style\[deep\]'"):
        write_picture(tmp_path / "a.png", np.zeros((2, 2, 3)), bits=16)
    with pytest.raises(InputError, match=r"pip install 'tf_style\[deep\]'"):
        check_output(tmp_path / "b.tiff", bits=16)
    # Three planes, each of one pixel of 16 bits.
    tags = ((256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 8 + 2 + 12 * 8 + 4), (259, 3, 1, 1),
            (262, 3, 1, 2), (273, 4, 3, 8 + 2 + 12 * 8 + 4 + 6), (277, 3, 1, 3), (284, 3, 1, 2))
    after = struct.pack("<3H3I3H", 16, 16, 16, 0, 0, 0, 1, 2, 3)
    assert "planes" in refused(written(tmp_path / "a.tif", ifd(*tags, after=after)))


@needs_deep
def test_a_strip_that_is_not_there_is_missed(tmp_path):
    import tifffile

    path = tmp_path / "a.tif"
    for tag in ("StripByteCounts", "StripOffsets"):
        tifffile.imwrite(path, np.ones((6, 8, 3), np.float32), photometric="rgb", metadata=None,
                         rowsperstrip=2, compression="zlib")
        assert read_picture(path).min() == 1
        with tifffile.TiffFile(path, mode="r+") as file:
            found = file.pages.first.tags[tag]
            found.overwrite((*found.value[:-1], 0))
        assert "pixels are missing" in refused(path)


@needs_deep
@pytest.mark.parametrize("kind, white", [(np.uint16, 65535), (np.float32, 1)])
@pytest.mark.parametrize("extra, opacity", [("assocalpha", 0.5), ("unassalpha", 0.5),
                                            ("unspecified", 1)])
def test_a_fourth_channel_is_what_the_file_says(tmp_path, kind, white, extra, opacity):
    import tifffile

    color = np.linspace(0, 0.9, 5 * 7 * 3).reshape(5, 7, 3)
    stored = np.dstack([color * (0.5 if extra == "assocalpha" else 1), np.full((5, 7), 0.5)])
    tifffile.imwrite(tmp_path / "a.tif", (stored * white).astype(kind), photometric="rgb",
                     extrasamples=[extra], metadata=None)
    np.testing.assert_allclose(
        read_picture(tmp_path / "a.tif"), color * opacity + 1 - opacity, atol=1e-4)
    alpha = read_alpha(tmp_path / "a.tif")
    assert alpha is None if opacity == 1 else np.allclose(alpha, opacity, atol=1e-4)


@pytest.mark.parametrize("packages", [deep._PACKAGES, ("no_such_package",)])
def test_12_bits_of_colour_in_16_are_said_to_be_dark(tmp_path, monkeypatch, packages):
    monkeypatch.setattr(deep, "_PACKAGES", packages)
    rows = b"\0" + struct.pack(">6H", 4095, 0, 300, 1, 2, 3)
    path = written(tmp_path / "a.png", png(2, 1, depth=16, rows=rows))
    with pytest.warns(UserWarning, match="nearly black"):
        assert read_picture(path).max() == pytest.approx(4095 / 65535, abs=1 / 255)
