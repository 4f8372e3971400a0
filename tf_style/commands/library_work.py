"""What workers do for a library: they look at pictures and describe them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tf_style.cluster.engine import Engine
from tf_style.cluster.share import Share
from tf_style.cluster.task import Done, Talk, Task
from tf_style.commands.signals import Signals
from tf_style.commands.workers import Workers, in_order
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
class DescribingWork:
    """Describes the picture of a file with each task.

    Attributes:
        settings: say what describes it.
        origin: of the descriptors, which is the same for all workers.
    """

    settings: Settings
    origin: str

    def results(
        self, data: Iterator[tuple[FileState, bytes]], talk: Talk
    ) -> Iterator[tuple[Entry, np.ndarray] | InputError]:
        """What there is of each picture and its descriptor, or why it cannot be described."""
        from tf_style.library.descriptor import Describer

        describer = Describer(self.settings)
        if describer.origin != self.origin:
            raise InputError(f"a worker describes pictures by {describer.origin}, not by "
                             f"{self.origin}: the weights that it has are others")
        for file, digest in data:
            try:
                entry, picture = look_at(file, digest)
                found = entry, describer.describe(picture)
            except InputError as error:
                found = error
            except MemoryError:
                found = InputError(f"{file.path}: there is not enough memory to look at it")
            yield found

    def check(self) -> None:
        """Workers are on this machine, which was checked before."""

    def moved(
        self, data: tuple[FileState, bytes], places: Mapping[str, str]
    ) -> tuple[FileState, bytes]:
        """The same file elsewhere."""
        file, digest = data
        return dataclasses.replace(file, path=places.get(file.path, file.path)), digest


class DescribingCrew:
    """Has pictures described by workers, for `Library.add`.

    Args:
        engine: makes an engine for a work.
        each: what each worker gets.
        signals: those that ask the command to stop.
        quiet: whether only errors are said.
    """

    def __init__(
        self, engine: Callable[[DescribingWork], Engine], each: Share, signals: Signals, *,
        quiet: bool = False,
    ):
        self._engine, self._each, self._signals, self._quiet = engine, each, signals, quiet
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
        settings = Settings(**describer.made_by).replace(
            threads=self._each.threads, offline=True)
        workers = Workers(
            "tf_style_library", self._engine(DescribingWork(settings, describer.origin)),
            self._signals, quiet=self._quiet)

        def done(tasks: Iterator[Task]) -> Iterator[Done]:
            return workers.done(tasks, lambda: self._show(workers))

        for each in in_order(map(_task, files), done):
            path = each.task.data[0].path
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
    return Task(key, file.path, data, (file.path,))
