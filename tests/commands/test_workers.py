"""What is said and shown of workers, whatever they do."""

import dataclasses

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


def test_how_far_all_are_is_shown(shown):
    workers, count = Workers("program", Here(Doubled(), 1), Signals()), 0

    def watch():
        workers.show("doubling", 10 + count, 20, (f"{10 + count}/20",), before=10,
                     paced="a minute")

    for _ in workers.done(tasks(10), watch):
        count += 1
    assert shown[0][0] == shown[1][0] == "starting workers"
    text, share, given = shown[-1]
    assert (text, share, given["details"][0]) == ("doubling", 1.0, "20/20")
    assert given["details"][1].endswith(" a minute")


def test_no_task_is_begun_after_a_stop(shown):
    signals = Signals()
    workers, found = Workers("program", Here(Doubled(), 1), signals), []
    for each in workers.done(tasks(9), lambda: workers.show("doubling", len(found), 9)):
        found.append(each)
        if len(found) == 3:
            signals.received.append(2)
    assert len(found) == 3 and shown[-1] == ("stopping", {})
