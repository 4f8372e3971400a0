"""What a run returns: its steps, why it stopped, and what it made. Plain data, no TensorFlow."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tf_style.image.paths import PathLike
from tf_style.image.picture import png_bytes, write_picture
from tf_style.image.resize import shrink
from tf_style.run.inputs import Inputs
from tf_style.settings import Settings

# The long side of what a notebook shows, in pixels.
_SHOWN = 1024


class Stop(str, enum.Enum):
    """Why a run ended."""

    STEPS = "steps"
    CALLBACK = "callback"
    TIME_LIMIT = "time limit"
    NOT_FINITE = "not finite"

    @property
    def message(self) -> str:
        """The same in a few words."""
        return {
            Stop.STEPS: "all steps are done, or the loss no longer falls",
            Stop.CALLBACK: "the callback ended it",
            Stop.TIME_LIMIT: "the time was up",
            Stop.NOT_FINITE: "the loss is not finite",
        }[self]

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        scale, scales: which size, counted from 1, of how many.
        height, width: that size, in pixels.
        step, steps: which step at this size, counted from 1, of how many at most.
        loss: of the image that the step started from.
        parts: the weighted losses that add up to it: `content`, `style`, `variation`.
        seconds: since the run began, without the time between a stop and a resume.
        number: which step of the run, counted from 1 over all sizes, also when it is resumed.
        image: a function that returns the picture that the step made, `(height, width, 3)` in
            `[0, 1]`, even later; `None` in a result's history.
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
    number: int = 0
    image: Callable[[], np.ndarray] | None = dataclasses.field(
        default=None, repr=False, compare=False
    )

    @property
    def is_last(self) -> bool:
        """Whether it is the last at its size."""
        return self.step == self.steps

    def __str__(self) -> str:
        return (f"{self.width} x {self.height} ({self.scale} of {self.scales}), "
                f"step {self.step} of {self.steps}, loss {self.loss:.3g}")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data that gives an equal step when passed to `Step(**…)`."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)
                if field.name != "image"}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run made, as plain data. A notebook shows it as a picture.

    Attributes:
        image: the generated image, `(height, width, 3)` float32 RGB in `[0, 1]`.
        content: the content image at that size; `None` if there was none.
        styles: the style images as they were read.
        inputs: what the pictures were read from.
        history: all steps, in order.
        given: the settings as they were given.
        settings: the same with every `auto` resolved that stood for a value.
        weights: layer → fingerprint of the kernels that were used.
        weights_seconds: time that loading or learning them took, once for all runs of a `Stylizer`.
        weights_cached: whether learned ones came from the cache; `None` for other kinds.
        seconds: of the run; like `history`, including what was done before it was resumed.
        stopped: why the run ended, as text: `steps` (all done, or settled), `callback`,
            `time limit`, or `not finite`; `stopped.message` says it in words.
        versions: package → version, for all that the pixels depend on.
        resumed_at_step: how many steps a checkpoint saved; 0 for a run from the beginning.
        extended: whether it went on with more steps than it began with.
        style_defects: what was mended in each style, any of `noisy`, `heavily compressed` and
            `small`; empty if `style_cleanup` was off.
        notes: what the user was warned about.
    """

    image: np.ndarray
    content: np.ndarray | None
    styles: tuple[np.ndarray, ...]
    inputs: Inputs
    history: tuple[Step, ...]
    given: Settings
    settings: Settings
    weights: Mapping[str, str]
    weights_seconds: float
    weights_cached: bool | None
    seconds: float
    stopped: Stop
    versions: Mapping[str, str]
    resumed_at_step: int = 0
    extended: bool = False
    style_defects: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return (f"Result({width}x{height}, {len(self.history)} steps in {self.seconds:.1f} s, "
                f"ended by: {self.stopped})")

    def _repr_png_(self) -> bytes:
        """What a notebook shows, no larger than a screen."""
        return png_bytes(shrink(self.image, _SHOWN))

    def save(
        self,
        path: PathLike,
        *,
        alpha: np.ndarray | None = None,
        bits: int = 8,
        embed_settings: bool = True,
    ) -> None:
        """Write the image in the format that the ending of `path` names.

        A PNG holds what `--settings_from` needs to run it again. Nothing but pixels is copied from
        the inputs: not, for example, where a photograph was taken. An older file is replaced only
        when the new one is complete.

        Args:
            alpha: `(height, width)` in `[0, 1]` of any size, such as `read_alpha` returns for the
                content: how opaque the picture is.
            bits: 8 or 16 for each channel; 16 needs the extra `deep`.
            embed_settings: false leaves settings and file names out of a PNG.

        Raises:
            InputError: if nothing can be written there.
        """
        note = json.dumps({**self.provenance(), "bits": bits}) if embed_settings else None
        write_picture(path, self.image, note, alpha=alpha, bits=bits)

    def provenance(self) -> dict[str, Any]:
        """What decided the picture, as plain JSON data.

        Settings as they were given, under `given`, and with `auto` resolved, under `settings`;
        inputs, weights, versions. A run that was stopped or extended is not repeated by them.
        """
        return {
            "given": self.given.as_dict(),
            "settings": self.settings.as_dict(),
            **self.inputs.as_dict(),
            "style_defects": [list(each) for each in self.style_defects],
            "weights": dict(self.weights),
            "versions": dict(self.versions),
            "stopped": str(self.stopped),
            "extended": self.extended,
        }
