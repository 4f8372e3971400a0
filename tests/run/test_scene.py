import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_style.image import color
from tf_style.image.previous import Previous
from tf_style.measure.distances import sliced_wasserstein
from tf_style.run.inputs import PictureFile
from tf_style.run.mender import Mender
from tf_style.run.scene import Scene
from tf_style.run.schedule import Scale
from tf_style.settings import InputError, Settings

SCALE = Scale(height=24, width=32, style_sides=(28,), steps=1)


def shares(scene):
    return [style.share for style in scene.styles]


def names(scene):
    return [style.name for style in scene.styles]


def mended(scene):
    return Mender().mend(scene, lambda text: None)


def test_shares_are_equal_or_as_given(content, style):
    assert shares(Scene.of(Settings(), content, style)) == [1]
    assert shares(Scene.of(Settings(), content, [style, content])) == [0.5, 0.5]
    blended = Scene.of(Settings(style_blend="3,1"), content, [style, content])
    assert shares(blended) == [0.75, 0.25]
    alone = Scene.of(Settings(style_blend="1,0"), content, [style, content])
    assert shares(alone) == [1, 0]


def test_a_style_counts_as_much_in_each_pixel_of_its_region(content, style):
    left = np.zeros((*content.shape[:2], 3), np.float32)
    left[:, : content.shape[1] // 4] = 1
    scene = Scene.of(Settings(), content, [style, style], [left, 1 - left])
    assert shares(scene) == pytest.approx([0.25, 0.75])


def test_a_mask_alone_need_be_in_no_list(content, style):
    masks = [np.zeros((*each.shape[:2], 3), np.float32) for each in (content, style)]
    for mask in masks:
        mask[:, :8] = 1
    alone = Scene.of(Settings(), content, style, *masks)
    listed = Scene.of(Settings(), content, style, *([each] for each in masks))
    assert shares(alone) == shares(listed)
    assert np.array_equal(alone.at(SCALE)[1][0].mask, listed.at(SCALE)[1][0].mask)


def test_masks_follow_the_sizes(content, style):
    mask = np.zeros((*style.shape[:2], 3), np.float32)
    mask[:, : style.shape[1] // 2] = 1
    _, (seen,) = Scene.of(Settings(), content, style, [], [mask]).at(SCALE)
    assert seen.picture.shape == (20, 28, 3) and seen.mask.shape == (20, 28)
    assert seen.mask.mean() == pytest.approx(0.5, abs=0.02) and seen.region is None
    region = np.ones((*content.shape[:2], 3), np.float32)
    _, (seen,) = Scene.of(Settings(), content, style, [region]).at(SCALE)
    assert seen.region.shape == (24, 32) and seen.region.min() == 1


def test_starts(content, style):
    scene = Scene.of(Settings(size=32), content, style)
    starts = {name: scene.start(Settings(init=name))
              for name in ("content", "style", "noise", "gray")}
    for start in starts.values():
        assert start.shape == (24, 32, 3) and start.dtype == np.float32
        assert start.min() >= 0 and start.max() <= 1
    assert np.ptp(starts["gray"]) == 0 and starts["noise"].std() > 0.25
    np.testing.assert_array_equal(scene.start(Settings()), starts["content"])
    half = scene.start(Settings(init_noise=0.5))
    np.testing.assert_allclose(half, (starts["content"] + starts["noise"]) / 2, atol=1e-6)
    alone = Scene.of(Settings(size="32x24"), None, style)
    np.testing.assert_array_equal(alone.start(Settings()), starts["noise"])


def test_a_film_goes_on_from_the_previous_frame(content, style):
    settings = Settings(size=64, scales=2, init="noise", init_noise=0.5)
    scene = Scene.of(settings, content, style)
    height, width = (getattr(scene.scales[-1], side) for side in ("height", "width"))
    random = np.random.default_rng(0)
    previous = Previous(random.random((height, width, 3), np.float32),
                        random.random((height, width), np.float32))
    assert scene.previous is scene.previous_at(scene.scales[0]) is None
    later = scene.continued(previous, 5)
    (scale,) = later.scales
    assert (scale.height, scale.width, scale.steps, scale.all_steps) == (height, width, 5, (5,))
    assert scale.is_last and len(scene.scales) == 2 and later.content is scene.content
    np.testing.assert_array_equal(later.start(settings), previous.picture)
    np.testing.assert_array_equal(later.previous_at(scale).trust, previous.trust)
    resolved = later.resolved(Settings(size=64))
    assert (resolved.steps, resolved.scales) == ((5,), 1)
    # A network that sees no small pictures changes nothing about that.
    assert later.seen_by(settings, 20).scales == later.scales
    half = later.previous_at(dataclasses.replace(scale, height=height // 2, width=width // 2))
    assert half.picture.shape == (height // 2, width // 2, 3)
    assert half.trust.shape == (height // 2, width // 2)


def test_a_start_from_a_picture_covers_the_image(pictures, content, style):
    start = Scene.of(Settings(size=30), content[:21], style).start(
        Settings(init=str(pictures / "style.png"))
    )
    middle = style[11:29]
    assert start.shape == (10, 30, 3)
    assert np.abs(start.mean(axis=(0, 1)) - middle.mean(axis=(0, 1))).max() < 0.02


def test_a_network_paints_the_start_at_the_full_size(content, style):
    settings = Settings(size=40, scales=2, init="some.keras")
    scene = Scene.of(settings, content, style)
    seen = []
    scene = scene.starting_at(settings, lambda picture: seen.append(picture.shape) or 1 - picture)
    assert seen == [(30, 40, 3)]
    start = scene.start(settings)
    np.testing.assert_allclose(start, 1 - scene.scales[0].fit(content), atol=1e-2)
    # Any other start asks no network.
    other = Settings(size=40)
    assert Scene.of(other, content, style).starting_at(other, None).first is None


def test_colours_are_matched_before_the_run(content, style):
    distances = {}
    for mode in ("none", "luminance", "statistics", "histogram"):
        settings = Settings(preserve_color=mode, style_cleanup="off")
        (seen,) = Scene.of(settings, content, style).prepared(settings, mended).styles
        distances[mode] = sliced_wasserstein(seen.picture, content)
    assert distances["none"] == distances["luminance"]
    assert distances["statistics"] < 0.5 * distances["none"]
    assert distances["histogram"] < 0.5 * distances["none"]


def test_a_small_style_is_named_and_seen_no_larger_than_it_should(content, style):
    small = Settings(size=56)
    scene = Scene.of(small, content, style)
    assert scene.prepared(small, mended).styles == scene.styles
    scene = Scene.of(Settings(), content, style)
    prepared = scene.prepared(Settings(), mended)
    assert [each.defects for each in prepared.styles] == [("small",)]
    _, (seen,) = prepared.at(scene.scales[-1])
    assert max(seen.picture.shape) == 79, "56 pixels, and the square root of two"
    off = Settings(style_cleanup="off")
    _, (seen,) = scene.prepared(off, mended).at(scene.scales[-1])
    assert max(seen.picture.shape) == 512


def test_where_no_style_goes_the_content_is_the_result(content, style):
    mask = np.zeros((*content.shape[:2], 3), np.float32)
    mask[:, :20] = 1
    scale = Scale(height=192, width=256, style_sides=(28,), steps=1)
    scene, painted = Scene.of(Settings(), content, style, [mask]), np.full((192, 256, 3), 0.3)
    for mode in ("none", "luminance"):
        settings = Settings(preserve_color=mode)
        found = scene.finished(painted, settings, scale)
        everywhere = Scene.of(settings, content, style).finished(painted, settings, scale)
        np.testing.assert_allclose(found[:, 100:], scale.fit(content)[:, 100:], atol=1e-6)
        np.testing.assert_allclose(found[:, :70], everywhere[:, :70], atol=1e-6)
        # From one to the other within a few pixels, none of which is beyond both.
        change, most = (np.abs(each - scale.fit(content)).sum(axis=(0, 2))[74:90]
                        for each in (found, everywhere))
        share = change / most
        assert np.all(np.diff(share) < 1e-3) and share[0] > 0.8 > 0.1 > share[-1]


def test_styles_that_go_everywhere_leave_the_image_as_it_is(content, style):
    left = np.zeros((*content.shape[:2], 3), np.float32)
    left[:, :20] = 1
    painted = np.random.default_rng(0).random((24, 32, 3), np.float32)
    for masks in ([left, 1 - left], []):
        scene = Scene.of(Settings(), content, [style, style], masks)
        np.testing.assert_array_equal(scene.finished(painted, Settings(), SCALE), painted)


@pytest.mark.parametrize("settings, gray_content, gray_style, expected", [
    ({}, True, True, True), ({}, True, False, False), ({}, False, True, False),
    ({"preserve_color": "statistics"}, True, False, True),
    ({"preserve_color": "luminance"}, False, True, False),
])
def test_gray_pictures_give_a_gray_result(
    settings, gray_content, gray_style, expected, content, style
):
    pictures = [color.as_gray(each) if gray else each
                for each, gray in ((content, gray_content), (style, gray_style))]
    settings = Settings(init="noise", **settings)
    scene = Scene.of(settings, *pictures)
    assert scene.is_gray(settings) == expected
    assert bool(np.ptp(scene.start(settings), axis=2).max() < 1e-6) == expected


def test_gray_styles_alone_give_a_gray_texture(style):
    settings = Settings(size="32x24")
    assert Scene.of(settings, None, color.as_gray(style)).is_gray(settings)
    assert not Scene.of(settings, None, style).is_gray(settings)


@pytest.mark.parametrize("mode", ["none", "statistics"])
def test_a_poor_style_among_good_ones_comes_with_what_mending_left(content, style, mode):
    noise = np.random.default_rng(0).normal(0, 0.15, style.shape)
    poor = np.clip(style + noise, 0, 1).astype(np.float32)
    settings = Settings(preserve_color=mode, size=56)
    scene = Scene.of(settings, content, [style, poor])
    prepared = scene.prepared(settings, mended)
    assert [each.defects for each in prepared.styles] == [(), ("noisy",)]
    scale = Scale(height=32, width=48, style_sides=(48,), steps=1)
    _, (first, second) = prepared.at(scale)
    assert first.mended_again is None
    assert second.mended_again.shape == second.picture.shape
    change = np.abs(second.mended_again - second.picture).mean()
    assert 0 < change < 0.05


def test_styles_are_called_by_their_files(pictures, content, style):
    path = str(pictures / "style.png")
    assert names(Scene.of(Settings(), content, style)) == ["style"]
    scene = Scene.of(Settings(), content, [style, path, "sample:ink", PictureFile.of(path)])
    assert names(scene) == ["style 1", path, "sample:ink", path]
    np.testing.assert_array_equal(scene.styles[1].picture, scene.styles[3].picture)
    mask = np.zeros((*content.shape[:2], 3), np.float32)
    with pytest.raises(InputError, match=re.escape(f"the region of {path} is empty")):
        Scene.of(Settings(), content, path, [mask])


def test_a_file_that_vanishes_while_it_is_read_is_named(pictures, monkeypatch):
    def vanish(path):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "read_bytes", vanish)
    with pytest.raises(InputError, match="cannot be read any more"):
        PictureFile.of(str(pictures / "style.png"))


def test_what_does_not_belong_together_is_named(content, style):
    mask = np.ones((*content.shape[:2], 3), np.float32)
    for arguments, settings, message in (
        ((content, []), {}, "style: expected at least one picture"),
        ((content, [style, style]), {"style_blend": "1"}, "style_blend: expected a share for"),
        ((content, [style, style]), {"style_scale": "1,2,1"},
         "style_scale: expected one number, or one for each style (2). Received: 3"),
        ((content, [style, style], [mask]), {}, "content_masks: expected a mask for each style"),
        ((content, [style, style], [mask, 0 * mask]), {}, "the region of style 2 is empty"),
        ((content, style, [], [mask[:, :20]]), {}, "style_masks: expected a mask with the propor"),
        ((None, style, [mask]), {}, "content_masks: there is no content"),
        ((None, style), {"init": "content"}, "init=content: there is no content"),
        ((content, style), {"init": "random"}, "init=random: expected content, style, noise, gray, "
         "a picture or a network; there is no such file"),
        ((None, style), {"init": "sample:waves"}, "init=sample:waves: there is no content"),
        ((None, style), {"preserve_color": "histogram"}, "preserve_color=histogram: there is no"),
    ):
        with pytest.raises(InputError) as error:
            Scene.of(Settings(**settings), *arguments)
        assert message in str(error.value)


def test_sizes_are_laid_out_once_and_again_for_networks_that_see_less(content, style):
    settings = Settings(size=64, scales=3, steps=1)
    scene = Scene.of(settings, content, style, least=4)
    assert [scale.width for scale in scene.scales] == [16, 32, 64]
    assert scene.seen_by(settings, 4) is scene
    assert [scale.width for scale in scene.seen_by(settings, 16).scales] == [32, 64]
    with pytest.raises(InputError, match="Least side: 64 pixels"):
        scene.seen_by(settings, 64)


# Transparency, and masks of any kind


@pytest.fixture
def cut_out(tmp_path, style):
    """A style whose right half is transparent, and in another colour than the rest."""
    alpha = np.zeros(style.shape[:2], np.float32)
    alpha[:, :28] = 1
    pixels = np.where(alpha[..., None] > 0, style, np.float32([1, 0, 1]))
    values = np.dstack([pixels, alpha]) * 255
    Image.fromarray(values.round().astype(np.uint8)).save(tmp_path / "cut.png")
    return str(tmp_path / "cut.png"), alpha


def test_the_alpha_of_a_style_is_its_mask(cut_out, content, style):
    path, alpha = cut_out
    for given in (path, PictureFile.of(path)):
        scene = Scene.of(Settings(), content, [given, style])
        first, second = scene.styles
        np.testing.assert_array_equal(first.mask, alpha)
        np.testing.assert_array_equal(first.alpha, alpha)
        assert second.mask is second.alpha is None
        assert scene.inputs.style_mask == ()
    np.testing.assert_allclose(first.picture[:, :28], style[:, :28], atol=0.51 / 255)
    np.testing.assert_array_equal(first.picture[:, 28:], first.picture[:, 27::-1])


def test_what_is_transparent_counts_under_no_mask(cut_out, content):
    path, alpha = cut_out
    for mask, expected in (
        (alpha, alpha), (np.ones((20, 28)), alpha), (alpha / 2, alpha / 2),
        (np.tril(np.ones((40, 56))), np.tril(alpha)),
    ):
        only, = Scene.of(Settings(), content, path, [], [mask]).styles
        np.testing.assert_allclose(only.mask, expected, atol=1e-6)
    with pytest.raises(InputError, match=r"^style_masks: nothing of .*cut\.png counts: it is tr"):
        Scene.of(Settings(), content, path, [], [1 - alpha])


@pytest.mark.parametrize("mode", ["statistics", "histogram"])
def test_transparent_colours_match_nothing(cut_out, content, mode):
    path, alpha = cut_out
    settings = Settings(preserve_color=mode, style_cleanup="off")
    scene = Scene.of(settings, content, path)
    # A colour that is nowhere else, if it counted.
    given, = scene.styles
    strange = np.where(alpha[..., None] > 0, given.picture, np.float32([1, 0, 1]))
    change = {"statistics": color.match_statistics, "histogram": color.match_histogram}[mode]
    expected = change(given.picture[:, :28], content)
    for style in (given, dataclasses.replace(given, picture=strange)):
        scene = dataclasses.replace(scene, styles=(style,))
        seen, = scene.prepared(settings, mended).styles
        np.testing.assert_allclose(seen.picture[:, :28], expected, atol=0.02)


def test_a_start_from_the_style_has_nothing_of_what_surrounds_it(cut_out, content, style):
    start = Scene.of(Settings(size=56), content, cut_out[0]).start(Settings(init="style"))
    near = np.abs(start[:, :, None] - style[::4, :28:4].reshape(-1, 3)).max(axis=-1).min(axis=-1)
    assert near.max() < 0.25, "no magenta, no white"


def test_masks_of_all_kinds_are_known_by_file_or_values(tmp_path, content, style):
    half = np.zeros(content.shape[:2], np.uint8)
    half[:, :32] = 1
    Image.fromarray(half).save(tmp_path / "m.png")
    path = str(tmp_path / "m.png")
    scenes = [Scene.of(Settings(), content, style, [mask])
              for mask in (path, half, half * 255, half > 0, half.astype(float),
                           half[..., None].repeat(3, axis=2))]
    for scene in scenes:
        np.testing.assert_array_equal(scene.styles[0].region, half)
        assert scene.styles[0].share == 0.5
    assert scenes[0].inputs.content_mask == (path,)
    names = {scene.inputs.content_mask for scene in scenes[1:]}
    (name,), = names
    assert name == "array:" + scenes[1].inputs.digests[name]


# Where the content is protected


def test_what_is_protected_follows_the_sizes(tmp_path, content, style):
    mask = np.zeros(content.shape[:2], np.uint8)
    mask[:, :16] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    path = str(tmp_path / "m.png")
    for given in (path, mask, mask // 255):
        scene = Scene.of(Settings(), content, style, protect=given)
        np.testing.assert_array_equal(scene.protect, mask / 255)
        seen = scene.protected_at(SCALE)
        assert seen.shape == (24, 32) and seen.mean() == pytest.approx(0.25, abs=0.02)
        assert scene.inputs.digests[scene.inputs.protect]
    assert Scene.of(Settings(), content, style, protect=path).inputs.protect == path
    plain = Scene.of(Settings(), content, style)
    assert plain.protect is plain.protected_at(SCALE) is plain.inputs.protect is None


def test_what_cannot_be_protected_is_named(content, style):
    mask = np.ones(content.shape[:2], np.float32)
    for given, protect, settings, message in (
        (content, 0 * mask, {}, "protect: nothing is protected: the mask is black"),
        (content, mask[:, :20], {}, "protect: expected a mask with the proportions of its"),
        (content, mask[0], {}, "protect: expected a path or an array (height, width)"),
        (None, mask, {"size": "32x24"}, "protect: there is no content"),
        (content, mask, {"content_weight": 0}, "protect: content_weight is 0"),
    ):
        with pytest.raises(InputError) as error:
            Scene.of(Settings(**settings), given, style, protect=protect)
        assert str(error.value).startswith(message) and "\n" not in str(error.value)
