"""What cleaning a poor style saves: `python -m benchmarks.cleanup --weights=FILE`.

Each style is degraded. The picture made from it is measured by its distance to the clean style, at
the content similarity of the clean style's picture. What counts is how much that distance rises
with cleaning, relative to how much it rises without.
"""

from __future__ import annotations

import json

import numpy as np
from absl import app, flags

from benchmarks import record
from benchmarks.defects import DEFECTS
from tf_style.image.picture import read_picture
from tf_style.image.resize import shrink
from tf_style.measure.metrics import FINE, Judge
from tf_style.network.features import feature_model
from tf_style.run.stylizer import Stylizer

FLAGS = flags.FLAGS
flags.DEFINE_string("weights", None, "of the runs and of the judge", required=True)
flags.DEFINE_integer("size", 384, "long side in pixels")
flags.DEFINE_integer(
    "style_side", 384, "long side of the styles when they are degraded; 0: as they are")
flags.DEFINE_list("style_weights", ["9", "18"], "points of the curve that is read between")
flags.DEFINE_multi_string(
    "pair", ["sample:harbor,sample:brushstrokes", "sample:grace_hopper,sample:stained_glass",
             "sample:grace_hopper,sample:waves"], "content and style picture")
flags.DEFINE_list("defects", ["jpeg", "noise", "small"], "which are tried")
flags.DEFINE_string("output", None, "write the figures as JSON")


def curve(content: np.ndarray, style: np.ndarray, judge: Judge, cleanup: str) -> np.ndarray:
    """Content similarity and style distance at each style weight, `(weights, 2)`."""
    points = []
    for weight in FLAGS.style_weights:
        result = Stylizer(
            size=FLAGS.size, weights=FLAGS.weights, style_weight=weight, style_cleanup=cleanup
        ).stylize(content, style)
        found = judge.evaluate(result.image)
        points.append((found.content_similarity, found.style_distance))
    return np.array(sorted(points))


def main(_: list[str]) -> None:
    model = feature_model(FINE.layers, FLAGS.weights)
    rises: dict[str, list[tuple[float, float]]] = {name: [] for name in FLAGS.defects}
    for pair in FLAGS.pair:
        content, style = (read_picture(name) for name in pair.split(","))
        if FLAGS.style_side:
            style = shrink(style, FLAGS.style_side)
        judge = Judge(model, content, [style])
        clean = curve(content, style, judge, "off")
        similarity = np.mean(clean[:, 0])
        target = np.interp(similarity, *clean.T)
        for name in FLAGS.defects:
            poor = DEFECTS[name](style)
            off, auto = (
                float(np.interp(similarity, *curve(content, poor, judge, each).T) - target)
                for each in ("off", "auto")
            )
            rises[name].append((off, auto))
            print(f"{pair} {name}: {target:.3f} at {similarity:.3f}, rises by {off:.3f} as it is, "
                  f"by {auto:.3f} cleaned", flush=True)
    figures = {}
    for name, each in rises.items():
        off, auto = np.mean(each, axis=0)
        figures[name] = {"off": float(off), "auto": float(auto), "share": float(auto / off)}
    if FLAGS.output:
        record.write(FLAGS.output, figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    app.run(main)
