import io
import struct

import numpy as np
import pytest

from tests.image.conftest import PICTURE, RAMP, written
from tf_style.image.picture import read_alpha, read_picture

BOX = (3, 2, 11, 8)
SIZE = (16, 12)


def gif():
    """A GIF whose only frame is smaller than its canvas."""
    content = io.BytesIO()
    PICTURE.quantize(256).save(content, "GIF")
    content = bytearray(content.getvalue())
    content[6:10] = struct.pack("<2H", *SIZE)
    start = content.index(b",\0\0\0\0" + struct.pack("<2H", 8, 6))
    content[start + 1 : start + 5] = struct.pack("<2H", *BOX[:2])
    return bytes(content)


def webp(box=BOX, size=SIZE):
    """An animation whose first frame is smaller than its canvas. Source: RFC 9649, 2.7."""
    def chunk(kind, content):
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    def three(*numbers):
        return b"".join(each.to_bytes(3, "little") for each in numbers)

    content = io.BytesIO()
    PICTURE.save(content, "WEBP", lossless=True)
    frame = three(box[0] // 2, box[1] // 2, 7, 5, 100) + b"\0" + content.getvalue()[12:]
    body = (b"WEBP" + chunk(b"VP8X", b"\2\0\0\0" + three(size[0] - 1, size[1] - 1))
            + chunk(b"ANIM", b"\xff\xff\xff\xff\0\0") + chunk(b"ANMF", frame))
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_around_a_small_first_frame_is_nothing(tmp_path, kind):
    box = BOX if kind == "gif" else (2, 2, 10, 8)
    path = written(tmp_path / f"a.{kind}", gif() if kind == "gif" else webp(box))
    expected = np.zeros(SIZE[::-1])
    expected[box[1] : box[3], box[0] : box[2]] = 1
    np.testing.assert_array_equal(read_alpha(path), expected)
    picture = read_picture(path)
    np.testing.assert_allclose(picture[expected == 1].reshape(RAMP.shape) * 255, RAMP, atol=1e-4)
    assert (picture[expected == 0] == 1).all()


def test_a_frame_of_the_whole_canvas_hides_nothing(tmp_path):
    path = written(tmp_path / "a.webp", webp((0, 0, 8, 6), (8, 6)))
    assert read_alpha(path) is None
    np.testing.assert_allclose(read_picture(path) * 255, RAMP, atol=1e-4)


def test_a_damaged_second_frame_costs_nothing(tmp_path):
    content = io.BytesIO()
    PICTURE.quantize(256).save(content, "GIF")
    damaged = content.getvalue()[:-1] + b",\xff\xff\xff"
    np.testing.assert_allclose(
        read_picture(written(tmp_path / "a.gif", damaged)) * 255, RAMP, atol=1e-4)
