import functools
import json
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_style import InputError, Settings, Stylizer, stylize
from tf_style.image.color import as_gray
from tf_style.image.picture import read_note, read_picture
from tf_style.image.resize import fit
from tf_style.run.canvas import Canvas
from tf_style.settings import auto, with_flags

SMALL = {
    "size": 48, "scales": 2, "steps": "6,4", "weights": "random", "tolerance": 0,
    "content_layers": "block2_conv1", "style_layers": "block2_conv1",
    "precision": "float32",
}


@functools.cache
def small(**given):
    """A stylizer of small pictures; its step is traced once for all tests."""
    return Stylizer(**{**SMALL, **given})


def test_a_run_lowers_the_loss_and_keeps_the_range(content, style):
    result = stylize(content, style, **{**SMALL, "steps": "20,20", "learning_rate": 0.01})
    assert result.image.shape == (36, 48, 3) and result.image.dtype == np.float32
    assert result.image.min() >= 0 and result.image.max() <= 1
    assert len(result.history) == 40 and result.stopped == "steps"
    for scale in (1, 2):
        losses = [step.loss for step in result.history if step.scale == scale]
        assert losses[-1] < losses[0]
    assert np.abs(result.image - result.content).max() > 0.05


@pytest.mark.parametrize("most, given", [
    (1, {}), (1, {"tv_weight": 100}), (1, {"precision": "bfloat16", "content_weight": 1000}),
    (1, {"optimizer": "lbfgs"}), (1, {"block_size": 32}),
    (1, {"block_size": 32, "precision": "bfloat16"}), (4, {"init": "noise", "steps": 20}),
    (4, {"init": "noise", "learning_rate": 1e-3}),
    (1, {"style_weight": "auto", "strength": 0}),
    (4, {"init": "noise"}), (4, {"init": "noise", "tv_weight": 100}),
    (4, {"init": "style", "optimizer": "lbfgs"}), (4, {"init": "gray", "init_noise": 0.5}),
], ids=str)
def test_without_a_style_the_content_stays(most, given, content, style):
    """Within `most` of 255 at each pixel, though each size starts from a smaller one."""
    result = stylize(content, style, **{**SMALL, "steps": "40,30", "style_weight": 0, **given})
    assert np.abs(result.image - result.content).max() <= most / 255
    assert result.history[-1].loss < 1e-3 and result.notes == ()


@pytest.mark.slow
def test_the_last_rows_and_columns_are_painted_as_the_others():
    """Whatever the sides are: those that poolings leave out, too."""
    stylizer = Stylizer(
        network="compact", style_layers="block4_conv1,block5_conv1", content_weight=0, tv_weight=0,
        init="gray", init_noise=0.1, size="original", scales=1, steps=15, optimizer="lbfgs",
        precision="float32", tolerance=0,
    )
    style = fit(read_picture("sample:waves"), 128)
    for rest in range(1, 16):
        size = np.ones((48 + rest, 64 - rest, 3), np.float32)
        image = stylizer.stylize(size, style).image
        change = np.abs(image - image.mean(axis=(0, 1))).mean(axis=2)
        assert change[-2:].mean() > 0.6 * change.mean(), f"height {48 + rest}"
        assert change[:, -2:].mean() > 0.6 * change.mean(), f"width {64 - rest}"


def test_strength_begins_at_nothing_and_rises_without_a_jump(content, style):
    strengths = (0, 0.01, 0.05, 0.1, 0.15, 0.2)
    found = [stylize(content, style, **SMALL, strength=each) for each in strengths]
    changes = [np.abs(each.image - each.content).mean() for each in found]
    assert changes[0] < 1e-6 and changes[1] < 3 / 255
    assert changes == sorted(changes)
    assert max(np.diff(changes)) < 0.5 * changes[-1]


@pytest.mark.parametrize("given", [{}, {"init": "noise"}, {"optimizer": "lbfgs"},
                                   {"block_size": 32}], ids=str)
def test_gray_in_gray_out(given, content, style):
    result = small(**given).stylize(as_gray(content), as_gray(style))
    assert np.ptp(result.image, axis=2).max() < 1e-6
    assert np.abs(result.image - result.content).max() > 0.05


