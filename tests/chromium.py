"""Chromium, where it is, for tests of what a browser does."""

from __future__ import annotations

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

PROGRAM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome"))), None)
if not PROGRAM:
    pytest.skip("needs Chromium, such as Debian's: apt-get install chromium",
                allow_module_level=True)


def launched(playwright: sync_api.Playwright, *arguments: str) -> sync_api.Browser:
    """A browser without a window."""
    return playwright.chromium.launch(
        executable_path=PROGRAM, args=["--no-sandbox", *arguments])
