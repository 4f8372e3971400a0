"""Learned kernels, kept on disk so that the same pictures are learned from only once."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL
import tensorflow as tf

from tf_style.image import samples
from tf_style.image.picture import read_picture
from tf_style.network import unsupervised
from tf_style.network.architectures import Architecture, Layer
from tf_style.network.kernel_files import Kernels, read_kernels, write_kernels
from tf_style.settings import AUTO, InputError, Remark

# About forty networks of three blocks, or five of five.
LIMIT_BYTES = 300_000_000


def cache_folder() -> Path:
    """Our folder within this system's cache folder for the user."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "tf_style")


def load(
    architecture: Architecture,
    layers: Sequence[Layer],
    pictures: Sequence[np.ndarray],
    *,
    seed: int = 0,
    folder: str | os.PathLike | None = None,
    watch: Callable[[str], object] = lambda stage: None,
) -> tuple[Kernels, bool]:
    """Kernels learned from `pictures` and the package's samples, or taken from the cache.

    A cache that cannot be written gives a warning: the kernels are learned again the next time.

    Args:
        architecture: the network that the layers belong to.
        layers: from the first to the deepest one needed.
        pictures: `(h, w, 3)` RGB in `[0, 1]`.
        seed: for everything drawn at random.
        folder: of the cache; `None` or `auto` for the user's.
        watch: called with what comes next, in a few words.

    Returns:
        The kernels, and whether they came from the cache.
    """
    folder = cache_folder() if folder in (None, AUTO) else Path(folder)
    names = (*samples.CONTENT_SAMPLES, *samples.STYLE_SAMPLES)
    # The run's own pictures count twice: theirs are the strokes to tell apart.
    everything = [*pictures, *pictures,
                  *(read_picture(samples.PREFIX + name) for name in names)]
    path = folder / f"{_key(architecture, layers, everything, seed)}.h5"
    convolutions = [layer for layer in layers if not layer.pooling]
    try:
        kernels = read_kernels(path, architecture, convolutions)
        os.utime(path)
        return kernels, True
    # Missing, damaged or not readable by us: kernels are learned, and written again.
    except (InputError, OSError):
        kernels = unsupervised.learn(architecture, layers, everything, seed=seed, watch=watch)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_kernels(path, kernels)
        _drop_oldest(folder)
    except (InputError, OSError):
        warnings.warn(f"learned features cannot be kept in {folder}; see --cache_dir",
                      Remark, stacklevel=2)
    return kernels, False


def _key(
    architecture: Architecture,
    layers: Sequence[Layer],
    pictures: Sequence[np.ndarray],
    seed: int,
) -> str:
    """A name that identifies everything that learned kernels depend on."""
    digest = hashlib.sha256()
    for part in (unsupervised.METHOD, architecture.name, layers[-1].name, seed,
                 tf.__version__, np.__version__, PIL.__version__):
        digest.update(f"{part}\n".encode())
    for picture in pictures:
        digest.update(f"{picture.shape}\n".encode())
        digest.update(np.ascontiguousarray(picture, np.float32))
    return digest.hexdigest()[:32]


def _drop_oldest(folder: Path) -> None:
    """Keep the most recently used files, up to `LIMIT_BYTES` in all."""
    entries = []
    # Only files named like ours: the folder may hold other people's weights.
    for path in folder.glob("[0-9a-f]" * 32 + ".h5"):
        try:
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
        except FileNotFoundError:
            # Another run deleted it first.
            continue
    total = 0
    for _, size, path in sorted(entries, reverse=True):
        total += size
        if total > LIMIT_BYTES:
            path.unlink(missing_ok=True)
