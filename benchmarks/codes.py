"""A library of a million pictures, searched by codes: `python -m benchmarks.codes --count=1000000`.

Descriptors are made up, of two kinds: `alike` come in groups of groups, as those of pictures do;
of `unlike`, each number is drawn by itself, so that all are as far from each other, and codes
tell least. For each kind a library is made and given codes. Then a process of its own opens it and
searches for the nearest to descriptors that are near one of the library.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_LENGTH, _BLOCK, _ASKED, _WANTED = 512, 10_000, 50, 12


def descriptors(kind: str, count: int, block: int) -> np.ndarray:
    """A block of made-up descriptors, float16 `(count, 512)`."""
    draws = np.random.default_rng([block, 1])
    if kind == "unlike":
        return draws.standard_normal((count, _LENGTH), np.float32).astype(np.float16)
    fixed = np.random.default_rng(0)
    outer = fixed.standard_normal((100, _LENGTH), np.float32)
    inner = 0.5 * fixed.standard_normal((100, 100, _LENGTH), np.float32)
    of, within = draws.integers(0, 100, (2, count))
    each = 0.25 * draws.standard_normal((count, _LENGTH), np.float32)
    return (outer[of] + inner[of, within] + each).astype(np.float16)


def make(path: Path, kind: str, count: int) -> float:
    """Write a library without thumbnails, and give codes; returns the seconds that these took."""
    from tf_style.library.catalogue import Catalogue
    from tf_style.library.codes import encode

    with Catalogue(path, writable=True) as made:
        origin, file = made.origin(kind, {}), made._file
        file.execute("PRAGMA synchronous = OFF")
        for start in range(0, count, _BLOCK):
            some = descriptors(kind, min(_BLOCK, count - start), start)
            numbers = range(start + 1, start + 1 + len(some))
            file.execute("BEGIN")
            file.executemany("INSERT INTO pictures VALUES (?, ?, 1, 1, '[]', '[]', 0, NULL)",
                             [(number, str(number).encode()) for number in numbers])
            file.executemany("INSERT INTO files VALUES (?, ?, 1, 1)",
                             [(f"/{number}".encode(), number) for number in numbers])
            file.executemany("INSERT INTO descriptors VALUES (?, ?, ?)", [
                (origin, number, each.tobytes())
                for number, each in zip(numbers, some, strict=True)])
            file.execute("COMMIT")
        began = time.perf_counter()
        encode(made, kind)
        return time.perf_counter() - began


def search(path: str, kind: str, asked: np.ndarray, by_codes: bool) -> dict:
    """Seconds to open and to search, memory in bytes, and the numbers that are found."""
    from tf_style.library.catalogue import Catalogue
    from tf_style.library.codes import Coded
    from tf_style.library.search import Index, nearest

    before = time.perf_counter()
    with Catalogue(path) as made:
        if by_codes:
            coded = Coded(made, kind)
            found = lambda one: coded.nearest(one)[0][:_WANTED]  # noqa: E731
        else:
            numbers, all_of_them = made.descriptors(kind)
            index = Index(all_of_them)
            found = lambda one: numbers[nearest(index, one, _WANTED)[0]]  # noqa: E731
        opened, seconds, busy, places = time.perf_counter() - before, [], [], []
        for one in asked:
            start = time.perf_counter(), time.process_time()
            places.append(found(one).tolist())
            seconds.append(time.perf_counter() - start[0])
            busy.append(time.process_time() - start[1])
    assert "tensorflow" not in sys.modules
    return {"open_seconds": opened, "query_seconds": float(np.median(seconds)),
            "slowest_query_seconds": max(seconds), "numbers": places,
            "query_processor_seconds": float(np.median(busy)),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main() -> None:
    """Measure both kinds, and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codes", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="descriptors (%(default)s)")
    parser.add_argument("--kinds", nargs="+", default=["alike", "unlike"], help="(%(default)s)")
    parser.add_argument("--search", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        path, kind, asked, by_codes = options.search
        print(json.dumps(search(path, kind, np.load(asked), by_codes == "codes")))
        return
    figures = {}
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "styles.db"
            encoding = make(path, kind, options.count)
            asked = descriptors(kind, _ASKED, 0).astype(np.float32)
            asked += 0.1 * np.random.default_rng(2).standard_normal(asked.shape, np.float32)
            np.save(f"{folder}/asked.npy", asked)
            told = {way: json.loads(subprocess.run(
                [sys.executable, "-m", "benchmarks.codes", "--search", path, kind,
                 f"{folder}/asked.npy", way], check=True, stdout=subprocess.PIPE).stdout)
                for way in ("codes", "all")}
            size = path.stat().st_size
        ways = [told[way].pop("numbers") for way in ("codes", "all")]
        shares = [len({*by_codes} & {*by_all}) / _WANTED
                  for by_codes, by_all in zip(*ways, strict=True)]
        figures[kind] = {
            "encode_seconds": encoding, "file_bytes": size, **told,
            f"recall_at_{_WANTED}": float(np.mean(shares)),
            "recall_of_the_first": float(np.mean([
                by_codes[0] == by_all[0] for by_codes, by_all in zip(*ways, strict=True)])),
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
