"""Adding pictures: files that are looked at once, described, and told from what is known."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.image.files import address, known_endings
from tf_style.image.paths import expand, locate
from tf_style.image.samples import PREFIX as SAMPLE
from tf_style.library.catalogue import Catalogue
from tf_style.library.duplicates import MOST_BITS, bits_apart
from tf_style.library.entry import Entry, FileState, digest_of, look_at
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.library.descriptor import Describer

# What describes pictures of files elsewhere, several at a time: called with a describer like which
# it is to describe, and with files and their digests; yields, in the same order, the file's path
# and what there is of its picture with its descriptor, or why it cannot be described. It may take
# fewer files than there are.
Elsewhere = Callable[
    ["Describer", Iterator[tuple[FileState, bytes]]],
    Iterable[tuple[str, "tuple[Entry, np.ndarray] | InputError"]],
]

# Pictures that are read ahead while one is described.
_AHEAD = 4
# A picture whose hash is like another's is its near duplicate if it is also painted like it. In
# units of the style loss.
_TWIN = 0.15


@dataclasses.dataclass
class Added:
    """What became of the pictures that were to be added.

    Attributes:
        new: files whose pictures were added.
        known: how many files were known already.
        copies: file → where the same picture is, byte by byte; it is there once.
        moved: file → where it was before.
        twins: file → the picture of which it is a near duplicate.
        bad: file → why it cannot be added.
        gone: files that were there before, and are no more; not those that moved.
    """

    new: list[str] = dataclasses.field(default_factory=list)
    known: int = 0
    copies: dict[str, str] = dataclasses.field(default_factory=dict)
    moved: dict[str, str] = dataclasses.field(default_factory=dict)
    twins: dict[str, str] = dataclasses.field(default_factory=dict)
    bad: dict[str, str] = dataclasses.field(default_factory=dict)
    gone: list[str] = dataclasses.field(default_factory=list)

    @property
    def done(self) -> int:
        """How many files were looked at."""
        return (len(self.new) + self.known + len(self.copies) + len(self.moved)
                + len(self.bad))


def add(
    catalogue: Catalogue, describer: Describer, names: Sequence[str], files: Sequence[str],
    callback: Callable[[Added, int], object] | None, elsewhere: Elsewhere | None = None,
) -> Added:
    """Add files to a library.

    Args:
        names: what the files were given as; in these folders, it is noticed what is gone.
        files: each of them once.
        callback, elsewhere: as for `Library.add`.
    """
    origin = catalogue.origin(describer.origin, describer.made_by)
    before = catalogue.files()
    added = Added()

    def goes_on() -> bool:
        return not (callback and callback(added, len(files)))

    if elsewhere:
        _add_elsewhere(catalogue, describer, origin, files, added, goes_on, elsewhere)
    else:
        _add_here(catalogue, describer, origin, files, added, goes_on)
    if added.done == len(files):
        gone = _gone(before, names)
        catalogue.lose(gone)
        added.gone = sorted({*gone} - {*added.moved.values()})
    return added


def picture_files(source: str) -> list[str]:
    """The files that a name, a pattern, or a folder at any depth stands for, sorted.

    Raises:
        InputError: for a folder or pattern in which there is no picture, and for an address.
    """
    if reason := address(source):
        raise InputError(f"{source}: {reason}")
    if source.startswith(SAMPLE):
        return [os.path.abspath(locate(source))]
    if not os.path.isdir(source):
        return [os.path.abspath(each) for each in expand(source)]
    known, found = known_endings(), []
    for folder, below, names in os.walk(os.path.abspath(source)):
        below[:] = [each for each in below if not each.startswith(".")]
        found += [os.path.join(folder, name) for name in names
                  if os.path.splitext(name)[1].lower() in known and not name.startswith(".")]
    if not found:
        raise InputError(f"{source}: no picture is in this folder")
    return sorted(found)


def _add_here(
    catalogue: Catalogue, describer: Describer, origin: int, files: Sequence[str], added: Added,
    goes_on: Callable[[], bool],
) -> None:
    """Describe files one after another, by this process.

    Args:
        added: is told what becomes of them.
        goes_on: asked after each file.
    """
    for file, looked in _looked_at(catalogue, files, origin):
        with _noted(file, added):
            found = looked()
            if isinstance(found, tuple):
                _describe(catalogue, describer.describe, describer.origin, origin, found, added)
            else:
                _place(file, found, added)
        if not goes_on():
            return


def _add_elsewhere(
    catalogue: Catalogue, describer: Describer, origin: int, files: Sequence[str], added: Added,
    goes_on: Callable[[], bool], elsewhere: Elsewhere,
) -> None:
    """Have files described that are not known; the arguments are those of `_add_here`."""
    ended = False

    def unknown() -> Iterator[tuple[FileState, bytes]]:
        nonlocal ended
        for file in files:
            found = None
            with _noted(file, added):
                found = _sought(catalogue, file, origin)
                if not isinstance(found, tuple):
                    _place(file, found, added)
            if isinstance(found, tuple):
                yield found
            elif ended := not goes_on():
                return

    for file, found in elsewhere(describer, unknown()):
        with _noted(file, added):
            if isinstance(found, InputError):
                raise found
            _describe(catalogue, lambda made: made, describer.origin, origin, found, added)
        if ended or not goes_on():
            return


@contextlib.contextmanager
def _noted(file: str, added: Added) -> Iterator[None]:
    """In this context, what is wrong with a file is noted."""
    try:
        yield
    except InputError as error:
        if not error.flags.startswith(file):
            # Of the library itself: a full disk, say.
            raise
        added.bad[file] = error.flags


def _looked_at(
    catalogue: Catalogue, files: Sequence[str], origin: int
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each file, and a function that returns what was found in it, or raises why nothing was."""

    def look(path: str) -> Any:
        found = _sought(catalogue, path, origin)
        return look_at(*found) if isinstance(found, tuple) else found

    # What is read ahead is lost if the process ends; it is not in the catalogue yet.
    with concurrent.futures.ThreadPoolExecutor(2) as readers:
        waiting: collections.deque = collections.deque()
        try:
            for file in files:
                waiting.append((file, readers.submit(look, file)))
                if len(waiting) > _AHEAD:
                    path, future = waiting.popleft()
                    yield path, future.result
            for path, future in waiting:
                yield path, future.result
        finally:
            for _, future in waiting:
                future.cancel()


