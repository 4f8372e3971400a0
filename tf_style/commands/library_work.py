"""What workers do for a library: they look at pictures and describe them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tf_style.cluster.share import Share
from tf_style.cluster.task import Done, Talk, Task
from tf_style.commands import engines
from tf_style.commands.picture_work import check_files
from tf_style.commands.signals import Signals
from tf_style.commands.workers import Workers, in_order
from tf_style.image.paths import named
from tf_style.library.entry import FileState, look_at
from tf_style.settings import InputError, Settings

if TYPE_CHECKING:
    import numpy as np

    from tf_style.library.adding import Added, Elsewhere
    from tf_style.library.descriptor import Describer
    from tf_style.library.entry import Entry

# Bytes that a process takes that describes pictures: a network, and a picture of 30 megapixels.
NEEDED = 1.5e9


@dataclasses.dataclass(frozen=True)
class Sought:
    """A file whose picture is to be described.

    Attributes:
        file, digest: it, as it is known and recorded.
        place: where it is read; empty for where it is.
    """

    file: FileState
    digest: bytes
    place: str = ""


@dataclasses.dataclass(frozen=True)
class DescribingWork:
    """Describes the picture of a file with each task.

    Attributes:
        settings: say what describes it.
        origin: of the descriptors, which is the same for all workers.
    """

    settings: Settings
    origin: str

    def results(
        self, data: Iterator[Sought], talk: Talk
    ) -> Iterator[tuple[Entry, np.ndarray] | InputError]:
        """What there is of each picture and its descriptor, or why it cannot be described."""
        from tf_style.library.descriptor import Describer

        describer = Describer(self.settings)
        if describer.origin != self.origin:
            raise InputError(f"a worker describes pictures by {describer.origin}, not by "
                             f"{self.origin}: the weights that it has are others")
        for sought in data:
            path = sought.file.path
            place = sought.place or path
            try:
                entry, picture = look_at(
                    dataclasses.replace(sought.file, path=place), sought.digest)
                found = dataclasses.replace(entry, file=sought.file), describer.describe(picture)
            except InputError as error:
                found = InputError(named(error.flags, {place: path}))
            except MemoryError:
                found = InputError(f"{path}: there is not enough memory to look at it")
            yield found

    def check(self) -> None:
        """Check that the files are here which the settings name.

        Raises:
            InputError: if one is missing.
        """
        check_files(self.settings)

    def moved(self, data: Sought, places: Mapping[str, str]) -> Sought:
        """The same file, to be read elsewhere."""
        return dataclasses.replace(data, place=places.get(data.file.path, ""))


class DescribingCrew:
    """Has pictures described by workers, for `Library.add`.

    Args:
        options: say who the workers are.
        each: what each of them gets.
        signals: those that ask the command to stop.
        quiet: whether only errors are said.
    """

    def __init__(
        self, options: engines.Options, each: Share, signals: Signals, *, quiet: bool = False
    ):
        self._options, self._each, self._signals, self._quiet = options, each, signals, quiet
        self._added: Added | None = None
        self._whole = 1

    def hear(self, added: Added, whole: int) -> bool:
        """To be called after each file; whether the command is to stop."""
        self._added, self._whole = added, whole
        return bool(self._signals)

    @property
    def described(self) -> Elsewhere:
        """The function that has them described."""
        return self._described

    def _described(
        self, describer: Describer, files: Iterator[tuple[FileState, bytes]]
    ) -> Iterator[tuple[str, tuple[Entry, np.ndarray] | InputError]]:
        def work(each: Share, settle: engines.Settle) -> DescribingWork:
            settings = Settings(**describer.made_by).replace(threads=each.threads, offline=True)
            return DescribingWork(settle(settings), describer.origin)

        engine, _ = engines.engine(self._options, self._each, work)
        workers = Workers("tf_style_library", engine, self._signals, quiet=self._quiet)

        def done(tasks: Iterator[Task]) -> Iterator[Done]:
            return workers.done(tasks, lambda: self._show(workers))

        for each in in_order(map(_task, files), done):
            path = each.task.data.file.path
            yield path, InputError(f"{path}: {each.lost}") if each.lost else each.value

    def _show(self, workers: Workers) -> None:
        added = self._added
        if added:
            worked = len(added.new) + len(added.bad)
            pace = [f"{worked / workers.seconds * 60:.3g} a minute"] if worked else []
            workers.show("adding", added.done, self._whole, (f"{added.done}/{self._whole}", *pace),
                         before=added.done - worked)


def _task(data: tuple[FileState, bytes]) -> Task:
    file, digest = data
    key = hashlib.sha256(digest + file.path.encode(errors="surrogatepass")).hexdigest()[:16]
    return Task(key, file.path, Sought(file, digest), (file.path,))
