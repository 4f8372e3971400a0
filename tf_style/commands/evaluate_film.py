"""What `tf_style_evaluate` does with films."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_style.commands import status
from tf_style.commands.command import CommandLine
from tf_style.commands.display import answer, columns, printable
from tf_style.commands.exits import DONE, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.film.making import Selection
from tf_style.film.source import Film, Info, is_film, open_film
from tf_style.settings import AUTO, InputError

if TYPE_CHECKING:
    from tf_style.commands.evaluate import EvaluateOptions
    from tf_style.commands.judge import Pictures
    from tf_style.measure.films import Moment
    from tf_style.measure.metrics import Evaluation
    from tf_style.network.choice import Choice

# Column → one or two lines of its head, and its digits.
_COLUMNS = {
    "warping_error_1": ("warping", "lag 1", 4), "source_warping_error_1": ("", "source", 4),
    "relative_error_1": ("", "times", 2),
    "warping_error_5": ("warping", "lag 5", 4), "source_warping_error_5": ("", "source", 4),
    "relative_error_5": ("", "times", 2), "drift": ("drift", "1/255", 2),
    "edge_energy": ("edges", "last", 3), "source_edge_energy": ("", "source", 3),
}
# Options of how frames are judged, which is done with a style alone.
_JUDGED = ("network", "weights", "style_layers", "content_layers", "samples")


def are_films(options: EvaluateOptions) -> bool:
    """Whether films are to be measured: anything that was named is one."""
    # By place, a painted film stands where a style does beside a picture.
    return any(is_film(name) for name in (*_named(options), *options.style))


def evaluate_films(line: CommandLine, options: EvaluateOptions) -> int:
    """Measure films and print what was found.

    Raises:
        InputError: for films that do not belong together, and options that are for pictures.
    """
    options = _check(options)
    _check_heeded(line, options)
    status.show("reading films")
    with contextlib.ExitStack() as opened:
        rate = _rate(options)
        source = opened.enter_context(_open(options.content, rate))
        films = {name: opened.enter_context(_open(name, rate)) for name in options.generated}
        for name, film in films.items():
            _check_belong(options.content, source, name, film)
        judge = _Judge(options) if options.style else None
        if judge:
            judge.check(source.info, {name: film.info for name, film in films.items()})
        _check_outputs(line, options, judge)
        line.tell()
        found = {name: _measured(name, source, film, options.samples)
                 for name, film in films.items()}
    evaluations: dict[str, Mapping[float, Evaluation]] = {}
    if judge:
        with tensorflow_quiet(options.verbose):
            evaluations = judge.evaluations({name: samples for name, (_, samples) in found.items()})
    status.hide()
    scores = FilmScores(
        judge.name if judge else None, {name: moments for name, (moments, _) in found.items()},
        evaluations,
    )
    try:
        scores.print(as_json=options.json)
    finally:
        line.signals.keep()
        if options.plot:
            from tf_style.show.over_time import plot_over_time
            from tf_style.show.plotting import write_figure

            with writing():
                write_figure(options.plot, plot_over_time(scores.moments, scores.evaluations))
    return DONE


def _named(options: EvaluateOptions) -> list[str]:
    return [*filter(None, [options.content]), *options.generated]


def _check(options: EvaluateOptions) -> EvaluateOptions:
    if not options.generated and len(options.style) == 1 and _opens(options.style[0]):
        # As `tf_style_evaluate film.mp4 out.mp4` puts it.
        options = dataclasses.replace(options, style=(), generated=options.style)
    for name in filter(is_film, options.style):
        raise InputError(f"--style={name}: expected a picture, this is a film. A film to measure "
                         "is given as --generated")
    for name in ("content", "generated"):
        if not getattr(options, name):
            raise InputError(f"--{name}: expected a film, such as --{name}=FILE.mp4")
    for name, empty in (("mask", None), ("copied_map", None), ("at_content", AUTO)):
        if (value := getattr(options, name)) != empty:
            raise InputError(f"--{name}={value}: this is for pictures; leave it out for films")
    if not options.content or not _opens(options.content):
        raise InputError(f"--content={options.content}: expected the film that "
                         f"{options.generated[0]} was made from")
    for name in options.generated:
        if not _opens(name):
            raise InputError(f"--generated={name}: expected a film, as --content is one")
    return options


def _check_heeded(line: CommandLine, options: EvaluateOptions) -> None:
    """Check that nothing is asked for that needs a judge where there is none."""
    for name in () if options.style else _JUDGED:
        if name in line.typed:
            raise InputError(f"--{name}: has no effect on films without --style. Leave it out")


def _opens(name: str) -> bool:
    """Whether a name may be a film's beside one that surely is: pictures may be its frames."""
    return is_film(name, animated=True, rate=Fraction(1))


