"""What `tf_style_evaluate` found, as a table and as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tf_style.commands import status
from tf_style.commands.display import answer, columns, printable
from tf_style.measure.curves import Reading, common_content, read_at
from tf_style.measure.metrics import Evaluation, Judge
from tf_style.settings import AUTO

# Two lines of heads for each column of the table.
_HEADS = {
    "style_distance": ("style", "fine"), "style_distance_large": ("style", "large"),
    "gram_distance": ("gram", "fine"), "gram_distance_large": ("gram", "large"),
    "sliced_distance": ("sliced", "fine"), "sliced_distance_large": ("sliced", "large"),
    "patch_distance": ("patch", ""),
    "local_distance": ("local", "fine"), "local_distance_large": ("local", "large"),
    "local_distance_back": ("back", "fine"), "local_distance_back_large": ("back", "large"),
    "color_distance": ("colour", ""), "copied": ("copied", ""),
    "content_similarity": ("content", "fine"), "content_similarity_large": ("content", "large"),
    "content_similarity_masked": ("masked", "fine"),
    "content_similarity_masked_large": ("masked", "large"),
    "self_similarity": ("self", ""), "edge_agreement": ("edges", ""),
}
# How wide a column of numbers is.
_COLUMN = 8
_REFERENCES = {"untouched_content": "the untouched content", "style_itself": "the style itself"}


@dataclasses.dataclass(frozen=True)
class Scores:
    """The measures of all pictures.

    Attributes:
        judge: what the judge is called.
        measured: name of a picture → its measures.
        references: name → what content and style score beside a picture of this size.
        curves: as given → the measures of its pictures.
        readings: of the curves that have several pictures, at equal content.
        at_content: the content similarity of the readings.
        flattered: name → whether the judge's kernels made it; `None` if not known.
    """

    judge: str
    measured: Mapping[str, Evaluation]
    references: Mapping[str, Mapping[str, Evaluation]]
    curves: Mapping[str, Sequence[Evaluation]]
    readings: Mapping[str, Reading]
    at_content: float
    flattered: Mapping[str, bool | None]

    @classmethod
    def of(
        cls, judge: Judge, generated: Mapping[str, np.ndarray],
        curves: Mapping[str, Sequence[str]], at_content: float | str, name: str,
        flattered: Mapping[str, bool | None],
    ) -> Scores:
        """Measure pictures.

        Args:
            curves: as given → names of pictures.
            at_content: content similarity at which curves are read, or `auto`.
            name: what the judge is called.
        """
        measured, references, by_size = {}, {}, {}
        for number, (each, picture) in enumerate(generated.items()):
            status.show(f"measuring picture {number + 1} of {len(generated)}")
            measured[each] = judge.evaluate(picture)
            if picture.shape not in by_size:
                by_size[picture.shape] = judge.references(picture)
            references[each] = by_size[picture.shape]
        drawn = {given: [measured[each] for each in names] for given, names in curves.items()}
        compared = {
            given: curve for given, curve in drawn.items()
            if len(curve) > 1 and any(math.isfinite(each.content_similarity) for each in curve)
        }
        if at_content == AUTO:
            at_content = common_content(compared.values()) if compared else math.nan
        readings = {given: read_at(curve, at_content) for given, curve in compared.items()}
        return cls(name, measured, references, drawn, readings, at_content, flattered)

    def print(self, *, as_json: bool) -> None:
        """Print them on standard output."""
        if as_json:
            answer(json.dumps(self._records(), indent=2), whole=True)
        else:
            answer("\n".join(self._lines(columns(sys.stdout))))

    def _records(self) -> list[dict]:
        pictures = [
            {"generated": name, **record(each), "weights": self.judge,
             "flattered": self.flattered[name],
             **{reference: record(other) for reference, other in self.references[name].items()}}
            for name, each in self.measured.items()
        ]
        return pictures + [
            {"curve": given, "at_content_similarity": self.at_content,
             "extrapolated": reading.extrapolated, **record(reading.evaluation)}
            for given, reading in self.readings.items()
        ]

    def _lines(self, width: int) -> list[str]:
        rows = {printable(name): each for name, each in self.measured.items()}
        # Pictures of one size share them.
        first = {id(found): name for name, found in reversed(self.references.items())}
        for beside in reversed(first.values()):
            size = f", as large as {printable(beside)}" if len(first) > 1 else ""
            rows |= {f"({_REFERENCES[name]}{size})": each
                     for name, each in self.references[beside].items()}
        names = measured(rows.values())
        lines = [f"judged by {printable(self.judge)}", *table("generated", rows, names, width)]
        if self.readings:
            lines += ["", f"at content similarity {self.at_content:.3f}", *table("curve", {
                printable(given) + " (extrapolated)" * reading.extrapolated: reading.evaluation
                for given, reading in self.readings.items()
            }, names, width)]
        return lines


def record(evaluation: object) -> dict[str, float | None]:
    """A dataclass of measures. JSON has no number for what could not be measured: that is null."""
    return {name: None if math.isnan(value) else value
            for name, value in dataclasses.asdict(evaluation).items()}


def measured(rows: Iterable[Evaluation]) -> list[str]:
    """The names of what could be measured of any picture, as a table shows them."""
    rows = list(rows)
    return [name for name in _HEADS if not all(math.isnan(getattr(each, name)) for each in rows)]


def table(
    title: str, rows: Mapping[str, Evaluation], names: Sequence[str], width: int = 0
) -> list[str]:
    """Lines of a table of these measures.

    Args:
        rows: name → its measures.
        names: of measures.
        width: of the terminal; 0 for any.
    """
    return in_columns(title, [_HEADS[name] for name in names], {
        row: [f"{getattr(each, name):.3f}" for name in names] for row, each in rows.items()
    }, width)


def in_columns(
    title: str, heads: Sequence[tuple[str, str]], rows: Mapping[str, Sequence[str]], width: int = 0
) -> list[str]:
    """Lines of a table of numbers; those that a terminal has no room for come beneath the others.

    Args:
        title: what the rows are.
        heads: two lines for each column of numbers.
        rows: name → numbers.
        width: of the terminal; 0 for any.
    """
    first = max(len(title), *map(len, rows))
    # Where names leave room for one column or none, they stand above their numbers.
    above = bool(width) and width - first < 2 * _COLUMN
    first = 2 if above else first
    count = max(1, (width - first) // _COLUMN if width else len(heads))
    lines = []
    for start in range(0, max(1, len(heads)), count):
        part = slice(start, start + count)
        upper, lower = ("".join(f" {head[line]:>{_COLUMN - 1}}" for head in heads[part])
                        for line in range(2))
        lines += [f"{'':{first}}{upper}", *[title] * above,
                  f"{'' if above else title:{first}}{lower}"]
        for name, numbers in rows.items():
            shown = "".join(f" {number:>{_COLUMN - 1}}" for number in numbers[part])
            lines += [name, f"{'':{first}}{shown}"] if above else [f"{name:{first}}{shown}"]
    return lines
