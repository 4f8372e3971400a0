"""TensorFlow's global switches, and what the machine has: they live here alone."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tf_style
from tf_style.settings import AUTO, InputError


def resolve_device(device: str) -> str:
    """The device, `cpu` or `gpu:N`, that `device` stands for here.

    Raises:
        InputError: if there is no such device.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if device == AUTO:
        return "gpu:0" if gpus else "cpu"
    kind, _, number = device.lower().partition(":")
    if kind == "cpu" and number in ("", "0"):
        return "cpu"
    if kind != "gpu" or not (number or "0").isdecimal():
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
    gpu = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    # Tensor cores came with 7.0, those for bfloat16, which cannot overflow, with 8.0.
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


def start_profile(folder: str) -> None:
    """Have TensorFlow record what it computes, until `stop_profile`.

    Raises:
        InputError: here and there, if it cannot be written.
    """
    with _profiling():
        tf.profiler.experimental.start(folder)


def stop_profile() -> None:
    """Write the profile, for TensorBoard, into the folder that `start_profile` was given."""
    with _profiling():
        tf.profiler.experimental.stop()


@contextlib.contextmanager
def _profiling() -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise InputError(f"--profile: cannot be written ({error.message})") from None


def versions() -> dict[str, str]:
    """Versions of what a picture's pixels depend on."""
    return {
        "tf_style": tf_style.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def peak_memory() -> int | None:
    """The most memory that this process has had resident, in bytes; `None` if nobody knows."""
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
