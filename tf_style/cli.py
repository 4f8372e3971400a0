"""The commands, as console scripts call them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tf_style.commands import evaluate as evaluation
from tf_style.commands import explain as explanation
from tf_style.commands import learn as learning
from tf_style.commands import stylize as stylisation
from tf_style.commands.exits import guarded


def main(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style`."""
    sys.exit(guarded("tf_style", stylisation.stylize, argv))


def evaluate(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_evaluate`."""
    sys.exit(guarded("tf_style_evaluate", evaluation.evaluate, argv))


def learn(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_learn`."""
    sys.exit(guarded("tf_style_learn", learning.learn, argv))


def explain(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_explain`."""
    sys.exit(guarded("tf_style_explain", explanation.explain, argv))
