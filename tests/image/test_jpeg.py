import io

import numpy as np
import pytest
import scipy.fft
from PIL import Image

from tests.image.conftest import in_8_bits, sample
from tf_style.image import defects, jpeg


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
