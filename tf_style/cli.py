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
    "tf_style_train": "tf_style.commands.train",
    "tf_style_camera": "tf_style.commands.camera",
    "tf_style_library": "tf_style.commands.library",
    "tf_style_studio": "tf_style.commands.studio",
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


def train(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_train`."""
    _run("tf_style_train", argv)


def camera(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_camera`."""
    _run("tf_style_camera", argv)


def library(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_library`."""
    _run("tf_style_library", argv)


def studio(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_studio`."""
    _run("tf_style_studio", argv)


def _run(program: str, argv: Sequence[str] | None) -> None:
    from tf_style.commands.signals import Signals
    from tf_style.commands.status import Status
    from tf_style.commands.streams import hold_places

    hold_places()
    arguments = sys.argv[1:] if argv is None else argv
    # It is known for sure only once flagfiles are read; until then, little can be seen.
    quiet = any(each == "--quiet" or each.startswith("-q") for each in arguments)
    # First of all: what is imported next takes seconds, in which the user may change his mind.
    with (
        Signals(program, owns_process=argv is None) as signals,
        Status(program, quiet=quiet),
    ):
        from tf_style.commands.exits import guarded, leave

        code = guarded(importlib.import_module(COMMANDS[program]).COMMAND, argv, signals)
    if argv is None:
        leave(code)
    sys.exit(code)
