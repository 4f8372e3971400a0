"""A folder that one process at a time may write in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tf_style
from tf_style.image.unfinished import none_unfinished
from tf_style.run import lock
from tf_style.run.lock import HeldError, locked

_HOLDER = """
import sys
from pathlib import Path
from tf_style.run.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process, which holds the folder `kept`."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path / "kept")], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_folder_is_made_and_nothing_is_left(tmp_path):
    with locked(tmp_path / "kept"):
        assert (tmp_path / "kept" / ".lock").read_text() == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_there_stays(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "kept"):
        (tmp_path / "kept" / "a").touch()
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["a"]


def test_another_process_is_named_and_its_lock_left_alone(tmp_path, holder):
    for _ in range(2):
        with pytest.raises(HeldError, match=f"^process {holder.pid}$"), locked(tmp_path / "kept"):
            pytest.fail("two hold it")
    assert (tmp_path / "kept" / ".lock").exists()


def test_another_thread_or_run_of_this_process_is_refused(tmp_path):
    with (locked(tmp_path), pytest.raises(HeldError, match=f"process {os.getpid()}"),
          locked(tmp_path)):
        pytest.fail("two hold it")


def test_a_killed_process_locks_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / "kept" / ".lock").exists()
    with locked(tmp_path / "kept"):
        assert (tmp_path / "kept" / ".lock").read_text() == f"{os.getpid()}\n"


def test_an_end_at_once_leaves_nothing(tmp_path):
    with locked(tmp_path / "kept"), none_unfinished():
        assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_holds_nothing(tmp_path, monkeypatch):
    def unknown(file):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock, "_lock", unknown)
    with locked(tmp_path), locked(tmp_path):
        pass
