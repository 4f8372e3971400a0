"""What the machine has: devices, their number types, memory, and versions."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from pathlib import Path

import numpy as np

import tf_style
from tf_style.settings import AUTO, InputError, Settings

# Share of the free memory that may be used.
_SHARE = 0.85


def resolve(settings: Settings, *, in_order: bool = False) -> Settings:
    """The settings with every `auto` resolved that this machine decides; its threads are set.

    Args:
        in_order: as for `use_threads`.

    Raises:
        InputError: for a device that is not there, or threads that can no longer be set.
    """
    threads = use_threads(settings.threads, in_order=in_order)
    device = resolve_device(settings.device)
    return settings.replace(
        threads=threads, device=device, precision=resolve_precision(settings.precision, device))


def use_threads(threads: int | str, *, in_order: bool = False) -> int:
    """Have TensorFlow compute with so many threads, or as it does; returns how many they are.

    Args:
        in_order: whether it takes one operation after another, each with all threads: of several at
            a time, such as gradients of kernels, the last bits differ from run to run. Where it
            computes already, this stays as it is.

    Raises:
        InputError: if it already computes with another number of them.
    """
    import tensorflow as tf

    threading = tf.config.threading
    now = threading.get_intra_op_parallelism_threads() or cores()
    if threads not in (AUTO, now):
        try:
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            raise InputError(f"--threads={threads}: TensorFlow computes with {now} in this process "
                             "already. Set them before anything else is computed") from None
        now = threads
    if in_order:
        with contextlib.suppress(RuntimeError):
            threading.set_inter_op_parallelism_threads(1)
    return now


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resolve_device(device: str) -> str:
    """The device, `cpu` or `gpu:N`, that `device` stands for here.

    Raises:
        InputError: if there is no such device.
    """
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if device == AUTO:
        return "gpu:0" if gpus else "cpu"
    kind, _, number = device.lower().partition(":")
    if kind == "cpu" and number in ("", "0"):
        return "cpu"
    if kind != "gpu" or not (number or "0").isdecimal() or len(number) > 9:
        raise InputError(f"--device: expected auto, cpu, gpu or gpu:N. Received: {device!r}")
    if int(number or 0) >= len(gpus):
        raise InputError(f"--device={device}: TensorFlow sees {len(gpus)} GPUs here")
    return f"gpu:{int(number or 0)}"


def resolve_precision(precision: str, device: str) -> str:
    """The type in which the network computes: what `auto` stands for on this device."""
    if precision != AUTO:
        return precision
    if device == "cpu":
        return "bfloat16" if _has_bfloat16_units() else "float32"
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    # Tensor cores came with 7.0; those for bfloat16, which does not overflow, with 8.0.
    if capability >= (8, 0):
        return "bfloat16"
    return "float16" if capability >= (7, 0) else "float32"


def _has_bfloat16_units() -> bool:
    if not sys.platform.startswith("linux") or platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def versions() -> dict[str, str]:
    """Versions of what a picture's pixels depend on."""
    import keras
    import tensorflow as tf

    return {
        "tf_style": tf_style.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def memory_limit() -> float | None:
    """Bytes that this process may take in all; `None` if unknown."""
    free = _free()
    return None if free is None else _SHARE * free + _resident()


def _free() -> float | None:
    """Bytes that are available without making any process swap."""
    if sys.platform.startswith("linux"):
        found = [_available(), *_cgroup_room()]
        return min([each for each in found if each is not None], default=None)
    if sys.platform == "win32":
        return _windows_available()
    try:
        # macOS does not tell what is free; assume half of what is installed.
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
        # A limit of any parent group holds, too. In a container the path may be the host's.
        groups = [Path(path.lstrip("/")), *Path(path.lstrip("/")).parents, Path()]
        for group in dict.fromkeys(groups):
            most, used = (_number(folder / group / name) for name in names)
            if most is not None and used is not None:
                # Cached files count as used, but are given up on demand.
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


def peak_memory() -> int | None:
    """The most memory that this process has had resident, in bytes; `None` if unknown."""
    if sys.platform.startswith("linux"):
        # Unlike getrusage, this does not count what the process was before it became Python.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return _windows_peak_memory()
    try:
        import resource
    except ImportError:
        return None
    # macOS counts bytes, other systems kilobytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _windows_peak_memory() -> int | None:
    class Counters(ctypes.Structure):
        _fields_ = [("cb", ctypes.c_ulong), ("faults", ctypes.c_ulong),
                    ("peak", ctypes.c_size_t), ("rest", ctypes.c_size_t * 7)]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    found = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    return counters.peak if found else None
