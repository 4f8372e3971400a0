"""What Ray's driver decides by itself."""

from tf_style.cluster.engine import Kind
from tf_style.cluster.ray_driver import Driver, _Worker
from tf_style.cluster.task import Task


class Alone(Driver):
    """Without Ray."""

    def __init__(self, workers):
        self._workers, self._unfit, self._waiting, self._leaving = workers, {}, [], []
        self.said = []

    def _say(self, what, value):
        self.said.append((what, value.worker, value.kind))


def test_a_node_that_cannot_do_more_ends_what_it_has_begun():
    """A folder may be gone: whoever has read what it needs goes on, and its task is not lost."""
    task = Task("key", "title", None)
    workers = {"at work": _Worker(node="one", ready=True, task=task), "new": _Worker(node="one"),
               "newer": _Worker(node="one"), "elsewhere": _Worker(node="two")}
    driver = Alone(workers)
    driver._leave_out("one", "no such folder")
    assert {*driver._workers} == {"at work", "elsewhere"}
    assert driver._unfit == {"one": "no such folder"}
    assert driver.said == [("said", "new", Kind.UNFIT), ("said", "newer", Kind.LEFT)]