def _rate(options: EvaluateOptions) -> Fraction:
    """Frames a second, where a folder of frames does not say: those of the first film that does."""
    with open_film(next(name for name in _named(options) if is_film(name))) as film:
        return film.info.rate


def _open(name: str, rate: Fraction) -> contextlib.AbstractContextManager[Film]:
    return open_film(name, None if is_film(name, animated=True) else rate)


def _check_belong(content: str, source: Film, name: str, generated: Film) -> None:
    """Check that a film has the frames and the proportions of the one that it was made from."""
    had, has = source.info, generated.info
    # Both sides may have been rounded to even numbers.
    if abs(has.width * had.height - has.height * had.width) > 2 * (had.width + had.height):
        raise InputError(
            f"--generated={name}: {has.width}x{has.height} pixels do not have the proportions of "
            f"--content={content}: {had.width}x{had.height}"
        )
    selection = Selection.noted(has.note)
    frames = selection.count(had), has.frames
    if None in frames or frames[0] != frames[1]:
        # What a file tells may be a guess.
        frames = tuple(sum(1 for _ in each) for each in
                       (selection.frames(source), generated.frames()))
    if abs(frames[0] - frames[1]) > 1:
        taken = "" if selection == Selection() else " of those that it says were taken"
        raise InputError(
            f"--generated={name}: {frames[1]} frames, but --content={content} has "
            f"{frames[0]}{taken}. Expected as many"
        )


def _check_outputs(line: CommandLine, options: EvaluateOptions, judge: _Judge | None) -> None:
    if not options.plot:
        return
    from tf_style.show.plotting import check_figure

    check_figure(options.plot)
    check_apart({"plot": Path(options.plot)}, [
        *_named(options), *options.style, *line.flagfiles, *(judge.choice.files if judge else ()),
    ])


def _measured(
    name: str, source: Film, generated: Film, count: int
) -> tuple[list[Moment], list[tuple[float, np.ndarray, np.ndarray]]]:
    """The moments of a film; and some frames, with their time and what they were made from."""
    from tf_style.measure.films import FilmMeasure, Samples

    measure, samples = FilmMeasure(), Samples(count)
    taken = Selection.noted(generated.info.note).frames(source)
    for pair in zip(taken, generated.frames(), strict=False):
        of = f" of {generated.info.frames}" if generated.info.frames else ""
        status.show(f"measuring frame {len(measure.moments) + 1}{of} of {printable(name)}")
        shown, made = (each.picture.astype(np.float32) / 255 for each in pair)
        measure.add(shown, made, pair[1].time)
        samples.add((float(pair[1].time), *(each.picture for each in pair)))
    return measure.moments, samples.chosen()


