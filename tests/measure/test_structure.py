import numpy as np
import pytest

from tf_style.measure import structure

RNG = np.random.default_rng(0)


def test_content_similarity():
    features = RNG.random((6, 5, 4))
    assert structure.content_similarity(features, features) == pytest.approx(1)
    assert structure.content_similarity(3 * features + np.arange(4), features) == pytest.approx(1)
    assert structure.content_similarity(-features, features) == pytest.approx(-1)
    assert np.isnan(structure.content_similarity(np.ones_like(features), features))


def test_edge_agreement():
    picture = RNG.random((20, 30, 3))
    assert structure.edge_agreement(picture, picture) == pytest.approx(1)
    assert structure.edge_agreement(1 - picture, picture) == pytest.approx(1)
    assert abs(structure.edge_agreement(RNG.random((20, 30, 3)), picture)) < 0.2
    assert np.isnan(structure.edge_agreement(np.ones_like(picture), picture))
