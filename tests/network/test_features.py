import importlib
import sys

import keras
import numpy as np
import pytest

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.network.features import feature_model
from tf_style.settings import InputError

PICTURE = np.random.default_rng(0).random((1, 67, 50, 3)).astype(np.float32)
DEEP = ["block1_conv1", "block2_conv2", "block3_conv3", "block4_conv2", "block5_conv1"]


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_equals_keras_applications(network, tmp_path):
    application = getattr(keras.applications, network)
    keras.utils.set_random_seed(0)
    theirs = getattr(application, network.upper())(weights=None, include_top=False)
    for layer in theirs.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, np.random.default_rng(1).normal(size=bias.shape)])
    theirs.save_weights(tmp_path / "all.weights.h5")
    expected = keras.Model(theirs.input, [theirs.get_layer(name).output for name in DEEP])(
        application.preprocess_input(PICTURE * 255)
    )
    ours = feature_model(DEEP, tmp_path / "all.weights.h5", network=network)(PICTURE)
    for name, reference in zip(DEEP, expected, strict=True):
        reference = np.asarray(reference)
        assert np.abs(np.asarray(ours[name]) - reference).max() <= 1e-4 * reference.max()


@pytest.mark.parametrize("network, fixture", [("vgg16", "real_weights"), ("vgg19", "real_vgg19")])
def test_equals_keras_applications_with_real_kernels(network, fixture, request):
    names = ["block1_conv2", "block2_conv2", "block3_conv3"]
    model = feature_model(names, request.getfixturevalue(fixture), network=network)
    application = getattr(keras.applications, network)
    theirs = getattr(application, network.upper())(weights=None, include_top=False)
    for layer in theirs.layers:
        if layer.name in [each.name for each in model.layers] and layer.get_weights():
            kernel, bias = model.get_layer(layer.name).get_weights()
            if layer.name == "block1_conv1":
                kernel = kernel[:, :, ::-1] / np.float32(255)
            layer.set_weights([kernel, bias])
    expected = keras.Model(theirs.input, [theirs.get_layer(name).output for name in names])(
        application.preprocess_input(PICTURE * 255)
    )
    ours = model(PICTURE)
    for name, reference in zip(names, expected, strict=True):
        reference = np.asarray(reference)
        assert np.abs(np.asarray(ours[name]) - reference).max() <= 1e-4 * reference.max()


def test_is_cut_at_the_deepest_layer_and_not_trainable():
    model = feature_model(["block2_conv1"], "random")
    assert [layer.name for layer in model.layers][-1] == "block2_conv1"
    assert model.trainable_variables == []
    assert list(model.output) == ["block2_conv1"]


