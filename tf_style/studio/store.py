"""What the studio keeps: a folder, and in it a file of SQLite that lists what is there.

    FOLDER/studio.db       jobs and uploaded pictures
    FOLDER/pictures/       uploads, each named by the digest of its bytes
    FOLDER/jobs/ID/        result.png, and what a stopped run goes on from
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tf_style.film.store import Store as Frames
from tf_style.image.paths import data_folder
from tf_style.run.checkpoints import newest_first
from tf_style.run.lock import HeldError, locked
from tf_style.settings import InputError
from tf_style.studio.job import PAINTING, STOPPED, WAITING, Job

# "tfst": how SQLite files, and the program `file`, tell ours from others'.
_OURS, _VERSION = 0x74667374, 1
_NAME = "studio.db"
_PRIVATE = 0o700
# Uploads that stay though no job names them yet.
_SHOWN = 16
NETWORK_ENDING = ".keras"
_LONGEST_NAME = 120
_SCHEMA = """
CREATE TABLE jobs (id TEXT PRIMARY KEY, place INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE uploads (
    digest TEXT PRIMARY KEY, file TEXT NOT NULL, name TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, number INTEGER NOT NULL, more TEXT NOT NULL
);
"""


@dataclasses.dataclass(frozen=True)
class Upload:
    """A picture, a film or a network that came from the page.

    Attributes:
        digest: SHA-256 of its bytes.
        file: its name in the folder.
        name: what it was called where it came from.
        width, height: in pixels; of a network, those of its thumbnail.
        more: of a film, `seconds` and `frames`.
    """

    digest: str
    file: str
    name: str
    width: int
    height: int
    more: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it is: how references to it begin."""
        if self.file.endswith(NETWORK_ENDING):
            return "network"
        return "film" if self.more else "picture"


def plain_name(name: str) -> str:
    """A name without folders and without what no line should have in it."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(each for each in name if each.isprintable()).strip()
    return name[-_LONGEST_NAME:] or "picture"


def default_folder() -> Path:
    """Where results are kept if nobody says where."""
    return data_folder() / "studio"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other studios from the folder, made if it is missing, until the block ends.

    Raises:
        InputError: if another one has it, or it cannot be used.
    """
    try:
        if folder.is_dir():
            # Names with a dot are ours, or those of file managers.
            others = sorted(each.name for each in folder.iterdir()
                            if not each.name.startswith("."))
            if others and _NAME not in others:
                raise InputError(f"--folder={folder}: expected a new or an empty folder, or a "
                                 f"studio's. It holds {others[0]}")
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        # Older ones may have been made for all to read.
        os.chmod(folder, _PRIVATE)
    except OSError as error:
        raise InputError(f"--folder={folder}: cannot be used ({error.strerror})") from None
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder))
        except HeldError as error:
            raise InputError(f"--folder={folder}: {error} is a studio there already. Use its page, "
                             "or choose another --folder") from None
        yield


