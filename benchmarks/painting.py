"""How fast a network paints, and what memory it takes: `python -m benchmarks.painting`.

Milliseconds of a picture, whole commands by their seconds, and large pictures in processes of their
own, so that the peak memory is theirs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks import record

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "sample:waves", "the network")
flags.DEFINE_list("sizes", ["320x240", "512x384"], "of the pictures that are timed")
flags.DEFINE_list("precisions", ["float32", "bfloat16"], "types in which it computes")
flags.DEFINE_integer("rounds", 30, "counted pictures of each size")
flags.DEFINE_list("commands", ["512", "4096"], "long sides of pictures for whole commands")
flags.DEFINE_string("output", None, "write the figures as JSON")


def milliseconds(size: str, precision: str) -> float:
    """The median time of a picture of this size, in this process."""
    from tf_style.run.scene import Scene
    from tf_style.settings import Settings
    from tf_style.transfer.painter import ModelPainter

    width, height = map(int, size.split("x"))
    settings = Settings(model=FLAGS.model, size=max(width, height), precision=precision)
    painter = ModelPainter(settings)
    scene = Scene.of(settings, np.random.default_rng(0).random((height, width, 3), np.float32), [])
    taken = []
    for _ in range(FLAGS.rounds + 2):
        began = time.perf_counter()
        painter.paint(scene)
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken[2:])


def command(side: int) -> dict[str, float]:
    """Seconds and peak memory of a whole command, for a photograph with sides of 4 to 3."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(noise).resize((side, side * 3 // 4)).save(Path(folder, "photo.jpg"))
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tf_style", "photo.jpg", "out.png", f"--model={FLAGS.model}",
             "--size=original", "--report=report.json", "-q"], check=True, cwd=folder,
        )
        seconds = time.perf_counter() - began
        report = json.loads(Path(folder, "report.json").read_text())
    return {"side": side, "seconds": seconds, "peak_memory_bytes": report["peak_memory_bytes"]}


def main(_: list[str]) -> None:
    pictures = [
        {"size": size, "precision": precision, "milliseconds": milliseconds(size, precision)}
        for size in FLAGS.sizes for precision in FLAGS.precisions
    ]
    for each in pictures:
        print(f"{each['size']} {each['precision']}: {each['milliseconds']:.0f} ms")
    commands = [command(int(side)) for side in FLAGS.commands]
    for each in commands:
        print(f"command, {each['side']} pixels: {each['seconds']:.1f} s, "
              f"{each['peak_memory_bytes'] / 1e9:.2f} GB")
    if FLAGS.output:
        record.write(FLAGS.output, {"pictures": pictures, "commands": commands})


if __name__ == "__main__":
    app.run(main)
