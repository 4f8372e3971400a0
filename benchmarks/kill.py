"""Runs killed with SIGKILL at random moments and resumed: `python -m benchmarks.kill`.

Each must give the pixels of an uninterrupted run, and start from the last complete checkpoint.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import record
from tf_style.image.picture import read_picture
from tf_style.run.checkpoints import Checkpoints

FLAGS = flags.FLAGS
flags.DEFINE_integer("moments", 20, "how many runs are killed")
flags.DEFINE_integer("seed", 0, "of the moments")
flags.DEFINE_integer("every", 2, "steps between checkpoints")
flags.DEFINE_string("size", "96", "long side, in pixels")
flags.DEFINE_string("steps", "60,60,60", "at three sizes")
flags.DEFINE_string("weights", "random", "as in tf_style")
flags.DEFINE_string("optimizer", "adam", "as in tf_style")
flags.DEFINE_string("output", None, "write the figures as JSON")


def command(folder: Path, name: str, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "tf_style", "--content=sample:harbor", "--style=sample:waves",
        f"--size={FLAGS.size}", "--scales=3", f"--steps={FLAGS.steps}", "--tolerance=0",
        f"--weights={FLAGS.weights}", f"--optimizer={FLAGS.optimizer}",
        "--content_layers=block2_conv1", "--style_layers=block1_conv1,block2_conv1",
        "--style_loss=gram,sliced_wasserstein", f"--output={folder / name}.png",
        f"--report={folder / name}.json", *more,
    ]


def steps_kept(folder: Path) -> int:
    """Steps at the last complete checkpoint, as TensorFlow reads them; 0 without any."""
    for path in Checkpoints(folder).newest_first():
        counts = tf.train.load_checkpoint(str(path / "state"))
        return int(counts.get_tensor("adam/count/.ATTRIBUTES/VARIABLE_VALUE"))
    return 0


def main(_: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = kill_runs(Path(folder))
    # L-BFGS moves the image without Adam's count.
    counted = FLAGS.optimizer == "adam"
    good = [row["same_pixels"] and (not counted or row["resumed_at_step"] == row["last_checkpoint"])
            for row in rows]
    print(f"{sum(good)} of {len(good)} resumed from their last checkpoint to the same pixels")
    if FLAGS.output:
        record.write(FLAGS.output, {"good": sum(good), "runs": rows})
    sys.exit(sum(good) != len(good))


def kill_runs(folder: Path) -> list[dict[str, Any]]:
    """What became of each run."""
    began = time.perf_counter()
    unbroken = subprocess.Popen(command(folder, "unbroken"), stderr=subprocess.PIPE)
    unbroken.stderr.readline()
    first_step = time.perf_counter() - began
    if unbroken.communicate() and unbroken.returncode:
        sys.exit("the unbroken run failed")
    seconds = time.perf_counter() - began
    expected = read_picture(folder / "unbroken.png")
    rows, moments = [], random.Random(FLAGS.seed)
    for number in range(FLAGS.moments):
        kept = folder / f"kept_{number}"
        keeping = (f"--checkpoint={kept}", f"--checkpoint_every={FLAGS.every}", "--quiet")
        # From the moment when the first checkpoint is being written.
        moment = moments.uniform(0, seconds - first_step)
        run = subprocess.Popen(command(folder, "killed", *keeping))
        while not kept.exists() and run.poll() is None:
            time.sleep(0.001)
        time.sleep(moment)
        finished = run.poll() is not None
        run.kill()
        run.wait()
        partial = (kept / "partial").exists()
        last = steps_kept(kept)
        subprocess.run(command(folder, "resumed", *keeping, "--resume"), check=True,
                       stderr=subprocess.DEVNULL)
        report = json.loads((folder / "resumed.json").read_text())
        rows.append({
            "moment": round(moment, 2), "finished": finished, "while_writing": partial,
            "last_checkpoint": last, "resumed_at_step": report["resumed_at_step"],
            "steps": report["steps"],
            "same_pixels": bool(np.array_equal(read_picture(folder / "resumed.png"), expected)),
        })
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    app.run(main)
