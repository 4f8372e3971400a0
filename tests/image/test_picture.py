import io
import time

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from tests.image.conftest import PICTURE, RAMP, saved
from tf_style.image.picture import (
    as_layers,
    as_picture,
    check_dimensions,
    check_output,
    read_alpha,
    read_layers,
    read_note,
    read_picture,
    read_size,
    write_picture,
)
from tf_style.settings import InputError, Remark

GPS = 0x8825


def test_a_picture_comes_back_as_it_was_written(tmp_path, content):
    write_picture(tmp_path / "a.png", content, note="Überschrift")
    back = read_picture(tmp_path / "a.png")
    assert back.dtype == np.float32 and back.shape == content.shape
    assert np.abs(back - content).max() <= 0.5 / 255 + 1e-6
    assert read_note(tmp_path / "a.png") == "Überschrift"
    with Image.open(tmp_path / "a.png") as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert ImageCms.getProfileName(profile).startswith("sRGB")


def test_the_same_picture_gives_the_same_file(tmp_path, content):
    write_picture(tmp_path / "a.png", content, note="settings")
    # A profile may hold the time of its making, in seconds.
    time.sleep(1.01 - time.time() % 1)
    write_picture(tmp_path / "b.png", content, note="settings")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("ending, mean_error", [("jpg", 2), ("webp", 3), ("tiff", 0.51)])
def test_each_format_keeps_the_picture(tmp_path, content, ending, mean_error):
    path = tmp_path / f"a.{ending}"
    write_picture(path, content, note="lost here")
    assert np.abs(read_picture(path) - content).mean() * 255 <= mean_error
    assert read_note(path) is None


