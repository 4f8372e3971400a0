"""File names: found, expanded, and written so that no file is ever half there."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from tf_style.image import samples
from tf_style.image.files import address, known_endings
from tf_style.image.unfinished import unfinished
from tf_style.settings import InputError

PathLike = str | os.PathLike


def data_folder() -> Path:
    """Where what belongs to the user is kept."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base, "tf_style")


def locate(source: PathLike) -> Path:
    """The file that `source`, a path or `sample:NAME`, names."""
    text = os.fspath(source)
    if text.startswith(samples.PREFIX):
        return samples.sample_path(text[len(samples.PREFIX):])
    return Path(text)


def no_plain_file(path: PathLike) -> str:
    """Why `path` is not a plain file, in a few words; empty if it is one.

    Opening a pipe waits for its writer, and a device may never end.
    """
    if reason := address(path):
        return reason
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "there is no such file"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except ValueError:
        return "no file can have such a name"
    if stat.S_ISDIR(mode):
        return "this is a folder"
    return "" if stat.S_ISREG(mode) else "this is a pipe or a device"


def expand(source: str) -> list[str]:
    """The picture files that a path, a folder or a pattern names, sorted by name.

    For a folder or a pattern, these are the files with a picture's ending. Hidden files are left
    out, such as `._photo.jpg`, which macOS puts beside each file on a foreign disk.

    Raises:
        InputError: for a folder or a pattern that names none, or a folder that cannot be read.
    """
    try:
        if os.path.isdir(source):
            found = [os.fspath(path) for path in Path(source).iterdir()]
        elif glob.has_magic(source) and not os.path.exists(source) and not address(source):
            found = glob.glob(source)
        else:
            return [source]
        known = known_endings()
        found = [name for name in found
                 if Path(name).suffix.lower() in known and not Path(name).name.startswith(".")
                 and os.path.isfile(name)]
    except OSError as error:
        raise InputError(f"{source}: the folder cannot be read ({error.strerror})") from None
    if not found:
        raise InputError(f"{source}: no picture matches")
    return sorted(found)


def named_pictures(patterns: Iterable[str]) -> list[str]:
    """The files that the values of `--pictures` name, each once.

    Raises:
        InputError: for a value that names none.
    """
    found: list[str] = []
    for pattern in patterns:
        try:
            names = expand(pattern)
        except InputError as error:
            raise InputError(f"--pictures={error.flags}") from None
        if names == [pattern] and (reason := no_plain_file(locate(pattern))):
            raise InputError(f"--pictures={pattern}: {reason}")
        found += names
    return list(dict.fromkeys(found))


def check_utf8(flag: str, folder: PathLike) -> None:
    """Check that TensorFlow can write in a folder: it takes names in UTF-8 only.

    Raises:
        InputError: if not.
    """
    try:
        os.path.abspath(folder).encode()
    except UnicodeEncodeError:
        raise InputError(f"--{flag}={os.fspath(folder)}: expected a folder whose whole name is "
                         "UTF-8, which TensorFlow needs. Choose another") from None


def check_writable(path: PathLike) -> Path:
    """`path`, if a file can be created or replaced there; missing folders are made with the file.

    Raises:
        InputError: if not.
    """
    if address(path):
        raise InputError(f"{path}: this is an address; files are written on this machine alone")
    path = Path(path)
    if "\0" in os.fspath(path):
        raise InputError(f"{str(path)!r}: no file can have such a name")
    try:
        # The file that a link points to is what will be replaced.
        target = Path(os.path.realpath(path))
        folder = target.parent if os.path.islink(path) else path.parent
        try:
            status = os.stat(target)
        except (FileNotFoundError, NotADirectoryError):
            status = None
        if os.path.islink(path) and not folder.is_dir():
            raise InputError(f"{path}: the folder {folder} does not exist")
        wanted, folder = folder, existing(folder)
        if not folder.is_dir():
            raise InputError(f"{path}: the folder {wanted} cannot be made, as {folder} is a file")
        # What is written first may have a longer name; so may a new folder.
        for name in (_partial(target).name, *wanted.parts[-1:]):
            with contextlib.suppress(FileNotFoundError):
                os.stat(folder / name)
        if status and stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path}: expected a file name, this is a folder")
        if status and not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: expected the name of a plain file")
        if status and not os.access(target, os.W_OK):
            raise InputError(f"{path}: the file is write-protected")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot write in {folder} ({error.strerror})") from None
    except UnicodeError:
        raise InputError(f"{str(path)!r}: no file can have such a name") from None
    return path


def existing(folder: PathLike) -> Path:
    """The folder, or else the nearest above it that is there."""
    folder = Path(folder)
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def write_bytes(path: PathLike, content: bytes | memoryview, *, lasting: bool = True) -> None:
    """Write a file so that at any moment `path` is the older file or the complete new one.

    Missing folders are made.

    Args:
        lasting: as for `replacing`.

    Raises:
        InputError: if it cannot be written; an older file is then still there.
    """
    try:
        with replacing(path, lasting=lasting) as file:
            file.write(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    except ValueError:
        # Such as a NUL, or what is no Unicode.
        raise InputError(f"{os.fspath(path)!r}: no file can have such a name") from None


@contextlib.contextmanager
def replacing(path: PathLike, *, lasting: bool = True) -> Iterator[BinaryIO]:
    """A file to write in that takes the place of `path` when the block ends without an error.

    Missing folders are made.

    Args:
        lasting: wait until the disk has it. If not, it may be cut short where the power fails.

    Raises:
        OSError: if it cannot be written; an older file is then still there.
    """
    # A link stays a link: the file that it points to is replaced.
    target = Path(os.path.realpath(path))
    partial = _partial(target)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(partial, create=lambda: open(partial, "xb")) as file:
        with file:
            yield file
            file.flush()
            if lasting:
                # A full or remote disk may report an error only now.
                os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, partial)
        os.replace(partial, target)


@contextlib.contextmanager
def mark(folder: PathLike) -> Iterator[str]:
    """A new empty file in a folder until the block ends; an empty name if there can be none.

    Whoever sees it, maybe on another machine, sees the same folder.
    """
    path = os.path.join(os.path.abspath(folder), f".tf_style_{secrets.token_hex(8)}.partial")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(unfinished(path, create=Path(path).touch))
            stack.callback(Path(path).unlink, missing_ok=True)
        except OSError:
            path = ""
        yield path


def named(text: str, names: Mapping[str, str]) -> str:
    """A text with the names of files in the stead of their places: place → name."""
    for place in sorted(names, key=len, reverse=True):
        text = text.replace(place, names[place])
    return text


def _partial(target: Path) -> Path:
    """What a file is called until it is complete."""
    return target.with_name(f".{secrets.token_hex(8)}.partial")
