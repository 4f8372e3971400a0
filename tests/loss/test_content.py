"""The content loss against NumPy in float64."""

import numpy as np
import pytest

from tests.loss.conftest import assert_gradient, gradient_of
from tf_style.loss.content import EPSILON, content_loss, pixel_loss, pixel_loss_curvature


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
