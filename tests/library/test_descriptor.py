import itertools

import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES
from tf_style.library.descriptor import COUNT, Describer
from tf_style.loss.statistics import moments
from tf_style.loss.transport import gaussian_distance, gaussian_target
from tf_style.network.features import feature_model
from tf_style.settings import Settings

COMPACT = Settings(network="compact", precision="float32")


def shallow(**settings):
    return Settings(network="compact", precision="float32",
                    style_layers="block1_conv1,block2_conv1", **settings)


@pytest.fixture(scope="module")
def describer():
    return Describer(COMPACT)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def pictures():
    """Halves of the pictures that come with the package."""
    found = []
    for name in (*CONTENT_SAMPLES, *STYLE_SAMPLES):
        picture = read_picture(f"sample:{name}")
        middle = picture.shape[1] // 2
        found += [fit(picture[:, :middle], 256), fit(picture[:, middle:], 256)]
    return found


def spearman(first, second):
    return np.corrcoef(*(np.argsort(np.argsort(each)) for each in (first, second)))[0, 1]


@pytest.mark.slow
def test_distances_follow_the_objective(describer):
    shown = pictures()
    layers = {"block1_conv1": 3, "block2_conv1": 3, "block3_conv1": 3, "block3_conv3": 3,
              "block4_conv1": 2, "block5_conv1": 2}
    model = feature_model([*layers], network="compact")
    statistics = [
        {layer: moments(features) for layer, features in model(picture[None]).items()}
        for picture in shown
    ]
    targets = [{layer: gaussian_target(each[layer]) for layer in layers} for each in statistics]
    pairs = list(itertools.combinations(range(len(shown)), 2))[::2]
    draw = tf.zeros(2, tf.int32)
    expected = [
        sum(weight / 2 * gaussian_distance(statistics[a][layer], targets[b][layer], draw)[0]
            for layer, weight in layers.items()
            for a, b in ((one, other), (other, one))) / sum(layers.values())
        for one, other in pairs
    ]
    seen = [describer.describe(picture).astype(float) for picture in shown]
    found = [np.sum((seen[one] - seen[other]) ** 2) for one, other in pairs]
    assert spearman(found, expected) > 0.95
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.3)


def test_is_small(describer):
    found = describer.describe(noise(40, 60))
    assert found.dtype == np.float16
    assert found.shape == (COUNT,)
    assert found.nbytes <= 1024
    assert np.isfinite(found).all()


def test_the_same_picture_has_the_same_descriptor(describer):
    again = Describer(COMPACT)
    assert again.origin == describer.origin
    picture = read_picture("sample:ink")
    np.testing.assert_array_equal(again.describe(picture), describer.describe(picture))


def test_size_in_the_file_matters_little(describer):
    picture = read_picture("sample:waves")
    first = describer.describe(picture).astype(float)
    small = describer.describe(fit(picture, 300)).astype(float)
    other = describer.describe(read_picture("sample:ink")).astype(float)
    assert np.sum((first - small) ** 2) < 0.05 * np.sum((first - other) ** 2)


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (700, 3), (8, 8)])
def test_any_shape(describer, shape):
    assert np.isfinite(describer.describe(noise(*shape))).all()


def test_black(describer):
    assert np.isfinite(describer.describe(np.zeros((30, 30, 3), np.float32))).all()


def test_origin_tells_what_must_not_be_compared():
    first = Describer(shallow())
    origins = [
        first.origin,
        Describer(Settings(network="compact", weights="random", precision="float32",
                           style_layers="block1_conv1,block2_conv1")).origin,
        Describer(Settings(network="compact", precision="float32",
                           style_layers="block1_conv1,block2_conv1:2")).origin,
        Describer(Settings(network="compact", precision="float32",
                           style_layers="block1_conv1,block2_conv2")).origin,
        Describer(shallow(pooling="average")).origin,
    ]
    assert len(set(origins)) == len(origins)
    assert all(each.startswith("compact:") for each in origins)


def test_precision_is_no_other_origin():
    exact = Describer(shallow())
    rough = Describer(shallow().replace(precision="bfloat16"))
    assert rough.origin == exact.origin
    picture = read_picture("sample:ink")
    near, far = (each.describe(picture).astype(float) for each in (exact, rough))
    assert np.sum((near - far) ** 2) < 1e-3


def test_style_network_counts():
    of_style = Describer(Settings(network="compact", weights="random", style_network="compact",
                                  style_network_weights="included", precision="float32",
                                  style_layers="block1_conv1,block2_conv1"))
    assert of_style.origin == Describer(shallow()).origin


def test_a_saved_model(tmp_path):
    import keras

    inputs = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(5, 3, activation="relu", name="first")(inputs)
    second = keras.layers.Conv2D(7, 3, strides=2, activation="relu", name="second")(first)
    keras.Model(inputs, second).save(tmp_path / "small.keras")
    described = Describer(Settings(
        network=tmp_path / "small.keras", style_layers="first,second", content_layers="second"))
    found = described.describe(noise(20, 30))
    assert described.origin.startswith("model:")
    assert found.nbytes <= 1024
