"""The sizes of a run, coarse to fine. No TensorFlow."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Sequence

import numpy as np

from tf_style.image.defects import examined_side
from tf_style.image.resize import fitted_size, resize
from tf_style.settings import AUTO, InputError, Settings, auto


@dataclasses.dataclass(frozen=True)
class Scale:
    """One size of a run.

    Attributes:
        height, width: of the generated image, in pixels.
        style_sides: long side at which each style is seen, in pixels; one for all of them.
        steps: the most steps at this size.
        number: which size of the run it is, counted from 1.
        count: how many sizes the run has.
        all_steps: most steps at each size, including sizes that are too small for the pictures.
    """

    height: int
    width: int
    style_sides: tuple[int, ...]
    steps: int
    number: int = 1
    count: int = 1
    all_steps: tuple[int, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether it is the run's last and largest."""
        return self.number == self.count

    def sides(self, styles: int) -> tuple[int, ...]:
        """The long side at which each of so many styles is seen, in pixels."""
        return self.style_sides * (styles if len(self.style_sides) == 1 else 1)

    def fit(self, picture: np.ndarray) -> np.ndarray:
        """A picture at this size, clipped to `[0, 1]`."""
        return np.clip(resize(picture, self.height, self.width), 0, 1)

    def cover(self, picture: np.ndarray) -> np.ndarray:
        """The largest central part of a picture with these proportions, at this size."""
        height, width = picture.shape[:2]
        ratio = min(height / self.height, width / self.width)
        rows, columns = max(1, round(self.height * ratio)), max(1, round(self.width * ratio))
        top, left = (height - rows) // 2, (width - columns) // 2
        return self.fit(picture[top : top + rows, left : left + columns])


def plan(
    settings: Settings,
    content: tuple[int, int] | None,
    styles: Sequence[tuple[str, tuple[int, int]]],
    least: int,
) -> tuple[Scale, ...]:
    """The sizes that a run goes through.

    Args:
        content: height and width of the content image; `None` for none.
        styles: name, and height and width, of each style image.
        least: the shortest side that the network can see.

    Returns:
        At least one scale, the last of the full size. Coarser ones are left out where content or
        style would be smaller than `least`.

    Raises:
        InputError: if a picture is too small even at the full size.
    """
    content, size = settings.size.proportions(content)
    height, width = fitted_size(*content, size)
    if min(height, width) < least:
        raise InputError(
            f"content: {content[1]}x{content[0]} becomes {width}x{height} at --size="
            f"{settings.size}, too small for the deepest layer in use. Least side: {least} pixels"
        )
    def seen_at(side: int) -> list[tuple[int, int]]:
        found = _style_sides(settings, side, size)
        found *= len(styles) if len(found) == 1 else 1
        return [fitted_size(*shape, each) for (_, shape), each in zip(styles, found, strict=True)]

    for (name, shape), seen in zip(styles, seen_at(size), strict=True):
        if min(seen) < least:
            raise InputError(
                f"{name}: {shape[1]}x{shape[0]} is seen at {seen[1]}x{seen[0]}, too small for the "
                f"deepest layer in use. Least side: {least} pixels"
            )
    sides = [round(size / 2**level) for level in reversed(range(auto.scales(settings, size)))]
    sides = [
        side for side in sides
        if side == size or min(
            *fitted_size(*content, side), *(length for seen in seen_at(side) for length in seen),
        ) >= least
    ]
    # Very small sizes can come out the same: one is enough.
    sizes = {fitted_size(*content, side): _style_sides(settings, side, size) for side in sides}
    steps = auto.steps(settings, len(sizes))
    everywhere = auto.scales(settings, size)
    missing = auto.steps(settings, everywhere)[: everywhere - len(sizes)]
    return tuple(
        Scale(height, width, style_sides, most, number, len(sizes), missing + steps)
        for number, (((height, width), style_sides), most) in enumerate(
            zip(sizes.items(), steps, strict=True), start=1
        )
    )


def needed_sides(settings: Settings) -> tuple[int | None, int | None]:
    """The long sides, in pixels, that are enough for the content's file and for a style's.

    Returns:
        `None` for all that there is, where the content's own size counts.
    """
    size = settings.size
    side = size.long_side or (max(size.width, size.height) if size.width else None)
    if side is None:
        return None, None
    return side, examined_side(max(_style_sides(settings, side, side)))


def check_size(settings: Settings, least: int) -> None:
    """Check that the largest picture of this size is not too small, whatever its proportions.

    Raises:
        InputError: if it is.
    """
    if settings.size.long_side and settings.size.long_side < least:
        raise InputError(
            f"--size={settings.size}: too small for the deepest layer in use. Least side: {least} "
            "pixels"
        )


def _style_sides(settings: Settings, side: int, full: int) -> tuple[int, ...]:
    """The long sides at which styles are seen if the image's is `side`, and in the end `full`."""
    scale = settings.style_scale if settings.style_size == AUTO else settings.style_size / full
    scales = scale if isinstance(scale, tuple) else (scale,)
    return tuple(max(1, round(side * each)) for each in scales)


def learning_rates(settings: Settings, scale: Scale) -> list[float]:
    """The learning rate of each step at a size, if all are taken.

    `constant`: the few steps of a size go as far as they can. `rest`: likewise, but over the last
    size it falls to a tenth, so that the picture comes to rest. `cosine`: at each size it falls
    along half a wave to a hundredth (Loshchilov, Hutter, SGDR, ICLR 2017, eq. 5).
    """
    done = [step / scale.steps for step in range(scale.steps)]
    if settings.learning_rate_schedule == "cosine":
        shares = [0.01 + 0.99 * (1 + math.cos(math.pi * each)) / 2 for each in done]
    elif settings.learning_rate_schedule == "rest" and scale.is_last:
        shares = [max(0.1, 1 - each) for each in done]
    else:
        shares = [1.0] * scale.steps
    return [settings.learning_rate * share for share in shares]


def has_settled(losses: Sequence[float], tolerance: float, window: int = 10) -> bool:
    """Whether the loss no longer falls: "the expected level" of a run.

    Compares the mean of the last `window` losses with the mean of the `window` before.

    Args:
        losses: of all steps at this size so far.
        tolerance: the smallest fall per step that counts as falling, relative to the loss.
    """
    if not tolerance or len(losses) < 2 * window:
        return False
    before = sum(losses[-2 * window : -window])
    return before - sum(losses[-window:]) <= tolerance * window * before


def check_lbfgs() -> None:
    """Check that SciPy, which has the algorithm, is installed.

    Raises:
        InputError: if not.
    """
    if importlib.util.find_spec("scipy") is None:
        raise InputError("--optimizer=lbfgs: this needs SciPy; pip install 'tf_style[lbfgs]'")
