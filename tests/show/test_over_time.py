import numpy as np
import pytest

from tf_style.measure.films import Moment
from tf_style.measure.metrics import Evaluation
from tf_style.show.over_time import plot_over_time

MOMENTS = [Moment(0), Moment(0.5, warping_error_1=0.3, source_warping_error_1=0.1, drift=2),
           Moment(1, cut=True)]


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes}


def test_measures_stand_over_time():
    figure = plot_over_time({"a_$b$": MOMENTS, "_c": MOMENTS[:2]})
    found = panels(figure)
    assert len(found) == 4
    film, source, cut, *_ = found["warping error, lag 1"].get_lines()
    assert [*film.get_xdata()] == [0, 0.5, 1]
    assert film.get_ydata() == pytest.approx([np.nan, 0.3, np.nan], nan_ok=True)
    assert source.get_ydata() == pytest.approx([np.nan, 0.1, np.nan], nan_ok=True)
    assert [*cut.get_xdata()] == [1, 1]
    legend, = figure.legends
    assert len(legend.get_texts()) == 2
    figure.canvas.draw()


def test_sampled_frames_have_panels_of_their_own():
    samples = {0.0: Evaluation(0.5, 0.7), 1.0: Evaluation(0.4, 0.6)}
    figure = plot_over_time({"a": MOMENTS}, {"a": samples})
    found = panels(figure)
    assert [*found["style distance"].get_lines()[0].get_ydata()] == [0.5, 0.4]
    assert [*found["content similarity"].get_lines()[0].get_ydata()] == [0.7, 0.6]
    figure.canvas.draw()
