"""An earlier commit, checked out beside this one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """The folder of the commit; it is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder, "earlier")
        subprocess.run(["git", "worktree", "add", "--detach", earlier, commit],
                       check=True, cwd=ROOT, capture_output=True)
        try:
            yield earlier
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", earlier],
                           check=True, cwd=ROOT, capture_output=True)


def environment(root: Path) -> dict[str, str]:
    """Variables with which Python imports the package in `root`."""
    return {**os.environ, "PYTHONPATH": os.fspath(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
