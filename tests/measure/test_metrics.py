import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.conftest import smooth_picture
from tf_style.image.picture import read_picture
from tf_style.image.resize import fit, resize
from tf_style.measure import metrics
from tf_style.measure.distances import sliced_wasserstein
from tf_style.measure.structure import content_similarity
from tf_style.network.features import feature_model

# One style layer is quicker than four.
QUICK = metrics.Depth(("block1_conv2",), "block1_conv2", "block3_conv1")
RELATIVE = ("style_distance", "gram_distance", "sliced_distance", "local_distance",
            "local_distance_back")
DISTANCES = (*RELATIVE, *(f"{name}_large" for name in RELATIVE), "patch_distance")
LARGE = tuple(each.name for each in dataclasses.fields(metrics.Evaluation)
              if each.name.endswith("_large"))


@pytest.fixture(scope="module")
def model():
    return feature_model(metrics.FINE.layers, "random")


@pytest.fixture(scope="module")
def deep():
    return feature_model([*metrics.FINE.layers, *metrics.LARGE.layers], "random")


def measures(evaluation, names):
    return {name: getattr(evaluation, name) for name in names}


def assert_is_content(seen):
    assert measures(seen, DISTANCES) == pytest.approx(dict.fromkeys(DISTANCES, 1), abs=1e-5)
    kept = ("content_similarity", "content_similarity_large", "content_similarity_masked",
            "content_similarity_masked_large", "edge_agreement", "self_similarity")
    assert measures(seen, kept) == pytest.approx(dict.fromkeys(kept, 1), abs=1e-5)
    assert seen.copied == 0


def assert_is_style(seen):
    names = (*DISTANCES, "color_distance")
    # Roots of rounded matrices are not exact.
    assert measures(seen, names) == pytest.approx(dict.fromkeys(names, 0), abs=2e-3)
    assert seen.copied == pytest.approx(1, abs=0.1)


@pytest.mark.filterwarnings("error")
def test_the_scale_goes_from_the_style_to_the_content(deep, content):
    style = smooth_picture(2, 40, 64)
    judge = metrics.Judge(deep, content, [style], mask=content[..., 0])
    seen = judge.references(content)
    assert list(seen) == ["untouched_content", "style_itself"]
    assert_is_content(judge.evaluate(content))
    assert_is_content(seen["untouched_content"])
    assert_is_style(judge.evaluate(style))
    assert_is_style(seen["style_itself"])
    # As content, the style is another picture.
    for name in ("content_similarity", "edge_agreement", "self_similarity"):
        assert getattr(seen["style_itself"], name) < 0.95
    stretched = np.clip(resize(style, *content.shape[:2]), 0, 1)
    assert seen["style_itself"].content_similarity == pytest.approx(
        judge.evaluate(stretched).content_similarity)


def test_several_styles_themselves(model, content):
    styles = [smooth_picture(2, 40, 64), smooth_picture(3, 64, 40)]
    alpha = np.zeros((40, 64), np.float32)
    alpha[:, 16:] = 1
    seen = metrics.Judge(model, content, styles, [alpha, None], fine=QUICK).references(content)
    names = (*RELATIVE, "patch_distance", "color_distance")
    assert measures(seen["style_itself"], names) == pytest.approx(
        dict.fromkeys(names, 0), abs=1e-3)
    assert seen["style_itself"].copied > 0.9


def test_a_mirrored_picture_has_the_same_colours(model, content):
    judge = metrics.Judge(model, content, [content[:, ::-1]], fine=QUICK)
    assert judge.evaluate(content).color_distance == pytest.approx(0, abs=1e-6)


