"""Who does which task, and what happens when workers are lost."""

import collections
import dataclasses
import random
import tracemalloc

import pytest

from tf_style.cluster.dispatch import BrokenError, Dispatcher
from tf_style.cluster.engine import Hello, Kind, Message
from tf_style.cluster.task import Task
from tf_style.settings import InputError

HELLO = Hello.of_this_process()


class Engine:
    """Workers without processes, which do what `answer` says as soon as they are heard.

    Args:
        answer: takes a worker and its task's data; returns messages without the worker.
        count: how many workers there may be.
        hello: takes a worker's number; returns what it says first.
    """

    def __init__(self, answer=lambda worker, data: [(Kind.RESULT, data * 2)], count=3,
                 hello=lambda number: [(Kind.READY, HELLO)]):
        self.answer, self.count, self.hello = answer, count, hello
        self.running, self.given, self.started = set(), [], 0
        self.dismissed, self.stopped = [], []
        self.closed = False
        self.waiting = collections.deque()

    def room(self):
        return self.count - len(self.running)

    def start(self):
        worker = f"w{self.started}"
        self.running.add(worker)
        self.waiting += [Message(worker, *each) for each in self.hello(self.started)]
        self.started += 1
        return worker

    def give(self, worker, task):
        assert worker in self.running
        self.given.append((worker, task.key))
        self.waiting += [Message(worker, *each) for each in self.answer(worker, task.data)]

    def stop(self, worker):
        self.stopped.append(worker)

    def dismiss(self, worker):
        self.running.discard(worker)
        self.dismissed.append(worker)

    def hear(self, seconds):
        found, self.waiting = list(self.waiting), collections.deque()
        for message in found:
            if message.kind in (Kind.LOST, Kind.UNFIT):
                self.running.discard(message.worker)
        return found

    def close(self):
        self.closed = True


def tasks(count):
    return [Task(f"k{number}", f"task {number}", number) for number in range(count)]


def test_each_task_is_done_once():
    engine = Engine()
    done = list(Dispatcher(engine).done(tasks(20)))
    assert sorted(each.value for each in done) == [2 * number for number in range(20)]
    assert len(engine.given) == 20 and engine.closed
    assert {each.worker for each in done} == {HELLO.name}


@pytest.mark.parametrize("count, workers", [(1, 1), (2, 2), (9, 3)])
def test_no_more_workers_are_started_than_there_are_tasks_for(count, workers):
    engine = Engine()
    assert len(list(Dispatcher(engine).done(tasks(count)))) == count
    assert engine.started == workers


def test_workers_that_are_lost_at_random_lose_nothing():
    """Each time, another worker does what was at hand, and a new one takes the place."""
    draw = random.Random(1)
    failed = collections.Counter()

    def answer(worker, data):
        if failed[data] == 0 and draw.random() < 0.4:
            failed[data] += 1
            return [(Kind.LOST, "was ended by SIGKILL")]
        return [(Kind.RESULT, data * 2)]

    engine, notes = Engine(answer), []
    dispatcher = Dispatcher(engine, note=lambda text, task: notes.append((text, task.key)))
    done = list(dispatcher.done(tasks(60)))
    assert sorted(each.value for each in done) == [2 * number for number in range(60)]
    assert not any(each.lost for each in done)
    assert len(failed) > 10 and sorted(key for _, key in notes) == sorted(
        f"k{number}" for number in failed)
    assert "SIGKILL; it is begun again elsewhere" in notes[0][0]


def test_what_ends_two_workers_is_set_aside():
    def answer(worker, data):
        return [(Kind.LOST, "ended with code 7")] if data == 4 else [(Kind.RESULT, data)]

    engine = Engine(answer)
    done = {each.task.data: each for each in Dispatcher(engine).done(tasks(10))}
    assert sorted(done) == list(range(10))
    assert "set aside, as 2 workers ended with it" in done[4].lost
    assert "ended with code 7" in done[4].lost and done[4].value is None
    assert [key for _, key in engine.given].count("k4") == 2


def test_a_worker_of_another_version_gets_nothing():
    old = dataclasses.replace(HELLO, name="process 9", versions={
        **HELLO.versions, "tf_style": "0.1", "python": "3.99"})
    engine = Engine(hello=lambda number: [(Kind.READY, HELLO if number else old)])
    notes = []
    dispatcher = Dispatcher(engine, note=lambda text, task: notes.append(text))
    assert len(list(dispatcher.done(tasks(5)))) == 5
    assert "w0" in engine.dismissed and "w0" not in {worker for worker, _ in engine.given}
    assert len(notes) == 1
    assert f"process 9 has tf_style 0.1 instead of {HELLO.versions['tf_style']}" in notes[0]


