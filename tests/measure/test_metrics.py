import numpy as np
import pytest
import scipy.linalg

from tf_style.image import color
from tf_style.measure import metrics
from tf_style.measure.metrics import Gaussian, squared_wasserstein
from tf_style.network.features import feature_model

RNG = np.random.default_rng(0)


def gaussian(channels, rank=None):
    factor = RNG.normal(size=(channels, rank or channels))
    return Gaussian(RNG.normal(size=channels), factor @ factor.T)


def test_gaussian_of_features():
    features = RNG.random((5, 6, 3)).astype(np.float32)
    fitted = Gaussian.of(features)
    vectors = features.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(fitted.mean, vectors.mean(axis=0))
    np.testing.assert_allclose(fitted.covariance, np.cov(vectors.T, bias=True))
    assert fitted.covariance.dtype == np.float64


@pytest.mark.parametrize("channels", [1, 4, 32])
def test_squared_wasserstein_against_scipys_square_root(channels):
    first, second = gaussian(channels), gaussian(channels)
    root = scipy.linalg.sqrtm(first.covariance @ second.covariance)
    expected = (
        np.sum((first.mean - second.mean) ** 2)
        + np.trace(first.covariance + second.covariance - 2 * np.real(root))
    )
    assert squared_wasserstein(first, second) == pytest.approx(expected, rel=1e-6)
    assert squared_wasserstein(second, first) == pytest.approx(expected, rel=1e-6)


def test_squared_wasserstein_by_hand():
    one = Gaussian(np.array([0.0, 0.0]), np.diag([1.0, 4.0]))
    other = Gaussian(np.array([3.0, 4.0]), np.diag([9.0, 4.0]))
    assert squared_wasserstein(one, other) == pytest.approx(25 + 4)


def test_squared_wasserstein_of_singular_covariances():
    first = gaussian(16, rank=3)
    assert squared_wasserstein(first, first) == pytest.approx(0, abs=1e-5)
    dead = Gaussian(np.zeros(16), np.zeros((16, 16)))
    assert squared_wasserstein(dead, dead) == 0
    assert squared_wasserstein(first, dead) == pytest.approx(
        np.sum(first.mean**2) + np.trace(first.covariance)
    )


def test_content_similarity():
    features = RNG.random((6, 5, 4))
    assert metrics.content_similarity(features, features) == pytest.approx(1)
    assert metrics.content_similarity(3 * features + np.arange(4), features) == pytest.approx(1)
    assert metrics.content_similarity(-features, features) == pytest.approx(-1)
    assert np.isnan(metrics.content_similarity(np.ones_like(features), features))


def test_edge_agreement():
    picture = RNG.random((20, 30, 3))
    assert metrics.edge_agreement(picture, picture) == pytest.approx(1)
    assert metrics.edge_agreement(1 - picture, picture) == pytest.approx(1)
    assert abs(metrics.edge_agreement(RNG.random((20, 30, 3)), picture)) < 0.2
    assert np.isnan(metrics.edge_agreement(np.ones_like(picture), picture))


@pytest.fixture(scope="module")
def model():
    return feature_model(metrics.STYLE_LAYERS, "random")


def test_the_scale_goes_from_the_style_to_the_content(model, content, style):
    judge = metrics.Judge(model, content, [style])
    untouched = judge.evaluate(content)
    assert untouched.style_distance == pytest.approx(1, abs=1e-6)
    assert untouched.content_similarity == pytest.approx(1, abs=1e-6)
    assert untouched.edge_agreement == pytest.approx(1, abs=1e-6)
    judge = metrics.Judge(model, content, [content[:, ::-1]])
    # Mirrored, colours are the same and the statistics of features are not.
    assert judge.evaluate(content).color_distance == pytest.approx(0, abs=1e-6)
    itself = metrics.Judge(model, style, [content]).evaluate(
        np.asarray(content, np.float32)
    )
    assert itself.style_distance < 0.05


def test_what_is_transparent_of_a_style_does_not_count(model, content, style, monkeypatch):
    # Roots of the deeper layers' matrices take seconds.
    monkeypatch.setattr(metrics, "STYLE_LAYERS", metrics.STYLE_LAYERS[:1])
    alpha = np.zeros(style.shape[:2], np.float32)
    alpha[:, :28] = 1
    noise = np.random.default_rng(0).random(style.shape, np.float32)
    half = np.where(alpha[..., None] > 0, style, noise)
    plain, masked = (metrics.Judge(model, content, [half], alphas).evaluate(style)
                     for alphas in (None, [alpha]))
    assert masked.style_distance < 0.7 * plain.style_distance
    seen = metrics.Judge(model, content, [half], [alpha]).evaluate(half)
    assert seen.color_distance == pytest.approx(
        color.sliced_wasserstein(half, style[:, :28]), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_no_style_distance_where_content_has_the_style_already(seed):
    rng = np.random.default_rng(seed)
    maps = {layer: rng.random((9, 8, 12)) for layer in metrics.STYLE_LAYERS}
    other = {layer: rng.random((9, 8, 12)) for layer in metrics.STYLE_LAYERS}
    assert np.isnan(metrics.style_distance(other, maps, maps))


def test_flattered():
    assert metrics.flattered({"a": "1", "b": "2"}, {"b": "2"})
    assert not metrics.flattered({"a": "1", "b": "2"}, {"b": "3", "c": "1"})
