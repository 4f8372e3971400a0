import subprocess
import sys

import keras
import numpy as np
import pytest

from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import cut_model, feature_model, least_size, vgg_model
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


def test_equals_keras_applications_with_real_kernels(real_weights):
    names = ["block1_conv2", "block2_conv2", "block3_conv3"]
    model = feature_model(names, real_weights)
    theirs = keras.applications.VGG16(weights=None, include_top=False)
    for layer in theirs.layers:
        if layer.name in [each.name for each in model.layers] and layer.get_weights():
            kernel, bias = model.get_layer(layer.name).get_weights()
            if layer.name == "block1_conv1":
                kernel = kernel[:, :, ::-1] / np.float32(255)
            layer.set_weights([kernel, bias])
    expected = keras.Model(theirs.input, [theirs.get_layer(name).output for name in names])(
        keras.applications.vgg16.preprocess_input(PICTURE * 255)
    )
    ours = model(PICTURE)
    for name, reference in zip(names, expected, strict=True):
        reference = np.asarray(reference)
        assert np.abs(np.asarray(ours[name]) - reference).max() <= 1e-4 * reference.max()


def test_edge_padding_differs_at_the_border_alone():
    vgg16 = ARCHITECTURES["vgg16"]
    kernels = weights.load(vgg16, vgg16.up_to(["block1_conv1"]), "random").kernels
    zeros, edge = (
        np.asarray(vgg_model(vgg16, kernels, kernels, padding=padding)(PICTURE)["block1_conv1"])
        for padding in ("zeros", "edge")
    )
    np.testing.assert_allclose(zeros[:, 1:-1, 1:-1], edge[:, 1:-1, 1:-1], rtol=1e-4, atol=1e-4)
    larger = np.pad(PICTURE, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    expected = vgg_model(vgg16, kernels, kernels)(larger)["block1_conv1"][:, 1:-1, 1:-1]
    np.testing.assert_allclose(edge, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(edge - zeros).max() > 1


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


def test_loads_where_tf_style_is_not_installed(tmp_path):
    model = feature_model(["block1_conv2", "block2_conv1"], "random")
    model.save(tmp_path / "features.keras")
    np.save(tmp_path / "picture.npy", PICTURE)
    code = """
import sys
sys.modules["tf_style"] = None  # importing it raises ImportError
import keras, numpy as np
maps = keras.models.load_model("features.keras")(np.load("picture.npy"))
np.savez("maps.npz", **{name: np.asarray(each) for name, each in maps.items()})
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    theirs = np.load(tmp_path / "maps.npz")
    for name, expected in model(PICTURE).items():
        np.testing.assert_array_equal(theirs[name], np.asarray(expected))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A saved model for 32x32 RGB pictures, with a dense top."""
    model = keras.Sequential([
        keras.Input((32, 32, 3)),
        keras.layers.Conv2D(4, 3, activation="relu", name="early"),
        keras.layers.Conv2D(6, 3, strides=2, activation="relu", name="late"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(2, name="top"),
    ])
    path = tmp_path_factory.mktemp("model") / "classifier.keras"
    model.save(path)
    return path


def test_a_saved_model_is_freed_of_its_size(classifier):
    model = feature_model(["early", "late"], network=classifier)
    theirs = keras.models.load_model(classifier)
    picture = PICTURE[:, :32, :32]
    np.testing.assert_allclose(
        np.asarray(model(picture)["early"]), np.asarray(theirs.get_layer("early")(picture)),
        rtol=1e-6,
    )
    assert tuple(model(PICTURE)["late"].shape) == (1, 32, 23, 6)


@pytest.mark.parametrize("layer, message", [
    ("flat", "expected maps of any height and width"),
    ("top", "cannot be cut at top"),
    ("lat", "has no layer 'lat'. Did you mean 'late'?"),
])
def test_layers_that_fix_the_size_are_refused(classifier, layer, message):
    with pytest.raises(InputError) as error:
        feature_model([layer], network=classifier)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_least_size_of_a_saved_model(classifier):
    assert least_size(cut_model(classifier, ["early"])) == 3
    assert least_size(cut_model(classifier, ["late"])) == 5


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "a.keras").write_text("no model")
    for path in (tmp_path / "a.keras", tmp_path / "missing.keras"):
        with pytest.raises(InputError) as error:
            feature_model(["x"], network=path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_arguments_are_checked(classifier):
    with pytest.raises(InputError, match="Did you mean 'block4_conv"):
        feature_model(["block4_conv"], "random")
    with pytest.raises(InputError, match="at least one layer"):
        feature_model([], "random")
    with pytest.raises(InputError, match="a saved model brings its own"):
        feature_model(["early"], "random", network=classifier)


def test_names_match_the_table():
    for name, architecture in ARCHITECTURES.items():
        theirs = getattr(getattr(keras.applications, name), name.upper())(
            weights=None, include_top=False
        )
        assert [layer.name for layer in theirs.layers[1:]] == [
            layer.name for layer in architecture.layers
        ]
