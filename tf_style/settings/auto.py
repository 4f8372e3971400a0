"""What `auto` stands for, as far as the settings alone decide it."""

from __future__ import annotations

import math
from typing import Any

from tf_style.settings.option import AUTO
from tf_style.settings.settings import LEAST_WEIGHT, Settings

# What an option left to `auto` depends on: if one of these changes, its value is found anew.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "content_network": ("network", "weights"),
    "content_network_weights": ("network", "weights", "content_network"),
    "style_network": ("network", "weights"),
    "style_network_weights": ("network", "weights", "style_network"),
    "weights": ("network",),
    "pooling": ("network", "weights", "style_network", "style_network_weights"),
    "content_layers": ("network", "weights", "content_network", "content_network_weights"),
    "style_layers": ("network", "weights", "style_network", "style_network_weights"),
    "style_weight": ("network", "weights", "style_network", "style_network_weights"),
    "style_blend": ("style",),
    "scales": ("size", "content", "steps"),
    "steps": ("size", "content", "style", "scales"),
    "init": ("content",),
    "precision": ("device",),
    "block_size": ("size", "content", "max_memory", "device"),
}

# Decades of the style weight, from --strength=0 to 1; below the second number it falls to 0.
_STRENGTH_DECADES, _WEAK = 4.0, 0.1

# What was best with each kind of weights when measured: benchmarks/RESULTS.md.
_FOR_WEIGHTS = {
    "pretrained": {
        "content_layers": "block3_conv3",
        "style_layers": "block1_conv1,block2_conv1,block3_conv1,block3_conv3",
        "pooling": "max",
        "style_weight": 14.0,
    },
    "learned": {
        "content_layers": "block1_conv2",
        "style_layers": "block1_conv1,block2_conv1,block3_conv1",
        "pooling": "average",
        "style_weight": 30.0,
    },
}

# Long side, in pixels. A smaller picture has fewer values than the layers have means and
# covariances: only the style image itself has them all, and its layout would be taken over.
_COARSEST = 96

# A single size has to do all the work; two share it.
_STEPS = {1: (150,), 2: (100, 50)}


def for_weights(
    settings: Settings, content: tuple[str, bool], style: tuple[str, bool]
) -> Settings:
    """The settings with every `auto` that depends on the weights resolved.

    Args:
        content, style: the weights of each part's network, and whether they were learned without
            labels. Such features carry style and content in other layers than ImageNet's do.
    """
    kinds = [_FOR_WEIGHTS["learned" if learned else "pretrained"] for _, learned in
             (content, style)]
    values: dict[str, Any] = {**kinds[1], "content_layers": kinds[0]["content_layers"]}
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
    if settings.scales != AUTO:
        return settings.scales
    if settings.steps != AUTO and len(settings.steps) > 1:
        return len(settings.steps)
    return 1 + max(0, math.floor(math.log2(side / _COARSEST)))


def steps(settings: Settings, count: int) -> tuple[int, ...]:
    """Most steps at each of the last `count` sizes, coarse first."""
    if settings.steps == AUTO:
        return _STEPS.get(count, (60,) * (count - 2) + (40, 30))
    if len(settings.steps) == 1:
        return settings.steps * count
    return settings.steps[-count:]
