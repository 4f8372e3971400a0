"""The command `tf_style_evaluate`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands.command import Command, CommandLine, CommonOptions, refuse_places
from tf_style.commands.display import answer, printable, say
from tf_style.commands.exits import DONE, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.settings import AUTO, MAX_PIXELS, WEIGHTS, InputError, Settings
from tf_style.settings.option import File, Files, Switch, option

if TYPE_CHECKING:
    import numpy as np

    from tf_style.measure.metrics import Evaluation

USAGE = """\
Measure how well pictures took over a style, and how much content they kept.

  tf_style_evaluate --content=FILE --style=FILE --generated=FILE [--generated=FILE ...]
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateOptions(CommonOptions):
    """The options of `tf_style_evaluate`."""

    content: str | None = option(File(), None, "content picture, or sample:NAME")
    style: tuple[str, ...] = option(
        Files(), (), "style picture, or sample:NAME; given again: pooled"
    )
    generated: tuple[str, ...] = option(
        Files(), (), "picture to measure; may be given several times"
    )
    weights: str = option(
        File("NAME|FILE"), AUTO, "of the judge: auto, imagenet, unsupervised, random, or a "
        "weights file",
    )
    offline: bool = option(Switch(), False, Settings.option("offline").help)
    max_pixels: int = option(
        Settings.option("max_pixels").type, MAX_PIXELS, Settings.option("max_pixels").help
    )
    json: bool = option(Switch(), False, "print a JSON list instead of a table")
    plot: str | None = option(
        File(), None, "draw style distance over content similarity"
    )


def evaluate(line: CommandLine) -> int:
    """Measure pictures and print what was found."""
    refuse_places(line)
    options = line.options(EvaluateOptions)
    for name in ("content", "style", "generated"):
        if not getattr(options, name):
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE")
    from tf_style.image.picture import read_picture
    from tf_style.image.resize import fitted_size
    from tf_style.image.style import read_style
    from tf_style.measure import metrics
    from tf_style.network import weights
    from tf_style.network.architectures import ARCHITECTURES
    from tf_style.network.choice import Choice, known_weights

    def read(name: str, side: int | None = None) -> np.ndarray:
        return read_picture(name, max_pixels=options.max_pixels, side=side)

    generated = {name: read(name) for name in options.generated}
    # Content and style are seen at the size of what was generated.
    side = max(max(picture.shape[:2]) for picture in generated.values())
    content = read(options.content, side)
    shown = [read_style(name, max_pixels=options.max_pixels, side=side)
             for name in options.style]
    styles = [picture for picture, _ in shown]
    network = ARCHITECTURES["vgg16"]
    least = network.least_size(metrics.FINE.layers)
    for name, picture in generated.items():
        _check_visible(name, picture.shape[:2], least)
        for style_name, style in zip(options.style, styles, strict=True):
            seen = fitted_size(*style.shape[:2], max(picture.shape[:2]))
            _check_visible(style_name, seen, least)
    if options.plot:
        from tf_style.show.plotting import check_figure

        check_figure(options.plot)
        check_apart({"plot": Path(options.plot)}, [
            options.content, *options.style, *options.generated, *line.flagfiles,
            *([] if options.weights in (AUTO, *WEIGHTS) else [options.weights]),
            *filter(None, [weights.environment_file()]),
        ])
    known_weights(options.weights, network, offline=options.offline)
    if options.weights not in (AUTO, *WEIGHTS):
        weights.load(network, network.up_to(metrics.FINE.layers), options.weights)
    with tensorflow_quiet(options.verbose):
        from tf_style.network.networks import build
    source = weights.resolve(options.weights, network, offline=options.offline)
    built = build(Choice("vgg16", source), metrics.FINE.layers, pictures=[content, *styles],
                  offline=options.offline)
    judge = metrics.Judge(built.model, content, styles, [alpha for _, alpha in shown])
    measured = {name: judge.evaluate(picture) for name, picture in generated.items()}
    flattered = {name: _made_with(name, built.fingerprints) for name in generated}
    try:
        _print(measured, flattered, source, as_json=options.json)
    finally:
        if options.plot:
            from tf_style.show.plotting import plot_tradeoff, write_figure

            line.signals.keep()
            with writing():
                write_figure(options.plot, plot_tradeoff(measured))
    for name, same in flattered.items():
        if same:
            say(f"tf_style_evaluate: {name} was made with the weights that judge it here, which "
                 "flatters it; judge with other --weights")
    return DONE


def _check_visible(name: str, shape: tuple[int, int], least: int) -> None:
    if min(shape) < least:
        raise InputError(
            f"{name}: {shape[1]}x{shape[0]} pixels are too few for the judge. Least side: {least}"
        )


def _made_with(picture: str, judge: Mapping[str, str]) -> bool | None:
    """Whether the judge's kernels made the picture; `None` where the file does not say."""
    from tf_style.image.picture import read_note
    from tf_style.measure.metrics import flattered

    try:
        maker = json.loads(read_note(picture) or "")["weights"]
        return flattered(maker, judge)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _without_nan(measures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no number for what could not be measured: it becomes null."""
    return {name: None if math.isnan(value) else value for name, value in measures.items()}


def _print(
    measured: Mapping[str, Evaluation], flattered: Mapping[str, bool | None], source: str, *,
    as_json: bool,
) -> None:
    if not as_json:
        _print_table(measured, source)
        return
    answer(json.dumps([
        {"generated": name, **_without_nan(dataclasses.asdict(each)), "weights": source,
         "flattered": flattered[name]}
        for name, each in measured.items()
    ], indent=2))


def _print_table(measured: Mapping[str, Evaluation], source: str) -> None:
    measured = {printable(name): each for name, each in measured.items()}
    width = max(len(name) for name in measured)
    answer(f"judged by {printable(source)}")
    answer(f"{'generated':{width}}  style distance  content similarity  edge agreement"
          "  colour distance")
    for name, each in measured.items():
        answer(f"{name:{width}}  {each.style_distance:14.3f}  {each.content_similarity:18.3f}  "
              f"{each.edge_agreement:14.3f}  {each.color_distance:15.3f}")


COMMAND = Command("tf_style_evaluate", USAGE, (EvaluateOptions,), evaluate)
