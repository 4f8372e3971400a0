"""The run: from two pictures to a stylised one."""

from __future__ import annotations

import dataclasses
import json
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image import files
from tf_style.image.files import PathLike
from tf_style.loss.blocks import Blocks
from tf_style.loss.compiled import Compiled
from tf_style.loss.objective import Network, Objective, Style
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import cut_model, in_precision, least_size, vgg_model
from tf_style.network.kernel_files import digests
from tf_style.run import memory, runtime, schedule
from tf_style.run.forecast import Forecast, forecast
from tf_style.run.optimizers import Adam, image_variable
from tf_style.settings import AUTO, InputError, Settings

Picture = PathLike | np.ndarray
Targets = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        scale, scales: which size, counted from 1, of how many.
        height, width: that size, in pixels.
        step, steps: which step at this size, counted from 1, of how many at most.
        loss: of the image that the step started from.
        parts: the weighted losses that add up to it: `content`, `style`, `variation`.
        seconds: since the run began.
        image: gives the picture as it is now, `(height, width, 3)` in `[0, 1]`; `None` in a
            result's history.
    """

    scale: int
    scales: int
    height: int
    width: int
    step: int
    steps: int
    loss: float
    parts: Mapping[str, float]
    seconds: float
    image: Callable[[], np.ndarray] | None = dataclasses.field(
        default=None, repr=False, compare=False
    )


Callback = Callable[[Step], Any]


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run made, as plain data.

    Attributes:
        image: the generated image, `(height, width, 3)` float32 RGB in `[0, 1]`.
        content: the content image at that size.
        styles: the style images as they were read.
        history: all steps, in order.
        settings: with every `auto` resolved.
        weights: layer → fingerprint of the kernels that were used.
        weights_seconds: what loading or learning them took, once for all runs of a `Stylizer`.
        weights_cached: whether learned ones came from the cache; `None` for other kinds.
        seconds: of the run, reading of pictures included.
        stopped: why the run ended: `steps` (all done, or settled), `callback`, or `not finite`.
    """

    image: np.ndarray
    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    history: tuple[Step, ...]
    settings: Settings
    weights: Mapping[str, str]
    weights_seconds: float
    weights_cached: bool | None
    seconds: float
    stopped: str

    def save(
        self, path: PathLike, *, alpha: np.ndarray | None = None, bits: int = 8
    ) -> None:
        """Write the image in the format that the ending of `path` names.

        A PNG holds the settings, too. An older file is replaced only when the new one is complete.

        Args:
            alpha: `(height, width)` in `[0, 1]` of any size, such as `read_alpha` gives for the
                content: how opaque the picture is.
            bits: 8 or 16 for each channel; 16 needs the extra `deep`.

        Raises:
            InputError: if nothing can be written there.
        """
        files.write_picture(
            path, self.image, json.dumps(self.provenance()), alpha=alpha, bits=bits
        )

    def provenance(self) -> dict[str, Any]:
        """What decided the picture, as plain JSON data: settings, weights, versions."""
        return {
            "settings": self.settings.as_dict(),
            "weights": dict(self.weights),
            "versions": runtime.versions(),
        }


def stylize(
    content: Picture,
    style: Picture | Sequence[Picture],
    settings: Settings | None = None,
    *,
    callback: Callback | None = None,
    **overrides: Any,
) -> Result:
    """Paint the content image in the style of the style image.

    Args:
        content: a path, `sample:NAME`, or an array `(height, width, 3)`, float in `[0, 1]` or
            uint8.
        style: likewise; several are blended into one style.
        settings: defaults to `Settings()`.
        callback: called with a `Step` after each step; a true return value ends the run, whose
            result is then the picture so far.
        **overrides: fields of `Settings`, such as `size=256`.

    Returns:
        A `Result`; `result.save("out.png")` writes the picture.

    Raises:
        InputError: (a `ValueError`) for pictures, settings or weights that cannot be used.

    Example:
        >>> result = stylize("sample:harbor", "sample:waves", size=64, weights="random", steps=2,
        ...                  style_layers="block1_conv1", content_layers="block2_conv1")
        >>> result.image.shape
        (48, 64, 3)
    """
    settings = (settings or Settings()).replace(**overrides)
    return Stylizer(settings).stylize(content, style, callback=callback)