def test_settings_are_resolved(content, style):
    settings = stylize(content, style, **{**SMALL, "precision": "auto"}).settings
    assert settings.precision in ("float32", "bfloat16")
    assert settings.device.startswith(("cpu", "gpu")) and settings.weights == "random"


@pytest.mark.parametrize("given, steps", [
    ({}, (100, 50)), ({"strength": 0.5}, (100, 50)), ({"size": "64x40"}, (100, 50)),
    # Too small for the two coarsest of four sizes.
    ({"scales": 4, "content_layers": "block4_conv1", "size": 40}, (60, 60, 100, 50)),
    ({"style_network": "vgg19", "style_network_weights": "random", "steps": 2}, (2,)),
])
def test_what_auto_stood_for_is_reported_and_gives_the_same_again(given, steps, content, style):
    content = None if given.get("size") == "64x40" else content
    given = {"size": 32, "scales": 2, "weights": "random", "steps": "auto", "tolerance": 0.02,
             "content_layers": "block2_conv1", "style_layers": "block1_conv1", **given}
    result = stylize(content, [style, style[::-1]], **given)
    settings = result.settings
    unresolved = {name for name, value in settings.as_dict().items() if value == "auto"}
    # What these stand for is no value of theirs: `Scene.resolved` says why.
    never = {"style_cleanup", "style_size", "max_memory", "cache_dir", "strength",
             "large_forms"}
    assert unresolved <= never
    assert settings.style_blend == (1, 1) and settings.steps == steps
    assert settings.init == ("content" if content is not None else "noise")
    counts = {(step.scale, step.steps) for step in result.history}
    assert [most for _, most in sorted(counts)] == list(auto.steps(settings, 2))
    assert result.given.as_dict() == Settings(**given).as_dict()
    again = stylize(content, [style, style[::-1]], settings)
    np.testing.assert_array_equal(again.image, result.image)
    assert again.settings == settings


def test_what_was_mended_is_reported(content, style):
    with pytest.warns(UserWarning, match="style: small; cleaned up"):
        result = stylize(content, style, **SMALL, style_scale=4)
    assert result.provenance()["style_defects"] == [["small"]]
    assert small().stylize(content, style).provenance()["style_defects"] == [[]]
    off = small(style_scale=4, style_cleanup="off").stylize(content, style)
    assert off.provenance()["style_defects"] == []


def test_same_settings_give_the_same_pixels(content, style):
    for init in ("content", "noise"):
        first, second = (each.stylize(content, style).image
                         for each in (Stylizer(**SMALL, init=init), small(init=init)))
        np.testing.assert_array_equal(first, second)


def test_a_network_in_memory_paints_the_start(content, style):
    picture = keras.Input((None, None, 3))
    negative = keras.Model(picture, 1 - picture, name="negative")
    result = small(init=negative, steps=1, learning_rate=1e-6).stylize(content, style)
    np.testing.assert_allclose(result.image, 1 - result.content, atol=0.05)
    assert result.provenance()["settings"]["init"].startswith("model:negative:")
    smaller = keras.Model(picture, keras.layers.MaxPooling2D()(picture))
    with pytest.raises(InputError, match="pictures of their size"):
        small(init=smaller).stylize(content, style)


def test_the_name_of_a_network_is_for_the_command(content, style):
    for init in ("sample:all", "painting.keras"):
        with pytest.raises(InputError, match=rf"give the network: init=transform_model\('{init}'"):
            small(init=init)


def test_a_stylizer_gives_what_a_fresh_one_gives(content, style):
    used = Stylizer(**SMALL)
    used.stylize(style, content)
    np.testing.assert_array_equal(
        used.stylize(content, style).image, stylize(content, style, **SMALL).image
    )


def test_one_trace_whatever_the_pictures_and_their_sizes(content, style):
    stylizer = Stylizer(**SMALL)
    stylizer.stylize(content, style)
    stylizer.stylize(content[::-1], np.concatenate([style, style]))
    stylizer.stylize(np.concatenate([content, content]), style)
    assert stylizer.traces == 1


def test_noise_starts_elsewhere_and_depends_on_the_seed(content, style):
    images = [small(init=init, seed=seed).stylize(content, style).image
              for init, seed in (("content", 0), ("noise", 0), ("noise", 1))]
    for one, other in ((0, 1), (1, 2)):
        assert np.abs(images[one] - images[other]).mean() > 0.01


