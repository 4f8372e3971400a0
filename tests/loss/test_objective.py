import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.conftest import LAYERS, batch, objective_of, settings, styles_of
from tf_style.image.style import Style
from tf_style.loss.content import content_loss
from tf_style.loss.objective import Objective
from tf_style.loss.statistics import gram_matrix
from tf_style.network.features import feature_model
from tf_style.network.networks import Network


def test_parts_are_weighted_means_over_layers(model, content, style):
    objective = objective_of(model, settings())
    image = batch(content[::-1].copy())
    parts = objective.parts(image, objective.targets(content, styles_of(style)))
    maps, of_content, of_style = (model(x) for x in (image, batch(content), batch(style)))

    def style_loss(layer):
        gram, target = (gram_matrix(each[layer]).numpy() for each in (maps, of_style))
        return np.sum((gram - target) ** 2) / np.sum(target**2)

    expected = {
        "content": 2 * content_loss(maps["block2_conv1"], of_content["block2_conv1"]).numpy(),
        "style": 5 * (3 * style_loss("block1_conv1") + style_loss("block1_conv2")) / 4,
    }
    for name, value in expected.items():
        assert parts[name].numpy() == pytest.approx(value, rel=1e-4)
    loss, again, _ = objective.value_and_gradient(
        image, objective.targets(content, styles_of(style))
    )
    assert loss.numpy() == pytest.approx(sum(float(part[0]) for part in again.values()), rel=1e-6)


def test_gradient_against_finite_differences(model, content, style):
    objective = objective_of(model, settings(tv_weight=0))
    targets = objective.targets(content, styles_of(style))
    image = batch(np.clip(content + 0.1, 0, 1))
    _, _, gradient = objective.value_and_gradient(image, targets)
    direction = np.random.default_rng(0).standard_normal(image.shape).astype(np.float32)
    step = 2e-3
    above, below = (
        sum(part.numpy() for part in objective.parts(image + sign * step * direction,
                                                     targets).values())
        for sign in (1, -1)
    )
    assert np.sum(gradient.numpy() * direction) == pytest.approx(
        (above - below) / (2 * step), rel=2e-2
    )


def folded(gradient, height, width):
    """The gradient of a picture, from that of the picture with its mirror image beyond."""
    found = np.array(gradient, np.float64)
    for axis, side in ((1, height), (2, width)):
        found = np.moveaxis(found, axis, 0)
        own, beyond = found[:side].copy(), found[side:]
        own[side - len(beyond) :] += beyond[::-1]
        found = np.moveaxis(own, 0, axis)
    return found


@pytest.mark.parametrize("values", [
    {}, {"content_loss": "cosine", "normalize_gradients": True}, {"style_loss": "phase"},
])
def test_networks_see_the_image_and_the_content_continued(model, style, values):
    """Only networks do: the total variation is that of the image itself."""
    random = np.random.default_rng(0)
    content, image = random.random((2, 45, 57, 3)).astype(np.float32)
    chosen = settings(**values)
    plain = objective_of(model, chosen)
    continuing = dataclasses.replace(plain, networks=[Network(model, stride=16)])
    larger, of_content = (np.pad(each, ((0, 3), (0, 7), (0, 0)), mode="symmetric")
                          for each in (image, content))
    targets = continuing.targets(content, styles_of(style))
    expected_targets = plain.targets(of_content, styles_of(style))
    tf.nest.map_structure(np.testing.assert_array_equal, targets, expected_targets)
    _, parts, gradient = continuing.value_and_gradient(batch(image), targets)
    _, expected, padded = plain.value_and_gradient(batch(larger), {
        key: each for key, each in expected_targets.items() if "variation" not in key})
    variation = {key: each for key, each in targets.items() if "variation" in key}
    _, own, of_variation = plain.value_and_gradient(batch(image), variation)
    for name, part in {**expected, **own}.items():
        assert parts[name].numpy() == pytest.approx(part.numpy(), rel=1e-5)
    np.testing.assert_allclose(
        gradient, folded(padded, 45, 57) + of_variation, atol=1e-6 * np.abs(gradient).max())


def test_weights_of_zero_leave_the_part_out(model, content, style):
    for name, part in (("content_weight", "content"), ("style_weight", "style"),
                       ("tv_weight", "variation")):
        objective = objective_of(model, settings(**{name: 0}))
        targets = objective.targets(content, styles_of(style))
        _, parts, gradient = objective.value_and_gradient(batch(content), targets)
        assert part not in parts
        # Total variation has nothing to smooth where there is no style.
        assert len(parts) == (1 if part == "style" else 2)
        assert np.isfinite(gradient).all()


def test_pixels_take_over_from_maps_where_the_style_weighs_little(model, content, style):
    """With a style weight of a quarter of the content's, by hand."""
    whole, weak = (objective_of(model, settings(content_weight=2, style_weight=each))
                   for each in (2, 0.5))
    image = np.clip(content + 0.1, 0, 1)
    parts, less = (
        each.parts(batch(image), each.targets(content, styles_of(style)))
        for each in (whole, weak)
    )
    pixels = 4 * np.mean((image.astype(np.float64) - content) ** 2)
    assert float(less["content"][0]) == pytest.approx(
        0.25 * float(parts["content"][0]) + 0.75 * 2 * pixels, rel=1e-4)
    assert less["variation"].numpy() == pytest.approx(0.25 * parts["variation"].numpy(), rel=1e-5)
    assert (whole.kept, weak.kept) == (0, 0.75)


def test_the_contents_own_picture_has_no_content_loss(model, content, style):
    objective = objective_of(model, settings())
    parts = objective.parts(
        batch(content), objective.targets(content, styles_of(style))
    )
    assert parts["content"] == 0 and parts["style"] > 0