class Store:
    """Jobs and uploads on the disk; each is there as a whole or not at all. For several threads.

    Args:
        folder: held by this process.
        keep: bytes that it may take; beyond, the oldest results go.

    Raises:
        InputError: for a folder whose list is damaged, not ours, or gone.
    """

    def __init__(self, folder: Path, keep: float):
        self.folder, self.keep = folder, keep
        self._lock = threading.RLock()
        try:
            self._file = _opened(folder / _NAME)
            self._jobs = {job.id: job for job in self._read_jobs()}
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise InputError(f"--folder={folder}: what it lists cannot be read ({error}). Choose "
                             "another --folder, or move all that is in it elsewhere to begin anew"
                             ) from None
        for name in ("pictures", "jobs"):
            (folder / name).mkdir(mode=_PRIVATE, exist_ok=True)
        self._recover()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def jobs(self) -> list[Job]:
        """All jobs, in order."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: job.place)

    def job(self, name: str) -> Job | None:
        """The job of that id."""
        return self._jobs.get(name)

    def next_place(self) -> int:
        """A place behind all others."""
        with self._lock:
            return max((job.place for job in self._jobs.values()), default=0) + 1

    def keep_job(self, job: Job) -> None:
        """Keep a job as it is now; a draft is not kept on the disk.

        Raises:
            OSError: if the disk takes no more; it is in memory all the same.
        """
        with self._lock:
            self._jobs[job.id] = job
            if not job.request.draft:
                self._execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)",
                              (job.id, job.place, json.dumps(job.as_dict())))

    def remove_job(self, job: Job) -> None:
        """Forget a job, and remove its files.

        Raises:
            OSError: if the disk takes no more; then it stays.
        """
        with self._lock:
            if not job.request.draft:
                self._execute("DELETE FROM jobs WHERE id = ?", (job.id,))
            self._jobs.pop(job.id, None)
        self.remove_files(job)

    def remove_files(self, job: Job) -> None:
        """Remove what a job has made."""
        shutil.rmtree(self.folder_of(job), ignore_errors=True)

    def folder_of(self, job: Job) -> Path:
        """Where the files of a job are."""
        return self.folder / "jobs" / job.id

    def make_folder(self, job: Job) -> None:
        """Make the folder for the files of a job.

        Raises:
            OSError: if that is not possible.
        """
        self.folder_of(job).mkdir(mode=_PRIVATE, exist_ok=True)

    def result(self, job: Job) -> Path:
        """The file of a job's result, whether it is there or not."""
        return self.folder_of(job) / f"result{job.ends}"

    def checkpoint(self, job: Job) -> Path:
        """The folder from which a stopped job goes on."""
        return self.folder_of(job) / "checkpoint"

    def has_checkpoint(self, job: Job) -> bool:
        """Whether there is something to go on from: the state of a run, or frames of a film."""
        folder = self.checkpoint(job)
        try:
            return bool(Frames(folder).numbers() if job.request.is_film else newest_first(folder))
        except OSError:
            # What cannot be looked at now may be there.
            return True

    def add_upload(self, upload: Upload) -> None:
        """Keep what is known of a file in the folder of uploads."""
        with self._lock:
            self._execute(
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?, "
                "(SELECT ifnull(max(number), 0) + 1 FROM uploads), ?)",
                (upload.digest, upload.file, upload.name, upload.width, upload.height,
                 json.dumps(upload.more)))

    def upload(self, digest: str) -> Upload | None:
        """What is known of the upload of that digest."""
        with self._lock:
            row = self._file.execute(
                "SELECT digest, file, name, width, height, more FROM uploads WHERE digest = ?",
                (digest,)).fetchone()
        return Upload(*row[:5], json.loads(row[5])) if row else None

    def upload_path(self, upload: Upload) -> Path:
        """Where an upload is."""
        return self.folder / "pictures" / upload.file

    def make_room(self) -> list[Job]:
        """Remove uploads of no job, and then the oldest results, while it is too much.

        Returns:
            The jobs that went.
        """
        gone: list[Job] = []
        if _bytes(self.folder) <= self.keep:
            return gone
        self._drop_uploads()
        most = _bytes(self.folder)
        for job in self.jobs():
            if most <= self.keep:
                break
            if job.state not in (WAITING, PAINTING):
                most -= _bytes(self.folder_of(job))
                self.remove_job(job)
                gone.append(job)
        if gone:
            self._drop_uploads()
        return gone

    def _drop_uploads(self) -> None:
        """Remove the uploads that no job names, but for the last few: a page may show them."""
        with self._lock:
            named = {reference.partition(":")[2] for job in self._jobs.values()
                     for reference in job.request.references}
            rows = self._file.execute("SELECT digest, file FROM uploads ORDER BY number DESC")
            for digest, file in rows.fetchall()[_SHOWN:]:
                if digest not in named:
                    self._execute("DELETE FROM uploads WHERE digest = ?", (digest,))
                    (self.folder / "pictures" / file).unlink(missing_ok=True)

    def _execute(self, statement: str, values: tuple[Any, ...]) -> None:
        """Change what is listed.

        Raises:
            OSError: if the disk takes no more.
        """
        try:
            self._file.execute(statement, values)
        except sqlite3.Error as error:
            raise OSError(0, str(error), os.fspath(self.folder / _NAME)) from None

    def _read_jobs(self) -> Iterator[Job]:
        for data, in self._file.execute("SELECT data FROM jobs"):
            yield Job.from_dict(json.loads(data))

    def _recover(self) -> None:
        """See what a process that was killed has left."""
        for job in self.jobs():
            if job.state == PAINTING:
                job.state, job.why = STOPPED, "the studio ended while it was painted"
                job.has_picture = self.result(job).is_file()
                self.keep_job(job)
        for path in (self.folder / "jobs").iterdir():
            if path.name not in self._jobs:
                shutil.rmtree(path, ignore_errors=True)
        for path in (self.folder / "pictures").glob(".*.partial"):
            path.unlink(missing_ok=True)


def _bytes(folder: Path) -> int:
    """What a folder takes."""
    found = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found += os.path.getsize(os.path.join(where, name))
    return found


def _opened(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        ours, = file.execute("PRAGMA application_id").fetchone()
        version, = file.execute("PRAGMA user_version").fetchone()
        tables, = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (ours, version) != (_OURS, _VERSION):
            if tables:
                raise ValueError("it is of another program, or another version")
            # Without their list, results would be taken for what a removal has left.
            if (jobs := path.parent / "jobs").is_dir() and any(jobs.iterdir()):
                raise ValueError("it is empty, and there are results")
            file.executescript(f"BEGIN; {_SCHEMA} PRAGMA application_id = {_OURS}; "
                               f"PRAGMA user_version = {_VERSION}; COMMIT;")
        # After a kill nothing is lost; where the power fails, the last second may be.
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        file.close()
        raise
    return file
