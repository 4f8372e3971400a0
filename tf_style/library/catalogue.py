"""The file that a library is: one of SQLite, which several processes may use at once.

No TensorFlow. Each picture is there as a whole or not at all, whatever ends the process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_style.image.paths import PathLike
from tf_style.library.entry import Entry, FileState
from tf_style.library.palette import Swatch
from tf_style.settings import InputError

# "tfsl": how SQLite files, and the program `file`, tell ours from others'.
_OURS, _VERSION = 0x7466736C, 1
# How long one process waits for another, in seconds. A picture is written in a few milliseconds.
_PATIENCE = 60.0
# Of an origin of that name.
_ID = "(SELECT id FROM origins WHERE name = ?)"
# Descriptors that are turned into float32 at once: no second copy of all is made.
_BLOCK = 4096
# Values of one statement: older SQLite takes no more than 999.
_ASKED = 500

_SCHEMA = """
CREATE TABLE pictures (
    number INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE,
    height INTEGER NOT NULL, width INTEGER NOT NULL, palette TEXT NOT NULL, defects TEXT NOT NULL,
    hash INTEGER NOT NULL, twin INTEGER
);
CREATE TABLE files (
    path BLOB PRIMARY KEY, number INTEGER NOT NULL REFERENCES pictures ON DELETE CASCADE,
    bytes INTEGER NOT NULL, changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_of_picture ON files (number);
CREATE TABLE thumbnails (
    number INTEGER PRIMARY KEY REFERENCES pictures ON DELETE CASCADE, jpeg BLOB NOT NULL
);
CREATE TABLE origins (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL
);
CREATE TABLE descriptors (
    origin INTEGER NOT NULL REFERENCES origins, number INTEGER NOT NULL REFERENCES pictures
    ON DELETE CASCADE, descriptor BLOB NOT NULL, PRIMARY KEY (origin, number)
);
"""
# Made where it is first needed.
_TEXTURES = """
CREATE TABLE IF NOT EXISTS textures (
    number INTEGER PRIMARY KEY REFERENCES pictures ON DELETE CASCADE, texture BLOB NOT NULL
)
"""
_CODES = """
CREATE TABLE IF NOT EXISTS codebooks (
    origin INTEGER PRIMARY KEY REFERENCES origins, entries BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS codes (
    id INTEGER PRIMARY KEY, origin INTEGER NOT NULL REFERENCES codebooks, numbers BLOB NOT NULL,
    codes BLOB NOT NULL
)
"""


@dataclasses.dataclass(frozen=True)
class Record:
    """A picture of a library.

    Attributes:
        number: by which the library knows it, for good.
        digest: SHA-256 of its bytes, in hexadecimal.
        paths: where it is, or was: absolute.
        height, width: in pixels.
        palette, defects: as in `Entry`.
        twin: the number of a picture that it is a near duplicate of; `None` for none.
    """

    number: int
    digest: str
    paths: tuple[str, ...]
    height: int
    width: int
    palette: tuple[Swatch, ...]
    defects: tuple[str, ...]
    twin: int | None = None

    @property
    def path(self) -> str:
        """Where it is: the first of its files that is there, else the first."""
        return next(filter(os.path.isfile, self.paths), self.paths[0])

    @property
    def is_there(self) -> bool:
        """Whether one of its files is."""
        return any(map(os.path.isfile, self.paths))


class Catalogue:
    """A library's file, opened. To be closed, or used as a context.

    Threads may share it.

    Args:
        path: of the file.
        writable: whether it will be added to or changed: it is then made if there is none.

    Raises:
        InputError: if it cannot be opened, is no library, or one of a newer tf_style. All methods
            raise it for a file that can no longer be used.
    """

    def __init__(self, path: PathLike, *, writable: bool = False):
        self.path = Path(path)
        self._lock = threading.RLock()
        self._hashes: tuple[np.ndarray, np.ndarray] = (np.zeros(0, int), np.zeros(0, int))
        with self._guarded():
            self._file = _connected(self.path, writable)
            try:
                self._check(writable)
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def others_changes(self) -> int:
        """A number that is another one after anybody else has changed the file."""
        with self._guarded():
            return self._row("PRAGMA data_version")[0]

    def _check(self, writable: bool) -> None:
        # Another process may be making the library, at once: what comes with tables is read after.
        tables, = self._row("SELECT count(*) FROM sqlite_master")
        ours, = self._row("PRAGMA application_id")
        version, = self._row("PRAGMA user_version")
        if tables and ours != _OURS:
            raise InputError(f"{self.path}: expected a library of tf_style, this is a file of "
                             "another program. Choose another --library")
        if ours == _OURS and version > _VERSION:
            raise InputError(f"{self.path}: made by a newer tf_style (version {version} of this "
                             f"kind of file; this one knows {_VERSION}). Update tf_style")
        if not tables:
            if not writable:
                raise InputError(f"{self.path}: nothing is in this library yet. Add pictures: "
                                 "tf_style_library add FOLDER")
            with self._writing():
                # Another process may have been first.
                if not self._row("SELECT count(*) FROM sqlite_master")[0]:
                    for statement in _SCHEMA.split(";\n"):
                        self._file.execute(statement)
                    self._file.execute(f"PRAGMA application_id = {_OURS}")
                    self._file.execute(f"PRAGMA user_version = {_VERSION}")
        self._file.execute("PRAGMA foreign_keys = ON")

    def origin(self, name: str, settings: Mapping[str, Any]) -> int:
        """The number of an origin of descriptors, which is noted if it is new.

        Args:
            settings: plain data that give the same describer again.
        """
        with self._guarded(), self._writing():
            self._file.execute("INSERT OR IGNORE INTO origins (name, settings) VALUES (?, ?)",
                               (name, json.dumps(dict(settings))))
            return self._row("SELECT id FROM origins WHERE name = ?", name)[0]

    def usual_origin(self) -> tuple[str, dict[str, Any]] | None:
        """The origin of most descriptors, of several the last, and its settings."""
        with self._guarded():
            row = self._row(
                "SELECT name, settings FROM origins ORDER BY (SELECT count(*) FROM descriptors "
                "WHERE origin = origins.id) DESC, id DESC LIMIT 1")
        return row and (row[0], json.loads(row[1]))

    def knows(self, file: FileState, origin: int) -> bool:
        """Whether this very file has been described by this origin."""
        with self._guarded():
            return self._row(
                "SELECT 1 FROM files JOIN descriptors USING (number) WHERE path = ? AND bytes = ? "
                "AND changed = ? AND origin = ?",
                os.fsencode(file.path), file.bytes, file.changed, origin) is not None

    def place(self, file: FileState, digest: bytes, origin: int) -> bool:
        """Note that a picture that is described is in this file, too; false if it is none."""
        with self._guarded(), self._writing():
            row = self._row("SELECT number FROM pictures JOIN descriptors USING (number) "
                            "WHERE digest = ? AND origin = ?", digest, origin)
            if row is None:
                return False
            self._place(file, row[0])
            return True

    def add(
        self, entry: Entry, origin: int, descriptor: np.ndarray, twin: int | None = None
    ) -> int:
        """Add a picture, or to one that is there its file and descriptor; returns its number."""
        with self._guarded(), self._writing():
            self._file.execute(
                "INSERT OR IGNORE INTO pictures (digest, height, width, palette, defects, hash, "
                "twin) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (entry.digest, entry.height, entry.width,
                 json.dumps([[each.color, each.share] for each in entry.palette]),
                 json.dumps(entry.defects), entry.hash, twin))
            number, = self._row("SELECT number FROM pictures WHERE digest = ?", entry.digest)
            self._file.execute("INSERT OR IGNORE INTO thumbnails VALUES (?, ?)",
                               (number, entry.thumbnail))
            self._file.execute("INSERT OR IGNORE INTO descriptors VALUES (?, ?, ?)",
                               (origin, number, descriptor.astype("<f2").tobytes()))
            self._place(entry.file, number)
            return number

    def _place(self, file: FileState, number: int) -> None:
        path = os.fsencode(file.path)
        before = self._row("SELECT number FROM files WHERE path = ?", path)
        self._file.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                           (path, number, file.bytes, file.changed))
        # What was in a file that has been replaced may be nowhere else.
        if before and not self._row("SELECT 1 FROM files WHERE number = ?", *before):
            self._drop(*before)

    def _drop(self, number: int) -> None:
        # The near duplicates of one that goes are still near duplicates of each other.
        heir, = self._row("SELECT coalesce((SELECT twin FROM pictures WHERE number = ?), "
                          "min(number)) FROM pictures WHERE twin = ?", number, number)
        self._file.execute("UPDATE pictures SET twin = nullif(?, number) WHERE twin = ?",
                           (heir, number))
        self._file.execute("DELETE FROM pictures WHERE number = ?", (number,))

    def files(self) -> dict[str, int]:
        """Path → number of its picture, for all files that were ever found there."""
        with self._guarded():
            return {os.fsdecode(path): number for path, number in
                    self._file.execute("SELECT path, number FROM files").fetchall()}

    def lose(self, paths: Sequence[str]) -> None:
        """Forget that these files were there, of pictures that are elsewhere, too."""
        with self._guarded(), self._writing():
            self._file.executemany(
                "DELETE FROM files WHERE path = ? AND EXISTS (SELECT 1 FROM files AS others "
                "WHERE others.number = files.number AND others.path != files.path)",
                [(os.fsencode(path),) for path in paths])

    def forget(self, numbers: Sequence[int]) -> None:
        """Forget pictures. Their files stay as they are."""
        with self._guarded(), self._writing():
            for number in numbers:
                self._drop(number)

    def paths_of(self, digest: bytes) -> list[str]:
        """Where the picture with these bytes is, or was."""
        return self._paths("SELECT path FROM files JOIN pictures USING (number) WHERE digest = ?",
                           digest)

    def paths(self, number: int) -> list[str]:
        """Where a picture is, or was."""
        return self._paths("SELECT path FROM files WHERE number = ?", number)

    def _paths(self, statement: str, value: Any) -> list[str]:
        with self._guarded():
            return [os.fsdecode(path) for path, in self._file.execute(statement, (value,))]

    def numbered(self, digest: bytes) -> int | None:
        """The number of the picture with these bytes; `None` for none."""
        with self._guarded():
            row = self._row("SELECT number FROM pictures WHERE digest = ?", digest)
        return row and row[0]

    def hashes(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of all pictures, and their hashes, int64 `(count,)` each."""
        with self._guarded():
            numbers = self._hashes[0]
            last = int(numbers[-1]) if len(numbers) else 0
            rows = self._file.execute("SELECT number, hash FROM pictures WHERE number > ? "
                                      "ORDER BY number", (last,)).fetchall()
            if rows:
                new = np.array(rows, np.int64)
                self._hashes = tuple(np.concatenate(each) for each in
                                     zip(self._hashes, new.T, strict=True))
            return self._hashes

    def records(self, number: int | None = None) -> list[Record]:
        """All pictures, in the order in which they were added, or the one of this number."""
        where, values = ("", ()) if number is None else (" WHERE number = ?", (number,))
        with self._guarded():
            paths: dict[int, list[str]] = {}
            for path, number in self._file.execute(f"SELECT path, number FROM files{where}",
                                                   values):
                paths.setdefault(number, []).append(os.fsdecode(path))
            rows = self._file.execute("SELECT number, digest, height, width, palette, defects, "
                                      f"twin FROM pictures{where} ORDER BY number",
                                      values).fetchall()
            return [
                Record(number, digest.hex(), tuple(paths[number]), height, width,
                       tuple(Swatch(*each) for each in json.loads(colors)),
                       tuple(json.loads(defects)), twin)
                for number, digest, height, width, colors, defects, twin in rows
                # One that was added since.
                if number in paths
            ]

    def thumbnail(self, number: int) -> bytes:
        """A JPEG of the picture, with a long side of 128 pixels."""
        with self._guarded():
            row = self._row("SELECT jpeg FROM thumbnails WHERE number = ?", number)
        if row is None:
            raise InputError(f"{self.path}: picture {number} has been forgotten meanwhile")
        return row[0]

    def textures(self) -> dict[int, np.ndarray]:
        """Number → the texture of the picture's thumbnail, float64, as far as they are kept."""
        with self._guarded():
            if not self._row("SELECT 1 FROM sqlite_master WHERE name = 'textures'"):
                return {}
            return {number: np.frombuffer(values, "<f8") for number, values in
                    self._file.execute("SELECT number, texture FROM textures")}

    def keep_textures(self, found: Mapping[int, np.ndarray]) -> None:
        """Keep the textures of pictures."""
        with self._guarded(), self._writing():
            self._file.execute(_TEXTURES)
            self._file.executemany(
                # Of a picture that is still there.
                "INSERT OR IGNORE INTO textures SELECT number, ? FROM pictures WHERE number = ?",
                [(values.astype("<f8").tobytes(), number) for number, values in found.items()])

    def descriptor(self, number: int, origin: str) -> np.ndarray | None:
        """A picture's descriptor of this origin, float32; `None` if it has none."""
        with self._guarded():
            row = self._row(
                "SELECT descriptor FROM descriptors WHERE number = ? AND origin = "
                "(SELECT id FROM origins WHERE name = ?)", number, origin)
        return row and np.frombuffer(row[0], "<f2").astype(np.float32)

    def descriptors(self, origin: str) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the pictures with descriptors of this origin, and these.

        Returns:
            int64 `(count,)`, rising, and float32 `(count, 512)`.
        """
        with self._guarded():
            row = self._row("SELECT id, (SELECT count(*) FROM descriptors WHERE origin = id), "
                            "(SELECT max(length(descriptor)) FROM (SELECT descriptor FROM "
                            "descriptors WHERE origin = id LIMIT 1)) FROM origins WHERE name = ?",
                            origin)
            if row is None or not row[1]:
                return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
            origin_id, count, length = row
            numbers = np.empty(count, np.int64)
            found = np.empty((count, length // 2), np.float32)
            cursor = self._file.execute("SELECT number, descriptor FROM descriptors WHERE "
                                        "origin = ? ORDER BY number LIMIT ?", (origin_id, count))
            done = 0
            while rows := cursor.fetchmany(_BLOCK):
                several = slice(done, done + len(rows))
                numbers[several] = [number for number, _ in rows]
                found[several] = np.frombuffer(
                    b"".join(each for _, each in rows), "<f2").reshape(len(rows), -1)
                done += len(rows)
            return numbers[:done], found[:done]

    def described(self, origin: str) -> np.ndarray:
        """The numbers of the pictures with descriptors of this origin, int64, rising."""
        with self._guarded():
            return np.fromiter((number for number, in self._file.execute(
                f"SELECT number FROM descriptors WHERE origin = {_ID} ORDER BY number",
                (origin,))), np.int64)

    def count(self, origin: str) -> int:
        """How many pictures have descriptors of this origin."""
        with self._guarded():
            return self._row(f"SELECT count(*) FROM descriptors WHERE origin = {_ID}", origin)[0]

    def descriptors_of(self, origin: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The descriptors of this origin of some pictures.

        Returns:
            the numbers of those that are still there, and their descriptors, as `descriptors`.
        """
        with self._guarded():
            id_of = self._row("SELECT id FROM origins WHERE name = ?", origin) or (None,)
            found = []
            for start in range(0, len(numbers), _ASKED):
                some = numbers[start : start + _ASKED].tolist()
                found += self._file.execute(
                    "SELECT number, descriptor FROM descriptors WHERE origin = ? AND number IN "
                    f"({', '.join('?' * len(some))})", (*id_of, *some)).fetchall()
            if not found:
                return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
            several = np.frombuffer(b"".join(each for _, each in found), "<f2")
            return (np.array([number for number, _ in found], np.int64),
                    several.reshape(len(found), -1).astype(np.float32))

    def codebook(self, origin: str) -> np.ndarray | None:
        """What `keep_codebook` kept, float32 `(parts, 16, 4)`; `None` for nothing."""
        with self._guarded():
            if not self._row("SELECT 1 FROM sqlite_master WHERE name = 'codebooks'"):
                return None
            row = self._row(f"SELECT entries FROM codebooks WHERE origin = {_ID}", origin)
            return row and np.frombuffer(row[0], "<f4").reshape(-1, 16, 4).astype(np.float32)

    def keep_codebook(self, origin: str, entries: np.ndarray) -> None:
        """Keep the entries of a codebook of descriptors, unless there is one already."""
        with self._guarded(), self._writing():
            for statement in _CODES.split(";\n"):
                self._file.execute(statement)
            self._file.execute(f"INSERT OR IGNORE INTO codebooks VALUES ({_ID}, ?)",
                               (origin, entries.astype("<f4").tobytes()))

    def codes(self, origin: str, length: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the pictures whose descriptors have codes, and these.

        Returns:
            int64 `(count,)`, rising, and uint8 `(count, length)`.
        """
        with self._guarded():
            rows = self._file.execute(f"SELECT numbers, codes FROM codes WHERE origin = {_ID} "
                                      "ORDER BY id", (origin,)).fetchall()
            numbers = np.frombuffer(b"".join(each for each, _ in rows), "<i8")
            found = np.frombuffer(b"".join(each for _, each in rows), np.uint8)
            found = found.reshape(len(numbers), length)
        if np.any(np.diff(numbers) <= 0):
            # Of two processes that were at it at once.
            numbers, places = np.unique(numbers, return_index=True)
            found = found[places]
        return numbers, found

    def keep_codes(self, origin: str, numbers: np.ndarray, codes: np.ndarray) -> None:
        """Keep the codes of descriptors."""
        with self._guarded(), self._writing():
            self._file.execute(f"INSERT INTO codes (origin, numbers, codes) VALUES ({_ID}, ?, ?)",
                               (origin, numbers.astype("<i8").tobytes(), codes.tobytes()))

    def _row(self, statement: str, *values: Any) -> Any:
        return self._file.execute(statement, values).fetchone()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all that is written in the block, or nothing."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite may have rolled back by itself.
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise InputError(f"{self.path}: {_reason(error, self.path)}") from None
            except (ValueError, TypeError, KeyError) as error:
                if isinstance(error, InputError):
                    raise
                raise InputError(f"{self.path}: this library is damaged ({error})") from None


def _connected(path: Path, writable: bool) -> sqlite3.Connection:
    if "\0" in os.fspath(path):
        raise InputError(f"{str(path)!r}: no file can have such a name")
    if path.is_dir():
        raise InputError(f"{path}: expected a library, this is a folder")
    if writable:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path}: the folder cannot be made ({error.strerror})") from None
    elif not path.exists():
        raise InputError(f"{path}: there is no such library. Make one: tf_style_library add "
                         "FOLDER")
    # What a killed process left has to be rolled back, which needs writing.
    mode = "rwc" if writable else "rw" if os.access(path, os.W_OK) else "ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE,
        isolation_level=None, check_same_thread=False,
    )


def _reason(error: sqlite3.Error, path: Path) -> str:
    """What SQLite complains about, in other words where its own say too little."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return (f"expected a library of tf_style, this is none or it is damaged ({text}). Choose "
                "another --library")
    if "locked" in text:
        return "another process keeps it to itself. Try again when it is done"
    if "readonly" in text:
        return "it cannot be written, only read"
    if "unable to open" in text:
        kind = "written in" if path.exists() else "made"
        return f"it cannot be {kind} ({text})"
    return f"it cannot be read or written ({text})"
