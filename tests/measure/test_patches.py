import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.measure import patches
from tf_style.measure.patches import patch_distance, patch_quantiles

RNG = np.random.default_rng(0)


def pillows(picture, height, width):
    channels = [Image.fromarray(np.float32(picture[..., each])) for each in range(3)]
    return np.stack([np.asarray(each.resize((width, height), Image.Resampling.BILINEAR))
                     for each in channels], axis=-1).astype(np.float64)


def all_patches(level):
    """Those around all pixels; the border is a mirror."""
    height, width = level.shape[:2]

    def mirrored(i, length):
        return -1 - i if i < 0 else 2 * length - 1 - i if i >= length else i

    return np.array([
        [level[mirrored(row + i, height), mirrored(column + j, width)]
         for i in range(-3, 4) for j in range(-3, 4)]
        for row in range(height) for column in range(width)
    ])


def levels_by_hand(picture):
    height, width = picture.shape[:2]
    half = pillows(picture, height // 2, width // 2)
    quarter = pillows(half, height // 4, width // 4)
    return [picture - pillows(half, height, width),
            half - pillows(quarter, height // 2, width // 2), quarter]


def by_hand(*pictures):
    """Quantiles of the projections of all patches of some pictures, at three scales."""
    directions = np.random.default_rng(0).standard_normal((147, 64))
    directions /= np.linalg.norm(directions, axis=0)
    found = []
    for levels in zip(*map(levels_by_hand, pictures), strict=True):
        # A patch's values go channel by channel.
        vectors = np.concatenate(
            [all_patches(level).swapaxes(1, 2).reshape(-1, 147) for level in levels])
        found.append(np.quantile(vectors @ directions, (np.arange(1024) + 0.5) / 1024, axis=0).T)
    return found


def test_patch_distance_by_hand():
    first, second = RNG.random((16, 24, 3)), RNG.random((24, 12, 3)) ** 2
    expected = by_hand(first), by_hand(second)
    for seen, wanted in zip(patch_quantiles([first]), expected[0], strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-5)
    distance = np.mean([
        np.abs(one - other).mean() / other.std(axis=1).mean()
        for one, other in zip(*expected, strict=True)
    ])
    assert patch_distance(patch_quantiles([first]), patch_quantiles([second])) == pytest.approx(
        distance, rel=1e-4)


def test_patches_of_several_pictures_are_pooled():
    pictures = RNG.random((16, 24, 3)), RNG.random((24, 12, 3)) ** 2
    for seen, wanted in zip(patch_quantiles(pictures), by_hand(*pictures), strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-5)


def test_what_is_transparent_does_not_count():
    alpha = np.zeros((64, 64), np.float32)
    alpha[:, :32] = 1
    picture = RNG.random((64, 64, 3)).astype(np.float32)
    # Far from the seam, which patches and coarser scales see across.
    other = np.where(np.arange(64)[None, :, None] < 48, picture, 0)
    for one, another in zip(patch_quantiles([picture], [alpha]), patch_quantiles([other], [alpha]),
                            strict=True):
        np.testing.assert_array_equal(one, another)
    assert patch_distance(patch_quantiles([picture]), patch_quantiles([other])) > 0.05


def test_a_drawn_share_of_the_patches_stands_for_all(monkeypatch):
    picture = fit(read_picture("sample:brushstrokes"), 192)
    everything = patch_quantiles([picture])
    monkeypatch.setattr(patches, "_MOST", 8192)
    assert patch_distance(patch_quantiles([picture]), everything) < 0.02


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 9, 3), (16, 3, 3)])
def test_tiny_and_constant_pictures(shape):
    picture, constant = RNG.random(shape), np.full(shape, 0.3)
    assert patch_distance(*[patch_quantiles([picture])] * 2) == 0
    assert patch_distance(*[patch_quantiles([constant])] * 2) == 0
    assert np.isfinite(patch_distance(patch_quantiles([picture]), patch_quantiles([constant])))


def noised(picture, deviation):
    noise = np.random.default_rng(1).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 1)


def recoloured(picture, degrees):
    """All hues turned around the axis of grays."""
    turn = np.deg2rad(degrees)
    next_, last = np.roll(np.eye(3), 1, axis=0), np.roll(np.eye(3), -1, axis=0)
    matrix = (np.cos(turn) * np.eye(3) + (1 - np.cos(turn)) / 3
              + np.sin(turn) / np.sqrt(3) * (next_ - last))
    return np.clip(picture @ matrix, 0, 1)


# What a person calls better goes first; the first is hardly seen, the others plainly.
ORDERS = {
    "blur": [lambda each, s=s: gaussian_filter(each, (s, s, 0)) for s in (0.4, 1, 4)],
    "noise": [lambda each, s=s: noised(each, s) for s in (0.03, 0.1, 0.3)],
    "recolouring": [lambda each, s=s: recoloured(each, s) for s in (10, 60, 180)],
    "contrast": [lambda each, s=s: 0.5 + s * (each - 0.5) for s in (0.95, 0.7, 0.3)],
}
# What leaves the texture as it is.
SAME = [lambda each: np.roll(each, (31, 17), axis=(0, 1)), lambda each: each[:, ::-1]]
PAINTINGS = ["brushstrokes", "stained_glass", "ink", "waves"]


@pytest.fixture(scope="module")
def paintings():
    return {name: np.asarray(fit(read_picture(f"sample:{name}"), 144), np.float64)
            for name in PAINTINGS}


@pytest.mark.parametrize("name", PAINTINGS)
def test_degradations_are_ordered_as_a_person_would(paintings, name):
    painting = paintings[name]
    itself = patch_quantiles([painting])

    def distance(picture):
        return patch_distance(patch_quantiles([picture]), itself)

    ordered = {kind: [distance(each(painting)) for each in changes]
               for kind, changes in ORDERS.items()}
    same = max(distance(each(painting)) for each in SAME)
    others = min(distance(paintings[each]) for each in PAINTINGS if each != name)
    for kind, distances in ordered.items():
        assert distances == sorted(distances) and distances[-1] > 2 * distances[0], kind
        assert same < distances[1], kind
        assert distances[0] < others, kind
