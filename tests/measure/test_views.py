import numpy as np
import pytest

from tf_style.measure.distances import Gaussian, projected_quantiles
from tf_style.measure.nearest import Places
from tf_style.measure.patches import patch_quantiles
from tf_style.measure.views import View

RNG = np.random.default_rng(0)
PICTURES = [RNG.random((16, 20, 3)).astype(np.float32), RNG.random((12, 8, 3)).astype(np.float32)]
MAPS = [{"layer": RNG.normal(size=(8, 10, 5))}, {"layer": RNG.normal(size=(6, 4, 5))}]
# The second picture's left half is transparent.
ALPHAS = [None, np.where(np.arange(8) < 4, np.float32(0), np.float32(1)) * np.ones((12, 1))]


@pytest.mark.parametrize("alphas, opaque, shown", [
    (None, MAPS[1]["layer"], PICTURES[1]),
    (ALPHAS, MAPS[1]["layer"][:, 2:], PICTURES[1][:, 4:]),
], ids=["opaque", "partly transparent"])
def test_several_pictures_are_as_one(alphas, opaque, shown):
    view = View(PICTURES, MAPS, alphas)
    vectors = np.concatenate([MAPS[0]["layer"].reshape(-1, 5), opaque.reshape(-1, 5)])
    colors = np.concatenate([PICTURES[0].reshape(-1, 3), shown.reshape(-1, 3)])
    expected = Gaussian.of(vectors)
    np.testing.assert_allclose(view.gaussian("layer").mean, expected.mean)
    np.testing.assert_allclose(view.gaussian("layer").covariance, expected.covariance)
    np.testing.assert_allclose(view.quantiles("layer"), projected_quantiles(vectors), atol=1e-6)
    np.testing.assert_allclose(view.colors, projected_quantiles(colors), atol=1e-6)
    places, wanted = view.places("layer"), Places.of([each["layer"] for each in MAPS], alphas)
    np.testing.assert_array_equal(places.vectors, wanted.vectors)
    np.testing.assert_array_equal(places.rows, wanted.rows)
    for seen, wanted in zip(view.patches, patch_quantiles(PICTURES, alphas), strict=True):
        np.testing.assert_array_equal(seen, wanted)


def test_statistics_are_computed_once():
    view = View(PICTURES, MAPS)
    assert view.gaussian("layer") is view.gaussian("layer")
    assert view.quantiles("layer") is view.quantiles("layer")
    assert view.colors is view.colors and view.patches is view.patches
