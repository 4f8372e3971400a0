"""Previews: what a photograph would look like in each of several styles, small and soon."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.image.paths import PathLike
from tf_style.image.picture import as_picture
from tf_style.image.style import read_style
from tf_style.measure.quality import LAYERS, Gauge
from tf_style.network.features import feature_model
from tf_style.run.inputs import Picture
from tf_style.run.result import Stop
from tf_style.run.stylizer import Stylizer
from tf_style.settings import AUTO, InputError, Settings

if TYPE_CHECKING:
    import keras

# The long side, in pixels.
SIDE = 128
# The network that comes with tf_style: whatever else there is, none is there sooner. Half as many
# steps as at a size of a run show what its picture will be like.
INCLUDED = "compact", "included"
_SETTINGS = Settings(network=INCLUDED[0], weights=INCLUDED[1], size=SIDE, steps=25)
# Whose layers have the names that a gauge asks for.
_JUDGES = ("vgg16", "vgg19")


@dataclasses.dataclass(frozen=True)
class Preview:
    """What a photograph would look like in a style.

    Attributes:
        picture: float32 `(height, width, 3)` in `[0, 1]`, with a long side of 128 pixels.
        quality: how good it is, 0 to 1, as `Gauge` tells.
    """

    picture: np.ndarray
    quality: float


def judge_of(made_by: Mapping[str, Any]) -> tuple[str, str]:
    """The network and the weights that are to measure previews.

    Args:
        made_by: what described the pictures of a library, as in a `Describer`.

    Returns:
        those, if they know pictures: what did not paint them tells them apart better. Else what
        painted them.
    """
    network, weights = made_by.get("network", ""), made_by.get("weights", "")
    knows = network in _JUDGES and weights not in ("", "random", "unsupervised")
    return (network, weights) if knows else INCLUDED


def _judging(judge: tuple[str, str]) -> keras.Model:
    network, weights = judge
    try:
        return feature_model(LAYERS, weights, network=network, offline=True)
    except InputError:
        # The file is not where it was, or lacks a layer.
        return feature_model(LAYERS, INCLUDED[1], network=INCLUDED[0])


def previews(
    photograph: Picture, styles: Iterable[PathLike],
    stop: Callable[[], object] = lambda: False, threads: int | str = AUTO,
    judge: tuple[str, str] = INCLUDED,
) -> Iterator[Preview | InputError]:
    """A preview of the photograph in each style.

    Args:
        photograph: as `stylize` takes it.
        styles: files.
        stop: asked after each step; once it returns something true, there are no more.
        threads: of the processor that paint.
        judge: network and weights that measure, as `judge_of` returns them.

    Returns:
        one by one, or what is wrong with a style that cannot be used.

    Raises:
        InputError: for a photograph that cannot be used.
    """
    stylizer = Stylizer(_SETTINGS.replace(threads=threads))
    content = as_picture(photograph)
    gauge = Gauge(_judging(judge), content)
    for style in styles:
        try:
            with warnings.catch_warnings():
                # Of two dozen pictures, oddities of single ones are not worth a line.
                warnings.simplefilter("ignore")
                result = stylizer.stylize(content, style, callback=lambda step: stop())
                pixels, alpha = read_style(style, side=SIDE)
        except InputError as error:
            if error.flags.startswith("content:"):
                # Of the photograph: the next style would fare no better.
                raise
            yield error
            continue
        if result.stopped is Stop.CALLBACK:
            return
        yield Preview(result.image, gauge.quality(result.image, pixels, alpha))
