"""Learned kernels, kept on disk so that the same pictures need no second learning."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL
import tensorflow as tf

from tf_style.image import files, samples
from tf_style.network import unsupervised
from tf_style.network.architectures import Architecture, Layer
from tf_style.network.kernel_files import Kernels, read_kernels, write_kernels
from tf_style.settings import AUTO, InputError

# About forty networks of three blocks, or five of five.
LIMIT_BYTES = 300_000_000


def cache_folder() -> Path:
    """The folder for caches that this user's system has, and ours within."""
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
) -> tuple[Kernels, bool]:
    """Kernels learned from `pictures` and from the package's samples, by the cache if it has them.

    A cache that cannot be written gives a warning: the kernels are learned again the next time.

    Args:
        architecture: the network that the layers belong to.
        layers: from the first to the deepest one needed.
        pictures: `(h, w, 3)` RGB in `[0, 1]`.
        seed: of everything drawn at random.
        folder: of the cache; `None` or `auto` for the user's.

    Returns:
        The kernels, and whether they came from the cache.
    """
    folder = cache_folder() if folder in (None, AUTO) else Path(folder)
    names = (*samples.CONTENT_SAMPLES, *samples.STYLE_SAMPLES)
    # The run's own pictures count twice: their strokes are what has to be told apart.
    everything = [*pictures, *pictures,
                  *(files.read_picture(samples.PREFIX + name) for name in names)]
    path = folder / f"{_key(architecture, layers, everything, seed)}.h5"
    convolutions = [layer for layer in layers if not layer.pooling]
    try:
        kernels = read_kernels(path, architecture, convolutions)
        os.utime(path)
        return kernels, True
    # Not there, or damaged, or not ours to touch: it is learned, and written again.
    except (InputError, OSError):
        kernels = unsupervised.learn(architecture, layers, everything, seed=seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_kernels(path, kernels)
        _drop_oldest(folder)
    except (InputError, OSError):
        warnings.warn(f"learned features cannot be kept in {folder}; see --cache_dir", stacklevel=2)
    return kernels, False


def _key(
    architecture: Architecture,
    layers: Sequence[Layer],
    pictures: Sequence[np.ndarray],
    seed: int,
) -> str:
    """A name for all that learned kernels depend on: the method's own code, too."""
    digest = hashlib.sha256()
    for module in (unsupervised, files):
        digest.update(Path(module.__file__).read_bytes())
    for part in (architecture.name, layers[-1].name, seed,
                 tf.__version__, np.__version__, PIL.__version__):
        digest.update(f"{part}\n".encode())
    for picture in pictures:
        digest.update(f"{picture.shape}\n".encode())
        digest.update(np.ascontiguousarray(picture, np.float32))
    return digest.hexdigest()[:32]


def _drop_oldest(folder: Path) -> None:
    """Keep what was used last, up to `LIMIT_BYTES` in all."""
    entries = []
    # Only what has a name of ours: the folder may hold other people's weights.
    for path in folder.glob("[0-9a-f]" * 32 + ".h5"):
        try:
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
        except FileNotFoundError:
            # Another run was faster.
            continue
    total = 0
    for _, size, path in sorted(entries, reverse=True):
        total += size
        if total > LIMIT_BYTES:
            path.unlink(missing_ok=True)