def test_what_is_transparent_of_a_style_does_not_count(model, content, style):
    alpha = np.zeros(style.shape[:2], np.float32)
    alpha[:, :28] = 1
    noise = np.random.default_rng(0).random(style.shape, np.float32)
    half = np.where(alpha[..., None] > 0, style, noise)
    plain, masked = (
        metrics.Judge(model, content, [half], alphas, fine=QUICK).evaluate(style)
        for alphas in (None, [alpha])
    )
    for name in ("style_distance", "gram_distance", "sliced_distance", "patch_distance",
                 "local_distance_back"):
        assert getattr(masked, name) < 0.9 * getattr(plain, name), name
    seen = metrics.Judge(model, content, [half], [alpha], fine=QUICK).evaluate(half)
    assert seen.color_distance == pytest.approx(
        sliced_wasserstein(half, style[:, :28]), abs=1e-6)


def test_content_inside_a_mask(model, content, style):
    inside = np.zeros(content.shape[:2], np.float32)
    inside[12:36, 16:40] = 1
    kept = np.where(inside[..., None] > 0, content, resize(style, *content.shape[:2]))
    judge = metrics.Judge(model, content, [style], mask=inside, fine=QUICK)
    seen = judge.evaluate(kept)
    first, second = (np.asarray(model(each[None])["block1_conv2"])[0] for each in (kept, content))
    hard = inside > 0
    # The mask has the size of these maps.
    assert seen.content_similarity_masked == pytest.approx(
        content_similarity(first[hard][:, None], second[hard][:, None]), abs=1e-6)
    assert seen.content_similarity_masked > seen.content_similarity + 0.1
    assert np.isnan(metrics.Judge(model, content, [style], fine=QUICK).evaluate(
        kept).content_similarity_masked)


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_measured_is_nan(deep, model, content, style):
    seen = metrics.Judge(model, content, [style]).evaluate(content)
    assert all(np.isnan(getattr(seen, name)) for name in LARGE)
    assert seen.style_distance == pytest.approx(1)
    same = metrics.Judge(deep, content, [content]).evaluate(smooth_picture(3))
    assert all(np.isnan(getattr(same, name)) for name in DISTANCES)
    assert same.color_distance > 0 and same.copied < -0.9
    flat = np.full_like(content, 0.3)
    for pictures in ((flat, style, content), (content, flat, content), (content, style, flat),
                     (flat, flat, flat)):
        seen = metrics.Judge(model, pictures[0], [pictures[1]], fine=QUICK).evaluate(pictures[2])
        plain = pictures[0] is flat or pictures[2] is flat
        assert np.isnan(seen.edge_agreement) == plain
    assert np.isnan(seen.style_distance)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(12, 15), (4, 4), (3, 40), (1, 1)])
def test_small_pictures_are_seen_by_fewer_layers(deep, shape):
    content, style = np.random.default_rng(0).random((2, *shape, 3), np.float32)
    judge = metrics.Judge(deep, content, [style])
    seen = judge.references(content)["untouched_content"]
    assert all(np.isnan(getattr(seen, name)) for name in (*LARGE, "copied"))
    assert (seen.style_distance == pytest.approx(1)) == (min(shape) >= 4)
    assert seen.patch_distance == 1 and not judge.copied_places(content).any()


def test_nearest_places_of_large_pictures_are_searched_in_smaller_ones(
    model, content, style, monkeypatch
):
    content, style = fit(content, 96), fit(style, 96)
    picture = np.clip(0.5 * content + 0.4, 0, 1)
    judge = metrics.Judge(model, content, [style], fine=QUICK)
    whole, small = judge.evaluate(picture), judge.evaluate(fit(picture, 48))
    monkeypatch.setattr(metrics, "_NEAREST_SIDE", 48)
    judge = metrics.Judge(model, content, [style], fine=QUICK)
    local = ("local_distance", "local_distance_back", "copied")
    seen = judge.evaluate(picture)
    assert measures(seen, local) == measures(small, local)
    assert measures(seen, local) != measures(whole, local)
    others = [each.name for each in dataclasses.fields(seen) if each.name not in local]
    np.testing.assert_allclose(*([*measures(each, others).values()] for each in (seen, whole)))
    references = judge.references(picture)
    assert references["untouched_content"].local_distance == 1
    assert references["style_itself"].local_distance == pytest.approx(0, abs=1e-5)
    assert references["style_itself"].copied > 0.95
    assert judge.copied_places(style).shape == style.shape[:2]
    assert judge.copied_places(style).mean() > 0.95


