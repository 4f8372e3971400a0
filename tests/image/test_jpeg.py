import io

import numpy as np
import pytest
import scipy.fft
from PIL import Image

from tests.image.conftest import in_8_bits, refused, sample, written
from tf_style.image import defects, jpeg
from tf_style.image.picture import read_picture
from tf_style.settings import InputError


def test_the_transforms_keep_lengths():
    for matrix in (jpeg._DCT, defects.OPPONENT_COLOR):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-6)
    plane = np.random.default_rng(0).random((16, 24)).astype(np.float32)
    coefficients = jpeg.transformed(plane)
    expected = scipy.fft.dctn(plane[8:, 16:], norm="ortho")
    np.testing.assert_allclose(coefficients[-1].reshape(8, 8), expected, atol=1e-5)
    np.testing.assert_allclose(jpeg.restored(coefficients, 16, 24), plane, atol=1e-5)


def test_colours_are_those_of_the_library():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    theirs = np.asarray(Image.fromarray(pixels).convert("YCbCr"), float) - [0, 128, 128]
    np.testing.assert_allclose(pixels @ jpeg.COLOR.T, theirs, atol=1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_coding_is_what_a_file_of_that_quality_does(mode):
    image = Image.fromarray(in_8_bits(sample("waves", 96))).convert(mode)
    for level in (5, 60):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=level)
        found = jpeg.coded(image, level)
        assert found.mode == ("L" if mode == "L" else "YCbCr")
        np.testing.assert_allclose(
            np.asarray(found.convert(mode), float), np.asarray(Image.open(file), float), atol=2
        )


JPEGS = {
    "plain": {}, "gray": {"mode": "L"}, "progressive": {"progressive": True},
    "CMYK": {"mode": "CMYK"}, "progressive gray": {"mode": "L", "progressive": True},
    "coarse": {"quality": 5}, "fine": {"quality": 100, "subsampling": 0},
    "with restarts": {"restart_marker_blocks": 2},
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_file_without_its_end_marker_is_whole_and_no_other(tmp_path, kind):
    options = dict(JPEGS[kind])
    image = Image.fromarray(in_8_bits(sample("waves", 96))).convert(options.pop("mode", "RGB"))
    content = io.BytesIO()
    image.save(content, "JPEG", **options)
    content = content.getvalue()
    whole = read_picture(written(tmp_path / "a.jpg", content))
    for end in (content[:-1], content[:-2], content[:-2] + bytes(50), content + bytes(50),
                content + content[:200] + bytes(50)):
        assert (read_picture(written(tmp_path / "b.jpg", end)) == whole).all()
    scan = content.rindex(b"\xff\xda")
    for cut in (3, 4, 5, 8, 20, 100, 300, len(content) - scan, len(content) - scan - 10):
        for end in (b"", bytes(50), bytes(50_000)):
            path = written(tmp_path / "b.jpg", content[: len(content) - cut] + end)
            try:
                found = read_picture(path)
            except InputError:
                continue
            # What only fills up the last byte, or ends the last scan, is no pixel.
            assert cut <= 5 and (found == whole).all()
    assert "the file ends too early" in refused(
        written(tmp_path / "b.jpg", content[: (scan + len(content)) // 2]))
