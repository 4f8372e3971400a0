"""The bundled sample pictures are what the painting programs render."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES, sample_path
from tools.paintings import PAINTINGS
from tools.paintings.__main__ import PICTURES, encode

SAMPLES = {**CONTENT_SAMPLES, **STYLE_SAMPLES}


@functools.cache
def rendered(name):
    return PAINTINGS[name]()


def decoded(file):
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"), int)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAINTINGS)
def test_bundled_file_is_the_rendered_picture(name):
    fresh = decoded(io.BytesIO(encode(rendered(name))))
    bundled = decoded(sample_path(name))
    assert fresh.shape == bundled.shape
    # Other versions of NumPy and of the JPEG library may round differently.
    assert np.abs(fresh - bundled).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", PAINTINGS)
def test_painting_is_a_float32_picture(name):
    image = rendered(name)
    assert image.dtype == np.float32
    assert image.ndim == 3 and image.shape[2] == 3
    assert image.min() >= 0 and image.max() <= 1


def test_bundled_files_are_small_together():
    files = [file for file in PICTURES.iterdir() if file.is_file()]
    assert len(files) >= len(PAINTINGS)
    assert sum(file.stat().st_size for file in files) < 1.5e6


@pytest.mark.parametrize("name", PAINTINGS)
def test_painting_is_listed_as_a_sample(name):
    assert name in SAMPLES
