"""What a command needs to know of a picture that is made."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands.drawing import count, minutes

if TYPE_CHECKING:
    from tf_style.run.jobs import Job, Outcome
    from tf_style.run.result import Result, Stop


@dataclasses.dataclass(frozen=True)
class Painted:
    """What became of a job, without its pictures: plain data that another process can send.

    Attributes:
        job, path, error, begun: as those of an `Outcome`.
        stopped: why the run ended; `None` where there was none.
        steps: how many were taken.
        ending: what was made, in how many steps and how long, in words.
        entry: the picture's part of the report; empty if there is none.
        spoiled: whether something beside the picture could not be written.
    """

    job: Job
    path: Path | None = None
    error: str = ""
    begun: bool = True
    stopped: Stop | None = None
    steps: int = 0
    ending: str = ""
    entry: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    spoiled: bool = False

    @classmethod
    def failed(cls, job: Job, error: str) -> Painted:
        """One that could not be made, or is nowhere, and why."""
        return cls(job, error=error, entry={
            "content": job.content, "style": list(job.styles), "output": str(job.output),
            "error": error})

    @classmethod
    def of(cls, outcome: Outcome[Result], *, reported: bool) -> Painted:
        """The same without the pictures.

        Args:
            reported: whether a report is to be written.
        """
        result, job = outcome.value, outcome.job
        path = outcome.path and Path(job.named(os.fspath(outcome.path)))
        known = cls(job, path, job.named(outcome.error), outcome.begun,
                    entry=_entry(outcome) if reported and not outcome.kept else {})
        if result is None:
            return known
        return dataclasses.replace(
            known, stopped=result.stopped, steps=len(result.history), ending=_ending(result))


def _entry(outcome: Outcome[Result]) -> dict[str, Any]:
    """A picture's part of the report, or what is known of one that failed."""
    from tf_style.show.report import report

    job = outcome.job
    if outcome.value is None:
        return {"content": job.content and job.named(job.content),
                "style": list(map(job.named, job.styles)),
                "output": job.named(os.fspath(job.output)), "error": job.named(outcome.error)}
    return report(outcome.value, output=job.named(os.fspath(outcome.path)), bits=job.bits)


def _ending(result: Result) -> str:
    """What was made, in how many steps and how long, and why there were no more."""
    height, width = result.image.shape[:2]
    if result.settings.model:
        return f"{width}x{height} pixels, painted by a network in {result.seconds:.2g} s"
    last = result.history[-1] if result.history else None
    settled = last and last.step < last.steps
    why = "the loss no longer falls" if settled else "all steps are done"
    return (f"{width}x{height} pixels, {count(len(result.history), 'step')} in "
            f"{minutes(result.seconds)}: {why}")
