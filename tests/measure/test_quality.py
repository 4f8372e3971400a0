"""The quality of a result, and a gauge that finds the one that a judge does."""

import numpy as np
import pytest

from tests.library.conftest import painting
from tf_style.measure.metrics import FINE, LARGE, Judge
from tf_style.measure.quality import LAYERS, Gauge, quality
from tf_style.network.features import feature_model

NAN = float("nan")


@pytest.mark.parametrize(("distances", "similarities", "expected"), [
    ((0.5, 0.3), (0.2, 0.6), 2 / (1 / 0.6 + 1 / 0.4)), ((0.2, NAN), (0.8, NAN), 0.8),
    ((1.2, 1.4), (0.5, 0.5), 0), ((0.5, 0.5), (-0.2, 0.1), 0), ((0, 0), (1, 1), 1),
    ((NAN, NAN), (NAN, NAN), 0),
])
def test_quality_against_the_definition(distances, similarities, expected):
    assert quality(distances, similarities) == pytest.approx(expected)


@pytest.fixture(scope="module")
def model():
    layers = dict.fromkeys([*LAYERS, *FINE.layers, *LARGE.layers])
    return feature_model(layers, "included", network="compact")


def test_a_gauge_finds_what_a_judge_does(model):
    content, generated = painting(1), painting(2)
    gauge = Gauge(model, content)
    for style in (painting(3, 70, 90), painting(4, 120, 90)):
        found = Judge(model, content, [style]).evaluate(generated)
        expected = quality([found.style_distance, found.style_distance_large],
                           [found.content_similarity, found.content_similarity_large])
        assert 0 < expected < 1
        assert gauge.quality(generated, style) == pytest.approx(expected, rel=1e-4)
    alpha = np.ones((70, 90), np.float32)
    alpha[:, :45] = 0
    assert gauge.quality(generated, painting(3, 70, 90), alpha) != gauge.quality(
        generated, painting(3, 70, 90))


def test_it_looks_at_pictures_of_all_sizes(model):
    gauge = Gauge(model, painting(1, 4, 120))
    assert 0 <= gauge.quality(painting(1, 3, 96), painting(2)) <= 1
    assert gauge.quality(painting(1, 4, 120), painting(2, 100, 5)) >= 0
