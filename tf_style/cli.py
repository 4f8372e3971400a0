"""The commands, as console scripts call them: a row for each."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

# Name → the module that has the command, as `COMMAND`.
COMMANDS = {
    "tf_style": "tf_style.commands.stylize",
    "tf_style_evaluate": "tf_style.commands.evaluate",
    "tf_style_learn": "tf_style.commands.learn",
    "tf_style_explain": "tf_style.commands.explain",
}


def main(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style`."""
    _run("tf_style", argv)


def evaluate(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_evaluate`."""
    _run("tf_style_evaluate", argv)


def learn(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_learn`."""
    _run("tf_style_learn", argv)


def explain(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_explain`."""
    _run("tf_style_explain", argv)


def _run(program: str, argv: Sequence[str] | None) -> None:
    from tf_style.commands.signals import Signals
    from tf_style.commands.streams import hold_places

    hold_places()
    # First of all: what is imported next takes seconds, in which the user may change his mind.
    with Signals(program, owns_process=argv is None) as signals:
        from tf_style.commands.exits import guarded

        code = guarded(importlib.import_module(COMMANDS[program]).COMMAND, argv, signals)
    sys.exit(code)
