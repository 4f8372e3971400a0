"""What is worth keeping between runs: networks and compiled steps."""

from __future__ import annotations

import functools
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tf_style.loss.objective import Objective
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network import weights
from tf_style.network.choice import choose, limits
from tf_style.network.networks import Network, build_for_run, fingerprints
from tf_style.run import cost, machine, schedule
from tf_style.run.checkpoints import Checkpoints
from tf_style.run.descent import Descent
from tf_style.run.divider import Divider
from tf_style.run.mender import Mender
from tf_style.run.result import Result
from tf_style.run.run import Callback, Run, Work
from tf_style.run.scene import Scene, starts_by_network
from tf_style.run.weigher import Weigher
from tf_style.settings import AUTO, InputError, LiveModel, Remark, Settings, auto

# What neither networks nor compiled steps depend on: it decides what they are shown, or how far
# and on what way they go.
OF_A_RUN = (
    "size", "strength", "style_scale", "style_size", "style_blend", "style_cleanup",
    "style_places", "style_regions", "preserve_color", "scales", "steps", "tolerance", "optimizer",
    "learning_rate", "learning_rate_schedule", "init", "init_noise", "block_size", "max_memory",
    "max_pixels", "cache_dir", "offline",
)


class Painter:
    """Networks and compiled steps, and how a run is made from them.

    It holds no state of a run: several threads may use it at once, and a callback may start
    another run with the painter that called it.

    Args:
        settings: as they were given.
        pictures: returns those to learn features from; called only if features are learned. None
            by default: then those of the first run.
        objective: what is descended, made from networks and settings.
        watch: called with what comes next while networks are loaded, in a few words, and how much
            of it is done, 0 to 1, if that is known.
        start: makes of the content, `(height, width, 3)` in `[0, 1]`, the picture where the image
            starts, if `init` names a network. A model in memory does so itself.
        like: a painter whose networks and compiled steps serve this one, too, as far as nothing
            else is another than the weight of the style and what neither depends on.
        memory: bytes that this process may take in all; `None`: what is free.
        exact: whether pictures are to be those without `like`, bit by bit: then another weight of
            the style has compiled steps of its own.

    Attributes:
        settings: with every `auto` resolved that does not depend on the pictures.
        weights: layer → fingerprint of the kernels in use; empty before they are learned.
        weights_seconds: time that loading or learning them took.
        weights_cached: whether learned ones came from the cache; `None` for other kinds.

    Raises:
        InputError: for settings or weights that cannot be used.
    """

    def __init__(
        self, settings: Settings, pictures: Callable[[], Sequence[np.ndarray]] = tuple,
        objective: Callable[[Sequence[Network], Settings], Objective] = Objective.of,
        watch: Callable[..., object] = weights.unwatched,
        like: Painter | None = None,
        start: Callable[[np.ndarray], np.ndarray] | None = None,
        *,
        memory: float | None = None,
        exact: bool = False,
    ):
        self._given = settings
        self._memory = memory
        self._objective = objective
        self._watch = watch
        self._like, self._exact = like, exact
        self._start = start or _starting(settings)
        known = machine.resolve(self._given)
        if self._given.optimizer == "lbfgs":
            schedule.check_lbfgs()
        self.settings, self._choices = choose(
            known, functools.partial(weights.settle, watch=watch)
        )
        for text in limits(self._given, self._choices):
            warnings.warn(text, Remark, stacklevel=3)
        self.weights: Mapping[str, str] = {}
        self.weights_seconds = 0.0
        self.weights_cached: bool | None = None
        self._networks: tuple[Network, ...] = ()
        self._descent: Descent | None = None
        self._mender = Mender()
        self._weigher: Weigher | None = None
        self._divider: Divider | None = None
        self._measured: cost.Speed | None = None
        self._lock = threading.Lock()
        learns = any(choice.weights == "unsupervised" for choice in self._choices)
        seen = pictures() if learns else ()
        if seen or not learns:
            self._warm(seen)

    @property
    def traces(self) -> int:
        """How many times the step has been traced, whatever the pictures.

        Once for each kind of scene: with and without a content, with `protect`, and for each set of
        layers that are compared region by region.
        """
        return self._descent.traces if self._descent else 0

    @property
    def least_size(self) -> int:
        """The shortest side of a picture that the networks can see, in pixels, as far as known."""
        return max(each.least_size for each in self._networks or self._choices)

    def paint(
        self,
        scene: Scene,
        *,
        callback: Callback | None = None,
        checkpoints: Checkpoints | None = None,
        time_limit: float | str | None = None,
    ) -> Result:
        """Run with these pictures; otherwise like `tf_style.stylize`."""
        return Run(
            lambda note: self.work(scene, note), callback, checkpoints, time_limit
        ).result()

    def work(self, scene: Scene, note: Callable[[str], None] = lambda text: None) -> Work:
        """What a run with these pictures is made from.

        Args:
            note: called with the text of each note.
        """
        for name in dict.fromkeys(choice.network for choice in self._choices):
            if isinstance(name, LiveModel):
                note(f"{name} is a model in memory, recorded by name and fingerprint alone: only "
                     "someone who has it can make this picture again")
        pictures = [style.picture for style in scene.styles]
        descent = self._warm([*([] if scene.content is None else [scene.content]), *pictures])
        scene = scene.seen_by(self.settings, self.least_size)
        scene = scene.starting_at(self.settings, self._start)
        prepared = scene.prepared(self.settings, lambda each: self._mender.mend(each, note))
        with tf.device(self.settings.device):
            prepared = self._divider.divide(self._weigher.weigh(prepared), note)
        count = 1 if prepared.regions is None else len(prepared.regions)
        return Work(
            self._given, self._resolved(scene).replace(style_regions=count), scene, prepared,
            descent, self.weights, self.weights_seconds, self.weights_cached,
            lambda: self._block_size(scene, note),
        )

    def forecast(self, scene: Scene) -> list[cost.Forecast]:
        """What `paint` would take, size by size; nothing is loaded, learned or run.

        Raises:
            InputError: for pictures that cannot be used, or a saved model, whose cost is not known.
        """
        if not all(choice.layers for choice in self._choices):
            raise InputError("--dry_run: what a saved model takes is not known")
        with tf.device(self.settings.device):
            size = self._block_size(scene, lambda text: None)
            shapes = [style.picture.shape[:2] for style in scene.styles]
            return cost.forecast(
                self._choices, self.settings.precision, scene.scales, shapes, size, self._speed()
            )

    def _speed(self) -> cost.Speed:
        """How fast this machine is; measured once, as it takes longer than an estimate."""
        with self._lock:
            if self._measured is None:
                self._measured = cost.measured_speed(self.settings.precision)
            return self._measured

    def networks(
        self, pictures: Sequence[np.ndarray], layers: Iterable[str]
    ) -> tuple[Network, ...]:
        """Its networks built again, with the maps of further layers.

        Args:
            pictures: to learn features from, if features are learned.
        """
        with tf.device(self.settings.device):
            return build_for_run(self._choices, self.settings, pictures, layers)

    def _warm(self, pictures: Sequence[np.ndarray]) -> Descent:
        """The compiled steps; the first time, networks are loaded or learned from the pictures."""
        with self._lock:
            if self._descent is None:
                began = time.perf_counter()
                shared, self._like = self._like, None
                if shared and not self._has_networks_of(shared):
                    shared = None
                with tf.device(self.settings.device):
                    self._networks = shared._networks if shared else build_for_run(
                        self._choices, self.settings, pictures, watch=self._watch
                    )
                    self._descent = self._descent_like(shared)
                self._weigher = Weigher(self.settings, self._networks[-1])
                self._divider = Divider(self.settings, self._networks[-1])
                self.weights = fingerprints(self._choices, self._networks)
                cached = [each.cached for each in self._networks if each.cached is not None]
                self.weights_cached = cached[-1] if cached else None
                self.weights_seconds = time.perf_counter() - began
            return self._descent

    def _has_networks_of(self, other: Painter) -> bool:
        mine = self.settings
        same = {name: getattr(mine, name) for name in (*OF_A_RUN, "style_weight")}
        return bool(other._networks) and other._objective is self._objective and (
            other.settings.replace(**same) == mine)

    def _descent_like(self, other: Painter | None) -> Descent:
        """The compiled steps; those of another with the same networks, if they can serve."""
        mine = self.settings
        if other and other.settings.style_weight == mine.style_weight:
            return other._descent
        # Below the content's weight, there are other terms.
        free = other and not self._exact and auto.freedom(other.settings) == auto.freedom(mine) == 1
        if free and not mine.normalize_gradients:
            return other._descent.with_style_weight(mine.style_weight)
        return Descent(self._objective(self._networks, mine))

    def _resolved(self, scene: Scene) -> Settings:
        """The settings with every `auto` resolved for these pictures and networks."""
        found = {}
        for choice in self._choices:
            for part in choice.parts:
                found |= {f"{part}_network": choice.network,
                          f"{part}_network_weights": choice.weights or AUTO}
        found = {name: value for name, value in found.items()
                 if getattr(self.settings, name) == AUTO}
        return scene.resolved(self.settings).replace(**found)

    def _block_size(self, scene: Scene, note: Callable[[str], None]) -> int:
        """The side of the blocks of a run; 0 for the whole picture at once."""
        settings = self.settings
        if settings.block_size != AUTO:
            return settings.block_size
        if settings.max_memory != AUTO:
            limit = settings.max_memory * 1e9
        else:
            # A GPU's allocator reports when memory runs out; an operating system kills the process.
            limit = (self._memory or machine.memory_limit()) if settings.device == "cpu" else None
        blockwise = (
            all(choice.layers for choice in self._choices)
            and all(STYLE_LOSSES[loss].mean_over_positions for loss in settings.style_loss)
            and not settings.normalize_gradients
        )
        if limit is None or not blockwise:
            return 0
        estimate = cost.Estimate.of(
            self._choices, settings.precision, scene.scales[-1],
            [style.picture.shape[:2] for style in scene.styles],
        )
        size = estimate.block_size(limit)
        if size:
            note(f"computing in blocks of {size} pixels: the whole picture at once would take "
                 f"about {estimate.whole / 1e9:.1f} GB, more than the {limit / 1e9:.1f} GB "
                 "available")
            if estimate.in_blocks(size) > limit:
                note(f"even in blocks it takes about {estimate.in_blocks(size) / 1e9:.1f} GB")
        return size


def _starting(settings: Settings) -> Callable[[np.ndarray], np.ndarray]:
    """What a model in memory makes of a picture, if that is where the image starts.

    Raises:
        InputError: for the name of a network: networks that paint are read elsewhere.
    """
    init = settings.init
    if not isinstance(init, LiveModel):
        if starts_by_network(settings):
            raise InputError(f"--init={init}: only the command tf_style, for pictures, reads a "
                             "network of this name. In Python give the network: "
                             f"init=transform_model({str(init)!r})")
        return lambda picture: picture

    def paint(picture: np.ndarray) -> np.ndarray:
        try:
            painted = np.clip(np.asarray(init.model(picture[None])), 0, 1)[0]
        except (tf.errors.InvalidArgumentError, ValueError, TypeError) as error:
            raise InputError(f"--init={init}: cannot paint the content "
                             f"({' '.join(str(error).split())[:120]})") from None
        if painted.shape != picture.shape or not np.isfinite(painted).all():
            raise InputError(f"--init={init}: expected a model from pictures, (batch, height, "
                             "width, 3) in [0, 1], to pictures of their size. Received one to "
                             f"{painted.shape}, or to values that are not finite")
        return painted

    return paint
