"""Files and folders that are being written. No imports that take time: a signal may come early."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

PathLike = str | os.PathLike
T = TypeVar("T")

# What is on the disk belongs to the whole process, and so does its end, whatever thread is writing.
_UNFINISHED: dict[str, Callable[[str], object]] = {}
_LOCK = threading.RLock()
# How often to look again, and after how many seconds: native code may still be writing in a folder
# that is being removed.
_LOOKS, _PAUSE = 25, 0.01


@contextlib.contextmanager
def unfinished(
    path: PathLike, remove: Callable[[str], object] = os.unlink,
    create: Callable[[], T] = lambda: None,
) -> Iterator[T]:
    """Remove `path` if the block fails, or if the process is ended at once within it.

    Args:
        path: a file or a folder; it need not exist.
        remove: removes it; may raise an `OSError`.
        create: creates it. No end of the process comes between this and the block.

    Yields:
        What `create` returned.
    """
    name = os.fspath(path)
    with _LOCK:
        created = create()
        _UNFINISHED[name] = remove
    try:
        yield created
    except BaseException:
        with _LOCK:
            _remove(name)
        raise
    finally:
        with _LOCK:
            _UNFINISHED.pop(name, None)


@contextlib.contextmanager
def none_unfinished() -> Iterator[None]:
    """Remove all that is being written, the newest first; until the block ends, nothing is begun.

    For the end of the process, while other threads go on.
    """
    with _LOCK:
        for _ in range(_LOOKS):
            for name in reversed(tuple(_UNFINISHED)):
                _remove(name)
            time.sleep(_PAUSE)
            if not any(map(os.path.lexists, _UNFINISHED)):
                break
        yield


def _remove(name: str) -> None:
    with contextlib.suppress(OSError, KeyError):
        _UNFINISHED[name](name)