class Stylizer:
    """Holds what is worth keeping between pictures: the network and the compiled steps.

    Args:
        settings: defaults to `Settings()`.
        pictures: what `weights="unsupervised"` learns from, beside the pictures that come with
            tf_style; by default the content and style images of the first run. It learns once.
        **overrides: fields of `Settings`.

    Attributes:
        settings: with every `auto` resolved.
        weights: layer → fingerprint of the kernels in use; empty before they are learned.
        weights_seconds: what loading or learning them took.
        weights_cached: whether learned ones came from the cache; `None` for other kinds.

    Raises:
        InputError: for settings or weights that cannot be used.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        pictures: Sequence[Picture] = (),
        **overrides: Any,
    ):
        settings = (settings or Settings()).replace(**overrides)
        device = runtime.resolve_device(settings.device)
        precision = runtime.resolve_precision(settings.precision, device)
        settings = settings.replace(device=device, precision=precision)
        if settings.network in ARCHITECTURES:
            architecture = ARCHITECTURES[settings.network]
            source = weight_sources.resolve(settings.weights, architecture)
            settings = settings.for_weights(source, learned=weight_sources.are_learned(source))
            architecture.check(settings.content_layers, "content_layers")
            architecture.check(settings.style_layers, "style_layers")
        else:
            settings = settings.for_weights(AUTO, learned=False)
        self.settings = settings
        self.weights: Mapping[str, str] = {}
        self.weights_seconds = 0.0
        self.weights_cached: bool | None = None
        self._objective: Objective | None = None
        self._least = 1
        self._canvas: _Canvas | None = None
        if settings.weights != "unsupervised" or pictures:
            self._prepare([files.as_picture(picture) for picture in pictures])

    def _prepare(self, pictures: Sequence[np.ndarray]) -> None:
        """Build the network, once; `pictures` are what it learns from, if it learns."""
        if self._objective is not None:
            return
        started = time.perf_counter()
        settings = self.settings
        layers = list(dict.fromkeys([*settings.content_layers, *settings.style_layers]))
        with tf.device(settings.device):
            if settings.network in ARCHITECTURES:
                architecture = ARCHITECTURES[settings.network]
                loaded = weight_sources.load(
                    architecture, architecture.up_to(layers), settings.weights,
                    seed=settings.seed, pictures=pictures, cache_folder=settings.cache_dir,
                )
                model = vgg_model(architecture, layers, loaded.kernels, settings.precision)
                self.weights, self.weights_cached = digests(loaded.kernels), loaded.cached
            else:
                model = cut_model(settings.network, layers)
                self.weights = digests(_arrays(model))
                self._least = least_size(model)
                model = in_precision(model, settings.precision)
        architecture = ARCHITECTURES.get(settings.network)
        network = Network(model, settings.content_layers, settings.style_layers, architecture)
        self._objective = Objective([network], settings)
        self._canvas = _Canvas(self._objective)
        self.weights_seconds = time.perf_counter() - started

    @property
    def traces(self) -> int:
        """How often the step has been traced: once, whatever the pictures and their sizes."""
        return self._canvas.traces if self._canvas else 0

    def stylize(
        self,
        content: Picture,
        style: Picture | Sequence[Picture],
        *,
        callback: Callback | None = None,
    ) -> Result:
        """As the function `stylize`, with the settings of this `Stylizer`."""
        started = time.perf_counter()
        content, styles = _pictures(content, style)
        self._prepare([content, *styles])
        scales = self._plan(content, styles)
        run = _Run(len(scales), started, callback)
        with tf.device(self.settings.device):
            canvas = self._canvas
            canvas.block_size = self._block_size(scales[-1], styles)
            for scale in scales:
                if scale is scales[0]:
                    canvas.start(self._start_image(scale, content))
                else:
                    canvas.enlarge(scale)
                targets = canvas.targets(
                    _resized(content, scale), [files.fit(each, scale.style_side) for each in styles]
                )
                stopped = run.descend(canvas, scale, targets, self.settings)
                if stopped != "steps":
                    break
            image = canvas.picture()
        full = scales[-1]
        if stopped != "steps" and image.shape[:2] != (full.height, full.width):
            image = _resized(image, full)
        if stopped == "not finite":
            warnings.warn(
                f"the loss is not finite at step {len(run.history)}; kept the image as it was. "
                "Try a smaller --learning_rate or --precision=float32",
                stacklevel=2,
            )
        return Result(
            image=image,
            content=_resized(content, full),
            styles=styles,
            history=tuple(run.history),
            settings=self.settings.replace(
                size=max(full.height, full.width), block_size=canvas.block_size
            ),
            weights=self.weights,
            weights_seconds=self.weights_seconds,
            weights_cached=self.weights_cached,
            seconds=time.perf_counter() - started,
            stopped=stopped,
        )

    def forecast(
        self, content: Picture, style: Picture | Sequence[Picture]
    ) -> list[Forecast]:
        """What `stylize` would take, size by size; nothing is loaded, learned or run.

        Raises:
            InputError: for pictures that cannot be used, or a saved model, whose cost is not known.
        """
        if self.settings.network not in ARCHITECTURES:
            raise InputError("--dry_run: what a saved model takes is not known")
        content, styles = _pictures(content, style)
        scales = self._plan(content, styles)
        with tf.device(self.settings.device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            size = self._block_size(scales[-1], styles)
            return forecast(self.settings, scales, [each.shape[:2] for each in styles], size)

    def _plan(
        self, content: np.ndarray, styles: Sequence[np.ndarray]
    ) -> tuple[schedule.Scale, ...]:
        least = self._least
        if self.settings.network in ARCHITECTURES:
            least = ARCHITECTURES[self.settings.network].least_size(
                [*self.settings.content_layers, *self.settings.style_layers]
            )
        return schedule.plan(
            self.settings,
            content.shape[:2],
            {f"style {i}": each.shape[:2] for i, each in enumerate(styles, 1)},
            least,
        )

    def compiled_step(
        self, content: Picture, style: Picture
    ) -> Callable[[], tf.Tensor]:
        """The compiled step of the final size alone, for measuring: moves an image, gives its loss.

        Args:
            content, style: as for `stylize`.
        """
        content, style = files.as_picture(content, "content"), files.as_picture(style, "style")
        self._prepare([content, style])
        scale = self._plan(content, [style])[-1]
        with tf.device(self.settings.device):
            # Its own: the step outlives this call, and other runs must not move its image.
            canvas = _Canvas(self._objective)
            canvas.start(self._start_image(scale, content))
            canvas.block_size = self._block_size(scale, [style])
            targets = canvas.targets(
                _resized(content, scale), [files.fit(style, scale.style_side)]
            )
            rate = tf.constant(self.settings.learning_rate, tf.float32)
        return lambda: canvas.step(targets, rate)[0]

    def _block_size(self, scale: schedule.Scale, styles: Sequence[np.ndarray]) -> int:
        """The side of the blocks, if the largest size of a run is this; 0 for the whole at once."""
        settings = self.settings
        if settings.block_size != AUTO:
            return settings.block_size
        if settings.max_memory != AUTO:
            limit = settings.max_memory * 1e9
        else:
            # A GPU's allocator says when it has no more; the kernel of an operating system kills.
            limit = memory.limit() if settings.device == "cpu" else None
        blockwise = settings.network in ARCHITECTURES and all(
            STYLE_LOSSES[loss].mean_over_positions for loss in settings.style_loss
        )
        if limit is None or not blockwise:
            return 0
        estimate = memory.Estimate.of(settings, scale, [style.shape[:2] for style in styles])
        size = estimate.block_size(limit)
        if size:
            warnings.warn(
                f"computing in blocks of {size} pixels: the whole picture at once would take about "
                f"{estimate.whole / 1e9:.1f} GB, more than the {limit / 1e9:.1f} GB that there are",
                stacklevel=3,
            )
        return size

    def _start_image(self, scale: schedule.Scale, content: np.ndarray) -> np.ndarray:
        if self.settings.init == "noise":
            generator = np.random.default_rng(self.settings.seed)
            return generator.random((scale.height, scale.width, 3), np.float32)
        return _resized(content, scale)


class _Canvas:
    """The image variable, its optimizer and what is compiled, for one size after another.

    Attributes:
        block_size: as in the settings: 0 for the whole picture at once. Pictures no larger than a
            block are computed at once, too.
    """

    def __init__(self, objective: Objective):
        self.image = image_variable("image")
        self.adam = Adam()
        self.block_size = 0
        self._objective = objective
        self._whole = Compiled(objective.value_and_gradient)
        self._blocks: dict[int, Blocks] = {}
        self._move = Compiled(self._moved)

    def picture(self) -> np.ndarray:
        return self.image.numpy()[0]

    @property
    def traces(self) -> int:
        return max([self._whole.traces, *[each.traces for each in self._blocks.values()]])

    def start(self, image: np.ndarray) -> None:
        self.image.assign(image[None])
        self.adam.reset(*image.shape[:2])

    def enlarge(self, scale: schedule.Scale) -> None:
        self.image.assign(_resized(self.picture(), scale)[None])
        self.adam.carry_over(scale.height, scale.width)

    def targets(self, content: np.ndarray, styles: Sequence[np.ndarray]) -> Targets:
        """What the image is compared with, at the image's size."""
        sides = [max(each.shape[:2]) for each in (content, *styles)]
        return self._in_memory(lambda: self._objective_for(max(sides)).targets(
            tf.constant(content[None]),
            [Style(tf.constant(style[None]), 1 / len(styles)) for style in styles],
        ))

    def step(
        self, targets: Targets, learning_rate: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Move the image. Returns the loss that it had, and its parts."""
        loss, parts, gradient = self._in_memory(lambda: self._value_and_gradient(targets))
        return self._move(loss, gradient, learning_rate), parts

    def _value_and_gradient(
        self, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        image, step = tf.convert_to_tensor(self.image), tf.cast(self.adam.count, tf.int32)
        objective = self._objective_for(max(image.shape[1:3]))
        if objective is self._objective:
            return self._whole(image, targets, step)
        return objective.value_and_gradient(image, targets, step)

    def _objective_for(self, side: int) -> Objective:
        if not 0 < self.block_size < side:
            return self._objective
        if self.block_size not in self._blocks:
            self._blocks[self.block_size] = Blocks(self._objective, self.block_size)
        return self._blocks[self.block_size]

    def _in_memory(self, compute: Callable[[], Any]) -> Any:
        """What `compute` gives, in smaller blocks if memory runs out."""
        while True:
            try:
                return compute()
            except tf.errors.ResourceExhaustedError:
                size = memory.smaller_block_size(self.block_size)
                if size is None:
                    raise MemoryError from None
                warnings.warn(
                    f"out of memory; going on in blocks of {size} pixels", stacklevel=2
                )
                self.block_size = size

    def _moved(
        self, loss: tf.Tensor, gradient: tf.Tensor, learning_rate: tf.Tensor
    ) -> tf.Tensor:
        # One value that is not finite would spread over the whole image and both moments.
        finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.reduce_sum(gradient))
        gradient = tf.where(finite, gradient, tf.zeros_like(gradient))
        moved = self.image - self.adam.update(gradient, learning_rate)
        self.image.assign(tf.where(finite, tf.clip_by_value(moved, 0.0, 1.0), self.image))
        return tf.where(finite, loss, math.nan)


class _Run:
    """The steps of one run and who hears of them."""

    def __init__(self, scales: int, started: float, callback: Callback | None):
        self.history: list[Step] = []
        self._scales = scales
        self._scale = 0
        self._started = started
        self._callback = callback

    def descend(
        self, canvas: _Canvas, scale: schedule.Scale, targets: Targets, settings: Settings
    ) -> str:
        """Take the steps of one size. Returns why they ended, as in `Result.stopped`."""
        self._scale += 1
        losses: list[float] = []
        for number in range(1, scale.steps + 1):
            rate = schedule.learning_rate(
                settings.learning_rate, number - 1, scale.steps, last=self._scale == self._scales
            )
            loss, parts = canvas.step(targets, tf.constant(rate, tf.float32))
            losses.append(float(loss))
            step = Step(
                scale=self._scale,
                scales=self._scales,
                height=scale.height,
                width=scale.width,
                step=number,
                steps=scale.steps,
                loss=losses[-1],
                parts={name: float(part) for name, part in parts.items()},
                seconds=time.perf_counter() - self._started,
            )
            self.history.append(step)
            if not math.isfinite(losses[-1]):
                return "not finite"
            if self._callback and self._callback(dataclasses.replace(step, image=canvas.picture)):
                return "callback"
            if schedule.has_settled(losses, settings.tolerance):
                break
        return "steps"


def _pictures(
    content: Picture, style: Picture | Sequence[Picture]
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    content = files.as_picture(content, "content")
    if not isinstance(style, (list, tuple)):
        return content, (files.as_picture(style, "style"),)
    if not style:
        raise InputError("style: expected at least one picture. Received none")
    return content, tuple(
        files.as_picture(each, f"style {i}") for i, each in enumerate(style, 1)
    )


def _resized(image: np.ndarray, scale: schedule.Scale) -> np.ndarray:
    return np.clip(files.resize(image, scale.height, scale.width), 0, 1)


def _arrays(model: tf.keras.Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        layer.name: tuple(np.asarray(array) for array in layer.get_weights())
        for layer in model.layers
        if len(layer.get_weights()) == 2
    }
