import io
import types

import numpy as np
import pytest
from matplotlib.colors import LogNorm

from tf_style.measure import inspection
from tf_style.show import figures


def all_axes(figure):
    return [axes for part in figure.subfigs or [figure] for axes in part.axes]


def heat_maps(figure):
    """The axes that show an image, without the colour bars."""
    return [axes for axes in all_axes(figure) if axes.images]


@pytest.fixture
def maps():
    generator = np.random.default_rng(0)
    return {"first": generator.random((12, 16, 40)), "second": generator.random((6, 8, 4))}


@pytest.fixture
def picture():
    return np.random.default_rng(1).random((12, 16, 3)).astype(np.float32)


def share(part, layer, loss, length):
    gradient = np.zeros((12, 16, 3), np.float32)
    gradient[3, 4] = length, 0, 0
    return inspection.Share(part, layer, loss, gradient)


def test_most_varied_leaves_out_borders():
    features = np.zeros((32, 32, 3))
    features[0, :, 0] = 100
    features[16, 16, 1] = 1
    features[16:20, 16:20, 2] = 1
    np.testing.assert_array_equal(figures.most_varied(features, 5), [2, 1, 0])
    assert len(figures.most_varied(features[:1, :1], 2)) == 2


def test_relative_distance():
    target = np.array([[2.0, 0.0], [0.0, 0.0]])
    assert figures.relative_distance(target, target) == 0
    assert figures.relative_distance(np.zeros((2, 2)), target) == 1
    assert figures.relative_distance(-target, target) == 4
    assert np.isnan(figures.relative_distance(target, np.zeros((2, 2))))


def test_feature_maps_show_the_most_varied(picture, maps):
    drawn = heat_maps(figures.plot_feature_maps(picture, maps, count=16))
    first = figures.most_varied(maps["first"], 16)
    assert [axes.get_title() for axes in drawn[1:17]] == [f"channel {i}" for i in first]
    np.testing.assert_array_equal(drawn[1].images[0].get_array(), maps["first"][:, :, first[0]])
    assert drawn[0].get_title() == "first\n40 of 16 × 12"
    # Fewer than there is room for.
    assert len(drawn) == 1 + 16 + 1 + 4
    one = figures.plot_feature_maps(picture, {"first": maps["first"]})
    assert len(heat_maps(one)) == 1 + 32


def test_matrices_have_one_scale_for_each_layer():
    gram = np.diag([1.0, 4.0, 2.0]) + 0.5
    signed = np.array([[1, -0.2, 0.1], [-0.2, 1, 0.3], [0.1, 0.3, 1]])
    pictures = {
        "content": {"gram": {"layer": 2 * gram}, "phase": {"layer": signed}},
        "style": {"gram": {"layer": gram}, "phase": {"layer": signed}},
    }
    figure = figures.plot_matrices(pictures, count=2)
    content, style, phase, _ = (axes.images[0] for axes in heat_maps(figure))
    np.testing.assert_array_equal(style.get_array(), [[4.5, 0.5], [0.5, 2.5]])
    assert isinstance(style.norm, LogNorm) and style.norm.vmax == content.norm.vmax == 9
    # Signed values: white is 0. The same channels as above.
    assert phase.norm.vmin == -1 and phase.norm.vmax == 1 and phase.get_cmap().name == "RdBu_r"
    np.testing.assert_array_equal(phase.get_array(), [[1, 0.3], [0.3, 1]])
    titles = [axes.get_title() for axes in heat_maps(figure)]
    assert titles[:2] == ["layer\n1", "0"]


def test_every_matrix_has_a_title():
    assert set(inspection.MATRICES) == set(figures._MATRICES)


def test_reconstructions_are_named_by_layer_and_loss(picture):
    def result(loss):
        return types.SimpleNamespace(image=picture, history=[types.SimpleNamespace(loss=loss)])

    contents = {f"layer{i}": result(0.1 * (i + 1)) for i in range(7)}
    figure = figures.plot_reconstructions(picture, picture, contents, {"layer0": result(0.5)})
    assert [axes.get_title() for axes in heat_maps(figure)] == [
        "content", *(f"layer{i}: loss {0.1 * (i + 1):.2g}" for i in range(7)),
        "style", "layer0: loss 0.5",
    ]


def test_shares_are_of_the_whole(picture):
    shares = [share("content", "a", 3.0, 1.0), share("style", "b", 1.0, -0.75),
              share("variation", "", 0.0, 0.25)]
    figure = figures.plot_shares(picture, shares)
    bars = [axes for axes in all_axes(figure) if axes.patches and axes.get_title()]
    assert [[bar.get_width() for bar in axes.patches] for axes in bars] == [
        [3.0, 1.0, 0.0], [1.0, 0.75, 0.25]
    ]
    assert [[text.get_text() for text in axes.texts] for axes in bars] == [
        ["75 %", "25 %", "0 %"], ["50 %", "38 %", "12 %"]
    ]
    pulls = {axes.get_title(): axes.images[0].get_array() for axes in heat_maps(figure)}
    assert pulls["style: b"][3, 4] == 0.75 and pulls["all together"][3, 4] == 0.5


def test_parts_of_the_image_itself_have_names_of_their_own(picture):
    """The content's pixels count where the style weighs little."""
    shares = [share("content", "a", 3.0, 1.0), share("content", "", 1.0, 0.5),
              share("variation", "", 0.0, 0.25)]
    titles = {axes.get_title() for axes in heat_maps(figures.plot_shares(picture, shares))}
    assert titles >= {"content: a", "the content's pixels", "total variation", "all together"}


def test_pictures_without_anything_to_see(picture):
    """Constant pictures have maps, matrices and gradients of zeros."""
    maps = {"layer": np.zeros((12, 16, 4))}
    gram = {"gram": {"layer": np.zeros((4, 4))}}
    for figure in (
        figures.plot_feature_maps(picture, maps),
        figures.plot_matrices({"content": gram, "style": gram}),
        figures.plot_shares(picture, [share("style", "a", 0.0, 0.0)]),
    ):
        figure.savefig(io.BytesIO(), dpi=50)


def test_all_colour_bars_have_units(picture, maps):
    gram = {"gram": {"layer": np.ones((4, 4))}}
    for figure in (figures.plot_feature_maps(picture, maps),
                   figures.plot_shares(picture, [share("style", "a", 1.0, 1.0)])):
        bars = [axes for axes in all_axes(figure) if axes.get_label() == "<colorbar>"]
        assert bars and all(axes.get_ylabel() for axes in bars)
    part, = figures.plot_matrices({"style": gram}).subfigs
    assert part.get_supxlabel().startswith("mean product of two maps")