class _Judge:
    """Measures frames as pictures.

    Raises:
        InputError: (on construction) for a network or styles that cannot be used.
    """

    def __init__(self, options: EvaluateOptions):
        from tf_style.commands import judge

        self._options = options
        self._pictures: Pictures | None = None
        self.name = ""
        self.choice: Choice
        self.choice, self._fine = judge.chosen(options)

    def check(self, source: Info, films: Mapping[str, Info]) -> None:
        """Read the styles, and check that the network can see them and frames of these sizes."""
        from tf_style.commands import judge
        from tf_style.commands.judge import Pictures
        from tf_style.image.style import read_style

        options = self._options
        side = max(max(each.width, each.height) for each in films.values())
        styles = {name: read_style(name, max_pixels=options.max_pixels, side=side)
                  for name in options.style}
        self._pictures = Pictures(
            _black(source), None, {name: picture for name, (picture, _) in styles.items()},
            [alpha for _, alpha in styles.values()],
            {name: _black(each) for name, each in films.items()},
        )
        judge.check(self.choice, self._fine, self._pictures)

    def evaluations(
        self, samples: Mapping[str, Sequence[tuple[float, np.ndarray, np.ndarray]]]
    ) -> dict[str, dict[float, Evaluation]]:
        """The measures of sampled frames: film → time → measures."""
        from tf_style.commands import judge
        from tf_style.measure.metrics import Judge

        _, content, _ = next(iter(samples.values()))[0]
        pictures = dataclasses.replace(self._pictures, content=content.astype(np.float32) / 255)
        status.show("loading the network")
        network, self.name = judge.built(self._options, self.choice, self._fine, pictures)
        found: dict[str, dict[float, Evaluation]] = {}
        for name, frames in samples.items():
            found[name] = {}
            for number, (time, content, generated) in enumerate(frames, start=1):
                status.show(f"judging frame {number} of {len(frames)} of {printable(name)}")
                content, generated = (np.float32(each) / 255 for each in (content, generated))
                found[name][time] = Judge(
                    network.model, content, list(pictures.styles.values()), pictures.alphas,
                    fine=self._fine,
                ).evaluate(generated)
        return found


def _black(film: Info) -> np.ndarray:
    """In the place of a frame: of that size."""
    return np.zeros((film.height, film.width, 3), np.float32)


@dataclasses.dataclass(frozen=True)
class FilmScores:
    """The measures of all films.

    Attributes:
        judge: what the judge of sampled frames is called; `None` without one.
        moments: name of a film → its moments.
        evaluations: likewise → time of a sampled frame → its measures as a picture.
    """

    judge: str | None
    moments: Mapping[str, Sequence[Moment]]
    evaluations: Mapping[str, Mapping[float, Evaluation]]

    def print(self, *, as_json: bool) -> None:
        """Print them on standard output."""
        if as_json:
            answer(json.dumps(self._records(), indent=2), whole=True)
        else:
            answer("\n".join(self._lines(columns(sys.stdout))))

    def _records(self) -> list[dict]:
        from tf_style.commands.scores import record
        from tf_style.measure.films import Steadiness

        return [
            {"generated": name, "frames": len(moments),
             "cuts": [each.time for each in moments if each.cut],
             **record(Steadiness.of(moments)),
             **(record(_mean(self.evaluations[name])) if self.judge else {}),
             "weights": self.judge,
             "samples": [{"time": time, **record(each)}
                         for time, each in self.evaluations.get(name, {}).items()],
             "over_time": [record(each) for each in moments]}
            for name, moments in self.moments.items()
        ]

    def _lines(self, width: int) -> Iterator[str]:
        from tf_style.commands.scores import in_columns, measured, table
        from tf_style.measure.films import Steadiness

        names = {name: printable(name) for name in self.moments}
        found = {names[name]: dataclasses.asdict(Steadiness.of(moments))
                 for name, moments in self.moments.items()}
        yield from in_columns("generated", [heads for *heads, _ in _COLUMNS.values()], {
            name: [f"{each[column]:.{digits}f}" for column, (*_, digits) in _COLUMNS.items()]
            for name, each in found.items()
        }, width)
        if self.judge:
            rows = {names[name]: _mean(each) for name, each in self.evaluations.items()}
            most = max(map(len, self.evaluations.values()))
            yield from ("", f"mean of {most} frames, judged by {printable(self.judge)}",
                        *table("generated", rows, measured(rows.values()), width))


def _mean(evaluations: Mapping[float, Evaluation]) -> Evaluation:
    """The mean of each measure over the frames for which there is one."""
    from tf_style.measure.metrics import Evaluation

    values = np.array([dataclasses.astuple(each) for each in evaluations.values()])
    known = np.isfinite(values)
    means = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return Evaluation(*np.where(known.any(axis=0), means, np.nan).tolist())
