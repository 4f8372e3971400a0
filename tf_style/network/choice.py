"""Which networks look at a picture, and where their weights come from. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from tf_style.image.paths import no_plain_file
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer
from tf_style.settings import AUTO, WEIGHTS, InputError, LiveModel, Settings, no_network
from tf_style.settings.auto import Kind, for_weights, suited


@dataclasses.dataclass(frozen=True)
class Choice:
    """A network, where its weights come from, and which of its layers are looked at.

    Attributes:
        network: `vgg16`, `vgg19`, `compact`, a saved Keras model's file, or a model in memory.
        weights: a word or a file; `None` for a saved model, or if not known yet.
        content, style: layer → weight; empty where another network computes that part.
    """

    network: str
    weights: str | None
    content: Mapping[str, float] = dataclasses.field(default_factory=dict)
    style: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def architecture(self) -> Architecture | None:
        """The network's layers; `None` for a saved model."""
        return ARCHITECTURES.get(self.network)

    @property
    def files(self) -> list[str]:
        """The files that it is read from."""
        return [name for name in (self.network, self.weights)
                if name not in (None, *ARCHITECTURES, *WEIGHTS)
                and not isinstance(name, LiveModel)]

    @property
    def parts(self) -> list[str]:
        """The parts of the loss that it computes."""
        return [part for part in ("content", "style") if getattr(self, part)]

    @property
    def names(self) -> list[str]:
        """All layers that are looked at."""
        return list(dict.fromkeys([*self.content, *self.style]))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers that are computed; none for a saved model, whose layers are not known."""
        return self.architecture.up_to(self.names) if self.architecture else ()

    @property
    def readouts(self) -> tuple[Layer, ...]:
        """The layers that are computed beside those, as readouts of maps that are looked at."""
        return self.architecture.read_out(self.names) if self.architecture else ()

    @property
    def least_size(self) -> int:
        """The shortest side of a picture that leaves each layer one position; 1 if not known."""
        return self.architecture.least_size(self.names) if self.architecture else 1


def architecture_of(network: str, flag: str = "network") -> Architecture | None:
    """The layers of a named network; `None` for a saved model's file, or a model in memory.

    Raises:
        InputError: if there is neither such a network nor such a file.
    """
    if isinstance(network, LiveModel):
        return None
    if network not in ARCHITECTURES and (reason := no_plain_file(network)):
        raise no_network(flag, network, reason)
    return ARCHITECTURES.get(network)


def _kind(choice: Choice) -> Kind:
    """Which layers suit its weights. Those of a saved model are named by the user."""
    if choice.architecture is None:
        return Kind.SHALLOW
    return weight_sources.kind_of(choice.weights, choice.architecture)


def choose(
    settings: Settings,
    settle: Callable[..., tuple[str, str | None]] = weight_sources.settle,
) -> tuple[Settings, tuple[Choice, ...]]:
    """The settings with every `auto` that depends on weights resolved, and the networks.

    Args:
        settle: tells what a network and its weights stand for; called like `weights.settle`.

    Returns:
        The settings; and one choice for content and style, or one for each.

    Raises:
        InputError: for a network that does not exist, or a layer that it lacks.
    """
    named = {part: settings.network_of(part) for part in ("content", "style")}
    settled: dict[tuple[str, str], Choice] = {}
    for flag, network, weights in named.values():
        if (network, weights) in settled:
            continue
        if network == AUTO or architecture_of(network, flag):
            found = settle(network, weights, offline=settings.offline)
        else:
            found = network, None
        settled[network, weights] = Choice(*found)
    content, style = (settled[network, weights] for _, network, weights in named.values())
    settings = _with_network(settings, content, style)
    of_content = _kind(content)
    kinds = [suited(kind, settings) for kind in
             (of_content, of_content if style == content else _kind(style))]
    if settings.large_forms not in (AUTO, 0) and style.weights and not kinds[1].reaches_deep:
        raise InputError(
            f"--large_forms={settings.large_forms:g}: needs pretrained weights that reach block "
            f"5, and a --style_loss without phase. Received: {style.weights}, "
            f"{','.join(settings.style_loss)}. Choose --large_forms=0 or others of these"
        )
    # Of weights that are not known yet, neither are the layers that `auto` stands for.
    is_open = style.architecture and style.weights is None and settings.style_layers == AUTO
    settings = for_weights(settings, *[
        (choice.weights or AUTO, kind)
        for choice, kind in zip((content, style), kinds, strict=True)
    ])
    for part, choice in (("content", content), ("style", style)):
        if choice.architecture:
            choice.architecture.check(getattr(settings, f"{part}_layers"), f"{part}_layers")
    coarse = style.architecture and style.architecture.coarse(settings.style_layers)
    asked = settings.style_places
    if asked == AUTO:
        known = coarse and "moments" in settings.style_loss
        settings = settings.replace(style_places="recurring" if known else "all")
    for name, plain in (("style_regions", (AUTO, 1)), ("style_places", ("all",))):
        if getattr(settings, name) not in plain and not (coarse or is_open):
            raise InputError(f"--{name}={getattr(settings, name)}: needs style layers of block 4 "
                             f"or 5 of {', '.join(ARCHITECTURES)}")
    if content == style:
        return settings, (dataclasses.replace(
            content, content=settings.content_layers, style=settings.style_layers
        ),)
    return settings, (dataclasses.replace(content, content=settings.content_layers),
                      dataclasses.replace(style, style=settings.style_layers))


def _with_network(settings: Settings, content: Choice, style: Choice) -> Settings:
    """The settings with the network that `auto` stands for, if anything follows it."""
    following = {part: choice for part, choice in (("content", content), ("style", style))
                 if settings.network_of(part)[1] == AUTO}
    if not following:
        return settings
    first = next(iter(following.values())).network
    # Weights of their own may belong to another network.
    others = {f"{part}_network": choice.network for part, choice in following.items()
              if choice.network != first}
    return settings.replace(network=first, **others)


def check_weights(choices: Sequence[Choice]) -> None:
    """Check that the weights files of networks can be read, and have the layers looked at.

    Raises:
        InputError: if one cannot, or lacks one.
    """
    for choice in choices:
        if choice.layers and choice.weights not in (None, *WEIGHTS):
            weight_sources.load(choice.architecture, choice.layers, choice.weights)


def limits(given: Settings, choices: Sequence[Choice]) -> list[str]:
    """What is to be said of weights files that lack the layers that `auto` would have chosen.

    Args:
        given: the settings before `choose`.
    """
    found = []
    for choice in choices:
        left = [part for part in choice.parts if getattr(given, f"{part}_layers") == AUTO]
        if not (left and choice.architecture):
            continue
        if missing := weight_sources.missing(choice.weights, choice.architecture):
            found.append(
                f"{choice.weights}: no {missing[0]} in this file; using the layers of "
                "--preset=shallow, whose forms are smaller"
            )
    return found
