"""What a run leaves beside its output: snapshots, an animation, a figure, summaries."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands.outputs import check_folder, identity
from tf_style.commands.progress import Watcher
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.settings import InputError, Settings
from tf_style.settings.settings import MOST_SCALES, MOST_STEPS

if TYPE_CHECKING:
    from tf_style.run.jobs import Job
    from tf_style.run.result import Result, Step
    from tf_style.run.scene import Scene
    from tf_style.show.animation import Frames


# Steps after which a log is written anew, as far as it is.
_LINES = 20


@dataclasses.dataclass(frozen=True)
class Byproducts:
    """Which of them are asked for, and where they go.

    Attributes:
        every: steps from one snapshot to the next; `None` for none.
        logs: whether each output has a log of its steps.
        animation, plot, logdir: a file each, and a folder; `None` for none.
        frames: of the animation.
        embed_settings: whether a snapshot may say that it is one.
    """

    every: int | None
    logs: bool
    animation: Path | None
    plot: Path | None
    logdir: Path | None
    frames: Frames | None
    embed_settings: bool = True

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
        return cls(options.snapshot_every, options.logs, animation, plot, logdir, frames,
                   options.embed_settings)

    def named(self) -> dict[str, Path | None]:
        """Flag → what it writes, without the snapshots."""
        return {"animate": self.animation, "plot": self.plot, "logdir": self.logdir}

    def check_written(self, job: Job, scene: Scene, taken: Taken) -> None:
        """Check that what a job writes can be written, now that its size is known.

        Raises:
            InputError: if not.
        """
        from tf_style.image.picture import check_dimensions

        full = scene.scales[-1]
        if job.output:
            check_dimensions(job.output, full.height, full.width)
        self.check_snapshots(job.output, sum(scale.steps for scale in scene.scales), taken)

    def check_snapshots(self, output: Path, steps: int, taken: Taken) -> None:
        """Check that no snapshot replaces an input or another output.

        Args:
            output: of the run.
            steps: of the whole run, at most.
            taken: the inputs and other outputs.

        Raises:
            InputError: if one would.
        """
        for step in taken.steps(output) if self.every else ():
            if step <= steps and step and step % self.every == 0:
                raise InputError(f"--snapshot_every={self.every}: {snapshot_path(output, step)} "
                                 "would replace an input, or is another output. Choose another "
                                 "--output")

    def watchers(self, output: Path, settings: Settings) -> Iterator[Watcher]:
        """The watchers of the run that makes `output`."""
        if self.every:
            yield Snapshots(output, self.every, embed_settings=self.embed_settings)
        if self.logs:
            yield StepLog(log_path(output))
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


class Taken:
    """Files that nothing else may replace, found by the names that snapshots have.

    Whoever takes a million steps need not wait for a million names.
    """

    def __init__(self, paths: Iterable[Path]):
        self._paths = list(paths)
        self._found: dict[Path, dict[str, set[int]]] = {}

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def steps(self, output: Path) -> list[int]:
        """The steps after which a snapshot of `output` would replace one of the files."""
        folder = output.parent
        if folder not in self._found:
            self._found[folder] = self._numbered(folder)
        numbers = sorted(self._found[folder].get(_alike(output.stem), ()))
        return [step for step in numbers
                if identity(snapshot_path(output, step)) in self._identities]

    @functools.cached_property
    def _identities(self) -> set[Hashable]:
        return {identity(path) for path in self._paths}

    def _numbered(self, folder: Path) -> dict[str, set[int]]:
        """What stands before the number of a snapshot → the numbers of all names like that."""
        # A file may also have another name there, by a link.
        names = [os.path.basename(os.path.realpath(path)) for path in self._paths]
        with contextlib.suppress(OSError):
            names += os.listdir(folder)
        found: dict[str, set[int]] = {}
        for name in names:
            if match := re.fullmatch(r"(.*)_([0-9]{4,})\.png", name, re.IGNORECASE | re.DOTALL):
                found.setdefault(_alike(match[1]), set()).add(int(match[2]))
        return found


def _alike(name: str) -> str:
    """What names that are one on some file systems have in common."""
    return unicodedata.normalize("NFC", name).casefold()


def snapshot_path(output: Path, step: int) -> Path:
    """`OUTPUT_0050.png` for the picture after 50 steps, whatever the output's ending."""
    return output.with_name(f"{output.stem}_{step:04}.png")


def last_snapshot(output: Path) -> Path:
    """The longest name that a snapshot can have."""
    return snapshot_path(output, MOST_SCALES * MOST_STEPS)


def log_path(output: Path) -> Path:
    """`OUTPUT.png.log`, where the steps of a picture are told."""
    return output.with_name(f"{output.name}.log")


class StepLog:
    """Writes a line for each step; those before a stop stay when the run is resumed."""

    def __init__(self, path: Path):
        self._path = path
        self._lines: list[str] = []

    def show(self, step: Step) -> None:
        if not self._lines and step.number > 1:
            self._lines = self._before(step)
        parts = "  ".join(f"{name} {part:.6g}" for name, part in step.parts.items())
        self._lines.append(f"{step.seconds:9.2f} s  {step.width}x{step.height}  step "
                           f"{step.step}/{step.steps}  loss {step.loss:.6g}  {parts}\n")
        if step.is_last or len(self._lines) % _LINES == 0:
            self.close()

    def _before(self, step: Step) -> list[str]:
        """The lines of the steps before this one, if they are there."""
        with contextlib.suppress(OSError, UnicodeError):
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            return lines[: step.number - 1]
        return []

    def close(self) -> None:
        from tf_style.image.paths import write_bytes

        if self._lines:
            write_bytes(self._path, "".join(self._lines).encode(), lasting=False)


class Snapshots:
    """Writes the picture so far, at the size that it has then."""

    def __init__(self, output: Path, every: int, *, embed_settings: bool = True):
        self._output = output
        self._every = every
        self._embeds = embed_settings

    def show(self, step: Step) -> None:
        from tf_style.image.picture import write_picture

        if step.number % self._every == 0:
            # A PNG with a note is not taken for a photograph of the folder that it lies in.
            note = json.dumps({"snapshot": step.number}) if self._embeds else None
            write_picture(snapshot_path(self._output, step.number), step.image(), note)

    def close(self) -> None:
        """Does nothing: no file is open."""
