"""What is said and shown of workers, whatever they do."""

import dataclasses
import time

import pytest

from tests.commands.here import Here
from tf_style.cluster.task import Task
from tf_style.commands import status
from tf_style.commands.signals import Signals
from tf_style.commands.workers import Workers, in_order


@dataclasses.dataclass(frozen=True)
class Doubled:
    """Doubles numbers, and says of each odd one that it is odd."""

    def results(self, data, talk):
        for number in data:
            if number % 2:
                talk.note("an odd number")
            yield 2 * number


def tasks(count):
    return [Task(f"k{number}", f"task {number}", number) for number in range(count)]


@pytest.fixture
def shown(monkeypatch):
    """What the status line says, in order."""
    found = []
    monkeypatch.setattr(status, "show", lambda *said, **given: found.append((*said, given)))
    return found


def test_results_come_in_order_whoever_is_first(shown):
    workers = Workers("program", Here(Doubled(), 4), Signals())
    numbers = [each.task.data for each in workers.done(tasks(9), lambda: None)]
    assert sorted(numbers) == list(range(9)) != numbers
    workers = Workers("program", Here(Doubled(), 4), Signals())
    done = in_order(tasks(9), lambda given: workers.done(given, lambda: None))
    assert [each.value for each in done] == [2 * number for number in range(9)]


@pytest.mark.parametrize(("quiet", "lines"), [(False, 1), (True, 0)])
def test_what_several_say_is_said_once(shown, capfd, quiet, lines):
    workers = Workers("program", Here(Doubled(), 2), Signals(), quiet=quiet)
    assert len(list(workers.done(tasks(9), lambda: None))) == 9
    error = capfd.readouterr().err
    assert error.count("an odd number\n") == lines == error.count("program: task ")


def test_what_went_wrong_is_said_to_those_who_want_no_notes(shown, capfd):
    class Failing(Doubled):
        def results(self, data, talk):
            for number in data:
                talk.fault("a full disk")
                yield number

    workers = Workers("program", Here(Failing(), 2), Signals(), quiet=True)
    assert len(list(workers.done(tasks(3), lambda: None))) == 3
    assert capfd.readouterr().err.count("a full disk\n") == 1


def test_how_far_all_are_is_shown(shown, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    workers = Workers("program", Here(Doubled(), 1), Signals())

    def watch():
        workers.show("doubling", 10 + now[0], 20, (f"{10 + now[0]:.0f}/20",), before=10)

    for _ in workers.done(tasks(10), watch):
        now[0] += 1
    assert shown[0][0] == "starting workers"
    doubling = [each for each in shown if each[0] == "doubling"]
    assert [share for _, share, _ in doubling] == [number / 20 for number in range(11, 21)]
    assert doubling[-1][2]["details"] == ("20/20",)
    # Neither those that were there before nor the start of workers say anything of the pace.
    assert [given["ends"] for _, _, given in doubling] == [None, *9 * [10]]


def test_no_task_is_begun_after_a_stop(shown):
    signals = Signals()
    workers, found = Workers("program", Here(Doubled(), 1), signals), []
    for each in workers.done(tasks(9), lambda: workers.show("doubling", len(found), 9)):
        found.append(each)
        if len(found) == 3:
            signals.received.append(2)
    assert len(found) == 3 and shown[-1] == ("stopping", {})
