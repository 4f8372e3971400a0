"""What `auto` stands for, as far as the settings alone decide it."""

from __future__ import annotations

import enum
import math
from typing import Any

from tf_style.settings.option import AUTO
from tf_style.settings.settings import LEAST_WEIGHT, Settings

# What an option left to `auto` depends on: if one of these changes, its value is found anew.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "network": ("weights", "content_network_weights", "style_network_weights"),
    "content_network": ("network", "weights", "content_network_weights"),
    "content_network_weights": ("network", "weights", "content_network"),
    "style_network": ("network", "weights", "style_network_weights"),
    "style_network_weights": ("network", "weights", "style_network"),
    "weights": ("network",),
    "pooling": ("network", "weights", "style_network", "style_network_weights"),
    "content_layers": (
        "network", "weights", "content_network", "content_network_weights", "style_loss",
    ),
    "content_loss": (
        "network", "weights", "content_network", "content_network_weights", "style_loss",
    ),
    "style_layers": (
        "network", "weights", "style_network", "style_network_weights", "large_forms", "style_loss",
    ),
    "style_regions": (
        "network", "weights", "style_network", "style_network_weights", "style_layers",
        "large_forms", "style_loss",
    ),
    "style_places": (
        "network", "weights", "style_network", "style_network_weights", "style_layers",
        "large_forms", "style_loss",
    ),
    "style_weight": (
        "network", "weights", "style_network", "style_network_weights", "style_loss",
    ),
    "style_blend": ("style",),
    "scales": ("size", "content", "steps"),
    "steps": ("size", "content", "style", "scales", "network", "weights"),
    "init": ("content",),
    "precision": ("device",),
    "block_size": ("size", "content", "max_memory", "device"),
}

# Losses that leave a map's strength to others, and see it through windows too wide for deep maps.
_SHALLOW_LOSSES = {"phase", "phase_match"}

# What runs did before there was an option for it, where that is not the option's default.
BEFORE_OPTIONS: dict[str, Any] = {
    "network": "vgg16", "content_loss": "squared", "style_regions": 1, "style_places": "all",
}

# Decades of the style weight, from --strength=0 to 1; below the second number it falls to 0.
_STRENGTH_DECADES, _WEAK = 4.0, 0.1


