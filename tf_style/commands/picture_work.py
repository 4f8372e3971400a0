"""What a worker does that paints pictures of a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tf_style.cluster.task import Talk
from tf_style.commands.painted import Painted
from tf_style.commands.painting import painter_of
from tf_style.commands.progress import Watchers
from tf_style.commands.request import Request
from tf_style.commands.workers import told
from tf_style.image.paths import no_plain_file
from tf_style.network import weights
from tf_style.network.choice import choose
from tf_style.run.jobs import Host, Job, make
from tf_style.run.remaining import Remaining
from tf_style.run.scene import starts_by_network
from tf_style.settings import InputError, Settings
from tf_style.transfer.samples import check_model

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.result import Step
    from tf_style.run.scene import Scene


@dataclasses.dataclass(frozen=True)
class PictureWork:
    """Paints a job with each task, as the command does in its own process.

    Attributes:
        request: what is asked for, without its jobs.
        count: how many pictures are to be made in all.
        learned: pictures to learn features from.
        memory: bytes that a worker may take; `None` if that is not known.
        given: the settings to record as given, unless a job has others.
    """

    request: Request
    count: int
    learned: tuple[np.ndarray, ...]
    memory: float | None
    given: Settings

    def results(self, data: Iterator[Job], talk: Talk) -> Iterator[Painted]:
        """What becomes of each job."""
        request = self.request
        jobs = (dataclasses.replace(job, given=job.given or self.given) for job in data)
        with told(talk, quiet=request.options.quiet):
            painter = painter_of(
                request, learned=lambda: self.learned, memory=self.memory, count=self.count)
            host = WorkerHost(request, talk)
            for outcome in make(
                jobs, request.settings, painter, host, least=request.least
            ):
                host.watchers.close()
                yield dataclasses.replace(
                    Painted.of(outcome, reported=bool(request.report)),
                    spoiled=host.watchers.failed,
                )
                del outcome

    def moved(self, data: Job, places: Mapping[str, str]) -> Job:
        """The job with its files in other places; they are recorded by the names that they had."""
        return data.moved(places)

    def check(self) -> None:
        """Check that the files are here which the settings name.

        Raises:
            InputError: if one is missing.
        """
        check_files(self.request.settings)


def check_files(settings: Settings) -> None:
    """Check that the files are here which settings name.

    Raises:
        InputError: if one is missing.
    """
    if settings.model:
        check_model("model", settings.model)
        return
    if starts_by_network(settings):
        check_model("init", settings.init)
    for choice in choose(settings, weights.settle_known)[1]:
        for name in choice.files:
            if reason := no_plain_file(name):
                raise InputError(f"{name}: {reason}")
        if choice.weights == "imagenet":
            weights.imagenet_file(choice.architecture, offline=settings.offline)


class WorkerHost(Host):
    """Tells how far each picture is, and writes what is asked for beside it.

    Attributes:
        watchers: what is written beside the picture at hand.
    """

    def __init__(self, request: Request, talk: Talk):
        self._request, self._talk = request, talk
        self.watchers = Watchers([])

    def check(self, job: Job, scene: Scene) -> None:
        self.watchers = Watchers([])
        self._request.byproducts.check_written(job, scene, self._request.taken)

    def begin(self, job: Job, scene: Scene, settings: Settings) -> Callable[[Step], bool]:
        remaining = Remaining(scene.scales)
        watchers = self.watchers = Watchers(
            self._request.byproducts.watchers(job.output, settings), self._talk.note)

        def callback(step: Step) -> bool:
            self._talk.share(remaining.share(step))
            watchers.show(step)
            return self._talk.stopping

        return callback

    def stop(self) -> bool:
        return self._talk.stopping
