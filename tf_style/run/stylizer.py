"""The run: from two pictures to a stylised one."""

from __future__ import annotations

import dataclasses
import json
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_style.image import files
from tf_style.image.files import PathLike
from tf_style.loss.objective import Network, Objective
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network import weights as weight_sources
from tf_style.network.choice import Use, choose, uses
from tf_style.network.features import cut_model, in_precision, least_size, vgg_model
from tf_style.network.kernel_files import digests
from tf_style.run import memory, runtime, schedule
from tf_style.run.canvas import Canvas, Targets
from tf_style.run.checkpoints import Checkpoints, origin
from tf_style.run.forecast import Forecast, forecast
from tf_style.run.inputs import Inputs, Picture
from tf_style.run.scene import Mending, Scene, resized
from tf_style.settings import AUTO, InputError, Settings, as_seconds


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        scale, scales: which size, counted from 1, of how many.
        height, width: that size, in pixels.
        step, steps: which step at this size, counted from 1, of how many at most.
        loss: of the image that the step started from.
        parts: the weighted losses that add up to it: `content`, `style`, `variation`.
        seconds: since the run began, without the time between a stop and its going on.
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
        content: the content image at that size; `None` where there was none.
        styles: the style images as they were read.
        inputs: what the pictures were read from.
        history: all steps, in order.
        settings: with every `auto` resolved that stood for a value.
        weights: layer → fingerprint of the kernels that were used.
        weights_seconds: what loading or learning them took, once for all runs of a `Stylizer`.
        weights_cached: whether learned ones came from the cache; `None` for other kinds.
        seconds: of the run; like `history`, with what was done before it was resumed.
        stopped: why the run ended: `steps` (all done, or settled), `callback`, `time limit`, or
            `not finite`.
        resumed_at_step: how many steps a checkpoint spared; 0 for a run from the beginning.
        style_defects: what was mended of each style, any of `noisy`, `heavily compressed` and
            `small`; empty where `style_cleanup` was off.
    """

    image: np.ndarray
    content: np.ndarray | None
    styles: tuple[np.ndarray, ...]
    inputs: Inputs
    history: tuple[Step, ...]
    settings: Settings
    weights: Mapping[str, str]
    weights_seconds: float
    weights_cached: bool | None
    seconds: float
    stopped: str
    resumed_at_step: int = 0
    style_defects: tuple[tuple[str, ...], ...] = ()

    def save(
        self,
        path: PathLike,
        *,
        alpha: np.ndarray | None = None,
        bits: int = 8,
        embed_settings: bool = True,
    ) -> None:
        """Write the image in the format that the ending of `path` names.

        A PNG holds what `--settings_from` needs to run it again. Nothing that the inputs hold
        beside pixels, such as where a photograph was taken, is written. An older file is replaced
        only when the new one is complete.

        Args:
            alpha: `(height, width)` in `[0, 1]` of any size, such as `read_alpha` gives for the
                content: how opaque the picture is.
            bits: 8 or 16 for each channel; 16 needs the extra `deep`.
            embed_settings: false leaves settings and file names out of a PNG.

        Raises:
            InputError: if nothing can be written there.
        """
        note = json.dumps({**self.provenance(), "bits": bits}) if embed_settings else None
        files.write_picture(path, self.image, note, alpha=alpha, bits=bits)

    def provenance(self) -> dict[str, Any]:
        """What decided the picture, as plain JSON data: settings, inputs, weights, versions."""
        return {
            "settings": self.settings.as_dict(),
            **self.inputs.as_dict(),
            "style_defects": [list(each) for each in self.style_defects],
            "weights": dict(self.weights),
            "versions": runtime.versions(),
        }


def stylize(
    content: Picture | None,
    style: Picture | Sequence[Picture],
    settings: Settings | None = None,
    *,
    content_masks: Sequence[Picture] = (),
    style_masks: Sequence[Picture] = (),
    callback: Callback | None = None,
    checkpoints: Checkpoints | None = None,
    time_limit: float | str | None = None,
    **overrides: Any,
) -> Result:
    """Paint the content image in the style of the style image.

    Args:
        content: a path, `sample:NAME`, or an array `(height, width, 3)`, float in `[0, 1]` or
            uint8; `None` for a texture of the style alone, of `settings.size`.
        style: likewise; several are blended into one style.
        settings: defaults to `Settings()`.
        content_masks: for each style a picture of the content's proportions, white where the
            style goes, black where it does not.
        style_masks: likewise, of each style: what of it counts.
        callback: called with a `Step` after each step; a true return value ends the run, whose
            result is then the picture so far.
        checkpoints: where the run keeps what it can go on from, and whether it does.
        time_limit: seconds, or a time such as `"5m"`, after which the run ends with the picture so
            far.
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
    return Stylizer(settings).stylize(
        content, style, content_masks=content_masks, style_masks=style_masks, callback=callback,
        checkpoints=checkpoints, time_limit=time_limit,
    )


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
        if settings.optimizer == "lbfgs":
            schedule.check_lbfgs()
        settings = settings.replace(device=device, precision=precision)
        self.settings, self._choices = choose(settings)
        self._uses = uses(self.settings, self._choices)
        self.weights: Mapping[str, str] = {}
        self.weights_seconds = 0.0
        self.weights_cached: bool | None = None
        self._least = max(use.least_size for use in self._uses)
        self._canvas: Canvas | None = None
        self._mending: Mending | None = None
        if pictures or not any(use.choice.weights == "unsupervised" for use in self._uses):
            self._prepare([files.as_picture(picture) for picture in pictures])

    def _prepare(self, pictures: Sequence[np.ndarray]) -> None:
        """Build the networks, once; `pictures` are what they learn from, if they learn."""
        if self._canvas is not None:
            return
        started = time.perf_counter()
        with tf.device(self.settings.device):
            networks = [
                Network(
                    self._model(use, pictures), use.content, use.style, use.choice.architecture
                )
                for use in self._uses
            ]
        self._canvas = Canvas(Objective(networks, self.settings), self.settings.optimizer)
        self.weights_seconds = time.perf_counter() - started

    def _model(self, use: Use, pictures: Sequence[np.ndarray]) -> keras.Model:
        choice, settings = use.choice, self.settings
        if choice.architecture:
            loaded = weight_sources.load(
                choice.architecture, use.layers, choice.weights,
                seed=settings.seed, pictures=pictures, cache_folder=settings.cache_dir,
                offline=settings.offline,
            )
            kernels = loaded.kernels
            if loaded.cached is not None:
                self.weights_cached = loaded.cached
            model = vgg_model(
                choice.architecture, use.names, kernels, settings.precision, settings.pooling,
                padding="edge",
            )
        else:
            model = cut_model(choice.network, use.names)
            kernels = _arrays(model)
            self._least = max(self._least, least_size(model))
            model = in_precision(model, settings.precision)
        # Networks of the same kind have layers of the same names.
        prefix = f"{'content' if use.content else 'style'}/" if len(self._uses) > 1 else ""
        self.weights = {
            **self.weights, **{prefix + name: each for name, each in digests(kernels).items()}
        }
        return model

    @property
    def traces(self) -> int:
        """How often the step has been traced: once, whatever the pictures and their sizes."""
        return self._canvas.traces if self._canvas else 0

    def stylize(
        self,
        content: Picture | None,
        style: Picture | Sequence[Picture],
        *,
        content_masks: Sequence[Picture] = (),
        style_masks: Sequence[Picture] = (),
        callback: Callback | None = None,
        checkpoints: Checkpoints | None = None,
        time_limit: float | str | None = None,
    ) -> Result:
        """As the function `stylize`, with the settings of this `Stylizer`."""
        scene = Scene.of(self.settings, content, style, content_masks, style_masks)
        return self.paint(
            scene, callback=callback, checkpoints=checkpoints, time_limit=time_limit
        )

    def paint(
        self,
        given: Scene,
        *,
        callback: Callback | None = None,
        checkpoints: Checkpoints | None = None,
        time_limit: float | str | None = None,
    ) -> Result:
        """As `stylize`, from pictures that are read already."""
        run = _Run(self.settings, callback, checkpoints, time_limit)
        self._prepare([each for each in (given.content, *given.styles) if each is not None])
        scales = self._plan(given)
        mending = self._mend(given, scales[-1].style_side)
        scene = given.prepared(self.settings, mending)
        settings = self._resolved(given, scales)
        with tf.device(self.settings.device):
            canvas = self._canvas
            first = scene.start(self.settings, scales[0])
            if not run.resume(canvas, origin(settings, self.weights, given, first)):
                canvas.start(first)
            canvas.block_size = run.block_size
            if canvas.block_size is None:
                canvas.block_size = self._block_size(scales[-1], scene)
            for scale in scales[run.sizes_done :]:
                if canvas.shape != (scale.height, scale.width):
                    canvas.enlarge(scale.height, scale.width)
                targets = canvas.targets(scene.content_at(scale), scene.styles_at(scale))
                run.descend(canvas, scale, len(scales), targets, scene)
                if run.stopped != "steps":
                    break
            image = canvas.picture()
        full = scales[-1]
        if image.shape[:2] != (full.height, full.width):
            image = resized(image, full)
        if run.stopped == "not finite":
            warnings.warn(
                f"the loss is not finite at step {len(run.history)}; kept the image as it was. "
                "Try a smaller --learning_rate or --precision=float32",
                stacklevel=2,
            )
        return Result(
            image=scene.finished(image, self.settings, full),
            content=scene.content_at(full),
            styles=given.styles,
            inputs=given.inputs,
            history=tuple(run.history),
            settings=settings.replace(block_size=canvas.block_size),
            style_defects=mending.defects if mending else (),
            weights=self.weights,
            weights_seconds=self.weights_seconds,
            weights_cached=self.weights_cached,
            seconds=run.seconds(),
            stopped=run.stopped,
            resumed_at_step=run.resumed_at_step,
        )

    def forecast(self, scene: Scene) -> list[Forecast]:
        """What `paint` would take, size by size; nothing is loaded, learned or run.

        Raises:
            InputError: for pictures that cannot be used, or a saved model, whose cost is not known.
        """
        if not all(use.layers for use in self._uses):
            raise InputError("--dry_run: what a saved model takes is not known")
        scales = self._plan(scene)
        with tf.device(self.settings.device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            size = self._block_size(scales[-1], scene)
            shapes = [each.shape[:2] for each in scene.styles]
            return forecast(self._uses, self.settings.precision, scales, shapes, size)

    def _resolved(self, given: Scene, scales: Sequence[schedule.Scale]) -> Settings:
        """The settings with what their `auto` stands for with these pictures.

        It stays where it is the value: `style_cleanup` looks at whatever style is given,
        `style_size` follows `style_scale`, `max_memory` is what was free, of which `block_size` is
        what follows, and `cache_dir` is where the user's system has it. `strength` is in
        `style_weight`.
        """
        settings, full = self.settings, scales[-1]
        # Sizes that these pictures are too small for have a number, too: there is one for each.
        count = settings.scales_at(max(full.height, full.width))
        missing = settings.steps_of(count)[: count - len(scales)]
        found: dict[str, Any] = {
            "scales": count,
            "style_blend": (1.0,) * len(given.styles),
            "steps": missing + settings.steps_of(len(scales)),
            "init": "noise" if given.content is None else "content",
        }
        for part, choice in self._choices.items():
            found |= {f"{part}_network": choice.network,
                      f"{part}_network_weights": choice.weights or AUTO}
        found = {name: value for name, value in found.items() if getattr(settings, name) == AUTO}
        if given.content is not None:
            found["size"] = max(full.height, full.width)
        return settings.replace(**found)

    def _mend(self, given: Scene, side: int) -> Mending | None:
        """What to mend of the styles; found, and said, once for styles that come again."""
        if self.settings.style_cleanup == "off":
            return None
        if self._mending is None or self._mending.sight != given.sight(side):
            self._mending = given.mending(side)
            for name, found in zip(given.names, self._mending.defects, strict=True):
                if found:
                    warnings.warn(f"{name}: {' and '.join(found)}; mended, --style_cleanup=off "
                                  "takes it as it is", stacklevel=3)
        return self._mending

    def _plan(self, scene: Scene) -> tuple[schedule.Scale, ...]:
        return schedule.plan(
            self.settings,
            None if scene.content is None else scene.content.shape[:2],
            {name: style.shape[:2] for name, style in zip(scene.names, scene.styles, strict=True)},
            self._least,
        )

    def compiled_step(self, content: Picture, style: Picture) -> Callable[[], tf.Tensor]:
        """The compiled step of the final size alone, for measuring: moves an image, gives its loss.

        Args:
            content, style: as for `stylize`.
        """
        scene = Scene.of(self.settings, content, style)
        self._prepare([scene.content, *scene.styles])
        scale = self._plan(scene)[-1]
        with tf.device(self.settings.device):
            # Its own: the step outlives this call, and other runs must not move its image.
            canvas = Canvas(self._canvas.objective)
            canvas.block_size = self._block_size(scale, scene)
            canvas.start(scene.start(self.settings, scale))
            targets = canvas.targets(scene.content_at(scale), scene.styles_at(scale))
            rate = tf.constant(self.settings.learning_rate, tf.float32)
        return lambda: canvas.step(targets, rate)[0]

    def _block_size(self, scale: schedule.Scale, scene: Scene) -> int:
        """The side of the blocks, if the largest size of a run is this; 0 for the whole at once."""
        settings = self.settings
        if settings.block_size != AUTO:
            return settings.block_size
        if settings.max_memory != AUTO:
            limit = settings.max_memory * 1e9
        else:
            # A GPU's allocator says when it has no more; the kernel of an operating system kills.
            limit = memory.limit() if settings.device == "cpu" else None
        blockwise = (
            all(use.layers for use in self._uses)
            and all(STYLE_LOSSES[loss].mean_over_positions for loss in settings.style_loss)
            and not settings.normalize_gradients
        )
        if limit is None or not blockwise:
            return 0
        estimate = memory.Estimate.of(
            self._uses, settings.precision, scale, [each.shape[:2] for each in scene.styles]
        )
        size = estimate.block_size(limit)
        if size:
            warnings.warn(
                f"computing in blocks of {size} pixels: the whole picture at once would take about "
                f"{estimate.whole / 1e9:.1f} GB, more than the {limit / 1e9:.1f} GB that there are",
                stacklevel=3,
            )
        return size


class _Run:
    """The steps of one run, who hears of them, and what it goes on from.

    Attributes:
        history: all steps so far.
        stopped: why they ended, as in a `Result`.
        sizes_done: how many sizes need no more steps.
        resumed_at_step: as in a `Result`.
        block_size: that of the checkpoint; `None` without one, or where this run is to take
            another amount of memory.
    """

    def __init__(
        self,
        settings: Settings,
        callback: Callback | None,
        checkpoints: Checkpoints | None,
        time_limit: float | str | None,
    ):
        self.history: list[Step] = []
        self.stopped = "steps"
        self.sizes_done = 0
        self.resumed_at_step = 0
        self.block_size: int | None = None
        self._settings = settings
        self._callback = callback
        self._checkpoints = checkpoints
        self._began = time.perf_counter()
        self._ends = math.inf if time_limit is None else self._began + as_seconds(time_limit)
        self._seconds_before = 0.0
        self._origin: dict[str, Any] = {}

    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began

    def resume(self, canvas: Canvas, origin: dict[str, Any]) -> bool:
        """Go on from a checkpoint, if the run is to and there is one. Returns whether it does."""
        self._origin = origin
        note = self._checkpoints and self._checkpoints.load(canvas.restore, origin)
        if not note:
            return False
        self.history = [Step(**step) for step in note["history"]]
        self.sizes_done = note["sizes_done"]
        self.resumed_at_step = len(self.history)
        self._seconds_before = self.history[-1].seconds
        if note["versions"] != runtime.versions():
            then = ", ".join(f"{name} {each}" for name, each in note["versions"].items())
            warnings.warn(f"the run began with {then}; with other versions pixels may differ from "
                          "those of an unbroken run", stacklevel=3)
        before = note["origin"]["settings"]
        if all(before[name] == getattr(self._settings, name)
               for name in ("block_size", "max_memory")):
            self.block_size = note["block_size"]
        return True

    def descend(
        self, canvas: Canvas, scale: schedule.Scale, scales: int, targets: Targets, scene: Scene
    ) -> None:
        """Take the steps of one size that are left."""
        number = self.sizes_done + 1
        losses = [step.loss for step in self.history if step.scale == number]

        def has_settled() -> bool:
            return schedule.has_settled(losses, self._settings.tolerance)

        def picture() -> np.ndarray:
            return scene.finished(canvas.picture(), self._settings, scale)

        def watch(loss: float, parts: Mapping[str, tf.Tensor]) -> bool:
            losses.append(loss)
            step = Step(
                scale=number,
                scales=scales,
                height=scale.height,
                width=scale.width,
                step=len(losses),
                steps=scale.steps,
                loss=loss,
                parts={name: float(part) for name, part in parts.items()},
                seconds=self.seconds(),
            )
            self.history.append(step)
            if not math.isfinite(loss):
                self.stopped = "not finite"
            elif self._callback and self._callback(
                dataclasses.replace(step, image=picture)
            ):
                self.stopped = "callback"
            elif time.perf_counter() >= self._ends:
                self.stopped = "time limit"
            ends = self.stopped != "steps" or has_settled()
            if not ends and step.step < step.steps:
                self._save(canvas, if_due=True)
            return ends

        rates = schedule.learning_rates(self._settings, scale.steps, last=number == scales)
        canvas.descend(targets, rates[len(losses) :], watch)
        if self.stopped == "not finite":
            return
        if self.stopped == "steps" or len(losses) == scale.steps or has_settled():
            self.sizes_done += 1
        self._save(canvas)

    def _save(self, canvas: Canvas, *, if_due: bool = False) -> None:
        if not self._checkpoints or (if_due and not self._checkpoints.due(len(self.history))):
            return
        # What L-BFGS remembers of a size cannot be had from SciPy.
        if self._settings.optimizer == "lbfgs" and self.history[-1].scale > self.sizes_done:
            return
        note = {
            "origin": self._origin,
            "history": [_plain(step) for step in self.history],
            "sizes_done": self.sizes_done,
            "block_size": canvas.block_size,
            "versions": runtime.versions(),
        }
        self._checkpoints.add(lambda folder: canvas.save(folder, note))


def _plain(step: Step) -> dict[str, Any]:
    return {field.name: getattr(step, field.name) for field in dataclasses.fields(step)}


def _arrays(model: tf.keras.Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        layer.name: tuple(np.asarray(array) for array in layer.get_weights())
        for layer in model.layers
        if len(layer.get_weights()) == 2
    }
