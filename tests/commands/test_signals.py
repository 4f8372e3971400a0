"""Signals that ask a command to stop: what they do before, while and after there is a picture."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tf_style
from tf_style.commands import signals as room
from tf_style.commands.signals import Signals, stopping

posix = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process in another way")


def handlers():
    return [signal.getsignal(each) for each in stopping()]


def test_the_first_is_remembered_and_the_next_is_as_before():
    before = handlers()
    with Signals() as signals:
        assert handlers() == before and not signals
        signals.keep()
        signals.keep()
        signal.raise_signal(signal.SIGTERM)
        assert signals and signals.received == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert handlers() == before


def test_handlers_are_as_before_without_a_signal():
    before = handlers()
    with Signals() as signals:
        signals.keep()
        assert handlers() != before
    assert handlers() == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
@pytest.mark.parametrize("seconds, count", [(0.5, 1), (1.5, 2)])
def test_a_terminal_that_hangs_up_says_so_twice(seconds, count, monkeypatch):
    clock = iter([10.0, 10.0 + seconds])
    monkeypatch.setattr(room.time, "monotonic", lambda: next(clock))
    ended = []
    with Signals() as signals:
        monkeypatch.setattr(signals, "_end", ended.append)
        signals.keep()
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
    assert len(signals.received) == count and len(ended) == count - 1


def test_what_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signals.keep()
            signal.raise_signal(signal.SIGTERM)
        assert not signals and signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


# A process of the command's own

_OWN = """
import os, signal, sys, time
from tf_style.commands.signals import Signals
from tf_style.image.unfinished import unfinished
with Signals("tf_own", owns_process=True) as signals, unfinished("a.partial"):
    open("a.partial", "w").close()
    {0}
{1}
sys.exit(7)
"""


BEGUN = "print('begun', flush=True)"


def own(tmp_path, within, after, *numbers):
    """What such a process says, and how it ends, if it is sent signals once it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN.format(within, after)], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    process.stdout.readline()
    for number in numbers:
        time.sleep(0.2)
        process.send_signal(number)
    try:
        out, error = process.communicate(timeout=20)
    finally:
        process.kill()
    return process.returncode, out, error


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
# A loop of Python; and C code, in which the main thread hears nothing of a signal.
@pytest.mark.parametrize("then", [
    "time.sleep(20)", "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)",
], ids=["python", "native"])
def test_before_there_is_anything_to_keep_one_ends_the_process(then, name, tmp_path):
    code, out, error = own(tmp_path, f"{BEGUN}; {then}", "", getattr(signal, name))
    assert (code, out) == (130, "")
    assert error == "tf_own: stopped at once; no result was written\n"
    assert not (tmp_path / "a.partial").exists()


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_then_one_is_remembered_and_the_process_goes_on(name, tmp_path):
    code, out, error = own(
        tmp_path, f"signals.keep(); {BEGUN}; time.sleep(0.5)", "print(signals.received)",
        getattr(signal, name),
    )
    assert (code, out, error) == (7, f"[{int(getattr(signal, name))}]\n", "")
    assert (tmp_path / "a.partial").exists()


@posix
def test_one_that_ends_it_among_many_writes_leaves_nothing_half_written(tmp_path):
    writing = f"""{BEGUN}
    from tf_style.image.paths import replacing
    while True:
        with replacing("a.txt", lasting=False) as file:
            file.write(b"whole")"""
    for _ in range(5):
        assert own(tmp_path, writing, "", signal.SIGTERM)[0] == 130
        assert not list(tmp_path.glob("*partial"))


@posix
def test_a_second_one_ends_it_and_leaves_nothing_half_written(tmp_path):
    code, out, error = own(tmp_path, f"signals.keep(); {BEGUN}; time.sleep(20)", "",
                           signal.SIGINT, signal.SIGTERM)
    assert (code, out) == (130, "")
    assert error == "tf_own: stopped at once; what was not complete was given up\n"
    assert not (tmp_path / "a.partial").exists()


@posix
def test_after_the_end_they_are_ignored(tmp_path):
    after = f"{BEGUN}; time.sleep(1)"
    code, _, error = own(tmp_path, "pass", after, signal.SIGINT, signal.SIGHUP)
    assert (code, error) == (7, "")
