"""Seconds of one step, ours and the tutorial's, in turn: `python -m benchmarks.step`.

Random kernels and a random picture: the time does not depend on either. Needs no network access.
"""

from __future__ import annotations

import json
import statistics

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import record
from benchmarks.turns import alternate
from benchmarks.variants import CONTENT, STYLE, our_step, reference_step

FLAGS = flags.FLAGS
flags.DEFINE_integer("size", 512, "height and width in pixels")
flags.DEFINE_integer("rounds", 7, "counted steps of each")
flags.DEFINE_string("precision", "auto", "of our step: auto, float32, bfloat16, float16")
flags.DEFINE_bool("torch", False, "also the same graph in PyTorch, where it is installed")
flags.DEFINE_bool("json", False, "print one line of JSON and nothing else")
flags.DEFINE_string("output", None, "write the figures as JSON")


def main(_: list[str]) -> None:
    rng = np.random.default_rng(0)
    content, style = rng.random((2, FLAGS.size, FLAGS.size, 3), dtype=np.float32)
    steps = {
        "reference": reference_step(content, style),
        "ours": our_step(content, style, FLAGS.precision),
    }
    if FLAGS.torch:
        from benchmarks.torch_step import torch_steps

        steps |= torch_steps(content, style, CONTENT, STYLE)
    seconds = alternate(steps, FLAGS.rounds)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    figures = {
        "size": FLAGS.size,
        "reference_seconds": medians["reference"],
        "seconds": medians["ours"],
        "ratio": medians["reference"] / medians["ours"],
        **{name: value for name, value in medians.items() if name not in ("reference", "ours")},
    }
    if FLAGS.output:
        record.write(FLAGS.output, {**figures, "all_seconds": seconds})
    if FLAGS.json:
        print(json.dumps(figures))
        return
    for name, value in medians.items():
        print(f"{name:24} {value:8.4f} s  {medians['reference'] / value:5.2f} times as fast as "
              "the reference")


if __name__ == "__main__":
    tf.get_logger().setLevel("ERROR")
    app.run(main)
