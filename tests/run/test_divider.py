"""Regions of scenes, kept from one content to the next."""

import numpy as np
import pytest

from tf_style.loss.regions import Regions
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.run.divider import Divider
from tf_style.run.scene import Scene
from tf_style.settings import Settings

LAYERS = ["block3_conv1", "block4_conv1"]


@pytest.fixture(scope="module")
def network():
    return Network(feature_model(LAYERS, network="compact"), ARCHITECTURES["compact"], 8, 8)


def test_styles_that_were_seen_last_are_not_looked_at_again(network, content, style, monkeypatch):
    settings = Settings(style_layers=",".join(LAYERS), style_weight=5, size=48, style_regions=2)
    looked = []
    original = Regions.of
    monkeypatch.setattr(Regions, "of", lambda *given: looked.append(1) or original(*given))
    divider = Divider(settings, network)

    def divided(content, style, **given):
        scene = divider.divide(Scene.of(settings, content, style, **given), pytest.fail)
        assert len(scene.regions) == len(scene.styles[0].kinds) == 2
        return scene

    first, other = divided(content, style), divided(content[::-1], style.copy())
    assert len(looked) == 1
    np.testing.assert_array_equal(first.styles[0].kinds, other.styles[0].kinds)
    assert not np.array_equal(first.regions, other.regions)
    divided(content, style[:, ::-1])
    mask = np.ones(style.shape[:2], np.float32)
    mask[:20] = 0
    divided(content, style[:, ::-1], style_masks=[mask])
    assert len(looked) == 3
