"""The time to reach a quality, ours and the tutorial's: `python -m benchmarks.time_to_quality`.

Blocks 1 to 3 with real kernels. The reference runs 1000 steps at one size; its final style distance
and content similarity are the target. Ours runs as a command, including the start of the process,
with growing numbers of steps until it reaches both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks import record
from benchmarks.reference import Reference, feature_model
from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.measure.metrics import FINE, Evaluation, Judge
from tf_style.network import features
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.weights import load

FLAGS = flags.FLAGS
flags.DEFINE_string("weights", None, "file with the kernels of blocks 1 to 3", required=True)
flags.DEFINE_string("content", "sample:harbor", "content picture")
flags.DEFINE_string("style", "sample:brushstrokes", "style picture")
flags.DEFINE_integer("size", 512, "long side in pixels")
flags.DEFINE_integer("steps", 1000, "of the reference")
flags.DEFINE_list("reference_style_weights", ["20"], "tried in turn; the best is the target")
flags.DEFINE_list("style_weights", ["5", "6", "8", "10"], "of ours, tried at each length")
flags.DEFINE_multi_string(
    "length", ["15,10,8", "25,15,12", "40,22,14", "60,35,20", "100,60,40"],
    "steps of ours at each of its sizes; given again: tried in turn, short first")
flags.DEFINE_string("output", None, "write the figures as JSON")

# All that there are: the more, the nearer Gram matrices come to the style that is measured.
REFERENCE_STYLE = ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2",
                   "block3_conv1", "block3_conv2", "block3_conv3"]
REFERENCE_CONTENT = ["block3_conv3"]


def reference_run(
    content: np.ndarray, style: np.ndarray, style_weight: float
) -> tuple[float, np.ndarray]:
    """Seconds and result of the tutorial's recipe, building and compiling not counted."""
    network = ARCHITECTURES["vgg16"]
    kernels = load(network, network.up_to(REFERENCE_STYLE), FLAGS.weights).kernels
    run = Reference(
        feature_model(kernels, REFERENCE_STYLE), fit(content, FLAGS.size)[None],
        fit(style, FLAGS.size)[None], REFERENCE_CONTENT, REFERENCE_STYLE,
        style_weight=style_weight,
    )
    step = run.compiled()
    step()
    began = time.perf_counter()
    for _ in range(FLAGS.steps):
        loss = step()
    float(loss)
    return time.perf_counter() - began, run.image.numpy()[0]


def our_run(steps: str, style_weight: str, folder: Path) -> tuple[float, np.ndarray]:
    """Seconds and result of our command, from the start of its process to its end."""
    output = folder / "ours.png"
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tf_style", FLAGS.content, FLAGS.style, output,
         f"--weights={FLAGS.weights}", f"--size={FLAGS.size}", f"--steps={steps}",
         f"--style_weight={style_weight}", "--quiet"],
        check=True,
    )
    return time.perf_counter() - began, read_picture(output)


def shown(measured: Evaluation) -> str:
    return f"{measured.style_distance:.3f} at {measured.content_similarity:.3f}"


def main(_: list[str]) -> None:
    content, style = read_picture(FLAGS.content), read_picture(FLAGS.style)
    judge = Judge(features.feature_model(FINE.layers, FLAGS.weights), content, [style])
    targets = []
    for weight in FLAGS.reference_style_weights:
        seconds, image = reference_run(content, style, float(weight))
        targets.append((seconds, judge.evaluate(image)))
        print(f"reference, style weight {weight}: {seconds:.1f} s, {shown(targets[-1][1])}",
              flush=True)
    # Of two recipes the better one has more of its distance and similarity together.
    reference_seconds, target = max(
        targets, key=lambda each: each[1].content_similarity - each[1].style_distance
    )
    found = None
    with tempfile.TemporaryDirectory() as folder:
        for steps in FLAGS.length:
            for weight in FLAGS.style_weights:
                seconds, image = our_run(steps, weight, Path(folder))
                measured = judge.evaluate(image)
                print(f"ours, {steps} steps, style weight {weight}: {seconds:.1f} s, "
                      f"{shown(measured)}", flush=True)
                if (measured.style_distance <= target.style_distance
                        and measured.content_similarity >= target.content_similarity):
                    found = found or (seconds, steps, weight)
            if found:
                break
    figures = {"reference_seconds": reference_seconds, "target": vars(target),
               "seconds": found and found[0], "steps": found and found[1],
               "style_weight": found and found[2],
               "ratio": found and reference_seconds / found[0]}
    if FLAGS.output:
        record.write(FLAGS.output, figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    app.run(main)
