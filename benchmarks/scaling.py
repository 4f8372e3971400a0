"""Seconds per megapixel and peak memory of our step, by size: `python -m benchmarks.scaling`.

Each size runs in its own process, so that its peak memory is its own. Random kernels.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import numpy as np
from absl import app, flags

from benchmarks import record

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["256", "512", "1024", "2048"], "height and width in pixels")
flags.DEFINE_integer("rounds", 5, "counted steps at each size")
flags.DEFINE_string("precision", "auto", "auto, float32, bfloat16, float16")
flags.DEFINE_string("kind", "ours", "ours, or reference: the tutorial's step")
flags.DEFINE_integer("one", None, "measure this size here and print JSON")
flags.DEFINE_string("output", None, "write the figures as JSON")


def measure(size: int) -> dict[str, float]:
    """Figures of one size, in this process."""
    from benchmarks.variants import our_step, reference_step
    from tf_style.run.machine import peak_memory

    content, style = np.random.default_rng(0).random((2, size, size, 3), dtype=np.float32)
    if FLAGS.kind == "reference":
        step = reference_step(content, style)
    else:
        step = our_step(content, style, FLAGS.precision)
    step()
    seconds = []
    for _ in range(FLAGS.rounds):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    return {"size": size, "seconds": median, "seconds_per_megapixel": median / size**2 * 1e6,
            "peak_memory_bytes": peak_memory()}


def main(_: list[str]) -> None:
    if FLAGS.one:
        print(json.dumps(measure(FLAGS.one)))
        return
    rows = []
    for size in FLAGS.sizes:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scaling", f"--one={size}", f"--kind={FLAGS.kind}",
             f"--rounds={FLAGS.rounds}", f"--precision={FLAGS.precision}"],
            check=True, capture_output=True, text=True,
        )
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        print(f"{row['size']:5} px  {row['seconds']:8.3f} s/step  "
              f"{row['seconds_per_megapixel']:6.3f} s/MP  "
              f"{row['peak_memory_bytes'] / 1e9:5.2f} GB", flush=True)
    if FLAGS.output:
        record.write(FLAGS.output, {"kind": FLAGS.kind, "sizes": rows})


if __name__ == "__main__":
    app.run(main)
