"""Regions that content and styles have in common."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import smooth_picture
from tf_style import stylize
from tf_style.image.style import Style
from tf_style.loss.blocks import Blocks
from tf_style.loss.objective import Objective
from tf_style.loss.regions import Regions
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.settings import InputError, Settings

LAYERS = ["block1_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]
DEEP = LAYERS[2:]


@pytest.fixture(scope="module")
def network():
    model = feature_model(LAYERS, network="compact")
    return Network(model, ARCHITECTURES["compact"], 16, 16)


def busy(height, width, seed=0):
    """Small checks of two colours."""
    checks = np.random.default_rng(seed).random((height // 6 + 1, width // 6 + 1, 3))
    return np.kron(checks.round(), np.ones((6, 6, 1)))[:height, :width].astype(np.float32)


def halves(first, second):
    return np.concatenate([first, second], axis=1)


FLAT = smooth_picture(5, 96, 72) * np.float32(0.3) + np.float32(0.5)
BUSY = busy(96, 72)


def test_what_is_alike_is_one_region(network):
    """A flat half and a busy one, whichever comes first."""
    found = Regions.of(network, DEEP, [Style(halves(FLAT, BUSY))], 2)
    content = found.of_content(halves(busy(96, 72, 3), FLAT[::-1]))
    np.testing.assert_allclose(content.sum(axis=0), 1, rtol=1e-5)
    middle = content.shape[2] // 2
    left, right = content[..., : middle - 1].mean((1, 2)), content[..., middle + 1 :].mean((1, 2))
    of_style = found.of_styles[0]
    flat = of_style[..., : middle - 1].mean((1, 2)).argmax()
    assert of_style[..., middle + 1 :].mean((1, 2)).argmax() == 1 - flat
    assert right[flat] > 0.8 and left[flat] < 0.2


def test_a_masked_part_of_a_style_has_no_region(network):
    mask = np.zeros((96, 216), np.float32)
    mask[:, :144] = 1
    third = np.zeros_like(FLAT)
    third[::4] = 1
    picture = np.concatenate([FLAT, BUSY, third], axis=1)
    masked = Regions.of(network, DEEP, [Style(picture, mask=mask)], 3)
    whole = Regions.of(network, DEEP, [Style(picture)], 3)
    stripes = (slice(None), slice(None), slice(-3, None))
    assert whole.of_styles[0][stripes].mean((1, 2)).max() > 0.7
    assert masked.of_styles[0][stripes].mean((1, 2)).max() < 0.5


def test_the_same_pictures_have_the_same_regions(network):
    picture = halves(FLAT, BUSY)
    found, again = (Regions.of(network, DEEP, [Style(each)], 2)
                    for each in (picture, picture.copy()))
    np.testing.assert_array_equal(found.centers, again.centers)


def test_pictures_that_are_too_small_have_no_regions(network):
    strip = np.zeros((2, 900, 3), np.float32)
    assert Regions.of(network, DEEP, [Style(strip)], 2) is None
    assert Regions.of(network, DEEP, [Style(halves(FLAT, BUSY))], 2).of_content(strip) is None


def objective(network):
    return Objective.of([network], Settings(
        content_layers="block3_conv1", style_layers=",".join(LAYERS), network="compact",
        precision="float32", content_loss="squared", tv_weight=0, content_weight=1,
        style_weight=1,
    ))


def style_loss(objective, picture, style, regions):
    targets = objective.targets(picture, [style], regions=regions)
    return float(objective.parts(tf.constant(picture[None]), targets)["style"][0])


def test_each_region_is_compared_with_its_own(network):
    picture = halves(FLAT, BUSY)
    mask = np.zeros((2, 6, 9), np.float32)
    mask[0, :, :4] = mask[1, :, 4:] = 1
    found = objective(network)
    own = style_loss(found, picture, Style(picture, kinds=mask), mask)
    other = style_loss(found, picture, Style(picture, kinds=mask), mask[::-1])
    assert own == pytest.approx(0, abs=1e-5) and other > 0.05


def test_only_layers_that_see_much_of_the_picture_are_divided(network):
    mask = np.full((2, 6, 9), 0.5, np.float32)
    found = objective(network)
    for width, divided in ((144, 3), (300, 2), (600, 1), (1100, 0)):
        picture = np.zeros((64, width, 3), np.float32)
        targets = found.targets(picture, [Style(picture, kinds=mask)], regions=mask)
        lengths = [len(targets[f"style moments {layer}"]) for layer in LAYERS]
        assert lengths == [1] * (4 - divided) + [2] * divided
        for target in targets.values():
            shares = sum(float(goal["share"]) for each in target for goal in each["goals"])
            assert shares == pytest.approx(1) or shares == 0


def test_several_styles_are_averaged_by_how_much_they_have_of_a_region(network):
    """One that has nothing of a region says nothing of it."""
    picture, first = halves(FLAT, BUSY), np.zeros((2, 6, 9), np.float32)
    first[0] = 1
    both = np.full((2, 6, 9), 0.5, np.float32)
    found = objective(network)
    one, two = Style(picture, share=0.5, kinds=first), Style(BUSY, share=0.5, kinds=both)
    mixed, alone = (
        found.targets(picture, styles, regions=both)["style moments block4_conv1"]
        for styles in ([one, two], [Style(BUSY, kinds=both)])
    )
    means = [[region["goals"][0]["target"]["mean"].numpy() for region in each]
             for each in (mixed, alone)]
    np.testing.assert_allclose(means[0][1], means[1][1], rtol=1e-3)
    assert np.linalg.norm(means[0][0] - means[1][0]) > 0.05 * np.linalg.norm(means[1][0])


def test_a_style_that_is_masked_where_a_region_is_says_nothing_of_it(network):
    picture, kinds = halves(FLAT, BUSY), np.zeros((2, 6, 9), np.float32)
    kinds[0, :, :4] = kinds[1, :, 4:] = 1
    mask = np.zeros((96, 144), np.float32)
    mask[:, 80:] = 1
    found, both = objective(network), np.full((2, 6, 9), 0.5, np.float32)
    masked = Style(picture, share=0.5, kinds=kinds, mask=mask)
    other = Style(BUSY, share=0.5, kinds=both)
    means = [
        found.targets(picture, styles, regions=both)["style moments block4_conv1"][0]["goals"][0]
        ["target"]["mean"].numpy()
        for styles in ([masked, other], [Style(BUSY, kinds=both)])
    ]
    np.testing.assert_allclose(*means, rtol=1e-3)


def test_a_style_without_a_share_has_no_say_in_the_regions(network):
    picture, other = halves(FLAT, BUSY), halves(BUSY[::-1], 1 - FLAT)
    alone = Regions.of(network, DEEP, [Style(picture)], 2)
    beside = Regions.of(network, DEEP, [Style(picture), Style(other, share=0)], 2)
    np.testing.assert_array_equal(alone.centers, beside.centers)
    assert not beside.of_styles[1].any()


def test_a_faint_mask_leaves_a_style_its_regions(network):
    picture = halves(FLAT, BUSY)
    faint = Style(picture, mask=np.full((96, 144), 0.3, np.float32))
    np.testing.assert_array_equal(
        Regions.of(network, DEEP, [faint], 2).centers,
        Regions.of(network, DEEP, [Style(picture)], 2).centers,
    )


def test_a_region_ends_where_it_does_in_the_picture(network):
    """The mirrored edge that lets the last columns count does not stretch it."""
    picture, regions = np.zeros((48, 33, 3), np.float32), np.zeros((2, 3, 2), np.float32)
    regions[0, :, 0] = regions[1, :, 1] = 1
    target = objective(network).targets(
        picture, [Style(picture, kinds=regions)], regions=regions)["style moments block3_conv1"]
    left = target[0]["weights"].numpy()[0, 0, :, 0]
    # 33 pixels are continued to 48, of which 12 positions see four each.
    assert len(left) == 12 and left[0] == 1 and left[3] > 0.5 > left[4] and left[8:].min() >= 0
    np.testing.assert_allclose(left[:8], 1 - target[1]["weights"].numpy()[0, 0, :8, 0], atol=1e-6)


def test_blocks_see_the_same_regions(network):
    whole = objective(network)
    blocks, picture = Blocks(whole, 64), halves(FLAT, BUSY)
    kinds = np.random.default_rng(2).random((2, 6, 9), np.float32)
    regions = kinds / kinds.sum(axis=0)
    image = tf.constant(picture[None, ::-1])
    found = [
        each.value_and_gradient(
            image, each.targets(picture, [Style(picture, kinds=kinds)], regions=regions))[2]
        for each in (whole, blocks)
    ]
    assert np.linalg.norm(found[1] - found[0]) < 1e-3 * np.linalg.norm(found[0])


RUN = {"size": 96, "scales": 1, "steps": 2, "network": "compact", "tolerance": 0}


def test_a_run_divides_its_pictures_and_records_it():
    content, style = halves(FLAT, BUSY), halves(busy(96, 72, 4), FLAT)
    divided, whole = (
        stylize(content, style, **RUN, **more) for more in ({"style_regions": 2}, {})
    )
    assert (divided.settings.style_regions, whole.settings.style_regions) == (2, 1)
    assert np.abs(divided.image - whole.image).max() > 0.01
    again = stylize(content, style, divided.settings)
    np.testing.assert_array_equal(again.image, divided.image)


def test_what_cannot_be_divided_is_told_to_those_who_asked():
    for content, why in ((np.full_like(FLAT, 0.5), "content and styles are too small"),
                         (None, "there is no content")):
        with pytest.warns(UserWarning, match=f"^style_regions=2: {why}"):
            result = stylize(content, halves(FLAT, BUSY), **RUN, style_regions=2)
        assert result.settings.style_regions == 1


@pytest.mark.parametrize("more, masks, problem", [
    ({"style_layers": "block1_conv1,block3_conv1"}, (), "style_regions=2: needs style layers of "
     "block 4 or 5"),
    ({}, [np.ones((96, 144), np.float32)], "style_regions=2 and content_masks: choose one"),
])
def test_regions_that_cannot_be_had_are_refused(more, masks, problem):
    picture = halves(FLAT, BUSY)
    with pytest.raises(InputError, match=problem):
        stylize(picture, picture, content_masks=masks, style_regions=2, **{**RUN, **more})


@pytest.mark.slow
def test_what_is_flat_stays_flatter_where_the_style_has_something_flat():
    """Half of the style is busy, and only a fifth of the content: the rest is a flat sky."""
    wide = smooth_picture(5, 96, 120) * np.float32(0.3) + np.float32(0.5)
    content, style = halves(wide, busy(96, 24, 4)), halves(FLAT, busy(96, 72, 9))
    edges = []
    for regions in (1, 2):
        result = stylize(content, style, size=144, network="compact", steps="40,30", scales=2,
                         style_regions=regions, style_places="all")
        sky = result.image[:, :90].mean(axis=-1)
        edges.append(np.abs(np.diff(sky, axis=1)).mean() + np.abs(np.diff(sky, axis=0)).mean())
    assert edges[1] < 0.8 * edges[0]
