"""Losses of Keras on feature maps: their values, and how they train, save and load."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_style import InputError, PerceptualLoss, StyleLoss, feature_model
from tf_style.loss.style import STYLE_LOSSES

LAYERS = {"block1_conv2": 1.0, "block2_conv1": 3.0}
GENERATOR = np.random.default_rng(0)
TRUTH, OTHER = GENERATOR.random((2, 3, 24, 20, 3)).astype(np.float32)
BOTH = pytest.mark.parametrize("kind", [PerceptualLoss, StyleLoss])


def made(kind, **given):
    return kind(**{"layers": LAYERS, "network": "compact", "reduction": None, **given})


def maps(pictures, **given):
    model = feature_model(list(LAYERS), network="compact", **given)
    return {name: np.asarray(each, np.float64) for name, each in model(pictures).items()}


@pytest.fixture(autouse=True)
def policy():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential([keras.Input((None, None, 3)),
                             layers.Conv2D(8, 3, padding="same", activation="relu"),
                             layers.Conv2D(3, 3, padding="same")])


def test_the_perceptual_loss_is_its_formula():
    first, second = (maps(each, unit_rms=True) for each in (OTHER, TRUTH))
    expected = sum(
        weight * ((first[name] - second[name]) ** 2).mean(axis=(1, 2, 3))
        for name, weight in LAYERS.items()
    ) / 4
    np.testing.assert_allclose(made(PerceptualLoss)(TRUTH, OTHER), expected, rtol=1e-4)
    pixels = np.abs(OTHER.astype(np.float64) - TRUTH).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(
        made(PerceptualLoss, pixel_weight=2)(TRUTH, OTHER), expected + 2 * pixels, rtol=1e-4
    )


def test_the_style_loss_is_its_formula():
    def gram(features):
        rows = features.reshape(len(features), -1, features.shape[-1])
        return np.einsum("bni,bnj->bij", rows, rows) / rows.shape[1]

    first, second = maps(OTHER), maps(TRUTH)
    expected = sum(
        weight * ((gram(first[name]) - gram(second[name])) ** 2).sum(axis=(1, 2))
        / (gram(second[name]) ** 2).sum(axis=(1, 2)) for name, weight in LAYERS.items()
    ) / 4
    np.testing.assert_allclose(made(StyleLoss)(TRUTH, OTHER), expected, rtol=1e-3)


@BOTH
def test_each_picture_counts_by_itself_and_none_at_equality(kind):
    loss = made(kind)
    together = np.asarray(loss(TRUTH, OTHER))
    assert together.shape == (3,) and together.min() > 0.01
    alone = [float(loss(*each)[0]) for each in zip(TRUTH[:, None], OTHER[:, None], strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    assert np.abs(loss(TRUTH, TRUTH)).max() < 1e-4
    assert float(made(kind, reduction="sum")(TRUTH, OTHER)) == pytest.approx(together.sum(), 1e-4)


def test_styles_may_have_another_size_and_one_may_serve_all():
    found = np.asarray(made(StyleLoss)(TRUTH[:1, :17], OTHER))
    each = [float(made(StyleLoss)(TRUTH[:1, :17], one[None])[0]) for one in OTHER]
    np.testing.assert_allclose(found, each, rtol=1e-4)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_every_style_loss_is_there_and_draws_the_same_each_time(name):
    loss = made(StyleLoss, style_loss=name)
    first = np.asarray(loss(TRUTH, OTHER))
    assert np.isfinite(first).all() and first.min() > 0
    np.testing.assert_array_equal(first, loss(TRUTH, OTHER))


@BOTH
@pytest.mark.parametrize("low, high", [(0, 255), (-1, 1)])
def test_pictures_may_have_another_range(kind, low, high):
    more = {"pixel_weight": 1} if kind is PerceptualLoss else {}
    expected = made(kind, **more)(TRUTH, OTHER)
    found = made(kind, input_range=(low, high), **more)(
        *(low + (high - low) * each for each in (TRUTH, OTHER))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@BOTH
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_training_lowers_the_loss(kind, policy, network):
    keras.config.set_dtype_policy(policy)
    network = keras.models.clone_model(network) if policy != "float32" else network
    network.compile(keras.optimizers.Adam(0.01), made(kind, reduction="sum_over_batch_size"))
    losses = network.fit(OTHER, TRUTH, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < 0.95 * losses[0]


def gradient(loss, factor=1.0, **given):
    """Of the loss with respect to the prediction; `factor` is that of a `LossScaleOptimizer`."""
    picture = tf.constant(OTHER)
    with tf.GradientTape() as tape:
        tape.watch(picture)
        value = factor * tf.reduce_sum(loss(TRUTH, picture, **given))
    return tape.gradient(value, picture) / factor


@pytest.mark.parametrize("kind, more", [
    (PerceptualLoss, {}), (PerceptualLoss, {"pixel_weight": 1}), (StyleLoss, {}),
    (StyleLoss, {"style_loss": "mean_std"}), (StyleLoss, {"style_loss": "moments"}),
], ids=str)
def test_half_precision_has_the_gradient_of_float32(kind, more):
    expected = gradient(made(kind, dtype="float32", **more))
    half = made(kind, dtype="float16", **more)
    # As a custom loop has it: eager, its loss or its whole step compiled, with a factor or without.
    for each in (gradient(half), tf.function(gradient)(half, 2.0**15),
                 gradient(tf.function(lambda *pictures: half(*pictures)))):
        assert np.linalg.norm(each - expected) < 0.03 * np.linalg.norm(expected)
    weighted = gradient(half, sample_weight=tf.constant([0.0, 1.0, 2.0]))
    assert np.abs(weighted[0]).max() == 0
    np.testing.assert_allclose(weighted[2], 2 * gradient(half)[2], rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(half(TRUTH, OTHER), made(kind, **more)(TRUTH, OTHER), rtol=0.01)


@pytest.mark.parametrize("kind, more", [
    (PerceptualLoss, {}), *((StyleLoss, {"style_loss": name}) for name in STYLE_LOSSES),
], ids=str)
def test_half_precision_stays_finite_at_equality(kind, more):
    half = made(kind, dtype="float16", **more)
    # The phase of nothing at all turns at once.
    black = [] if more.get("style_loss") == "phase" else [np.zeros_like(TRUTH)]
    for near in (TRUTH, TRUTH + np.float32(1e-3), *black):
        picture = tf.constant(near)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = half(TRUTH, picture)
        assert np.isfinite(tape.gradient(value, picture)).all()


@BOTH
def test_a_compiled_model_learns_in_half_precision_as_in_float32(kind, network):
    weights, changes = network.get_weights(), []
    for dtype in ("float32", "float16"):
        network.set_weights(weights)
        network.compile(keras.optimizers.SGD(0.1),
                        made(kind, dtype=dtype, reduction="sum_over_batch_size"))
        network.fit(OTHER, TRUTH, verbose=0)
        changes.append(network.get_weights()[0] - weights[0])
    expected, found = changes
    assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)


@BOTH
def test_no_gradient_reaches_the_truth_or_the_network(kind):
    loss, truth, picture = made(kind), tf.Variable(TRUTH), tf.Variable(OTHER)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(loss(truth, picture))
    to_truth, to_picture = tape.gradient(value, [truth, picture])
    assert to_truth is None and np.abs(to_picture).max() > 0
    assert not loss._model.trainable_variables


@BOTH
def test_a_compiled_model_is_saved_and_loaded_with_its_losses(kind, network, tmp_path):
    network.compile("adam", made(kind, name="mine", reduction="sum_over_batch_size"),
                    metrics=[made(StyleLoss, style_loss="mean_std")])
    expected = network.evaluate(OTHER, TRUTH, verbose=0, return_dict=True)
    assert {*expected} == {"loss", "style_loss"}
    network.save(tmp_path / "a.keras")
    again = keras.models.load_model(tmp_path / "a.keras")
    assert again.loss.name == "mine"
    assert again.evaluate(OTHER, TRUTH, verbose=0, return_dict=True) == pytest.approx(expected)
    config = made(kind).get_config()
    assert kind.from_config(config).get_config() == config


@BOTH
def test_changed_kernels_are_told(kind):
    config = made(kind, network="vgg16", weights="random").get_config()
    with pytest.warns(UserWarning, match="kernels of vgg16 have changed"):
        kind.from_config({**config, "seed": 1})


@BOTH
def test_a_model_in_memory_is_used_and_not_saved(kind):
    early = keras.layers.Conv2D(4, 3, name="early")
    model = keras.Sequential([keras.Input((24, 20, 3)), early])
    loss = made(kind, network=model, layers="early")
    before = np.asarray(loss(TRUTH, OTHER))
    early.set_weights([2 * each for each in early.get_weights()])
    np.testing.assert_array_equal(loss(TRUTH, OTHER), before)
    with pytest.raises(InputError, match="a model in memory cannot be saved with"):
        loss.get_config()


@pytest.mark.parametrize("kind, given, message", [
    (PerceptualLoss, {"layers": "block9_conv1"}, "^layers: the compact network has no layer"),
    (PerceptualLoss, {"layers": {"block1_conv1": 0}}, "^layers: expected a weight above 0"),
    (PerceptualLoss, {"pixel_weight": -1}, "^pixel_weight: expected a number, at least 0"),
    (StyleLoss, {"style_loss": "grim"}, "^style_loss: expected some of gram"),
    (StyleLoss, {"style_loss": "gram,phase"}, "^style_loss: expected one loss"),
    (StyleLoss, {"input_range": (1, 0)}, "^input_range: expected two numbers"),
    (StyleLoss, {"dtype": "int8"}, "^dtype: expected auto, float32"),
])
def test_what_is_refused(kind, given, message):
    with pytest.raises(InputError, match=message):
        made(kind, **given)
