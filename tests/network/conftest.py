"""What several tests of networks need: kernels, a saved model, and no downloads."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

from tf_style.image.picture import read_picture
from tf_style.network import download, learned
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.weights import load

VGG16 = ARCHITECTURES["vgg16"]
LAYERS = VGG16.up_to(["block2_conv1"])


@pytest.fixture
def kernels():
    return dict(load(VGG16, LAYERS, "random", seed=5).kernels)


def assert_same(first, second):
    assert list(first) == list(second)
    for name in first:
        for one, other in zip(first[name], second[name], strict=True):
            np.testing.assert_array_equal(one, other)


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


@pytest.fixture
def no_downloads(monkeypatch, tmp_path):
    """Keras' cache, empty; to ask the network for something fails the test."""
    def fetch(*_, **__):
        pytest.fail("something was to be fetched")

    monkeypatch.setattr(download, "fetch", fetch)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    cache = tmp_path / "keras" / "models"
    cache.mkdir(parents=True)
    return cache


@pytest.fixture
def counted(monkeypatch):
    """Learning, counted; by a stand-in that takes no time."""
    calls = []
    monkeypatch.setattr(learned, "read_picture", functools.cache(read_picture))

    def learn(architecture, layers, pictures, *, seed, watch):
        calls.append(len(pictures))
        return load(architecture, layers, "random", seed=seed).kernels

    monkeypatch.setattr(learned.unsupervised, "learn", learn)
    return calls
