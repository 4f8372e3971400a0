"""Stopping a run and going on with it, as the flags have it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.settings import AUTO, InputError

if TYPE_CHECKING:
    from tf_style.run.checkpoints import Checkpoints


def checkpoints_of(
    values: Mapping[str, Any], outputs: Mapping[str, Path | None]
) -> Checkpoints | None:
    """The checkpoints that the flags ask for.

    Args:
        outputs: flag → file or folder that the run writes besides.

    Raises:
        InputError: for a folder that cannot be used, or flags that do not belong together.
    """
    from tf_style.run.checkpoints import Checkpoints

    folder = values.get("checkpoint")
    if not folder:
        for name in ("resume", "checkpoint_every"):
            if values.get(name):
                raise InputError(f"--{name}: say where the run is kept: --checkpoint=FOLDER")
        return None
    checkpoints = Checkpoints(
        folder, every=values.get("checkpoint_every", AUTO), resume=values.get("resume", False)
    )
    for name, path in outputs.items():
        if path and Path(folder).resolve() in path.resolve().parents:
            raise InputError(f"--{name}={path}: the --checkpoint folder is for checkpoints alone")
    return checkpoints


def resuming_command(argv: Sequence[str], output: Path | None, *, resumed: bool) -> str:
    """The command that goes on with the run of `argv`, for a shell.

    Args:
        output: what the run chose to write, if `argv` left it open.
        resumed: whether `argv` went on with a run already.
    """
    # In front: behind a -- there are no flags.
    added = [f"--output={output}"] * (output is not None) + ["--resume"] * (not resumed)
    command = ["tf_style", *added, *argv]
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)
