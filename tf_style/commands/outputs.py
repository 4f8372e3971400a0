"""The files that a command writes: none replaces an input or another output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tf_style.settings import InputError


class OutputError(Exception):
    """What a command was called for cannot be written, though nothing is wrong with its input."""


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """In this context it is no fault of the input if a file, found writable before, cannot be.

    Raises:
        OutputError: instead of an `InputError` or an `OSError`.
    """
    try:
        yield
    except InputError as error:
        raise OutputError(error.flags) from None
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written ({error.strerror})") from None


def check_apart(
    outputs: Mapping[str, Path | Sequence[Path] | None], inputs: Iterable[str]
) -> None:
    """Check that nothing that will be written replaces an input, or what another flag names.

    Args:
        outputs: flag → the file or files that it names.

    Raises:
        InputError: if one would; the message names it.
    """
    from tf_style.image.paths import locate

    read = {identity(locate(each)) for each in inputs}
    written: dict[Hashable, str] = {}
    for flag, paths in outputs.items():
        paths = [paths] if isinstance(paths, Path) else paths or []
        for path in paths:
            if identity(path) in read:
                raise InputError(f"--{flag}={path}: this would replace an input")
            if identity(path) in written:
                raise InputError(f"--{flag}={path}: this is the --{written[identity(path)]}")
        written.update((identity(path), flag) for path in paths)


def check_folder(flag: str, folder: str) -> Path:
    """`folder` as a path, if it exists or can be created, and TensorFlow can write in it.

    Raises:
        InputError: if not.
    """
    from tf_style.image.paths import check_utf8, existing

    path = Path(folder)
    check_utf8(flag, path)
    parent = existing(path.absolute())
    if not parent.is_dir():
        raise InputError(f"--{flag}={path}: expected a folder, or a new name")
    if not os.access(parent, os.W_OK):
        raise InputError(f"--{flag}={path}: cannot write in {parent}")
    return path


def identity(path: Path) -> Hashable:
    """What two names of one file have in common, whether it exists or not."""
    try:
        status = os.stat(path)
        return status.st_dev, status.st_ino
    except ValueError:
        # No file can have such a name; writing it will raise the error.
        return os.fspath(path)
    except OSError:
        real = os.path.realpath(path)
        # Their file systems do not distinguish such names.
        return real.casefold() if sys.platform in ("darwin", "win32") else real
