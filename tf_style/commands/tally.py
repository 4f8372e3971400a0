"""What became of all pictures of a command, counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tf_style.commands.display import say

if TYPE_CHECKING:
    from tf_style.run.jobs import Job
    from tf_style.run.result import Stop


@dataclasses.dataclass
class Tally:
    """How many pictures were made, stopped, already existed, failed, or were not begun.

    Attributes:
        found: how many of those that existed already came to be while the command ran.
    """

    made: int = 0
    stopped: int = 0
    kept: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    left: int = 0
    found: int = 0

    @property
    def done(self) -> int:
        """How many are dealt with."""
        return self.made + self.stopped + self.found + len(self.failed)

    def count(self, job: Job, jobs: Sequence[Job], error: str, stopped: Stop | None) -> None:
        """Count one more of `jobs`.

        Args:
            error: why it could not be made, or written.
            stopped: why its run ended; without an error, `None` for one that was left alone.
        """
        if error or stopped == "not finite":
            self.failed.append(_distinct(job, jobs))
        elif stopped is None:
            self.kept += 1
            self.found += 1
        elif stopped in ("callback", "time limit"):
            self.stopped += 1
        else:
            self.made += 1

    def tell(self, *, quiet: bool) -> None:
        """Say it in one line."""
        parts = [f"{self.made} picture{'' if self.made == 1 else 's'} made"]
        if self.stopped:
            parts.append(f"{self.stopped} stopped")
        if self.kept:
            parts.append(f"{self.kept} there already")
        if self.left:
            parts.append(f"{self.left} not begun")
        if self.failed:
            parts.append(f"{len(self.failed)} failed: {', '.join(self.failed)}")
        if self.failed or self.stopped or self.left or not quiet:
            say(f"tf_style: {', '.join(parts)}")


def _distinct(job: Job, jobs: Sequence[Job]) -> str:
    """What distinguishes a job from the others: its content, its style, or both."""
    same_styles = all(each.styles == job.styles for each in jobs)
    same_content = all(each.content == job.content for each in jobs)
    if job.content and same_styles:
        return job.content
    styles = " x ".join(job.styles)
    return styles if same_content else f"{job.content} x {styles}"
