import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.content import content_loss
from tf_style.loss.objective import Objective
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
        "content_weight": 2, "style_weight": 5, "tv_weight": 0.5, **values,
    })


def batch(picture):
    return tf.constant(picture[None])


def test_parts_are_weighted_means_over_layers(model, content, style):
    objective = Objective(model, settings())
    image = batch(content[::-1].copy())
    parts = objective.parts(image, objective.targets(batch(content), [batch(style)]))
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
        image, objective.targets(batch(content), [batch(style)])
    )
    assert loss.numpy() == pytest.approx(sum(float(part) for part in again.values()), rel=1e-6)


def test_gradient_against_finite_differences(model, content, style):
    objective = Objective(model, settings(tv_weight=0))
    targets = objective.targets(batch(content), [batch(style)])
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
        objective = Objective(model, settings(**{name: 0}))
        targets = objective.targets(batch(content), [batch(style)])
        _, parts, gradient = objective.value_and_gradient(batch(content), targets)
        assert part not in parts and len(parts) == 2
        assert np.isfinite(gradient).all()


def test_the_contents_own_picture_has_no_content_loss(model, content, style):
    objective = Objective(model, settings())
    parts = objective.parts(
        batch(content), objective.targets(batch(content), [batch(style)])
    )
    assert parts["content"] == 0 and parts["style"] > 0


def test_several_styles_are_averaged_by_their_statistics(model, content, style):
    objective = Objective(model, settings())
    one, two, both = (
        objective.targets(batch(content), [batch(each) for each in styles])["style"]
        for styles in ([style], [content], [style, content])
    )
    for name in both:
        np.testing.assert_allclose(both[name], (one[name] + two[name]) / 2, rtol=1e-5)


def test_style_weight_means_the_same_at_another_size(model, content, style):
    def parts(scale):
        picture, painting = (np.kron(each, np.ones((scale, scale, 1), np.float32))
                             for each in (content, style))
        objective = Objective(model, settings())
        targets = objective.targets(batch(picture), [batch(painting)])
        return objective.parts(batch(np.clip(picture + 0.1, 0, 1)), targets)

    small, large = parts(2), parts(4)
    for name in ("content", "style"):
        assert large[name].numpy() == pytest.approx(small[name].numpy(), rel=0.3)


def test_gradients_are_finite_on_a_black_picture(model):
    black = tf.zeros((1, 16, 16, 3))
    objective = Objective(model, settings())
    _, _, gradient = objective.value_and_gradient(black, objective.targets(black, [black]))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("precision, tolerance", [("bfloat16", 0.05), ("float16", 0.03)])
def test_half_precision_keeps_loss_and_gradient(precision, tolerance, content, style):
    found = {}
    for each in ("float32", precision):
        # Gradients as small as those of a large picture, which float16 has no numbers for.
        small = settings(precision=each, content_weight=2e-5, style_weight=5e-5, tv_weight=0)
        objective = Objective(feature_model(LAYERS, "random", dtype=each), small)
        targets = objective.targets(batch(content), [batch(style)])
        loss, _, gradient = objective.value_and_gradient(batch(1 - content), targets)
        assert loss.dtype == gradient.dtype == tf.float32
        found[each] = loss.numpy(), gradient.numpy()
    assert found[precision][0] == pytest.approx(found["float32"][0], rel=tolerance)
    error = np.linalg.norm(found[precision][1] - found["float32"][1])
    assert error < tolerance * np.linalg.norm(found["float32"][1])
