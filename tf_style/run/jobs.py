"""Jobs: pictures to be made, one or many, one after another. No TensorFlow of its own.

Only the pictures of one job are in memory at a time, and the styles of the job before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

import tf_style
from tf_style.image.paths import locate, named
from tf_style.image.picture import read_alpha, read_note, read_picture, read_size
from tf_style.image.resize import shrink
from tf_style.image.unfinished import unfinished
from tf_style.network import weights
from tf_style.network.choice import choose
from tf_style.run import cost
from tf_style.run.inputs import PictureFile
from tf_style.run.lock import unmade
from tf_style.run.result import Result, Step, Stop
from tf_style.run.scene import Scene
from tf_style.run.schedule import needed_sides
from tf_style.settings import AUTO, MAX_PIXELS, InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.run.cost import Forecast
    from tf_style.run.painter import Painter

T = TypeVar("T")

# How many contents, and styles, features are learned from. More would hardly be looked at: the
# number of crops is the same, whatever the number of pictures.
_DRAWN = 4
# Long side of the largest view that is taken of a picture.
_DRAWN_SIDE = 512
# Bytes.
_COMMON = 2e9
# Pictures whose sizes are looked at.
_LOOKED_AT = 20
_NO_MEMORY = "not enough memory; try a smaller --size"


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture to be made, by the names of its files.

    Attributes:
        content: a path or `sample:NAME`; `None` for a texture of the style alone.
        styles: likewise, blended into one style.
        output: where the picture is written; `None`: nowhere.
        content_masks, style_masks: one for each style, or none, as for `tf_style.stylize`.
        bits, embed_settings: as for `Result.save`.
        unfinished: where the picture of a run that stopped early is written, so that `output`
            exists only when it is complete; `None`: in `output` all the same.
        given: the settings to record as given, if those of the run are the resolved settings of
            an earlier one.
        protect: a mask or none, as for `tf_style.stylize`.
        label: what sets it apart from others of the same pictures.
        keep: whether an output that is there when its turn comes, or that another process is
            making, is left alone.
        names: place → what is recorded and said in its stead, of files that were brought elsewhere.
    """

    content: str | None
    styles: tuple[str, ...]
    output: Path | None
    content_masks: tuple[str, ...] = ()
    style_masks: tuple[str, ...] = ()
    bits: int = 8
    embed_settings: bool = True
    unfinished: Path | None = None
    given: Settings | None = None
    protect: str | None = None
    label: str = ""
    keep: bool = False
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """What it reads, by the names that it has in the job."""
        named = (self.content, *self.styles, *self.content_masks, *self.style_masks, self.protect)
        return tuple(dict.fromkeys(filter(None, named)))

    def key(self, settings: Settings) -> str:
        """A digest of what decides its picture: settings, and the states of its files."""
        states = []
        for name in self.files:
            status = os.stat(path) if os.path.exists(path := locate(name)) else None
            states.append([name, status and [status.st_size, status.st_mtime_ns]])
        decided = [settings.as_dict(), states, self.label, self.bits, os.fspath(self.output or ""),
                   tf_style.__version__]
        return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]

    def moved(self, places: Mapping[str, str]) -> Job:
        """The same job where its files are in other places, and recorded by their names as before.

        Args:
            places: name → place, of inputs and of the output. A picture that is unfinished is
                written in the output's folder.
        """
        def place(name: str | None) -> str | None:
            return places.get(name, name)

        def places_of(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(places.get(name, name) for name in names)

        names = {there: name for name, there in places.items()}
        output, unfinished = self.output, self.unfinished
        if output and (there := places.get(os.fspath(output))):
            if unfinished:
                names[os.path.join(os.path.dirname(there), unfinished.name)] = os.fspath(unfinished)
                unfinished = Path(there).with_name(unfinished.name)
            output = Path(there)
        return dataclasses.replace(
            self, content=place(self.content), styles=places_of(self.styles),
            content_masks=places_of(self.content_masks), style_masks=places_of(self.style_masks),
            protect=place(self.protect), output=output, unfinished=unfinished, names=names,
        )

    def named(self, text: str) -> str:
        """A text with the names of its files in the stead of their places."""
        return named(text, self.names)

    def written(self, result: Result) -> Path | None:
        """Where the result of a run is written; `None`: nowhere."""
        return self.output if result.stopped is Stop.STEPS else self.unfinished or self.output


@dataclasses.dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of a job.

    Attributes:
        job: the job.
        value: what was made; `None` where nothing could be, or what was there was kept.
        path: where it was written, if it was; not where the job says if there is an error.
        error: why nothing could be made, or written there; empty if all went well.
        begun: whether the job had begun when the error was found: then the input is not at fault.
    """

    job: Job
    value: T | None = None
    path: Path | None = None
    error: str = ""
    begun: bool = True

    @property
    def kept(self) -> bool:
        """Whether nothing was made because it was there, or another process is making it."""
        return self.value is None and not self.error


class Host:
    """What happens around each job; in this class, nothing does."""

    def check(self, job: Job, scene: Scene) -> None:
        """Called when the pictures of a job have been read; an `InputError` refuses it."""

    def begin(self, job: Job, scene: Scene, settings: Settings) -> Callable[[Step], object] | None:
        """Called before its first step with the painter's settings; returns the run's callback."""

    def stop(self) -> bool:
        """Whether no other job is to be begun."""
        return False


def make(
    jobs: Iterable[Job],
    settings: Settings,
    painter: Callable[[], Painter],
    host: Host | None = None,
    *,
    least: int = 1,
    checkpoints: Checkpoints | None = None,
    seconds: float = math.inf,
) -> Iterator[Outcome[Result]]:
    """Make and write the pictures of all jobs.

    A job whose pictures cannot be read or used yields an outcome that says so, and leaves no file;
    the others go on. A picture whose output can no longer be written is written into the system's
    folder for temporary files. Networks, learned features and compiled steps belong to the painter,
    so they are made once.

    Args:
        jobs: in the order in which they are made.
        settings: for all jobs.
        painter: returns the painter; first called when the pictures of a job have been read.
        host: called for each job.
        least: the shortest side that the networks can see, as far as it is known.
        checkpoints: where a single job keeps what it can go on from.
        seconds: time for all jobs.

    Yields:
        An outcome for each job as soon as its picture is written. A job that is stopped is the
        last: its picture is written as it was then.
    """
    host = host or Host()
    ends = time.perf_counter() + seconds

    def paint(
        painter: Painter, job: Job, scene: Scene, alpha: np.ndarray | None
    ) -> Outcome[Result]:
        try:
            result = painter.paint(
                scene, callback=host.begin(job, scene, painter.settings), checkpoints=checkpoints,
                time_limit=None if math.isinf(ends) else max(ends - time.perf_counter(), 1e-9),
            )
        except InputError as error:
            # A checkpoint of another run, or pictures too small for a saved model.
            return Outcome(job, error=error.flags, begun=False)
        return _saved(job, dataclasses.replace(
            result, given=job.given or result.given, inputs=result.inputs.renamed(job.names),
        ), alpha)

    styles: dict[str, PictureFile] = {}
    for job in jobs:
        if host.stop() or time.perf_counter() >= ends:
            return
        keeps = job.keep and job.output
        with unmade(job.output) if keeps else contextlib.nullcontext(True) as is_free:
            outcome = (_attempt(job, settings, painter, host, least, styles, paint) if is_free
                       else Outcome(job))
        stopped = outcome.value and outcome.value.stopped in (Stop.CALLBACK, Stop.TIME_LIMIT)
        yield outcome
        if stopped:
            return
        # A result need not stay in memory while the next is made.
        del outcome


def forecast(
    jobs: Iterable[Job], settings: Settings, painter: Callable[[], Painter],
    host: Host | None = None, *, least: int = 1,
) -> Iterator[Outcome[list[Forecast]]]:
    """What `make` would take, job by job and size by size; nothing is written.

    Of contents and styles only the size is read, so that it does not take as long as a run.
    """
    host = host or Host()
    for job in jobs:
        try:
            scene = _outlined(job, settings, least)
            host.check(job, scene)
        except InputError as error:
            yield Outcome(job, error=error.flags, begun=False)
            continue
        ready = painter()
        try:
            yield Outcome(job, ready.forecast(scene))
        except InputError as error:
            yield Outcome(job, error=error.flags)


def memory_of(jobs: Sequence[Job], settings: Settings, *, least: int = 1) -> float:
    """About how many bytes a process takes that makes these pictures, each as a whole.

    A few of them stand for all.
    """
    some = jobs[:: max(1, len(jobs) // _LOOKED_AT)]
    return max(_memory_of_one(job, settings, least) for job in some)


def _memory_of_one(job: Job, settings: Settings, least: int) -> float:
    """The same for one.

    Where nothing is known of it, as of a saved model, or of files that cannot be read, as much as
    a picture of common size takes.
    """
    known = weights.settle_known
    try:
        if settings.model:
            return _COMMON
        settings, choices = choose(settings, known)
        if not all(choice.layers for choice in choices):
            return _COMMON
        scene = _outlined(job, settings, least)
    except InputError:
        return _COMMON
    precision = "float32" if settings.precision == AUTO else settings.precision
    return cost.Estimate.of(
        choices, precision, scene.scales[-1],
        [style.picture.shape[:2] for style in scene.styles]).whole


def _outlined(job: Job, settings: Settings, least: int) -> Scene:
    """A job's scene with pictures of the sizes of its own."""
    outlines = [_outline(name, settings.max_pixels)
                for name in (*([job.content] if job.content else []), *job.styles)]
    return Scene.of(
        settings, outlines[0] if job.content else None, outlines[-len(job.styles) :],
        job.content_masks, job.style_masks, protect=job.protect, least=least,
    )


def _outline(name: str, max_pixels: int) -> PictureFile:
    """A picture of the same size as a file, in one gray, that takes no memory."""
    shape = (*read_size(name, max_pixels), 3)
    return PictureFile(name, np.broadcast_to(np.float32(0.5), shape), "")


def drawn(
    jobs: Sequence[Job], seed: int, max_pixels: int = MAX_PIXELS
) -> list[np.ndarray]:
    """Pictures to learn features from, once for all jobs: `Painter(settings, lambda: drawn(…))`.

    At most four of all content images and four of all style images, drawn by `seed`, and no larger
    than features are learned from. Those that cannot be read are skipped.
    """
    generator = random.Random(seed)
    pictures = []
    for names in (
        [job.content for job in jobs if job.content],
        [name for job in jobs for name in job.styles],
    ):
        names = list(dict.fromkeys(names))
        generator.shuffle(names)
        found = filter(
            lambda picture: picture is not None, (_small(name, max_pixels) for name in names)
        )
        pictures += itertools.islice(found, _DRAWN)
    return pictures


def _saved(job: Job, result: Result, alpha: np.ndarray | None) -> Outcome[Result]:
    """Write a result where the job says, or else where the system keeps temporary files.

    Raises:
        InputError: if it can be written nowhere.
    """
    path = job.written(result)
    if path is None:
        return Outcome(job, result)
    given = {"alpha": alpha, "bits": job.bits, "embed_settings": job.embed_settings}
    try:
        result.save(path, **given)
        if path == job.output:
            _discard(job.unfinished)
        return Outcome(job, result, path)
    except InputError as error:
        with contextlib.suppress(InputError, OSError):
            # A new folder: others may have put a link where a name could be guessed.
            folder = Path(tempfile.mkdtemp(prefix="tf_style_"))
            kept = folder / path.name
            with unfinished(folder, os.rmdir):
                result.save(kept, **given)
            return Outcome(job, result, kept, f"{error.flags}; the picture is in {kept}")
        raise


def _discard(left: Path | None) -> None:
    """Remove what an earlier run left when it was stopped, if its note says that it was."""
    # A note may hold anything.
    with contextlib.suppress(InputError, OSError, ValueError, AttributeError):
        note = read_note(left) if left and left.exists() else None
        if note and json.loads(note).get("stopped", Stop.STEPS) != Stop.STEPS:
            left.unlink()


def _small(name: str, max_pixels: int) -> np.ndarray | None:
    """A picture as large as features are learned from; `None` if it cannot be read."""
    # Errors and warnings about a file are reported when its job begins.
    with contextlib.suppress(InputError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return shrink(
            read_picture(name, max_pixels=max_pixels, side=_DRAWN_SIDE), _DRAWN_SIDE
        )
    return None


def _attempt(
    job: Job, settings: Settings, painter: Callable[[], Painter], host: Host, least: int,
    styles: dict[str, PictureFile],
    work: Callable[[Painter, Job, Scene, np.ndarray | None], Outcome[T]],
) -> Outcome[T]:
    """Read the pictures of a job and do the work, for which their files are no longer needed.

    Args:
        styles: those of the job before, which need not be read again; replaced by this job's.
        work: called with the painter, the job, its scene, and how opaque its content is.

    Raises:
        InputError: if the painter cannot be made, for which the job is not at fault.
    """
    try:
        side = needed_sides(settings)[1]
        read = {
            name: styles.get(name)
            or PictureFile.of(name, max_pixels=settings.max_pixels, side=side)
            for name in job.styles
        }
        styles.clear()
        styles.update(read)
        alpha = (
            read_alpha(job.content, max_pixels=settings.max_pixels) if job.content else None
        )
        scene = Scene.of(
            settings, job.content, [read[name] for name in job.styles], job.content_masks,
            job.style_masks, protect=job.protect, least=least,
        )
        host.check(job, scene)
    except InputError as error:
        return Outcome(job, error=error.flags, begun=False)
    except MemoryError:
        return Outcome(job, error=_NO_MEMORY)
    ready = painter()
    try:
        return work(ready, job, scene, alpha)
    except InputError as error:
        return Outcome(job, error=error.flags)
    except MemoryError:
        return Outcome(job, error=_NO_MEMORY)
