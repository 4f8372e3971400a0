"""The report of a run, as JSON."""

from __future__ import annotations

import json
from typing import Any

from tf_style.image.paths import PathLike, write_bytes
from tf_style.run.machine import peak_memory
from tf_style.run.result import Result


def report(result: Result, *, output: str | None = None, bits: int = 8) -> dict[str, Any]:
    """All that is worth knowing about a run, as plain JSON data.

    Args:
        result: of the run.
        output: the file that it was saved in, as it was named.
        bits: of each channel in that file.

    Returns:
        `given`, the settings as they were given, and `settings`, with every `auto` resolved that
        stood for a value; `style_defects`, what was
        mended in each style; `versions`; `weights`, layer → fingerprint;
        `content`, `style`, `content_mask`, `style_mask`, `protect` and `output`, the files as they
        were named;
        `digests`, input file → SHA-256; `bits`; `stopped`; `seconds`; `weights_seconds` and
        `weights_cached`, how weights were obtained; `peak_memory_bytes`; `steps` taken in all;
        `resumed_at_step`, how many of them a checkpoint saved; and `scales`, one entry for each
        size with its `height`, `width`, `steps`, `seconds` and the last `loss` and `parts`.
    """
    return {
        **result.provenance(),
        "output": output,
        "bits": bits,
        "stopped": result.stopped,
        "seconds": round(result.seconds, 3),
        "weights_seconds": round(result.weights_seconds, 3),
        "weights_cached": result.weights_cached,
        "peak_memory_bytes": peak_memory(),
        "steps": len(result.history),
        "resumed_at_step": result.resumed_at_step,
        "scales": _scales(result),
    }


def _scales(result: Result) -> list[dict[str, Any]]:
    last_of = {step.scale: step for step in result.history}
    entries, before = [], 0.0
    for last in last_of.values():
        entries.append({
            "height": last.height,
            "width": last.width,
            "steps": last.step,
            "seconds": round(last.seconds - before, 3),
            "loss": last.loss,
            "parts": dict(last.parts),
        })
        before = last.seconds
    return entries


def write_report(path: PathLike, content: dict[str, Any]) -> None:
    """Write a report, completely or not at all.

    Raises:
        InputError: if it cannot be written.
    """
    # JSON has no number for a loss that is not finite: it becomes null.
    text = json.dumps(_finite(content), indent=2, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
