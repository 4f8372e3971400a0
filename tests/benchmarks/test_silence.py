"""How long a command keeps a person waiting."""

import sys

import pytest

pytest.importorskip("fcntl", reason="needs a POSIX pseudo-terminal")

from benchmarks import silence


def test_the_longest_silence_is_found_with_the_words_before_it():
    written = [(1.0, "\r\x1b[36m|\x1b[0m loading"), (1.5, "\rpreparing"), (4.0, "a.png\r\n")]
    assert silence.longest(written, 4.5) == (2.5, 1.5, "preparing")
    assert silence.longest([], 3.0) == (3.0, 0.0, "")
    assert silence.longest([(0.5, "a\r\n")], 3.0) == (2.5, 0.5, "a")


def test_what_a_terminal_shows_is_heard():
    code = "import os, sys; print(os.get_terminal_size().columns); sys.exit(3)"
    written, seconds, ended = silence.watch([sys.executable, "-c", code], columns=47)
    assert "".join(text for _, text in written).strip() == "47" and ended == 3
    assert 0 < written[0][0] <= seconds
