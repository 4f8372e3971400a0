import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.content import content_loss
from tf_style.loss.objective import Network, Objective, Style
from tf_style.loss.statistics import gram_matrix
from tf_style.network.features import feature_model
from tf_style.settings import Settings

LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1"]


@pytest.fixture(scope="module")
def model():
    return feature_model(LAYERS, "random")


def settings(**values):
    return Settings(**{
        "content_layers": "block2_conv1", "style_layers": "block1_conv1:3,block1_conv2",
        "style_loss": "gram",
        "content_weight": 2, "style_weight": 5, "tv_weight": 0.5, **values,
    })


def batch(picture):
    return tf.constant(picture[None])


def objective_of(model, settings):
    network = Network(model, settings.content_layers, settings.style_layers)
    return Objective([network], settings)


def styles_of(*pictures):
    return [Style(batch(picture), 1 / len(pictures)) for picture in pictures]


def test_parts_are_weighted_means_over_layers(model, content, style):
    objective = objective_of(model, settings())
    image = batch(content[::-1].copy())
    parts = objective.parts(image, objective.targets(batch(content), styles_of(style)))
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
        image, objective.targets(batch(content), styles_of(style))
    )
    assert loss.numpy() == pytest.approx(sum(float(part) for part in again.values()), rel=1e-6)


def test_gradient_against_finite_differences(model, content, style):
    objective = objective_of(model, settings(tv_weight=0))
    targets = objective.targets(batch(content), styles_of(style))
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


def test_weights_of_zero_leave_the_part_out(model, content, style):
    for name, part in (("content_weight", "content"), ("style_weight", "style"),
                       ("tv_weight", "variation")):
        objective = objective_of(model, settings(**{name: 0}))
        targets = objective.targets(batch(content), styles_of(style))
        _, parts, gradient = objective.value_and_gradient(batch(content), targets)
        assert part not in parts and len(parts) == 2
        assert np.isfinite(gradient).all()


def test_the_contents_own_picture_has_no_content_loss(model, content, style):
    objective = objective_of(model, settings())
    parts = objective.parts(
        batch(content), objective.targets(batch(content), styles_of(style))
    )
    assert parts["content"] == 0 and parts["style"] > 0


def test_several_styles_are_averaged_by_their_statistics(model, content, style):
    objective = objective_of(model, settings())
    one, two, both = (
        objective.targets(batch(content), styles_of(*pictures))["style"]["gram"][0][0]["layers"]
        for pictures in ([style], [content], [style, content])
    )
    for name in both:
        np.testing.assert_allclose(both[name], (one[name] + two[name]) / 2, rtol=1e-5)


def test_styles_without_a_mean_statistic_are_a_weighted_sum(model, content, style):
    objective = objective_of(model, settings(style_loss="phase_match"))
    image = batch(content)
    one, two, both = (
        objective.parts(image, objective.targets(image, styles))["style"].numpy()
        for styles in (
            [Style(batch(style))], [Style(batch(1 - style))],
            [Style(batch(style), 0.25), Style(batch(1 - style), 0.75)],
        )
    )
    assert both == pytest.approx(0.25 * one + 0.75 * two, rel=1e-5)


def test_several_losses_are_added_up(model, content, style):
    image = batch(content)

    def part(style_loss):
        objective = objective_of(model, settings(style_loss=style_loss))
        return objective.parts(image, objective.targets(image, styles_of(style)))["style"].numpy()

    assert part("gram:2,mean_std:0.5") == pytest.approx(
        2 * part("gram") + 0.5 * part("mean_std"), rel=1e-5
    )


def test_two_networks_each_see_to_their_own(model, content, style):
    other = feature_model(LAYERS, "random", seed=1)
    chosen = settings()
    objective = Objective(
        [Network(model, chosen.content_layers, {}), Network(other, {}, chosen.style_layers)], chosen
    )
    image = batch(content[::-1].copy())
    parts = objective.parts(image, objective.targets(batch(content), styles_of(style)))
    for name, alone in (("content", model), ("style", other)):
        one = objective_of(alone, chosen)
        expected = one.parts(image, one.targets(batch(content), styles_of(style)))
        assert parts[name].numpy() == pytest.approx(expected[name].numpy(), rel=1e-5)


