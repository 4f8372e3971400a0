"""Checkpoints of a run: their folder, and what makes two runs the same one. No TensorFlow."""

from __future__ import annotations

import contextlib
import hashlib
import operator
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tf_style.image.paths import PathLike, check_utf8, check_writable
from tf_style.image.unfinished import unfinished
from tf_style.run.lock import HeldError, locked
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.auto import BEFORE_OPTIONS
from tf_style.settings.option import whole

# Share of a run's time that automatic checkpoints may take.
_SHARE = 0.02
# If the newest is damaged, there is one more.
_KEPT = 2
_NAME, _PARTIAL = "checkpoint_", "partial"

# They decide what memory a run takes, where it looks, or how values are rounded, not what it is.
FREE = {"block_size", "max_memory", "threads", "cache_dir", "offline", "max_pixels"}
# Where the kernels came from does not matter if they are the same.
_SOURCES = {"weights", "content_network_weights", "style_network_weights"}


class Checkpoints:
    """A folder of checkpoints, each of which is complete or absent at any moment.

    A checkpoint is written under another name and gets its own when it is complete, so the process
    may be killed at any time. The last two are kept. A run that starts from the beginning replaces
    those of an older run once it has some of its own.

    Args:
        folder: created if it is missing; holds nothing else.
        every: steps from one checkpoint to the next; `auto`: so that they take two percent of the
            time. One is always written at the end of a size and at a stop; with L-BFGS, whose
            memory is not accessible, only at the end of a size.
        resume: go on from the last complete one, with more steps if the settings say so; if there
            is none, start anew with a warning.

    Raises:
        InputError: for a folder that cannot be used.

    Example:
        >>> checkpoints = Checkpoints("harbor", resume=True)
        >>> result = stylize("harbor.jpg", "waves.jpg", checkpoints=checkpoints, time_limit="5m")
    """

    def __init__(self, folder: PathLike, *, every: int | str = AUTO, resume: bool = False):
        self.folder = Path(folder)
        self.every = every if every == AUTO else whole(1).parse("checkpoint_every", every)
        self.resume = resume
        self._seconds = 0.0
        self._saved = time.perf_counter()
        self._held = False
        self._check_folder()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from writing there until the block ends; a run does so itself.

        Raises:
            InputError: if another process, or another run in this one, writes there.
        """
        if self._held:
            yield
            return
        try:
            with locked(self.folder):
                self._held = True
                yield
        except HeldError as error:
            raise InputError(f"--checkpoint={self.folder}: {error} is writing there. Wait for its "
                             "end, or choose another folder") from None
        finally:
            self._held = False

    def _check_folder(self) -> None:
        flag = f"--checkpoint={self.folder}"
        # TensorFlow would take such a name for a pattern.
        if set("*?[]") & set(os.fspath(self.folder)):
            raise InputError(f"{flag}: expected a name without * ? [ ]")
        check_utf8("checkpoint", self.folder)
        try:
            os.stat(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no folder can have such a name"
            raise InputError(f"{flag}: cannot be used ({reason})") from None
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
            raise InputError(f"{flag}: expected a new folder, or one of checkpoints only. It "
                             f"holds {others[0]}")

    def newest_first(self) -> list[Path]:
        """The existing checkpoints."""
        return newest_first(self.folder)

    def due(self, steps: int) -> bool:
        """Whether to save now, after this many steps in all."""
        if self.every != AUTO:
            return steps % self.every == 0
        return (time.perf_counter() - self._saved) * _SHARE > self._seconds

    def add(self, write: Callable[[Path], None], note: Callable[[str], None]) -> None:
        """Add one. A run is worth more than its checkpoint: if writing fails, a note says so.

        Args:
            write: fills the folder that it is given; raises an `OSError` if it cannot.
            note: called with the text of each note.
        """
        began = time.perf_counter()
        partial, older = self.folder / _PARTIAL, self.newest_first()
        number = _number(older[0]) + 1 if older else 1
        try:
            if partial.exists():
                shutil.rmtree(partial)
            with unfinished(partial, shutil.rmtree):
                partial.mkdir(parents=True)
                write(partial)
                partial.rename(self.folder / f"{_NAME}{number}")
        except OSError as error:
            note(f"{self.folder}: the checkpoint cannot be written ({error.strerror or error})")
        else:
            for path in older[_KEPT - 1 :]:
                shutil.rmtree(path, ignore_errors=True)
        self._saved = time.perf_counter()
        self._seconds = self._saved - began

    def load(
        self, read: Callable[[Path], dict[str, Any] | None], origin: Mapping[str, Any],
        note: Callable[[str], None],
    ) -> dict[str, Any] | None:
        """What `read` returns for the newest checkpoint that is not damaged; `None` without any.

        Args:
            read: restores what is in a folder and returns its data, with the `origin` of its run;
                `None` if it is damaged.
            origin: of this run.
            note: called with the text of each note.

        Raises:
            InputError: if the checkpoint is from another run; the message says what differs.
        """
        if not self.resume:
            if self.newest_first():
                note(f"{self.folder}: starting anew; --resume goes on with what is there")
            return None
        for path in self.newest_first():
            kept = read(path)
            if kept is None:
                note(f"{path}: the checkpoint is damaged")
                continue
            changes = differences(kept["origin"], origin)
            if changes:
                raise InputError(
                    f"--checkpoint={self.folder}: this is another run's: {'; '.join(changes)}. "
                    "Repeat its settings and pictures, or start anew without --resume"
                )
            return kept
        note(f"{self.folder}: no complete checkpoint; starting anew")
        return None


def newest_first(folder: Path) -> list[Path]:
    """The complete checkpoints in a folder, which need not exist."""
    found = [each for each in folder.glob(_NAME + "*") if _number(each)]
    return sorted(found, key=_number, reverse=True)


def _number(path: Path) -> int:
    digits = path.name[len(_NAME) :]
    return int(digits) if digits.isdecimal() else 0


def origin(
    settings: Settings, weights: Mapping[str, str], scene: Scene, start: np.ndarray
) -> dict[str, Any]:
    """Everything that decides a run's pixels, as plain JSON data.

    Args:
        settings: with every `auto` resolved.
        weights: layer → fingerprint.
        scene: its pictures, as they were given.
        start: the image that the first step starts from.
    """
    groups = {
        "content": () if scene.content is None else (scene.content,),
        "style": [style.picture for style in scene.styles],
        "content mask": [style.region for style in scene.styles if style.region is not None],
        "style mask": [style.mask for style in scene.styles if style.mask is not None],
        "mask of --protect": () if scene.protect is None else (scene.protect,),
        "previous frame's trust": () if scene.previous is None else (scene.previous.trust,),
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
    """How a run differs from an earlier one, in words.

    Args:
        before, now: what `origin` returned. More steps than before are no difference.
    """
    same_kernels = before["weights"] == now["weights"]
    free = FREE | _SOURCES if same_kernels else FREE
    # An option that did not exist had the effect of its default.
    then = {**Settings().as_dict(), **BEFORE_OPTIONS, **before["settings"]}
    found = [
        f"--{name} was {then[name]}, is {value}" for name, value in now["settings"].items()
        if name not in free and then[name] != value and not _goes_on(name, then[name], value)
    ]
    old, new = before["pictures"], now["pictures"]
    found += [f"the {name} differs" for name in {**old, **new}
              if old.get(name) != new.get(name) and not (found and name == "start")]
    # Weights may differ because something else does.
    return found or ([] if same_kernels else ["the weights differ"])


def has_more_steps(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether settings differ from earlier ones of the same run by more steps.

    Args:
        before, now: as `Settings.as_dict` returns them.
    """
    return any(name in before and before[name] != now[name] and _goes_on(name, before[name], value)
               for name, value in now.items())


def _goes_on(name: str, before: Any, now: Any) -> bool:
    """Whether a run can go on with another value, because it means more steps."""
    if name == "tolerance":
        return now < before
    if name != "steps" or AUTO in (before, now):
        return False
    return len(before) == len(now) and all(map(operator.ge, now, before))


def _digest(picture: np.ndarray) -> str:
    digest = hashlib.sha256(f"{picture.shape}\n".encode())
    digest.update(np.ascontiguousarray(picture, np.float32))
    return digest.hexdigest()
