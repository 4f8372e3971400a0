from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.image.conftest import saved
from tf_style.image import decoding
from tf_style.image.files import address, near_file
from tf_style.image.picture import as_picture, read_alpha, read_picture
from tf_style.settings import InputError


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "tif", "webp", "ppm"])
def test_a_picture_of_too_many_pixels_is_refused(tmp_path, ending):
    path = saved(tmp_path / f"a.{ending}", Image.new("RGB", (40, 30), "red"))
    for read in (read_picture, read_alpha, as_picture):
        with pytest.raises(InputError) as error:
            read(path, max_pixels=1199)
        assert str(error.value).startswith(f"{path}: 1200 pixels are too large to open safely")
        assert "max_pixels=1199" in str(error.value) and "\n" not in str(error.value)
    assert (read_picture(path, max_pixels=1200) == read_picture(path)).all()


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "tif", "webp", "ppm"])
def test_the_limit_can_be_raised_beyond_that_of_the_library(tmp_path, monkeypatch, ending):
    path = saved(tmp_path / f"a.{ending}", Image.new("RGB", (40, 30), "red"))
    expected = read_picture(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="1200 pixels are too large to open safely"):
        read_picture(path, max_pixels=200)
    assert (read_picture(path, max_pixels=1200) == expected).all()
    assert Image.MAX_IMAGE_PIXELS == 100


def test_a_huge_jpeg_is_decoded_no_larger_than_needed(tmp_path, monkeypatch):
    ramp = np.linspace(0, 255, 640).astype(np.uint8)[None].repeat(400, 0)
    path = saved(tmp_path / "a.jpg", Image.fromarray(ramp))
    whole = read_picture(path)
    for side in (None, 1, 100, 640):
        assert (read_picture(path, side=side) == whole).all(), "an ordinary file"
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1000)
    for side, size in ((None, (400, 640)), (1, (50, 80)), (80, (50, 80)), (81, (100, 160)),
                       (200, (200, 320)), (330, (400, 640)), (9999, (400, 640))):
        found = read_picture(path, side=side)
        assert found.shape[:2] == size
        np.testing.assert_allclose(found.mean(), whole.mean(), atol=0.01)


def test_a_folder_with_a_colon_is_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert address("file:///a.png") and address("s3://a/b.png") and address("ab:/new.png")
    assert not address("C:/a.png") and not address("sample:waves") and not address("a.png")
    try:
        (tmp_path / "ab:").mkdir()
    except OSError:
        # No file of Windows has such a name.
        return
    assert not address("ab:/new.png")


@pytest.mark.parametrize(("name", "near"), [
    ("samples:waves", "sample:waves"), ("waves", "sample:waves"), ("samples:foo", ""),
    ("libary:a", "library:a"), ("library:a", ""),
])
def test_a_guess_is_something_that_is_there(name, near, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert near_file(Path(name)) == (f". Did you mean '{near}'?" if near else "")