@enum.unique
class Kind(enum.Enum):
    """What weights are like, which decides the layers that suit them."""

    DEEP = "pretrained, to the fifth block"
    COMPACT = "of our own, to the fifth block"
    SHALLOW = "pretrained, to the third block"
    LEARNED = "learned without labels"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that content and style look at, if left to `auto`."""
        values = _FOR_KIND[self]
        return tuple(dict.fromkeys([*values["content_layers"], *values["style_layers"]]))

    @property
    def reaches_deep(self) -> bool:
        """Whether large forms are among what the style is compared by."""
        return bool({*_LARGE} & {*self.layers})


# Style layers: those that carry brush strokes, and those that carry large forms.
_FINE = ("block1_conv1", "block2_conv1", "block3_conv1", "block3_conv3")
_LARGE = ("block4_conv1", "block5_conv1")

# What was best with each kind of weights when measured: benchmarks/RESULTS.md.
_DEEP: dict[str, Any] = {
    "content_layers": {"block3_conv3": 1.0, "block4_conv2": 1.0},
    "content_loss": "cosine",
    # A sixth for large forms: with a third, drawings had coloured fringes.
    "style_layers": dict.fromkeys(_FINE, 5.0) | dict.fromkeys(_LARGE, 2.0),
    "pooling": "max",
    "style_weight": 13.0,
}
_FOR_KIND: dict[Kind, dict[str, Any]] = {
    Kind.DEEP: _DEEP,
    Kind.COMPACT: {
        **_DEEP,
        # Its deep maps say less of large forms than VGG16's, and so count more; what that takes
        # from the content's details is held by the shallower of the content's layers.
        "content_layers": {"block3_conv3": 1.3, "block4_conv2": 1.0},
        "style_layers": dict.fromkeys(_FINE, 6.0) | dict.fromkeys(_LARGE, 5.0),
        "style_weight": 14.0,
    },
    Kind.SHALLOW: {
        "content_layers": {"block3_conv3": 1.0},
        "content_loss": "squared",
        "style_layers": dict.fromkeys(_FINE, 1.0),
        "pooling": "max",
        "style_weight": 14.0,
    },
    Kind.LEARNED: {
        "content_layers": {"block1_conv2": 1.0},
        "content_loss": "squared",
        "style_layers": {"block1_conv1": 1.0, "block2_conv1": 1.0, "block3_conv1": 1.0},
        "pooling": "average",
        "style_weight": 30.0,
    },
}

# Long side, in pixels. A smaller picture has fewer values than the layers have means and
# covariances: only the style image itself has them all, and its layout would be taken over.
_COARSEST = 96

# A single size has to do all the work; two share it.
_STEPS = {1: (150,), 2: (100, 50)}
# A step of the compact network takes 0.4 of the time, and more of them still gain. Up to a
# side of 1535 pixels: beyond, the time counts.
_STEPS_COMPACT = {1: (200,), 2: (130, 70), 3: (100, 70, 45), 4: (100, 100, 70, 45)}


def suited(kind: Kind, settings: Settings) -> Kind:
    """The kind of weights whose layers suit these, and the style losses in use."""
    if kind.reaches_deep and settings.style_loss.keys() & _SHALLOW_LOSSES:
        return Kind.SHALLOW
    return kind


def for_weights(
    settings: Settings, content: tuple[str, Kind], style: tuple[str, Kind]
) -> Settings:
    """The settings with every `auto` that depends on the weights resolved.

    Args:
        content, style: the weights of each part's network, and their kind.
    """
    of_content = _FOR_KIND[content[1]]
    values = {**_FOR_KIND[style[1]],
              **{name: of_content[name] for name in ("content_layers", "content_loss")}}
    if settings.large_forms != AUTO:
        if style[1].reaches_deep:
            values["style_layers"] = _weighted(settings.large_forms)
        settings = settings.replace(large_forms=AUTO)
    values = {name: value for name, value in values.items() if getattr(settings, name) == AUTO}
    if settings.strength != AUTO:
        values["style_weight"] *= (
            10 ** (_STRENGTH_DECADES * (settings.strength - 0.5))
            * min(1.0, settings.strength / _WEAK)
        )
        if values["style_weight"] < LEAST_WEIGHT:
            values["style_weight"] = 0.0
        values["strength"] = AUTO
    if content[0] == style[0]:
        values["weights"] = content[0]
    else:
        values |= {"content_network_weights": content[0], "style_network_weights": style[0]}
    return settings.replace(**values)


def _weighted(large: float) -> dict[str, float]:
    """Style layers, of which the deep ones have the share `large`, from 0 to 1."""
    shares = {**{name: (1 - large) / len(_FINE) for name in _FINE},
              **{name: large / len(_LARGE) for name in _LARGE}}
    return {name: share for name, share in shares.items() if share}


def freedom(settings: Settings) -> float:
    """How far the image is free to leave the content's pixels: 1 is free, 0 is not at all.

    The style weight over the content weight, and 1 from there on. Features of deep layers leave
    details open, which total variation and rounding would decide where no style does.
    """
    if settings.style_weight >= settings.content_weight:
        return 1.0
    return settings.style_weight / settings.content_weight


def scales(settings: Settings, side: int) -> int:
    """How many sizes there are, if the long side of the last is `side`, in pixels."""
    if settings.model:
        return 1
    if settings.scales != AUTO:
        return settings.scales
    if settings.steps != AUTO and len(settings.steps) > 1:
        return len(settings.steps)
    return 1 + max(0, math.floor(math.log2(side / _COARSEST)))


def steps(settings: Settings, count: int) -> tuple[int, ...]:
    """Most steps at each of the last `count` sizes, coarse first."""
    if settings.model:
        return (0,) * count
    if settings.steps == AUTO:
        known = _STEPS_COMPACT if settings.network == "compact" else _STEPS
        return known.get(count, (60,) * (count - 2) + (40, 30))
    if len(settings.steps) == 1:
        return settings.steps * count
    return settings.steps[-count:]
