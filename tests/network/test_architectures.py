import itertools

import keras
import pytest

from tf_style.network.architectures import ARCHITECTURES
from tf_style.settings import NETWORKS, WEIGHTS, InputError


@pytest.mark.parametrize("name, convolutions", [("vgg16", 13), ("vgg19", 16), ("compact", 10)])
def test_number_of_convolutions(name, convolutions):
    assert len(ARCHITECTURES[name].convolutions) == convolutions


def test_names_match_the_table():
    for name in ("vgg16", "vgg19"):
        architecture = ARCHITECTURES[name]
        theirs = getattr(getattr(keras.applications, name), name.upper())(
            weights=None, include_top=False
        )
        assert [layer.name for layer in theirs.layers[1:]] == [
            layer.name for layer in architecture.layers
        ]


def test_the_compact_networks_layers_are_where_vgg16s_are():
    vgg16 = {layer.name: layer for layer in ARCHITECTURES["vgg16"].layers}
    compact = ARCHITECTURES["compact"].layers
    for layer in compact:
        other = vgg16[layer.name]
        assert (layer.pooling, layer.stride) == (other.pooling, other.stride)
        # Its fourth block has one convolution less.
        assert layer.radius == other.radius or layer.name in ("block4_pool", "block5_conv1")
    assert compact[-1].name == "block5_conv1"
    assert all(one.channels == other.inputs for one, other in itertools.pairwise(compact))


def test_only_convolutions_that_are_looked_at_are_read_out():
    names = ["block1_conv1", "block1_pool", "block3_conv1"]
    compact, vgg16 = (ARCHITECTURES[name] for name in ("compact", "vgg16"))
    assert [layer.name for layer in compact.read_out(names)] == ["block1_conv1", "block3_conv1"]
    assert vgg16.read_out(names) == ()


@pytest.mark.parametrize("layer, field, stride", [
    ("block1_conv1", 3, 1), ("block1_conv2", 5, 1), ("block1_pool", 6, 2),
    ("block2_conv1", 10, 2), ("block3_conv3", 40, 4), ("block5_conv3", 196, 16),
])
def test_receptive_fields(layer, field, stride):
    # Worked out by hand: a 3x3 convolution adds two strides, a 2x2 pooling one.
    found = ARCHITECTURES["vgg16"].layer(layer)
    assert (found.field, found.stride) == (field, stride)


def test_the_least_picture_leaves_the_deepest_layer_one_position():
    vgg16 = ARCHITECTURES["vgg16"]
    assert vgg16.least_size(["block1_conv2"]) == 1
    assert vgg16.least_size(["block5_conv1", "block1_conv1"]) == 16


def test_an_unknown_layer_is_answered_with_the_nearest():
    with pytest.raises(InputError) as error:
        ARCHITECTURES["vgg16"].check(["block6_conv1"], "content_layers")
    assert str(error.value) == (
        "content_layers: VGG16 has no layer 'block6_conv1'. Did you mean 'block5_conv1'? "
        "All layers: tf_style --list_layers"
    )


@pytest.mark.parametrize(("name", "nearest"), [
    ("conv1_1x", "block1_conv1"), ("vgg_conv1_1", "block1_conv1"), ("relu4_2b", "block4_conv2"),
    ("vgg16_conv3-4", "block3_conv3"),
])
def test_a_layer_in_others_words_is_answered_with_its_own(name, nearest):
    with pytest.raises(InputError, match=f"Did you mean '{nearest}'"):
        ARCHITECTURES["vgg16"].check([name], "content_layers")


def test_nothing_deeper_than_needed():
    layers = ARCHITECTURES["vgg16"].up_to(["block1_conv1", "block2_conv1"])
    assert [layer.name for layer in layers] == [
        "block1_conv1", "block1_conv2", "block1_pool", "block2_conv1"
    ]


def test_the_settings_know_the_same_networks():
    assert {*NETWORKS} == {*ARCHITECTURES}
    assert {*WEIGHTS} == {word for each in ARCHITECTURES.values() for word in each.weights}
