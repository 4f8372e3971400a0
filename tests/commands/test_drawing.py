"""How the status line looks, in any width."""

import itertools
import os
from types import SimpleNamespace

import pytest

from tf_style.commands.drawing import count, painter, plain, sentence
from tf_style.commands.status import View

RUN = View("picture 2 of 3", 0.25, 130.0, ("512x384 (2/3)", "step 12/60", "loss 0.12",
                                          "content 0.05", "style 0.07"), since=50.0)
LOADING = View("loading TensorFlow", since=90.0)


@pytest.mark.parametrize("width, line", [
    (39, "| [##------]  25%  0:30 left"),
    (49, "| [##--------]  25%  0:30 left  picture 2 of 3"),
    (79, "| [####-------------]  25%  0:30 left  picture 2 of 3  512x384 (2/3)"),
    (199, f"| [{'#' * 10}{'-' * 28}]  25%  0:30 left  picture 2 of 3  512x384 (2/3)  step 12/60  "
          "loss 0.12  content 0.05  style 0.07"),
    (24, "| [##------]  25%"), (5, "| [##"),
])
def test_what_fits_is_shown_whole(width, line):
    assert plain(RUN, width, 100.0) == (line, len(line))


@pytest.mark.parametrize("width, line", [
    (39, "| loading TensorFlow  0:10"), (20, "| loading...  0:10"),
])
def test_what_has_no_share_shows_how_long_it_takes(width, line):
    assert plain(LOADING, width, 100.0) == (line, len(line))


def test_it_moves_and_counts_down():
    drawn = [plain(RUN, 79, 100 + tick / 4)[0] for tick in range(9)]
    assert all(a != b for a, b in itertools.pairwise(drawn))
    assert "0:28 left" in drawn[-1]
    # What takes longer than thought does not go below nothing.
    assert "0:00 left" in plain(RUN, 79, 1000.0)[0]


def test_a_log_has_a_sentence():
    assert sentence(RUN, 100.0) == "picture 2 of 3, 25%, 0:30 left"
    assert sentence(LOADING, 100.0) == "loading TensorFlow"


def test_rich_draws_the_same_words_in_the_same_width(monkeypatch):
    pytest.importorskip("rich", reason="pip install 'tf_style[progress]'")
    pty = pytest.importorskip("pty", reason="needs a POSIX pseudo-terminal")
    main, terminal = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(encoding="utf-8"))
    draw = painter(terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    assert draw is not plain and painter(terminal) is plain
    for width in (24, 39, 79, 199):
        for view in (RUN, LOADING):
            line, wide = draw(view, width, 100.0)
            expected, length = plain(view, width, 100.0)
            assert wide == length and "\x1b[" in line and "\n" not in line
            assert line.endswith(expected.rpartition("  ")[2])
    os.close(main)
    os.close(terminal)


@pytest.mark.parametrize("number, text", [(0, "0 steps"), (1, "1 step"), (2, "2 steps")])
def test_one_is_not_several(number, text):
    assert count(number, "step") == text
