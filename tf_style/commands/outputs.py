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
        if any(identity(path) == identity(locate(each)) for each in inputs):
            raise InputError(f"--{name}={path}: this would replace an input")
    for (first, path), (second, other) in itertools.combinations(named.items(), 2):
        if identity(path) == identity(other):
            raise InputError(f"--{second}={other}: this is the --{first}")


def check_folder(flag: str, folder: str) -> Path:
    """`folder` as a path, if it is there or can be made.

    Raises:
        InputError: if not.
    """
    path = Path(folder)
    parent = path if path.is_dir() else path.absolute().parent
    if path.is_file() or not parent.is_dir():
        raise InputError(f"--{flag}={path}: expected a folder, or a new name in one")
    if not os.access(parent, os.W_OK):
        raise InputError(f"--{flag}={path}: cannot write in {parent}")
    return path


def identity(path: Path) -> object:
    """Equal for names of the same file, be it there or not."""
    try:
        status = os.stat(path)
    except OSError:
        return os.path.normcase(os.path.realpath(path))
    return status.st_dev, status.st_ino
