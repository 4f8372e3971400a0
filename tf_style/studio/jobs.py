"""The queue: one job is painted, by the one thread that has TensorFlow; others wait in order."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from tf_style.image.picture import jpeg_bytes
from tf_style.image.resize import shrink
from tf_style.network import weights
from tf_style.network.choice import choose
from tf_style.run import jobs as runs
from tf_style.run import schedule
from tf_style.run.checkpoints import Checkpoints
from tf_style.run.remaining import Remaining
from tf_style.run.result import Result, Step, Stop
from tf_style.run.scene import Scene, check_together
from tf_style.settings import InputError, Settings
from tf_style.studio import films
from tf_style.studio.events import Hub
from tf_style.studio.job import (
    CANCELLED,
    DONE,
    FAILED,
    PAINTING,
    STOPPED,
    WAITING,
    Job,
    Request,
    told,
)
from tf_style.studio.painters import Painters
from tf_style.studio.pictures import Pictures
from tf_style.studio.store import Store
from tf_style.transfer import lite

T = TypeVar("T")

# Seconds from one message about a job to the next, and the share of the time that frames may take.
_OFTEN, _FRAMES = 0.2, 0.05
_MOST_WAITING = 1000
# Of the pictures that form: long side in pixels, and the quality of their JPEG.
_SHOWN, _QUALITY = 1024, 85


class Queue:
    """The jobs of the studio.

    Args:
        store: keeps them.
        pictures: what requests name.
        hub: tells pages.
        fixed: settings that are the same for all jobs.
        report: called with what went wrong in the studio itself, in some lines.

    Attributes:
        painters: what paints; for the worker's thread alone.
    """

    def __init__(
        self, store: Store, pictures: Pictures, hub: Hub, fixed: dict[str, Any],
        report: Callable[[str], object] = lambda text: None,
    ):
        self.painters = Painters()
        self._store, self._pictures, self._hub = store, pictures, hub
        self._fixed, self._report = fixed, report
        self._there = threading.Condition(threading.RLock())
        self._now: list[Job] = []
        self._asked: dict[str, str] = {}
        self._urgent: list[Callable[[], object]] = []
        self._ending = self._loaded = False
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to paint."""
        self._thread.start()

    def close(self) -> None:
        """End after the next step; the job at hand goes on when the studio is started again."""
        with self._there:
            self._ending = True
            self._there.notify_all()
        self._thread.join()

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs, the newest first."""
        with self._there:
            return [job.as_dict() for job in reversed(self._store.jobs())
                    if not job.request.draft or job.state in (WAITING, PAINTING)]

    def job(self, name: str) -> Job | None:
        """The job of that id."""
        return self._store.job(name)

    def add(self, request: Request) -> Job:
        """Put a request into the queue; a draft takes the place of an older one.

        Raises:
            InputError: for a request that cannot be carried out, as far as that is known without
                reading a picture.
        """
        self._check(request)
        named = (request.content, *request.styles, request.options.get("model"))
        title = self._pictures.title([each for each in named if each])
        with self._there:
            waiting = sum(job.state == WAITING for job in self._store.jobs())
            if waiting >= _MOST_WAITING and not request.draft:
                raise InputError(f"{waiting} jobs wait already; cancel some, or wait for them")
            if request.draft:
                for old in [job for job in self._store.jobs() if job.request.draft]:
                    self._drop_draft(old)
            job = Job.new(request, title, self._store.next_place())
            self._keep(job)
            self._there.notify_all()
        return job

    def stop(self, name: str) -> Job | None:
        """End a job and keep the picture so far; one that waits is cancelled."""
        return self._ask(name, STOPPED)

    def cancel(self, name: str) -> Job | None:
        """End a job and keep nothing of it."""
        return self._ask(name, CANCELLED)

    def resume(self, name: str) -> Job | None:
        """Go on with a job that was stopped, as the last of the queue."""
        with self._there:
            job = self._store.job(name)
            if job and job.state == STOPPED and not job.request.draft:
                job.state, job.why, job.error = WAITING, None, None
                job.place = self._store.next_place()
                self._keep(job)
                self._there.notify_all()
        return job

    def remove(self, name: str) -> bool:
        """Forget a job that is not painted now, with all that it made; whether that was done."""
        with self._there:
            job = self._store.job(name)
            if job is None or job in self._now:
                return False
            self._forget(job)
        return True

    def clear(self) -> None:
        """Forget all jobs that are neither painted nor wait."""
        with self._there:
            for job in self._store.jobs():
                if job not in self._now and job.state != WAITING:
                    self._forget(job)

    def between(self, work: Callable[[], T]) -> Future[T]:
        """Have the worker do something short before its next step."""
        made: Future[T] = Future()

        def do() -> None:
            if not made.set_running_or_notify_cancel():
                return
            try:
                made.set_result(work())
            except BaseException as error:
                made.set_exception(error)

        with self._there:
            if self._ending:
                made.cancel()
            self._urgent.append(do)
            self._there.notify_all()
        return made

    def _check(self, request: Request) -> None:
        """Check what can be without TensorFlow, as the command does."""
        for option, references in (
            ("content", [request.content]), ("style", request.styles),
            ("content_mask", request.content_masks), ("protect", [request.protect]),
        ):
            for each in references:
                if each:
                    self._pictures.path(each, option)
        settings = self._pictures.settled(request.settings(**self._fixed))
        if request.is_film:
            if not films.are_possible():
                raise InputError("--content: films need pip install 'tf_style[video]'")
            if request.content_masks or request.draft or not settings.model:
                raise InputError("--content: a film is painted by a network, without masks, and as "
                                 "a whole")
            # Its value is checked.
            _ = request.steadiness
        if settings.model:
            if request.styles:
                raise InputError("--style: has no effect with --model. Leave it out")
            if request.content is None:
                raise InputError("--content: expected a picture for --model to paint")
            if request.protect:
                raise InputError("--protect: has no effect with --model, which takes no steps. "
                                 "Leave it out")
            check_together(settings, True, 0, len(request.content_masks), 0)
            return
        if not request.styles:
            raise InputError("--style: expected at least one picture. Received none")
        settings, choices = choose(settings, weights.settle_known)
        if settings.optimizer == "lbfgs":
            schedule.check_lbfgs()
        check_together(settings, request.content is not None, len(request.styles),
                       len(request.content_masks), 0, request.protect is not None)
        schedule.check_size(settings, max([1, *[each.least_size for each in choices]]))

    def _ask(self, name: str, state: str) -> Job | None:
        with self._there:
            job = self._store.job(name)
            if job is None:
                return None
            if job in self._now:
                self._asked[name] = state
            elif job.state == WAITING:
                # One that waits to go on keeps what it has.
                is_kept = state == STOPPED and self._is_begun(job)
                self._settle(job, STOPPED if is_kept else CANCELLED)
            elif job.state == STOPPED and state == CANCELLED:
                self._settle(job, CANCELLED)
            return job

    def _settle(self, job: Job, state: str) -> None:
        """Change the state of a job that is not painted now."""
        if state == CANCELLED:
            job.has_picture = False
            self._store.remove_files(job)
        job.state = state
        self._keep(job)

    def _keep(self, job: Job) -> None:
        try:
            self._store.keep_job(job)
        except OSError as error:
            # What is painted is worth more than that it is listed.
            self._report(f"{error.filename}: cannot be written ({error.strerror})")
        self._hub.job(job.as_dict())

    def _forget(self, job: Job) -> None:
        self._store.remove_job(job)
        self._hub.removed(job.id)

    def _drop_draft(self, job: Job) -> None:
        if job in self._now:
            self._asked[job.id] = CANCELLED
        else:
            self._forget(job)

    def _next(self, *, drafts_only: bool = False, quick: bool = False) -> Job | None:
        """The job to paint next: a draft, or else the first that waits.

        Args:
            quick: whether it is to be painted without TensorFlow.
        """
        waiting = [job for job in self._store.jobs() if job.state == WAITING
                   and (job.request.draft or not drafts_only)
                   and not (quick and not self._is_quick(job))]
        return min(waiting, key=lambda job: (not job.request.draft, job.place), default=None)

    def _work(self) -> None:
        """What the worker does, from the beginning to the end of the studio."""
        self._load()
        while True:
            with self._there:
                self._there.wait_for(lambda: self._ending or self._urgent or self._next())
                if self._ending:
                    break
            self._do_urgent()
            with self._there:
                job = self._next()
            if job:
                self._paint(job)
        # Nobody is left waiting.
        self._do_urgent()

    def _load(self) -> None:
        """Load TensorFlow, which takes seconds; meanwhile paint what needs none of it."""
        def load() -> None:
            try:
                self.painters.load()
            except Exception:
                self._report(traceback.format_exc())
            with self._there:
                self._loaded = True
                self._there.notify_all()

        threading.Thread(target=load, daemon=True).start()
        while True:
            with self._there:
                self._there.wait_for(lambda: self._ending or self._loaded or self._next(quick=True))
                job = None if self._loaded or self._ending else self._next(quick=True)
                is_idle = not (self._ending or self._next())
            if job is None:
                break
            self._paint(job)
        if is_idle:
            try:
                self._warm()
            except Exception:
                self._report(traceback.format_exc())

    def _is_quick(self, job: Job) -> bool:
        """Whether a job is painted without TensorFlow."""
        model = job.request.options.get("model")
        return bool(model) and not job.request.is_film and lite.serves(
            job.request.settings(**self._fixed), 1)

    def _warm(self) -> None:
        """Trace the steps of previews, so that the first one begins at once."""
        request = Request("sample:harbor", ("sample:waves",), options={"steps": 1}, draft=True)
        settings = request.settings(**self._fixed)
        job = runs.Job("sample:harbor", ("sample:waves",), None)
        for _ in runs.make([job], settings, lambda: self.painters.of(settings, exact=False),
                          _Idle()):
            pass

    def _do_urgent(self) -> None:
        with self._there:
            works, self._urgent = self._urgent, []
        for work in works:
            work()

    def between_steps(self) -> None:
        """What cannot wait for the job at hand: a camera's picture, and a preview."""
        self._do_urgent()
        if len(self._now) == 1 and not self._now[0].request.draft:
            while not self._ending:
                with self._there:
                    job = self._next(drafts_only=True)
                if job is None:
                    return
                self._paint(job)

    def _paint(self, job: Job) -> None:
        """Carry out a job, whatever happens."""
        with self._there:
            if job.state != WAITING or self._store.job(job.id) is not job:
                # Somebody has cancelled or removed it just now.
                return
            job.state, job.error, job.notes = PAINTING, None, []
            self._now.append(job)
            self._keep(job)
        began = time.monotonic()
        try:
            self._store.make_folder(job)
            if job.request.is_film:
                state = films.paint(job, self, self._store.checkpoint(job))
            else:
                state = self._paint_picture(job)
        except InputError as error:
            state = self._failed(job, error.flags)
        except MemoryError:
            state = self._failed(job, "not enough memory; try a smaller --size")
        except Exception as error:
            self._report(traceback.format_exc())
            text = " ".join(str(error).split())[:200]
            state = self._failed(job, f"something went wrong inside: {type(error).__name__}: "
                                      f"{text}")
        with self._there:
            job.seconds = job.seconds or round(time.monotonic() - began, 2)
            self._end(job, state)
        if not job.request.draft:
            self.make_room()

    def make_room(self) -> None:
        """Remove the oldest results, if all takes too much."""
        try:
            for gone in self._store.make_room():
                self._hub.removed(gone.id)
        except OSError as error:
            self._report(f"{error.filename}: cannot be written ({error.strerror})")

    def note(self, text: str) -> bool:
        """Keep a warning with the job that it is about; whether there is one.

        To be called in the thread that warns.
        """
        if threading.current_thread() is not self._thread or not self._now:
            return False
        job = self._now[-1]
        job.notes.append(self._pictures.told(text, job.request.references))
        return True

    def _end(self, job: Job, state: str) -> None:
        self._now.remove(job)
        if self._asked.pop(job.id, None) == CANCELLED and state == STOPPED:
            state = CANCELLED
        job.settle()
        if state == DONE:
            job.progress = 1.0
        if state in (CANCELLED, FAILED):
            job.has_picture = False
            self._store.remove_files(job)
        # Last of all: who reads it finds the rest as it says.
        job.state, job.seconds_left = state, None
        if job.request.draft and state == CANCELLED:
            self._forget(job)
        else:
            self._keep(job)

    def _failed(self, job: Job, message: str) -> str:
        """Keep with a job why it cannot be painted; returns the job's state."""
        job.error = told(self._pictures.told(message, job.request.references))
        if self.wish(job) == CANCELLED:
            return CANCELLED
        # What is missing may come back, and a full disk may be emptied: what is done stays.
        return STOPPED if self._is_begun(job) else FAILED

    def _is_begun(self, job: Job) -> bool:
        """Whether something of a job is done that is worth keeping."""
        return not job.request.draft and (job.has_picture or self._store.has_checkpoint(job))

    def wish(self, job: Job) -> str | None:
        """What somebody wants to become of a job at hand; `None` for nothing."""
        return self._asked.get(job.id) or (WAITING if self._ending else None)

    def run_job(self, job: Job) -> tuple[runs.Job, Settings]:
        """A job as a run takes it, its references replaced by files."""
        request, path = job.request, self._pictures.path
        return runs.Job(
            request.content and path(request.content),
            tuple(path(each, "style") for each in request.styles),
            self._store.result(job),
            tuple(path(each, "content_mask") for each in request.content_masks),
            protect=request.protect and path(request.protect, "protect"),
        ), self._pictures.settled(request.settings(**self._fixed))

    def _paint_picture(self, job: Job) -> str:
        run, settings = self.run_job(job)
        checkpoints = None
        if not (job.request.draft or settings.model):
            folder = self._store.checkpoint(job)
            checkpoints = Checkpoints(folder, resume=folder.is_dir())
        host = _Watcher(job, self)
        made = None

        def painter() -> Any:
            nonlocal made
            made = self.painters.of(settings, exact=not job.request.draft)
            return made

        outcome, = runs.make([run], settings, painter, host, checkpoints=checkpoints)
        if getattr(made, "weights_cached", None) is not None:
            self.painters.forget(made)
        if outcome.value is None or outcome.error:
            return self._failed(job, outcome.error)
        return self._made(job, outcome.value)

    def _made(self, job: Job, result: Result) -> str:
        """Take over what a run has made; returns the job's state."""
        job.height, job.width = result.image.shape[:2]
        job.has_picture = True
        job.seconds = round(result.seconds, 2)
        told = (self._pictures.told(each, job.request.references) for each in result.notes)
        # Most of them were heard already.
        job.notes = list(dict.fromkeys([*job.notes, *told]))
        if result.history:
            job.loss = [[number, each.loss] for number, each in enumerate(result.history, 1)]
        state = DONE
        if result.stopped is Stop.CALLBACK:
            state = self.wish(job) or STOPPED
        elif result.stopped is not Stop.STEPS:
            job.why = result.stopped.message
        if state in (DONE, STOPPED):
            self.show(job, result.image)
        if state == DONE:
            shutil.rmtree(self._store.checkpoint(job), ignore_errors=True)
        return state

    def show(self, job: Job, image: Any) -> None:
        """Show a picture that forms, `(height, width, 3)` in `[0, 1]`, to those who look."""
        small = shrink(image, _SHOWN)
        height, width = small.shape[:2]
        self._hub.frame({"job": job.id, "width": width, "height": height,
                         "step": job.loss[-1][0] if job.loss else 0}, jpeg_bytes(small, _QUALITY))

    def is_watched(self) -> bool:
        """Whether anybody looks."""
        return self._hub.has_pages

    def tell(self, job: Job) -> None:
        """Tell how far a job is."""
        self._hub.job(job.as_dict())


