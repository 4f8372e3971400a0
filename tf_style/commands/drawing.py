"""How the status line looks: drawn by `rich` where that is installed, else in plain characters."""

from __future__ import annotations

import io
import math
import os
import sys
import textwrap
from collections.abc import Sequence

from tf_style.commands.status import Painter, View

_SPINNER = "|/-\\"
# The narrowest and the widest bar, and how much of a wide terminal it takes.
_LEAST, _MOST, _SHARE = 10, 40, 0.25


def painter(terminal: int) -> Painter:
    """What draws the line on this terminal."""
    try:
        return _rich(terminal) or plain
    except ImportError:
        return plain


def plain(view: View, width: int, now: float) -> tuple[str, int]:
    """The line in characters that any terminal has."""
    size, words = _parts(view, width - 2, now)
    if size:
        words = [bar(view.share, size - 2).rstrip(), *words]
    line = "  ".join([f"{_SPINNER[int(now * 4) % 4]} {words[0]}", *words[1:]])[:width]
    return line, len(line)


def sentence(view: View, now: float) -> str:
    """The same for a log."""
    known = [] if view.share is None else [_percent(view), *_left(view, now)]
    return ", ".join([view.text, *known])


def minutes(seconds: float) -> str:
    """A duration, such as 1:05."""
    whole, rest = divmod(math.ceil(seconds), 60)
    return f"{whole}:{rest:02}"


def count(number: int, noun: str) -> str:
    """So many of something, such as 1 step and 2 steps."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def bar(share: float, width: int = 10) -> str:
    """A bar for a line that stays."""
    done = round(width * share)
    return f"[{'#' * done}{'-' * (width - done)}] "


def _parts(view: View, width: int, now: float) -> tuple[int, list[str]]:
    """How wide the bar is, 0 for none, and which words fit behind it, two spaces apart."""
    if view.share is None:
        took = minutes(math.floor(now - view.since))
        text = textwrap.shorten(view.text, max(width - len(took) - 2, 3), placeholder="...")
        return 0, [text, took]
    size = max(_LEAST, min(_MOST, round(width * _SHARE)))
    words, taken = [], size
    # A later one that is shorter would only jump in and out as numbers change.
    for each in (_percent(view), *_left(view, now), view.text, *view.details):
        if each and taken + 2 + len(each) > width:
            break
        words.append(each)
        taken += 2 + len(each)
    return size, [each for each in words if each]


def _percent(view: View) -> str:
    return f"{math.floor(100 * view.share)}%"


def _left(view: View, now: float) -> Sequence[str]:
    return [] if view.ends is None else [f"{minutes(max(0.0, view.ends - now))} left"]


def _rich(terminal: int) -> Painter | None:
    """What draws with `rich`; `None` if this terminal is to have plain characters.

    Raises:
        ImportError: if it is not installed.
    """
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.spinner import Spinner
    from rich.text import Text

    stream = open(terminal, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    real = Console(file=stream)
    encoding = getattr(sys.stderr, "encoding", None) or ""
    # Without colours, what is left of the bar could not be seen.
    plainly = not real.is_terminal or real.legacy_windows or real.no_color
    if plainly or not encoding.lower().startswith("utf"):
        return None
    console = Console(file=io.StringIO(), force_terminal=True, color_system=real.color_system,
                      legacy_windows=False)
    # The fonts of Windows' terminals lack the others.
    spinner = Spinner("line" if os.name == "nt" else "dots", style="cyan")

    def draw(view: View, width: int, now: float) -> tuple[str, int]:
        size, words = _parts(view, width - 2, now)
        line = Text.assemble(spinner.render(now), " ")
        if size:
            drawn = ProgressBar(total=1.0, completed=view.share, width=size)
            for piece in console.render(drawn, console.options.update(width=size)):
                line.append(piece.text, piece.style)
            line.append("  ")
        line.append("  ".join(words))
        console.file, console.width = io.StringIO(), width
        line.truncate(width)
        console.print(line, end="", no_wrap=True)
        return console.file.getvalue(), line.cell_len

    # What it imports when it first draws, it imports now, not in a thread.
    draw(View("", 0.5, 0.0), 40, 0.0)
    return draw