def test_the_callback_hears_of_every_step_and_sees_the_picture(content, style):
    heard = []

    def callback(step):
        heard.append((step.scale, step.step, step.image().shape))

    result = small().stylize(content, style, callback=callback)
    assert heard == [(1, i, (18, 24, 3)) for i in range(1, 7)] + [
        (2, i, (36, 48, 3)) for i in range(1, 5)
    ]
    assert all(step.image is None for step in result.history)


def test_the_callback_sees_the_picture_in_its_last_colours(content, style):
    seen = []
    result = small(preserve_color="luminance").stylize(
        content, style, callback=lambda step: seen.append(step.image()) and False
    )
    np.testing.assert_array_equal(seen[-1], result.image)


def test_threads_share_a_stylizer_and_each_gets_its_own_picture(content, style):
    stylizer = small()
    contents = [np.roll(content, 7 * number, axis=1) for number in range(8)]
    alone = [stylizer.stylize(each, style).image for each in contents]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: stylizer.stylize(each, style).image, contents))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({image.tobytes() for image in alone}) == 8


def test_a_callback_may_run_its_own_stylizer(content, style):
    stylizer = small()
    inner, outer = stylizer.stylize(style, content), stylizer.stylize(content, style)
    nested = []

    def callback(step):
        if step.scale == 2 and step.step == 2:
            nested.append(stylizer.stylize(style, content).image)

    around = stylizer.stylize(content, style, callback=callback)
    np.testing.assert_array_equal(nested[0], inner.image)
    np.testing.assert_array_equal(around.image, outer.image)
    assert len(around.history) == 10


def test_a_kept_step_gives_its_own_picture(content, style):
    kept, at_once = [], []

    def callback(step):
        kept.append(step.image)
        at_once.append(step.image())

    small().stylize(content, style, callback=callback)
    for image, picture in zip(kept, at_once, strict=True):
        np.testing.assert_array_equal(image(), picture)
    assert np.abs(at_once[0] - at_once[3]).max() > 0.01


def test_the_callback_can_end_the_run(content, style):
    result = small().stylize(content, style, callback=lambda step: step.step == 3)
    assert result.stopped == "callback" and len(result.history) == 3
    assert result.image.shape == (36, 48, 3), "the picture so far, at the full size"


def test_a_settled_size_ends_early(content, style):
    result = stylize(content, style, **{**SMALL, "steps": 60, "tolerance": 1.0})
    assert [step.step for step in result.history if step.scale == 1][-1] == 20
    assert result.history[-1].scale == 2


