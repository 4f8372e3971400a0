"""How long a command keeps a person waiting: until its first output, and without a sign of life.

It runs a command in a pseudo terminal and notes when something is written there.

    python -m benchmarks.silence --made=waves.png -- tf_style sample:harbor sample:waves waves.png

`first` is the time until anything is seen, `longest` the longest time in which nothing was, with
the last words before it, and `after` the time from the finished file, named by `--made`, to the
end of the command. Nothing else on the machine should take its time. On POSIX alone.
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

# What moves the cursor or changes the colour.
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78]")


def watch(command: Sequence[str], columns: int = 80) -> tuple[list[tuple[float, str]], float, int]:
    """Run a command in a pseudo terminal.

    Returns:
        What was written and when, in seconds since the start; the seconds until the command's end;
        its exit code.
    """
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                               start_new_session=True, close_fds=True)
    os.close(terminal)
    written = []
    while True:
        try:
            found = os.read(main, 65536)
        except OSError:
            # Linux says so of a terminal that nobody writes to any more.
            found = b""
        if not found:
            break
        written.append((time.monotonic() - began, found.decode(errors="replace")))
    code = process.wait()
    os.close(main)
    return written, time.monotonic() - began, code


def longest(written: Sequence[tuple[float, str]], end: float) -> tuple[float, float, str]:
    """The longest silence: how long, from when on, and what was seen last before it."""
    times = [0.0, *(when for when, _ in written), end]
    texts = ["", *(text for _, text in written)]
    silences = [after - before for before, after in itertools.pairwise(times)]
    most = max(range(len(silences)), key=silences.__getitem__)
    words = _CODES.sub("", "".join(texts[: most + 1])).replace("\r", "\n").split("\n")
    return silences[most], times[most], next((each for each in reversed(words) if each.strip()), "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--made", type=Path, action="append", default=[],
                        help="a file that the command makes; may be given several times")
    parser.add_argument("--columns", type=int, default=80, help="the terminal's width")
    parser.add_argument("--show", action="store_true", help="also print what was written, and when")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    before = {path: path.stat() for path in given.made if path.exists()}
    wall = time.time() - time.monotonic()
    written, seconds, code = watch(given.command, given.columns)
    ended = wall + time.monotonic()
    if given.show:
        for when, text in written:
            print(f"{when:7.2f} {text!r}")
    silence, since, last = longest(written, seconds)
    print(f"exit code  {code}")
    print(f"first      {written[0][0] if written else seconds:.2f} s")
    print(f"longest    {silence:.2f} s, from {since:.2f} s on, after {last.strip()!r}")
    made = [path.stat() for path in given.made if path.exists() and path.stat() != before.get(path)]
    if made:
        # Renaming a file changes the second, not the first.
        finished = max(max(each.st_mtime, each.st_ctime) for each in made)
        print(f"after      {ended - finished:.2f} s")
    print(f"total      {seconds:.2f} s")
    sys.exit(code)


if __name__ == "__main__":
    main()
