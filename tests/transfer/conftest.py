"""What several tests of networks that paint need."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tf_style.transfer import training, transform
from tf_style.transfer.training import Stage

# A run of a small network that needs no file, to be learned from.
TINY = {"weights": "random", "style_layers": "block1_conv1", "content_layers": "block1_conv2",
        "precision": "float32"}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Networks and crops that are small."""
    for width in ("fine", "fast"):
        monkeypatch.setitem(transform.SHAPES, width, transform.Shape(8, 1, (6, 4)))
    # A second stage is compiled anew, which takes seconds.
    monkeypatch.setattr(training, "STAGES", (Stage(32, 4, 1.0),))


def lively(model: keras.Model, seed: int = 0) -> keras.Model:
    """The same model with normalisations that scale and shift."""
    chance = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.GroupNormalization):
            channels = layer.gamma.shape[0]
            layer.set_weights([chance.uniform(0.5, 1.5, channels), chance.normal(0, 0.3, channels)])
    return model