def test_a_loss_that_is_not_finite_keeps_the_last_good_image(content, style, monkeypatch):
    healthy = Canvas.value_and_gradient

    def broken(canvas, targets):
        loss, parts, gradient = healthy(canvas, targets)
        bad = canvas.moments.count >= 3
        return tf.where(bad, np.nan, loss), parts, tf.where(bad, np.nan, gradient)

    monkeypatch.setattr(Canvas, "value_and_gradient", broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = stylize(content, style, **SMALL)
    assert result.stopped == "not finite" and len(result.history) == 4
    assert np.isfinite(result.image).all() and result.image.shape == (36, 48, 3)
    assert [with_flags(each.message) for each in caught] == list(result.notes)
    assert "not finite at step 4" in result.notes[0]


def test_several_styles_differ_from_each(content, style):
    images = [small().stylize(content, each).image
              for each in (style, content[:, ::-1], [style, content[:, ::-1]])]
    for one in range(2):
        assert np.abs(images[one] - images[2]).mean() > 1e-3


def test_paths_and_arrays_give_the_same(pictures, content, style):
    by_path = small().stylize(pictures / "content.png", str(pictures / "style.png")).image
    arrays = [read_picture(pictures / name) for name in ("content.png", "style.png")]
    np.testing.assert_array_equal(by_path, small().stylize(*arrays).image)


def test_a_saved_picture_knows_its_settings(tmp_path, content, style):
    result = small().stylize(content, style)
    result.save(tmp_path / "a.png")
    note = json.loads(read_note(tmp_path / "a.png"))
    assert Settings(**note["settings"]) == result.settings
    assert note["weights"] == dict(result.weights)
    assert np.abs(read_picture(tmp_path / "a.png") - result.image).max() <= 0.5 / 255 + 1e-6


def test_bad_input_is_named(content, style):
    for arguments, named, message in (
        ((content, []), {}, "style: expected at least one picture"),
        ((content[:, :, :2], style), {}, "content: expected a path, a Pillow image"),
        (("missing.png", style), {}, "missing.png: there is no such file"),
        ((content, style), {"style_layers": "block9"}, "style_layers: VGG16 has no layer"),
        ((content, style), {"device": "gpu:9"}, "device=gpu:9: TensorFlow sees"),
        ((content, style), {"device": "tpu"}, "device: expected auto, cpu, gpu"),
        ((content, style), {"sizes": 3}, "no setting is called 'sizes'"),
        ((content[:1], style), {}, "Least side: 2 pixels"),
    ):
        with pytest.raises(InputError) as error:
            stylize(*arguments, **{**SMALL, **named})
        assert message in str(error.value)


@pytest.mark.slow
def test_real_kernels_take_over_the_style_and_keep_the_content(real_weights):
    """The evaluation sees both, on two pairs; untouched content has distance and similarity 1."""
    from tf_style.measure.metrics import FINE, Judge
    from tf_style.network.features import feature_model

    judge = feature_model(FINE.layers, real_weights)
    stylizer = Stylizer(
        size=256, weights=real_weights, content_layers="block3_conv3",
        style_layers="block1_conv1,block2_conv1,block3_conv1",
    )
    for content, style in (("harbor", "brushstrokes"), ("grace_hopper", "ink")):
        pictures = [read_picture(f"sample:{name}") for name in (content, style)]
        result = stylizer.stylize(*pictures)
        measured = Judge(judge, pictures[0], pictures[1:]).evaluate(result.image)
        assert measured.style_distance < 0.5
        assert measured.content_similarity > 0.4


@pytest.mark.slow
@pytest.mark.parametrize("content, style", [
    ("harbor", "brushstrokes"), ("grace_hopper", "stained_glass"),
])
def test_bfloat16_and_float32_make_the_same_picture(content, style, real_weights):
    """Style distance and content similarity within 2 %."""
    from tf_style.measure.metrics import FINE, Judge
    from tf_style.network.features import feature_model

    pictures = [read_picture(f"sample:{name}") for name in (content, style)]
    judge = Judge(feature_model(FINE.layers, real_weights), pictures[0], pictures[1:])
    exact, coarse = (
        judge.evaluate(stylize(*pictures, size=256, weights=real_weights, tolerance=0,
                               precision=precision).image)
        for precision in ("float32", "bfloat16")
    )
    assert coarse.style_distance == pytest.approx(exact.style_distance, rel=0.02)
    assert coarse.content_similarity == pytest.approx(exact.content_similarity, rel=0.02)


def test_the_alpha_of_a_style_does_what_its_mask_does(tmp_path, content, style):
    alpha = np.zeros(style.shape[:2], np.uint8)
    alpha[:, :28] = 255
    pixels = np.where(alpha[..., None] > 0, style * 255, 255).round().astype(np.uint8)
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "cut.png")
    path, plain = str(tmp_path / "cut.png"), small(style_cleanup="off")
    alone = plain.stylize(content, path).image
    np.testing.assert_array_equal(plain.stylize(content, path, style_masks=[alpha]).image, alone)
    white = plain.stylize(content, pixels).image
    assert np.abs(white - alone).mean() > 0.01, "the white surround counts in an opaque picture"


def test_a_line_of_one_pixel_is_painted(content, style):
    def changed(mask):
        image = painted.stylize(content, style, content_masks=[mask]).image
        return np.abs(image - untouched).mean(axis=2)[:, 15:17].mean()

    quick = {**SMALL, "steps": "10", "scales": 1, "size": 32, "tv_weight": 0}
    untouched = stylize(content, style, **{**quick, "style_weight": 0}).image
    painted = Stylizer(**quick)
    line = np.zeros(content.shape[:2], np.float32)
    line[:, 31] = 1
    assert changed(line) > 0.5 * changed(np.ones_like(line))


