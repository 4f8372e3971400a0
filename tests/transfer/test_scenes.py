"""Scenes drawn at random."""

import numpy as np

from tf_style.transfer.scenes import scene


def test_a_seed_decides_the_scene():
    first = scene(1)
    assert first.shape == (384, 512, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, scene(1))
    assert (first != scene(2)).any()


def test_scenes_have_edges_and_flat_places():
    for seed in range(3):
        gray = scene(seed).mean(-1)
        steps = np.abs(np.diff(gray, axis=1))
        assert (steps > 15).mean() > 0.005
        assert (steps < 8).mean() > 0.5
