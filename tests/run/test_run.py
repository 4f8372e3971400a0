"""One run: its steps from size to size."""

import numpy as np
import pytest

from tf_style import Stylizer
from tf_style.run import schedule
from tf_style.run.canvas import Canvas
from tf_style.settings import with_flags

SMALL = {
    "size": 48, "scales": 2, "steps": "6,4", "weights": "random", "tolerance": 0,
    "content_layers": "block2_conv1", "style_layers": "block1_conv1,block2_conv1",
    "precision": "float32",
}


@pytest.fixture(scope="module")
def stylizer():
    return Stylizer(**SMALL)


def test_the_learning_rate_rests_at_the_last_size_alone(stylizer, content, style, monkeypatch):
    seen = []
    descend = Canvas.descend

    def watched(canvas, targets, rates, watch):
        seen.append(list(rates))
        descend(canvas, targets, rates, watch)

    monkeypatch.setattr(Canvas, "descend", watched)
    stylizer.stylize(content, style)
    coarse, fine = seen
    assert coarse == [0.05] * 6
    assert fine == pytest.approx([0.05, 0.0375, 0.025, 0.0125])


def test_a_run_goes_on_from_its_moments_when_it_grows(stylizer, content, style, monkeypatch):
    expected = stylizer.stylize(content, style).image

    def forgetful(canvas, height, width, detail):
        canvas.start(np.clip(schedule.resize(canvas.picture()(), height, width) + detail, 0, 1))

    monkeypatch.setattr(Canvas, "enlarge", forgetful)
    assert np.abs(stylizer.stylize(content, style).image - expected).max() > 1e-3


def test_notes_are_warned_of_and_kept(content, style):
    with pytest.warns(UserWarning) as seen:
        result = Stylizer(**SMALL, style_scale=4).stylize(content, style)
    assert [with_flags(each.message) for each in seen] == list(result.notes)
    assert "small; cleaned up" in result.notes[0]


def test_a_run_refers_to_nothing_that_refers_to_it(stylizer, content, style):
    """Else its pictures stay in memory until Python looks for such circles."""
    import gc
    import weakref

    own = content + 0
    alive = weakref.ref(own)
    gc.collect()
    gc.disable()
    try:
        stylizer.stylize(own, style)
        del own
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("rate, said", [(0.01, False), (1.0, True)])
@pytest.mark.filterwarnings("ignore:the loss ended")
def test_a_loss_that_ends_far_above_where_it_began_is_said(rate, said, content):
    """A rate of 1 throws each pixel to an end of its range."""
    # With its own style, hardly anything is to be gained.
    result = Stylizer(**{
        **SMALL, "learning_rate": rate, "learning_rate_schedule": "constant",
    }).stylize(content, content)
    rose = [note for note in result.notes if "far above" in note]
    assert bool(rose) == said
    if said:
        assert f"{result.history[-1].loss:.3g}" in rose[0] and "--learning_rate" in rose[0]
