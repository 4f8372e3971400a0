"""Every option of a run: all that decides what it computes, apart from the pictures themselves."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from typing import Any

from tf_style.settings.live import PREFIX, LiveModel, NetworkFile
from tf_style.settings.option import (
    AUTO,
    File,
    InputError,
    Number,
    Numbers,
    Options,
    Switch,
    Text,
    Weights,
    Word,
    option,
    whole,
)
from tf_style.settings.size import Size, SizeType

# Networks that --network knows; any other is a file. Each is defined in
# tf_style/network/architectures.py.
NETWORKS = ("vgg16", "vgg19", "compact")
# Words that --weights knows; any other is a file.
WEIGHTS = ("imagenet", "unsupervised", "included", "random")
# Each is defined in tf_style/loss/content.py.
CONTENT_LOSSES = ("squared", "cosine")
# Each is defined in tf_style/loss/style.py.
STYLE_LOSSES = (
    "gram", "moments", "mean_std", "sliced_wasserstein", "histogram", "neighbors", "phase",
    "phase_match",
)
# Those that draw positions, channels or directions at random.
DRAWING_LOSSES = ("sliced_wasserstein", "histogram", "neighbors", "phase_match")
MOST_SCALES, MOST_STEPS = 12, 1_000_000
# What still counts where a network paints: --model.
WITH_MODEL = ("size", "model", "strength", "style_blend", "preserve_color", "precision", "device",
              "threads", "max_pixels", "cache_dir", "offline")
# What counts where a network is trained: the objective and the machine.
IN_TRAINING = (
    "size", "strength", "network", "weights", "content_network", "content_network_weights",
    "style_network", "style_network_weights", "pooling", "content_layers", "style_layers",
    "large_forms", "content_weight", "style_weight", "tv_weight", "content_loss", "style_loss",
    "style_scale", "style_size", "style_cleanup", "seed", "precision", "device", "threads",
    "max_pixels", "cache_dir", "offline",
)
# Of a part of the loss that is not 0.
LEAST_WEIGHT = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Options):
    """All that decides what a run computes, apart from the pictures themselves.

    Values are checked and brought to one form on construction, so `Settings(steps="100,60")` and
    `Settings(steps=(100, 60))` are equal. Layers are text as on the command line, a sequence of
    names, or a mapping of name to weight. `size` is a `Size`, written as `512`, `(512, 384)` (width
    and height, without a content), `"512x384"` or `"original"`. A network may also be a Keras model
    in memory that takes RGB in [0, 1]: it is used as it is when the networks are built, and only
    its name and a fingerprint are recorded.

    Raises:
        InputError: (a `ValueError`) for a value outside its range, or two that contradict each
            other.

    Example:
        >>> Settings(style_layers="block1_conv1,block2_conv1:0.5").style_layers["block2_conv1"]
        0.5
    """

    size: Size = option(
        SizeType(), 512,
        "long side of the output, in pixels; original: the content's own; with --content=none "
        "width x height",
    )
    model: str | None = option(
        File("FILE"), None,
        "paint with a network that tf_style_train made, or sample:NAME, in a tenth of a second; "
        "then no style is given",
    )
    strength: float | str = option(
        Number(0, 1), AUTO,
        "one knob instead of --style_weight: 0, untouched, to 1, hardly recognisable; with --model "
        "the share of what the network paints; auto: as 0.5, with --model 1",
    )
    network: str = option(
        NetworkFile("NAME|FILE"), AUTO,
        f"auto, {', '.join(NETWORKS)}, or a saved Keras model file; auto is the network that "
        "--weights belong to; without these, vgg16 with the file in $TF_STYLE_WEIGHTS if set, else "
        "with imagenet, else compact",
    )
    weights: str = option(
        File("NAME|FILE"), AUTO,
        "auto, imagenet, unsupervised (learned from the pictures), included (those of compact), "
        "random, or a weights file; auto with --network=vgg16 is the file in $TF_STYLE_WEIGHTS if "
        "set, else imagenet, else unsupervised; with compact, included",
    )
    content_network: str = option(
        NetworkFile("NAME|FILE"), AUTO,
        "network of the content loss; auto: --network",
    )
    content_network_weights: str = option(File("NAME|FILE"), AUTO, "its weights; auto: --weights")
    style_network: str = option(
        NetworkFile("NAME|FILE"), AUTO,
        "network of the style loss; auto: --network",
    )
    style_network_weights: str = option(File("NAME|FILE"), AUTO, "its weights; auto: --weights")
    pooling: str = option(
        Word((AUTO, "max", "average")), AUTO,
        f"how {', '.join(NETWORKS)} reduce maps; average is smoother; auto: average with "
        "--weights=unsupervised and files of tf_style_learn, else max",
    )
    content_layers: Mapping[str, float] | str = option(
        Weights("layer"), AUTO,
        "layers whose feature maps keep the content; auto: block3_conv3 and block4_conv2 with "
        "pretrained weights that reach block 5",
    )
    style_layers: Mapping[str, float] | str = option(
        Weights("layer"), AUTO,
        "layers whose statistics carry the style; auto: block1_conv1, block2_conv1, block3_conv1, "
        "block3_conv3, block4_conv1, and block5_conv1, weighted as --large_forms says, with "
        "pretrained weights that reach block 5",
    )
    large_forms: float | str = option(
        Number(0, 1), AUTO,
        "share of blocks 4 and 5 in the style loss: 0, brush strokes alone, to 1, large forms; "
        "instead of --style_layers; auto: a sixth with VGG16 and VGG19, 0.29 with compact, 0 "
        "without blocks 4 and 5 or with --style_loss=phase or phase_match",
    )
    style_places: str = option(
        Word((AUTO, "recurring", "all")), AUTO,
        "what of a style its large forms are taken from: recurring, mostly what it shows several "
        "times, so that its only sun or head is not painted into the content; all, everything; "
        "auto: recurring where style layers of block 4 or 5 are compared by moments, else all",
    )
    style_regions: int | str = option(
        whole(1, 8), AUTO,
        "into how many regions, such as sky and houses, pictures are divided, so that large "
        "forms of the style go where the content has their like; needs style layers of block 4 or "
        "5, and no --content_mask; 1: not at all; auto: 1",
    )
    content_weight: float = option(Number(0, 1e6), 1.0, "weight of the content loss")
    style_weight: float | str = option(
        Number(0, 1e6), AUTO,
        "weight of the style loss; auto: 13 with VGG16 and VGG19, 14 with compact, with weights "
        "without blocks 4 and 5 and with --style_loss=phase or phase_match, 30 with "
        "--weights=unsupervised and files of tf_style_learn",
    )
    tv_weight: float = option(
        Number(0, 1e6), 0.6,
        "weight of the total variation; proportionally less where --style_weight is below "
        "--content_weight",
    )
    temporal_weight: float = option(
        Number(0, 1e6), 1000.0,
        "weight of what a film's frame shares with the frame before; more is steadier, less is "
        "freer to follow the style",
    )
    content_loss: str = option(
        Word((AUTO, *CONTENT_LOSSES)), AUTO,
        "what is compared with the content: squared, the feature maps; cosine, what is where in "
        "them, regardless of a channel's mean and a map's strength; auto: cosine with "
        "pretrained blocks 4 and 5, squared without them or with --style_loss=phase or "
        "phase_match",
    )
    style_loss: Mapping[str, float] | str = option(
        Weights("loss", STYLE_LOSSES), "moments",
        f"what is compared between styles: {', '.join(STYLE_LOSSES)}; several are added up",
    )
    style_scale: float | tuple[float, ...] = option(
        Numbers(Number(maximum=8, above=0), form="X or X,X,…", plain=True), 1.0,
        "size at which the style is seen, relative to the generated image; or one for each "
        "of several styles",
    )
    style_size: int | str = option(
        whole(8, 32768), AUTO,
        "long side, in pixels, at which the style is seen; auto: by --style_scale",
    )
    style_blend: tuple[float, ...] | str = option(
        Numbers(Number(0, 1e6)), AUTO,
        "shares of several styles, 0 for none; auto: the same for each",
    )
    style_cleanup: str = option(
        Word((AUTO, "off")), AUTO,
        "auto: recognise noisy, compressed and small styles, and mend them",
    )
    preserve_color: str = option(
        Word(("none", "luminance", "statistics", "histogram")), "none",
        "keep the content's colours: its own with the result's luminance, or the style's "
        "matched to them in mean and covariance, or in distribution",
    )
    scales: int | str = option(
        whole(1, MOST_SCALES), AUTO,
        "how many sizes, coarse to fine, each twice the one before; auto: one for each of "
        "several --steps, else as many as leave the coarsest at 96 pixels or more",
    )
    steps: tuple[int, ...] | str = option(
        Numbers(whole(1, MOST_STEPS), most=MOST_SCALES, form="N or N,N,…"), AUTO,
        "most steps at each size, one number or one for each, coarse first; auto: 60,40,30 at "
        "three sizes, with compact 100,70,45",
    )
    tolerance: float = option(
        Number(0, 1), 0.0002,
        "go on to the next size when ten steps lower the loss by less than this share for each "
        "step; 0: never",
    )
    optimizer: str = option(
        Word(("adam", "lbfgs")), "adam",
        "what moves the image; lbfgs needs pip install 'tf_style[lbfgs]'",
    )
    learning_rate: float = option(
        Number(1e-6, 1), 0.05,
        "length of the first steps, in units of the range of a pixel",
    )
    learning_rate_schedule: str = option(
        Word(("rest", "cosine", "constant")), "rest",
        "how the learning rate falls: rest, over the last size alone; cosine, over each size; "
        "constant, not at all",
    )
    normalize_gradients: bool = option(
        Switch(), False,
        "give each layer's gradient the same length before it is weighted",
    )
    init: str = option(
        NetworkFile("NAME|FILE"), AUTO,
        "where the image starts: content, style, noise, gray, a picture file, or a --model: what "
        "that network makes of the content; auto: content, or noise where there is none",
    )
    init_noise: float = option(Number(0, 1), 0.0, "share of noise in the start")
    seed: int = option(whole(0, 2**31 - 1), 0, "seed of everything drawn at random")
    precision: str = option(
        Word((AUTO, "float32", "bfloat16", "float16")), AUTO,
        "type in which the network computes; losses are always float32",
    )
    device: str = option(Text(), AUTO, "auto, cpu, gpu, or gpu:N")
    threads: int | str = option(
        whole(1, 1024), AUTO,
        "threads of the processor that compute, for the whole process; another number adds up in "
        "another order, which gives another picture of the same kind; auto: one for each core",
    )
    block_size: int | str = option(
        whole(0, 32768), AUTO,
        "compute in blocks this many pixels wide, which takes less memory; 0: never; auto: where "
        "the whole would not fit",
    )
    max_memory: float | str = option(
        Number(maximum=1e6, above=0), AUTO,
        "memory that the process may take, in GB; auto: what is free",
    )
    max_pixels: int = option(
        whole(1, 2**32), 178_956_970,
        "most pixels of a picture file; a larger one is refused, as it may be meant to exhaust "
        "memory",
    )
    cache_dir: str = option(
        File("FOLDER"), AUTO,
        "folder where learned features are kept; auto: the user's cache",
    )
    offline: bool = option(
        Switch(), False,
        "download nothing: imagenet works only if its file is in Keras' cache",
    )

    def check_conflicts(self) -> None:
        """Check that no two values contradict each other."""
        if self.model:
            self._check_only(WITH_MODEL, "with --model")
        if self.scales != AUTO and self.steps != AUTO and len(self.steps) not in (1, self.scales):
            raise InputError(
                f"--steps: expected one number, or one for each of the {self.scales} --scales. "
                f"Received: {','.join(map(str, self.steps))}"
            )
        for part in ("content", "style"):
            flag, network, weights = self.network_of(part)
            if network in (AUTO, *NETWORKS):
                continue
            if weights != AUTO:
                raise InputError(
                    f"--{flag.replace('network', 'network_weights') if part in flag else 'weights'}"
                    f"={weights}: a saved model brings its own weights; leave them out with "
                    f"--{flag}={network}"
                )
            is_live = isinstance(network, LiveModel)
            is_unnamed = getattr(self, f"{part}_layers") == AUTO
            # What lists layers needs a file; settings with all names may be for another machine.
            if not (is_live or os.path.exists(network)) and (
                    is_unnamed or not os.path.splitext(network)[1]):
                raise no_network(flag, network)
            if not is_live and network.lower().endswith((".weights.h5", ".tflite", ".onnx")):
                raise InputError(f"--{flag}={network}: expected a saved Keras model, such as "
                                 "model.keras; a file of weights is for --weights")
            if is_unnamed:
                listed = (", ".join(layer.name for layer in network.model.layers) if is_live
                          else f"tf_style --list_layers --network={network}")
                raise InputError(f"--{flag}={network}: name its layers with --{part}_layers. All "
                                 f"layers: {listed}")
        if self.normalize_gradients and self.block_size not in (AUTO, 0):
            raise InputError("--normalize_gradients: the length of a whole picture's gradient is "
                             "not known block by block. Choose --block_size=0")
        if self.normalize_gradients and self.precision == "float16":
            raise InputError("--normalize_gradients: float16 cannot hold numbers that small. "
                             "Choose --precision=bfloat16 or float32")
        if self.strength != AUTO and self.style_weight != AUTO:
            raise InputError("--strength and --style_weight: choose one of them")
        if self.large_forms != AUTO and self.style_layers != AUTO:
            raise InputError("--large_forms and --style_layers: choose one of them")
        if self.style_size != AUTO and self.style_scale != 1:
            raise InputError("--style_size and --style_scale: choose one of them")
        if self.style_blend != AUTO and not any(self.style_blend):
            raise InputError("--style_blend: expected a share above 0 for one of the styles")
        if self.block_size != AUTO and 0 < self.block_size < 32:
            raise InputError(
                f"--block_size: expected 0, or at least 32. Received: {self.block_size}"
            )
        for name in ("content_weight", "style_weight", "tv_weight", "temporal_weight"):
            weight = getattr(self, name)
            # Smaller ones would be lost to rounding.
            if weight != AUTO and 0 < weight < LEAST_WEIGHT:
                raise InputError(f"--{name}: expected 0, or at least {LEAST_WEIGHT:g}. Received: "
                                 f"{weight}")
        if not (self.content_weight or self.style_weight):
            raise InputError("--content_weight and --style_weight are both 0: nothing to do")

    def for_training(self) -> Settings:
        """These settings where a network is trained: losses are then taken from `compact`.

        Unless another network is named. A step takes less than half the time, and what is painted
        is as good.

        Raises:
            InputError: if something is asked for that has no effect there.
        """
        self._check_only(IN_TRAINING, "when training")
        named = ("network", "weights", "content_network", "content_network_weights",
                 "style_network", "style_network_weights")
        if any(getattr(self, name) != AUTO for name in named):
            return self
        return self.replace(network="compact")

    def _check_only(self, names: Collection[str], where: str) -> None:
        """Check that all options but these have their defaults."""
        for each in self.options():
            if each.name not in names and getattr(self, each.name) != each.parse(each.default):
                raise InputError(f"--{each.name}: has no effect {where}. Leave it out")

    def network_of(self, part: str) -> tuple[str, str, str]:
        """The flag that names the network of a part, that network, and its weights.

        Args:
            part: `content` or `style`.
        """
        own, weights = getattr(self, f"{part}_network"), getattr(self, f"{part}_network_weights")
        if own == AUTO:
            return "network", self.network, self.weights if weights == AUTO else weights
        # Weights belong to one network: another cannot use them.
        owner = self.network
        if owner == AUTO:
            owner = "compact" if self.weights == "included" else "vgg16"
        if weights == AUTO and own == owner:
            weights = self.weights
        return f"{part}_network", own, weights

    def replace(self, **changes: Any) -> Settings:
        """These settings with other values for the fields named.

        Raises:
            InputError: for a field that does not exist.
        """
        unknown = sorted(set(changes) - {field.name for field in dataclasses.fields(self)})
        if unknown:
            raise InputError(f"no setting is called {unknown[0]!r}. Settings: "
                             + ", ".join(field.name for field in dataclasses.fields(self)))
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data that gives equal settings when passed to `Settings(**…)`."""
        return {field.name: _plain(getattr(self, field.name))
                for field in dataclasses.fields(self)}


# Twice what Pillow warns about.
MAX_PIXELS = Settings.option("max_pixels").default


def no_network(flag: str, network: str, reason: str = "there is no such file") -> InputError:
    """The error for what is no network.

    Args:
        flag: that named it, without dashes.
        reason: why it is no file of a saved model, in a few words.
    """
    if network.startswith(PREFIX):
        reason = "this was a model in memory, which no file has; give the model itself, in Python"
    elif reason == "there is no such file":
        reason = "there is neither such a network nor such a file"
    return InputError(
        f"--{flag}={network}: expected {', '.join((AUTO, *NETWORKS))} or a saved Keras model, such "
        f"as model.keras. {reason[0].upper()}{reason[1:]}"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Size):
        return value.plain()
    if isinstance(value, LiveModel):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
