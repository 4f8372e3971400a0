"""The image that a run paints, at one size after another and in blocks."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from tf_style import stylize
from tf_style.image.color import as_gray
from tf_style.image.picture import read_picture
from tf_style.image.resize import resize
from tf_style.image.style import Style
from tf_style.loss.objective import Objective
from tf_style.network.features import feature_model
from tf_style.network.networks import Network
from tf_style.run.canvas import Canvas
from tf_style.run.descent import Descent
from tf_style.run.optimizers import carried_over
from tf_style.settings import Settings

SMALL = {
    "size": 136, "scales": 1, "steps": 8, "weights": "random", "tolerance": 0,
    "style_loss": "gram", "content_layers": "block2_conv1",
    "style_layers": "block1_conv1,block3_conv1", "precision": "float32", "style_cleanup": "off",
}


@pytest.fixture(scope="module")
def descent():
    settings = Settings(content_loss="squared", content_layers="block1_conv1",
                        style_layers="block1_conv1",
                        style_loss="gram", style_weight=3)
    return Descent(Objective.of([Network(feature_model(["block1_conv1"], "random"))], settings))


def begun(descent, content, style, steps=2):
    """A canvas after so many steps, and its targets."""
    canvas = Canvas(descent, "adam", 0)
    canvas.start(content)
    targets = canvas.targets(content, [Style(style)])
    for _ in range(steps):
        canvas.step(targets, tf.constant(0.02))
    return canvas, targets


def test_enlarging_carries_the_moments_over(descent, content, style):
    canvas, _ = begun(descent, content, style)
    expected = carried_over(canvas.moments, 96, 128)
    canvas.enlarge(96, 128)
    assert canvas.shape == (96, 128) and canvas.moments.count == 2
    for one, other in zip(canvas.moments[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.abs(one).max() > 0, "not forgotten"


def test_enlarging_adds_detail(descent, content, style):
    small, detail = resize(content, 24, 32), content - resize(resize(content, 24, 32), 48, 64)
    canvas = Canvas(descent, "adam", 0)
    canvas.start(small)
    canvas.enlarge(48, 64, detail)
    np.testing.assert_allclose(canvas.picture()(), content, atol=1e-6)


def test_a_gray_canvas_gets_no_colour(descent, content, style):
    canvas, targets = begun(descent, as_gray(content), style, steps=0)
    canvas.gray = True
    canvas.step(targets, tf.constant(0.02))
    assert np.ptp(canvas.picture()(), axis=2).max() < 1e-6
    assert np.abs(canvas.picture()() - as_gray(content)).max() > 0.01


def test_starting_forgets_the_moments(descent, content, style):
    canvas, _ = begun(descent, content, style)
    canvas.start(content)
    assert canvas.moments.count == 0 and not np.any(canvas.moments.first)
    np.testing.assert_array_equal(canvas.picture()(), content)


def test_a_picture_that_was_taken_stays_as_it_was(descent, content, style):
    canvas, targets = begun(descent, content, style, steps=0)
    taken = canvas.picture()
    canvas.step(targets, tf.constant(0.02))
    np.testing.assert_array_equal(taken(), content)
    assert np.abs(canvas.picture()() - content).max() > 0.01


def test_a_canvas_that_is_restored_goes_on_as_it_would_have(descent, content, style, tmp_path):
    canvas, targets = begun(descent, content, style)
    canvas.save(tmp_path, {"said": "note"})
    other = Canvas(descent, "adam", 0)
    assert other.restore(tmp_path) == {"said": "note"}
    for each in (canvas, other):
        each.step(targets, tf.constant(0.02))
    np.testing.assert_array_equal(canvas.picture()(), other.picture()())


def test_two_canvases_of_one_descent_share_nothing_but_the_traces(descent, content, style):
    one, _ = begun(descent, content, style)
    other, _ = begun(descent, style, content, steps=3)
    before, traces = one.picture()(), descent.traces
    other.step(other.targets(style, [Style(content)]), tf.constant(0.02))
    np.testing.assert_array_equal(one.picture()(), before)
    assert descent.traces == traces == 1


def test_blocks_give_the_same_picture(content, style):
    """After 15 steps, at an odd size."""
    settings = {**SMALL, "size": 97, "steps": 15}
    whole, blocks = (stylize(content, style, **settings, block_size=size).image
                     for size in (0, 64))
    assert np.abs(whole - blocks).mean() < 1 / 255
    assert np.abs(whole - whole[::-1]).mean() > 1 / 255, "not all the same anyway"


@pytest.mark.slow
def test_blocks_give_the_same_picture_by_default(real_weights):
    """Rounding errors grow where steps go past where the loss is lowest; they must not here."""
    content, style = (read_picture(f"sample:{name}") for name in ("harbor", "brushstrokes"))
    settings = {"size": 191, "scales": 1, "steps": 30, "weights": real_weights,
                "precision": "float32", "tolerance": 0}
    whole, blocks = (stylize(content, style, **settings, block_size=size).image
                     for size in (0, 64))
    assert np.abs(whole - blocks).mean() < 1 / 255


def test_running_out_of_memory_goes_on_in_blocks(content, style, monkeypatch):
    original, calls = Descent.value_and_gradient, []

    def short_of_memory(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return original(*arguments)

    with warnings.catch_warnings(record=True) as caught, monkeypatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(Descent, "value_and_gradient", short_of_memory)
        result = stylize(content, style, **SMALL)
    assert [str(each.message) for each in caught] == [
        "out of memory; going on in blocks of 128 pixels"
    ]
    assert len(result.history) == 8 and result.stopped == "steps"
    again = stylize(content, style, **SMALL)
    assert np.abs(result.image - again.image).mean() < 0.1 / 255, "no step was lost or done twice"


def test_no_memory_even_for_the_smallest_blocks(content, style, monkeypatch):
    def short_of_memory(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(Descent, "value_and_gradient", short_of_memory)
    with pytest.raises(MemoryError):
        stylize(content, style, **SMALL, block_size=128)
