"""How a command ends: exit codes, and one line for what stopped it."""

import os
import signal
import subprocess
import sys
import warnings

import pytest

from tests.commands.conftest import TINY, process
from tf_style import cli
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.exits import guarded, tensorflow_quiet
from tf_style.commands.outputs import writing
from tf_style.commands.signals import Signals
from tf_style.settings import InputError, Note

ONE = ["content.png", "style.png", "a.png", *TINY]


def ending(run):
    return Command("tf_own", "", (CommonOptions,), run)


def raising(error):
    def run(line):
        raise error

    return ending(run)


@pytest.mark.parametrize("error, code, line", [
    (InputError("--size: too\nlarge"), 2, "tf_own: --size: too large\n"),
    (KeyboardInterrupt(), 130, "tf_own: stopped at once; no result was written\n"),
    (MemoryError(), 1, "tf_own: not enough memory; try a smaller --size\n"),
])
def test_what_stops_a_command_is_one_line_and_a_code(error, code, line, capfd):
    assert guarded(raising(error), []) == code
    assert capfd.readouterr() == ("", line)


def test_the_code_is_the_commands_own():
    lines = []
    assert guarded(ending(lambda line: lines.append(line) or 7), ["--quiet", "a"]) == 7
    assert lines[0].given == {"quiet": True} and list(lines[0].places) == ["a"]


def test_help_is_answered_and_nothing_run(capfd):
    assert guarded(raising(AssertionError()), ["--help"]) == 0
    assert "--verbose" in capfd.readouterr().out


def test_flags_that_cannot_be_read_are_bad_input(capfd):
    assert guarded(raising(AssertionError()), ["--nothing"]) == 2
    assert capfd.readouterr().err.startswith("tf_own: --nothing: there is no such flag.")


def test_an_error_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        guarded(raising(ZeroDivisionError()), [])


def test_warnings_are_lines_of_the_command_each_time(capfd):
    def run(line):
        for _ in range(2):
            warnings.warn("a style is small", stacklevel=1)
        return 0

    shown = warnings.showwarning
    assert guarded(ending(run), []) == 0
    assert capfd.readouterr().err == "tf_own: a style is small\n" * 2
    assert warnings.showwarning is shown


def test_quiet_says_nothing_but_errors(capfd):
    def run(line):
        warnings.warn("a style is noisy", stacklevel=1)
        warnings.warn("a note", Note, stacklevel=1)
        raise InputError("--size: too large")

    assert guarded(ending(run), ["-q"]) == 2
    assert capfd.readouterr() == ("", "tf_own: --size: too large\n")


@pytest.mark.parametrize("loaded, out", [
    (True, "last\ncalled\n"), (False, "last\ncalled\ntaken apart\n"),
])
def test_a_process_that_is_done_leaves_at_once_if_tensorflow_is_loaded(loaded, out):
    """With a stand-in for it. What was printed is seen, and what others registered is called."""
    code = f"""
import atexit, os, sys
from tf_style.commands.exits import leave
class Large:
    def __del__(self, write=os.write):
        write(1, b"taken apart\\n")
large = Large()
if {loaded}:
    sys.modules["tensorflow"] = object()
atexit.register(print, "called")
print("last")
leave(3)
"""
    done = process(cli.main, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (3, out, "")


def test_a_terminal_that_lacks_a_letter_is_no_reason_to_fail():
    code = """
import sys
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.display import say
from tf_style.commands.exits import guarded
run = lambda line: [print(line.places[0]), say(line.places[0])] and 0
sys.exit(guarded(Command("tf_own", "", (CommonOptions,), run), ["r\xe9sultat.png"]))
"""
    done = process(cli.main, code=code, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, *["r\\xe9sultat.png\n"] * 2)


def test_an_output_that_cannot_be_written_is_no_bad_input(capfd):
    def run(line):
        with writing():
            raise InputError("a.h5: cannot be written (No space left on device)")

    assert guarded(ending(run), []) == 1
    assert capfd.readouterr().err == "tf_own: a.h5: cannot be written (No space left on device)\n"


def test_a_working_folder_that_is_gone_is_bad_input(capfd, monkeypatch):
    def gone():
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", gone)
    assert guarded(raising(AssertionError()), ["a.png"]) == 2
    assert capfd.readouterr().err == ("tf_own: the working folder cannot be used (No such file or "
                                      "directory). Change to another\n")


def test_a_command_hears_of_signals_whoever_handles_them():
    def run(line):
        line.signals.keep()
        signal.raise_signal(signal.SIGTERM)
        return 7 + len(line.signals.received)

    before = signal.getsignal(signal.SIGTERM)
    assert guarded(ending(run), []) == 8
    assert signal.getsignal(signal.SIGTERM) == before
    with Signals() as signals:
        assert guarded(ending(run), [], signals) == 8 and signals


def test_what_native_code_says_while_tensorflow_loads_stays_off_the_screen(capfd, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    with tensorflow_quiet(True):
        os.write(2, b"loud ")
    with tensorflow_quiet(False):
        os.write(2, b"quiet ")
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    os.write(2, b"after")
    assert capfd.readouterr().err == "loud after"


@pytest.mark.slow
def test_tensorflow_is_loaded_without_pyplot_which_can_be_used_all_the_same():
    program = """
import sys
from tf_style.commands.exits import tensorflow_quiet

with tensorflow_quiet(False):
    import keras
print("matplotlib" in sys.modules)
from matplotlib import pyplot
print(pyplot.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "matplotlib.pyplot"], done.stderr


@pytest.mark.slow
@pytest.mark.alone
def test_tensorflows_chatter_stays_off_the_screen():
    done = process(cli.main, *ONE, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    loud = process(cli.main, *ONE, "--quiet", "--verbose")
    assert loud.returncode == 0
