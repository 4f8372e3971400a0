"""Previews: what a photograph would look like in each of several styles, small and soon."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tf_style.image.paths import PathLike
from tf_style.image.picture import as_picture
from tf_style.run.inputs import Picture
from tf_style.run.result import Stop
from tf_style.run.stylizer import Stylizer
from tf_style.settings import AUTO, InputError, Settings

# The long side, in pixels.
SIDE = 128
# The network that comes with tf_style: whatever else there is, none is there sooner. Half as many
# steps as at a size of a run show what its picture will be like.
_SETTINGS = Settings(network="compact", weights="included", size=SIDE, steps=25)


def previews(
    photograph: Picture, styles: Iterable[PathLike],
    stop: Callable[[], object] = lambda: False, threads: int | str = AUTO,
) -> Iterator[np.ndarray | InputError]:
    """A picture of the photograph in each style, with a long side of 128 pixels.

    Args:
        photograph: as `stylize` takes it.
        styles: files.
        stop: asked after each step; once it returns something true, there are no more.
        threads: of the processor that paint.

    Returns:
        one by one, float32 `(height, width, 3)` in `[0, 1]`, or what is wrong with a style that
        cannot be used.

    Raises:
        InputError: for a photograph that cannot be used.
    """
    stylizer = Stylizer(_SETTINGS.replace(threads=threads))
    content = as_picture(photograph)
    for style in styles:
        try:
            with warnings.catch_warnings():
                # Of two dozen pictures, oddities of single ones are not worth a line.
                warnings.simplefilter("ignore")
                result = stylizer.stylize(content, style, callback=lambda step: stop())
        except InputError as error:
            if error.flags.startswith("content:"):
                # Of the photograph: the next style would fare no better.
                raise
            yield error
            continue
        if result.stopped is Stop.CALLBACK:
            return
        yield result.image
