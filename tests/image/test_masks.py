"""Masks as painters save them."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.image.conftest import sample, saved
from tf_style.image.masks import as_mask, region_at, resized, soft_union
from tf_style.settings import InputError, with_flags

# A region of two thirds by a half, and the same in 0 and 255.
SHAPE = np.zeros((24, 36), np.float32)
SHAPE[:16, 18:] = 1
WHITE = (SHAPE * 255).astype(np.uint8)
SOFT = np.linspace(0, 1, 36, dtype=np.float32)[None].repeat(24, axis=0)
SOFT_8 = np.round(SOFT * 255).astype(np.uint8)


def painted(color, ground="black", shape=WHITE):
    return Image.composite(Image.new("RGB", shape.shape[::-1], color),
                           Image.new("RGB", shape.shape[::-1], ground), Image.fromarray(shape))


def on_transparent(color, shape=WHITE, under="black"):
    image = painted(color, under, shape)
    image.putalpha(Image.fromarray(shape))
    return image


def labels(low, high, dtype=np.uint8):
    return Image.fromarray(np.where(SHAPE > 0, high, low).astype(dtype))


def palette(*colors):
    image = Image.fromarray((WHITE > 0).astype(np.uint8), "P")
    image.putpalette(bytes(sum(colors, ())))
    return image


def soft_layer(color):
    image = Image.new("RGBA", (36, 24), color)
    image.putalpha(Image.fromarray(SOFT_8))
    return image


def read(source):
    """A mask; that its numbers are small for their type is told of each picture."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*nearly black: its largest number")
        return as_mask(source)


# How a region is painted → the picture.
SAME = {
    "white on black": Image.fromarray(WHITE),
    "in RGB": painted("white"),
    "1 bit": Image.fromarray(WHITE).convert("1"),
    "white on transparent": on_transparent("white"),
    "white on transparent white": on_transparent("white", under="white"),
    "red on transparent": on_transparent("red"),
    "gray on transparent": on_transparent("gray"),
    "gray and alpha": Image.merge("LA", [Image.new("L", (36, 24), 255), Image.fromarray(WHITE)]),
    "opaque white on opaque black": painted("white").convert("RGBA"),
    "red": painted("red"), "blue": painted("blue"), "lime": painted("lime"),
    "dark red": painted("#800000"), "brown": painted("#60301a"),
    "palette": palette((0, 0, 0), (255, 255, 255)),
    "palette of labels": palette((0,) * 3, (1,) * 3),
    "VOC's palette": palette((0, 0, 0), (128, 0, 0)),
    "0 and 1": labels(0, 1), "0 and 2": labels(0, 2), "0 and 15": labels(0, 15),
    "0 and 1 of 16 bits": labels(0, 1, np.uint16),
    "0 and 255 of 16 bits": labels(0, 255, np.uint16),
    "0 and 4095 of 16 bits": labels(0, 4095, np.uint16),
    "0 and 65535": labels(0, 65535, np.uint16),
}


@pytest.mark.parametrize("kind", SAME)
def test_a_region_is_read_as_it_was_painted(kind, tmp_path):
    mask = read(saved(tmp_path / "a.png", SAME[kind]))
    assert mask.dtype == np.float32
    np.testing.assert_allclose(mask, SHAPE, atol=1 / 255)


def test_black_paint_on_a_transparent_layer_counts_and_is_told_of(tmp_path):
    path = saved(tmp_path / "a.png", on_transparent("black", under="white"))
    with pytest.warns(UserWarning, match="black on a transparent layer; what is painted counts"):
        np.testing.assert_array_equal(as_mask(path), SHAPE)


