import numpy as np
import pytest

from tf_style.measure import metrics
from tf_style.measure.distances import sliced_wasserstein
from tf_style.network.features import feature_model


@pytest.fixture(scope="module")
def model():
    return feature_model(metrics.FINE.layers, "random")


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
        sliced_wasserstein(half, style[:, :28]), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_no_style_distance_where_content_has_the_style_already(seed):
    rng = np.random.default_rng(seed)
    maps = {layer: rng.random((9, 8, 12)) for layer in metrics.STYLE_LAYERS}
    other = {layer: rng.random((9, 8, 12)) for layer in metrics.STYLE_LAYERS}
    assert np.isnan(metrics.style_distance(other, maps, maps))


def test_flattered():
    assert metrics.flattered({"a": "1", "b": "2"}, {"b": "2"})
    assert not metrics.flattered({"a": "1", "b": "2"}, {"b": "3", "c": "1"})
