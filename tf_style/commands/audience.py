"""What follows the jobs of a command and their steps, and may stop them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tf_style.commands import status
from tf_style.commands.display import say
from tf_style.commands.naming import title
from tf_style.commands.progress import Overall, Profiler, Progress, Watchers
from tf_style.run.jobs import Host, Job
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.commands.request import Request
    from tf_style.commands.signals import Signals
    from tf_style.commands.tally import Tally
    from tf_style.run.result import Step
    from tf_style.run.scene import Scene


class Audience(Host):
    """Checks each job before it begins, and shows its steps.

    Args:
        request: what is asked for.
        tally: what became of the jobs so far.
        signals: those that ask to stop.

    Attributes:
        failed: whether something besides the pictures could not be written.
    """

    def __init__(self, request: Request, tally: Tally, signals: Signals):
        self.signals = signals
        self.failed = False
        self._request = request
        self._tally = tally
        # Ten steps in all, whichever picture they belong to.
        self._lasting = Watchers([Profiler(request.profile)] if request.profile else [])
        self._watchers = Watchers([])
        several = not (request.is_single or request.options.quiet)
        self._overall = Overall(len(request.jobs)) if several else None

    def heading(self, job: Job) -> str:
        """Which of several jobs the current one is; empty if there is only one."""
        if self._request.is_single:
            return ""
        return f"[{self._tally.done + 1}/{len(self._request.jobs)}] {title(job)}: "

    def _which(self) -> str:
        """The same in a few words."""
        single = self._request.is_single
        return "" if single else f"picture {self._tally.done + 1} of {len(self._request.jobs)}"

    def check(self, job: Job, scene: Scene) -> None:
        """Check that what the job writes can be written; say what has changed since a record."""
        self._request.byproducts.check_written(job, scene, self._request.taken)
        if self._request.record and self._request.is_single:
            self._request.record.compare_inputs(scene.inputs)

    def begin(self, job: Job, scene: Scene, settings: Settings) -> Callable[[Step], bool]:
        """Say which job it is; returns a callback that shows its steps and ends it on request.

        Raises:
            KeyboardInterrupt: if the user already asked to stop while pictures were read.
        """
        if self.signals:
            raise KeyboardInterrupt
        if self._overall:
            self._overall.show(self._tally.done + 1, title(job))
        status.show("preparing")
        quiet = self._request.options.quiet
        self._watchers = Watchers([
            *([] if quiet else [Progress(scene.scales, self._which())]),
            *self._request.byproducts.watchers(job.output, settings),
        ])

        def callback(step: Step) -> bool:
            self.signals.keep()
            self._watchers.show(step)
            self._lasting.show(step)
            return bool(self.signals)

        return callback

    def stop(self) -> bool:
        """Whether the user asked to stop."""
        return bool(self.signals)

    def end(self) -> None:
        """The current job has no more steps."""
        self._watchers.close()
        self.failed |= self._watchers.failed
        self._watchers = Watchers([])
        status.show("writing")

    def fail(self, error: InputError) -> None:
        """Say that something could not be written, and remember it."""
        self.failed = True
        say(f"tf_style: {error.flags}")

    def close(self) -> None:
        """There are no more jobs."""
        self.end()
        self._lasting.close()
        self.failed |= self._lasting.failed
        status.hide()
