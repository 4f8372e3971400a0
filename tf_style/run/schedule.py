"""The sizes of a run, coarse to fine. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tf_style.image.files import fitted_size
from tf_style.settings import InputError, Settings


@dataclasses.dataclass(frozen=True)
class Scale:
    """One size of a run.

    Attributes:
        height, width: of the generated image, in pixels.
        style_side: long side at which the style is seen, in pixels.
        steps: the most steps there.
    """

    height: int
    width: int
    style_side: int
    steps: int


def plan(
    settings: Settings,
    content: tuple[int, int],
    styles: Mapping[str, tuple[int, int]],
    least: int,
) -> tuple[Scale, ...]:
    """The sizes that a run goes through.

    Args:
        content: height and width of the content image.
        styles: name → height and width of each style image.
        least: the shortest side that the network can see.

    Returns:
        At least one scale, the last of the full size. Coarser ones are left out where content or
        style would be smaller than `least`.

    Raises:
        InputError: if a picture is too small even at the full size.
    """
    size = max(content) if settings.size == "original" else settings.size
    height, width = fitted_size(*content, size)
    if min(height, width) < least:
        raise InputError(
            f"content: {content[1]}x{content[0]} becomes {width}x{height} at --size="
            f"{settings.size}, too small for the deepest layer in use. Least side: {least} pixels"
        )
    full = _style_side(settings, size)
    for name, shape in styles.items():
        seen = fitted_size(*shape, full)
        if min(seen) < least:
            raise InputError(
                f"{name}: {shape[1]}x{shape[0]} is seen at {seen[1]}x{seen[0]}, too small for the "
                f"deepest layer in use. Least side: {least} pixels"
            )
    sides = [round(size / 2**level) for level in reversed(range(settings.scales))]
    sides = [
        side for side in sides
        if side == size or min(
            *fitted_size(*content, side),
            *(min(fitted_size(*shape, _style_side(settings, side))) for shape in styles.values()),
        ) >= least
    ]
    # Of sizes that come out the same, as a few pixels do, one is enough.
    sizes = {fitted_size(*content, side): _style_side(settings, side) for side in sides}
    return tuple(
        Scale(height, width, style_side, steps)
        for ((height, width), style_side), steps in zip(
            sizes.items(), settings.steps_of(len(sizes)), strict=True
        )
    )


def _style_side(settings: Settings, side: int) -> int:
    return max(1, round(side * settings.style_scale))


def learning_rate(first: float, step: int, steps: int, *, last: bool) -> float:
    """The learning rate of a step.

    Constant, so that the few steps of a size go as far as they can; over the last third of the
    last size it falls to a tenth, so that the picture comes to rest.

    Args:
        first: of the first step.
        step, steps: which step at this size, counted from 0, of how many at most.
        last: whether this is the last size.
    """
    if not last:
        return first
    left = (steps - step) / steps
    return first * min(1.0, max(0.1, 3 * left))


def has_settled(losses: Sequence[float], tolerance: float, window: int = 10) -> bool:
    """Whether the loss no longer falls: "the expected level" of a run.

    Compares the mean of the last `window` losses with the mean of the `window` before.

    Args:
        losses: of all steps at this size so far.
        tolerance: the least fall for each step that counts as falling, relative to the loss.
    """
    if not tolerance or len(losses) < 2 * window:
        return False
    before = sum(losses[-2 * window : -window])
    return before - sum(losses[-window:]) < tolerance * window * before
