"""Runs ended at random moments: `python -m benchmarks.kill`, `python -m benchmarks.kill --stop`.

Killed with SIGKILL and resumed, each must give the pixels of an uninterrupted run, and start from
the last complete checkpoint. With `--stop` they are asked to stop, by SIGINT, SIGTERM or SIGHUP,
once or twice, while they paint one picture or three: none may end with a traceback, lose a picture
that was complete, or the picture so far, or leave anything half written.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import record
from tf_style.image.picture import read_picture, write_picture
from tf_style.run.checkpoints import Checkpoints

FLAGS = flags.FLAGS
flags.DEFINE_integer("moments", 20, "how many runs are ended")
flags.DEFINE_bool("stop", False, "ask them to stop instead of killing them")
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
        rows = (stop_runs if FLAGS.stop else kill_runs)(Path(folder))
    if FLAGS.stop:
        good = [not row["wrong"] for row in rows]
        tell(good, "ended as they should", rows)
        return
    # L-BFGS moves the image without Adam's count.
    counted = FLAGS.optimizer == "adam"
    good = [row["same_pixels"] and (not counted or row["resumed_at_step"] == row["last_checkpoint"])
            for row in rows]
    tell(good, "resumed from their last checkpoint to the same pixels", rows)


def tell(good: list[bool], what: str, rows: list[dict[str, Any]]) -> None:
    """Say how many were good, and exit with 1 if not all were."""
    print(f"{sum(good)} of {len(good)} {what}")
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


def stop_runs(folder: Path) -> list[dict[str, Any]]:
    """What became of each run that was asked to stop."""
    photos = folder / "photos"
    photos.mkdir()
    harbor = read_picture("sample:harbor")
    for number in range(3):
        write_picture(photos / f"{number}.png", harbor[:, number * 8 :])
    # How long they take: a run alone, and a run of three.
    seconds = [stop_run(folder, many, None, ()) for many in (False, True)]
    for each in seconds:
        if each["wrong"]:
            sys.exit(f"a run that nobody stopped failed: {each}")
    rows, moments = [], random.Random(FLAGS.seed)
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    # Under nohup, a command ignores SIGHUP, as it should.
    signals = [each for each in signals if signal.getsignal(each) != signal.SIG_IGN]
    for number in range(FLAGS.moments):
        many = number % 2 == 1
        # Each third run is asked twice.
        moment = moments.uniform(0, seconds[many]["seconds"])
        chosen = [moments.choice(signals) for _ in range(1 + (number % 3 == 2))]
        rows.append(stop_run(folder, many, moment, chosen))
        print(rows[-1], flush=True)
    return rows


def stop_run(
    folder: Path, many: bool, moment: float | None, signals: Sequence[int]
) -> dict[str, Any]:
    """What became of one run.

    Args:
        many: whether it paints three pictures; else one, with a checkpoint folder.
        moment: seconds after our first line when the signals are sent; `None` for never.
    """
    out, kept = folder / "out", folder / "kept"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(kept, ignore_errors=True)
    out.mkdir()
    # The last flag of a name counts.
    more = ([f"--content={folder / 'photos'}", f"--output={out}/{{content}}.png"] if many
            else [f"--checkpoint={kept}", f"--output={out}/0.png"])
    with open(folder / "said", "wb+") as said:
        run = subprocess.Popen(command(folder, "stopped", *more), stdout=said, stderr=said)
        while not handles_signals(run.pid) and run.poll() is None:
            time.sleep(0.001)
        began = time.perf_counter()
        while moment and time.perf_counter() - began < moment and run.poll() is None:
            time.sleep(0.001)
        complete = list(out.glob("?.png"))
        shown = (folder / "said").read_bytes()
        late = run.poll() is not None
        for number in signals:
            run.send_signal(number)
            time.sleep(0.02)
        code = run.wait()
        said.seek(0)
        text = said.read().decode(errors="replace")
    seconds = time.perf_counter() - began
    wrong = [what for what in ("Traceback", "Exception ignored", "Error") if what in text]
    names = sorted(path.name for path in out.iterdir())
    wrong += [f"left behind: {name}" for name in names if not re.fullmatch(
        r"\d(_unfinished)?\.png", name)]
    wrong += [f"left behind: {path}" for path in kept.glob("*")
              if path.name in ("partial", ".lock")]
    wrong += [f"lost: {path}" for path in complete if not path.exists()]
    for name in names:
        read_picture(out / name)
    if code not in ((0, 130) if signals else (0,)):
        wrong.append(f"exit code {code}")
    if code == 0 and len([name for name in names if "_" not in name]) != (3 if many else 1):
        wrong.append("not all are there")
    if code == 130 and len(signals) == 1 and b"step 1/" in shown and not names:
        wrong.append("the picture so far is lost")
    return {"moment": moment and round(moment, 2), "pictures": 3 if many else 1,
            "signals": [signal.Signals(each).name for each in signals], "late": late,
            "code": code, "made": names, "seconds": round(seconds, 2), "wrong": wrong,
            "said": text.splitlines()[-1:] if code == 130 or wrong else []}


def handles_signals(process: int) -> bool:
    """Whether our first line has run: before it, Python ends at SIGTERM as any program does."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        # Not Linux. Python takes so long to begin, if nothing else keeps the machine busy.
        time.sleep(0.15)
        return True
    masks = [int(each, 16) for each in re.findall(r"Sig(?:Cgt|Ign):\s*(\w+)", status)]
    return all(any(mask >> number - 1 & 1 for mask in masks)
               for number in (signal.SIGTERM, signal.SIGHUP))


if __name__ == "__main__":
    app.run(main)
