"""What memory a run takes, and what there is. No TensorFlow."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tf_style.image.files import fitted_size
from tf_style.network.architectures import Layer
from tf_style.network.choice import Use
from tf_style.run.schedule import Scale

# A process that has imported TensorFlow and built a network.
_BASE = 0.75e9
# Pictures, the image's moments and gradient, and what arithmetic with them takes: float32 arrays.
_PICTURES = 12 * 20
# Feature maps that are held at once, over those of the network: gradients, and what convolutions
# lay aside. Measured on oneDNN, rounded up: benchmarks/RESULTS.md.
_HELD = 3.2
# Wider blocks than these measured no faster; narrower ones waste more on margins.
_BLOCK_SIZES = (512, 256, 128)
# What may be used of what is free.
_SHARE = 0.85

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What memory a step takes, from the network's layers and the picture's size.

    Attributes:
        pixels: of the largest picture that the network sees.
        maps: bytes of all feature maps for each pixel.
        kept: bytes for each pixel of what blocks leave behind: content targets, and the maps
            between pieces of the network with their gradients.
    """

    pixels: int
    maps: float
    kept: float

    @classmethod
    def of(
        cls,
        uses: Sequence[Use],
        precision: str,
        scale: Scale,
        styles: Sequence[tuple[int, int]],
    ) -> Estimate:
        """Of a run whose largest size is `scale`.

        Args:
            uses: the networks, whose layers are known.
            styles: height and width of each style image.
        """
        computed = [layer for use in uses for layer in use.layers]
        # The first cut is behind the second pooling.
        between = [layer for layer in computed if layer.pooling and layer.stride >= 4]
        content = [layer for use in uses for layer in use.layers if layer.name in use.content]
        seen = [fitted_size(*shape, scale.style_side) for shape in styles]
        return cls(
            pixels=max(height * width for height, width in [(scale.height, scale.width), *seen]),
            maps=_BYTES[precision] * _values(computed),
            kept=_BYTES[precision] * _values([*between, *between, *content]),
        )

    @property
    def whole(self) -> float:
        """Bytes that the process takes if a step sees the whole picture."""
        return _BASE + self.pixels * (_PICTURES + _HELD * self.maps)

    def in_blocks(self, block_size: int) -> float:
        """Bytes that the process takes if a step sees one block after the other."""
        block = min(self.pixels, (block_size + 24) ** 2)
        return _BASE + self.pixels * (_PICTURES + self.kept) + block * _HELD * self.maps

    def block_size(self, limit: float) -> int:
        """The widest blocks that fit into `limit` bytes, or else the smallest; 0 for the whole."""
        if self.whole <= limit:
            return 0
        fitting = [size for size in _BLOCK_SIZES if self.in_blocks(size) <= limit]
        return max(fitting, default=_BLOCK_SIZES[-1])


def _values(layers: Sequence[Layer]) -> float:
    """Values in feature maps for each pixel."""
    return sum(layer.channels / layer.stride**2 for layer in layers)


def smaller_block_size(side: int) -> int | None:
    """The next narrower blocks to try when blocks, or a picture, of `side` do not fit."""
    return next((size for size in _BLOCK_SIZES if size < side), None)


def limit() -> float | None:
    """Bytes that this process may take in all; `None` if nobody knows."""
    free = _free()
    return None if free is None else _SHARE * free + _resident()


def _free() -> float | None:
    """Bytes that can be had without making anybody swap."""
    if sys.platform.startswith("linux"):
        found = [_available(), *_cgroup_room()]
        return min([each for each in found if each is not None], default=None)
    if sys.platform == "win32":
        return _windows_available()
    try:
        # macOS has no word for what is free; half of what there is.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (ValueError, OSError, AttributeError):
        return None


def _available() -> float | None:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return None


def _resident() -> float:
    for line in _lines(Path("/proc/self/status")):
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * 1024
    return 0.0


def _cgroup_room(root: Path = Path("/sys/fs/cgroup")) -> list[float]:
    """Bytes left in each control group that this process is in, of version 2 and 1."""
    rooms = []
    for line in _lines(Path("/proc/self/cgroup")):
        _, controllers, path = line.split(":", 2)
        names = ("memory.max", "memory.current")
        folder = root
        if controllers:
            if "memory" not in controllers.split(","):
                continue
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            folder = root / "memory"
        # A limit of any group above holds, too. In a container the path may be the host's.
        groups = [Path(path.lstrip("/")), *Path(path.lstrip("/")).parents, Path()]
        for group in dict.fromkeys(groups):
            most, used = (_number(folder / group / name) for name in names)
            if most is not None and used is not None:
                # Cached files count as used, but are given up for the asking.
                cached = _cached_files(folder / group / "memory.stat")
                rooms.append(max(0.0, most - used + cached))
    return rooms


def _cached_files(path: Path) -> float:
    counts = dict(line.split() for line in _lines(path))
    return float(counts.get("inactive_file", counts.get("total_inactive_file", 0)))


def _number(path: Path) -> float | None:
    text = "".join(_lines(path))
    return float(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _windows_available() -> float | None:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong),
                    ("total", ctypes.c_ulonglong), ("available", ctypes.c_ulonglong),
                    ("rest", ctypes.c_ulonglong * 5)]

    status = Status()
    status.length = ctypes.sizeof(status)
    found = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore
    return float(status.available) if found else None
