"""Large pictures in strips."""

import keras
import numpy as np
import pytest

from tests.transfer.conftest import lively
from tf_style.transfer import large
from tf_style.transfer.large import Strips
from tf_style.transfer.transform import SHAPES, transform_network


def levels(first, second):
    return 255 * np.abs(first - second)


@pytest.mark.parametrize("size", [(61, 90), (203, 34), (9, 9), (1, 300), (128, 128)])
@pytest.mark.parametrize("strip", [500, 3000])
def test_strips_do_not_show(monkeypatch, size, strip):
    monkeypatch.setattr(large, "_STRIP", strip)
    keras.utils.set_random_seed(5)
    model = lively(transform_network(SHAPES["fine"]))
    picture = np.random.default_rng(1).random((*size, 3), np.float32)
    # A half that differs from the other: each strip by itself would have other statistics.
    picture[: size[0] // 2] *= 0.2
    off = levels(Strips(model, "fine").paint(picture), model(picture[None]).numpy()[0])
    assert off.mean() < 0.3 and off.max() < 4


def test_what_is_compiled_serves_pictures_of_any_size():
    strips = Strips(transform_network(SHAPES["fine"]), "fine")
    for size in ((40, 60), (60, 40), (31, 17)):
        strips.paint(np.zeros((*size, 3), np.float32))
    assert {each.experimental_get_tracing_count() for each in strips._convolve.values()} == {1}


def test_it_takes_few_bytes_a_pixel(monkeypatch):
    """No array has more than the picture's own pixels in 32 bits."""
    monkeypatch.setattr(large, "_STRIP", 2000)
    kept = []
    empty = np.empty
    monkeypatch.setattr(large.np, "empty", lambda size, dtype: kept.append(
        np.prod(size) * np.dtype(dtype).itemsize) or empty(size, dtype))
    model = transform_network(SHAPES["fine"])
    Strips(model, "fine").paint(np.zeros((400, 300, 3), np.float32))
    assert 0 < max(kept) <= 1.2 * 400 * 300 * 3 * 4
