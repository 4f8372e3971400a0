"""What several workers save, and what giving them tasks costs: `python -m benchmarks.workers`.

Folders of pictures, each by one process and by `--workers`, in turn, start-up counted; then tasks
that take no time, by workers that are not there and by processes.
"""

from __future__ import annotations

import collections
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from absl import app, flags
from PIL import Image

from benchmarks import record
from benchmarks.nothing import Nothing
from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.processes import Processes
from tf_style.cluster.task import Task
from tf_style.image.numbers import eight_bit
from tf_style.image.picture import read_picture
from tf_style.image.samples import CONTENT_SAMPLES
from tf_style.run.machine import cores

FLAGS = flags.FLAGS
flags.DEFINE_list("batches", ["40:256", "12:512"], "pictures:size of each folder")
flags.DEFINE_integer("workers", 0, "how many; 0: one for each core")
flags.DEFINE_integer("rounds", 1, "how often each, in turn")
flags.DEFINE_string("network", "compact", "the network")
flags.DEFINE_list("options", [], "further flags, without the dashes")
flags.DEFINE_integer("tasks", 10_000, "tasks that take no time")
flags.DEFINE_string("output", None, "write the figures as JSON")


class Nobody:
    """An engine whose workers are done at once and cannot be seen."""

    def __init__(self):
        self._waiting: collections.deque[Message] = collections.deque()
        self._count = 0

    def room(self):
        return 4 - self._count

    def start(self):
        self._count += 1
        self._waiting.append(Message(str(self._count), Kind.READY, Hello.of_this_process()))
        return str(self._count)

    def give(self, worker, task):
        self._waiting.append(Message(worker, Kind.RESULT, task.data))

    def stop(self, worker):
        pass

    def dismiss(self, worker):
        pass

    def hear(self, seconds):
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def close(self):
        pass


def tasks(count: int):
    # What a report says of a picture takes about as much.
    return (Task(str(number), "picture", bytes(3000)) for number in range(count))


def pace(engine, count: int) -> float:
    """Tasks a second."""
    began = time.perf_counter()
    assert sum(1 for _ in Dispatcher(engine).done(tasks(count))) == count
    return count / (time.perf_counter() - began)


def peak(count: int) -> float:
    """The most bytes that a dispatcher takes for so many tasks."""
    tracemalloc.start()
    pace(Nobody(), count)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def make_pictures(folder: Path, count: int) -> None:
    """Samples, and the same in a mirror."""
    names = list(CONTENT_SAMPLES)
    for number in range(count):
        picture = read_picture(f"sample:{names[number % len(names)]}")
        if number // len(names) % 2:
            picture = picture[:, ::-1]
        Image.fromarray(eight_bit(picture)).save(folder / f"{number:03}.png")


def command(photos: Path, size: str, workers: int) -> float:
    """Seconds that a command takes for all pictures of a folder."""
    with tempfile.TemporaryDirectory() as output:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tf_style", f"--content={photos}", "--style=sample:waves",
             f"--output={output}/", f"--size={size}", f"--workers={workers}", "--quiet",
             f"--network={FLAGS.network}", *(f"--{each}" for each in FLAGS.options)],
            check=True,
        )
        seconds = time.perf_counter() - began
        assert len(list(Path(output).iterdir())) == len(list(photos.iterdir()))
    return seconds


def main(_: list[str]) -> None:
    workers = FLAGS.workers or cores()
    figures: dict[str, float] = {"workers": workers}
    for batch in FLAGS.batches:
        count, _, size = batch.partition(":")
        seconds: dict[int, list[float]] = {1: [], workers: []}
        with tempfile.TemporaryDirectory() as photos:
            make_pictures(Path(photos), int(count))
            for _ in range(FLAGS.rounds):
                for each, found in seconds.items():
                    found.append(command(Path(photos), size, each))
                    print(f"{count} of {size} pixels, workers: {each}, {found[-1]:.1f} s",
                          flush=True)
        middle = {each: statistics.median(found) for each, found in seconds.items()}
        for each, found in middle.items():
            figures[f"{size}_a_minute_by_{each}"] = int(count) / found * 60
        figures[f"{size}_ratio"] = middle[1] / middle[workers]
    figures["scheduled_a_second"] = pace(Nobody(), FLAGS.tasks)
    figures["processes_a_second"] = pace(Processes(Nothing(), workers), FLAGS.tasks)
    figures["bytes_for_all"] = peak(FLAGS.tasks)
    figures["bytes_for_a_hundredth"] = peak(max(1, FLAGS.tasks // 100))
    for name, value in figures.items():
        print(f"{name:26} {value:.3g}")
    if FLAGS.output:
        record.write(FLAGS.output, figures)


if __name__ == "__main__":
    app.run(main)
