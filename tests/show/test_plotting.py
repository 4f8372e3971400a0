import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import tf_style
from tf_style.measure.metrics import Evaluation
from tf_style.settings import InputError
from tf_style.show.plotting import check_figure, plot_tradeoff, write_figure


@pytest.fixture(scope="module")
def result():
    picture = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)
    return tf_style.stylize(
        picture, [picture[::-1], picture[:, ::-1]], size=32, scales=2, steps="3,2",
        weights="random", content_layers="block1_conv2", style_layers="block1_conv1",
    )


def test_plot_shows_pictures_and_curves(result):
    figure = tf_style.plot(result)
    axes = [each for part in figure.subfigs for each in part.axes]
    assert [each.get_title() for each in axes] == [
        "content", "style 1", "style 2", "result", "losses"
    ]
    curves = {line.get_label(): line for line in axes[-1].lines}
    assert {"loss", "content", "style", "variation"} <= set(curves)
    assert len(curves["loss"].get_xdata()) == 5
    np.testing.assert_allclose(curves["loss"].get_ydata(), [s.loss for s in result.history])


def test_tradeoff_has_a_curve_for_each_name(tmp_path):
    figure = plot_tradeoff({
        "a.png": [Evaluation(0.3, 0.6, 0.2, 0.1, copied=0.1)],
        "b": [Evaluation(0.5, 0.9, 0.4, 0.1), Evaluation(0.2, 0.4, 0.4, 0.1)],
    })
    assert [axes.get_title() for axes in figure.axes[:2]] == ["style distance", "copied"]
    points = [np.transpose(line.get_data()).tolist() for line in figure.axes[0].lines]
    assert points == [[[0.6, 0.3]], [[0.4, 0.2], [0.9, 0.5]]]
    assert [each.get_text() for each in figure.legends[0].get_texts()] == ["a.png", "b"]
    write_figure(tmp_path / "a.png", figure)
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_figures_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "file").touch()
    for name in ("a.xyz", "file/a.png"):
        with pytest.raises(InputError, match=name):
            check_figure(tmp_path / name)


@pytest.mark.parametrize("name", ["a$x_{$b.png", "$\\frac$", "_a.png", "a\udcff.png", "字字.png",
                                  "a\x1b[31m.png"])
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_may_have_any_name(tmp_path, recwarn, name, ending):
    figure = plot_tradeoff({name: [Evaluation(0.3, 0.6, 0.2, 0.1)]})
    shown, = (each.get_text() for each in figure.legends[0].get_texts())
    assert name[-4:].replace("$", "\\$") in shown
    write_figure(tmp_path / f"a.{ending}", figure)
    assert not recwarn
