
import h5py
import keras
import numpy as np
import pytest

from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.settings import InputError

VGG16 = ARCHITECTURES["vgg16"]
LAYERS = VGG16.up_to(["block2_conv1"])


def write_notop(path, kernels):
    """A file in the layout of Keras' own: layer names, and each layer's weight names."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in kernels] + [b"block1_pool"]
        file.create_group("block1_pool").attrs["weight_names"] = []
        for name, arrays in kernels.items():
            group = file.create_group(name)
            names = [f"{name}_W_1:0", f"{name}_b_1:0"][: len(arrays)]
            group.attrs["weight_names"] = [each.encode() for each in names]
            for each, array in zip(names, arrays, strict=True):
                group[each] = array
    return path


@pytest.fixture
def kernels():
    return dict(weights.kernels(VGG16, LAYERS, "random", seed=5))


def assert_same(first, second):
    assert list(first) == list(second)
    for name in first:
        for one, other in zip(first[name], second[name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_random_kernels_are_orthogonal_and_seeded(kernels):
    kernel = kernels["block1_conv2"][0].reshape(-1, 64)
    np.testing.assert_allclose(kernel.T @ kernel, 2 * np.eye(64), atol=1e-5)
    wide = kernels["block1_conv1"][0].reshape(-1, 64)
    np.testing.assert_allclose(wide @ wide.T, 2 * np.eye(27), atol=1e-5)
    assert_same(kernels, weights.kernels(VGG16, LAYERS, "random", seed=5))
    other = weights.kernels(VGG16, LAYERS, "random", seed=6)
    assert not np.array_equal(other["block1_conv1"][0], kernels["block1_conv1"][0])


def test_random_kernels_do_not_depend_on_how_many_are_asked_for(kernels):
    deeper = weights.kernels(VGG16, VGG16.up_to(["block3_conv1"]), "random", seed=5)
    assert_same(kernels, {name: deeper[name] for name in kernels})


def test_notop_file_is_read_by_name(tmp_path, kernels):
    path = write_notop(tmp_path / "a.h5", dict(reversed(kernels.items())))
    assert_same(weights.kernels(VGG16, LAYERS, str(path)), kernels)


def test_a_whole_model_h5_is_read_by_name(tmp_path):
    model = keras.applications.VGG16(weights=None, include_top=False)
    path = tmp_path / "model.h5"
    model.save(path)
    kernel, _ = weights.kernels(VGG16, LAYERS, str(path))["block2_conv1"]
    np.testing.assert_array_equal(kernel, model.get_layer("block2_conv1").get_weights()[0])


def test_complete_keras3_weights_are_read_in_order(tmp_path):
    model = keras.applications.VGG16(weights=None, include_top=False)
    path = tmp_path / "all.weights.h5"
    model.save_weights(path)
    found = weights.kernels(VGG16, VGG16.layers, str(path))
    for name, (kernel, _) in found.items():
        np.testing.assert_array_equal(kernel, model.get_layer(name).get_weights()[0])


def test_incomplete_keras3_weights_are_refused(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(64, 3)])
    path = tmp_path / "few.weights.h5"
    model.save_weights(path)
    with pytest.raises(InputError, match="must hold all 13 convolutions of VGG16"):
        weights.kernels(VGG16, LAYERS, str(path))


def test_a_feature_models_own_weights_are_refused(tmp_path):
    from tf_style.network.features import feature_model

    path = tmp_path / "ours.weights.h5"
    feature_model(["block1_conv1"], "random").save_weights(path)
    with pytest.raises(InputError, match="preprocessing folded in"):
        weights.kernels(VGG16, LAYERS, str(path))


def test_a_missing_layer_is_named_with_what_there_is(tmp_path, kernels):
    del kernels["block1_conv2"]
    path = write_notop(tmp_path / "a.h5", kernels)
    with pytest.raises(InputError) as error:
        weights.kernels(VGG16, LAYERS, str(path))
    assert "no layer 'block1_conv2'; it has block1_conv1, block2_conv1" in str(error.value)


@pytest.mark.parametrize("change, message", [
    (lambda kernel, bias: (kernel[..., :5], bias), "has the shapes 3x3x64x5 and 64"),
    (lambda kernel, bias: (kernel,), "has the shapes 3x3x64x64, expected 3x3x64x64 and 64"),
    (lambda kernel, bias: (kernel, bias * np.nan), "values that are not finite"),
    (lambda kernel, bias: (kernel * np.inf, bias), "values that are not finite"),
])
def test_a_layer_that_does_not_fit_is_named(tmp_path, kernels, change, message):
    with np.errstate(invalid="ignore"):
        kernels["block1_conv2"] = change(*kernels["block1_conv2"])
    path = write_notop(tmp_path / "a.h5", kernels)
    with pytest.raises(InputError) as error:
        weights.kernels(VGG16, LAYERS, str(path))
    assert "layer 'block1_conv2'" in str(error.value) and message in str(error.value)


def test_damaged_and_foreign_files_are_refused(tmp_path, kernels):
    whole = write_notop(tmp_path / "a.h5", kernels).read_bytes()
    paths = [tmp_path / "missing.h5"]
    for number, data in enumerate((b"", b"text", whole[:100], whole[:5000], whole[: -9000])):
        paths.append(tmp_path / f"bad{number}.h5")
        paths[-1].write_bytes(data)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["temperature"] = np.zeros(3)
    for path in (*paths, foreign):
        with pytest.raises(InputError) as error:
            weights.kernels(VGG16, LAYERS, str(path))
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_auto_is_the_file_in_the_environment(tmp_path, kernels, monkeypatch):
    path = write_notop(tmp_path / "a.h5", kernels)
    monkeypatch.setenv("TF_STYLE_WEIGHTS", str(path))
    assert_same(weights.kernels(VGG16, LAYERS), kernels)
    with pytest.raises(InputError, match=r"^\$TF_STYLE_WEIGHTS=.*no layer 'block2_conv2'"):
        weights.kernels(VGG16, VGG16.up_to(["block3_conv1"]))


def test_imagenet_is_fetched_by_keras(tmp_path, kernels, monkeypatch):
    """With a stand-in for the downloader: what is asked for, and that the answer is read."""
    path = write_notop(tmp_path / "a.h5", kernels)
    asked = {}

    def get_file(name, **arguments):
        asked.update(arguments, name=name)
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    assert_same(weights.kernels(VGG16, LAYERS, "imagenet"), kernels)
    assert asked["name"] == "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert asked["origin"] == keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP
    assert asked["cache_subdir"] == "models" and len(asked["file_hash"]) == 32


def test_a_failed_download_says_what_to_do(tmp_path, monkeypatch):
    import socket
    import urllib.request

    seen = []

    def no_network(*arguments, **named):
        seen.append(socket.getdefaulttimeout())
        raise urllib.error.URLError("timed out")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    with pytest.raises(InputError) as error:
        weights.kernels(VGG16, LAYERS, "imagenet")
    text = str(error.value)
    assert "https://storage.googleapis.com/" in text and "--weights=FILE" in text
    assert str(tmp_path / "models") in text and "timed out" in text and "\n" not in text
    assert seen == [weights.DOWNLOAD_TIMEOUT] and socket.getdefaulttimeout() is None
    assert not list((tmp_path / "models").glob("*.h5"))


def test_digests_tell_kernels_apart(kernels):
    before = weights.digests(kernels)
    kernel, bias = kernels["block1_conv1"]
    kernels["block1_conv1"] = kernel, bias + 1
    after = weights.digests(kernels)
    assert [name for name in before if before[name] != after[name]] == ["block1_conv1"]
