"""Adding pictures: files that are looked at once, described, and told from what is known."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.image.files import known_endings
from tf_style.image.paths import expand, locate
from tf_style.image.samples import PREFIX as SAMPLE
from tf_style.library.catalogue import Catalogue
from tf_style.library.duplicates import MOST_BITS, bits_apart
from tf_style.library.entry import Entry, FileState, digest_of, look_at
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.library.descriptor import Describer

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
        gone: files that were there before, and are no more.
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
    callback: Callable[[Added, int], object] | None,
) -> Added:
    """Add files to a library.

    Args:
        names: what the files were given as; in these folders, it is noticed what is gone.
        files: each of them once.
        callback: as for `Library.add`.
    """
    origin = catalogue.origin(describer.origin, describer.made_by)
    before = catalogue.files()
    added = Added()
    for file, looked in _looked_at(catalogue, files, origin):
        try:
            found = looked()
            if isinstance(found, tuple):
                _describe(catalogue, describer, origin, found, added)
            else:
                _place(file, found, added)
        except InputError as error:
            if not error.flags.startswith(file):
                # Of the library itself: a full disk, say.
                raise
            added.bad[file] = error.flags
        if callback and callback(added, len(files)):
            break
    else:
        added.gone = _gone(before, names)
        catalogue.lose(added.gone)
    return added


def picture_files(source: str) -> list[str]:
    """The files that a name, a pattern, or a folder at any depth stands for, sorted.

    Raises:
        InputError: for a folder or pattern in which there is no picture.
    """
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


def _looked_at(
    catalogue: Catalogue, files: Sequence[str], origin: int
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each file, and a function that returns what was found in it, or raises why nothing was."""

    def look(path: str) -> Any:
        file = FileState.of(path)
        if file is None:
            raise InputError(f"{path}: there is no such file")
        if catalogue.knows(file, origin):
            return []
        digest = digest_of(path)
        known = _placed(catalogue, file, digest, origin)
        return look_at(file, digest) if known is None else known

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
    catalogue: Catalogue, describer: Describer, origin: int,
    looked: tuple[Entry, np.ndarray], added: Added,
) -> None:
    entry, picture = looked
    # It may have been added since it was read, from another file or by another process.
    known = _placed(catalogue, entry.file, entry.digest, origin)
    if known is not None:
        _place(entry.file.path, known, added)
        return
    descriptor = describer.describe(picture)
    twin = _twin(catalogue, describer.origin, entry, descriptor)
    number = catalogue.add(entry, origin, descriptor, twin)
    added.new.append(entry.file.path)
    if twin is not None and twin != number:
        added.twins[entry.file.path] = catalogue.paths(twin)[0]
