"""The options that the page offers, made from those of a run. No TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tf_style.image.samples import ALL, CONTENT_SAMPLES, PREFIX, STYLE_SAMPLES
from tf_style.run.scene import INITS
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError, Settings
from tf_style.settings.option import File, Number, Numbers, Option, Switch, Text, Weights, Word
from tf_style.settings.presets import preset_values
from tf_style.settings.settings import STYLE_LOSSES
from tf_style.settings.size import ORIGINAL, SizeType

# What the machine decides, or whoever started the studio; and what films by an optimiser need.
_NOT_OFFERED = ("device", "threads", "max_memory", "max_pixels", "cache_dir", "offline",
                "temporal_weight")
_SAMPLE_NETWORKS = tuple(PREFIX + name for name in STYLE_SAMPLES)
# Options that may name a file: from the page they take these words only.
_WORDS = {
    **dict.fromkeys(("network", "content_network", "style_network"), (AUTO, *NETWORKS)),
    **dict.fromkeys(("weights", "content_network_weights", "style_network_weights"),
                    (AUTO, *WEIGHTS)),
    "model": (*_SAMPLE_NETWORKS, PREFIX + ALL),
    "init": (AUTO, *INITS, *_SAMPLE_NETWORKS),
}
# Those that the page shows at once.
FIRST = ("strength", "style_scale", "preserve_color", "size")
_GROUPS = {
    "picture": ("size", "strength", "preserve_color", "style_scale", "style_size", "style_blend",
                "style_cleanup", "large_forms", "style_places", "style_regions", "model"),
    "loss": ("content_weight", "style_weight", "tv_weight", "content_loss", "style_loss",
             "content_layers", "style_layers", "normalize_gradients"),
    "networks": ("network", "weights", "content_network", "content_network_weights",
                 "style_network", "style_network_weights", "pooling"),
}
_REST = "steps"
_NETWORK = re.compile(r"network:[0-9a-f]{64}")


def offered() -> tuple[Option, ...]:
    """The options that the page may set."""
    return tuple(each for each in Settings.options() if each.name not in _NOT_OFFERED)


def words(option: Option) -> tuple[str, ...]:
    """The words that an option takes from the page; none if it takes other values, too."""
    if isinstance(option.type, File):
        return _WORDS[option.name]
    return option.type.words if isinstance(option.type, Word) else ()


def form() -> list[dict[str, Any]]:
    """The options as plain JSON data, in the order in which help shows them."""
    return [_plain(each) for each in offered()]


def samples() -> dict[str, list[str]]:
    """References to the pictures that come with tf_style."""
    return {"content": [PREFIX + each for each in CONTENT_SAMPLES],
            "style": [PREFIX + each for each in STYLE_SAMPLES]}


def models() -> dict[str, str]:
    """Reference to a style → the network that has learned it."""
    return {each: each for each in _SAMPLE_NETWORKS}


def is_network(value: Any) -> bool:
    """Whether this is a reference to a network of the user's own."""
    return isinstance(value, str) and bool(_NETWORK.fullmatch(value))


def preset(name: str) -> dict[str, Any]:
    """The values of a preset as the page sets them, without what it cannot set."""
    names, values = {each.name for each in offered()}, preset_values(name)
    parsed = Settings(**values).as_dict()
    # Lists stay text, as one types them.
    return {option: parsed[option] if isinstance(parsed[option], (int, float)) else value
            for option, value in values.items() if option in names}


def checked(options: Mapping[str, Any], **fixed: Any) -> Settings:
    """The settings that the page asks for.

    Args:
        options: option → value, as JSON has it.
        fixed: what whoever started the studio has decided.

    Raises:
        InputError: for an option that is not offered, or a value that it does not take.
    """
    known = {each.name: each for each in offered()}
    for name, value in options.items():
        if name not in known:
            raise InputError(f"--{name[:80]}: the studio offers no such option")
        option = known[name]
        given = words(option)
        if isinstance(option.type, File) and value is not None and (
                not isinstance(value, str) or value not in given) and not (
                name == "model" and is_network(value)):
            raise InputError(f"--{name}: expected one of {', '.join(given)}. Received: "
                             f"{str(value)[:80]!r}")
    try:
        return Settings(**{**options, **fixed})
    except InputError:
        raise
    # Such as a list in a list, or a number of many digits.
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InputError(f"these options cannot be used ({error})") from None


def _plain(option: Option) -> dict[str, Any]:
    kind = option.type
    return {
        "name": option.name, "kind": _kind(option), "default": option.default,
        "help": option.help, "minimum": getattr(kind, "minimum", None),
        "maximum": getattr(kind, "maximum", None), "above": getattr(kind, "above", None),
        "words": list(_suggested(option)), "form": kind.form,
        "group": next((group for group, names in _GROUPS.items() if option.name in names), _REST),
    }


def _kind(option: Option) -> str:
    if isinstance(option.type, (Word, File)):
        return "word"
    if isinstance(option.type, Number):
        return "whole" if option.type.whole else "number"
    for kind, name in ((Switch, "switch"), (SizeType, "size"), (Weights, "weights"),
                       (Numbers, "text"), (Text, "text")):
        if isinstance(option.type, kind):
            return name
    raise TypeError(option.name)


def _suggested(option: Option) -> tuple[str, ...]:
    """The words among an option's values."""
    if isinstance(option.type, SizeType):
        return (ORIGINAL,)
    if isinstance(option.type, Weights):
        return STYLE_LOSSES if option.type.known else ()
    given = words(option)
    return (AUTO,) if option.default == AUTO and not given else given
