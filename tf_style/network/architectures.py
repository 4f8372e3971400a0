"""The networks' layers: names, sizes, strides and receptive fields. No TensorFlow."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable

from tf_style.settings import InputError

# Positions of maps from this stride on are large enough to be things.
_COARSE_STRIDE = 8


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        name: Keras' own name of the layer.
        inputs: channels in.
        channels: channels out.
        pooling: whether it is a 2x2 pooling; else a 3x3 convolution with a ReLU.
        stride: pixels of the picture from one position of the map to the next.
        radius: how many pixels of the picture a position sees on its wider side.
    """

    name: str
    inputs: int
    channels: int
    pooling: bool
    stride: int
    radius: int

    @property
    def field(self) -> int:
        """Side of the square of pixels that a position sees.

        Pooling reaches further to one side, by one pixel less than the stride in total.
        """
        return 2 * self.radius + 2 - self.stride


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A network of the VGG family.

    Attributes:
        name: as in `--network`.
        title: as in its paper.
        layers: in order, starting at the picture.
        weights: the words that `--weights` may be besides `auto`, the one that it stands for first.
        readouts: whether the map of each convolution is read through a linear 1x1 convolution of
            as many channels, without bias, that nothing else sees: its values may be negative.

    Source: Simonyan, Zisserman, Very Deep Convolutional Networks for Large-Scale Image
        Recognition, ICLR 2015, table 1.
    """

    name: str
    title: str
    layers: tuple[Layer, ...]
    weights: tuple[str, ...] = ("imagenet", "unsupervised", "random")
    readouts: bool = False

    @property
    def convolutions(self) -> tuple[Layer, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if not layer.pooling)

    def read_out(self, names: Iterable[str]) -> tuple[Layer, ...]:
        """Those of `names` that are read through a readout."""
        names = set(names)
        return tuple(layer for layer in self.convolutions if layer.name in names and self.readouts)

    def coarse(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that tell things apart; finer layers tell edges and colours."""
        names = set(names)
        return tuple(layer.name for layer in self.layers
                     if layer.name in names and layer.stride >= _COARSE_STRIDE)

    def layer(self, name: str) -> Layer:
        """The layer called `name`."""
        return next(layer for layer in self.layers if layer.name == name)

    def check(self, names: Iterable[str], option: str = "layers") -> None:
        """Check that the network has all layers in `names`.

        Raises:
            InputError: if it lacks one; the message names it and the nearest that it has.
        """
        network = "" if self.name == "vgg16" else f" --network={self.name}"
        check_layers(names, [layer.name for layer in self.layers], self.title, option, network)

    def up_to(self, names: Iterable[str]) -> tuple[Layer, ...]:
        """The layers from the picture to the deepest in `names`."""
        names = set(names)
        deepest = max(i for i, layer in enumerate(self.layers) if layer.name in names)
        return self.layers[: deepest + 1]

    def least_size(self, names: Iterable[str]) -> int:
        """The shortest side of a picture that leaves the deepest of `names` one position."""
        return self.up_to(names)[-1].stride


def check_layers(
    names: Iterable[str], known: list[str], title: str, option: str, network: str
) -> None:
    """Check that all `names` are among the layers `known` of the network called `title`.

    Args:
        option: the flag that named them, without dashes.
        network: the flag that lists them, if it is not the default.

    Raises:
        InputError: if one is not; the message names it and the nearest that is.
    """
    for name in names:
        if name not in known:
            near = _nearest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise InputError(
                f"--{option}: {title} has no layer {name!r}.{hint} "
                f"All layers: tf_style --list_layers{network}"
            )


def plain_layer(name: str) -> str:
    """A layer of VGG by Keras' name, if it is written as its authors and others do.

    `conv4_2` and `relu4_2` are both `block4_conv2`, whose map follows the ReLU; `pool4` is
    `block4_pool`. Other names stay as they are.
    """
    word = name.lower().replace("-", "_")
    if match := re.fullmatch(r"(?:block|b)?_?(\d)_?(?:conv|relu|c|r)_?(\d)", word) or (
            re.fullmatch(r"(?:conv|relu|c|r)_?(\d)_?(\d)", word)):
        return f"block{match[1]}_conv{match[2]}"
    if match := re.fullmatch(r"(?:block_?)?(\d)_?(?:max)?pool", word) or (
            re.fullmatch(r"(?:max)?pool_?(\d)", word)):
        return f"block{match[1]}_pool"
    return name


def _nearest(name: str, known: list[str]) -> str:
    """The layer that is most likely meant; empty if none is."""
    plain = plain_layer(name)
    if plain in known:
        return plain
    # Wherever they stand in it: others begin or end such names with more.
    numbers = re.search(r"(?:block|conv|relu)\D?(\d)\D{1,6}(\d)", plain)
    near = {each: [abs(int(a) - int(b)) for a, b in zip(match.groups(), numbers.groups(),
                                                        strict=True)]
            for each in known if numbers and (match := re.fullmatch(r"block(\d)_conv(\d)", each))}
    if near:
        return min(near, key=near.get)
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), "")


def _vgg(
    convolutions: tuple[int, ...], width: tuple[int, ...] = (64, 128, 256, 512, 512)
) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    inputs, stride, radius = 3, 1, 0
    for block, (count, channels) in enumerate(zip(convolutions, width, strict=True), start=1):
        for number in range(1, count + 1):
            radius += stride
            layers.append(
                Layer(f"block{block}_conv{number}", inputs, channels, False, stride, radius)
            )
            inputs = channels
        # A pooled position covers pixels from its own to one stride further.
        radius += stride
        stride *= 2
        layers.append(Layer(f"block{block}_pool", inputs, channels, True, stride, radius))
    return tuple(layers)


ARCHITECTURES = {each.name: each for each in (
    Architecture("vgg16", "VGG16", _vgg((2, 2, 3, 3, 3))),
    Architecture("vgg19", "VGG19", _vgg((2, 2, 4, 4, 4))),
    # Our own, which comes with the package; nothing looks at what follows its last convolution.
    Architecture(
        "compact", "the compact network", _vgg((2, 2, 3, 2, 1), (32, 64, 128, 192, 192))[:-1],
        ("included", "random"), readouts=True,
    ),
)}
