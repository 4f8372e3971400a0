"""Checkpoints of a run: their folder, and what makes two runs the same one. No TensorFlow."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tf_style.image.files import PathLike, check_writable
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, COMMAND_OPTIONS, InputError, Settings

_EVERY = next(option for option in COMMAND_OPTIONS if option.name == "checkpoint_every")
# Of a run's time: what automatic checkpoints may take.
_SHARE = 0.02
# Should the newest be damaged, there is one more.
_KEPT = 2
_NAME, _PARTIAL = "checkpoint_", "partial"

# They decide what memory a run takes, or where it looks, not what it computes.
_FREE = {"block_size", "max_memory", "cache_dir", "offline"}
# Where the kernels came from does not matter where they are the same.
_SOURCES = {"weights", "content_network_weights", "style_network_weights"}


class Checkpoints:
    """A folder of checkpoints, of which each is complete or absent at any moment.

    A checkpoint is written under another name and gets its own when it is whole: the process may
    be killed at any time. The last two are kept. A run that starts anew replaces those of an older
    run when it has some of its own.

    Args:
        folder: made if it is missing; holds nothing else.
        every: steps from one checkpoint to the next; `auto`: so that they take two percent of the
            time. The end of a size and a stop give one in any case; with L-BFGS, whose memory
            cannot be had, only the end of a size.
        resume: go on from the last complete one; where there is none, start anew with a warning.

    Raises:
        InputError: for a folder that cannot be used.

    Example:
        >>> checkpoints = Checkpoints("harbor", resume=True)
        >>> result = stylize("harbor.jpg", "waves.jpg", checkpoints=checkpoints, time_limit="5m")
    """

    def __init__(self, folder: PathLike, *, every: int | str = AUTO, resume: bool = False):
        self.folder = Path(folder)
        self.every = _EVERY.parse(every)
        self.resume = resume
        self._seconds = 0.0
        self._saved = time.perf_counter()
        self._check_folder()

    def _check_folder(self) -> None:
        flag = f"--checkpoint={self.folder}"
        # TensorFlow takes a name for a pattern.
        if set("*?[]") & set(os.fspath(self.folder)):
            raise InputError(f"{flag}: expected a name without * ? [ ]")
        if not self.folder.is_dir():
            if self.folder.exists():
                raise InputError(f"{flag}: expected a folder, this is a file")
            check_writable(self.folder)
            return
        check_writable(self.folder / "new")
        # Names with a dot are those of file managers.
        others = sorted(each.name for each in self.folder.iterdir()
                        if not each.name.startswith((".", _NAME)) and each.name != _PARTIAL)
        if others:
            raise InputError(f"{flag}: expected a new folder, or one of checkpoints alone. It "
                             f"holds {others[0]}")

    def newest_first(self) -> list[Path]:
        """The checkpoints that there are."""
        found = [each for each in self.folder.glob(_NAME + "*") if _number(each)]
        return sorted(found, key=_number, reverse=True)

    def due(self, steps: int) -> bool:
        """Whether to save now, after so many steps in all."""
        if self.every != AUTO:
            return steps % self.every == 0
        return (time.perf_counter() - self._saved) * _SHARE > self._seconds

    def add(self, write: Callable[[Path], None]) -> None:
        """Add one. A run is worth more than its checkpoint: where that fails, this warns.

        Args:
            write: fills the folder that it is given; an `OSError` says that it could not.
        """
        began = time.perf_counter()
        partial, older = self.folder / _PARTIAL, self.newest_first()
        number = _number(older[0]) + 1 if older else 1
        try:
            if partial.exists():
                shutil.rmtree(partial)
            partial.mkdir(parents=True)
            write(partial)
            partial.rename(self.folder / f"{_NAME}{number}")
        except OSError as error:
            warnings.warn(
                f"{self.folder}: the checkpoint cannot be written ({error.strerror or error})",
                stacklevel=2,
            )
        else:
            for path in older[_KEPT - 1 :]:
                shutil.rmtree(path, ignore_errors=True)
        self._saved = time.perf_counter()
        self._seconds = self._saved - began

    def load(
        self, read: Callable[[Path], dict[str, Any] | None], origin: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """What `read` gives for the newest checkpoint that is not damaged; `None` without any.

        Args:
            read: restores what is in a folder and gives its note, with the `origin` that the run
                had; `None` for what is damaged.
            origin: of this run.

        Raises:
            InputError: if the checkpoint is of another run; the message says what differs.
        """
        if not self.resume:
            if self.newest_first():
                warnings.warn(f"{self.folder}: starting anew; --resume goes on with what is there",
                              stacklevel=2)
            return None
        for path in self.newest_first():
            note = read(path)
            if note is None:
                warnings.warn(f"{path}: the checkpoint is damaged", stacklevel=2)
                continue
            changes = differences(note["origin"], origin)
            if changes:
                raise InputError(
                    f"--checkpoint={self.folder}: this is another run's: {'; '.join(changes)}. "
                    "Repeat its settings and pictures, or start anew without --resume"
                )
            return note
        warnings.warn(f"{self.folder}: no complete checkpoint; starting anew", stacklevel=2)
        return None


def _number(path: Path) -> int:
    digits = path.name[len(_NAME) :]
    return int(digits) if digits.isdecimal() else 0


def origin(
    settings: Settings, weights: Mapping[str, str], scene: Scene, start: np.ndarray
) -> dict[str, Any]:
    """All that a run's pixels follow from, as plain JSON data.

    Args:
        settings: with every `auto` resolved.
        weights: layer → fingerprint.
        scene: its pictures, as they were given.
        start: the image that the first step starts from.
    """
    groups = {
        "content": () if scene.content is None else (scene.content,),
        "style": scene.styles,
        "content mask": scene.content_masks,
        "style mask": scene.style_masks,
        "start": (start,),
    }
    return {
        "settings": settings.as_dict(),
        "weights": dict(weights),
        "pictures": {
            f"{name} {number}" if len(group) > 1 else name: _digest(picture)
            for name, group in groups.items() for number, picture in enumerate(group, 1)
        },
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run differs in from an earlier one, in words.

    Args:
        before, now: what `origin` gives.
    """
    same_kernels = before["weights"] == now["weights"]
    free = _FREE | _SOURCES if same_kernels else _FREE
    found = [
        f"--{name} was {before['settings'].get(name)}, is {value}"
        for name, value in now["settings"].items()
        if name not in free and before["settings"].get(name) != value
    ]
    old, new = before["pictures"], now["pictures"]
    found += [f"the {name} differs" for name in {**old, **new}
              if old.get(name) != new.get(name) and not (found and name == "start")]
    # These follow from the others, too.
    return found or ([] if same_kernels else ["the weights differ"])


def _digest(picture: np.ndarray) -> str:
    digest = hashlib.sha256(f"{picture.shape}\n".encode())
    digest.update(np.ascontiguousarray(picture, np.float32))
    return digest.hexdigest()