def _sought(
    catalogue: Catalogue, path: str, origin: int
) -> tuple[FileState, bytes] | list[str]:
    """A file and its digest; or, if its picture is described, as `_placed` returns it.

    Raises:
        InputError: if it cannot be read.
    """
    file = FileState.of(path)
    if file is None:
        raise InputError(f"{path}: there is no such file")
    if catalogue.knows(file, origin):
        return []
    digest = digest_of(path)
    known = _placed(catalogue, file, digest, origin)
    return (file, digest) if known is None else known


def _placed(
    catalogue: Catalogue, file: FileState, digest: bytes, origin: int
) -> list[str] | None:
    """Where else a picture is, or was, that is described and now known to be in this file, too.

    `None` if it is not described.
    """
    others = [other for other in catalogue.paths_of(digest) if other != file.path]
    return others if catalogue.place(file, digest, origin) else None


def _place(file: str, others: list[str], added: Added) -> None:
    """Note what became of a file whose picture was known; without others, the file was, too."""
    if not others:
        added.known += 1
        return
    there = [each for each in others if os.path.isfile(each)]
    if there:
        added.copies[file] = there[0]
    else:
        added.moved[file] = others[0]


def _twin(
    catalogue: Catalogue, origin: str, entry: Entry, descriptor: np.ndarray
) -> int | None:
    """The number of the first picture of which this is a near duplicate; `None` for none."""
    numbers, hashes = catalogue.hashes()
    for number in numbers[bits_apart(hashes, entry.hash) <= MOST_BITS].tolist():
        other = catalogue.descriptor(number, origin)
        if other is not None and np.sum((other - descriptor.astype(np.float32)) ** 2) < _TWIN:
            return number
    return None


def _gone(before: Iterable[str], names: Sequence[str]) -> list[str]:
    """The files, of those that were known, that are no longer there though their folder is."""
    folders = [os.path.join(os.path.abspath(name), "") for name in names if os.path.isdir(name)]
    return sorted(path for path in before
                  if any(path.startswith(folder) for folder in folders)
                  and not os.path.lexists(path))


def _describe(
    catalogue: Catalogue, describe: Callable[[np.ndarray], np.ndarray], named: str, origin: int,
    looked: tuple[Entry, np.ndarray], added: Added,
) -> None:
    """Add a picture that was looked at.

    Args:
        describe: returns the descriptor.
        named: the origin of descriptors, by its name.
    """
    entry, picture = looked
    # It may have been added since it was read, from another file or by another process.
    known = _placed(catalogue, entry.file, entry.digest, origin)
    if known is not None:
        _place(entry.file.path, known, added)
        return
    descriptor = describe(picture)
    twin = _twin(catalogue, named, entry, descriptor)
    # What this very file showed before goes when the picture is added.
    others = [] if twin is None else [
        path for path in catalogue.paths(twin) if path != entry.file.path]
    catalogue.add(entry, origin, descriptor, twin)
    added.new.append(entry.file.path)
    if others:
        added.twins[entry.file.path] = others[0]
