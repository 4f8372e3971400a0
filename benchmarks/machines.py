"""How the time of many pictures grows with machines, simulated: `python -m benchmarks.machines`.

The program's own dispatcher gives tasks to workers that exist only as times, drawn from those of
the pictures of a report: `tf_style … --cluster=local --report=report.json`.
"""

from __future__ import annotations

import heapq
import json
import random
from pathlib import Path

from absl import app, flags

from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.task import Task

FLAGS = flags.FLAGS
flags.DEFINE_string("report", None, "of pictures that were painted by workers", required=True)
flags.DEFINE_integer("pictures", 1000, "how many there are to paint", lower_bound=1)
flags.DEFINE_list("nodes", ["1", "2", "4", "8", "16", "32", "64"], "how many machines")
flags.DEFINE_integer("workers", 2, "of each machine", lower_bound=1)
flags.DEFINE_float("start", 12.0, "seconds until a worker has loaded TensorFlow")
flags.DEFINE_float("seam", 0.02, "seconds between two pictures of a worker")
flags.DEFINE_float("megabytes", 3.0, "that travel for each picture through the head's one line")
flags.DEFINE_float("line", 100.0, "megabytes a second of this line; 0: all see one folder")
flags.DEFINE_float("deaths", 0.0, "workers that die in an hour, of a thousand")
flags.DEFINE_integer("seed", 0, "of the draws")
flags.DEFINE_string("output", None, "write the figures as JSON")


class Simulated:
    """An engine whose workers take time that nobody waits for.

    Args:
        seconds: those of pictures, from which a task's are drawn.

    Attributes:
        now: what its clock shows.
        worked: seconds for which workers have painted what was finished.
    """

    def __init__(self, seconds: list[float], count: int, draw: random.Random):
        self.now = self.worked = 0.0
        self._seconds, self._count, self._draw = seconds, count, draw
        self._running: set[str] = set()
        self._coming: list[tuple[float, int, Message]] = []
        self._begun = self._said = 0
        # When the head's line has nothing more to carry.
        self._line = 0.0

    def room(self) -> int:
        return self._count - len(self._running)

    def start(self) -> str:
        self._begun += 1
        name = f"worker {self._begun}"
        self._running.add(name)
        self._say(FLAGS.start, Message(name, Kind.READY, Hello.of_this_process()))
        return name

    def give(self, worker: str, task: Task) -> None:
        wait = 0.0
        if FLAGS.line:
            self._line = max(self._line, self.now) + FLAGS.megabytes / FLAGS.line
            wait = self._line - self.now
        seconds = self._draw.choice(self._seconds)
        dies = self._draw.expovariate(FLAGS.deaths / 3.6e6) if FLAGS.deaths else float("inf")
        if dies < seconds:
            self._say(wait + dies, Message(worker, Kind.LOST, "ended"))
        else:
            self._say(wait + seconds + FLAGS.seam, Message(worker, Kind.RESULT, seconds))

    def stop(self, worker: str) -> None:
        raise AssertionError

    def dismiss(self, worker: str) -> None:
        self._running.discard(worker)

    def hear(self, seconds: float) -> list[Message]:
        self.now, _, message = heapq.heappop(self._coming)
        if message.kind is Kind.LOST:
            self._running.discard(message.worker)
        elif message.kind is Kind.RESULT:
            self.worked += message.value
        return [message]

    def close(self) -> None:
        """There is nothing to end."""

    def _say(self, later: float, message: Message) -> None:
        self._said += 1
        heapq.heappush(self._coming, (self.now + later, self._said, message))


def main(_: list[str]) -> None:
    entries = json.loads(Path(FLAGS.report).read_text())["pictures"]
    seconds = [entry["seconds"] for entry in entries if "seconds" in entry]
    rows = []
    print("nodes  workers  minutes  times one node  busy")
    for nodes in map(int, FLAGS.nodes):
        engine = Simulated(seconds, nodes * FLAGS.workers, random.Random(FLAGS.seed))
        tasks = (Task(str(number), "", None) for number in range(FLAGS.pictures))
        done = sum(not each.lost for each in Dispatcher(engine).done(tasks))
        row = {
            "nodes": nodes, "minutes": engine.now / 60, "done": done,
            "busy": engine.worked / (engine.now * nodes * FLAGS.workers),
        }
        rows.append(row)
        row["times"] = rows[0]["minutes"] / row["minutes"]
        print(f"{nodes:5}  {nodes * FLAGS.workers:7}  {row['minutes']:7.1f}  {row['times']:14.1f}  "
              f"{row['busy']:4.0%}")
    if FLAGS.output:
        from benchmarks import record

        record.write(FLAGS.output, {"rows": rows, "seconds": seconds})


if __name__ == "__main__":
    app.run(main)
