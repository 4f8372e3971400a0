"""Learned features: what holds whatever the method is."""

import numpy as np
import pytest

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.network import unsupervised
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.models import vgg_model
from tf_style.network.unsupervised import learn

VGG16 = ARCHITECTURES["vgg16"]
LAYERS = VGG16.up_to(["block2_conv1"])


@pytest.fixture(scope="module")
def pictures():
    return [fit(read_picture(f"sample:{name}"), 160) for name in ("harbor", "ink")]


@pytest.fixture(scope="module")
def kernels(pictures):
    return learn(VGG16, LAYERS, pictures)


def test_shapes_are_the_networks(kernels):
    convolutions = [layer for layer in LAYERS if not layer.pooling]
    assert list(kernels) == [layer.name for layer in convolutions]
    for layer in convolutions:
        kernel, bias = kernels[layer.name]
        assert kernel.shape == (3, 3, layer.inputs, layer.channels)
        assert bias.shape == (layer.channels,)
        assert kernel.dtype == bias.dtype == np.float32


def test_same_pictures_and_seed_give_the_same_bits(pictures, monkeypatch):
    # Bits repeat or not whatever the number of patches.
    monkeypatch.setattr(unsupervised, "PATCHES", 3000)
    kernels, again, other = (learn(VGG16, LAYERS, pictures, seed=seed) for seed in (0, 0, 1))
    for name in kernels:
        for one, two in zip(kernels[name], again[name], strict=True):
            np.testing.assert_array_equal(one, two)
        assert not np.array_equal(kernels[name][0], other[name][0])


def test_they_depend_on_the_pictures(kernels, pictures):
    other = learn(VGG16, VGG16.up_to(["block1_conv1"]), pictures[:1])
    assert not np.allclose(kernels["block1_conv1"][0], other["block1_conv1"][0])


def test_activations_are_alive_and_of_one_size(kernels, pictures):
    model = vgg_model(VGG16, list(kernels), kernels)
    maps = [model(picture[None]) for picture in pictures]
    for name in kernels:
        values = np.concatenate([np.asarray(each[name]).reshape(-1, each[name].shape[-1])
                                 for each in maps])
        assert np.isfinite(values).all()
        assert 0.3 < values.mean() < 3
        assert (values.max(axis=0) > 0).mean() > 0.95, "few channels are dead"


def test_nothing_in_the_pixels_goes_unseen(kernels):
    """Fine lines and colours, which have little variance, reach the first layer, too."""
    strengths = np.linalg.svd(kernels["block1_conv1"][0].reshape(27, -1), compute_uv=False)
    shares = strengths / np.linalg.norm(strengths)
    assert len(shares) == 27 and shares.min() > 0.008


def test_a_layer_does_not_depend_on_how_many_follow(kernels, pictures):
    shallow = learn(VGG16, VGG16.up_to(["block1_conv1"]), pictures)
    np.testing.assert_array_equal(shallow["block1_conv1"][0], kernels["block1_conv1"][0])


@pytest.mark.parametrize("picture", [
    np.full((40, 30, 3), 0.5), np.zeros((16, 16, 3)), np.ones((1, 9, 3)),
    np.random.default_rng(0).random((3, 3, 3)), np.random.default_rng(0).random((16, 16, 3)),
])
def test_odd_pictures_give_finite_kernels(picture):
    for kernel, bias in learn(VGG16, LAYERS, [picture.astype(np.float32)]).values():
        assert np.isfinite(kernel).all() and np.isfinite(bias).all() and kernel.any()


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        learn(VGG16, LAYERS, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_all_layers_are_learned(name, pictures):
    architecture = ARCHITECTURES[name]
    kernels = learn(architecture, architecture.layers, pictures[:1])
    assert list(kernels) == [layer.name for layer in architecture.convolutions]
    assert all(np.isfinite(kernel).all() and kernel.any() for kernel, _ in kernels.values())


@pytest.mark.slow
def test_learned_features_beat_random_ones(real_weights):
    """Less style distance at no less content similarity, by the real kernels."""
    from tf_style import stylize
    from tf_style.measure.metrics import FINE, Judge

    pair = [read_picture(f"sample:{name}") for name in ("grace_hopper", "brushstrokes")]
    judge = Judge(feature_model(FINE.layers, real_weights), pair[0], pair[1:])
    learned, random = (
        judge.evaluate(stylize(*pair, size=256, weights=weights, **settings).image)
        for weights, settings in (
            ("unsupervised", {}),
            ("random", {"content_layers": "block1_conv2", "style_weight": 30,
                        "style_layers": "block1_conv1,block2_conv1,block3_conv1"}),
        )
    )
    assert learned.style_distance < 0.5 and learned.content_similarity > 0.35
    assert learned.style_distance < 0.9 * random.style_distance
    assert learned.content_similarity > random.content_similarity
