"""Grain against NumPy in float64, and what it is measured by."""

import numpy as np
import pytest

from tests.loss.conftest import assert_gradient, batch, objective_of, settings
from tf_style.image.style import Style
from tf_style.loss.grain import grain, grain_of

LEAST = (1 / 255) ** 2


@pytest.fixture
def random():
    return np.random.default_rng(0)


def finer(image):
    """What is left of `(height, width, channels)` without its binomial mean."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    mean = sum(
        (2 - abs(row - 1)) * (2 - abs(column - 1)) / 16
        * padded[row : row + height, column : column + width]
        for row in range(3) for column in range(3)
    )
    return image - mean


def plain(image):
    return np.quantile((finer(image.astype(np.float64)) ** 2).mean(axis=2), 0.25) + LEAST


@pytest.mark.parametrize("shape", [(6, 7, 3), (1, 5, 3), (5, 1, 3), (1, 1, 3)])
def test_value_and_gradient(random, shape):
    image = random.random((1, *shape)).astype(np.float32)
    variance = 0.1 + random.random((1, *shape[:2], 1)).astype(np.float32)

    def expected(image):
        return (finer(image[0]) ** 2 / variance[0]).mean()

    assert grain(image, variance).numpy() == pytest.approx(expected(image), rel=1e-5, abs=1e-9)
    assert_gradient(lambda image: grain(image, variance), expected, image)


def test_each_picture_of_a_batch_counts_by_itself(random):
    images = random.random((2, 6, 7, 3)).astype(np.float32)
    one = np.ones((1, 1, 1, 1), np.float32)
    found = grain(images, one)
    np.testing.assert_allclose(found, [grain(each[None], one)[0] for each in images], rtol=1e-6)


def test_a_dot_counts_more_than_as_much_of_a_line():
    dot, line = np.zeros((2, 1, 16, 16, 3), np.float32)
    dot[:, 2:14:3, 2:14:3] = 1
    line[:, 8] = 1
    one = np.ones((1, 1, 1, 1), np.float32)
    assert dot.sum() == line.sum()
    assert grain(dot, one) > 1.5 * grain(line, one)


def test_it_is_relative_to_the_plain_parts_of_the_style(random):
    style = random.random((20, 30, 3)).astype(np.float32)
    style[:, :20] = 0.5
    assert float(grain_of([Style(style)])[0, 0, 0, 0]) == pytest.approx(LEAST, rel=1e-4)
    noise = style[:, 20:].copy()
    found = float(grain_of([Style(noise)])[0, 0, 0, 0])
    assert found == pytest.approx(plain(noise), rel=1e-4) and found > 1000 * LEAST


def test_what_a_mask_leaves_out_does_not_count(random):
    style = random.random((20, 30, 3)).astype(np.float32)
    style[:, :20] = 0.5
    mask = np.zeros((20, 30), np.float32)
    mask[:, 22:] = 1
    places = (finer(style.astype(np.float64)) ** 2).mean(axis=2)[:, 22:]
    assert float(grain_of([Style(style, mask=mask)])[0, 0, 0, 0]) == pytest.approx(
        np.quantile(places, 0.25) + LEAST, rel=1e-4)
    # One that is nowhere opaque is a style, too.
    faint = Style(style, mask=mask * np.float32(0.2))
    assert grain_of([faint]) == grain_of([Style(style, mask=mask)])


def test_styles_are_blended_by_their_shares(random):
    styles = [Style(scale * random.random((20, 30, 3)).astype(np.float32), share=share)
              for scale, share in ((1, 0.25), (0.2, 0.75))]
    expected = 0.25 * plain(styles[0].picture) + 0.75 * plain(styles[1].picture)
    assert float(grain_of(styles)[0, 0, 0, 0]) == pytest.approx(expected, rel=1e-4)


def test_each_region_of_the_image_has_its_styles(random):
    left = np.zeros((20, 30), np.float32)
    left[:, :10] = 1
    soft = np.zeros((20, 30), np.float32)
    soft[:, 5:20] = 0.5
    styles = [Style(random.random((20, 30, 3)).astype(np.float32), share=0.5, region=region)
              for region in (left, soft)]
    found = grain_of(styles).numpy()[0, ..., 0]
    one, other = (plain(style.picture) for style in styles)
    assert found.shape == (20, 30)
    np.testing.assert_allclose(found[:, 0], one, rtol=1e-4)
    np.testing.assert_allclose(found[:, 7], 1 / (1 / one + 0.5 / other), rtol=1e-4)
    np.testing.assert_allclose(found[:, 15], 2 * other, rtol=1e-4)
    # Where no style goes, nothing asks for less grain.
    assert np.isinf(found[:, 25]).all()


def test_the_objective_has_it_with_a_style_alone(model, random):
    content, style = random.random((2, 40, 48, 3)).astype(np.float32)
    objective = objective_of(model, settings(grain_weight=0.5, tv_weight=0))
    targets = objective.targets(content, [Style(style)])
    expected = 0.5 * (finer(content.astype(np.float64)) ** 2).mean() / plain(style)
    found = objective.parts(batch(content), targets)["grain"]
    assert float(found[0]) == pytest.approx(expected, rel=1e-4)
    assert "grain" not in objective.parts(batch(content), objective.targets(content, []))
