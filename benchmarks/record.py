"""What a figure depends on besides the code, and where figures are written."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf_style.image.paths import write_bytes
from tf_style.run.machine import versions

_TELLING = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")


def machine() -> dict[str, Any]:
    """Processor, its units that matter here, cores, TensorFlow's threads, and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    return {
        "processor": fields.get("model name", platform.processor()),
        "cpu_flags": [flag for flag in _TELLING if flag in flags],
        "cores": os.cpu_count(),
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "gpus": len(tf.config.list_physical_devices("GPU")),
        "versions": versions(),
    }


def write(path: str, figures: dict[str, Any]) -> None:
    """Write figures beside what they depend on, as JSON."""
    record = {**figures, "machine": machine()}
    write_bytes(path, (json.dumps(record, indent=2) + "\n").encode())
