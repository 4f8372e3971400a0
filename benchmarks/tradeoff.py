"""How much style at how much content, for each kind of weights, several pairs and style weights.

    python -m benchmarks.tradeoff --judge=vgg16_block1-3.h5 --weights=random,vgg16_block1-3.h5 \\
        --pair=photo.jpg,painting.jpg --output=folder

Writes `tradeoff.json`, `tradeoff.md` (a table), `tradeoff.png` (a curve for each kind of weights
and pair), and all pictures.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags
from matplotlib.figure import Figure

from tf_style.image.paths import locate, write_bytes
from tf_style.image.picture import read_picture
from tf_style.measure.metrics import FINE, Evaluation, Judge
from tf_style.network.features import feature_model
from tf_style.run.machine import versions
from tf_style.run.stylizer import Stylizer
from tf_style.settings import Settings
from tf_style.show.plotting import write_figure

FLAGS = flags.FLAGS
flags.DEFINE_string("judge", None, "weights of the network that measures", required=True)
flags.DEFINE_list("weights", ["random"], "kinds of weights to compare")
flags.DEFINE_multi_string(
    "pair", ["sample:harbor,sample:brushstrokes", "sample:grace_hopper,sample:ink"],
    "content and style picture",
)
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


def measure(weights: str, pair: str, judge_weights: str, folder: Path) -> list[Point]:
    """The curve of one kind of weights on one pair."""
    names = pair.split(",")
    content, style = (read_picture(name) for name in names)
    judge = Judge(feature_model(FINE.layers, judge_weights), content, [style])
    label = "_".join(locate(name).stem for name in names)
    chosen = {name: FLAGS[name].value for name in ("style_layers", "content_layers")}
    points = []
    for style_weight in FLAGS.style_weights:
        stylizer = Stylizer(
            size=FLAGS.size, weights=weights, style_weight=style_weight,
            **{name: value for name, value in chosen.items() if value},
        )
        result = stylizer.stylize(content, style)
        result.save(folder / f"{label}_{Path(weights).stem}_{style_weight}.png")
        point = Point(Path(weights).stem, label, float(style_weight), result.seconds,
                      len(result.history), judge.evaluate(result.image))
        print(row(point), flush=True)
        points.append(point)
    return points


HEADER = ("| weights | pair | style weight | style distance | content similarity | edge agreement "
          "| colour distance | steps | seconds |\n|---|---|---|---|---|---|---|---|---|")


def row(point: Point) -> str:
    """A row of the table."""
    measures = " | ".join(f"{value:.3f}" for value in dataclasses.astuple(point.measured))
    return (f"| {point.weights} | {point.pair} | {point.style_weight:g} | {measures} "
            f"| {point.steps} | {point.seconds:.1f} |")


def draw(points: Sequence[Point]) -> Figure:
    """Style distance over content similarity, a panel for each pair."""
    pairs = list(dict.fromkeys(point.pair for point in points))
    figure = Figure(figsize=(3.6 * len(pairs), 3.7), layout="constrained")
    panels = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
    for axes, pair in zip(panels, pairs, strict=True):
        for weights in dict.fromkeys(point.weights for point in points):
            curve = [point.measured for point in points
                     if (point.weights, point.pair) == (weights, pair)]
            axes.plot([each.content_similarity for each in curve],
                      [each.style_distance for each in curve], "o-", label=weights)
        axes.set_title(pair)
        axes.set_xlabel("content similarity")
        axes.set_ylabel("style distance")
        axes.grid(alpha=0.3)
    panels[0].set_ylim(bottom=0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def main(_: list[str]) -> None:
    folder = Path(FLAGS.output)
    folder.mkdir(parents=True, exist_ok=True)
    print(HEADER)
    points = [
        point for weights in FLAGS.weights for pair in FLAGS.pair
        for point in measure(weights, pair, FLAGS.judge, folder)
    ]
    table = "\n".join([HEADER, *(row(point) for point in points), ""])
    write_bytes(folder / "tradeoff.md", table.encode())
    write_figure(folder / "tradeoff.png", draw(points))
    record = {"versions": versions(), "settings": Settings(size=FLAGS.size).as_dict(),
              "points": [dataclasses.asdict(point) for point in points]}
    write_bytes(folder / "tradeoff.json", json.dumps(record, indent=2).encode())


if __name__ == "__main__":
    app.run(main)