# How a soft mask is saved → its picture, and what it holds.
SOFT_KINDS = {
    "gray": (Image.fromarray(SOFT_8), SOFT),
    "half as strong": (Image.fromarray(SOFT_8 // 2), SOFT / 2),
    "two grays": (labels(0, 128), SHAPE * 128 / 255),
    "two light grays": (labels(100, 200), (100 + 100 * SHAPE) / 255),
    "16 bits": (Image.fromarray((SOFT * 65535).astype(np.uint16)), SOFT),
    "8 bits in 16": (Image.fromarray(SOFT_8.astype(np.uint16)), SOFT),
    "white, softly on transparent": (soft_layer("white"), SOFT),
    "red, softly on transparent": (soft_layer("red"), SOFT),
    "white, softly on transparent black": (on_transparent("white", SOFT_8), SOFT),
    "half a layer": (Image.fromarray(np.dstack([WHITE] * 3 + [WHITE * 0 + 128])),
                     SHAPE * 128 / 255),
    "gray on a layer": (Image.merge("LA", [Image.fromarray(SOFT_8), Image.fromarray(WHITE)]),
                        SOFT * SHAPE),
}


@pytest.mark.parametrize("kind", SOFT_KINDS)
def test_a_soft_mask_stays_as_it_is(kind, tmp_path):
    picture, expected = SOFT_KINDS[kind]
    found = read(saved(tmp_path / "a.png", picture))
    np.testing.assert_allclose(found, expected, atol=1.01 / 255)


def test_a_colour_counts_as_white_however_softly_it_is_painted(tmp_path):
    found = as_mask(saved(tmp_path / "a.png", painted("#a00000", shape=SOFT_8)))
    np.testing.assert_allclose(found, SOFT, atol=0.03)
    assert found.max() == 1


@pytest.mark.parametrize("color", ["white", "red", "lime", "blue", "#802010"])
@pytest.mark.parametrize("quality", [30, 90])
def test_a_mask_may_be_a_jpeg(color, quality, tmp_path):
    large = np.kron(WHITE, np.ones((8, 8), np.uint8))
    path = saved(tmp_path / "a.jpg", painted(color, shape=large), quality=quality)
    found = as_mask(path)
    assert np.abs(found - large / 255).mean() < 0.02
    assert (found[:120, 160:] > 0.9).all() and (found[:, :130] < 0.05).all()


@pytest.mark.parametrize("ground", ["black", "white"])
def test_a_mask_of_one_value_is_everything_or_nothing(ground, tmp_path):
    found = as_mask(saved(tmp_path / "a.png", Image.new("RGB", (8, 6), ground)))
    assert found.shape == (6, 8) and (found == (ground == "white")).all()


FLAT = [Image.composite(painted("red", "blue"), Image.new("RGB", (36, 24)),
                        Image.fromarray(np.roll(WHITE, 5, axis=1)))]
REFUSED = {
    "labels": (Image.fromarray(np.arange(24, dtype=np.uint8).repeat(36).reshape(24, 36) // 8),
               "It holds the values 0, 1, 2 of 255; which is meant?"),
    "labels from 1": (labels(1, 2), "It holds the values 1, 2 of 255"),
    "red and blue on black": (FLAT[0], "It has several colours; which is meant?"),
    "red on white": (painted("red", "white"), "It has several colours"),
    "red on blue": (painted("red", "blue"), "It has several colours"),
    "transparent": (Image.new("RGBA", (8, 6)), "It is transparent everywhere"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_may_mean_anything_is_refused(kind, tmp_path):
    picture, message = REFUSED[kind]
    path = saved(tmp_path / "a.png", picture)
    with pytest.raises(InputError) as error:
        as_mask(path)
    assert str(error.value).startswith(f"{path}: expected a mask, white or one colour on black")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_many_colours_count_as_light_as_they_look_and_are_told_of():
    picture = sample("stained_glass", 96)
    with pytest.warns(UserWarning, match="^style_masks: expected a mask, .* many colours") as told:
        found = as_mask(picture, "--style_mask")
    assert with_flags(told[0].message).startswith("--style_mask: expected a mask")
    np.testing.assert_allclose(found, picture @ [0.2126, 0.7152, 0.0722], atol=1e-6)


def test_a_cut_out_picture_is_its_own_mask():
    layers = np.dstack([sample("stained_glass", 96)[:24, :36], SHAPE])
    with pytest.warns(UserWarning, match="several colours on a transparent layer"):
        np.testing.assert_array_equal(as_mask(layers), SHAPE)


def test_faint_values_that_are_no_labels_are_told_of():
    faint = (SOFT * 4000).astype(np.uint16)
    with pytest.warns(UserWarning, match="Its brightest value is 16 of 255"):
        np.testing.assert_allclose(as_mask(faint), faint / 65535, atol=1e-6)


@pytest.mark.parametrize("array", [
    SHAPE, SHAPE > 0, SHAPE.astype(np.uint8), WHITE, SHAPE.astype(int), WHITE.astype(int),
    SHAPE.astype(np.float64), SHAPE[..., None], WHITE[..., None].repeat(3, axis=2),
    np.dstack([WHITE * 0 + 255] * 3 + [WHITE]), np.dstack([WHITE * 0 + 255, WHITE]),
    SHAPE.astype(np.uint16), WHITE.astype(np.uint16) * 257, SHAPE.tolist(),
], ids=lambda array: f"{np.shape(array)} {np.asarray(array).dtype} {np.max(array)}")
def test_arrays_are_read_likewise(array):
    np.testing.assert_allclose(as_mask(array), SHAPE, atol=1e-6)


def test_floats_are_what_was_meant():
    np.testing.assert_allclose(as_mask(SHAPE * 0.01), SHAPE * 0.01, atol=1e-7)


@pytest.mark.parametrize("array, message", [
    (np.zeros((4, 5, 5)), "expected a path or an array (height, width), or with 1 to 4 channels"),
    (np.zeros(4), "Received: shape (4,)"), (np.zeros((0, 4)), "Received: shape (0, 4)"),
    (SHAPE * 2, "float32, 0 to 2"), (SHAPE - 1, "float32, -1 to 0"), (SHAPE * np.nan, "nan"),
    (SHAPE.astype(int) - 1, "-1 to 0"), (SHAPE.astype(int) * 70000, "0 to 70000"),
    (SHAPE.astype("U1"), "expected numbers"), (SHAPE + 0j, "expected numbers"),
])
def test_arrays_that_are_no_masks_are_named(array, message):
    with pytest.raises(InputError) as error:
        as_mask(array, "--content_mask")
    assert str(error.value).startswith("content_masks: ") and message in str(error.value)


SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4))
VALUES = st.sampled_from([0, 1, 2, 15, 16, 128, 254, 255]) | st.integers(0, 255)


@settings(deadline=None, max_examples=150)
@given(arrays.arrays(np.uint8, SHAPES, elements=VALUES)
       | arrays.arrays(np.uint16, SHAPES, elements=VALUES | st.integers(0, 65535)))
def test_any_numbers_make_a_mask_or_one_line(values):
    before = values.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mask = as_mask(values)
        except InputError as error:
            assert "\n" not in str(error)
            return
    assert (values == before).all()
    assert mask.shape == values.shape[:2] and mask.dtype == np.float32
    assert np.isfinite(mask).all() and mask.min() >= 0 and mask.max() <= 1
    if values.shape[2] % 2 == 0 and values[..., -1].any():
        assert not mask[values[..., -1] == 0].any(), "what is transparent is not painted"


@settings(deadline=None, max_examples=100)
@given(st.tuples(*[st.integers(0, 255)] * 3).filter(lambda color: max(color) >= 16),
       arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.booleans())
def test_one_colour_counts_whatever_it_is(color, shape, layer):
    gray = max(color) - min(color) <= 0.15 * max(color)
    layer = layer and not shape.all()
    # Nearly black is told of, a gray is a soft value, and nothing is refused.
    assume(shape.any() and (max(color) > 40 if layer else not gray))
    values = (shape[..., None] * color).astype(np.uint8)
    found = as_mask(np.dstack([values, shape * np.uint8(255)]) if layer else values)
    np.testing.assert_allclose(found, shape, atol=1 / 255)


# Regions at the size of a run


def band(width, side=256):
    mask = np.zeros((side, side), np.float32)
    mask[:, side // 2 : side // 2 + width] = 1
    return mask


@pytest.mark.parametrize("mask", [
    np.ones((60, 80), np.float32), SOFT, SOFT / 2, np.kron(SHAPE, np.ones((3, 3), np.float32)),
    band(8), band(100), np.indices((64, 64)).sum(axis=0) % 2 * np.float32(1), SHAPE * 0,
], ids=["whole", "soft", "weak", "shape", "8 pixels", "half", "dithered", "empty"])
def test_a_wide_region_is_only_resized(mask):
    for height, width in (mask.shape, (200, 300)):
        region, factor = region_at(mask, height, width)
        assert factor == 1
        np.testing.assert_array_equal(region, resized(mask, height, width))


@pytest.mark.parametrize("width, side, factor, peak", [
    (1, 256, 8, 1), (2, 256, 4, 1), (4, 256, 2, 1), (7, 256, 8 / 7, 1),
    # A pixel wide at four times the size: a quarter of it is left, which counts in full.
    (4, 64, 8, 1), (1, 64, 32, 1), (1, 24, 85, 1),
])
def test_a_thin_region_counts_more_and_stays_visible(width, side, factor, peak):
    region, found = region_at(band(width), side, side)
    assert found == pytest.approx(factor, rel=0.35)
    assert region.max() == pytest.approx(peak) and region.shape == (side, side)
    assert not region[:, : side // 4].any()


def test_a_thin_soft_region_is_no_stronger_than_it_was():
    region, factor = region_at(band(1) / 2, 64, 64)
    assert region.max() == pytest.approx(0.5) and factor > 8


def test_a_union_is_soft_outside_of_its_regions():
    left = np.zeros((256, 256), np.float32)
    left[:, :100] = 1
    line = np.zeros_like(left)
    line[:, 200] = 0.5
    union = soft_union([left, line])[..., 0]
    np.testing.assert_array_equal(union[:, :100], 1)
    assert 0.1 < union[128, 100] < 1 and union[128, 106:190].max() == 0
    assert union[128, 200] == 0.5 > union[128, 201] > 0
    assert soft_union([left, 1 - left]) is None


@pytest.mark.parametrize("mode", ["CMYK", "PA", "P", "LA", "1"])
def test_a_pillow_image_is_read_as_its_file_is(mode):
    image = Image.fromarray(WHITE).convert("RGB" if mode == "CMYK" else "L")
    image = image.convert("LA").convert("PA") if mode == "PA" else image.convert(mode)
    np.testing.assert_allclose(as_mask(image), WHITE / 255, atol=0.02)


def test_a_pillow_image_that_is_turned_is_turned_back(tmp_path):
    turned = Image.fromarray(WHITE)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(as_mask(image), as_mask(tmp_path / "a.png"))
