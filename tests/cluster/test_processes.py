"""Workers that are processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.works import Squares, Unreadable, Unstartable
from tf_style.cluster.dispatch import BrokenError, Dispatcher
from tf_style.cluster.processes import Processes
from tf_style.cluster.task import Task
from tf_style.settings import InputError


def done_by(work, data, count=2, **given):
    """What comes of each of the data, and all that is noted."""
    notes = []
    dispatcher = Dispatcher(
        Processes(work, count), note=lambda text, task: notes.append(text), **given)
    tasks = [Task(f"k{number}", str(each), each) for number, each in enumerate(data)]
    return list(dispatcher.done(tasks)), notes


def is_running(process):
    with contextlib.suppress(ProcessLookupError, OSError):
        # A child that nobody has waited for still has its number.
        state = Path(f"/proc/{process}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        os.kill(process, 0)
        return True
    return False


def gone(processes, seconds=20):
    """Whether they end in time."""
    ends = time.monotonic() + seconds
    while any(map(is_running, processes)) and time.monotonic() < ends:
        time.sleep(0.05)
    return not any(map(is_running, processes))


def test_processes_share_the_tasks(tmp_path):
    done, notes = done_by(Squares(str(tmp_path)), ["meets", "meets", *range(30)])
    found = [each.value[0] for each in done]
    assert found.count("met") == 2
    assert sorted({*found} - {"met"}) == [number**2 for number in range(30)] and len(found) == 32
    processes = {each.value[1] for each in done}
    assert len(processes) == 2 and os.getpid() not in processes and not notes
    assert all(f"process {each.value[1]} on " in each.worker for each in done)
    assert gone(processes)


def test_what_ends_a_process_is_begun_again_once(tmp_path):
    done, notes = done_by(Squares(str(tmp_path)), [1, "killed_once", 2, "killed", 3])
    of = {each.task.data: each for each in done}
    assert len(done) == 5 and of["killed_once"].value[0] == "alive"
    assert of[3].value[0] == 9
    assert of["killed"].lost and (os.name == "nt" or "SIGKILL" in of["killed"].lost)
    assert any("ended with code 3; it is begun again elsewhere" in note for note in notes)


def test_what_is_wrong_with_all_is_one_error():
    with pytest.raises(InputError, match="nobody can paint that"):
        done_by(Squares(), [1, 2, "unable"])


def test_what_nothing_foresaw_comes_with_its_traceback():
    with pytest.raises(BrokenError, match=r"(?s)works\.py.*so that is that"):
        done_by(Squares(), ["broken"])


def test_a_process_that_cannot_begin(tmp_path):
    with pytest.raises(InputError, match="no worker can be started: ended with code 5"):
        done_by(Unstartable(), [1, 2, 3])


def test_a_work_that_a_process_does_not_know():
    with pytest.raises(BrokenError, match="there is no such work here"):
        done_by(Unreadable(), [1, 2, 3])


def test_what_libraries_print_is_no_message(capfd):
    done, notes = done_by(Squares(), ["noted", 2])
    assert {each.value[0] for each in done} == {"said", 4} and notes == ["a word"]
    assert capfd.readouterr() == ("", "")


def test_on_request_what_has_begun_is_brought_to_an_end(tmp_path):
    asked = []

    def stop():
        asked.append(len(os.listdir(tmp_path)) == 2)
        return asked[-1] and dispatcher.at_hand == 0.5

    dispatcher = Dispatcher(Processes(Squares(str(tmp_path)), 2), stop)
    tasks = [Task(each, each, each) for each in ("long", "deaf")] + [Task("k", "1", 1)]
    done = list(dispatcher.done(tasks))
    assert [each.value[0] for each in done] == ["stopped early"]
    # Nobody waited for the one that had nothing to show, and it left nothing half written.
    left = os.listdir(tmp_path)
    assert left == [f"stopped_{done[0].value[1]}"]


PROGRAM = """
import sys
from tests.cluster.works import Squares
from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.processes import Processes
from tf_style.cluster.task import Task
engine = Processes(Squares(sys.argv[1]), 2)
tasks = [Task(str(number), "long", "long") for number in range(4)]
for done in Dispatcher(engine).done(tasks):
    pass
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_workers_end_with_the_process_that_has_them(tmp_path):
    """However it ends; what they have half written is removed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    driver = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment)
    ends = time.monotonic() + 60
    while len(os.listdir(tmp_path)) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
    workers = [int(name.partition("_")[2]) for name in os.listdir(tmp_path)]
    assert len(workers) == 2 and all(map(is_running, workers))
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert gone(workers) and os.listdir(tmp_path) == []
