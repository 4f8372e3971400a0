"""The status line: what is drawn on a terminal, what is written elsewhere, and what stays."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tf_style
from tests.commands.conftest import TINY
from tf_style.commands import status
from tf_style.commands.display import say
from tf_style.commands.status import Status, View

_BEGIN = """
import os, sys, time
from tf_style.commands import display, status
from tf_style.commands.signals import Signals
from tf_style.commands.status import Status
status.SOON, status.LASTING, status.TICK, status.EVERY = 0, 0.05, 0.01, 0.1
"""


def on_terminal(code, *arguments, **environment):
    """All that such a process writes to a terminal of 40 columns, and its exit code."""
    pty = pytest.importorskip("pty", reason="needs a POSIX pseudo-terminal")
    import fcntl
    import struct
    import termios

    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    given = {"PYTHONPATH": str(Path(tf_style.__file__).parents[1]), "TERM": "xterm-256color",
             "PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    process = subprocess.Popen(
        [sys.executable, *(["-c", _BEGIN + code] if code else ["-m", "tf_style"]), *arguments],
        stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, **given},
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            found = os.read(main, 65536)
        except OSError:
            found = b""
        if not found:
            break
        seen += found
    os.close(main)
    return seen.decode(), process.wait()


def lines(seen):
    """What stays on the screen: of what is drawn over, the last."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen).replace("\r\n", "\n")
    kept = []
    for line in plain.split("\n"):
        shown = []
        for part in line.split("\r"):
            shown[: len(part)] = part
        kept.append("".join(shown).rstrip(" \b"))
    return kept


DRAWN = """
with Status("tf_own"):
    status.show("loading TensorFlow")
    time.sleep(0.3)
    status.show("", 0.5, ends=time.monotonic() + 60, details=("64x48 (1/2)", "step 3/4", "loss 2"))
    time.sleep(0.3)
    display.say("a note that is longer than such a terminal is wide")
    time.sleep(0.3)
    status.hide()
    time.sleep(0.1)
    display.mention("a.png")
"""


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colours", "no colours"])
def test_a_terminal_has_a_line_that_moves_and_leaves_nothing(environment):
    seen, code = on_terminal(DRAWN, **environment)
    assert code == 0 and seen.count("loading TensorFlow") > 3
    drawn = [re.sub(r"\x1b\[[0-9;]*m", "", part) for part in re.split(r"[\r\n]+", seen)]
    assert all(len(part.rstrip(" \b")) < 40 for part in drawn)
    # What does not fit is left out, not cut.
    assert any("50%" in part and part.rstrip(" \b").endswith(" left") for part in drawn)
    assert lines(seen) == ["a note that is longer than such a", "  terminal is wide", "a.png", ""]
    if environment:
        assert "\x1b" not in seen


def test_a_dumb_terminal_has_plain_lines():
    seen, _ = on_terminal(DRAWN, TERM="dumb")
    assert "\x1b" not in seen and "\r" not in seen.replace("\r\n", "\n") and "\b" not in seen
    assert seen.startswith("tf_own: loading TensorFlow\r\ntf_own: ")


def test_without_rich_the_bar_is_of_plain_characters():
    seen, code = on_terminal("sys.modules['rich.console'] = None\n" + DRAWN)
    assert code == 0 and "[####----]  50%  1:00 left" in seen and "\x1b" not in seen
    assert lines(seen)[-2:] == ["a.png", ""]


def test_a_message_of_a_signal_is_the_last(tmp_path):
    seen, code = on_terminal("""
with Signals("tf_own", owns_process=True) as signals, Status("tf_own"):
    time.sleep(0.3)
    os.kill(os.getpid(), 15)
    time.sleep(20)
""")
    assert code == 130
    assert lines(seen) == ["tf_own: stopped at once; no result was written", ""]


def elsewhere(code):
    """What such a process writes where there is no terminal."""
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_elsewhere_each_activity_that_lasts_is_a_line():
    out, error = elsewhere("""
with Status("tf_own"):
    status.show("reading pictures")
    status.show("loading TensorFlow")
    time.sleep(0.3)
    for share in range(10):
        status.show("downloading VGG16", share / 10)
        time.sleep(0.05)
    status.show("short")
""")
    first, *rest = error.splitlines()
    assert out == "" and "\r" not in error and "\x1b" not in error
    assert first == "tf_own: loading TensorFlow"
    assert 2 <= len(rest) < 9
    assert all(re.fullmatch(r"tf_own: downloading VGG16, \d0?%", line) for line in rest)


@pytest.mark.parametrize("code", [
    "with Status(quiet=True): status.show('loading'); time.sleep(0.3)",
    "with Status(): status.stop(); status.show('loading'); time.sleep(0.3)",
    "with Status(): status.hide(); time.sleep(0.3)",
    "status.show('loading'); time.sleep(0.3)",
], ids=["quiet", "stopped", "hidden", "none"])
def test_nothing_is_shown_where_nothing_is_to_be(code):
    assert elsewhere(code) == ("", "")


def test_an_activity_that_goes_on_began_when_it_began():
    with Status() as shown:
        status.show("downloading", 0.1)
        since = shown._view.since
        status.show("downloading", 0.2)
        assert shown._view == View("downloading", 0.2, since=since)
        status.show("preparing")
        assert shown._view.since > since


def test_what_is_said_within_a_command_in_a_command_stays(capfd):
    with Status(), Status():
        say("a")
    say("b")
    assert capfd.readouterr() == ("", "a\nb\n")


def test_the_thread_ends_with_the_command(monkeypatch, capfd):
    monkeypatch.setattr(status, "LASTING", 0.0)
    with Status("tf_own") as shown:
        time.sleep(2 * status.TICK)
        status.show("reading pictures")
        time.sleep(2 * status.TICK)
    assert not shown._thread.is_alive() and not status._SHOWN
    assert capfd.readouterr().err == "tf_own: reading pictures\n"


@pytest.mark.slow
@pytest.mark.alone
def test_a_run_has_a_line_for_each_phase(folder):
    seen, code = on_terminal(None, "content.png", "style.png", "a.png", *TINY)
    assert code == 0 and "loading TensorFlow" in seen and "preparing" in seen
    *_, name, last, nothing = lines(seen)
    assert (name, nothing) == ("a.png", "") or name.startswith("tf_style: 32x24 pixels"), last
    assert (folder / "a.png").exists()
    quiet, code = on_terminal(None, "content.png", "style.png", "b.png", *TINY, "-q")
    assert (quiet, code) == ("", 0)
