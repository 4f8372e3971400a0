"""The command `tf_style_evaluate`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands.exits import DONE, say, tensorflow_quiet
from tf_style.commands.flags import answered, parse, refuse
from tf_style.commands.outputs import check_apart
from tf_style.settings import AUTO, EVALUATE_OPTIONS, WEIGHTS, InputError

if TYPE_CHECKING:
    from tf_style.view.metrics import Evaluation

EVALUATE_USAGE = """\
Measure how well pictures took over a style, and how much content they kept.

  tf_style_evaluate --content=FILE --style=FILE --generated=FILE [--generated=FILE ...]
"""


def evaluate(argv: list[str]) -> int:
    values, positional = parse("tf_style_evaluate", EVALUATE_OPTIONS, argv)
    if answered(values, EVALUATE_USAGE, EVALUATE_OPTIONS):
        return DONE
    refuse(positional)
    for name in ("content", "style", "generated"):
        if not values.get(name):
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE")
    from tf_style.image import files
    from tf_style.network import weights
    from tf_style.network.architectures import ARCHITECTURES
    from tf_style.network.choice import known_weights
    from tf_style.network.kernel_files import digests
    from tf_style.view import metrics

    content = files.read_picture(values["content"])
    styles = [files.read_picture(name) for name in values["style"]]
    generated = {name: files.read_picture(name) for name in values["generated"]}
    network = ARCHITECTURES["vgg16"]
    for name, picture in generated.items():
        _check_visible(name, picture.shape[:2], network.least_size(metrics.STYLE_LAYERS))
        for style_name, style in zip(values["style"], styles, strict=True):
            seen = files.fitted_size(*style.shape[:2], max(picture.shape[:2]))
            _check_visible(style_name, seen, network.least_size(metrics.STYLE_LAYERS))
    if values.get("plot"):
        from tf_style.view.plotting import check_figure

        check_figure(values["plot"])
        check_apart({"plot": Path(values["plot"])}, [
            values["content"], *values["style"], *values["generated"], *values["flagfile"],
            *[name for name in (values.get("weights"), weights.environment_file()) if name],
        ])
    layers = network.up_to(metrics.STYLE_LAYERS)
    given, offline = values.get("weights", AUTO), values.get("offline", False)
    known_weights(given, network, offline=offline)
    if given not in (AUTO, *WEIGHTS):
        weights.load(network, layers, given)
    with tensorflow_quiet(values.get("verbose", False)):
        from tf_style.network.features import vgg_model
    source = weights.resolve(given, network, offline=offline)
    kernels = weights.load(
        network, layers, source, pictures=[content, *styles], offline=offline
    ).kernels
    judge = metrics.Judge(vgg_model(network, metrics.STYLE_LAYERS, kernels), content, styles)
    measured = {name: judge.evaluate(picture) for name, picture in generated.items()}
    flattered = {name: _made_with(name, digests(kernels)) for name in generated}
    if values.get("json"):
        rows = [
            {"generated": name, **_without_nan(dataclasses.asdict(measured[name])),
             "weights": source, "flattered": flattered[name]}
            for name in values["generated"]
        ]
        print(json.dumps(rows, indent=2))
    else:
        _print_table(measured, source)
    for name, same in flattered.items():
        if same:
            say(f"tf_style_evaluate: {name} was made with the weights that judge it here, which "
                 "flatters it; judge with other --weights")
    if values.get("plot"):
        from tf_style.view.plotting import plot_tradeoff, write_figure

        write_figure(values["plot"], plot_tradeoff(measured))
    return DONE


def _check_visible(name: str, shape: tuple[int, int], least: int) -> None:
    if min(shape) < least:
        raise InputError(
            f"{name}: {shape[1]}x{shape[0]} pixels are too few for the judge. Least side: {least}"
        )


def _made_with(picture: str, judge: Mapping[str, str]) -> bool | None:
    """Whether the judge's kernels made the picture; `None` where the file does not say."""
    from tf_style.image.files import read_note
    from tf_style.view.metrics import flattered

    try:
        maker = json.loads(read_note(picture) or "")["weights"]
        return flattered(maker, judge)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _without_nan(measures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no number for what could not be measured; it has null."""
    return {name: None if math.isnan(value) else value for name, value in measures.items()}


def _print_table(measured: Mapping[str, Evaluation], source: str) -> None:
    width = max(len(name) for name in measured)
    print(f"judged by {source}")
    print(f"{'generated':{width}}  style distance  content similarity  edge agreement"
          "  colour distance")
    for name, each in measured.items():
        print(f"{name:{width}}  {each.style_distance:14.3f}  {each.content_similarity:18.3f}  "
              f"{each.edge_agreement:14.3f}  {each.color_distance:15.3f}")
