"""What a benchmark keeps between two calls, so that one that was stopped goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.vote.form import read_json, read_text
from tf_style.image.paths import check_writable, write_bytes
from tf_style.settings import InputError


class Notes:
    """What is kept of earlier calls in a JSON file: nested dicts, written after each entry.

    Args:
        path: the file; it need not be there yet.

    Raises:
        InputError: if it cannot be read.
    """

    def __init__(self, path: Path):
        self._path = check_writable(path)
        self.kept: dict[str, Any] = {}
        if path.exists():
            self.kept = read_json(str(path), read_text(str(path)))
            if not isinstance(self.kept, dict):
                raise InputError(f"{path}: expected what an earlier call wrote. Delete it")

    def get(self, *keys: str) -> Any:
        """An entry; `None` if there is none."""
        found: Any = self.kept
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def put(self, *keys: str, value: Any) -> None:
        """Keep an entry."""
        inner = self.kept
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = value
        write_bytes(self._path, (json.dumps(self.kept, indent=1) + "\n").encode())
