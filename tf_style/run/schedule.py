"""The sizes of a run, coarse to fine. No TensorFlow."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Mapping, Sequence

from tf_style.image.files import fitted_size
from tf_style.settings import AUTO, InputError, Settings


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
    content: tuple[int, int] | None,
    styles: Mapping[str, tuple[int, int]],
    least: int,
) -> tuple[Scale, ...]:
    """The sizes that a run goes through.

    Args:
        content: height and width of the content image; `None` for none.
        styles: name → height and width of each style image.
        least: the shortest side that the network can see.

    Returns:
        At least one scale, the last of the full size. Coarser ones are left out where content or
        style would be smaller than `least`.

    Raises:
        InputError: if a picture is too small even at the full size.
    """
    content, size = _shape(settings, content)
    height, width = fitted_size(*content, size)
    if min(height, width) < least:
        raise InputError(
            f"content: {content[1]}x{content[0]} becomes {width}x{height} at --size="
            f"{settings.size}, too small for the deepest layer in use. Least side: {least} pixels"
        )
    full = _style_side(settings, size, size)
    for name, shape in styles.items():
        seen = fitted_size(*shape, full)
        if min(seen) < least:
            raise InputError(
                f"{name}: {shape[1]}x{shape[0]} is seen at {seen[1]}x{seen[0]}, too small for the "
                f"deepest layer in use. Least side: {least} pixels"
            )
    sides = [round(size / 2**level) for level in reversed(range(settings.scales_at(size)))]
    sides = [
        side for side in sides
        if side == size or min(
            *fitted_size(*content, side),
            *(length for shape in styles.values()
              for length in fitted_size(*shape, _style_side(settings, side, size))),
        ) >= least
    ]
    # Of sizes that come out the same, as a few pixels do, one is enough.
    sizes = {fitted_size(*content, side): _style_side(settings, side, size) for side in sides}
    return tuple(
        Scale(height, width, style_side, steps)
        for ((height, width), style_side), steps in zip(
            sizes.items(), settings.steps_of(len(sizes)), strict=True
        )
    )


def _shape(
    settings: Settings, content: tuple[int, int] | None
) -> tuple[tuple[int, int], int]:
    """Height and width that the image has the proportions of, and its long side."""
    sides = str(settings.size).split("x")
    if content is None:
        if settings.size == "original":
            raise InputError(
                "--size=original: there is no content. Expected a side, or --size=512x384"
            )
        content = int(sides[-1]), int(sides[0])
        return content, max(content)
    if len(sides) == 2:
        raise InputError(
            f"--size={settings.size}: the content gives the proportions. Expected the long side, "
            f"such as --size={max(map(int, sides))}, or --content=none"
        )
    return content, max(content) if settings.size == "original" else settings.size


def _style_side(settings: Settings, side: int, full: int) -> int:
    """The long side at which the style is seen where the image's is `side`, at last `full`."""
    scale = settings.style_scale if settings.style_size == AUTO else settings.style_size / full
    return max(1, round(side * scale))


def learning_rates(settings: Settings, steps: int, *, last: bool) -> list[float]:
    """The learning rate of each step at one size.

    `constant`: the few steps of a size go as far as they can. `rest`: likewise, but over the last
    size it falls to a tenth, so that the picture comes to rest. `cosine`: at
    each size along half a wave, to a hundredth (Loshchilov, Hutter, SGDR, ICLR 2017, eq. 5).

    Args:
        steps: how many at most.
        last: whether this is the last size.
    """
    done = [step / steps for step in range(steps)]
    if settings.learning_rate_schedule == "cosine":
        shares = [0.01 + 0.99 * (1 + math.cos(math.pi * each)) / 2 for each in done]
    elif settings.learning_rate_schedule == "rest" and last:
        shares = [max(0.1, 1 - each) for each in done]
    else:
        shares = [1.0] * steps
    return [settings.learning_rate * share for share in shares]


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


def check_lbfgs() -> None:
    """See that SciPy, which has the algorithm, is installed.

    Raises:
        InputError: if not.
    """
    if importlib.util.find_spec("scipy") is None:
        raise InputError("--optimizer=lbfgs: SciPy has it; pip install 'tf_style[lbfgs]'")