@pytest.fixture(scope="module")
def painting():
    return np.asarray(fit(read_picture("sample:brushstrokes"), 192), np.float32)


@pytest.fixture(scope="module")
def judge(model, painting):
    return metrics.Judge(model, smooth_picture(1, 144, 192), [painting], fine=QUICK)


@pytest.mark.parametrize("row, column", [(40, 64), (41, 67), (42, 66), (79, 3)])
def test_a_pasted_piece_is_copied(judge, painting, row, column):
    picture = smooth_picture(1, 144, 192)
    piece = np.s_[row : row + 64, column : column + 64]
    picture[piece] = painting[48:112, 100:164]
    places = judge.copied_places(picture)
    assert places.dtype == bool and places.shape == (144, 192)
    # What is near the seam sees both pictures. Between the steps of the map less is found.
    inner = np.s_[row + 16 : row + 48, column + 16 : column + 48]
    assert places[inner].mean() > 0.5
    found = places[piece].sum()
    assert found > 0.3 * 64 * 64 and places.sum() - found < 0.01 * places.size
    assert judge.evaluate(picture).copied == pytest.approx(places.mean(), abs=0.01)


def sorted_colours(painting, order):
    """A picture whose lightness follows another's, in exactly a painting's colours."""
    colors = painting.reshape(-1, 3)
    picture = np.empty_like(colors)
    picture[np.argsort(order, axis=None)] = colors[np.argsort(colors.sum(axis=1))]
    return picture.reshape(painting.shape)


@pytest.mark.parametrize("smoothing", [0, 2, 8])
def test_noise_with_the_paintings_colours_is_not_copied(judge, painting, smoothing):
    noise = np.random.default_rng(1).standard_normal(painting.shape[:2])
    texture = sorted_colours(painting, gaussian_filter(noise, smoothing))
    seen = judge.evaluate(texture)
    assert abs(seen.copied) < 0.02 and judge.copied_places(texture).mean() < 0.02
    assert seen.color_distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("changed", [
    lambda painting: np.full_like(painting, painting.mean(axis=(0, 1))),
    lambda painting: np.linspace(0, 1, 192, dtype=np.float32)[:, None] * np.ones_like(painting),
    lambda painting: sorted_colours(painting, np.arange(painting[..., 0].size)),
], ids=["flat", "a gradient", "a gradient of its colours"])
def test_plain_pictures_copy_nothing(judge, painting, changed):
    assert judge.copied_places(changed(painting)).mean() < 0.02


@pytest.mark.parametrize("changed, most", [
    (lambda painting: painting[:, ::-1], 0.1), (lambda painting: painting[::-1], 0.1),
], ids=["mirrored", "upside down"])
def test_a_mirrored_painting_is_hardly_copied(judge, painting, changed, most):
    assert judge.copied_places(changed(painting)).mean() < most


def test_flattered():
    assert metrics.flattered({"a": "1", "b": "2"}, {"b": "2"})
    assert not metrics.flattered({"a": "1", "b": "2"}, {"b": "3", "c": "1"})
    # With two networks, each layer's name follows its part of the loss.
    parts = {"content/a": "1", "style/a": "2"}
    assert metrics.flattered(parts, {"a": "2"}) and metrics.flattered(parts, {"a": "1"})
    assert metrics.flattered(parts, {"a": "3"}) is False


def test_what_a_network_painted_may_be_flattered():
    assert metrics.flattered({"model": "1"}, {"a": "1"}) is None
    assert metrics.flattered({"b": "1"}, {"a": "1"}) is False