def test_takes_any_size():
    model = feature_model(["block3_conv1"], "random")
    for height, width in ((4, 4), (33, 70)):
        shape = model(np.zeros((2, height, width, 3), np.float32))["block3_conv1"].shape
        assert tuple(shape) == (2, height // 4, width // 4, 256)


def test_computes_in_bfloat16_on_request():
    exact = feature_model(["block2_conv1"], "random")(PICTURE)["block2_conv1"]
    coarse = feature_model(["block2_conv1"], "random", dtype="bfloat16")(PICTURE)["block2_conv1"]
    assert keras.backend.standardize_dtype(coarse.dtype) == "bfloat16"
    error = np.asarray(coarse, np.float32) - np.asarray(exact)
    assert 0 < np.abs(error).max() < 0.05 * np.asarray(exact).max()


@pytest.mark.parametrize("network, weights", [("vgg16", "random"), ("compact", "auto")])
def test_loads_where_tf_style_is_not_installed(network, weights, tmp_path, monkeypatch):
    model = feature_model(["block1_conv2", "block2_conv1"], weights, network=network)
    model.save(tmp_path / "features.keras")
    for name in list(sys.modules):
        if name.partition(".")[0] == "tf_style":
            monkeypatch.setitem(sys.modules, name, None)
    # What a package has registered, Keras finds without importing it.
    for name in list(keras.saving.get_custom_objects()):
        monkeypatch.delitem(keras.saving.get_custom_objects(), name)
    with pytest.raises(ImportError):
        importlib.import_module("tf_style.network.models")
    theirs = keras.models.load_model(tmp_path / "features.keras", safe_mode=True)(PICTURE)
    for name, expected in model(PICTURE).items():
        np.testing.assert_array_equal(np.asarray(theirs[name]), np.asarray(expected))


def test_a_saved_model_names_those_whose_network_it_was_made_from(tmp_path):
    model = feature_model(["block1_conv1"], network="compact")
    model.save(tmp_path / "a.keras")
    name = keras.models.load_model(tmp_path / "a.keras").name
    assert name.startswith("compact_features_made_from_VGG16")
    for said in ("Simonyan", "Zisserman", "CC_BY_4.0"):
        assert said in name
    assert feature_model(["block1_conv1"], "random", network="compact").name == "compact_features"


def test_a_saved_compact_network_is_a_network_again(tmp_path):
    names = ["block1_conv2", "block1_pool", "block2_conv1"]
    model = feature_model(names, network="compact")
    model.save(tmp_path / "a.keras")
    again = feature_model(names, network=tmp_path / "a.keras")
    for name, expected in model(PICTURE).items():
        np.testing.assert_allclose(np.asarray(again(PICTURE)[name]), np.asarray(expected),
                                   rtol=1e-5, atol=1e-5)


def test_the_compact_network_computes_in_bfloat16():
    exact, coarse = (
        np.asarray(feature_model(["block2_conv1"], network="compact", dtype=dtype)(PICTURE)[
            "block2_conv1"], np.float32) for dtype in ("float32", "bfloat16"))
    assert 0 < np.abs(coarse - exact).max() < 0.05 * np.abs(exact).max()


def test_a_saved_model_is_freed_of_its_size(classifier):
    model = feature_model(["early", "late"], network=classifier)
    theirs = keras.models.load_model(classifier)
    picture = PICTURE[:, :32, :32]
    np.testing.assert_allclose(
        np.asarray(model(picture)["early"]), np.asarray(theirs.get_layer("early")(picture)),
        rtol=1e-6,
    )
    assert tuple(model(PICTURE)["late"].shape) == (1, 32, 23, 6)


def test_arguments_are_checked(classifier):
    with pytest.raises(InputError, match="Did you mean 'block4_conv"):
        feature_model(["block4_conv"], "random")
    with pytest.raises(InputError, match="at least one layer"):
        feature_model([], "random")
    with pytest.raises(InputError, match="a saved model brings its own"):
        feature_model(["early"], "random", network=classifier)


@pytest.mark.slow
def test_feature_model_learns_from_samples_or_pictures():
    pictures = [fit(read_picture(f"sample:{name}"), 160) for name in ("harbor", "ink")]
    models = [feature_model(["block1_conv2"], "unsupervised", pictures=each)
              for each in ((), pictures)]
    maps = [np.asarray(model(pictures[0][None])["block1_conv2"]) for model in models]
    assert maps[0].shape == maps[1].shape and not np.allclose(*maps)


def test_of_a_mapping_the_names_count():
    model = feature_model(dict.fromkeys(["block1_conv2", "block1_conv1"]), "random")
    assert [*model.output] == ["block1_conv2", "block1_conv1"]


def test_layers_may_be_one_text():
    for layers in ("block1_conv2", "block1_conv2, block2_conv1"):
        model = feature_model(layers, network="compact")
        assert list(model.output) == layers.split(", ")


@pytest.mark.parametrize("low, high", [(0, 255), (-1, 1)])
@pytest.mark.parametrize("network", ["compact", "file"])
def test_pictures_may_have_another_range(low, high, network, classifier):
    given = {"compact": ("block2_conv1", {"network": "compact"}),
             "file": ("late", {"network": classifier})}[network]
    layer, given = given
    expected = np.asarray(feature_model(layer, **given)(PICTURE)[layer])
    model = feature_model(layer, **given, input_range=(low, high))
    found = np.asarray(model(low + (high - low) * PICTURE)[layer])
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_model_of_0_to_255_takes_uint8():
    pixels = np.rint(PICTURE * 255).astype(np.uint8)
    model = feature_model("block1_conv2", network="compact", input_range=(0, 255))
    expected = feature_model("block1_conv2", network="compact")(pixels / np.float32(255))
    np.testing.assert_allclose(model(pixels)["block1_conv2"], expected["block1_conv2"],
                               rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("given", [(1, 0), (0, np.nan), (0, np.inf), 255, (0, 1, 2), "ab", None])
def test_a_range_is_black_and_white(given):
    with pytest.raises(InputError, match=r"^input_range: expected two numbers, black and white"):
        feature_model("block1_conv1", network="compact", input_range=given)


def test_a_model_in_memory_is_a_network(classifier):
    whole = keras.models.load_model(classifier)
    model = feature_model("late,early", network=whole)
    expected = feature_model(["late", "early"], network=classifier)(PICTURE)
    for name, each in model(PICTURE).items():
        np.testing.assert_array_equal(np.asarray(each), np.asarray(expected[name]))
    assert whole.trainable and not model.trainable
    with pytest.raises(InputError, match=r"^layers: model:.* has no layer 'x'. All .*early"):
        feature_model("x", network=whole)
    with pytest.raises(InputError, match="a saved model brings its own"):
        feature_model("early", "random", network=whole)


def test_a_model_of_its_makers_class_cannot_be_cut():
    class Own(keras.Model):
        def call(self, pictures):
            return pictures

    with pytest.raises(InputError, match="expected a model with one input, a picture"):
        feature_model("a", network=Own())


@pytest.fixture
def policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name, found", [
    ("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16"), ("bfloat16", "bfloat16"),
])
def test_the_global_policy_is_followed_unless_a_type_is_given(name, found, policy, classifier):
    whole = keras.models.load_model(classifier)
    policy(name)
    for layer, network in (("block2_conv1", "compact"), ("late", whole)):
        features = feature_model(layer, network=network)(PICTURE)[layer]
        assert keras.backend.standardize_dtype(features.dtype) == found
        features = feature_model(layer, network=network, dtype="float32")(PICTURE)[layer]
        assert keras.backend.standardize_dtype(features.dtype) == "float32"