def test_a_model_in_memory_is_recorded_honestly(content, style, tmp_path):
    layers = keras.layers
    models = [keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(4, 3, activation="relu", name="early"),
        layers.Conv2D(4, 3, strides=2, activation="relu", name="late"), layers.Flatten(),
    ], name="mine") for _ in range(2)]
    given = {"size": 48, "scales": 1, "steps": 2, "content_layers": "late",
             "style_layers": "early"}
    with pytest.warns(UserWarning, match="^model:mine:.* only someone who has it can make"):
        result = stylize(content, style, network=models[0], **given)
    assert {*result.weights} == {"early", "late"} and result.notes[0].startswith("model:mine:")
    result.save(tmp_path / "a.png")
    recorded = json.loads(read_note(tmp_path / "a.png"))
    for each in ("given", "settings"):
        assert recorded[each]["network"] == str(result.settings.network)
    models[0].save(tmp_path / "mine.keras")
    saved = stylize(content, style, network=tmp_path / "mine.keras", **given)
    np.testing.assert_allclose(saved.image, result.image, atol=0.01)
    assert saved.weights == result.weights and not saved.notes
    # Of the same name, for another part.
    both = stylize(content, style, network=models[0], style_network=models[1], **given)
    assert len(both.notes) == 2
    assert both.weights["content/early"] != both.weights["style/early"]


def test_a_preset_is_settings_by_name(content, style):
    given = {name: value for name, value in SMALL.items() if name != "weights"}
    result = stylize(content, style, preset="fast", **given)
    assert (result.given.network, result.given.size.long_side) == ("compact", 48)
    assert Stylizer(preset="fast").settings.weights == "included"
    with pytest.raises(InputError, match=r"^preset=fasst: there is no such preset. All: .*, fast,"):
        stylize(content, style, preset="fasst")
    with pytest.raises(InputError, match=r"^settings and preset: choose one of them"):
        Stylizer(Settings(), preset="fast")


def test_a_network_that_paints_is_called_by_another_function(content, style):
    with pytest.raises(InputError, match=r"^model: .* tf_style.transform_model\('sample:waves'\)"):
        stylize(content, style, model="sample:waves")


def test_pictures_come_as_they_are(content, style):
    """Gray, with alpha, of Pillow's: each like the plain array that it stands for."""
    in_bytes = [np.rint(each * 255).astype(np.uint8) for each in (content, style)]
    found, expected = (small().stylize(*each)
                       for each in (map(Image.fromarray, in_bytes), in_bytes))
    np.testing.assert_array_equal(found.image, expected.image)
    assert found.inputs == expected.inputs and found.inputs.content.startswith("array:")
    in_floats = [each.astype(np.float32) / 255 for each in in_bytes]
    assert small().stylize(*in_floats).inputs == expected.inputs
    gray = small().stylize(content.mean(axis=2), style.mean(axis=2))
    assert gray.content.shape == (36, 48, 3) and np.ptp(gray.content, axis=2).max() == 0
    # A content is seen over white; of a style, what is transparent does not count.
    clear = np.ones_like(content[..., :1])
    clear[:, :24] = 0
    seen = small().stylize(np.concatenate([content, clear], axis=2), style)
    np.testing.assert_allclose(seen.content[:, :15], 1, atol=0.01)
    style[:, :20] = 0.9
    clear = np.ones_like(style[..., :1])
    clear[:, :20] = 0
    hidden = small().stylize(content, np.concatenate([style, clear], axis=2))
    style[:, :20] = 0.1
    assert np.abs(
        small().stylize(content, np.concatenate([style, clear], axis=2)).image - hidden.image
    ).max() == 0


def test_a_texture_has_a_width_and_a_height(style):
    result = stylize(None, style, **{**SMALL, "size": (40, 24)})
    assert result.image.shape == (24, 40, 3) and result.settings.size.plain() == "40x24"


def test_masks_may_be_pillows(content, style):
    mask = np.zeros(content.shape[:2], np.uint8)
    mask[:, :24] = 255
    found, expected = (
        small().stylize(content, style, content_masks=[each]).image
        for each in (Image.fromarray(mask), mask)
    )
    np.testing.assert_array_equal(found, expected)
