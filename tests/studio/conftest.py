"""The fixtures of a studio that is served, where the packages are that this takes."""

import contextlib

import pytest

# What needs them skips itself, by the same import.
with contextlib.suppress(pytest.skip.Exception):
    from tests.studio.served import page, served  # noqa: F401
