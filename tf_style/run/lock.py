"""Folders and files that one process at a time may write."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tf_style.image.unfinished import unfinished

# File managers and we ourselves pass over names with a dot.
_NAME = ".lock"
# Windows lets nobody read the bytes that are locked, so they are none of the text.
_OFFSET = 1 << 20


class HeldError(Exception):
    """Another process holds it; the message names that process."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made if it is missing, until the block or the process ends, however it does.

    Raises:
        HeldError: if another process, or another thread of this one, holds it.
    """
    with _held(folder / _NAME):
        yield


@contextlib.contextmanager
def claimed(file: Path) -> Iterator[None]:
    """Hold a file that is to be written, whether it exists or not, as `locked` does a folder.

    Raises:
        HeldError: if another process, or another thread of this one, holds it.
    """
    with _held(file.with_name(f".{file.name}{_NAME}")):
        yield


@contextlib.contextmanager
def unmade(file: Path) -> Iterator[bool]:
    """Whether a file is still to be made, and no other process makes it until the block ends."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(claimed(file))
            is_free = not file.exists()
        except HeldError:
            is_free = False
        yield is_free


@contextlib.contextmanager
def _held(lock: Path) -> Iterator[None]:
    """Hold a lock file, made together with its folder, and removed at the end.

    The operating system keeps the lock, so a file that a killed process left behind locks nothing.
    Where no such file can be made, or the disk knows no locks, nothing is held.
    """
    folder = lock.parent
    with contextlib.ExitStack() as stack:
        if not folder.is_dir():
            stack.enter_context(_removed(folder, os.rmdir))
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True)
        files: list[int] = []
        with contextlib.suppress(OSError):
            stack.enter_context(_removed(
                lock, lambda name: files and _release(name, files.pop()),
                lambda: files.append(_opened(lock)),
            ))
        yield


@contextlib.contextmanager
def _removed(
    path: Path, remove: Callable[[str], object], create: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Remove `path` when the block ends; a folder only if it is empty then."""
    with unfinished(path, remove, create):
        yield
    with contextlib.suppress(OSError):
        remove(os.fspath(path))


def _opened(path: Path) -> int:
    """The lock file, opened and locked by this process."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(file)
            if os.name == "nt" or os.path.samestat(os.fstat(file), os.stat(path)):
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
                return file
            # Its holder removed it after we had opened it.
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _OFFSET, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.lseek(file, 0, os.SEEK_SET)
        holder = os.read(file, 20).decode("ascii", "replace").strip()
        raise HeldError(f"process {holder}" if holder else "another process") from None


def _release(name: str, file: int) -> None:
    # Windows removes no file that is open; elsewhere another process could lock it in between.
    if os.name == "nt":
        os.close(file)
    with contextlib.suppress(OSError):
        os.unlink(name)
    if os.name != "nt":
        os.close(file)
