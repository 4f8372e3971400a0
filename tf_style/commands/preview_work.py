"""What workers do for a sheet of previews: they paint a photograph in other styles, in small."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tf_style.cluster.share import Share
from tf_style.cluster.task import Talk, Task
from tf_style.commands import engines
from tf_style.commands.signals import Signals
from tf_style.commands.workers import Workers, in_order
from tf_style.image.paths import named
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.commands.library import LibraryOptions
    from tf_style.library.previews import Preview

# Bytes that a process takes that paints previews.
NEEDED = 1.2e9


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A preview that is to be painted.

    Attributes:
        photograph: its file, the same for all.
        style: the file of the style.
        names: place → name, of files that were brought elsewhere.
    """

    photograph: str
    style: str
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class PreviewWork:
    """Paints a preview in the style of a file with each task.

    Attributes:
        threads: with which each worker computes.
        made_by: what described the pictures of the library.
    """

    threads: int
    made_by: Mapping[str, Any]

    def results(self, data: Iterator[Wanted], talk: Talk) -> Iterator[Preview | InputError]:
        """The previews, or why a style cannot be used."""
        from tf_style.library.previews import judge_of, previews

        names: dict[str, str] = {}

        def styles(wanted: Iterator[Wanted]) -> Iterator[str]:
            for each in wanted:
                names.clear()
                names.update(each.names)
                yield each.style

        first = next(data, None)
        if first is None:
            return
        for made in previews(first.photograph, styles(itertools.chain([first], data)),
                             lambda: talk.stopping, self.threads, judge_of(self.made_by)):
            yield InputError(named(made.flags, names)) if isinstance(made, InputError) else made

    def check(self) -> None:
        """The network comes with tf_style."""

    def moved(self, data: Wanted, places: Mapping[str, str]) -> Wanted:
        """The same with its files elsewhere."""
        return Wanted(places.get(data.photograph, data.photograph),
                      places.get(data.style, data.style),
                      {there: name for name, there in places.items()})


def painted_by_workers(
    options: LibraryOptions, photograph: str, styles: Sequence[str], made_by: Mapping[str, Any],
    each: Share, signals: Signals,
) -> Iterator[Preview | InputError]:
    """The photograph in each style, in their order, or why that is not there."""
    # A node may lack the weights, and what two networks measured cannot be compared.
    judge = {} if options.cluster else made_by
    engine, _ = engines.engine(options, each, lambda each, _: PreviewWork(each.threads, judge))
    workers = Workers("tf_style_library", engine, signals, quiet=options.quiet)
    count = len(styles)
    done = 0

    def watch() -> None:
        workers.show("painting previews", done, count, (f"{done}/{count}",))

    tasks = (Task(str(number), style, Wanted(photograph, style), (photograph, style))
             for number, style in enumerate(styles))
    for made in in_order(tasks, lambda given: workers.done(given, watch)):
        done += 1
        yield InputError(f"{made.task.title}: {made.lost}") if made.lost else made.value
