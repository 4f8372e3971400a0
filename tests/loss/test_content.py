"""The content loss against NumPy in float64."""

import numpy as np
import pytest

from tests.loss.conftest import assert_gradient, gradient_of
from tf_style.loss.content import (
    EPSILON,
    content_loss,
    cosine_distance,
    pixel_loss,
    pixel_loss_curvature,
)
from tf_style.loss.statistics import paired_moments
from tf_style.measure.structure import content_similarity


@pytest.fixture(autouse=True)
def rng():
    """The same numbers whichever tests run before."""
    global RNG
    RNG = np.random.default_rng(0)


def test_content_loss_by_hand_and_gradient():
    target = RNG.random((1, 4, 5, 3)).astype(np.float32)

    def reference(maps):
        return np.sum((maps - target) ** 2) / (np.sum(target.astype(np.float64) ** 2) + EPSILON)

    features = RNG.random(target.shape).astype(np.float32)
    assert content_loss(features, target).numpy() == pytest.approx(reference(features), rel=1e-5)
    assert content_loss(target, target) == 0
    assert_gradient(lambda maps: content_loss(maps, target), reference, features)


def test_content_loss_is_free_of_scale():
    features, target = RNG.random((2, 1, 8, 8, 3)).astype(np.float32)
    assert content_loss(features, target).numpy() == pytest.approx(
        content_loss(1000 * features, 1000 * target).numpy(), rel=1e-3
    )


def test_pixel_loss_by_hand_and_gradient():
    content, image = RNG.random((2, 1, 4, 5, 3)).astype(np.float32)

    def reference(pixels):
        return 4 * np.mean((pixels - content) ** 2)

    assert float(pixel_loss(image, content)[0]) == pytest.approx(reference(image), rel=1e-5)
    assert_gradient(lambda pixels: pixel_loss(pixels, content), reference, image)
    slope = gradient_of(lambda pixels: pixel_loss(pixels, content), image) / (image - content)
    np.testing.assert_allclose(slope, pixel_loss_curvature(image.size), rtol=1e-3)
    half = pixel_loss(np.zeros_like(image), np.full_like(image, 0.5))
    assert float(half[0]) == pytest.approx(1), "off by half the range everywhere"


def test_pixel_loss_sees_each_picture_by_itself():
    content, *images = RNG.random((3, 1, 4, 5, 3)).astype(np.float32)
    together = pixel_loss(np.concatenate(images), content)
    assert together.numpy().tolist() == [pixel_loss(each, content)[0] for each in images]


def test_positions_count_as_much_as_their_weights():
    maps, target = RNG.random((2, 2, 4, 5, 3)).astype(np.float32)
    weights = RNG.random((1, 4, 5, 1)).astype(np.float32) * 10
    squares = np.sum(weights * (maps.astype(np.float64) - target) ** 2, axis=(1, 2, 3))
    whole = np.sum(target.astype(np.float64) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(
        content_loss(maps, target, weights=weights), squares / (whole + EPSILON), rtol=1e-5
    )
    np.testing.assert_allclose(pixel_loss(maps, target, weights), 4 * squares / 60, rtol=1e-5)


def structure_loss(maps, content, weights=None):
    own = paired_moments(content, weights, content)
    return cosine_distance(paired_moments(maps, weights, content), own, None)


def test_the_structure_loss_is_the_angle_that_judges_measure():
    content, maps = 10 * RNG.random((2, 1, 6, 5, 3)).astype(np.float32)
    found = float(structure_loss(maps, content)[0])
    assert found == pytest.approx(2 - 2 * content_similarity(maps[0], content[0]), abs=1e-3)

    def reference(values):
        first, second = (each - each.mean(axis=(0, 1, 2)) for each in (values, content))
        sizes = [np.sum(np.mean(each**2, axis=(0, 1, 2))) + EPSILON for each in (first, second)]
        together = np.sum(np.mean(first * second, axis=(0, 1, 2))) + EPSILON
        return 2 - 2 * together / np.sqrt(sizes[0] * sizes[1])

    assert_gradient(lambda each: structure_loss(each, content), reference, maps)


def test_what_the_style_decides_does_not_change_the_structure():
    content = 10 * RNG.random((1, 8, 8, 3)).astype(np.float32)
    changed = 2 * content + np.array([3, 0, -4], np.float32)
    assert float(structure_loss(changed, content)[0]) == pytest.approx(0, abs=1e-4)
    assert float(structure_loss(-content, content)[0]) == pytest.approx(4, abs=1e-3)
    unrelated = 10 * RNG.random((1, 8, 8, 3)).astype(np.float32)
    assert 1 < float(structure_loss(unrelated, content)[0]) < 3


@pytest.mark.parametrize("weights", [None, np.ones((1, 4, 4, 1), np.float32)])
def test_the_structure_of_a_constant_map_has_a_finite_slope(weights):
    flat, rough = np.ones((1, 4, 4, 2), np.float32), RNG.random((1, 4, 4, 2)).astype(np.float32)
    for content, maps in ((flat, rough), (rough, flat), (flat, flat), (0 * flat, 0 * flat)):
        slope = gradient_of(lambda each, content=content: structure_loss(each, content, weights),
                            maps)
        assert np.isfinite(slope).all()
        assert np.isfinite(structure_loss(maps, content, weights)).all()


def test_the_structure_is_seen_more_where_it_weighs_more():
    content = RNG.random((1, 8, 8, 3)).astype(np.float32)
    maps = content.copy()
    maps[:, :4] = RNG.random((1, 4, 8, 3))
    weights = np.ones((1, 8, 8, 1), np.float32)
    weights[:, :4] = 20
    assert structure_loss(maps, content, weights)[0] > 1.3 * structure_loss(maps, content)[0]
    same = structure_loss(maps, content, np.full_like(weights, 7))
    assert float(same[0]) == pytest.approx(float(structure_loss(maps, content)[0]), rel=1e-4)


def test_the_structure_loss_sees_each_picture_by_itself():
    content, *images = RNG.random((3, 1, 4, 5, 3)).astype(np.float32)
    together = structure_loss(np.concatenate(images), content)
    np.testing.assert_allclose(
        together, [structure_loss(each, content)[0] for each in images], rtol=1e-5
    )
