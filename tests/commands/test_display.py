"""What a command shows, and what becomes of it when nobody can see it any more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tf_style
from tests.commands.conftest import TINY
from tf_style.commands.display import folded, printable, say, table

FULL = Path("/dev/full")
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
TELL = "; ".join([
    "import sys", "from tf_style.commands import display", "from tf_style.commands.streams import "
    "hold_places", "hold_places()", "display.open_streams()", "display.say('a')",
    "display.draw('b')", "display.mention('c')", "display.say('d')",
    "open('kept', 'w').write('whole')", "sys.exit(3)",
])
TF_STYLE = "import sys; from tf_style import cli; cli.main(sys.argv[1:])"


def shell(code, arguments, redirection, folder, program=TF_STYLE):
    """What a shell command gives; bash ends with the code of the first command in a pipe."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -c "$1" "${{@:2}}" {redirection}', sys.executable,
         code or program, *arguments],
        capture_output=True, text=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1]),
             "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


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


def test_a_line_ends_between_words_and_goes_on_beneath_them():
    line = "  name      what it is and what it is not"
    assert folded(line, 0) == folded(line, 41) == line
    assert folded(line, 24, 12) == ("  name      what it is\n            and what it\n"
                                    "            is not")
    # Where that leaves no room, and where nothing is said of a column.
    assert folded(line, 23, 12) == folded(line, 23) == ("  name      what it is\n"
                                                        "    and what it is not")
    assert folded("a_name_as_long_as_this", 20) == "a_name_as_long_as_this"


def test_a_narrow_table_has_a_line_for_each_word_of_a_head():
    assert table([("size", "time at most"), ("64x48", "0:01"), ("8x6", "10:00")]) == [
        "size    time", "          at", "        most", "64x48   0:01", "8x6    10:00"]


DEAD = ["2>/dev/full", ">/dev/full", ">&-", "2>&-", ">&- 2>&-", ">&- 2>&- <&-", "2>&1 | true",
        ">/dev/full 2>&1"]


@posix
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("redirection", DEAD)
def test_a_display_that_is_dead_changes_nothing(redirection, folder):
    done = shell(TELL, [], redirection, folder)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    # A file that is opened takes no place of a stream, so nothing else is written into it.
    assert (folder / "kept").read_text() == "whole"
    if "2>" not in redirection:
        assert done.stderr == "a\nbd\n"


@posix
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("redirection, reason", [
    (">/dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
    (">&- <&-", "Bad file descriptor"), ("2>&- >&-", None), (">/dev/full 2>/dev/full", None),
])
@pytest.mark.parametrize("flag", ["--help", "--version", "--list_layers", "--list_samples"])
def test_an_answer_that_cannot_be_written_is_code_1_and_one_line(flag, redirection, reason, folder):
    done = shell(None, [flag], redirection, folder)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        f"tf_style: the answer cannot be written to stdout ({reason})\n" if reason else ""
    )


@posix
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("redirection", DEAD)
def test_a_dead_display_costs_no_picture(redirection, folder):
    done = shell(None, ["content.png", "style.png", "a.png", *TINY], redirection, folder)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert (folder / "a.png").stat().st_size > 100


@posix
@pytest.mark.slow
@pytest.mark.alone
def test_a_terminal_that_hangs_up_costs_no_picture(folder):
    pty = pytest.importorskip("pty")
    process, terminal = pty.fork()
    if not process:
        os.execve(sys.executable, [
            sys.executable, "-m", "tf_style", "content.png", "style.png", "a.png", *TINY,
            "--steps=5000,2",
        ], {**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])})
    shown = b""
    while b"step " not in shown:
        shown += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    assert (folder / "a.png").stat().st_size > 100