def test_each_region_has_a_style_of_its_own(model, content, style):
    """Where the halves of the image are two style pictures, their regions have no style loss."""
    halves = np.zeros((2, *content.shape[:2], 1), np.float32)
    middle = content.shape[1] // 2
    halves[0, :, : middle - 8] = halves[1, :, middle + 8 :] = 1
    left, right = (tf.constant(half[None]) for half in halves)
    objective = objective_of(model, settings())
    image = batch(content)
    same = [Style(image, 0.5, left, left), Style(image, 0.5, right, right)]
    swapped = [Style(image, 0.5, right, left), Style(image, 0.5, left, right)]
    targets = objective.targets(image, same)
    assert objective.parts(image, targets)["style"].numpy() == pytest.approx(0, abs=1e-6)
    assert objective.parts(image, objective.targets(image, swapped))["style"].numpy() > 1e-3
    one = objective.targets(image, [Style(batch(1 - content), 1.0, None, left)])
    alone = objective_of(model, settings(content_weight=0, tv_weight=0))
    _, _, gradient = alone.value_and_gradient(image, one)
    assert not gradient[:, :, middle:].numpy().any() and gradient[:, :, :middle].numpy().any()


def test_style_weight_means_the_same_at_another_size(model, content, style):
    def parts(scale):
        picture, painting = (np.kron(each, np.ones((scale, scale, 1), np.float32))
                             for each in (content, style))
        objective = objective_of(model, settings())
        targets = objective.targets(batch(picture), styles_of(painting))
        return objective.parts(batch(np.clip(picture + 0.1, 0, 1)), targets)

    small, large = parts(2), parts(4)
    for name in ("content", "style"):
        assert large[name].numpy() == pytest.approx(small[name].numpy(), rel=0.3)


def test_gradients_are_finite_on_a_black_picture(model):
    black = tf.zeros((1, 16, 16, 3))
    objective = objective_of(model, settings())
    _, _, gradient = objective.value_and_gradient(black, objective.targets(black, [Style(black)]))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("precision, tolerance", [("bfloat16", 0.05), ("float16", 0.03)])
def test_half_precision_keeps_loss_and_gradient(precision, tolerance, content, style):
    found = {}
    for each in ("float32", precision):
        # Gradients as small as those of a large picture, which float16 has no numbers for.
        small = settings(precision=each, content_weight=2e-5, style_weight=5e-5, tv_weight=0)
        objective = objective_of(feature_model(LAYERS, "random", dtype=each), small)
        targets = objective.targets(batch(content), styles_of(style))
        loss, _, gradient = objective.value_and_gradient(batch(1 - content), targets)
        assert loss.dtype == gradient.dtype == tf.float32
        found[each] = loss.numpy(), gradient.numpy()
    assert found[precision][0] == pytest.approx(found["float32"][0], rel=tolerance)
    error = np.linalg.norm(found[precision][1] - found["float32"][1])
    assert error < tolerance * np.linalg.norm(found["float32"][1])


@pytest.mark.parametrize("masked", [False, True])
def test_what_mending_left_in_the_statistics_is_taken_off(model, content, style, masked):
    objective = objective_of(model, settings(style_loss="gram:1,sliced_wasserstein:1"))
    mask = None
    if masked:
        mask = np.zeros((*style.shape[:2], 1), np.float32)
        mask[: len(mask) // 2] = 1
        mask = batch(mask)
    image, again = batch(style), batch(style * 0.9)

    def target(*pictures):
        styles = [Style(picture, mask=mask, mended_again=other) for picture, other in pictures]
        found = objective.targets(batch(content), styles)["style"]
        return {loss: each[0][0]["layers"]["block1_conv2"].numpy() for loss, each in found.items()}

    plain, of_again, mended = (
        target(pair) for pair in ((image, None), (again, None), (image, again))
    )
    np.testing.assert_allclose(
        mended["gram"], 2 * plain["gram"] - of_again["gram"], rtol=1e-4, atol=1e-6
    )
    assert np.abs(mended["gram"] - plain["gram"]).max() > 0
    # Not a mean over positions: as it is.
    np.testing.assert_array_equal(mended["sliced_wasserstein"], plain["sliced_wasserstein"])
