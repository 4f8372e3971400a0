"""Workers without processes, for tests of what commands have workers do."""

from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.task import Task
from tf_style.cluster.worker import Speaker
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
