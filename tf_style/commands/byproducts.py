"""What a run leaves beside its output: snapshots, an animation, a figure, summaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands.outputs import check_folder, identity
from tf_style.commands.progress import Watcher
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.result import Result, Step
    from tf_style.show.animation import Frames


@dataclasses.dataclass(frozen=True)
class Byproducts:
    """Which of them are asked for, and where they go.

    Attributes:
        every: steps from one snapshot to the next; `None` for none.
        animation, plot, logdir: a file each, and a folder; `None` for none.
        frames: of the animation.
    """

    every: int | None
    animation: Path | None
    plot: Path | None
    logdir: Path | None
    frames: Frames | None

    @classmethod
    def check(cls, options: StylizeOptions) -> Byproducts:
        """Check that they can be written, without TensorFlow.

        Raises:
            InputError: if one cannot; the message names it.
        """
        animation = plot = frames = None
        if options.animate:
            from tf_style.show.animation import Frames, check_animation

            animation = check_animation(options.animate)
            frames = Frames(options.snapshot_every or 1)
        if options.plot:
            from tf_style.show.plotting import check_figure

            check_figure(options.plot)
            plot = Path(options.plot)
        logdir = check_folder("logdir", options.logdir) if options.logdir else None
        return cls(options.snapshot_every, animation, plot, logdir, frames)

    def named(self) -> dict[str, Path | None]:
        """Flag → what it writes, without the snapshots."""
        return {"animate": self.animation, "plot": self.plot, "logdir": self.logdir}

    def check_snapshots(self, output: Path, steps: int, others: Sequence[Path]) -> None:
        """Check that no snapshot replaces an input or another output.

        Args:
            output: of the run.
            steps: of the whole run, at most.
            others: the inputs and other outputs.

        Raises:
            InputError: if one would.
        """
        if not self.every:
            return
        taken = {identity(path) for path in others}
        for path in (snapshot_path(output, step)
                     for step in range(self.every, steps + 1, self.every)):
            if identity(path) in taken:
                raise InputError(f"--snapshot_every={self.every}: {path} would replace an input, "
                                 "or is another output. Choose another --output")

    def watchers(self, output: Path, settings: Settings) -> Iterator[Watcher]:
        """The watchers of the run that makes `output`."""
        if self.every:
            yield Snapshots(output, self.every)
        if self.frames:
            yield self.frames
        if self.logdir:
            from tf_style.show.summaries import Summaries

            yield Summaries(self.logdir, settings)

    def write(self, result: Result) -> None:
        """Write what shows the whole run.

        Raises:
            InputError: if that is no longer possible.
        """
        if self.animation:
            from tf_style.show.animation import write_animation

            write_animation(self.animation, self.frames.pictures, result.image)
        if self.plot:
            from matplotlib.figure import Figure

            from tf_style.show.plotting import plot, write_figure

            write_figure(self.plot, plot(result, Figure(figsize=(12, 7.5), layout="constrained")))


def snapshot_path(output: Path, step: int) -> Path:
    """`OUTPUT_0050.png` for the picture after 50 steps, whatever the output's ending."""
    return output.with_name(f"{output.stem}_{step:04}.png")


class Snapshots:
    """Writes the picture so far, at the size that it has then."""

    def __init__(self, output: Path, every: int):
        self._output = output
        self._every = every
        self._steps = 0

    def show(self, step: Step) -> None:
        from tf_style.image.picture import write_picture

        self._steps += 1
        if self._steps % self._every == 0:
            write_picture(snapshot_path(self._output, self._steps), step.image())

    def close(self) -> None:
        """Does nothing: no file is open."""
