"""Files that a command writes: that none replaces an input, or another."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tf_style.settings import InputError


def check_apart(outputs: Mapping[str, Path | None], inputs: Iterable[str]) -> None:
    """See that nothing that will be written replaces an input, or another output.

    Raises:
        InputError: which one would.
    """
    from tf_style.image.files import locate

    named = {name: path for name, path in outputs.items() if path}
    for name, path in named.items():
        if any(_same_file(path, locate(each)) for each in inputs):
            raise InputError(f"--{name}={path}: this would replace an input")
    for (first, path), (second, other) in itertools.combinations(named.items(), 2):
        if _same_file(path, other):
            raise InputError(f"--{second}={other}: this is the --{first}")


def _same_file(first: Path, second: Path) -> bool:
    if first.exists() and second.exists():
        return os.path.samefile(first, second)
    return os.path.realpath(first) == os.path.realpath(second)
