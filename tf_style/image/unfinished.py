"""Files and folders that are being written. No imports that take time: a signal may come early."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

PathLike = str | os.PathLike

# What is on the disk belongs to the whole process, and so does its end, whatever thread is writing.
_UNFINISHED: dict[str, Callable[[str], object]] = {}


@contextlib.contextmanager
def unfinished(
    path: PathLike, remove: Callable[[str], object] = os.unlink
) -> Iterator[None]:
    """Remove `path` if the block fails, or if the process is ended at once within it.

    Args:
        path: a file or a folder; it need not exist.
        remove: removes it; may raise an `OSError`.
    """
    name = os.fspath(path)
    _UNFINISHED[name] = remove
    try:
        yield
    except BaseException:
        _remove(name)
        raise
    finally:
        _UNFINISHED.pop(name, None)


def remove_unfinished() -> None:
    """Remove all that is being written now, the newest first."""
    for name in reversed(tuple(_UNFINISHED)):
        _remove(name)


def _remove(name: str) -> None:
    with contextlib.suppress(OSError, KeyError):
        _UNFINISHED[name](name)