def test_a_picture_of_our_own_comes_back_unchanged(tmp_path):
    write_picture(tmp_path / "a.png", RAMP / np.float32(255))
    assert (read_picture(tmp_path / "a.png") == RAMP / np.float32(255)).all()


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tiff"])
def test_of_several_pictures_the_first_is_taken_and_said(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {}
    PICTURE.quantize(256).save(
        path, save_all=True, append_images=[PICTURE.rotate(180).quantize(256)], **lossless)
    with pytest.warns(UserWarning, match="holds several pictures; the first is taken") as caught:
        picture = read_picture(path)
    assert len(caught) == 1 and str(caught[0].message).startswith(f"{path}: ")
    np.testing.assert_allclose(picture * 255, RAMP, atol=1e-4)
    assert read_alpha(path) is None  # says it no second time


def test_nothing_private_is_written(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "N"
    exif[0x010F] = "a maker"
    PICTURE.save(tmp_path / "a.jpg", exif=exif, comment=b"a secret")
    for ending in ("png", "jpg", "webp", "tiff"):
        path = tmp_path / f"b.{ending}"
        write_picture(path, read_picture(tmp_path / "a.jpg"), "settings")
        with Image.open(path) as image:
            assert not image.getexif().get_ifd(GPS) and "exif" not in image.info
        assert b"a maker" not in path.read_bytes() and b"a secret" not in path.read_bytes()


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tiff", ".webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_size_is_that_of_the_picture_that_is_read(tmp_path, ending, orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.new("RGB", (20, 12)).save(tmp_path / f"a{ending}", exif=tags)
    size = read_size(tmp_path / f"a{ending}")
    assert size == read_picture(tmp_path / f"a{ending}").shape[:2]
    assert size == ((20, 12) if orientation > 4 else (12, 20))


def test_arrays_are_checked():
    assert as_picture(np.full((2, 2, 3), 255, np.uint8)).max() == 1
    for bad, message in (
        (np.zeros(2), "expected a path, a Pillow image, or an array"),
        (np.zeros((2, 2, 2)), "expected a path, a Pillow image, or an array"),
        (np.zeros((0, 2, 3)), "expected a path, a Pillow image, or an array"),
        (None, "expected a path, a Pillow image, or an array"),
        (np.full((2, 2, 3), 7.0), "expected values in"),
        (np.full((2, 2, 3), np.nan), "expected values in"),
        (np.zeros((2, 2, 3), int), "expected floats"),
    ):
        with pytest.raises(InputError, match=message):
            as_picture(bad, "content")


# Transparency


def test_transparent_is_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert read_picture(saved(tmp_path / "a.png", image)).min() == 1


def transparent_picture(path):
    alpha = np.linspace(0, 255, 48).reshape(6, 8).astype(np.uint8)
    Image.fromarray(np.dstack([RAMP, alpha])).save(path)
    return alpha / 255


@pytest.mark.parametrize("ending, tolerance", [("png", 1), ("tiff", 1), ("webp", 25), ("jpg", 12)])
def test_over_white_a_result_looks_as_in_the_run(tmp_path, ending, tolerance):
    alpha = transparent_picture(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    result = tmp_path / f"b.{ending}"
    write_picture(result, picture, alpha=read_alpha(tmp_path / "a.png"))
    assert np.abs(read_picture(result) - picture).mean() * 255 <= tolerance
    if ending == "jpg":
        assert read_alpha(result) is None
    else:
        np.testing.assert_allclose(read_alpha(result), alpha, atol=0.5 / 255)


def test_what_the_run_painted_on_nothing_is_gone(tmp_path):
    transparent_picture(tmp_path / "a.png")
    alpha = read_alpha(tmp_path / "a.png")
    for ending in ("png", "jpg"):
        write_picture(tmp_path / f"b.{ending}", np.zeros((6, 8, 3)), alpha=alpha)
        seen = read_picture(tmp_path / f"b.{ending}")[..., 0]
        np.testing.assert_allclose(seen, 1 - alpha, atol=4 / 255)


def test_alpha_is_resized_with_the_picture(tmp_path):
    alpha = np.zeros((2, 2), np.float32)
    alpha[:, 1] = 1
    write_picture(tmp_path / "a.png", np.ones((20, 20, 3)), alpha=alpha)
    back = read_alpha(tmp_path / "a.png")
    assert back.shape == (20, 20) and back[0, 0] == 0 and back[0, -1] == 1


# What can be written


@pytest.mark.parametrize("name, message", [
    ("a.bmp2", "expected a name that ends in"), ("a", "expected a name that ends in"),
    ("file/a.png", "cannot be made"), (".", "ends in"),
])
def test_outputs_that_cannot_be_written_are_named(tmp_path, name, message):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=message):
        check_output(tmp_path / name)


def test_missing_folders_are_made_with_the_file(tmp_path):
    assert check_output(tmp_path / "new" / "one" / "a.png") and not any(tmp_path.iterdir())
    write_picture(tmp_path / "new" / "one" / "a.png", np.ones((2, 2, 3)))
    assert read_picture(tmp_path / "new" / "one" / "a.png").shape == (2, 2, 3)


@pytest.mark.parametrize("name, bits, message", [
    ("a.jpg", 16, "holds 8 bits a channel. For 16 choose .png or .tiff"),
    ("a.webp", 16, "holds 8 bits"), ("a.png", 12, "expected 8 or 16 bits"),
])
def test_bits_that_a_format_lacks(tmp_path, name, bits, message):
    with pytest.raises(InputError, match=message):
        write_picture(tmp_path / name, np.zeros((2, 2, 3)), bits=bits)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name, height, width", [
    ("a.webp", 16384, 1), ("a.jpg", 1, 65501), ("a.jpeg", 65501, 1)])
def test_sides_that_a_format_lacks(name, height, width):
    with pytest.raises(InputError, match="holds at most"):
        check_dimensions(name, height, width)
    check_dimensions("a.png", height, width)


def test_the_longest_sides_can_be_written(tmp_path):
    for name, side in (("a.webp", 16383), ("a.jpg", 65500)):
        check_dimensions(name, 1, side)
        write_picture(tmp_path / name, np.zeros((1, side, 3), np.float32))


GENERATOR = np.random.default_rng(0)
BYTES = GENERATOR.integers(0, 256, (5, 7, 4), np.uint8)


@pytest.mark.parametrize("array, mode", [
    (BYTES[..., 0], "L"), (BYTES[..., :1], "L"), (BYTES[..., :3], "RGB"), (BYTES, "RGBA"),
])
def test_arrays_are_gray_or_colours_with_and_without_alpha(array, mode):
    before = array.copy()
    exact = array.reshape(5, 7, -1).astype(np.float64) / 255
    expected = exact[..., :3] if mode != "L" else exact.repeat(3, axis=2)
    pixels, alpha = as_layers(array)
    np.testing.assert_allclose(pixels, expected, atol=1e-6)
    if mode == "RGBA":
        np.testing.assert_allclose(alpha, exact[..., 3], atol=1e-6)
        expected = expected * exact[..., 3:] + 1 - exact[..., 3:]
    else:
        assert alpha is None
    floats = np.asarray(array / np.float32(255))
    for given in (array, floats, array / 255, Image.fromarray(np.squeeze(array), mode)):
        kept = np.array(given)
        found = as_picture(given)
        assert found.shape == (5, 7, 3) and found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(np.array(given), kept)
    np.testing.assert_array_equal(array, before)


def test_a_picture_of_pillows_is_that_of_its_file(tmp_path):
    smooth = Image.fromarray(BYTES[..., :3])
    exif = smooth.getexif()
    exif[ExifTags.Base.Orientation] = 6
    smooth.save(tmp_path / "turned.jpg", exif=exif)
    smooth.quantize(8).save(tmp_path / "palette.gif")
    Image.fromarray(BYTES).save(tmp_path / "clear.png")
    Image.fromarray(GENERATOR.integers(0, 65536, (5, 7), np.uint16)).save(tmp_path / "deep.png")
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            for expected, found in zip(read_layers(path), as_layers(image), strict=True):
                assert (expected is None) == (found is None)
                if expected is not None:
                    np.testing.assert_array_equal(found, expected, err_msg=path.name)


def test_a_damaged_picture_of_pillows_is_named(tmp_path):
    Image.fromarray(GENERATOR.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    image = Image.open(io.BytesIO(content[: len(content) // 2]))
    with pytest.raises(InputError, match=r"^style: the picture cannot be read"):
        as_picture(image, "style")


def test_whatever_is_a_picture_can_be_written(tmp_path):
    for image in (BYTES[..., :3], BYTES[..., :3] / 255, Image.fromarray(BYTES[..., :3])):
        write_picture(tmp_path / "a.png", image)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), BYTES[..., :3])
    write_picture(tmp_path / "a.png", BYTES[..., 0])
    assert read_picture(tmp_path / "a.png").shape == (5, 7, 3)


def test_a_pillow_image_is_warned_of_as_its_file_is(tmp_path):
    dark = Image.fromarray(np.full((4, 5), 300, np.int32), "I")
    dark.save(tmp_path / "dark.tiff")
    with pytest.warns(UserWarning) as of_file:
        as_layers(tmp_path / "dark.tiff")
    with pytest.warns(UserWarning) as of_image:
        as_layers(dark, "the picture")
    told = [[str(each.message).partition(": ")[2] for each in found if each.category is Remark]
            for found in (of_file, of_image)]
    assert told[0] == told[1] != []
