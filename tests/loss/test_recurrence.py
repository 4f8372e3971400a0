"""How much of a style recurs in it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import smooth_picture
from tests.loss.test_regions import DEEP, LAYERS, busy, objective
from tf_style import InputError, Settings, stylize
from tf_style.image.style import Style
from tf_style.loss.recurrence import recurrence
from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.choice import choose
from tf_style.network.features import feature_model
from tf_style.network.networks import Network

# A quiet ground, and checks of two colours at one place of it.
GROUND = smooth_picture(5, 192, 256) * np.float32(0.3) + np.float32(0.5)
THING = GROUND.copy()
THING[64:112, 32:80] = busy(48, 48)
TWO = THING.copy()
TWO[64:112, 176:224] = busy(48, 48, 7)


@pytest.fixture(scope="module")
def network():
    model = feature_model(LAYERS, network="compact")
    return Network(model, ARCHITECTURES["compact"], 16, 16)


def at_the_thing(weights):
    """The weight of the middle of the checks on the left, relative to what is far from all."""
    assert weights.shape == (12, 16) and weights.dtype == np.float32
    assert weights.min() >= 0.02 and weights.max() == 1
    return weights[5:7, 3:5].mean() / weights[10:, 8:].mean()


def test_a_thing_that_is_there_once_hardly_counts(network):
    assert at_the_thing(recurrence(network, DEEP, Style(THING))) < 0.2


def test_what_is_there_twice_counts(network):
    assert at_the_thing(recurrence(network, DEEP, Style(TWO))) > 0.6


def test_what_is_masked_is_no_second_one(network):
    mask = np.ones((192, 256), np.float32)
    mask[:, 160:] = 0
    assert at_the_thing(recurrence(network, DEEP, Style(TWO, mask=mask))) < 0.2


def test_where_all_is_alike_all_counts(network):
    weights = recurrence(network, DEEP, Style(np.tile(busy(48, 48), (4, 6, 1))))
    assert weights[2:-2, 2:-2].min() > 0.3


@pytest.mark.parametrize("style", [
    Style(np.full((192, 256, 3), 0.5, np.float32)), Style(busy(8, 256)),
    Style(THING, mask=np.pad(np.ones((32, 32), np.float32), [(0, 160), (0, 224)])),
    Style(THING, share=0),
], ids=["uniform", "narrow", "masked but for a corner", "without a share"])
def test_where_nothing_can_recur_all_counts(network, style):
    np.testing.assert_array_equal(recurrence(network, DEEP, style), [[1]])


def target(network, style, layer):
    return objective(network).targets(THING, [style])[f"style moments {layer}"]


@pytest.mark.parametrize("layer, counts", [
    ("block1_conv1", False), ("block3_conv1", False), ("block4_conv1", True),
])
def test_deep_layers_alone_leave_out_what_hardly_counts(network, layer, counts):
    """As a mask does, but the image itself is compared as a whole."""
    kinds = np.ones((1, 12, 16), np.float32)
    kinds[:, :, :8] = 0
    found, plain = (target(network, Style(THING, kinds=each), layer) for each in (kinds, None))
    assert len(found) == 1 and found[0].keys() == plain[0].keys() == {"goals"}
    means = [each[0]["goals"][0]["target"]["mean"].numpy() for each in (found, plain)]
    changed = np.linalg.norm(means[0] - means[1]) > 0.01 * np.linalg.norm(means[1])
    assert changed == counts
    # So that a step need not be traced again for it.
    tf.nest.assert_same_structure(found, plain)


RUN = {"size": 256, "scales": 1, "steps": 2, "network": "compact", "tolerance": 0}


def test_a_run_weighs_its_styles_and_records_it():
    weighed, plain = (stylize(GROUND, THING, **RUN, **more)
                      for more in ({}, {"style_places": "all"}))
    assert (weighed.settings.style_places, plain.settings.style_places) == ("recurring", "all")
    assert np.abs(weighed.image - plain.image).max() > 0.005
    again = stylize(GROUND, THING, weighed.settings)
    np.testing.assert_array_equal(again.image, weighed.image)


@pytest.mark.parametrize("given", [
    {"style_loss": "gram"}, {"style_layers": "block1_conv1,block3_conv1"}, {"large_forms": 0},
    {"network": "vgg16", "weights": "unsupervised"},
])
def test_all_places_count_where_deep_moments_are_not_compared(given):
    settings, _ = choose(Settings(**{"network": "compact", **given}), weights.settle)
    assert settings.style_places == "all"


def test_places_that_cannot_be_told_apart_are_refused():
    with pytest.raises(InputError, match=r"^style_places=recurring: needs style layers of block 4"):
        stylize(THING, THING, style_places="recurring", style_layers="block1_conv1", **RUN)


@pytest.mark.slow
def test_a_sun_that_is_there_once_is_not_painted_into_the_content(real_vgg19):
    """Another network finds less of it: by the cosine with it, without the style's mean."""
    from tf_style.image.picture import read_picture
    from tf_style.image.resize import fit

    layer = "block5_conv1"
    judge = feature_model(layer, real_vgg19, network="vgg19")
    content, style = (read_picture(f"sample:{name}") for name in ("harbor", "waves"))

    def seen(picture):
        return judge(tf.constant(fit(picture, 256)[None]))[layer][0].numpy().astype(np.float32)

    mean = seen(style).mean(axis=(0, 1))
    rows, columns = seen(style).shape[:2]
    sun = seen(style)[int(0.22 * rows), int(0.76 * columns)] - mean
    likeness = {}
    for places in ("all", "recurring"):
        # Large enough for the deepest layer to have as many positions as count.
        result = stylize(content, style, size=384, network="compact", style_places=places)
        found = seen(result.image) - mean
        cosines = found @ sun / (np.linalg.norm(found, axis=-1) * np.linalg.norm(sun))
        likeness[places] = cosines.max()
    assert likeness["recurring"] < 0.8 * likeness["all"]
