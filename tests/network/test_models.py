import json
import zipfile

import keras
import numpy as np
import pytest

from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.models import (
    cut_model,
    in_order,
    in_precision,
    least_size,
    load_model,
    stride,
    vgg_model,
)
from tf_style.settings import InputError

PICTURE = np.random.default_rng(0).random((1, 67, 50, 3)).astype(np.float32)


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


@pytest.mark.parametrize("pooling, reduce", [("max", np.max), ("average", np.mean)])
def test_each_kind_of_pooling_is_what_it_is_called(pooling, reduce):
    vgg16 = ARCHITECTURES["vgg16"]
    names = ["block1_conv2", "block1_pool"]
    kernels = weights.load(vgg16, vgg16.up_to(names), "random").kernels
    maps = vgg_model(vgg16, names, kernels, pooling=pooling)(PICTURE)
    # The last row of an odd height is left out.
    before = np.asarray(maps["block1_conv2"])[:, :66].reshape(33, 2, 25, 2, 64)
    np.testing.assert_allclose(
        np.asarray(maps["block1_pool"])[0], reduce(before, axis=(1, 3)), rtol=1e-5, atol=1e-5
    )


# With readouts


COMPACT = ARCHITECTURES["compact"]


@pytest.fixture(scope="module")
def compact():
    """Kernels, biases and readouts, none of which is zero or one."""
    random = np.random.default_rng(0)
    kernels = weights.load(COMPACT, COMPACT.layers, "random").kernels
    return {name: (kernel, random.normal(0, 0.1, bias.shape).astype(np.float32),
                   random.normal(0, 0.1, readout.shape).astype(np.float32))
            for name, (kernel, bias, readout) in kernels.items()}


@pytest.mark.parametrize("padding", ["zeros", "edge"])
def test_maps_are_read_behind_the_trunk_that_goes_on_without(compact, padding):
    names = ["block1_conv2", "block2_pool", "block3_conv1"]
    found = vgg_model(COMPACT, names, compact, padding=padding)(PICTURE)
    mean = np.array([103.939, 116.779, 123.68], np.float32)
    maps = PICTURE[..., ::-1] * np.float32(255) - mean
    for layer in COMPACT.up_to(names):
        if layer.pooling:
            maps = keras.ops.max_pool(maps, 2)
            read = maps
        else:
            kernel, bias, readout = compact[layer.name]
            first = padding == "edge" and layer.inputs == 3
            around = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)),
                            mode="edge" if first else "constant")
            maps = keras.ops.relu(keras.ops.conv(around, kernel, padding="valid") + bias)
            read = np.asarray(maps) @ readout[0, 0]
        if layer.name in names:
            error = np.abs(np.asarray(found[layer.name]) - np.asarray(read)).max()
            assert error < 1e-4 * np.abs(read).max(), layer.name
    assert np.asarray(found["block3_conv1"]).min() < 0
    assert list(found) == names


def test_there_are_readouts_of_the_layers_asked_for_alone(compact):
    model = vgg_model(COMPACT, ["block1_pool", "block2_conv1"], compact)
    assert {layer.name for layer in model.layers} == {
        "picture", "rescaling", "block1_conv1_trunk", "block1_conv2_trunk", "block1_pool",
        "block2_conv1_trunk", "block2_conv1",
    }
    assert model.trainable_variables == []


def test_layers_in_the_order_in_which_they_are_computed(compact):
    model = vgg_model(COMPACT, ["block2_conv1", "block1_conv1"], compact, padding="edge")
    assert [(layer.name, passes) for layer, passes in in_order(model, COMPACT)] == [
        ("rescaling", True), ("edge_padding", True), ("block1_conv1_trunk", True),
        ("block1_conv1", False), ("block1_conv2_trunk", True), ("block1_pool", True),
        ("block2_conv1_trunk", True), ("block2_conv1", False),
    ]


@pytest.mark.parametrize("layer, message", [
    ("flat", "expected maps of any height and width"),
    ("top", "cannot be cut at top"),
    ("lat", "has no layer 'lat'. Did you mean 'late'?"),
])
def test_layers_that_fix_the_size_are_refused(classifier, layer, message):
    with pytest.raises(InputError) as error:
        cut_model(classifier, [layer])
    assert message in str(error.value) and "\n" not in str(error.value)


def test_least_size_of_a_saved_model(classifier):
    assert least_size(cut_model(classifier, ["early"])) == 3
    assert least_size(cut_model(classifier, ["late"])) == 5


@pytest.mark.parametrize("layer, expected", [
    (keras.layers.MaxPooling2D(3), 3),
    (keras.layers.Conv2D(3, 3, strides=(2, 4), padding="same"), 4),
    (keras.layers.Conv2D(3, 5, strides=2, padding="valid"), 2),
    (keras.layers.Conv2D(3, 5), 1),
    (keras.layers.UpSampling2D(2), 1),
    (keras.layers.Resizing(8, 8), 1),
])
def test_stride_of_a_saved_model(layer, expected):
    picture = keras.Input((None, None, 3))
    assert stride(keras.Model(picture, {"map": layer(picture)})) == expected


def test_a_model_that_leaves_nothing_is_refused():
    picture = keras.Input((None, None, 3))
    model = keras.Model(picture, {"pool": keras.layers.MaxPooling2D(600)(picture)})
    with pytest.raises(InputError, match="reduce pictures of 512 pixels to nothing"):
        least_size(model)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "a.keras").write_text("no model")
    for path in (tmp_path / "a.keras", tmp_path / "missing.keras"):
        with pytest.raises(InputError) as error:
            cut_model(path, ["x"])
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_model_of_two_pictures_is_refused(tmp_path):
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    path = tmp_path / "two.keras"
    keras.Model(inputs, keras.layers.Add()(inputs)).save(path)
    with pytest.raises(InputError, match="expected a model with one input"):
        load_model(path)


def test_a_saved_model_computes_in_another_precision(classifier):
    exact = cut_model(classifier, ["late"])
    assert in_precision(exact, "float32") is exact
    coarse = in_precision(exact, "bfloat16")
    expected, found = (model(PICTURE)["late"] for model in (exact, coarse))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    error = np.asarray(found, np.float32) - np.asarray(expected)
    assert 0 < np.abs(error).max() < 0.05 * np.asarray(expected).max()
    assert not coarse.trainable and coarse.trainable_variables == []


def test_a_saved_model_of_weights_that_are_not_finite(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    model.layers[0].set_weights([np.full((3, 3, 3, 2), np.nan), np.zeros(2)])
    model.save(tmp_path / "a.keras")
    with pytest.raises(InputError, match="some of its weights are not finite"):
        load_model(tmp_path / "a.keras")


def test_a_saved_model_of_thousands_of_layers(tmp_path):
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.ReLU()(inputs)).save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    config["config"]["layers"] *= 1001
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    load_model(tmp_path / "a.keras")
    with pytest.raises(InputError, match="it has 2002 layers, expected at most 2000"):
        load_model(tmp_path / "b.keras")
