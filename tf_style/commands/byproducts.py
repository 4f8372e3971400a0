"""What a run leaves beside its output: snapshots, an animation, a figure, summaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands.outputs import check_folder, identity
from tf_style.commands.progress import Watcher
from tf_style.settings import COMMAND_OPTIONS, InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.stylizer import Result, Step
    from tf_style.view.animation import Frames

_EVERY = next(option for option in COMMAND_OPTIONS if option.name == "snapshot_every")


@dataclasses.dataclass(frozen=True)
class Byproducts:
    """Which of them are asked for, and where they go.

    Attributes:
        output: the run's own.
        every: steps from one snapshot to the next; `None` for none.
        animation, plot, logdir: a file each, and a folder; `None` for none.
        frames: of the animation.
    """

    output: Path
    every: int | None
    animation: Path | None
    plot: Path | None
    logdir: Path | None
    frames: Frames | None

    @classmethod
    def check(cls, values: Mapping[str, Any], output: Path) -> Byproducts:
        """See that they can be written, without TensorFlow.

        Raises:
            InputError: which cannot.
        """
        every = _EVERY.parse(values["snapshot_every"]) if "snapshot_every" in values else None
        animation = plot = frames = None
        if "animate" in values:
            from tf_style.view.animation import Frames, check_animation

            animation, frames = check_animation(values["animate"]), Frames(every or 1)
        if "plot" in values:
            from tf_style.view.plotting import check_figure

            check_figure(values["plot"])
            plot = Path(values["plot"])
        logdir = check_folder("logdir", values["logdir"]) if "logdir" in values else None
        return cls(output, every, animation, plot, logdir, frames)

    def named(self) -> dict[str, Path | None]:
        """Flag → what it writes, without the snapshots."""
        return {"animate": self.animation, "plot": self.plot, "logdir": self.logdir}

    def check_snapshots(self, steps: int, others: Sequence[Path]) -> None:
        """See that no snapshot replaces an input or another output.

        Args:
            steps: of the whole run, at most.
            others: these inputs and outputs.

        Raises:
            InputError: if one would.
        """
        if not self.every:
            return
        taken = {identity(path) for path in others}
        for path in (snapshot_path(self.output, step)
                     for step in range(self.every, steps + 1, self.every)):
            if identity(path) in taken:
                raise InputError(f"--snapshot_every={self.every}: {path} would replace an input, "
                                 "or is another output. Choose another --output")

    def watchers(self, settings: Settings) -> Iterator[Watcher]:
        """Those that hear of each step."""
        if self.every:
            yield Snapshots(self.output, self.every)
        if self.frames:
            yield self.frames
        if self.logdir:
            from tf_style.view.summaries import Summaries

            yield Summaries(self.logdir, settings)

    def write(self, result: Result) -> None:
        """Write what shows the whole run.

        Raises:
            InputError: if that cannot be done any more.
        """
        if self.animation:
            from tf_style.view.animation import write_animation

            write_animation(self.animation, self.frames.pictures, result.image)
        if self.plot:
            from matplotlib.figure import Figure

            from tf_style.view.plotting import plot, write_figure

            write_figure(self.plot, plot(result, Figure(figsize=(12, 7.5), layout="constrained")))


def snapshot_path(output: Path, step: int) -> Path:
    """`OUTPUT_0050.png` for the picture after 50 steps, whatever ending the output has."""
    return output.with_name(f"{output.stem}_{step:04}.png")


class Snapshots:
    """Writes the picture so far, at the size that it has then."""

    def __init__(self, output: Path, every: int):
        self._output = output
        self._every = every
        self._steps = 0

    def show(self, step: Step) -> None:
        from tf_style.image.files import write_picture

        self._steps += 1
        if self._steps % self._every == 0:
            write_picture(snapshot_path(self._output, self._steps), step.image())

    def close(self) -> None:
        """Nothing is open."""
