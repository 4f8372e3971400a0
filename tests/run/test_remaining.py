"""How far a run is."""

import pytest

from tf_style.run.remaining import Remaining
from tf_style.run.result import Step
from tf_style.run.schedule import Scale

PLAN = [Scale(10, 20, (20,), 5, 1, 2), Scale(20, 40, (40,), 5, 2, 2)]


def step(number, seconds, scale):
    return Step(scale=scale, scales=2, height=10 * scale, width=20 * scale, step=number, steps=5,
                loss=1.0, parts={}, seconds=seconds)


def test_a_steps_work_is_its_pixels():
    remaining = Remaining(PLAN)
    assert [remaining.share(step(5, 0, scale)) for scale in (1, 2)] == [1 / 5, 1]
    assert remaining.share(step(1, 0, 2)) == pytest.approx((5 + 4) / 25)


def test_the_first_step_of_a_size_says_nothing_of_the_pace():
    remaining = Remaining(PLAN)
    assert remaining.left(step(1, 9, 1)) is None
    # A second for each step of 200 pixels: 3 more, and 5 of four times as many.
    assert remaining.left(step(2, 10, 1)) == pytest.approx(3 + 20)
    assert remaining.left(step(5, 13, 1)) == pytest.approx(20)
    assert remaining.left(step(1, 30, 2)) == pytest.approx(16)
    assert remaining.left(step(2, 32, 2)) == pytest.approx(6)
