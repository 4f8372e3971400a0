"""Several pictures by one command."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, interruptible, say
from tf_style.commands.naming import title
from tf_style.commands.progress import Overall, Profiler, Progress, Watchers, closed, minutes
from tf_style.image import files
from tf_style.network.choice import choose
from tf_style.run import batch, schedule
from tf_style.run.batch import Job, Outcome
from tf_style.run.scene import Scene
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.commands.byproducts import Byproducts
    from tf_style.commands.progress import Watcher
    from tf_style.run.stylizer import Callback, Result, Step, Stylizer


@dataclasses.dataclass
class Tally:
    """How many pictures were made, stopped, were there already, failed, or were not begun."""

    made: int = 0
    stopped: int = 0
    kept: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    left: int = 0

    @property
    def done(self) -> int:
        return self.made + self.stopped + len(self.failed)


def stand_in(settings: Settings, job: Job) -> Scene:
    """A scene like those of all jobs, without reading their pictures: a plain square for each.

    What is wrong with it is wrong with the flags.

    Raises:
        InputError: what is.
    """
    square = np.zeros((64, 64, 3), np.float32)
    # What has to have the proportions of the masks has.
    content = files.read_picture(job.content_masks[0]) if job.content_masks else square
    styles = [square] * len(job.styles)
    if len(job.style_masks) == len(styles):
        styles = [files.read_picture(mask) for mask in job.style_masks]
    return Scene.of(
        settings, content if job.content else None, styles, job.content_masks, job.style_masks
    )


def check_single(outputs: Mapping[str, Path | str | None]) -> None:
    """See that nothing is asked for that belongs to a single run.

    Args:
        outputs: flag → what it names, where it is given.

    Raises:
        InputError: which one is.
    """
    for flag, path in outputs.items():
        if path:
            raise InputError(f"--{flag}={path}: belongs to the making of one picture. Expected one "
                             "content and one style")


def stylizer(
    stylizer_class: type[Stylizer], settings: Settings, jobs: Sequence[Job]
) -> Stylizer:
    """One for all jobs; where features are learned, from a draw of all pictures."""
    settings, choices = choose(settings)
    learns = any(choice.weights == "unsupervised" for choice in choices.values())
    return stylizer_class(settings, pictures=batch.drawn(jobs, settings.seed) if learns else ())


def run(
    stylizer: Stylizer,
    jobs: Sequence[Job],
    tally: Tally,
    *,
    least: int,
    dry: bool,
    report: Path | None,
    profile: Path | None,
    byproducts: Byproducts,
    time_limit: float | None,
    quiet: bool,
) -> int:
    """Make the pictures of all jobs; report those that fail, and go on.

    Args:
        least: the shortest side that the networks can see, as far as it is known.
        byproducts: what each run leaves, with any output.
        time_limit: seconds after which no other picture is begun, and the one at hand is ended.

    Returns:
        The exit code.
    """
    if dry:
        return _print_forecasts(stylizer, jobs)
    from tf_style.view.report import write_report

    entries: list[dict[str, Any]] = []
    settings = stylizer.settings
    overall = None if quiet else Overall(len(jobs))
    watch = _Watch()
    # Ten steps in all: whichever picture they belong to.
    lasting = Watchers([Profiler(profile)] if profile else [])
    ends = math.inf if time_limit is None else time.perf_counter() + time_limit
    with interruptible() as interrupted, closed(lasting), closed(watch):
        def enough() -> bool:
            return bool(interrupted) or time.perf_counter() >= ends

        def begin(job: Job, scene: Scene) -> Callback:
            if enough():
                raise KeyboardInterrupt
            plan = schedule.plan(
                settings,
                None if scene.content is None else scene.content.shape[:2],
                {name: style.shape[:2]
                 for name, style in zip(job.styles, scene.styles, strict=True)},
                least,
            )
            files.check_dimensions(job.output, plan[-1].height, plan[-1].width)
            if overall:
                overall.show(tally.done + 1, title(job))
            watch.begin([
                *([Progress(plan)] if overall else []),
                *dataclasses.replace(byproducts, output=job.output).watchers(settings),
            ])

            def callback(step: Step) -> bool:
                watch.show(step)
                lasting.show(step)
                return enough()

            return callback

        try:
            for outcome in batch.paint(stylizer, jobs, begin):
                watch.close()
                _tell(outcome, f"[{tally.done + 1}/{len(jobs)}]", quiet=quiet)
                if _failure(outcome):
                    tally.failed.append(_distinct(outcome.job, jobs))
                elif outcome.value.stopped == "callback":
                    tally.stopped += 1
                else:
                    tally.made += 1
                if report:
                    entries.append(_entry(outcome))
                # Its pictures need not stay in memory while the next are read.
                del outcome
        except KeyboardInterrupt:
            # From `begin`; or pressed again, and then the picture at hand is given up.
            pass
    tally.left = len(jobs) - tally.done
    try:
        if report:
            write_report(report, {"pictures": entries})
    except InputError as error:
        say(f"tf_style: {error}")
        return FAILED
    code = finish(tally, quiet=quiet)
    if interrupted:
        return INTERRUPTED
    return FAILED if watch.failed or lasting.failed else code


def finish(tally: Tally, *, quiet: bool) -> int:
    """Say what became of all; the exit code."""
    parts = [f"{tally.made} picture{'' if tally.made == 1 else 's'} made"]
    if tally.stopped:
        parts.append(f"{tally.stopped} stopped")
    if tally.kept:
        parts.append(f"{tally.kept} there already")
    if tally.left:
        parts.append(f"{tally.left} not begun")
    if tally.failed:
        parts.append(f"{len(tally.failed)} failed: {', '.join(tally.failed)}")
    if tally.failed or tally.stopped or tally.left or not quiet:
        say(f"tf_style: {', '.join(parts)}")
    return FAILED if tally.failed else DONE


class _Watch:
    """The watchers of the picture at hand, one picture after the other.

    Attributes:
        failed: whether there was a watcher that could not go on.
    """

    def __init__(self) -> None:
        self._watchers = Watchers([])
        self.failed = False

    def begin(self, watchers: Iterable[Watcher]) -> None:
        self._watchers = Watchers(watchers)

    def show(self, step: Step) -> None:
        self._watchers.show(step)

    def close(self) -> None:
        self._watchers.close()
        self.failed |= self._watchers.failed
        self._watchers = Watchers([])


def _failure(outcome: Outcome[Result]) -> str:
    if outcome.value and outcome.value.stopped == "not finite":
        return "the loss is not finite"
    return outcome.error


def _tell(outcome: Outcome[Result], heading: str, *, quiet: bool) -> None:
    job, result = outcome.job, outcome.value
    if failure := _failure(outcome):
        say(f"tf_style: {heading} {title(job)}: {failure}")
    if result and not quiet:
        print(job.written(result), flush=True)
    if result and result.stopped == "callback":
        say(f"tf_style: stopped after {len(result.history)} steps; the picture so far is in "
            f"{job.written(result)}")


def _distinct(job: Job, jobs: Sequence[Job]) -> str:
    """What tells a job apart from the others: its content, its style, or both."""
    same_styles = all(each.styles == job.styles for each in jobs)
    same_content = all(each.content == job.content for each in jobs)
    if job.content and same_styles:
        return job.content
    styles = " x ".join(job.styles)
    return styles if same_content else f"{job.content} x {styles}"


def _entry(outcome: Outcome[Result]) -> dict[str, Any]:
    """A picture's part of the report: the report of a single one, or what is known of a failed."""
    from tf_style.view.report import report

    job = outcome.job
    if outcome.value is None:
        return {"content": job.content, "style": list(job.styles),
                "output": os.fspath(job.output), "error": outcome.error}
    return report(outcome.value, output=os.fspath(job.written(outcome.value)), bits=job.bits)


def _print_forecasts(stylizer: Stylizer, jobs: Sequence[Job]) -> int:
    memory, seconds, failed = 0.0, 0.0, 0
    print("memory  time at most  picture")
    for outcome in batch.forecast(stylizer, jobs):
        if outcome.error:
            failed += 1
            say(f"tf_style: {title(outcome.job)}: {outcome.error}")
            continue
        most = max(each.memory for each in outcome.value)
        takes = sum(each.seconds for each in outcome.value)
        print(f"{most / 1e9:3.1f} GB  {minutes(takes):>12}  {title(outcome.job)}")
        memory, seconds = max(memory, most), seconds + takes
    print(f"about {minutes(seconds)} and {memory / 1e9:.1f} GB in all, and what loading takes")
    return FAILED if failed else DONE
