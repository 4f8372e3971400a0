"""Seconds of a step and of an earlier commit's step, in turn: `python -m benchmarks.earlier`.

Two processes run the same picture, each from its own checkout, and take steps in turn, so that a
slow spell of the machine affects both. Random kernels; the peak memory of each is printed, too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("commit", "195f233", "the earlier one")
flags.DEFINE_integer("size", 512, "height and width in pixels")
flags.DEFINE_integer("pairs", 30, "counted steps of each")
flags.DEFINE_list("settings", [], "others of the run, such as style_loss=gram")
flags.DEFINE_string("output", None, "write the figures as JSON")

HERE = Path(__file__).resolve()
# The first steps are traced and find their memory.
WARM_UP = 3


def run(size: int, settings: dict[str, str]) -> None:
    """Take a step for each line that comes in, and print what it took and the peak so far."""
    import numpy as np

    import tf_style
    try:
        from tf_style.run.machine import peak_memory
    except ImportError:
        # Where it stood in 195f233.
        from tf_style.run.runtime import peak_memory

    content, style = np.random.default_rng(0).random((2, size, size, 3), dtype=np.float32)
    began = time.perf_counter()

    def callback(step: tf_style.Step) -> bool:
        nonlocal began
        print(json.dumps([time.perf_counter() - began, peak_memory()]), flush=True)
        ends = not sys.stdin.readline()
        began = time.perf_counter()
        return ends

    tf_style.stylize(content, style, **{
        "size": size, "scales": 1, "steps": 10_000, "weights": "random", "tolerance": 0,
        "style_cleanup": "off", **settings,
    }, callback=callback)


def main(_: list[str]) -> None:
    from benchmarks import record
    from benchmarks.worktree import ROOT, checkout, environment

    with checkout(FLAGS.commit) as earlier:
        runs = {
            name: subprocess.Popen(
                [sys.executable, HERE, str(FLAGS.size), *FLAGS.settings], cwd=root, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=environment(root),
            )
            for name, root in (("earlier", earlier), ("now", ROOT))
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        peaks: dict[str, int] = {}
        for pair in range(FLAGS.pairs + WARM_UP):
            for name, process in runs.items():
                if pair:
                    process.stdin.write("\n")
                    process.stdin.flush()
                taken, peaks[name] = json.loads(process.stdout.readline())
                if pair >= WARM_UP:
                    seconds[name].append(taken)
        for process in runs.values():
            process.communicate()
    ratios = [now / then for now, then in zip(seconds["now"], seconds["earlier"], strict=True)]
    figures = {
        "commit": FLAGS.commit, "size": FLAGS.size, "settings": FLAGS.settings,
        "pairs": FLAGS.pairs, "ratio": statistics.median(ratios),
        **{f"{name}_seconds": statistics.median(each) for name, each in seconds.items()},
        **{f"{name}_peak_memory_bytes": peak for name, peak in peaks.items()},
    }
    print(json.dumps(figures, indent=2))
    if FLAGS.output:
        record.write(FLAGS.output, {**figures, "all_seconds": seconds})


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdecimal():
        run(int(sys.argv[1]), dict(each.split("=", 1) for each in sys.argv[2:]))
    else:
        app.run(main)