class _Idle(runs.Host):
    """Gives a run up as soon as its steps are traced."""

    def begin(self, job: Any, scene: Any, settings: Any) -> Callable[[Step], object]:
        return lambda step: True


class _Watcher(runs.Host):
    """Tells how far a run is, and ends it if somebody wants that."""

    def __init__(self, job: Job, queue: Queue):
        self._job, self._queue = job, queue
        self._told = self._shown = 0.0

    def begin(self, job: runs.Job, scene: Scene, settings: Settings) -> Callable[[Step], object]:
        self._remaining = Remaining(scene.scales)
        return self._hear

    def _hear(self, step: Step) -> bool:
        job, now = self._job, time.monotonic()
        job.step, job.steps = step.step, step.steps
        job.scale, job.scales = step.scale, step.scales
        job.width, job.height = step.width, step.height
        # Where a picture is gone on with, steps are counted on.
        job.loss.append([job.loss[-1][0] + 1 if job.loss else 1, step.loss])
        job.progress = round(self._remaining.share(step), 4)
        left = self._remaining.left(step)
        job.seconds_left = None if left is None else round(left, 1)
        job.seconds = round(step.seconds, 2)
        if now - self._told >= _OFTEN:
            self._told = now
            self._queue.tell(job)
        if self._queue.is_watched() and now >= self._shown:
            self._queue.show(job, step.image())
            took = time.monotonic() - now
            self._shown = time.monotonic() + max(_OFTEN, took / _FRAMES)
        self._queue.between_steps()
        return self._queue.wish(job) is not None
