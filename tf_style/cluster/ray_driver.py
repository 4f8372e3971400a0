"""The process that speaks with Ray. No TensorFlow.

Ray prints, handles signals, and ends the process in which it is where its cluster is lost. It does
so here, and the process of the command stays as it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pickle
import queue
import shutil
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tf_style.cluster.child import parent
from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.ray_actor import Actor, File
from tf_style.cluster.task import Task, Unwritten
from tf_style.image.paths import existing, mark, write_bytes
from tf_style.image.samples import PREFIX
from tf_style.image.unfinished import none_unfinished, unfinished
from tf_style.run import machine
from tf_style.settings import InputError

LOCAL = "local"
# Seconds from one look at the clock to the next.
_TURN = 0.2
# Seconds from one look at the cluster to the next.
_LOOK = 2.0
# Seconds after which a cluster that does not answer is lost.
_LOST = 20.0
# So many looks in a row at which nobody listens: it is lost for sure.
_REFUSALS = 3
# Seconds that nodes are waited for which have what a worker needs.
_JOIN = 30.0
# Seconds that actors have for their end.
_GRACE = 3.0
# How many files that were sent are kept for other workers.
_SENT = 16
# Bytes; the least that Ray takes. Files are sent only to other machines.
_STORE = 80 << 20
# Threads of an actor: one listens, one is given a task, and one is told to stop or to leave.
_THREADS = 4


class ClusterError(Exception):
    """A cluster is lost, or of no use; the message goes on where its name ends."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What there is.

    Attributes:
        nodes: the resources of each, as Ray names them.
    """

    nodes: tuple[dict[str, float], ...]

    @property
    def gpus(self) -> int:
        """How many there are."""
        return int(sum(node.get("GPU", 0) for node in self.nodes))

    @property
    def memory(self) -> float:
        """Bytes of the node that has most of it."""
        return max((node.get("memory", 0.0) for node in self.nodes), default=0.0)


@dataclasses.dataclass(frozen=True)
class Need:
    """What a worker takes of its node.

    Attributes:
        threads: cores.
        gpus: whole ones.
        memory: bytes.
    """

    threads: int
    gpus: int
    memory: float

    def of(self, resources: dict[str, float]) -> int:
        """How many workers there is room for."""
        wanted = {"CPU": self.threads, "GPU": self.gpus, "memory": self.memory}
        return int(min(
            resources.get(name, 0.0) // much for name, much in wanted.items() if much))

    def left(self, resources: dict[str, float], workers: int) -> dict[str, float]:
        """What so many workers leave of it."""
        taken = {"CPU": self.threads, "GPU": self.gpus, "memory": self.memory}
        return {name: much - workers * taken.get(name, 0) for name, much in resources.items()}

    def __str__(self) -> str:
        gpus = f", {self.gpus} GPU" if self.gpus else ""
        return f"{self.threads} CPU{gpus} and {self.memory / 1e9:.1f} GB"


@dataclasses.dataclass
class _Worker:
    """An actor, and what it is doing.

    Attributes:
        actor: its handle; `None` while there is no room for it.
        node: the identity of its node.
        ready: whether it has begun.
        task: what it was given last.
        files: those that this reads, by name.
        probe: what is undone once it has looked for the file that shows a shared folder.
    """

    actor: Any = None
    node: str = ""
    ready: bool = False
    task: Task | None = None
    files: dict[str, File] = dataclasses.field(default_factory=dict)
    probe: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)


class Driver:
    """Has actors on the nodes of a cluster, and does what the process of the command asks.

    Args:
        say: called with what that process is told: a word and a value.
        work: what actors do, pickled.
        need: what each of them takes.
    """

    def __init__(self, say: Callable[[str, Any], None], work: bytes, need: Need):
        import ray

        self._ray, self._say, self._need = ray, say, need
        self._work = ray.put(work)
        self._workers: dict[str, _Worker] = {}
        self._waiting: list[str] = []
        self._leaving: list[Any] = []
        # Node → why no worker can be there.
        self._unfit: dict[str, str] = {}
        self._answers: queue.SimpleQueue[tuple[Callable[..., None], str, Future]] = (
            queue.SimpleQueue())
        self._sent: dict[File, Any] = {}
        self._nodes: dict[str, dict[str, float]] = {}
        self._free: dict[str, dict[str, float]] = {}
        self._seen = self._fit = time.monotonic()
        self._lock = threading.RLock()
        self.ended = threading.Event()
        self._hello = Hello.of_this_process()
        self._started = 0
        threading.Thread(target=self._look, daemon=True).start()

    def start(self, name: str) -> None:
        with self._lock:
            self._started += 1
            self._workers[name] = _Worker()
            self._waiting.append(name)
            self._place()

    def give(self, name: str, task: Task) -> None:
        with self._lock:
            if not (worker := self._workers.get(name)) or not worker.actor:
                return
            worker.task = task
            worker.files = {name: _file(name) for name in task.files if not name.startswith(PREFIX)}
            probe = self._probe(worker, task.output) if task.output else ""
            self._ask(self._send, name, worker.actor.see.remote([*worker.files.values()], probe))

    def stop(self, name: str) -> None:
        with self._lock:
            if (worker := self._workers.get(name)) and worker.actor:
                worker.actor.stop.remote()

    def dismiss(self, name: str) -> None:
        with self._lock:
            if name in self._workers:
                self._drop(name)

    def turn(self) -> None:
        """Hear those who say something, within a moment.

        Raises:
            ClusterError: if the cluster is lost, or has no node for a worker.
        """
        with contextlib.suppress(queue.Empty):
            take, name, future = self._answers.get(timeout=_TURN)
            with self._lock:
                if worker := self._workers.get(name):
                    self._answered(take, name, worker, future)
        now = time.monotonic()
        if now - self._seen > _LOST:
            raise ClusterError("does not answer any more")
        with self._lock:
            able = {node for node, all_of_it in self._nodes.items() if self._need.of(all_of_it)}
            if able and able <= self._unfit.keys():
                why = [*self._unfit.values()][-1]
                raise ClusterError(f"has no node that can be used: {why}")
        if now - self._fit > _JOIN:
            raise ClusterError(f"has no node with what a worker needs, {self._need}")

    def close(self) -> None:
        with self._lock:
            for name in list(self._workers):
                self._drop(name)
            # Refs of actors that are no more are ready at once.
            with contextlib.suppress(Exception):
                if self._leaving:
                    self._ray.wait([ref for _, ref in self._leaving],
                                   num_returns=len(self._leaving), timeout=_GRACE)
            for actor, _ in self._leaving:
                with contextlib.suppress(Exception):
                    self._ray.kill(actor)

    def _ask(self, take: Callable[..., None], name: str, ref: Any) -> None:
        """Have `take` called with a worker, and what it answers, by the thread that turns."""
        ref.future().add_done_callback(
            lambda future: self._answers.put((take, name, future)))

    def _answered(
        self, take: Callable[..., None], name: str, worker: _Worker, future: Future
    ) -> None:
        try:
            value = future.result()
        except Exception as error:
            self._lost(name, _why(error))
        else:
            take(name, worker, value)

    def _hear(self, name: str, worker: _Worker, said: list[tuple[Kind, Any]]) -> None:
        self._ask(self._hear, name, worker.actor.hear.remote())
        for kind, content in said:
            if kind is Kind.READY and (differs := content.differs(self._hello)):
                kind, content = Kind.UNFIT, f"{content.name} has {differs}"
            if kind is Kind.UNFIT:
                self._leave_out(worker.node, content)
                return
            if kind is Kind.READY:
                worker.ready = True
            unwritten = None
            if kind is Kind.RESULT:
                content, files = content
                unwritten = brought_home(worker.task.output, files)
            self._say("said", Message(name, kind, content, unwritten))

    def _leave_out(self, node: str, why: str) -> None:
        """Begin nobody more on a node that cannot do the work; one of those begun there says so.

        Those who have a task there already end it.

        Args:
            node: its identity.
        """
        self._unfit[node] = why
        begun = [name for name, each in self._workers.items()
                 if each.node == node and not each.ready]
        for number, name in enumerate(begun):
            self._drop(name)
            self._say("said", Message(name, Kind.LEFT if number else Kind.UNFIT, why))

    def _lost(self, name: str, why: str) -> None:
        self._drop(name)
        self._say("said", Message(name, Kind.LOST, why))

    def _send(self, name: str, worker: _Worker, seen: tuple[list[bool], bool]) -> None:
        """Give an actor its task, with the files that it does not see."""
        is_seen, shared = seen
        worker.probe.close()
        task = worker.task
        contents = {
            each: content for each, known in zip(worker.files, is_seen, strict=True)
            if not known and (content := self._content(worker.files[each])) is not None}
        output = os.fspath(task.output) if task.output else ""
        place = os.path.abspath(output) if shared else ""
        self._ask(lambda *_: None, name, worker.actor.give.remote(
            task.data, worker.files, [*contents], output, place, *contents.values()))

    def _content(self, file: File) -> Any:
        """A reference to what is in a file; `None` for one that cannot be read, as nobody can."""
        if file not in self._sent:
            try:
                content = Path(file[0]).read_bytes()
            except OSError:
                return None
            while len(self._sent) >= _SENT:
                del self._sent[next(iter(self._sent))]
            self._sent[file] = self._ray.put(content)
        # The last that was wanted is the last to be given up.
        self._sent[file] = self._sent.pop(file)
        return self._sent[file]

    def _probe(self, worker: _Worker, output: Path) -> str:
        """A new file in the folder of an output, there until the worker has looked for it."""
        return worker.probe.enter_context(mark(existing(os.path.abspath(output.parent))))

    def _drop(self, name: str) -> None:
        """Have nothing more to do with a worker, which ends."""
        worker = self._workers.pop(name)
        worker.probe.close()
        if name in self._waiting:
            self._waiting.remove(name)
        if worker.actor:
            with contextlib.suppress(Exception):
                self._leaving.append((worker.actor, worker.actor.leave.remote()))
        del self._leaving[:-100]

    def _look(self) -> None:
        """See again and again what nodes there are, and what they have left."""
        host, _, port = self._ray.get_runtime_context().gcs_address.rpartition(":")
        refused = 0
        while True:
            try:
                socket.create_connection((host.strip("[]"), int(port)), _LOOK).close()
                refused = 0
            except ConnectionRefusedError:
                refused += 1
            except OSError:
                # A client elsewhere cannot reach it.
                refused = 0
            if refused >= _REFUSALS:
                self._seen = -_LOST
            # It may wait for an answer that never comes; `turn` looks at the clock.
            with contextlib.suppress(Exception):
                if refused:
                    raise ConnectionRefusedError
                nodes, free = nodes_of(self._ray)
                with self._lock:
                    self._seen = time.monotonic()
                    self._nodes, self._free = nodes, free
                    self._place()
            time.sleep(_LOOK)

    def _place(self) -> None:
        """Start actors for those workers for which there is room, and say how much more is left."""
        rooms = {node: self._room(node) for node in self._nodes}
        for name in [*self._waiting]:
            node = max(rooms, key=rooms.get, default="")
            if not rooms.get(node):
                break
            self._waiting.remove(name)
            self._begin(name, node)
            rooms[node] -= 1
        now = time.monotonic()
        if any(self._need.of(self._nodes[node]) for node in self._nodes if node not in self._unfit):
            self._fit = now
        self._say("room", (sum(rooms.values()) - len(self._waiting), self._started))

    def _room(self, node: str) -> int:
        if node in self._unfit:
            return 0
        own = [worker for worker in self._workers.values() if worker.node == node]
        # What is free is known after a moment: those that have just begun may be missing in it.
        pending = sum(not worker.ready for worker in own)
        return max(0, min(
            self._need.of(self._need.left(self._nodes[node], len(own))),
            self._need.of(self._need.left(self._free.get(node, {}), pending)),
        ))

    def _begin(self, name: str, node: str) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        worker = self._workers[name]
        worker.node = node
        worker.actor = self._ray.remote(Actor).options(
            num_cpus=self._need.threads, num_gpus=self._need.gpus, memory=self._need.memory,
            max_restarts=0, max_task_retries=0, max_concurrency=_THREADS,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        ).remote(self._work)
        self._ask(self._hear, name, worker.actor.hear.remote())


def brought_home(output: Path | None, files: Mapping[str, bytes]) -> Unwritten | None:
    """Write what an actor brought; returns what became of files that could not be written.

    Args:
        output: that of the task; all files are written beside it.
        files: name → content.
    """
    left: dict[str, bytes] = {}
    why = ""
    for name, content in files.items():
        try:
            write_bytes(output.with_name(name), content)
        except InputError as error:
            left[name] = content
            why = error.flags if not why or name == output.name else why
    if not left:
        return None
    folder = None
    with contextlib.suppress(InputError, OSError):
        # A new folder: others may have put a link where a name could be guessed.
        made = Path(tempfile.mkdtemp(prefix="tf_style_"))
        with unfinished(made, shutil.rmtree):
            for name, content in left.items():
                write_bytes(made / name, content)
        folder = made
    return Unwritten((*left,), why, folder)


def _file(name: str) -> File:
    """A file as it is here; one that cannot be read is not there for workers, either."""
    path = os.path.abspath(name)
    try:
        status = os.stat(path)
    except OSError:
        return path, -1, 0
    return path, status.st_size, status.st_mtime_ns


def nodes_of(ray: Any) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """The resources of each node that is there, and what is free of them, as far as it is known."""
    nodes = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
    try:
        from ray._private.state import available_resources_per_node

        return nodes, available_resources_per_node()
    except Exception:
        # It is none of Ray's promises, and nothing that a client of another machine can ask.
        return nodes, nodes


def _why(error: Exception) -> str:
    """Why a worker is lost, in words that follow its name."""
    # As Ray wraps what was raised elsewhere.
    cause = getattr(error, "cause", None)
    if isinstance(cause, OSError):
        return f"cannot take a file ({cause.strerror})"
    if "low on memory" in str(error):
        return "was ended, as memory is short on its node"
    return "was lost with its node" if "node has died" in str(error) else "ended"


def _connected(address: str, folder: str) -> Any:
    """Ray with a cluster.

    Raises:
        ClusterError: if there is none.
    """
    import ray

    given: dict[str, Any] = {}
    if address == LOCAL:
        given = {"num_cpus": machine.cores(), "include_dashboard": False,
                 "object_store_memory": _STORE, "_temp_dir": folder}
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, **given)
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ClusterError(f"cannot be used ({said[0][:200]})") from None
    return ray


def _obey(reader: Any, driver: Driver) -> None:
    """Do what the process of the command asks, until it is no more or asks for the end."""
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            order, given = pickle.load(reader)
            getattr(driver, order)(*given)
    driver.ended.set()


def main() -> None:
    """The program of the process: orders come in pairs, and so goes what is to be said."""
    reader, send = parent()

    def say(what: str, value: Any) -> None:
        send((what, value))

    address = pickle.load(reader)
    # Workers import from the folder in which their driver is, before all others.
    folder = tempfile.mkdtemp(prefix="tf_style_ray_", dir="/tmp" if os.path.isdir("/tmp") else None)
    before = os.getcwd()
    os.chdir(folder)
    driver = None
    try:
        ray = _connected(address, folder)
        os.chdir(before)
        nodes, _ = nodes_of(ray)
        say("connected", Cluster((*nodes.values(),)))
        driver = Driver(say, *pickle.load(reader))
        threading.Thread(target=_obey, args=(reader, driver), daemon=True).start()
        while not driver.ended.is_set():
            driver.turn()
    except ClusterError as error:
        say("lost", str(error))
    except InputError as error:
        say("failed", error.flags)
    except EOFError:
        pass
    except Exception:
        say("broken", traceback.format_exc())
    finally:
        with none_unfinished():
            if driver:
                driver.close()
            if "ray" in sys.modules:
                sys.modules["ray"].shutdown()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)
