import io
import os
import time

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_style.image import files
from tf_style.settings import InputError


def _save(path, image, **options):
    image.save(path, **options)
    return path


def test_a_picture_comes_back_as_it_was_written(tmp_path, content):
    files.write_picture(tmp_path / "a.png", content, note="Überschrift")
    back = files.read_picture(tmp_path / "a.png")
    assert back.dtype == np.float32 and back.shape == content.shape
    assert np.abs(back - content).max() <= 0.5 / 255 + 1e-6
    assert files.read_note(tmp_path / "a.png") == "Überschrift"
    assert ImageCms.getProfileName(
        ImageCms.ImageCmsProfile(io.BytesIO(Image.open(tmp_path / "a.png").info["icc_profile"]))
    ).startswith("sRGB")


def test_the_same_picture_gives_the_same_file(tmp_path, content):
    files.write_picture(tmp_path / "a.png", content, note="settings")
    time.sleep(1.1)
    files.write_picture(tmp_path / "b.png", content, note="settings")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("ending, mean_error", [("jpg", 2), ("webp", 3), ("tiff", 0.51)])
def test_each_format_keeps_the_picture(tmp_path, content, ending, mean_error):
    path = tmp_path / f"a.{ending}"
    files.write_picture(path, content, note="lost here")
    assert np.abs(files.read_picture(path) - content).mean() * 255 <= mean_error
    assert files.read_note(path) is None


def test_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (4, 2), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert files.read_picture(_save(tmp_path / "a.jpg", image, exif=exif)).shape == (4, 2, 3)


def test_transparent_is_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert files.read_picture(_save(tmp_path / "a.png", image)).min() == 1


def test_16_bit_gray_is_scaled_not_clipped(tmp_path):
    gray = np.full((4, 4), 32768, np.uint16)
    picture = files.read_picture(_save(tmp_path / "a.png", Image.fromarray(gray)))
    assert picture.shape == (4, 4, 3)
    assert np.allclose(picture, 0.5, atol=1e-3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "F"])
def test_any_mode_gives_rgb(tmp_path, mode):
    path = _save(tmp_path / "a.tiff", Image.new("L", (5, 4), 128).convert(mode))
    picture = files.read_picture(path)
    assert picture.shape == (4, 5, 3) and picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("top", [1, 255])
def test_pictures_of_floats_are_read(tmp_path, top):
    gray = np.linspace(0, top, 16, dtype=np.float32).reshape(4, 4)
    picture = files.read_picture(_save(tmp_path / "a.tiff", Image.fromarray(gray)))
    np.testing.assert_allclose(picture[..., 0], gray / top, atol=1e-6)


def test_pixels_are_brought_to_srgb(tmp_path):
    # sRGB with the primaries red and blue exchanged.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"-XYZ").replace(b"bXYZ", b"rXYZ").replace(b"-XYZ", b"bXYZ")
    image = Image.new("RGB", (4, 4), (200, 100, 50))
    picture = files.read_picture(_save(tmp_path / "a.png", image, icc_profile=profile))
    np.testing.assert_allclose(picture[0, 0] * 255, (50, 100, 200), atol=3)


def test_a_damaged_profile_is_no_reason_to_refuse(tmp_path):
    path = _save(tmp_path / "a.png", Image.new("RGB", (4, 4), "red"), icc_profile=b"nonsense")
    assert files.read_picture(path).shape == (4, 4, 3)


def test_files_that_cannot_be_read_are_named(tmp_path, content):
    files.write_picture(tmp_path / "whole.png", content)
    files.write_picture(tmp_path / "whole.jpg", content)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    bad = [tmp_path / "missing.png", tmp_path / "empty.png", tmp_path / "text.png", tmp_path]
    for kind in ("png", "jpg"):
        whole = (tmp_path / f"whole.{kind}").read_bytes()
        for share in (0.01, 0.3, 0.9):
            bad.append(tmp_path / f"cut{share}.{kind}")
            bad[-1].write_bytes(whole[: int(len(whole) * share)])
    for path in bad:
        with pytest.raises(InputError) as error:
            files.read_picture(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = _save(tmp_path / "a.png", Image.new("RGB", (40, 40)))
    with pytest.raises(InputError, match="too large to open safely"):
        files.read_picture(path)


def test_arrays_are_checked():
    assert files.as_picture(np.full((2, 2, 3), 255, np.uint8)).max() == 1
    for bad, message in (
        (np.zeros((2, 2)), "expected a path or an array"),
        (np.zeros((0, 2, 3)), "expected a path or an array"),
        (np.full((2, 2, 3), 7.0), "expected values in"),
        (np.full((2, 2, 3), np.nan), "expected values in"),
        (np.zeros((2, 2, 3), int), "expected floats"),
    ):
        with pytest.raises(InputError, match=message):
            files.as_picture(bad, "content")


@pytest.mark.parametrize("shape, side, expected", [
    ((768, 1024), 512, (384, 512)), ((1024, 768), 512, (512, 384)), ((100, 100), 7, (7, 7)),
    ((1, 5000), 512, (1, 512)),
])
def test_proportions_are_kept(shape, side, expected):
    assert files.fitted_size(*shape, side) == expected


def test_resizing_keeps_the_mean_and_a_constant():
    picture = np.random.default_rng(0).random((64, 48, 3)).astype(np.float32)
    small = files.resize(picture, 16, 12)
    assert small.shape == (16, 12, 3)
    assert np.allclose(small.mean(), picture.mean(), atol=2e-3)
    assert np.allclose(files.resize(np.full((8, 8, 3), 0.25), 33, 5), 0.25)


def test_smooth_resizing_stays_in_range():
    spikes = np.zeros((8, 8, 3), np.float32)
    spikes[4, 4] = 1
    assert files.resize(spikes, 31, 17, smooth=True).min() >= 0
    assert files.resize(spikes, 31, 17).min() < 0


def test_an_older_file_survives_a_failed_write(tmp_path, content, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"older")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        files.write_picture(path, content)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path, content):
    target = tmp_path / "target.png"
    target.touch()
    link = tmp_path / "link.png"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system does not let us make links")
    files.write_picture(link, content)
    assert link.is_symlink() and target.stat().st_size > 0


@pytest.mark.parametrize("name, message", [
    ("a.bmp2", "expected a name that ends in"), ("a", "expected a name that ends in"),
    ("missing/a.png", "does not exist"), (".", "ends in"),
])
def test_outputs_that_cannot_be_written_are_named(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        files.check_output(tmp_path / name)


def test_samples_are_read_by_name():
    assert files.read_picture("sample:grace_hopper").shape[1:] == (512, 3)
    with pytest.raises(InputError, match="Did you mean 'harbor'"):
        files.read_picture("sample:harbour")
