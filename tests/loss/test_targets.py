"""What an image is compared with: blends, regions, and mended styles."""

import dataclasses

import numpy as np
import pytest

from tests.loss.conftest import batch, objective_of, settings, styles_of
from tf_style.image.style import Style
from tf_style.loss.targets import PROTECTION
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.settings import InputError


def test_several_styles_are_averaged_by_their_statistics(model, content, style):
    objective = objective_of(model, settings())
    one, two, both = (
        objective.targets(content, styles_of(*pictures))
        for pictures in ([style], [content], [style, content])
    )
    keys = [key for key in both if key.startswith("style")]
    assert len(keys) == 2
    for key in keys:
        first, second, mean = (each[key][0]["goals"][0]["target"] for each in (one, two, both))
        np.testing.assert_allclose(mean, (first + second) / 2, rtol=1e-5)


def test_each_region_has_a_style_of_its_own(model, content, style):
    """Where the halves of the image are two style pictures, their regions have no style loss."""
    left, right = np.zeros((2, *content.shape[:2]), np.float32)
    middle = content.shape[1] // 2
    left[:, : middle - 8] = right[:, middle + 8 :] = 1
    objective = objective_of(model, settings())
    image = batch(content)
    same = [Style(content, share=0.5, mask=side, region=side) for side in (left, right)]
    swapped = [Style(content, share=0.5, mask=mask, region=region)
               for mask, region in ((right, left), (left, right))]
    targets = objective.targets(content, same)
    assert objective.parts(image, targets)["style"].numpy() == pytest.approx(0, abs=1e-6)
    assert objective.parts(image, objective.targets(content, swapped))["style"].numpy() > 1e-3
    one = objective.targets(content, [Style(1 - content, region=left)])
    alone = objective_of(model, settings(content_weight=0, tv_weight=0))
    _, _, gradient = alone.value_and_gradient(image, one)
    assert not gradient[:, :, middle:].numpy().any() and gradient[:, :, :middle].numpy().any()


@pytest.mark.parametrize("masked", [False, True])
def test_what_mending_left_in_the_statistics_is_taken_off(model, content, style, masked):
    objective = objective_of(model, settings(style_loss="gram:1,sliced_wasserstein:1"))
    mask = None
    if masked:
        mask = np.zeros(style.shape[:2], np.float32)
        mask[: len(mask) // 2] = 1
    image, again = style, style * np.float32(0.9)

    def target(*pictures):
        styles = [Style(picture, mask=mask, mended_again=other) for picture, other in pictures]
        found = objective.targets(content, styles)
        return {loss: found[f"style {loss} block1_conv2"][0]["goals"][0]["target"].numpy()
                for loss in ("gram", "sliced_wasserstein")}

    plain, of_again, mended = (
        target(pair) for pair in ((image, None), (again, None), (image, again))
    )
    np.testing.assert_allclose(
        mended["gram"], 2 * plain["gram"] - of_again["gram"], rtol=1e-4, atol=1e-6
    )
    assert np.abs(mended["gram"] - plain["gram"]).max() > 0
    # Not a mean over positions: as it is.
    np.testing.assert_array_equal(mended["sliced_wasserstein"], plain["sliced_wasserstein"])


@pytest.mark.parametrize("kind", ["mask", "region"])
def test_a_mask_that_no_window_reaches_is_refused(model, content, style, kind):
    """Windows of 16 positions, 8 apart, leave the last rows of 45 out."""
    objective = objective_of(model, settings(style_loss="phase", style_layers="block1_conv1"))
    picture = content[:45]
    for first, refused in ((44, True), (30, False)):
        mask = np.zeros(picture.shape[:2], np.float32)
        mask[first:] = 1
        styles = [Style(picture, "a.png", **{kind: mask})]
        if refused:
            with pytest.raises(InputError, match="style_loss=phase: no window of block1_conv1"):
                objective.targets(picture, styles)
        else:
            objective.targets(picture, styles)


# Where the content is protected


def protected(content):
    """A mask that is white in the right half, and the first column of that half."""
    middle = content.shape[1] // 2
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, middle:] = 1
    return mask, middle