def test_styles_without_a_mean_statistic_are_a_weighted_sum(model, content, style):
    objective = objective_of(model, settings(style_loss="phase_match"))
    image = batch(content)
    one, two, both = (
        objective.parts(image, objective.targets(content, styles))["style"].numpy()
        for styles in (
            [Style(style)], [Style(1 - style)],
            [Style(style, share=0.25), Style(1 - style, share=0.75)],
        )
    )
    assert both == pytest.approx(0.25 * one + 0.75 * two, rel=1e-5)


def test_several_losses_are_added_up(model, content, style):
    image = batch(content)

    def part(style_loss):
        objective = objective_of(model, settings(style_loss=style_loss))
        return objective.parts(image, objective.targets(content, styles_of(style)))["style"].numpy()

    assert part("gram:2,mean_std:0.5") == pytest.approx(
        2 * part("gram") + 0.5 * part("mean_std"), rel=1e-5
    )


def test_two_networks_each_see_to_their_own(model, content, style):
    other = feature_model(LAYERS, "random", seed=1)
    chosen = settings()
    objective = Objective.of([Network(model), Network(other)], chosen)
    image = batch(content[::-1].copy())
    parts = objective.parts(image, objective.targets(content, styles_of(style)))
    for name, alone in (("content", model), ("style", other)):
        one = objective_of(alone, chosen)
        expected = one.parts(image, one.targets(content, styles_of(style)))
        assert parts[name].numpy() == pytest.approx(expected[name].numpy(), rel=1e-5)


def test_style_weight_means_the_same_at_another_size(model, content, style):
    def parts(scale):
        picture, painting = (np.kron(each, np.ones((scale, scale, 1), np.float32))
                             for each in (content, style))
        objective = objective_of(model, settings())
        targets = objective.targets(picture, styles_of(painting))
        return objective.parts(batch(np.clip(picture + 0.1, 0, 1)), targets)

    small, large = parts(2), parts(4)
    for name in ("content", "style"):
        assert large[name].numpy() == pytest.approx(small[name].numpy(), rel=0.3)


def test_gradients_are_finite_on_a_black_picture(model):
    black = np.zeros((16, 16, 3), np.float32)
    objective = objective_of(model, settings())
    targets = objective.targets(black, [Style(black)])
    _, _, gradient = objective.value_and_gradient(batch(black), targets)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("precision, tolerance", [("bfloat16", 0.05), ("float16", 0.03)])
def test_half_precision_keeps_loss_and_gradient(precision, tolerance, content, style):
    found = {}
    for each in ("float32", precision):
        # Gradients as small as those of a large picture, which float16 has no numbers for.
        small = settings(precision=each, content_weight=2e-5, style_weight=5e-5, tv_weight=0)
        objective = objective_of(feature_model(LAYERS, "random", dtype=each), small)
        targets = objective.targets(content, styles_of(style))
        loss, _, gradient = objective.value_and_gradient(batch(1 - content), targets)
        assert loss.dtype == gradient.dtype == tf.float32
        found[each] = loss.numpy(), gradient.numpy()
    assert found[precision][0] == pytest.approx(found["float32"][0], rel=tolerance)
    error = np.linalg.norm(found[precision][1] - found["float32"][1])
    assert error < tolerance * np.linalg.norm(found["float32"][1])


@pytest.mark.parametrize("changes", [
    {}, {"style_loss": "gram,histogram", "normalize_gradients": True}, {"precision": "float16"},
])
def test_each_picture_of_a_batch_has_the_loss_that_it_has_alone(model, content, style, changes):
    objective = objective_of(model, settings(**changes))
    pictures = [content[::-1].copy(), np.clip(content + 0.2, 0, 1)]
    images = tf.constant(np.stack(pictures))
    targets = objective.targets(content, styles_of(style))
    losses, parts, gradients = objective.value_and_gradient(images, targets)
    assert losses.shape == (2,) and gradients.shape == images.shape
    for place, picture in enumerate(pictures):
        loss, own, gradient = objective.value_and_gradient(batch(picture), targets)
        assert losses[place].numpy() == pytest.approx(loss[0].numpy(), rel=1e-5)
        for name, part in own.items():
            assert parts[name][place].numpy() == pytest.approx(part[0].numpy(), rel=1e-5)
        error = np.linalg.norm(gradients[place] - gradient[0])
        assert error < 1e-4 * np.linalg.norm(gradient)


def test_evened_gradients_have_the_length_of_their_layers_weights(model, content, style):
    """Of each layer's own map: three quarters of the style's weight, and one."""
    chosen = settings(normalize_gradients=True, content_weight=0, tv_weight=0)
    objective = objective_of(model, chosen)
    image = batch(content[::-1].copy())
    maps = model(image)
    pulls = {}

    class Seen:
        def __call__(self, picture, training):
            self.tape = tape
            for name in maps:
                tape.watch(maps[name])
            return maps

    with tf.GradientTape(persistent=True) as tape:
        seen = dataclasses.replace(objective, networks=[Network(Seen())])
        targets = objective.targets(content, styles_of(style))
        loss = tf.add_n(list(seen.parts(image, targets).values()))
    for name in ("block1_conv1", "block1_conv2"):
        pulls[name] = float(tf.reduce_sum(tf.abs(tape.gradient(loss, maps[name]))))
    assert pulls["block1_conv1"] == pytest.approx(5 * 3 / 4, rel=1e-4)
    assert pulls["block1_conv2"] == pytest.approx(5 * 1 / 4, rel=1e-4)
