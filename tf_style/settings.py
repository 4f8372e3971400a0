"""Every option of a run, once: its name, type, default, range, help and conflicts.

The flags, the README's table, the report and the settings inside a saved PNG are made from the
fields of `Settings` and the `COMMAND_OPTIONS`. Nothing here knows TensorFlow.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

AUTO = "auto"
# Words that --weights knows; any other is a file.
WEIGHTS = ("imagenet", "unsupervised", "random")
LAYERS = "name[:weight],…"
LOSSES = "loss[:weight],…"
SIZE = "N|original|WxH"
SHARES = "X,X,…"
STEPS = "N or N,N,…"
_MOST_SCALES = 12


class InputError(ValueError):
    """What was given cannot be used. The message names the culprit and says what to do next."""


@dataclasses.dataclass(frozen=True)
class Option:
    """One option as the command line, the README and the report see it.

    Attributes:
        name: the flag's name, without dashes.
        kind: `int`, `float`, `str`, `bool`, or `list` (a flag that may be given several times).
        default: the value where none is given; `None` for options that have none.
        help: one line.
        minimum, maximum: the inclusive range of a number, where there is one.
        above: an exclusive lower bound, where there is one.
        choices: the allowed words; empty where any text is allowed.
        form: how the value is written, where its kind does not say it.
        words: what may stand in a number's place.
    """

    name: str
    kind: str
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    form: str = ""
    words: tuple[str, ...] = ()

    def parse(self, value: Any) -> Any:
        """`value`, text or a number, as this option's type.

        Raises:
            InputError: where it has another type or lies outside of the range.
        """
        if (value == AUTO and self.default == AUTO) or value in self.words:
            return value
        if self.kind == "bool" and not isinstance(value, bool):
            raise InputError(f"--{self.name}: expected true or false. Received: {value!r}")
        if self.kind == "str" or self.choices:
            value = self._choice(value)
        if self.kind in ("int", "float"):
            return self._number(value)
        return value

    def _choice(self, value: Any) -> str:
        text = str(value)
        if self.choices and text not in self.choices:
            raise InputError(
                f"--{self.name}: expected one of {', '.join(self.choices)}. Received: {text!r}"
            )
        return text

    def _number(self, value: Any) -> float:
        expected = "a whole number" if self.kind == "int" else "a number"
        try:
            number = int(value) if self.kind == "int" else float(value)
            # int() cuts a float's fraction off without a word.
            exact = self.kind == "float" or isinstance(value, str) or number == value
        except (TypeError, ValueError, OverflowError):
            exact = False
        if isinstance(value, bool) or not exact or not math.isfinite(number):
            raise InputError(f"--{self.name}: expected {expected}. Received: {value!r}")
        if self.minimum is not None and number < self.minimum:
            raise InputError(
                f"--{self.name}: expected {expected}, at least {self.minimum:g}. Received: {value}"
            )
        if self.above is not None and number <= self.above:
            raise InputError(
                f"--{self.name}: expected {expected} above {self.above:g}. Received: {value}"
            )
        if self.maximum is not None and number > self.maximum:
            raise InputError(
                f"--{self.name}: expected {expected}, at most {self.maximum:g}. Received: {value}"
            )
        return number


def _option(kind: str, default: Any, help: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"kind": kind, "help": help, **limits})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides what a run computes, apart from the pictures themselves.

    Values are checked and brought to one form on construction, so `Settings(steps="100,60")` and
    `Settings(steps=(100, 60))` are equal. Layers are text as on the command line, a sequence of
    names, or a mapping of name to weight.

    Raises:
        InputError: (a `ValueError`) for a value outside of its range, or two that contradict
            each other.

    Example:
        >>> Settings(style_layers="block1_conv1,block2_conv1:0.5").style_layers["block2_conv1"]
        0.5
    """

    size: int | str = _option(
        "int", 512, "long side of the output, in pixels; original: the content's own; with "
        "--content=none width x height", minimum=8, maximum=32768, words=("original",), form=SIZE,
    )
    strength: float | str = _option(
        "float", AUTO, "one knob instead of --style_weight: 0, hardly touched, to 1, hardly "
        "recognisable", minimum=0, maximum=1,
    )
    network: str = _option(
        "str", "vgg16", "vgg16, vgg19, or a saved Keras model file", form="NAME|FILE"
    )
    weights: str = _option(
        "str",
        AUTO,
        "auto, imagenet, unsupervised (learned from the pictures), random, or a weights file; auto "
        "is the file in $TF_STYLE_WEIGHTS if set, else imagenet, else unsupervised",
        form="NAME|FILE",
    )
    content_network: str = _option(
        "str", AUTO, "network of the content loss; auto: --network", form="NAME|FILE"
    )
    content_network_weights: str = _option(
        "str", AUTO, "its weights; auto: --weights", form="NAME|FILE"
    )
    style_network: str = _option(
        "str", AUTO, "network of the style loss; auto: --network", form="NAME|FILE"
    )
    style_network_weights: str = _option(
        "str", AUTO, "its weights; auto: --weights", form="NAME|FILE"
    )
    pooling: str = _option(
        "str", AUTO, "of vgg16 and vgg19; average is smoother; auto: max, as pretrained kernels "
        "know it, average with learned ones", choices=(AUTO, "max", "average"),
    )
    content_layers: Mapping[str, float] | str = _option(
        "str", AUTO, "layers whose feature maps keep the content", form=LAYERS
    )
    style_layers: Mapping[str, float] | str = _option(
        "str", AUTO, "layers whose statistics carry the style", form=LAYERS
    )
    content_weight: float = _option("float", 1.0, "weight of the content loss", minimum=0,
                                    maximum=1e6)
    style_weight: float | str = _option("float", AUTO, "weight of the style loss", minimum=0,
                                        maximum=1e6)
    tv_weight: float = _option(
        "float", 0.6, "weight of the total variation", minimum=0, maximum=1e6
    )
    style_loss: Mapping[str, float] | str = _option(
        "str", "moments", "what is compared between styles: gram, moments, mean_std, "
        "sliced_wasserstein, histogram, phase, phase_match; several are added up", form=LOSSES,
    )
    style_scale: float = _option(
        "float",
        1.0,
        "size at which the style is seen, over the size of the generated image",
        above=0,
        maximum=8,
    )
    style_size: int | str = _option(
        "int", AUTO, "long side, in pixels, at which the style is seen; auto: by --style_scale",
        minimum=8, maximum=32768,
    )
    style_blend: tuple[float, ...] | str = _option(
        "str", AUTO, "shares of several styles; auto: the same for each", form=SHARES
    )
    style_cleanup: str = _option(
        "str", AUTO, "auto: recognise noisy, compressed and small styles, and mend them",
        choices=(AUTO, "off"),
    )
    preserve_color: str = _option(
        "str", "none", "keep the content's colours: its own under the result's luminance, or the "
        "style's matched to them in mean and covariance, or in distribution",
        choices=("none", "luminance", "statistics", "histogram"),
    )
    scales: int | str = _option(
        "int", AUTO, "how many sizes, coarse to fine, each twice the one before; auto: one for "
        "each of several --steps, else as many as leave the coarsest at 96 pixels or more",
        minimum=1, maximum=_MOST_SCALES,
    )
    steps: tuple[int, ...] = _option(
        "str", AUTO, "most steps at each size, one number or one for each, coarse first", form=STEPS
    )
    tolerance: float = _option(
        "float",
        0.0002,
        "end a size when ten steps lower its loss by less than this share for each step; 0: never",
        minimum=0,
        maximum=1,
    )
    optimizer: str = _option(
        "str", "adam", "what moves the image; lbfgs needs pip install 'tf_style[lbfgs]'",
        choices=("adam", "lbfgs"),
    )
    learning_rate: float = _option(
        "float", 0.05, "length of the first steps, in units of the range of a pixel", above=0
    )
    learning_rate_schedule: str = _option(
        "str", "rest", "how it falls: rest, over the last size; cosine, over each "
        "size; constant, not at all", choices=("rest", "cosine", "constant"),
    )
    normalize_gradients: bool = _option(
        "bool", False, "give each layer's gradient the same length before it is weighted"
    )
    init: str = _option(
        "str", AUTO, "where the image starts: content, style, noise, gray, or a picture file; "
        "auto: content, or noise where there is none", form="NAME|FILE",
    )
    init_noise: float = _option(
        "float", 0.0, "share of noise in the start", minimum=0, maximum=1
    )
    seed: int = _option(
        "int", 0, "seed of everything drawn at random", minimum=0, maximum=2**31 - 1
    )
    precision: str = _option(
        "str",
        AUTO,
        "type in which the network computes; losses are float32 always",
        choices=(AUTO, "float32", "bfloat16", "float16"),
    )
    device: str = _option("str", AUTO, "auto, cpu, gpu, or gpu:N", form="NAME")
    block_size: int | str = _option(
        "int", AUTO, "compute in blocks of so many pixels, which takes less memory; 0: never; "
        "auto: where the whole would not fit", minimum=0, maximum=32768,
    )
    max_memory: float | str = _option(
        "float", AUTO, "memory that the process may take, in GB; auto: what is free", above=0
    )
    cache_dir: str = _option(
        "str", AUTO, "folder where learned features are kept; auto: the user's cache", form="FOLDER"
    )
    offline: bool = _option(
        "bool", False, "fetch nothing: imagenet is Keras' file only where it is in Keras' cache"
    )

    def __post_init__(self) -> None:
        for option in self.options():
            value = getattr(self, option.name)
            if option.form == LAYERS and value != AUTO:
                value = _weighted(option.name, value, "layer")
            elif option.form == LOSSES:
                value = _losses(option.name, value)
            elif option.form == STEPS:
                value = _steps(value)
            elif option.form == SHARES and value != AUTO:
                value = _numbers(option.name, value)
            elif option.form == SIZE:
                value = _size(option, value)
            else:
                value = option.parse(value)
            object.__setattr__(self, option.name, value)
        self._check_conflicts()

    def _check_conflicts(self) -> None:
        if self.scales != AUTO and self.steps != AUTO and len(self.steps) not in (1, self.scales):
            raise InputError(
                f"--steps: expected one number, or one for each of the {self.scales} --scales. "
                f"Received: {','.join(map(str, self.steps))}"
            )
        for part in ("content", "style"):
            flag, network, weights = self.network_of(part)
            if network in ("vgg16", "vgg19"):
                continue
            if weights != AUTO:
                raise InputError(
                    f"--{flag.replace('network', 'network_weights') if part in flag else 'weights'}"
                    f"={weights}: a saved model brings its own weights; leave them away with "
                    f"--{flag}={network}"
                )
            if getattr(self, f"{part}_layers") == AUTO:
                raise InputError(
                    f"--{flag}={network}: name its layers with --{part}_layers. All layers: "
                    f"tf_style --list_layers --network={network}"
                )
        if self.normalize_gradients and self.block_size not in (AUTO, 0):
            raise InputError("--normalize_gradients: the length of a whole picture's gradient is "
                             "not known block by block. Choose --block_size=0")
        if self.normalize_gradients and self.precision == "float16":
            raise InputError("--normalize_gradients: float16 has no numbers small enough for it. "
                             "Choose --precision=bfloat16 or float32")
        if self.strength != AUTO and self.style_weight != AUTO:
            raise InputError("--strength and --style_weight: choose one of them")
        if self.style_size != AUTO and self.style_scale != 1:
            raise InputError("--style_size and --style_scale: choose one of them")
        if self.block_size != AUTO and 0 < self.block_size < 32:
            raise InputError(
                f"--block_size: expected 0, or at least 32. Received: {self.block_size}"
            )
        if not (self.content_weight or self.style_weight):
            raise InputError("--content_weight and --style_weight are both 0: nothing to do")

    def network_of(self, part: str) -> tuple[str, str, str]:
        """The flag that named the network of a part, that network, and its weights.

        Args:
            part: `content` or `style`.
        """
        own, weights = getattr(self, f"{part}_network"), getattr(self, f"{part}_network_weights")
        if own == AUTO:
            return "network", self.network, self.weights if weights == AUTO else weights
        # Weights belong to a network: those of another are of no use to it.
        if weights == AUTO and own == self.network:
            weights = self.weights
        return f"{part}_network", own, weights

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """The options in the order in which help and README show them."""
        return tuple(
            Option(name=field.name, default=field.default, **field.metadata)
            for field in dataclasses.fields(cls)
        )

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

    def for_weights(self, content: tuple[str, bool], style: tuple[str, bool]) -> Settings:
        """These settings with every `auto` that depends on the weights resolved.

        Args:
            content, style: what the weights of each part's network are, and whether they were
                learned without labels. Such features are not ImageNet's: they carry style and
                content in other layers.
        """
        kinds = [_FOR_WEIGHTS["learned" if learned else "pretrained"] for _, learned in
                 (content, style)]
        values = {**kinds[1], "content_layers": kinds[0]["content_layers"]}
        values = {name: value for name, value in values.items() if getattr(self, name) == AUTO}
        if self.strength != AUTO:
            values["style_weight"] *= 10 ** (_STRENGTH_DECADES * (self.strength - 0.5))
            values["strength"] = AUTO
        if content[0] == style[0]:
            values["weights"] = content[0]
        else:
            values |= {"content_network_weights": content[0], "style_network_weights": style[0]}
        return self.replace(**values)

    def scales_at(self, side: int) -> int:
        """How many sizes there are, if the long side of the last is `side`, in pixels."""
        if self.scales != AUTO:
            return self.scales
        if self.steps != AUTO and len(self.steps) > 1:
            return len(self.steps)
        return 1 + max(0, math.floor(math.log2(side / _COARSEST)))

    def steps_of(self, count: int) -> tuple[int, ...]:
        """Most steps at each of the last `count` sizes, coarse first."""
        if self.steps == AUTO:
            return _AUTO_STEPS.get(count, (60,) * (count - 2) + (40, 30))
        if len(self.steps) == 1:
            return self.steps * count
        return self.steps[-count:]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data that gives equal settings when passed to `Settings(**…)`."""
        plain = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Mapping):
                value = dict(value)
            elif isinstance(value, tuple):
                value = list(value)
            plain[field.name] = value
        return plain


# Of the style weight, from --strength=0 to 1.
_STRENGTH_DECADES = 4.0

# What measured best with the weights of each kind: benchmarks/RESULTS.md.
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

# Long side, in pixels. Below it a picture has fewer values than the layers have means and
# covariances: the style image itself is what has them, and its layout is what is taken over.
_COARSEST = 96

# One size has to do the work of all; two share it.
_AUTO_STEPS = {1: (150,), 2: (100, 50)}


# What each is: tf_style/loss/style.py.
STYLE_LOSSES = (
    "gram", "moments", "mean_std", "sliced_wasserstein", "histogram", "phase", "phase_match"
)


def _losses(name: str, value: Any) -> dict[str, float]:
    losses = _weighted(name, value, "loss")
    for loss in losses:
        if loss not in STYLE_LOSSES:
            raise InputError(
                f"--{name}: expected some of {', '.join(STYLE_LOSSES)}. Received: {loss!r}"
            )
    return losses


def _weighted(name: str, value: Any, noun: str) -> dict[str, float]:
    if isinstance(value, str):
        value = [part for part in (part.strip() for part in value.split(",")) if part]
    if not isinstance(value, Mapping):
        pairs = [str(part).partition(":") for part in value]
        names = [each.strip() for each, _, _ in pairs]
        for each in names:
            if names.count(each) > 1:
                raise InputError(f"--{name}: {each!r} is named twice")
        value = {each: weight if colon else 1.0
                 for each, (_, colon, weight) in zip(names, pairs, strict=True)}
    if not value:
        raise InputError(f"--{name}: expected at least one {noun}. Received none")
    weights = {}
    for each, weight in value.items():
        try:
            number = float(weight)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 < number <= 1e6:
            raise InputError(
                f"--{name}: expected a weight above 0 after {each + ':'!r}, at most 1e+06. "
                f"Received: {weight!r}"
            )
        weights[each] = number
    return weights


def _size(option: Option, value: Any) -> int | str:
    sides = str(value).lower().split("x")
    if len(sides) != 2:
        return option.parse(value)
    width, height = (dataclasses.replace(option, words=()).parse(side) for side in sides)
    return f"{width}x{height}"


def as_seconds(time_limit: float | str) -> float:
    """A time as `30`, `"30s"`, `"5m"` or `"1h"`, in seconds.

    Raises:
        InputError: for anything else.
    """
    text = str(time_limit).strip()
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        found = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found > 0):
        raise InputError(
            "--time_limit: expected a time above 0, such as 30s, 5m or 1h. "
            f"Received: {time_limit!r}"
        )
    return found


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    one = Option(name, "float", None, "", above=0)
    if isinstance(value, str):
        value = value.split(",")
    elif not isinstance(value, (tuple, list)):
        value = (value,)
    return tuple(one.parse(part) for part in value)


def _steps(value: Any) -> tuple[int, ...] | str:
    if value == AUTO:
        return AUTO
    if isinstance(value, str):
        value = value.split(",")
    elif not isinstance(value, (tuple, list)):
        value = (value,)
    if len(value) > _MOST_SCALES:
        raise InputError(
            f"--steps: expected at most {_MOST_SCALES} numbers. Received: {len(value)}"
        )
    one = Option("steps", "int", None, "", minimum=1, maximum=1_000_000)
    return tuple(one.parse(part) for part in value)


# Every command has these.
_COMMON_OPTIONS = (
    Option("preset", "str", None, "a named set of defaults: flags/NAME.flags", form="NAME"),
    Option("flagfile", "str", None, "a file of flags, one a line, taken as defaults", form="FILE"),
    Option("quiet", "bool", False, "print nothing but errors"),
    Option("verbose", "bool", False, "let TensorFlow print its own messages"),
    Option("version", "bool", False, "print the version and exit"),
    Option("help", "bool", False, "print this and exit"),
)

_OFFLINE = next(option for option in Settings.options() if option.name == "offline")

COMMAND_OPTIONS = (
    Option("content", "str", None, "content picture, or sample:NAME; none: a texture of the "
           "style; a folder, or a pattern such as 'photos/*.jpg': each of its pictures",
           form="FILE"),
    Option("style", "list", None, "style picture, or sample:NAME; given again: blended; a folder "
           "or pattern: each of its pictures", form="FILE"),
    Option("content_mask", "list", None, "for each style, in order: where in the content it goes, "
           "white on black", form="FILE"),
    Option("style_mask", "list", None, "for each style, in order: what of it counts",
           form="FILE"),
    Option("output", "str", None, "the result: .png, .jpg, .webp or .tiff; of several pictures a "
           "folder, or a pattern such as 'out/{content}_{style}.png'; default: a new name beside "
           "the content", form="FILE"),
    Option("skip_existing", "bool", False, "make only the pictures whose output is not there yet; "
           "one that is stopped is left in OUTPUT_unfinished.png, to be made again"),
    Option("bits", "int", 8, "of each channel: 8, or 16 in PNG and TIFF with pip install "
           "'tf_style[deep]'", choices=("8", "16")),
    Option("dry_run", "bool", False, "print sizes, memory and time, and run nothing"),
    Option("report", "str", None, "write settings, versions, seconds, losses and peak memory "
           "as JSON; of several pictures a list", form="FILE"),
    Option("embed_settings", "bool", True, "keep in a PNG what --settings_from needs: settings, "
           "names of the inputs; --noembed_settings: nothing but the picture"),
    Option("settings_from", "str", None, "run again what made a PNG, or what its report tells; "
           "flags given beside it win", form="FILE"),
    Option("snapshot_every", "int", None, "write the picture so far every N steps, beside the "
           "output: OUTPUT_0050.png after 50", minimum=1),
    Option("animate", "str", None, "write the run as a film, .gif or .webp: at most 100 pictures, "
           "--snapshot_every steps apart or more, then the result", form="FILE"),
    Option("plot", "str", None, "draw content, style, result and loss curves", form="FILE"),
    Option("logdir", "str", None, "write losses and pictures for TensorBoard", form="FOLDER"),
    Option("checkpoint", "str", None, "keep in this folder what a stopped run goes on from",
           form="FOLDER"),
    Option("checkpoint_every", "int", AUTO, "steps from one checkpoint to the next; auto: so that "
           "they take two percent of the time", minimum=1),
    Option("resume", "bool", False, "go on from the last complete checkpoint, with the same "
           "pictures and settings"),
    Option("time_limit", "str", None, "stop when so much time has passed, such as 30s, 5m or 1h",
           form="TIME"),
    Option("profile", "str", None, "write TensorFlow's own profile of ten steps", form="FOLDER"),
    Option("list_layers", "bool", False, "print the layers of --network and exit"),
    Option("list_samples", "bool", False, "print the pictures that come with tf_style and exit"),
    *_COMMON_OPTIONS,
)

EVALUATE_OPTIONS = (
    Option("content", "str", None, "content picture, or sample:NAME", form="FILE"),
    Option("style", "list", None, "style picture, or sample:NAME; given again: pooled",
           form="FILE"),
    Option("generated", "list", None, "picture to measure; may be given several times",
           form="FILE"),
    Option("weights", "str", AUTO, "of the judge: auto, imagenet, unsupervised, random, or a "
           "weights file", form="NAME|FILE"),
    _OFFLINE,
    Option("json", "bool", False, "print a JSON list instead of a table"),
    Option("plot", "str", None, "draw style distance over content similarity", form="FILE"),
    *_COMMON_OPTIONS,
)

LEARN_OPTIONS = (
    Option("pictures", "list", None, "picture, folder of pictures, or pattern such as "
           "'paintings/*.jpg'; may be given several times", form="FILES"),
    Option("output", "str", None, "the weights: an .h5 file that --weights=FILE reads",
           form="FILE"),
    Option("network", "str", "vgg16", "whose layers are learned", choices=("vgg16", "vgg19")),
    Option("seed", "int", 0, "seed of everything drawn at random", minimum=0, maximum=2**31 - 1),
    *_COMMON_OPTIONS,
)

EXPLAIN_OPTIONS = (
    Option("content", "str", None, "content picture, or sample:NAME", form="FILE"),
    Option("style", "str", None, "style picture, or sample:NAME", form="FILE"),
    Option("generated", "str", None, "the picture made of both; default: one is made", form="FILE"),
    Option("output", "str", None, "folder for the figures, made if it is missing", form="FOLDER"),
    Option("size", "int", 256, "long side at which the pictures are looked at, in pixels"),
    Option("layers", "str", AUTO, "layers to look at; auto: those of a run", form="NAME,NAME,…"),
    Option("steps", "str", AUTO, "most steps at each size of each run: fewer for a quick look",
           form=STEPS),
    Option("weights", "str", AUTO, "auto, imagenet, unsupervised, random, or a weights file",
           form="NAME|FILE"),
    _OFFLINE,
    *_COMMON_OPTIONS,
)
