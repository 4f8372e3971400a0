import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tf_style.measure import structure

RNG = np.random.default_rng(0)


def test_content_similarity():
    features = RNG.random((6, 5, 4))
    assert structure.content_similarity(features, features) == pytest.approx(1)
    assert structure.content_similarity(3 * features + np.arange(4), features) == pytest.approx(1)
    assert structure.content_similarity(-features, features) == pytest.approx(-1)


def cosine_without_means(first, second):
    """Of two sets of vectors `(count, channels)`."""
    first, second = (each - each.mean(axis=0) for each in (first, second))
    return np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2))


def test_content_similarity_inside_a_mask():
    generated, content = RNG.random((2, 6, 5, 4))
    generated[:, 2:] += 3 * content[:, 2:]
    inside = np.zeros((6, 5))
    inside[1:4, 2:] = 1
    seen = structure.content_similarity(generated, content, inside)
    hard = inside > 0
    assert seen == pytest.approx(cosine_without_means(generated[hard], content[hard]))
    assert seen > structure.content_similarity(generated, content) + 0.1
    # A soft mask counts a position as often as its weight says.
    weights = RNG.integers(0, 4, (6, 5))
    repeated = (np.repeat(each.reshape(-1, 4), weights.ravel(), axis=0)
                for each in (generated, content))
    assert structure.content_similarity(generated, content, weights / 3) == pytest.approx(
        cosine_without_means(*repeated))


@pytest.mark.parametrize("constant", [1, 0.1, 0])
def test_no_content_similarity_of_a_constant_map(constant):
    features = RNG.random((6, 5, 4)).astype(np.float32)
    same = np.full_like(features, constant)
    rounded = same * (1 + 1e-7 * RNG.standard_normal(same.shape))
    for each in (same, rounded):
        assert np.isnan(structure.content_similarity(each, features))
        assert np.isnan(structure.content_similarity(features, each))
    assert np.isnan(structure.content_similarity(features, features, np.zeros((6, 5))))
    inside = np.zeros((6, 5))
    inside[2, 2] = 1
    assert np.isnan(structure.content_similarity(features, features, inside))


def test_edge_agreement():
    picture = RNG.random((20, 30, 3))
    assert structure.edge_agreement(picture, picture) == pytest.approx(1)
    assert structure.edge_agreement(1 - picture, picture) == pytest.approx(1)
    assert abs(structure.edge_agreement(RNG.random((20, 30, 3)), picture)) < 0.2
    assert np.isnan(structure.edge_agreement(np.ones_like(picture), picture))
    assert np.isnan(structure.edge_agreement(picture[:1], picture[:1]))
    almost = np.full_like(picture, 0.3) + 1e-7 * picture
    assert np.isnan(structure.edge_agreement(almost, picture))


def test_self_similarity_against_scipy():
    generated, content = RNG.random((2, 6, 5, 4))
    expected = np.corrcoef(*(pdist(each.reshape(-1, 4), "cosine")
                             for each in (generated, content)))[0, 1]
    assert structure.self_similarity(generated, content) == pytest.approx(expected)
    assert abs(expected) < 0.2


def test_self_similarity_knows_no_names_of_features():
    content = RNG.normal(size=(7, 5, 6))
    turn, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    assert structure.self_similarity(content, content) == pytest.approx(1)
    assert structure.self_similarity(2 * content @ turn, content) == pytest.approx(1)
    assert abs(structure.self_similarity(content[::-1], content)) < 0.3


def test_self_similarity_of_a_large_map_is_that_of_a_grid_of_it():
    content = RNG.random((80, 70, 3))
    generated = content + RNG.random(content.shape)
    # Every second place of each side leaves 1400 of 5600.
    assert structure.self_similarity(generated, content) == pytest.approx(
        structure.self_similarity(generated[::2, ::2], content[::2, ::2]))


@pytest.mark.parametrize("constant", [
    np.ones((6, 5, 4)), np.zeros((6, 5, 4)),
    np.ones((6, 5, 4)) + 1e-7 * RNG.random((6, 5, 4)),
], ids=["constant", "dead", "rounded"])
def test_no_self_similarity_of_a_constant_map(constant):
    features = RNG.random((6, 5, 4))
    assert np.isnan(structure.self_similarity(constant, features))
    assert np.isnan(structure.self_similarity(features, constant))
    assert np.isnan(structure.self_similarity(features[:1, :1], features[:1, :1]))
