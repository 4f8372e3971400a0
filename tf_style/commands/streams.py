"""The three open files that a process begins with. No imports that take time."""

from __future__ import annotations

import os


def hold_places() -> None:
    """Open something in place of each of stdin, stdout and stderr that is closed.

    Otherwise the next file that is opened takes its place, and is written into by whatever writes
    there. A stdout that was closed still fails when it is written to.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # The least number that is free is this one.
            os.open(os.devnull, mode)
