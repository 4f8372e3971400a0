"""Which network sees to the content and which to the style. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer
from tf_style.settings import AUTO, WEIGHTS, InputError, Settings

PARTS = ("content", "style")


@dataclasses.dataclass(frozen=True)
class Choice:
    """A network, and where its weights come from.

    Attributes:
        network: `vgg16`, `vgg19`, or a saved Keras model's file.
        weights: a word or a file; `None` for a saved model, or where it is not known yet.
    """

    network: str
    weights: str | None

    @property
    def architecture(self) -> Architecture | None:
        """The network's layers; `None` for a saved model."""
        return ARCHITECTURES.get(self.network)

    @property
    def files(self) -> list[str]:
        """The files that it is read from."""
        return [name for name in (self.network, self.weights)
                if name not in (None, *ARCHITECTURES, *WEIGHTS)]


def known_weights(
    weights: str, architecture: Architecture, *, offline: bool = False
) -> str | None:
    """What `auto` stands for, as far as that can be known without a download.

    Raises:
        InputError: for `imagenet` where that is not to be downloaded, and not there.
    """
    if weights == "imagenet" and offline:
        weight_sources.imagenet_file(architecture, offline=True)
    return weight_sources.environment_file() if weights == AUTO else weights


def choose(
    settings: Settings,
    resolve: Callable[..., str | None] = weight_sources.resolve,
) -> tuple[Settings, dict[str, Choice]]:
    """The settings with every `auto` that depends on weights resolved; and each part's network.

    Args:
        resolve: says what a word of `--weights` stands for; called as `weights.resolve` is.

    Returns:
        `content` and `style` → its choice; equal ones are one network.

    Raises:
        InputError: for a network that is not there, or a layer that it has not.
    """
    choices: dict[str, Choice] = {}
    resolved: dict[tuple[str, str], str | None] = {}
    for part in PARTS:
        flag, network, weights = settings.network_of(part)
        architecture = ARCHITECTURES.get(network)
        if architecture is None:
            if not Path(network).is_file():
                raise InputError(
                    f"--{flag}={network}: expected {', '.join(ARCHITECTURES)} or a saved Keras "
                    "model. There is no such file"
                )
        elif (network, weights) not in resolved:
            resolved[network, weights] = resolve(
                weights, architecture, offline=settings.offline
            )
        choices[part] = Choice(network, resolved.get((network, weights)))
    settings = settings.for_weights(*[
        (choice.weights or AUTO, weight_sources.are_learned(choice.weights))
        for choice in choices.values()
    ])
    for part, choice in choices.items():
        if choice.architecture:
            choice.architecture.check(getattr(settings, f"{part}_layers"), f"{part}_layers")
    return settings, choices


@dataclasses.dataclass(frozen=True)
class Use:
    """A network, and which of its layers are looked at.

    Attributes:
        content, style: layer → weight; empty where another network sees to that.
    """

    choice: Choice
    content: Mapping[str, float]
    style: Mapping[str, float]

    @property
    def names(self) -> list[str]:
        """All layers that are looked at."""
        return list(dict.fromkeys([*self.content, *self.style]))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers that are computed; none for a saved model, whose layers are not known."""
        architecture = self.choice.architecture
        return architecture.up_to(self.names) if architecture else ()

    @property
    def least_size(self) -> int:
        """The shortest side of a picture that leaves each layer a position; 1 if not known."""
        return self.layers[-1].stride if self.layers else 1


def uses(settings: Settings, choices: Mapping[str, Choice]) -> list[Use]:
    """The network for both parts, or one for each."""
    content, style = (choices[part] for part in PARTS)
    if content == style:
        return [Use(content, settings.content_layers, settings.style_layers)]
    return [Use(content, settings.content_layers, {}), Use(style, {}, settings.style_layers)]
