import io

import numpy as np
import pytest
from PIL import Image

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES
from tf_style.library.duplicates import MOST_BITS, bits_apart, picture_hash

NAMES = [*CONTENT_SAMPLES, *STYLE_SAMPLES]


def recompressed(picture):
    buffer = io.BytesIO()
    Image.fromarray(np.rint(255 * picture).astype(np.uint8)).save(buffer, "JPEG", quality=30)
    return np.asarray(Image.open(buffer), np.float32) / 255


COPIES = {
    "rescaled": lambda picture: fit(picture, 200),
    "recompressed": recompressed,
    "warmer": lambda picture: np.clip(picture * np.float32([1.1, 1, 0.9]), 0, 1),
    "darker": lambda picture: picture**1.3,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("copy", COPIES)
def test_copies_have_nearly_the_same_hash(name, copy):
    picture = read_picture(f"sample:{name}")
    hashes = np.array([picture_hash(COPIES[copy](picture))])
    assert bits_apart(hashes, picture_hash(picture))[0] <= MOST_BITS


def test_others_have_not():
    hashes = np.array([picture_hash(read_picture(f"sample:{name}")) for name in NAMES])
    for number, one in enumerate(hashes.tolist()):
        others = np.delete(bits_apart(hashes, one), number)
        assert others.min() > 2 * MOST_BITS


def test_bits():
    hashes = np.array([0, 1, -1, 2**62], np.int64)
    assert bits_apart(hashes, 0).tolist() == [0, 1, 64, 1]
    assert bits_apart(hashes, -1).tolist() == [64, 63, 0, 63]
