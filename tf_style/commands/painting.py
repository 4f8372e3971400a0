"""What paints the pictures of a command, made where it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tf_style.commands import status
from tf_style.commands.exits import tensorflow_quiet
from tf_style.commands.request import Request

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.painter import Painter
    from tf_style.transfer.brush import Brush
    from tf_style.transfer.lite import LiteBrush


def painter_of(
    request: Request, like: Painter | None = None, *,
    learned: Callable[[], Sequence[np.ndarray]] | None = None, memory: float | None = None,
    count: int | None = None,
) -> Callable[[], Painter]:
    """A function that returns the painter of all jobs, made at its first call, with TensorFlow.

    Args:
        like: as for a `Painter`.
        learned: returns pictures to learn features from; those of several jobs by default.
        memory: as for a `Painter`.
        count: how many pictures are to be made in all, if those of `request` are not all.
    """
    made: list[Painter] = []
    count = len(request.jobs) if count is None else count

    def painter() -> Painter:
        if not made:
            if request.settings.model:
                from tf_style.transfer.painter import ModelPainter
                made.append(ModelPainter(request.settings, _brush(request, count)))
                if request.record:
                    request.record.compare_painter(made[0])
                return made[0]
            with tensorflow_quiet(request.options.verbose):
                from tf_style.run.painter import Painter
            from tf_style.run import jobs
            from tf_style.run.scene import starts_by_network

            def drawn() -> list[np.ndarray]:
                settings = request.settings
                return jobs.drawn(request.jobs, settings.seed, settings.max_pixels)

            status.show("loading the network")
            start = None
            if starts_by_network(request.settings):
                from tf_style.transfer.brush import Brush

                start = Brush(request.settings, "init").paint
            made.append(Painter(
                request.settings, learned or (tuple if request.is_single else drawn),
                watch=status.show, like=like, start=start, memory=memory,
            ))
            status.show("preparing")
            if request.record:
                request.record.compare_painter(made[0])
        return made[0]

    return painter


def _brush(request: Request, count: int) -> Brush | LiteBrush:
    """The network that paints."""
    from tf_style.transfer import lite

    if lite.serves(request.settings, count):
        return lite.LiteBrush(request.settings)
    with tensorflow_quiet(request.options.verbose):
        from tf_style.transfer.brush import Brush
    return Brush(request.settings)
