"""Pictures, and networks, as the page names them: samples, uploads, a library's, results.

No TensorFlow.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import os
import secrets
import threading
import warnings
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_style.film.source import CONTAINERS
from tf_style.image.files import known_endings
from tf_style.image.paths import locate
from tf_style.image.picture import as_picture, jpeg_bytes, read_size
from tf_style.image.resize import shrink
from tf_style.image.unfinished import unfinished
from tf_style.library.catalogue import Record
from tf_style.library.library import Library, Match, Suggestion
from tf_style.settings import InputError, Settings
from tf_style.studio import films, form, networks
from tf_style.studio.job import DONE, STOPPED, Job
from tf_style.studio.networks import Network
from tf_style.studio.store import NETWORK_ENDING, Store, Upload, plain_name

UPLOAD_BYTES = 200_000_000
_MOST_SIDE, _LEAST_SIDE = 4096, 16
# Bytes of views that are kept.
_KEPT = 64_000_000
_THUMBNAIL = 128


class TooLargeError(Exception):
    """Something has more bytes than it may.

    Args:
        most: how many that are.
    """

    def __init__(self, most: int):
        super().__init__(f"this is too large: expected at most {most / 1e6:g} MB")


class Pictures:
    """Finds the pictures that the page names. No path ever comes from it. For several threads.

    Args:
        store: has uploads and results.
        library: the user's, if there is one.
        max_pixels: the most that a picture may have.
        given: networks that the user has named.
    """

    def __init__(self, store: Store, library: Library | None, max_pixels: int,
                 given: Sequence[Network] = ()):
        self._store, self._max_pixels = store, max_pixels
        self._library = library
        self._networks = {each.digest: each for each in given}
        self._lock = threading.Lock()
        self._searching = threading.RLock()
        self._state: tuple[int, ...] = ()
        self._views: collections.OrderedDict[tuple[str, int], bytes] = collections.OrderedDict()
        # Decoding takes memory: one after another.
        self._decoding = threading.Lock()
        self._records: dict[str, Record] | None = None

    def path(self, reference: str, option: str = "content") -> str:
        """The file that a reference names, or `sample:NAME`, as a run takes it.

        Raises:
            InputError: if there is no such picture.
        """
        kind, _, name = reference.partition(":")
        if kind == "sample":
            locate(reference)
            return reference
        given = self._networks.get(name) if kind == "network" else None
        if given and given.is_there:
            return os.fspath(given.path)
        if kind in ("picture", "film", "network"):
            upload = self._store.upload(name)
            if upload and upload.kind == kind:
                return os.fspath(self._store.upload_path(upload))
        elif kind == "library" and (record := self._known().get(name)) and record.is_there:
            return record.path
        elif kind == "result" and (job := self._store.job(name)) and job.has_picture and (
                not job.request.is_film):
            return os.fspath(self._store.result(job))
        if given:
            raise InputError(f"--{option}: {given.name} is not what it was when the studio was "
                             "started. Start it again")
        raise InputError(f"--{option}: {reference} is not here any more")

    def name(self, reference: str) -> str:
        """What to call a picture."""
        kind, _, name = reference.partition(":")
        if kind == "network" and name in self._networks:
            return self._networks[name].name
        if kind in ("picture", "film", "network"):
            upload = self._store.upload(name)
            return upload.name if upload else name
        if kind == "library":
            record = self._known().get(name)
            return os.path.basename(record.path) if record else name
        if kind == "result":
            job = self._store.job(name)
            return job.title if job else name
        return name

    def title(self, references: list[str]) -> str:
        """What to call what is made of several pictures."""
        return ", ".join(map(_stem, map(self.name, references)))

    def told(self, message: str, references: tuple[str, ...]) -> str:
        """An error with the names that the page knows, in place of files'."""
        for each in references:
            given = self._networks.get(each.partition(":")[2])
            try:
                path = os.fspath(given.path) if given else self.path(each)
            except InputError:
                continue
            if path != each:
                message = message.replace(path, self.name(each))
        return message

    def settled(self, settings: Settings) -> Settings:
        """These settings with a file in place of a reference to a network.

        Raises:
            InputError: if there is no such network.
        """
        if not form.is_network(settings.model):
            return settings
        return settings.replace(model=self.path(settings.model, "model"))

    async def add(self, chunks: AsyncIterator[bytes], name: str, kind: str = "picture") -> Upload:
        """Keep what is uploaded, if it is what it should be.

        Args:
            chunks: its bytes.
            name: what it is called where it comes from.
            kind: `picture`, `film` or `network`.

        Raises:
            InputError: if it is none that can be read.
            TooLargeError: if it has more bytes.
        """
        import anyio

        look = {"picture": self._look, "film": films.look, "network": networks.look}[kind]
        folder = self._store.folder / "pictures"
        name = plain_name(name)
        ending = Path(name).suffix.lower()
        partial = folder / f".{secrets.token_hex(8)}.partial"
        digest, size = hashlib.sha256(), 0
        with unfinished(partial, create=lambda: open(partial, "xb")) as file:
            with file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > UPLOAD_BYTES:
                        raise TooLargeError(UPLOAD_BYTES)
                    digest.update(chunk)
                    await anyio.to_thread.run_sync(file.write, chunk)
            found = digest.hexdigest()
            known = self._store.upload(found)
            if known and known.kind == kind and self._store.upload_path(known).is_file():
                partial.unlink()
                upload = dataclasses.replace(known, name=name)
            else:
                upload = await anyio.to_thread.run_sync(look, partial, found, name, ending)
                os.replace(partial, self._store.upload_path(upload))
        self._store.add_upload(upload)
        return upload

    def _look(self, partial: Path, digest: str, name: str, ending: str) -> Upload:
        try:
            height, width = read_size(partial, self._max_pixels)
            # All of it: a damaged one is refused now, where somebody can choose another.
            view = self._view(os.fspath(partial), 1024)
        except InputError as error:
            raise InputError(error.flags.replace(os.fspath(partial), name)) from None
        self._keep((f"picture:{digest}", 1024), view)
        kept = ending if ending in known_endings() else ""
        return Upload(digest, digest + kept, name, width, height)

    def view(self, reference: str, side: int) -> bytes:
        """A JPEG of a picture, with a long side of at most `side` pixels.

        Raises:
            InputError: if there is no such picture, or it cannot be read.
        """
        side = min(max(side, _LEAST_SIDE), _MOST_SIDE)
        key = reference, side
        if not reference.startswith("result:"):
            with self._lock:
                if key in self._views:
                    self._views.move_to_end(key)
                    return self._views[key]
        if reference.startswith("library:") and side <= _THUMBNAIL:
            with self._searching:
                if record := self._known().get(reference.partition(":")[2]):
                    return self._library.thumbnail(record)
        view = self._view(self._pictured(reference), side)
        if not reference.startswith("result:"):
            self._keep(key, view)
        return view

    def _pictured(self, reference: str) -> str | np.ndarray:
        """What shows how a picture or a film looks, or what a network paints."""
        kind, _, name = reference.partition(":")
        if kind == "network":
            return networks.thumbnail(self.path(reference, "model"))
        if kind == "film":
            return films.first_frame(self.path(reference))
        job = self._store.job(name) if kind == "result" else None
        if job and job.request.is_film and has_result(job):
            return os.fspath(self._store.folder_of(job) / films.POSTER)
        return self.path(reference)

    def library(self, start: int, count: int, name: str | None) -> tuple[list[dict[str, Any]], int]:
        """Some pictures of the library, by name, and how many there are in all."""
        with self._searching:
            if not self._is_there():
                return [], 0
            found = self._library.records(**({"name": name} if name else {}))
        records = [each for each in found if each.is_there]
        records.sort(key=lambda each: os.path.basename(each.path).casefold())
        return [_listed(each) for each in records[start : start + count]], len(records)

    def like(self, reference: str, count: int) -> list[dict[str, Any]]:
        """The pictures of the library whose style is nearest to that of one.

        For one that is not in it, a network has to look: to be called by the worker.
        """
        with self._searching:
            if not self._is_there():
                return []
            found: list[Match] = self._library.like(self.path(reference), count)
        return [_listed(each.record) for each in found]

    def suiting(self, reference: str, count: int) -> list[dict[str, Any]]:
        """The pictures of the library that suit a photograph, the best first, and why.

        To be called by the worker, as a network looks at the photograph.
        """
        with self._searching:
            if not self._is_there():
                return []
            found: list[Suggestion] = self._library.suits(self.path(reference), count)
        return [{**_listed(each.record), "reasons": list(each.reasons)} for each in found]

    def _known(self) -> dict[str, Record]:
        """Digest → picture of the library."""
        with self._searching:
            if not self._is_there():
                return {}
            if self._records is None:
                self._records = {each.digest: each for each in self._library.records()}
            return self._records

    def _is_there(self) -> bool:
        """Whether there is a library; it is read anew if somebody has added to it."""
        if not self._library or not self._library.path.is_file():
            return False
        path = os.fspath(self._library.path)
        state = tuple(os.stat(each).st_mtime_ns for each in (path, f"{path}-wal")
                      if os.path.exists(each))
        if state != self._state:
            self._library.close()
            self._records, self._state = None, state
        return True

    def _view(self, picture: str | np.ndarray, side: int) -> bytes:
        with self._decoding, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = as_picture(picture, max_pixels=self._max_pixels, side=side)
            return jpeg_bytes(shrink(read, side))

    def _keep(self, key: tuple[str, int], view: bytes) -> None:
        with self._lock:
            self._views[key] = view
            while sum(map(len, self._views.values())) > _KEPT and len(self._views) > 1:
                self._views.popitem(last=False)


def has_result(job: Job) -> bool:
    """Whether there is something to look at."""
    return job.has_picture and job.state in (DONE, STOPPED)


def _stem(name: str) -> str:
    """A name without the ending that it has as a file."""
    ending = Path(name).suffix
    is_one = ending.lower() in {*known_endings(), *CONTAINERS, NETWORK_ENDING}
    return name.removesuffix(ending) if is_one else name


def _listed(record: Record) -> dict[str, Any]:
    return {"ref": f"library:{record.digest}", "name": os.path.basename(record.path),
            "width": record.width, "height": record.height}
