"""HDF5 files from anywhere, opened only if what they hold is in them. No TensorFlow.

Such a file can read other files, by links, external storage and virtual datasets; and a few bytes
in it can stand for any number of values.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from typing import BinaryIO

import h5py

from tf_style.image.paths import PathLike

# Far more than a network's layers and their arrays.
_MOST_OBJECTS = 100_000
# Kernels hardly compress. A small file may hold a few arrays of zeros.
_MOST_TIMES, _ALWAYS = 8, 64_000_000


def is_inflated(values: int, stored: int) -> bool:
    """Whether so many bytes are more than an honest file of `stored` bytes stands for."""
    return values > max(_ALWAYS, _MOST_TIMES * stored)


@contextlib.contextmanager
def opened(source: PathLike | BinaryIO) -> Iterator[h5py.File]:
    """A file, or one in memory, that has been checked.

    Raises:
        OSError, RuntimeError, KeyError, TypeError: for a damaged file.
        ValueError: for one that reads other files, or stands for more than it holds.
    """
    if isinstance(source, (str, os.PathLike)):
        stored = os.path.getsize(source)
    else:
        stored = source.seek(0, os.SEEK_END)
    with h5py.File(source, "r") as file:
        if is_inflated(sum(map(_bytes, datasets(file))), stored):
            raise ValueError(f"its arrays take far more than the {stored} bytes of the file")
        yield file


def datasets(file: h5py.File) -> Iterator[h5py.Dataset]:
    """Each dataset of a file once, without following links.

    Raises:
        ValueError: for a link, or a dataset whose values lie elsewhere.
    """
    seen: set[int] = set()
    groups = [file]
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{name!r} in {group.name!r} is a link; weights need none")
            found = group[name]
            # Hard links may form a circle.
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _MOST_OBJECTS:
                raise ValueError(f"it holds more than {_MOST_OBJECTS} groups and arrays")
            if isinstance(found, h5py.Group):
                groups.append(found)
            elif isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    raise ValueError(f"the values of {found.name!r} lie in another file")
                yield found


def _bytes(dataset: h5py.Dataset) -> int:
    """What reading it takes: a chunk is read whole, even if it is larger than the array."""
    values = max(math.prod(dataset.shape or ()), math.prod(dataset.chunks or ()))
    return values * dataset.dtype.itemsize
