import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.network.conftest import VGG16
from tf_style.network.choice import Choice, choose
from tf_style.network.kernel_files import digests
from tf_style.network.models import cut_model, vgg_model
from tf_style.network.networks import Network, build, build_for_run, fingerprints
from tf_style.network.weights import load
from tf_style.settings import InputError, Settings

RANDOM = Choice("vgg16", "random")
NAMES = ["block1_conv2", "block2_conv1"]
PICTURE = np.random.default_rng(0).random((1, 24, 20, 3)).astype(np.float32)


def test_a_vgg_network_is_made_of_its_kernels():
    found = build(RANDOM, NAMES, seed=5, pooling="average")
    kernels = load(VGG16, VGG16.up_to(NAMES), "random", seed=5).kernels
    expected = vgg_model(VGG16, NAMES, kernels, pooling="average")(PICTURE)
    maps = found.model(PICTURE)
    assert list(maps) == NAMES
    for name in NAMES:
        np.testing.assert_array_equal(np.asarray(maps[name]), np.asarray(expected[name]))
    assert found.fingerprints == digests(kernels)
    assert found.architecture is VGG16 and found.least_size == 2 and found.cached is None
    assert found.stride == 2 and build(RANDOM, ["block4_conv1"]).stride == 8


def test_a_saved_model_is_cut_and_known_by_its_own_kernels(classifier):
    found = build(Choice(str(classifier), None), ["late"])
    expected = cut_model(classifier, ["late"])
    np.testing.assert_array_equal(
        np.asarray(found.model(PICTURE)["late"]), np.asarray(expected(PICTURE)["late"])
    )
    kernels = {name: expected.get_layer(name).get_weights() for name in ("early", "late")}
    assert found.fingerprints == digests(kernels)
    assert found.architecture is None and found.least_size == 5 and found.cached is None
    assert found.stride == 2


@pytest.mark.parametrize("kind", ["vgg16", "saved"])
def test_any_network_computes_in_the_precision_asked_for(classifier, kind):
    choice, layer = (RANDOM, "block1_conv1") if kind == "vgg16" else (
        Choice(str(classifier), None), "early")
    features = build(choice, [layer], precision="bfloat16").model(PICTURE)[layer]
    assert keras.backend.standardize_dtype(features.dtype) == "bfloat16"


@pytest.mark.parametrize("height, width", [(32, 48), (33, 47), (40, 16), (9, 11), (5, 3)])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_picture_is_continued_by_its_mirror_image(height, width, compiled):
    """To the next multiple, but no further than it goes itself."""
    network = Network(None, stride=16)
    picture = np.random.default_rng(0).random((2, height, width, 3)).astype(np.float32)
    beyond = [(0, min(-side % 16, side)) for side in (height, width)]
    expected = np.pad(picture, ((0, 0), *beyond, (0, 0)), mode="symmetric")
    shape = tf.TensorSpec((2, None, None, 3), tf.float32)
    continued = tf.function(network.continued, [shape]) if compiled else network.continued
    np.testing.assert_array_equal(continued(tf.constant(picture)), expected)


def test_learned_kernels_come_from_the_cache_the_second_time(tmp_path, content, counted):
    first, second = (
        build(Choice("vgg16", "unsupervised"), ["block1_conv1"], seed=3, pictures=[content],
              cache_folder=tmp_path / "mine")
        for _ in range(2)
    )
    assert (first.cached, second.cached) == (False, True)
    assert counted == [2 + 6], "the picture, twice, and the package's samples"
    assert first.fingerprints == second.fingerprints == build(
        RANDOM, ["block1_conv1"], seed=3).fingerprints
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_the_networks_of_a_run_see_the_border_s_own_pixels():
    settings, choices = choose(Settings(
        weights="random", content_layers="block1_conv1", style_layers="block1_conv1",
        precision="float32",
    ))
    network, = build_for_run(choices, settings, [])
    even = np.full((1, 12, 9, 3), 0.7, np.float32)
    maps = np.asarray(network.model(even)["block1_conv1"])
    assert maps.max() > 1
    np.testing.assert_allclose(maps, np.broadcast_to(maps[:, 5:6, 4:5], maps.shape), rtol=1e-4)


def test_the_networks_of_a_run_follow_its_settings(tmp_path, content, counted):
    settings, choices = choose(Settings(
        weights="random", style_network_weights="unsupervised", seed=5, precision="bfloat16",
        pooling="average", content_layers="block2_conv1", style_layers="block1_conv1",
        cache_dir=str(tmp_path / "mine"),
    ))
    first, second = build_for_run(choices, settings, [content], also=["block1_conv2"])
    assert list(first.model.output) == ["block2_conv1", "block1_conv2"]
    assert list(second.model.output) == ["block1_conv1", "block1_conv2"]
    assert counted == [2 + 6] and (first.cached, second.cached) == (None, False)
    assert len(list((tmp_path / "mine").iterdir())) == 1
    assert first.fingerprints == build(RANDOM, NAMES, seed=5).fingerprints
    assert isinstance(first.model.get_layer("block1_pool"), keras.layers.AveragePooling2D)
    for network in (first, second):
        assert {output.dtype for output in network.model.output.values()} == {"bfloat16"}


def test_offline_the_networks_of_a_run_fetch_nothing(no_downloads):
    settings, choices = choose(Settings(weights="imagenet", offline=True, precision="float32"))
    with pytest.raises(InputError, match="offline"):
        build_for_run(choices, settings, [])


def test_two_networks_are_told_apart_by_the_part_they_see_to(classifier):
    content = Choice("vgg16", "random", {"block1_conv1": 1.0})
    style = Choice(str(classifier), None, {}, {"early": 1.0})
    networks = [build(each, each.names) for each in (content, style)]
    own = [network.fingerprints for network in networks]
    assert fingerprints([content], networks[:1]) == own[0]
    assert fingerprints([content, style], networks) == {
        "content/block1_conv1": own[0]["block1_conv1"], "style/early": own[1]["early"]
    }
