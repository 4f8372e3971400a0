"""Which styles suit a photograph."""

import numpy as np
import pytest

from tests.library.conftest import painting
from tf_style.library.palette import Swatch, palette
from tf_style.library.ranking import PARTS, Looks, suitability, texture

MADE_BY = {"style_layers": {"block1_conv1": 3.0, "block5_conv1": 1.0}}


def looks(pictures, strengths=None):
    descriptors = np.zeros((len(pictures), 8), np.float32)
    descriptors[:, -1] = 6.78 if strengths is None else strengths
    descriptors[:, -1] *= np.sqrt(1.5 * 0.25)
    return Looks.of([texture(each) for each in pictures], [palette(each) for each in pictures],
                    descriptors, MADE_BY)


def stripes(width, strength=0.5, side=128):
    """Upright stripes around gray."""
    row = 0.5 + strength * (np.arange(side) // width % 2 - 0.5)
    return np.broadcast_to(row[None, :, None], (side, side, 3)).astype(np.float32)


@pytest.mark.parametrize("scale", range(6))
def test_contrast_of_each_scale(scale):
    found = texture(stripes(2**scale))
    expected = np.zeros(6)
    expected[scale] = 0.25
    np.testing.assert_allclose(found[:6], expected, atol=1e-6)
    assert found[6] == pytest.approx(0.25 * np.sqrt(3), rel=1e-5)


def test_contrasts_add_up_to_the_variance():
    picture = np.random.default_rng(0).random((64, 128, 3), np.float32)
    found = texture(picture)
    light = picture @ [0.2126, 0.7152, 0.0722]
    coarse = light.reshape(1, 64, 2, 64).mean(axis=(1, 3))
    assert np.sum(found[:6] ** 2) == pytest.approx(light.var() - coarse.var(), rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 128), (128, 3), (5, 7)])
def test_strips_have_textures(shape):
    found = texture(np.random.default_rng(0).random((*shape, 3)))
    assert found.shape == (7,) and np.isfinite(found).all()


def test_what_covers_the_photograph_suits_it_less():
    photograph = looks([stripes(16, 0.3)])
    found = suitability(photograph, looks([stripes(16, 0.2), stripes(16, 0.4), stripes(16, 0.9)]))
    assert np.all(np.diff(found.scores) < 0)
    assert found.scales.tolist() == [4, 4, 4]
    assert "large shapes are stronger" in "; ".join(found.reasons(2))
    assert "forms, which stay" in "; ".join(found.reasons(0))


def test_the_scale_that_covers_is_named():
    found = suitability(looks([stripes(16)]), looks([stripes(1), stripes(4), stripes(32)]))
    named = ["; ".join(found.reasons(place)) for place in range(3)]
    assert all(word in each for word, each in
               zip(("fine marks", "strokes", "large shapes"), named, strict=True))


def test_fainter_than_faint_is_no_better():
    found = suitability(looks([stripes(4)]), looks([stripes(4, 0.02), stripes(4, 0.01)]))
    assert found.scores[0] == pytest.approx(found.scores[1], abs=1e-4)
    assert found.scores[0] < 0.8


def test_near_colours_and_clear_shapes_suit_better():
    photograph = painting(0, 96, 128)
    found = suitability(looks([photograph]), looks([photograph, photograph[..., ::-1] * 0.6]))
    assert found.parts["colors"][0] == 0 < found.parts["colors"][1]
    assert "its colours are near the photograph's" in found.reasons(0)
    found = suitability(looks([photograph]), looks([photograph] * 2, [7.5, 6.0]))
    assert found.scores[0] > found.scores[1]
    np.testing.assert_allclose(found.parts["shapes"], [7.5, 6.0], rtol=1e-5)
    assert "it has few shapes of its own" in found.reasons(1)


def test_scores_are_sums_of_the_parts():
    found = suitability(looks([painting(0, 96, 128)]),
                        looks([painting(seed, 96, 128) for seed in range(1, 9)]))
    effects = sum(part.weight * (np.maximum(found.parts[name], part.least) - part.usual)
                  for name, part in PARTS.items())
    np.testing.assert_allclose(np.diff(found.scores), np.diff(effects), rtol=1e-6, atol=1e-9)
    assert all(1 <= len(found.reasons(place)) <= 3 for place in range(8))


def test_a_network_that_is_not_deep_says_nothing_about_shapes():
    pictures = [painting(seed, 96, 128) for seed in range(3)]
    flat = Looks.of([texture(each) for each in pictures], [palette(each) for each in pictures],
                    np.random.default_rng(0).random((3, 8)), {"style_layers": {"block1_conv1": 1}})
    assert np.isnan(flat.shapes).all()
    found = suitability(looks(pictures[:1]), flat)
    assert np.isfinite(found.scores).all()
    assert np.all(PARTS["shapes"].effect(found.parts["shapes"]) == 0)


def test_mean_colours_do_not_depend_on_the_others():
    pictures = [[Swatch("#ff0000", 0.5), Swatch("#ff0000", 0.2)], [Swatch("#102030", 1.0)]]
    both = Looks.of([np.ones(7)] * 2, pictures, np.zeros((2, 8)), MADE_BY).colors
    one = Looks.of([np.ones(7)], pictures[1:], np.zeros((1, 8)), MADE_BY).colors
    np.testing.assert_allclose(both[1], one[0])
    # Red in Oklab, Ottosson, 2020.
    np.testing.assert_allclose(both[0], [0.628, 0.225, 0.126], atol=1e-3)