@pytest.mark.parametrize("values", [{}, {"style_weight": 1}, {"normalize_gradients": True}])
def test_the_content_is_held_more_where_it_is_protected_and_as_before_elsewhere(
    values, model, content, style
):
    """With a style weight below the content's, pixels hold it, too."""
    objective = objective_of(model, settings(tv_weight=0, **values))
    mask, middle = protected(content)
    targets = [
        {key: target for key, target in
         objective.targets(content, styles_of(style), each).items() if key.startswith("content")}
        for each in (None, mask)
    ]
    assert len(targets[0]) == (2 if "style_weight" in values else 1)
    plain, held = (objective.value_and_gradient(batch(1 - content), each)[2][0].numpy()
                   for each in targets)
    # A pixel's gradient comes from a few positions beside it.
    error = 1e-5 * np.abs(plain).max()
    np.testing.assert_allclose(held[:, : middle - 8], plain[:, : middle - 8], atol=error)
    np.testing.assert_allclose(
        held[:, middle + 8 :], (1 + PROTECTION) * plain[:, middle + 8 :], atol=PROTECTION * error
    )


def test_weights_of_a_map_are_means_of_the_mask(model, content, style):
    objective = objective_of(model, settings(style_weight=1))
    mask = np.random.default_rng(0).random(content.shape[:2]).astype(np.float32)
    targets = objective.targets(content, styles_of(style), mask)
    of_map, of_pixels = (targets[key][0]["goals"][0]["target"]["weights"] for key in
                         ("content features block2_conv1", "content pixels "))
    height, width = (side // 2 * 2 for side in mask.shape)
    means = mask[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(of_map[0, ..., 0], 1 + PROTECTION * means, rtol=1e-5)
    np.testing.assert_allclose(of_pixels[0, ..., 0], 1 + PROTECTION * mask, rtol=1e-5)


@pytest.mark.parametrize("kind", ["protect", "region"])
def test_masks_lie_where_the_map_of_the_continued_image_has_them(model, content, style, kind):
    """A white bar in the middle, whose map is as large as that of the continued picture."""
    picture = content[:37, :45]
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[20:24], mask[36:] = 1, 1
    objective = dataclasses.replace(
        objective_of(model, settings(style_layers="block2_conv1")),
        networks=[Network(model, stride=16)])
    if kind == "protect":
        targets = objective.targets(picture, styles_of(style), mask)
        weights = targets["content features block2_conv1"][0]["goals"][0]["target"]["weights"]
        weights = (weights - 1) / PROTECTION
    else:
        targets = objective.targets(picture, [Style(style, region=mask)])
        weights = targets["style gram block2_conv1"][0]["weights"]
    expected = np.zeros((24, 24), np.float32)
    expected[10:12], expected[18] = 1, 1
    np.testing.assert_allclose(weights[0, ..., 0], expected, atol=1e-6)


def test_without_a_mask_there_are_no_weights_to_multiply_by(model, content, style):
    for target in objective_of(model, settings(style_weight=1)).targets(
        content, styles_of(style)
    ).values():
        for goal in target[0]["goals"]:
            assert "weights" not in (goal["target"] if isinstance(goal["target"], dict) else {})


def test_a_protected_structure_counts_more_and_the_rest_no_less(model, content, style):
    objective = objective_of(model, settings(tv_weight=0, style_weight=0, content_loss="cosine"))
    mask, middle = protected(content)
    plain, held = (
        objective.value_and_gradient(
            batch(0.5 * content + 0.5 * style[: content.shape[0], : content.shape[1]].mean()
                  + 0.1 * content[::-1]), objective.targets(content, [], each)
        )[2][0].numpy() for each in (None, mask)
    )
    sizes = [np.abs(each[:, : middle - 8]).sum() for each in (plain, held)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.5)
    inside = [np.abs(each[:, middle + 8 :]).sum() for each in (plain, held)]
    assert inside[1] > 5 * inside[0]


# Deep layers at coarse sizes


def deep_shares(objective, side):
    """Layer → how much its style term counts where the style is so large."""
    picture = np.random.default_rng(1).random((side, side, 3)).astype(np.float32)
    return {key.split()[-1]: float(target[0]["goals"][0]["share"])
            for key, target in objective.targets(picture, [Style(picture)]).items()
            if key.startswith("style")}


@pytest.fixture(scope="module")
def deep_model():
    return feature_model(["block3_conv1", "block4_conv1"], "random")


def test_a_deep_layer_counts_where_its_map_has_enough_positions(deep_model):
    both = settings(style_loss="moments", style_layers="block3_conv1,block4_conv1",
                    content_weight=0, content_layers="block3_conv1", style_weight=1)
    objective = objective_of(deep_model, both)
    assert deep_shares(objective, 120) == {"block3_conv1": 1, "block4_conv1": 0}
    assert deep_shares(objective, 128) == {"block3_conv1": 1, "block4_conv1": 1}
    for alone in ({"style_layers": "block4_conv1"}, {"style_loss": "gram"}):
        objective = objective_of(deep_model, both.replace(**alone))
        assert deep_shares(objective, 40)["block4_conv1"] == 1
