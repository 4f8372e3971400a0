"""What workers do for a sheet of previews: they paint a photograph in other styles, in small."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tf_style.cluster import processes
from tf_style.cluster.share import Share
from tf_style.cluster.task import Talk, Task
from tf_style.commands.signals import Signals
from tf_style.commands.workers import Workers, in_order
from tf_style.settings import InputError

if TYPE_CHECKING:
    import numpy as np

    from tf_style.commands.library import LibraryOptions

# Bytes that a process takes that paints previews.
NEEDED = 1.2e9


@dataclasses.dataclass(frozen=True)
class PreviewWork:
    """Paints a preview in the style of a file with each task.

    Attributes:
        photograph: its file.
        threads: with which each worker computes.
    """

    photograph: str
    threads: int

    def results(self, data: Iterator[str], talk: Talk) -> Iterator[np.ndarray | InputError]:
        """The previews, or why a style cannot be used."""
        from tf_style.library.previews import previews

        yield from previews(self.photograph, data, lambda: talk.stopping, self.threads)

    def check(self) -> None:
        """Workers are on this machine, which was checked before."""

    def moved(self, data: str, places: Mapping[str, str]) -> str:
        """The same file elsewhere."""
        return places.get(data, data)


def painted_by_workers(
    options: LibraryOptions, photograph: str, styles: Sequence[str], each: Share, signals: Signals
) -> Iterator[np.ndarray | InputError]:
    """The photograph in each style, in their order, or why that is not there."""
    engine = processes.Processes(PreviewWork(photograph, each.threads), each.workers,
                                 verbose=options.verbose)
    workers = Workers("tf_style_library", engine, signals, quiet=options.quiet)
    count = len(styles)
    done = 0

    def watch() -> None:
        workers.show("painting previews", done, count, (f"{done}/{count}",))

    tasks = (Task(str(number), style, style, (photograph, style))
             for number, style in enumerate(styles))
    for made in in_order(tasks, lambda given: workers.done(given, watch)):
        done += 1
        yield InputError(f"{made.task.title}: {made.lost}") if made.lost else made.value