@pytest.mark.parametrize("hello, message", [
    ([(Kind.LOST, "ended with code 5")], "no worker can be started: ended with code 5"),
    ([(Kind.READY, dataclasses.replace(HELLO, versions={"tensorflow": "1.0"}))],
     "has tensorflow 1.0 instead of"),
])
def test_where_no_worker_starts_nothing_is_waited_for(hello, message):
    engine = Engine(hello=lambda number: hello)
    with pytest.raises(InputError, match=message):
        list(Dispatcher(engine).done(tasks(5)))
    assert engine.started < 10 and engine.closed


def test_machines_that_cannot_do_it_are_no_reason_to_end():
    unfit = [(Kind.UNFIT, "node: no such folder")]
    engine = Engine(hello=lambda number: unfit if number < 6 else [(Kind.READY, HELLO)])
    notes = []
    dispatcher = Dispatcher(engine, note=lambda text, task: notes.append(text))
    assert len(list(dispatcher.done(tasks(5)))) == 5
    assert {*notes} == {"a worker was not started: node: no such folder"} and len(notes) == 6


def test_a_fault_is_told_apart_from_a_note():
    engine = Engine(lambda worker, data: [
        (Kind.NOTE, "odd"), (Kind.FAULT, "a full disk"), (Kind.RESULT, data)])
    notes, faults = [], []
    dispatcher = Dispatcher(engine, note=lambda text, task: notes.append(text),
                            fault=lambda text, task: faults.append((text, task.key)))
    assert len(list(dispatcher.done(tasks(2)))) == 2
    assert notes == ["odd"] * 2
    assert sorted(faults) == [("a full disk", "k0"), ("a full disk", "k1")]


@pytest.mark.parametrize("kind, error", [(Kind.UNABLE, InputError), (Kind.BROKEN, BrokenError)])
def test_what_is_wrong_with_all_tasks_ends_all(kind, error):
    engine = Engine(lambda worker, data: [(kind, "this is why")])
    with pytest.raises(error, match="this is why"):
        list(Dispatcher(engine).done(tasks(5)))
    assert engine.closed


def test_what_is_heard_of_one_that_was_given_up_counts_nothing():
    """It may come late; by then, somebody else has the task."""
    def answer(worker, data):
        if (worker, data) == ("w0", 0):
            return [(Kind.LOST, "is no more"), (Kind.RESULT, "late")]
        return [(Kind.RESULT, data)]

    done = list(Dispatcher(Engine(answer)).done(tasks(4)))
    assert sorted(each.value for each in done) == [0, 1, 2, 3]


def test_on_request_those_end_early_who_have_something_to_show():
    def answer(worker, data):
        return [(Kind.SHARE, 0.5)] if data == 0 else []

    engine, looks = Engine(answer, count=2), []

    def stop(worker):
        engine.stopped.append(worker)
        engine.waiting.append(Message(worker, Kind.RESULT, "half"))

    engine.stop = stop
    dispatcher = Dispatcher(engine, lambda: looks.append(1) or len(looks) > 4)
    done = list(dispatcher.done(tasks(10)))
    assert [each.value for each in done] == ["half"]
    assert len(engine.given) == 2 and len(engine.stopped) == 1 and engine.dismissed
    assert {*engine.stopped, *engine.dismissed} == {"w0", "w1"}


def test_how_much_of_the_tasks_at_hand_is_done():
    seen = []
    engine = Engine(lambda worker, data: [(Kind.SHARE, 0.25), (Kind.SHARE, 0.75)], count=2)
    dispatcher = Dispatcher(engine, lambda: len(seen) > 5, grace=0.0,
                            watch=lambda: seen.append((dispatcher.working, dispatcher.at_hand)))
    list(dispatcher.done(tasks(2)))
    assert seen[0] == (0, 0) and (2, 1.5) in seen


def test_ten_thousand_tasks_take_no_more_memory_than_a_hundred():
    """They are taken as they are done, whether they are lost now and then or not."""
    def many(count):
        return (Task(f"k{number}", "task", number) for number in range(count))

    def answer(worker, data):
        # Each hundredth is lost once.
        if data % 100 == 7 and data not in lost:
            lost.add(data)
            return [(Kind.LOST, "is no more")]
        return [(Kind.RESULT, bytes(1000))]

    def peak(count):
        engine = Engine(answer)
        engine.given = collections.deque(maxlen=1)
        engine.dismissed = collections.deque(maxlen=1)
        tracemalloc.start()
        assert sum(1 for _ in Dispatcher(engine).done(many(count))) == count
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    lost = set()
    peak(100)
    few = peak(100)
    assert peak(10_000) < few + 60_000


def test_tasks_have_their_time_to_end():
    engine = Engine(lambda worker, data: [(Kind.SHARE, 0.5)], count=1)
    looks = []
    dispatcher = Dispatcher(engine, lambda: looks.append(1) or len(looks) > 3, grace=0.0)
    assert list(dispatcher.done(tasks(3))) == [] and engine.stopped == ["w0"]
