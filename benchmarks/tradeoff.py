"""How much style at how much content, for each kind of weights, several pairs and style weights.

    python -m benchmarks.tradeoff --judge=vgg19.h5 --judge_network=vgg19 \\
        --weights=unsupervised,compact,vgg16.h5 --pairs=benchmarks/pairs.txt --output=folder

Writes `tradeoff.json`, `tradeoff.md` (a table), `tradeoff.png` (a curve for each kind of weights
and pair, in the fine and, where the judge reaches so deep, in the large), and all pictures.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from absl import app, flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_style.image.paths import locate, write_bytes
from tf_style.image.picture import read_picture
from tf_style.measure.metrics import FINE, LARGE, Evaluation, Judge
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.kernel_files import lacking
from tf_style.run.machine import versions
from tf_style.run.stylizer import Stylizer
from tf_style.settings import Settings
from tf_style.show.plotting import write_figure

FLAGS = flags.FLAGS
flags.DEFINE_string("judge", None, "weights of the network that measures", required=True)
flags.DEFINE_string("judge_network", "vgg16", "its architecture")
flags.DEFINE_list("weights", ["random"], "kinds of weights to compare; compact is that network")
flags.DEFINE_multi_string(
    "pair", ["sample:harbor,sample:brushstrokes", "sample:grace_hopper,sample:ink"],
    "content and style picture",
)
flags.DEFINE_string("pairs", "", "a file with such a pair on each line, instead")
flags.DEFINE_string("folder", "../shared", "where the pictures of that file are")
flags.DEFINE_list("style_weights", ["3", "10", "30", "100"], "one point of a curve for each")
flags.DEFINE_string("style_layers", "", "default: those of tf_style")
flags.DEFINE_string("content_layers", "", "default: those of tf_style")
flags.DEFINE_integer("size", 512, "long side in pixels")
flags.DEFINE_string("output", "tradeoff", "folder for all that is written")


@dataclasses.dataclass(frozen=True)
class Point:
    """One run and its measures."""

    weights: str
    pair: str
    style_weight: float
    seconds: float
    steps: int
    measured: Evaluation


def pairs() -> list[str]:
    """The pairs asked for, as two file names between a comma."""
    if not FLAGS.pairs:
        return FLAGS.pair
    lines = Path(FLAGS.pairs).read_text().splitlines()
    return [",".join(_found(name) for name in line.split(","))
            for line in lines if line.strip() and not line.startswith("#")]


def _found(name: str) -> str:
    return name if name.startswith("sample:") else str(Path(FLAGS.folder, name))


def judging_model() -> keras.Model:
    """The judge's feature model, to block 5 if its file reaches so far."""
    large = lacking(FLAGS.judge, ARCHITECTURES[FLAGS.judge_network], LARGE.layers)
    layers = [*FINE.layers, *([] if large else LARGE.layers)]
    return feature_model(dict.fromkeys(layers), FLAGS.judge, network=FLAGS.judge_network)


def measure(weights: str, pair: str, model: keras.Model, folder: Path) -> list[Point]:
    """The curve of one kind of weights on one pair."""
    names = pair.split(",")
    content, style = (read_picture(name) for name in names)
    judge = Judge(model, content, [style])
    label = "_".join(locate(name).stem for name in names)
    chosen = {name: FLAGS[name].value for name in ("style_layers", "content_layers")}
    points = []
    for style_weight in FLAGS.style_weights:
        stylizer = Stylizer(
            size=FLAGS.size, style_weight=style_weight,
            **({"network": weights} if weights in ARCHITECTURES else {"weights": weights}),
            **{name: value for name, value in chosen.items() if value},
        )
        result = stylizer.stylize(content, style)
        result.save(folder / f"{label}_{Path(weights).stem}_{style_weight}.png")
        point = Point(Path(weights).stem, label, float(style_weight), result.seconds,
                      len(result.history), judge.evaluate(result.image))
        print(row(point), flush=True)
        points.append(point)
    return points


_MEASURES = (
    "style_distance", "content_similarity", "style_distance_large", "content_similarity_large",
    "patch_distance", "copied",
)
HEADER = (f"| weights | pair | style weight | {' | '.join(_MEASURES)} | steps | seconds |\n"
          f"|{'---|' * (len(_MEASURES) + 5)}").replace("_", " ")


def row(point: Point) -> str:
    """A row of the table."""
    measures = " | ".join(f"{getattr(point.measured, name):.3f}" for name in _MEASURES)
    return (f"| {point.weights} | {point.pair} | {point.style_weight:g} | {measures} "
            f"| {point.steps} | {point.seconds:.1f} |")


def draw(points: Sequence[Point]) -> Figure:
    """Style distance over content similarity: a column for each pair, a row for each depth."""
    pairs = list(dict.fromkeys(point.pair for point in points))
    depths = {"": "fine", "_large": "large"}
    if np.isnan(points[0].measured.style_distance_large):
        del depths["_large"]
    figure = Figure(figsize=(3.6 * len(pairs), 0.7 + 3 * len(depths)), layout="constrained")
    panels = figure.subplots(len(depths), len(pairs), sharey="row", squeeze=False)
    for (suffix, depth), row_of_panels in zip(depths.items(), panels, strict=True):
        for axes, pair in zip(row_of_panels, pairs, strict=True):
            _draw_curves(axes, [point for point in points if point.pair == pair], suffix)
            axes.set_title(f"{pair}, {depth}")
        row_of_panels[0].set_ylim(bottom=0)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _draw_curves(axes: Axes, points: Sequence[Point], suffix: str) -> None:
    """A curve for each kind of weights."""
    for weights in dict.fromkeys(point.weights for point in points):
        curve = [point.measured for point in points if point.weights == weights]
        axes.plot([getattr(each, f"content_similarity{suffix}") for each in curve],
                  [getattr(each, f"style_distance{suffix}") for each in curve], "o-", label=weights)
    axes.set_xlabel("content similarity")
    axes.set_ylabel("style distance")
    axes.grid(alpha=0.3)


def main(_: list[str]) -> None:
    folder = Path(FLAGS.output)
    folder.mkdir(parents=True, exist_ok=True)
    print(HEADER)
    model = judging_model()
    points = [
        point for weights in FLAGS.weights for pair in pairs()
        for point in measure(weights, pair, model, folder)
    ]
    table = "\n".join([HEADER, *(row(point) for point in points), ""])
    write_bytes(folder / "tradeoff.md", table.encode())
    write_figure(folder / "tradeoff.png", draw(points))
    record = {"versions": versions(), "settings": Settings(size=FLAGS.size).as_dict(),
              "points": [dataclasses.asdict(point) for point in points]}
    write_bytes(folder / "tradeoff.json", json.dumps(record, indent=2).encode())


if __name__ == "__main__":
    app.run(main)
