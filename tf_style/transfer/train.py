"""Training networks that paint: the function that people call."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image.paths import PathLike, expand
from tf_style.image.resize import fit
from tf_style.image.samples import PREFIX
from tf_style.image.style import Style
from tf_style.loss.objective import Objective
from tf_style.network import weights
from tf_style.network.choice import choose
from tf_style.network.networks import Network, build_for_run, fingerprints
from tf_style.run import machine
from tf_style.run.checkpoints import Checkpoints
from tf_style.run.inputs import ARRAY, Inputs, Picture
from tf_style.run.mender import Mender
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, InputError, Remark, Settings
from tf_style.settings.option import Duration, Switch, Word, whole
from tf_style.transfer.model_file import TransformModel, thumbnail
from tf_style.transfer.photographs import Photographs
from tf_style.transfer.pupil import Pupil
from tf_style.transfer.replicas import LostError, gathered
from tf_style.transfer.samples import FILE, locate_model
from tf_style.transfer.training import Lesson, Training
from tf_style.transfer.transform import SHAPES

TIME_LIMIT = "10m"
# Long sides of what is shown, in pixels.
_THUMBNAIL, _SHOWN = 160, 256
# What a checkpoint calls the network that a training began with.
_BEGUN_WITH = "network to begin with (--init)"


class Trainer:
    """A training that is ready to begin.

    Args:
        styles: paintings, one or more.
        pictures: files of photographs to learn from, or none: then scenes drawn at random.
        settings: those of the objective and of the machine count.
        width: one of `SHAPES`: `fine` or `fast`.
        steps: how many; `None`: as many as `time_limit` allows.
        time_limit: seconds, or a time such as `"10m"`, with what comes before the first step.
        init: a network of the same width to start from; `auto`: the one that comes with tf_style;
            `none`: weights drawn at random.
        steady: whether it learns to paint films, too.
        watch: called with what comes next, in a few words, and how much of it is done.
        spent: seconds of the time limit that are over already; what gets the training ready is
            added.

    Attributes:
        photographs: what is learned from, and what is held out.
        settings: with every `auto` resolved.
        styles: the paintings as they are seen at the size that is trained for.
        objective: what is descended.
        pupil: what is trained.
        replicas: who takes the steps: the GPUs of this machine, and processes of `TF_CONFIG`.

    Raises:
        InputError: for pictures, settings or weights that cannot be used.
    """

    def __init__(
        self, styles: Sequence[Picture], pictures: Sequence[PathLike] = (),
        settings: Settings | None = None, *, width: str = "fine", steps: int | None = None,
        time_limit: float | str = TIME_LIMIT, init: PathLike = AUTO,
        steady: bool = False, watch: Callable[..., object] = weights.unwatched, spent: float = 0.0,
    ):
        began = time.perf_counter()
        given = settings or Settings()
        given = given.for_training()
        self._steps = None if steps is None else whole(1).parse("steps", steps)
        self._limit = Duration().parse("time_limit", time_limit)
        self._width = Word(tuple(SHAPES)).parse("width", width)
        self._steady = Switch().parse("steady", steady)
        if not styles:
            raise InputError("--style: expected at least one painting. Received none")
        self.replicas, given = gathered(given, watch)
        # Nothing looks at a style before its training, to find which of its places recur.
        given = given.replace(style_places="all")
        # With the operations in order, the same steps give the same weights. Those of several
        # devices wait for one another.
        known = machine.resolve(given, in_order=self.replicas.count == 1)
        self.settings, choices = choose(known, functools.partial(weights.settle, watch=watch))
        self.photographs = Photographs.read(
            [str(each) for each in pictures], self.settings.seed, self.settings.max_pixels,
            side=self.settings.size.proportions(None)[1])
        least = max([1, *[choice.least_size for choice in choices]])
        with tf.device(self.settings.device):
            self._inputs, self.styles = _seen(styles, self.settings, least)
            learned = [style.picture for style in self.styles]
            networks = build_for_run(choices, self.settings, learned, watch=watch)
            self._weights = fingerprints(choices, networks)
            dtype = "mixed_bfloat16" if self.settings.precision == "bfloat16" else "float32"
            self.pupil = Pupil(self._width, len(styles), dtype, self.settings.seed)
            self._begun_with = self._begin(init)
            self.objective = Objective.of(networks, self.settings)
            self._training = Training(
                self.objective, self.styles, self.photographs, self.pupil,
                seed=self.settings.seed, steps=self._steps,
                seconds=math.inf if self._steps else self._limit,
                spent=spent + time.perf_counter() - began, steady=self._steady,
                replicas=self.replicas,
            )
        self._networks: Sequence[Network] = networks

    def train(
        self, callback: Callable[[Lesson], Any] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> TransformModel:
        """Take all steps that are left.

        Args:
            callback: called with a `Lesson` after each step; a true return value ends it.
            checkpoints: where it keeps what it can go on from, and whether it goes on from there;
                of several processes, those of the chief alone count.

        Returns:
            The network as it is then.

        Raises:
            InputError: if a checkpoint, or another process, is of another training.
            LostError: if another process is gone; a checkpoint was added.
        """
        training, origin, replicas = self._training, self._origin(), self.replicas
        if not replicas.chief:
            checkpoints = None

        def keep() -> None:
            if checkpoints:
                checkpoints.add(lambda folder: training.save(folder, {"origin": origin}), _warn)

        def restore(folder: Path) -> dict[str, Any] | None:
            kept = training.restore(folder)
            if kept:
                # Older checkpoints do not say.
                kept["origin"]["pictures"].setdefault(_BEGUN_WITH, self._begun_with)
            return kept

        held = checkpoints.held() if checkpoints else contextlib.nullcontext()
        with held, tf.device(self.settings.device):
            if checkpoints:
                checkpoints.load(restore, origin, _warn)
            try:
                if replicas.processes > 1:
                    versions = {f"version of {name}": version
                                for name, version in machine.versions().items() if name != "python"}
                    replicas.check_alike({**origin, "pictures": {**origin["pictures"], **versions}})
                for lesson in training.lessons():
                    ends = replicas.any(callback is not None and callback(
                        dataclasses.replace(lesson, image=self._shown)))
                    if ends or lesson.done == 1 or (
                            checkpoints and checkpoints.due(lesson.number)):
                        keep()
                    if ends:
                        break
                if replicas.count > 1 and (apart := training.apart()):
                    _warn(f"weights of the replicas differ by up to {apart:.2g}; kept the chief's")
            except LostError:
                keep()
                raise
            except FloatingPointError:
                _warn(f"the loss is not finite at step {training.number + 1}; kept the network as "
                      "it was. Try --precision=float32")
            return self.made()

    def made(self) -> TransformModel:
        """The network as it is now, with what it was made from."""
        named = self._inputs.style
        names = [f"style {number}" if name.startswith(ARRAY) else _short(name)
                 for number, name in enumerate(named, 1)]
        note = {
            "styles": [{"name": name, "digest": self._inputs.digests[each]}
                       for name, each in zip(names, named, strict=True)],
            "settings": self.settings.as_dict(),
            "pictures": {"given": self.photographs.given,
                         "added": len(self.photographs.pictures) - self.photographs.given},
            **_teachers(self._networks),
            "steady": self._steady,
            "steps": self._training.number,
            "seconds": round(self._training.seconds, 1),
            "seconds_before_first_step": round(self._training.spent, 1),
            "versions": machine.versions(),
        }
        return TransformModel.of(
            self.pupil, note, thumbnail(self._shown(_THUMBNAIL)), _name(names[0]))

    def _shown(self, side: int = _SHOWN) -> np.ndarray:
        """What the network makes of the first photograph that is held out, in the first style."""
        return self.paint(fit(self.photographs.held_out[0] / np.float32(255), side))

    def paint(self, picture: np.ndarray, style: int = 0) -> np.ndarray:
        """What the network makes of a picture now, without its last rows and columns.

        Args:
            picture: `(height, width, 3)` float32 in `[0, 1]`.
            style: which one, counted from 0.
        """
        height, width = (max(4, length // 4 * 4) for length in picture.shape[:2])
        cut = np.pad(picture, ((0, max(0, height - len(picture))), (0, max(
            0, width - picture.shape[1])), (0, 0)), "edge")[:height, :width]
        with tf.device(self.settings.device):
            return self.pupil.paint(tf.constant(cut[None], tf.float32),
                                    tf.constant([style])).numpy()[0]

    def _begin(self, init: PathLike) -> str:
        """Take over the weights of `init`; returns the digest of its file, or `none`."""
        if str(init) == "none":
            return "none"
        path = FILE if str(init) == AUTO else locate_model(init)[0]
        if str(init) == AUTO and not path.exists():
            return "none"
        start = TransformModel.read(path, "init")
        if start.width != self._width:
            if str(init) == AUTO:
                return "none"
            raise InputError(f"--init={init}: expected a network of --width={self._width}. "
                             f"Received: {start.width or 'a network of another kind'}")
        kernels = {name: start.model.get_layer(name).get_weights() for name in self.pupil.kernels}
        self.pupil.begin_with(kernels, start.norms)
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def _origin(self) -> dict[str, Any]:
        """Everything that decides the weights, as plain JSON data."""
        digest = hashlib.sha256()
        for picture in self.photographs.pictures:
            digest.update(f"{picture.shape}".encode())
            digest.update(np.ascontiguousarray(picture))
        settings = self.settings.as_dict()
        return {
            "settings": {**settings, "steps": [self._steps] if self._steps else AUTO},
            "weights": dict(self._weights),
            "pictures": {
                **{f"style {number}": self._inputs.digests[name]
                   for number, name in enumerate(self._inputs.style, 1)},
                "set of photographs": digest.hexdigest(), "width": self._width,
                _BEGUN_WITH: self._begun_with,
                # As before for those that were begun without.
                **({"steady": "True"} if self._steady else {}),
            },
        }


def train(
    style: Picture | Sequence[Picture],
    pictures: PathLike | Sequence[PathLike] = (),
    settings: Settings | None = None,
    *,
    width: str = "fine",
    steps: int | None = None,
    time_limit: float | str = TIME_LIMIT,
    init: PathLike = AUTO,
    steady: bool = False,
    callback: Callable[[Lesson], Any] | None = None,
    checkpoints: Checkpoints | None = None,
    **overrides: Any,
) -> TransformModel:
    """Train a network that paints in the style of a painting, in a tenth of a second a picture.

    It learns by the objective that `stylize` descends, on crops of photographs. All GPUs of the
    machine take part unless `device` names one, and all processes that the environment variable
    `TF_CONFIG` names, if it is set; each returns the same network.

    Args:
        style: a path, `sample:NAME`, or an array as for `stylize`; of several, the network learns
            each, and can blend them.
        pictures: files of photographs, folders or patterns, a hundred photographs or more if you
            have them; without any it learns from scenes that are drawn at random, and paints
            less well.
        settings: defaults to `Settings()`; the options of the objective and of the machine count.
        width: `fine`, or `fast`, which takes a third of the time and paints less well.
        steps: how many; `None`: as many as `time_limit` allows. So many steps give the same weights
            again on the same machine, if TensorFlow has computed nothing before in the process.
        time_limit: seconds, or a time such as `"10m"`, with what comes before the first step.
        init: a network of the same width to start from; `auto`: the one that comes with tf_style;
            `none`: weights drawn at random.
        steady: whether it learns to paint films, too, whose frames then flicker less: it takes
            longer for a step.
        callback: called with a `Lesson` after each step; a true return value ends the training.
        checkpoints: where it keeps what it can go on from, and whether it goes on from there. With
            `steps` it then ends with the same weights as without a stop.
        **overrides: fields of `Settings`, such as `style_weight=20`.

    Returns:
        A `TransformModel`: `.model` is a plain `keras.Model`, `.save("painting.keras")` writes it.

    Raises:
        InputError: (a `ValueError`) for pictures, settings or weights that cannot be used.
        RuntimeError: if another process of the training is gone; a checkpoint was added.

    Source: Johnson, Alahi, Fei-Fei, Perceptual losses for real-time style transfer and
        super-resolution, ECCV 2016.

    Example:
        >>> made = train("sample:waves", steps=1, width="fast", weights="random",
        ...              style_layers="block1_conv1", content_layers="block1_conv2")
        >>> made.model(np.zeros((1, 30, 41, 3))).shape
        TensorShape([1, 30, 41, 3])
    """
    styles = list(style) if isinstance(style, (list, tuple)) else [style]
    given = [pictures] if isinstance(pictures, (str, os.PathLike)) else pictures
    files = [name for each in given for name in expand(os.fspath(each))]
    trainer = Trainer(
        styles, files, (settings or Settings()).replace(**overrides), width=width, steps=steps,
        time_limit=time_limit, init=init, steady=steady,
    )
    return trainer.train(callback, checkpoints)


def _seen(
    styles: Sequence[Picture], settings: Settings, least: int
) -> tuple[Inputs, list[Style]]:
    """The styles as they are seen at the size that is trained for, mended."""
    inputs = Inputs.of(None, styles)
    found = []
    scales = settings.style_scale
    scales = scales if isinstance(scales, tuple) else (scales,) * len(styles)
    if len(scales) != len(styles):
        raise InputError(f"--style_scale: expected one number, or one for each of the "
                         f"{len(styles)} styles. Received: {len(scales)}")
    for style, scale in zip(styles, scales, strict=True):
        settings = settings.replace(style_scale=scale)
        scene = Scene.of(settings, None, [style], least=least)
        scene = scene.prepared(settings, lambda each: Mender().mend(each, _warn))
        found += scene.at(scene.scales[-1])[1]
    return inputs, found


def _teachers(networks: Sequence[Network]) -> Mapping[str, str]:
    """Whose work the networks are that it learned from."""
    return {"teacher": ", ".join(dict.fromkeys(network.model.name for network in networks))}


def _short(name: str) -> str:
    """A style's name without folder and ending: nobody need know where it was."""
    return Path(name.removeprefix(PREFIX)).stem


def _name(name: str) -> str:
    """What TensorFlow accepts as a model's name."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return f"painting_{kept}"[:60]


def _warn(text: str) -> None:
    warnings.warn(text, Remark, stacklevel=4)
