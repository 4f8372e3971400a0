"""Films in the queue, painted by networks."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_style.film.extra import needs
from tf_style.film.making import Making, Selection
from tf_style.film.sink import write
from tf_style.film.source import CONTAINERS, Info, open_film
from tf_style.film.store import Store
from tf_style.image.paths import write_bytes
from tf_style.image.picture import jpeg_bytes
from tf_style.image.resize import fitted_size
from tf_style.settings import InputError
from tf_style.studio.job import DONE, STOPPED, Job
from tf_style.studio.store import Upload

if TYPE_CHECKING:
    from tf_style.studio.jobs import Queue

POSTER = "poster.jpg"
# How films begin: MP4 and MOV, Matroska and WebM, AVI. FFmpeg would follow what others name, such
# as a playlist, to other files and machines.
_HEADS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"))
_OFTEN = 0.2


def are_possible() -> bool:
    """Whether the packages are there that films take."""
    return all(importlib.util.find_spec(name) for name in ("av", "cv2"))


def look(path: Path, digest: str, name: str, ending: str) -> Upload:
    """What is known of an uploaded film.

    Raises:
        InputError: if it is none that can be read.
    """
    for package in ("av", "cv2"):
        needs(package)
    with open(path, "rb") as file:
        head = file.read(16)
    if ending not in CONTAINERS or not any(
            head[start:].startswith(text) for start, text in _HEADS):
        raise InputError(f"{name}: expected a film, one of {', '.join(CONTAINERS)}")
    try:
        with open_film(os.fspath(path)) as film:
            info = film.info
    except InputError as error:
        raise InputError(error.flags.replace(os.fspath(path), name)) from None
    frames = info.frames or 0
    return Upload(digest, digest + ending, name, info.width, info.height,
                  {"seconds": round(float(frames / info.rate), 2), "frames": frames})


def first_frame(path: str) -> np.ndarray:
    """The first picture of a film, `(height, width, 3)` float32 in `[0, 1]`."""
    with open_film(path) as film:
        return next(film.frames()).picture.astype(np.float32) / 255


def paint(job: Job, queue: Queue, folder: Path) -> str:
    """Paint a film, or go on with one; returns what became of it.

    Args:
        folder: where frames are kept until all are there.

    Raises:
        InputError: for a film that cannot be read or written.
    """
    run, settings = queue.run_job(job)
    store = Store(folder)
    with open_film(run.content) as film:
        job.height, job.width = size = _size(film.info, settings.size.long_side)
        # A network may lie elsewhere than it did.
        named = {**settings.as_dict(), "model": job.request.options.get("model")}
        store.begin({"settings": named, "size": list(size),
                     "steadiness": job.request.steadiness}, resume=True)
        settings = settings.replace(size=max(8, *size))
        painter = queue.painters.frames(settings, job.request.steadiness)
        making = Making(film, Selection(), size, painter, store)
        total = making.selection.count(film.info)
        state = _frames(job, queue, making, total)
        if state not in (DONE, STOPPED):
            return state
        decided = {"content": run.content, "style": [], "given": settings.as_dict(),
                   "settings": painter.settings.as_dict(), "weights": dict(painter.weights),
                   "steadiness": str(job.request.steadiness)}
        write(run.output, store, making.times, film.info, (run.content, making.begins, None),
              json.dumps(decided), lambda text: text in job.notes or job.notes.append(text))
    job.has_picture = True
    write_bytes(run.output.with_name(POSTER), jpeg_bytes(store.layers(0)[..., :3] / 255))
    if state == DONE:
        store.remove()
    return state


def _size(info: Info, side: int | None) -> tuple[int, int]:
    return fitted_size(info.height, info.width, side or max(info.height, info.width))


def _frames(job: Job, queue: Queue, making: Making, total: int | None) -> str:
    """Paint the frames that are missing; returns `DONE`, or what somebody wanted instead."""
    began, shown, first = time.monotonic(), 0.0, 0
    with contextlib.closing(making.frames()) as frames:
        for done in frames:
            if making.painted == 1 and not first:
                # What was painted before takes no time now.
                began, first = time.monotonic(), done
            now = time.monotonic()
            job.step, job.steps = done, max(total or done, done)
            job.seconds = round(now - began, 2)
            if total:
                job.progress = min(0.99, round(done / total, 4))
                if done > first > 0:
                    pace = (now - began) / (done - first)
                    job.seconds_left = round(pace * max(0, total - done), 1)
            if now - shown >= _OFTEN:
                shown = now
                queue.tell(job)
                # The last one may still be being written.
                if queue.is_watched() and done > 1:
                    queue.show(job, making.store.layers(done - 2)[..., :3] / np.float32(255))
            queue.between_steps()
            if wish := queue.wish(job):
                return wish
    return DONE
