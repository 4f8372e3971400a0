"""Workers without processes, for tests of what commands have workers do."""

import contextlib
import dataclasses
import os
import pickle
import shutil
import tempfile
from pathlib import Path

from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.ray_driver import Cluster, brought_home
from tf_style.cluster.task import Task
from tf_style.cluster.worker import Speaker
from tf_style.image.paths import named
from tf_style.image.samples import PREFIX
from tf_style.settings import InputError


class Here:
    """An engine in place of `Processes`: one worker after another does its task at once.

    Args:
        work, count: as for `Processes`.
        deadly: whether a worker ends with these data.

    Attributes:
        made: all engines, the newest last.
    """

    made = []  # noqa: RUF012

    def __init__(self, work, count, *, verbose=False, deadly=None):
        self.work, self.count, self.started = work, count, 0
        self.deadly = deadly or self.deadly_to
        self.given = []
        self._running, self._messages = {}, []
        self.made.append(self)

    def deadly_to(self, data):
        return False

    def room(self):
        return self.count - len(self._running)

    def start(self):
        name = f"w{self.started}"
        self.started += 1
        data = []
        speaker = Speaker(lambda *said: self._messages.append(Message(name, *said)))
        results = self.work.results(iter(lambda: data.pop(), None), speaker)
        self._running[name] = data, results, speaker
        self._messages.append(Message(name, Kind.READY, Hello.of_this_process()))
        return name

    def give(self, worker, task: Task):
        self.given.append(task)
        data, results, _ = self._running[worker]
        data.append(task.data)
        if self.deadly(task.data):
            del self._running[worker]
            found = Kind.LOST, "ended with code 7"
        else:
            try:
                found = Kind.RESULT, next(results)
            except StopIteration:
                found = Kind.LEFT, None
            except InputError as error:
                found = Kind.UNABLE, error.flags
        self._messages.append(Message(worker, *found))

    def stop(self, worker):
        self._running[worker][2].stopping = True

    def dismiss(self, worker):
        self._running.pop(worker, None)

    def hear(self, seconds):
        # Tasks are dealt from the last worker on: results come in another order than tasks.
        found = sorted(self._messages, key=lambda each: each.worker)
        self._messages = []
        return found

    def close(self):
        self._running.clear()


class Elsewhere(Here):
    """In place of `RayEngine`: two workers on nodes that share no folder with this machine.

    Files are brought to them, and home; names without a folder lead nowhere there.
    """

    made = []  # noqa: RUF012

    def __init__(self, address, *, verbose=False):
        self.address, self.closed = address, False
        self.cluster = Cluster(({"CPU": 1.0, "memory": 8e9},) * 2)

    def begin(self, work, need):
        super().__init__(pickle.loads(pickle.dumps(work)), 2)
        self.need = need
        self._folder = Path(tempfile.mkdtemp()).resolve()
        with self._there():
            self.work.check()

    def give(self, worker, task):
        place = self._folder / str(len(self.given))
        places = {}
        for number, name in enumerate(task.files):
            if not name.startswith(PREFIX):
                there = place / str(number) / os.path.basename(name)
                there.parent.mkdir(parents=True)
                shutil.copy(name, there)
                places[name] = os.fspath(there)
        if task.output:
            (place / "made").mkdir()
            places[os.fspath(task.output)] = os.fspath(place / "made" / task.output.name)
        names = {there: name for name, there in places.items()}
        data, before = pickle.loads(pickle.dumps(task.data)), len(self._messages)
        with self._there():
            super().give(worker, dataclasses.replace(task, data=self.work.moved(data, places)))
        said = self._messages[before:]
        self._messages[before:] = [self._sent(each, task, place / "made", names) for each in said]

    def _sent(self, message, task, folder, names):
        """What a worker said, as it arrives here."""
        if message.kind in (Kind.NOTE, Kind.UNABLE):
            return dataclasses.replace(message, value=named(message.value, names))
        if message.kind is not Kind.RESULT:
            return message
        files = {path.name: path.read_bytes() for path in folder.glob("*")}
        return dataclasses.replace(message, value=pickle.loads(pickle.dumps(message.value)),
                                   unwritten=task.output and brought_home(task.output, files))

    def close(self):
        self.closed = True
        if hasattr(self, "_folder"):
            super().close()
            shutil.rmtree(self._folder)

    @contextlib.contextmanager
    def _there(self):
        before = os.getcwd()
        os.chdir(self._folder)
        try:
            yield
        finally:
            os.chdir(before)
