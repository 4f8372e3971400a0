"""How a command ends: exit codes, and one line for what stopped it."""

import os
import signal
import warnings

import pytest

from tests.commands.conftest import TINY, process
from tf_style import cli
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.exits import guarded, interruptible, printable, say, tensorflow_quiet
from tf_style.settings import InputError

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


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="needs POSIX pipes")
def test_a_reader_that_has_gone_costs_code_1_and_no_word():
    code = """
import os, sys
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.exits import guarded
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
run = lambda line: print("a" * 100_000, flush=True)
sys.exit(guarded(Command("tf_own", "", (CommonOptions,), run), []))
"""
    done = process(cli.main, code=code)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("name, shown", [
    ("a\x1b[31mb\x07", "a\\x1b[31mb\\x07"), ("a\nb\r\t\0", "a\\nb\\r\\t\\x00"),
    ("a\x9b2Jb\x7f\u2028", "a\\x9b2Jb\\x7f\\u2028"), ("a\u202eb\u2066", "a\\u202eb\\u2066"),
    ("a\udcffb", "a\\udcffb"),
    # Names as people give them.
    ("\u6d77\u3000\u5cb8 10\u202fAM \xa0", "\u6d77\u3000\u5cb8 10\u202fAM \xa0"),
    ("\U0001f468\u200d\U0001f3a8\ufe0f e\u0301", "\U0001f468\u200d\U0001f3a8\ufe0f e\u0301"),
])
def test_what_would_move_the_cursor_is_shown(name, shown):
    assert printable(name) == shown


def test_one_line_is_said_whatever_a_name_holds(capfd):
    say("a\nb\rc\x1b[2Jd\u202ee é")
    assert capfd.readouterr() == ("", "a b\\rc\\x1b[2Jd\\u202ee é\n")


def test_a_terminal_that_lacks_a_letter_is_no_reason_to_fail():
    code = """
import sys
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.exits import guarded, say
run = lambda line: [print(line.places[0]), say(line.places[0])] and 0
sys.exit(guarded(Command("tf_own", "", (CommonOptions,), run), ["r\xe9sultat.png"]))
"""
    done = process(cli.main, code=code, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, *["r\\xe9sultat.png\n"] * 2)


def test_signals_are_kept_and_the_next_is_as_before():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with interruptible() as received:
        assert received == []
        signal.raise_signal(signal.SIGTERM)
        assert received == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_handlers_are_as_before_without_a_signal():
    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


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
def test_tensorflows_chatter_stays_off_the_screen():
    done = process(cli.main, *ONE, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    loud = process(cli.main, *ONE, "--quiet", "--verbose")
    assert loud.returncode == 0
