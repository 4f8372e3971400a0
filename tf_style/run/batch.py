"""Many pictures, one after the other, by one `Stylizer`. No TensorFlow of its own.

Of the pictures only those of one job are in memory at a time, and the styles of the one before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from tf_style.image import files
from tf_style.run.inputs import Read
from tf_style.run.scene import Scene
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.forecast import Forecast
    from tf_style.run.stylizer import Callback, Result, Stylizer

T = TypeVar("T")

# Contents, and styles, that features are learned from. More would hardly be looked at: as many
# crops are taken, whatever the number of pictures.
_DRAWN = 4
# Long side of the largest view that is taken of a picture.
_DRAWN_SIDE = 512


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture to be made, by the names of its files.

    Attributes:
        content: a path or `sample:NAME`; `None` for a texture of the style alone.
        styles: likewise, blended into one style.
        output: where the picture is written.
        content_masks, style_masks: one for each style, or none, as for `Stylizer.stylize`.
        bits, embed_settings: as for `Result.save`.
        unfinished: where the picture of a run is written that ended before its end, so that
            `output` is there only when it is complete; `None`: in `output` all the same.
    """

    content: str | None
    styles: tuple[str, ...]
    output: Path
    content_masks: tuple[str, ...] = ()
    style_masks: tuple[str, ...] = ()
    bits: int = 8
    embed_settings: bool = True
    unfinished: Path | None = None

    def written(self, result: Result) -> Path:
        """Where what a run made is written."""
        return self.output if result.stopped == "steps" else self.unfinished or self.output


@dataclasses.dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of a job.

    Attributes:
        job: the job.
        value: what was made; `None` where nothing could be.
        error: why nothing could be; empty where something was.
    """

    job: Job
    value: T | None = None
    error: str = ""


def paint(
    stylizer: Stylizer,
    jobs: Iterable[Job],
    begin: Callable[[Job, Scene], Callback | None] = lambda job, scene: None,
) -> Iterator[Outcome[Result]]:
    """Make and write the pictures of all jobs.

    A job whose pictures cannot be read or used, or whose output cannot be written, gives an
    outcome that says so, and leaves no file; the others go on. Networks, learned features and
    compiled steps are the stylizer's, so they are made once.

    Args:
        stylizer: whose settings hold for all.
        jobs: in the order in which they are made.
        begin: called with each job when its pictures have been read; gives what hears of its
            steps, as `Stylizer.paint` takes it. An `InputError` that it raises is the job's.

    Yields:
        An outcome for each job as soon as its picture is written. One whose callback ended the
        run is the last: its picture is written as it was then.
    """
    def work(job: Job, scene: Scene) -> Result:
        result = stylizer.paint(scene, callback=begin(job, scene))
        alpha = files.read_alpha(job.content) if job.content else None
        result.save(
            job.written(result), alpha=alpha, bits=job.bits, embed_settings=job.embed_settings
        )
        return result

    for outcome in _each(jobs, stylizer.settings, work):
        stopped = outcome.value is not None and outcome.value.stopped == "callback"
        yield outcome
        if stopped:
            return
        del outcome


def forecast(stylizer: Stylizer, jobs: Iterable[Job]) -> Iterator[Outcome[list[Forecast]]]:
    """What `paint` would take, job by job and size by size; nothing is written."""
    return _each(jobs, stylizer.settings, lambda job, scene: stylizer.forecast(scene))


def drawn(jobs: Sequence[Job], seed: int) -> list[np.ndarray]:
    """Pictures to learn features from, once for all jobs: `Stylizer(settings, pictures=drawn(…))`.

    At most four of all content images and four of all style images, drawn by `seed`, and no larger
    than features are learned from. Those that cannot be read are passed over.
    """
    generator = random.Random(seed)
    pictures = []
    for names in (
        [job.content for job in jobs if job.content],
        [name for job in jobs for name in job.styles],
    ):
        names = list(dict.fromkeys(names))
        generator.shuffle(names)
        found = filter(lambda picture: picture is not None, map(_small, names))
        pictures += itertools.islice(found, _DRAWN)
    return pictures


def _small(name: str) -> np.ndarray | None:
    """A picture as large as features are learned from; `None` if it cannot be read."""
    # What there is to say of a file is said when its turn comes.
    with contextlib.suppress(InputError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return files.shrink(files.read_picture(name), _DRAWN_SIDE)
    return None


def _each(
    jobs: Iterable[Job], settings: Settings, work: Callable[[Job, Scene], T]
) -> Iterator[Outcome[T]]:
    styles: dict[str, Read] = {}
    for job in jobs:
        # Not by a name of its own: what was made would stay in memory while the next is made.
        yield _attempt(job, settings, work, styles)


def _attempt(
    job: Job, settings: Settings, work: Callable[[Job, Scene], T], styles: dict[str, Read]
) -> Outcome[T]:
    """Read the pictures of a job and do the work.

    Args:
        styles: those of the job before, which need no second reading; afterwards those of this.
    """
    try:
        read = {name: styles.get(name) or Read.of(name) for name in job.styles}
        styles.clear()
        styles.update(read)
        scene = Scene.of(
            settings, job.content, [read[name] for name in job.styles], job.content_masks,
            job.style_masks,
        )
        return Outcome(job, work(job, scene))
    except InputError as error:
        return Outcome(job, error=str(error))
    except MemoryError:
        return Outcome(job, error="not enough memory; try a smaller --size")
