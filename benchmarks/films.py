"""Films: how fast they are painted, and whether they survive: `python -m benchmarks.films FILM`.

Frames a second from the film's file to the painted film's, decoding, flow, network and encoding
included, without what is loaded once. With `--kills=10`, commands are killed by SIGKILL at random
moments and resumed, each film again and again until it is complete: it must be the same file as an
unbroken run's.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from absl import app, flags

from benchmarks import record

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "sample:waves", "network that paints")
flags.DEFINE_string("style", None, "a style picture: then the optimiser paints")
flags.DEFINE_list("sizes", ["640", "320"], "long sides, in pixels")
flags.DEFINE_integer("frames", 60, "how many frames")
flags.DEFINE_string("steadiness", "auto", "as in tf_style")
flags.DEFINE_integer("kills", 0, "how many times a command is killed")
flags.DEFINE_integer("seed", 0, "of the moments")
flags.DEFINE_string("output", None, "write the figures as JSON")


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        sys.exit("expected the name of a film")
    with tempfile.TemporaryDirectory() as folder:
        rows = (kills if FLAGS.kills else speeds)(argv[1], Path(folder))
    for row in rows:
        print(row)
    if FLAGS.output:
        record.write(FLAGS.output, {"runs": rows})
    sys.exit(any(row.get("same") is False for row in rows))


def speeds(name: str, folder: Path) -> list[dict[str, Any]]:
    """Frames a second at each size."""
    from tf_style.commands.film_request import Request
    from tf_style.commands.flags import parse
    from tf_style.commands.stylize import COMMAND
    from tf_style.film import sink
    from tf_style.film.making import Making, Selection
    from tf_style.film.source import open_film

    rows = []
    for size in FLAGS.sizes:
        output = folder / f"{size}.mp4"
        by = ["--style", FLAGS.style] if FLAGS.style else [
            f"--model={FLAGS.model}", f"--steadiness={FLAGS.steadiness}"]
        line = parse(COMMAND, [f"--content={name}", f"--output={output}", f"--size={size}", *by])
        request = Request.of(line, name)
        with open_film(name) as opened:
            shape = request.size(opened.info)
            end = FLAGS.frames / opened.info.rate
            painter = request.painter(shape)
            with request.store(shape) as store:
                making = Making(opened, Selection(end=Fraction(end)), shape, painter, store)
                began = used = 0.0
                for done in making.frames():
                    if done == 5:
                        # Compiled, and warm.
                        began, used = time.perf_counter(), time.process_time()
                sink.write(output, store, making.times, opened.info, (name, Fraction(0), end), None,
                           print)
                seconds = time.perf_counter() - began
                rows.append({
                    "size": f"{shape[1]}x{shape[0]}", "frames": len(making.times),
                    "a_second": round((len(making.times) - 5) / seconds, 2),
                    "processor_seconds_a_frame": round(
                        (time.process_time() - used) / (len(making.times) - 5), 4),
                })
    return rows


def kills(name: str, folder: Path) -> list[dict[str, Any]]:
    """What became of films whose commands were killed."""
    def command(output: str, *more: str) -> list[str]:
        by = [f"--style={FLAGS.style}", "--steps=10,10,10"] if FLAGS.style else [
            f"--model={FLAGS.model}"]
        return [sys.executable, "-m", "tf_style", f"--content={name}",
                f"--output={folder / output}", "--size=96", f"--end={FLAGS.frames / 25}",
                *by, *more]

    began = time.perf_counter()
    subprocess.run(command("unbroken.mp4"), check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    expected = (folder / "unbroken.mp4").read_bytes()
    rows, moments, killed = [], random.Random(FLAGS.seed), 0
    while killed < FLAGS.kills:
        painted, finished = [], False
        output = f"killed_{len(rows)}.mp4"
        frames = folder / f"{output}.frames"
        while not finished:
            run = subprocess.Popen(command(output, "--resume"), stderr=subprocess.DEVNULL)
            if killed < FLAGS.kills:
                # What is before its first frame can lose nothing.
                before = len(list(frames.glob("*.webp")))
                while len(list(frames.glob("*.webp"))) == before and run.poll() is None:
                    time.sleep(0.001)
                time.sleep(moments.uniform(0, seconds / 10))
                killed += run.poll() is None
                run.kill()
            finished = run.wait() == 0
            painted.append(len(list(frames.glob("*.webp"))))
        rows.append({"frames_after_each": painted,
                     "same": (folder / output).read_bytes() == expected})
    return rows


if __name__ == "__main__":
    app.run(main)
