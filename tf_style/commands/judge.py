"""The judge of `tf_style_evaluate`: which network, with which weights, sees which pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_style.commands import status
from tf_style.image.resize import fitted_size
from tf_style.measure.metrics import FINE, LARGE, Depth
from tf_style.network import weights
from tf_style.network.architectures import Architecture
from tf_style.network.choice import Choice, architecture_of
from tf_style.settings import AUTO, WEIGHTS, InputError

if TYPE_CHECKING:
    from tf_style.commands.evaluate import EvaluateOptions
    from tf_style.network.networks import Network


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What is measured, and what it is compared with.

    Attributes:
        content: `(height, width, 3)` in `[0, 1]`, as are the others.
        mask: `(height, width)` in `[0, 1]`, or `None`.
        styles: name → picture.
        alphas: how opaque each style is, or `None`.
        generated: name → picture.
    """

    content: np.ndarray
    mask: np.ndarray | None
    styles: Mapping[str, np.ndarray]
    alphas: Sequence[np.ndarray | None]
    generated: Mapping[str, np.ndarray]


def chosen(options: EvaluateOptions) -> tuple[Choice, Depth]:
    """The judge, as far as it and its weights are known, and the layers that it looks at first.

    Raises:
        InputError: for a network, weights or layers that cannot be used.
    """
    fine = FINE
    if options.style_layers != AUTO:
        names = [name.strip() for name in options.style_layers.split(",")]
        fine = dataclasses.replace(fine, style=tuple(dict.fromkeys(names)), local=names[-1])
    if options.content_layers != AUTO:
        fine = dataclasses.replace(fine, content=options.content_layers.strip())
    if options.network == AUTO or architecture_of(options.network):
        choice = Choice(*weights.settle_known(
            options.network, options.weights, offline=options.offline
        ))
        _check_layers(choice, fine)
        return choice, fine
    if options.weights != AUTO:
        raise InputError(f"--weights: {options.network} has weights of its own. Leave one out")
    return Choice(options.network, None), fine


def _check_layers(choice: Choice, fine: Depth) -> None:
    choice.architecture.check(fine.style, "style_layers")
    choice.architecture.check([fine.content], "content_layers")


def check(choice: Choice, fine: Depth, pictures: Pictures) -> None:
    """Check what can be known of a judge before it is built."""
    if architecture := choice.architecture:
        _check_visible(pictures, architecture.least_size(fine.layers))
        if choice.weights not in (None, *WEIGHTS):
            weights.load(architecture, architecture.up_to(fine.layers), choice.weights)


def _check_visible(pictures: Pictures, least: int) -> None:
    """Check that the judge can see all pictures, at the sizes at which it will."""
    for name, picture in pictures.generated.items():
        seen = {name: picture.shape[:2]} | {
            style: fitted_size(*shown.shape[:2], max(picture.shape[:2]))
            for style, shown in pictures.styles.items()
        }
        for each, (height, width) in seen.items():
            if min(height, width) < least:
                raise InputError(
                    f"{each}: {width}x{height} pixels are too few for the judge. "
                    f"Least side: {least}"
                )


def built(
    options: EvaluateOptions, choice: Choice, fine: Depth, pictures: Pictures
) -> tuple[Network, str]:
    """The judge, and what it is called.

    It has the deeper layers too, if its weights reach so deep.
    """
    from tf_style.network.networks import build

    if choice.architecture is None:
        network = build(choice, fine.layers)
        _check_visible(pictures, network.least_size)
        return network, choice.network
    choice = Choice(*weights.settle(options.network, options.weights, offline=options.offline,
                                    watch=status.show))
    _check_layers(choice, fine)
    source, layers = choice.weights, [*fine.layers]
    if fine == FINE and _reaches(choice.architecture, source):
        layers += LARGE.layers
    network = build(
        choice, dict.fromkeys(layers),
        pictures=[pictures.content, *pictures.styles.values()], offline=options.offline,
        watch=status.show,
    )
    return network, choice.network if source == "included" else source


def _reaches(architecture: Architecture, source: str) -> bool:
    """Whether the judge's deeper layers have weights."""
    try:
        if source not in WEIGHTS:
            weights.load(architecture, architecture.up_to(LARGE.layers), source)
    except InputError:
        return False
    # To learn features so deep takes minutes.
    return source != "unsupervised"