def test_a_policy_that_means_nothing_here_is_named(policy):
    policy("float64")
    with pytest.raises(InputError, match=r"^dtype: expected .* Keras' global policy is float64$"):
        feature_model("block1_conv1", network="compact")


@pytest.mark.parametrize("dtype, input_range", [("float32", (0, 1)), ("bfloat16", (-1, 1))])
def test_maps_are_brought_to_one_size(dtype, input_range):
    layers = ["block1_conv2", "block3_conv2", "block4_pool"]
    given = {"network": "compact", "dtype": dtype, "input_range": input_range}
    plain, scaled = (feature_model(layers, **given, unit_rms=each) for each in (False, True))
    low, high = input_range
    squares = {name: [] for name in layers}
    for name in ("harbor", "brushstrokes", "ink", "stained_glass", "waves"):
        picture = low + (high - low) * fit(read_picture(f"sample:{name}"), 256)[None]
        before, after = plain(picture), scaled(picture)
        for layer, each in after.items():
            each, other = (np.asarray(maps, np.float64) for maps in (each, before[layer]))
            squares[layer].append(np.mean(each**2))
            # One number for the whole map.
            ratio = np.sum(each * other) / np.sum(other**2)
            assert np.abs(each - ratio * other).max() < 0.02 * np.abs(each).max()
    for each in squares.values():
        assert np.mean(each) == pytest.approx(1, rel=0.02)
    assert scaled.name == plain.name and not scaled.trainable_variables
