"""How far a run is, and how long the rest takes. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tf_style.run.result import Step
from tf_style.run.schedule import Scale


class Remaining:
    """What is left of a run, step by step: a step's work is its number of pixels.

    Args:
        plan: all sizes of the run.
    """

    def __init__(self, plan: Sequence[Scale]):
        self._plan = plan
        self._first: Step | None = None
        self._pace: float | None = None

    def share(self, step: Step) -> float:
        """How much of the work is done after a step, 0 to 1."""
        rest = self._rest(step)
        done = step.step * step.width * step.height + _pixels(self._plan[: step.scale - 1])
        return done / (done + rest)

    def left(self, step: Step) -> float | None:
        """Seconds left, if the rest takes as long for each pixel as this size does.

        To be called with each step; `None` where that is not known yet.
        """
        if self._first is None or self._first.scale != step.scale:
            # The first step at a size, or after a stop, is not counted: it includes compilation.
            # Until there is a second, the size before tells the pace.
            self._first = step
        else:
            passed = step.seconds - self._first.seconds
            self._pace = passed / (step.step - self._first.step) / (step.width * step.height)
        return None if self._pace is None else self._pace * self._rest(step)

    def _rest(self, step: Step) -> int:
        return ((step.steps - step.step) * step.width * step.height
                + _pixels(self._plan[step.scale :]))


def _pixels(scales: Iterable[Scale]) -> int:
    """The pixels of all steps at these sizes."""
    return sum(each.steps * each.width * each.height for each in scales)
