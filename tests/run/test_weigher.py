"""Places of styles that count for large forms."""

import numpy as np
import pytest

from tests.loss.test_recurrence import THING
from tests.loss.test_regions import LAYERS
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.run.divider import Divider
from tf_style.run.scene import Scene
from tf_style.run.weigher import Weigher
from tf_style.settings import Settings

SETTINGS = Settings(style_layers=",".join(LAYERS), style_weight=5, size=64,
                    style_places="recurring", style_regions=2)


@pytest.fixture(scope="module")
def network():
    return Network(feature_model(LAYERS, network="compact"), ARCHITECTURES["compact"], 16, 16)


def scene(*styles, **given):
    return Scene.of(SETTINGS.replace(style_blend=given.pop("style_blend", "auto")),
                    THING[::-1], list(styles), **given)


def test_each_style_has_its_weights(network):
    weighed = Weigher(SETTINGS, network).weigh(scene(THING, THING[:, ::-1]))
    one, two = (each.kinds for each in weighed.styles)
    assert one.shape == two.shape == (1, 12, 16) and weighed.regions is None
    assert np.unravel_index(one[0].argmin(), (12, 16))[1] < 8
    assert np.unravel_index(two[0].argmin(), (12, 16))[1] >= 8


@pytest.mark.parametrize("settings", [{"style_places": "all"}, {"style_weight": 0}], ids=str)
def test_all_places_count_the_same(network, settings):
    given = scene(THING)
    assert Weigher(SETTINGS.replace(**settings), network).weigh(given) is given


def test_of_a_style_in_which_nothing_can_recur_all_counts(network):
    flat = np.full_like(THING, 0.5)
    for shares in ("auto", (1, 0)):
        weighed = Weigher(SETTINGS, network).weigh(scene(THING, flat, style_blend=shares))
        assert [each.kinds.shape for each in weighed.styles] == [(1, 12, 16), (1, 1, 1)]


def test_regions_have_them_as_well(network):
    given = scene(THING)
    weighed = Weigher(SETTINGS, network).weigh(given)
    plain, both = (Divider(SETTINGS, network).divide(each, pytest.fail)
                   for each in (given, weighed))
    np.testing.assert_allclose(
        both.styles[0].kinds, plain.styles[0].kinds * weighed.styles[0].kinds)
    np.testing.assert_array_equal(both.regions, plain.regions)


def test_a_region_of_the_content_may_be_given_beside(network):
    mask = np.zeros(THING.shape[:2], np.float32)
    mask[:, :128] = 1
    alone = SETTINGS.replace(style_regions=1)
    given = Scene.of(alone, THING[::-1], [THING], content_masks=[mask])
    weighed = Weigher(alone, network).weigh(given).styles[0]
    assert weighed.kinds.shape == (1, 12, 16) and weighed.region is given.styles[0].region
