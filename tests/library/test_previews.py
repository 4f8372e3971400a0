"""A photograph in several styles, small."""

import numpy as np
import pytest

from tests.library.conftest import painting, save
from tf_style import InputError, Settings
from tf_style.library import previews as home
from tf_style.library.previews import judge_of, previews
from tf_style.measure.quality import LAYERS, Gauge
from tf_style.network.features import feature_model
from tf_style.run.stylizer import Stylizer

TINY = Settings(size=32, steps=2, scales=1, network="compact", weights="random", tolerance=0,
                content_layers="block1_conv2", style_layers="block1_conv1")


@pytest.fixture
def styles(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "_SETTINGS", TINY)
    return [save(tmp_path / f"{number}.png", painting(number)) for number in range(4)]


def test_each_style_is_painted_by_one_stylizer(styles, monkeypatch):
    made = []
    stylizer = home.Stylizer
    monkeypatch.setattr(home, "Stylizer", lambda *given: made.append(stylizer(*given)) or made[-1])
    photograph = painting(9, 30, 40)
    found = list(previews(photograph, styles))
    assert [each.picture.shape for each in found] == [(24, 32, 3)] * 4
    assert (len(made), made[0].traces) == (1, 1)
    alone = Stylizer(TINY).stylize(photograph, styles[2]).image
    np.testing.assert_allclose(found[2].picture, alone, atol=1e-5)
    gauge = Gauge(feature_model(LAYERS, "included", network="compact"), photograph)
    assert found[2].quality == pytest.approx(
        gauge.quality(found[2].picture, painting(2)), abs=0.002)


def test_a_bad_picture_costs_only_itself(styles, tmp_path):
    (tmp_path / "1.png").write_text("no picture")
    (tmp_path / "3.png").unlink()
    found = list(previews(painting(9, 30, 40), styles))
    assert [isinstance(each, InputError) for each in found] == [False, True, False, True]
    assert all(str(tmp_path) in found[number].flags for number in (1, 3))


def test_it_stops_within_a_picture(styles):
    asked = []
    # Two steps for each picture: the second is not finished.
    found = list(previews(painting(9, 30, 40), styles, lambda: asked.append(1) or len(asked) == 3))
    assert (len(found), len(asked)) == (1, 3)


def test_a_photograph_that_cannot_be_used(styles, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"none\.png: there is no such file"):
        next(previews(str(tmp_path / "none.png"), styles))
    monkeypatch.setattr(home, "_SETTINGS", TINY.replace(style_layers="block3_conv1"))
    with pytest.raises(InputError, match=r"^content: 400x4 becomes 32x1"):
        next(previews(painting(9, 4, 400), styles))


def test_who_judges():
    file = {"network": "vgg16", "weights": "vgg16.h5"}
    assert judge_of(file) == ("vgg16", "vgg16.h5")
    for made_by in ({}, {"network": "compact", "weights": "included"}, {"network": "own.keras"},
                    file | {"weights": "random"}, file | {"weights": "unsupervised"},
                    file | {"network": "vgg16x"}):
        assert judge_of(made_by) == ("compact", "included")


def test_another_network_judges(styles, tmp_path):
    """What is not there is made up for."""
    photograph = painting(9, 30, 40)
    own, absent, other = (
        [each.quality for each in previews(photograph, styles[:2], judge=judge)]
        for judge in (("compact", "included"), ("vgg16", str(tmp_path / "none.h5")),
                      ("compact", "random")))
    assert own == absent and own != other
