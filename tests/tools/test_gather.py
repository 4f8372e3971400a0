import io
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tools import gather


def test_every_row_is_free_and_can_be_found():
    lines = [line for line in gather.PAGE.read_text(encoding="utf-8").splitlines() if "__" in line]
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    assert len(table) > 400 and len({row[0] for row in table}) == len(table)
    for file, author, licence, source, path in table:
        assert re.fullmatch(r"[a-z_]+__[\w.-]+\.(jpg|png)", file), file
        assert re.fullmatch(r"public domain|CC0-1\.0|CC-BY-\d\.\d|our own", licence), file
        assert author and path, file
        assert re.fullmatch(r"shared|sample|painting|(deb|pip|npm) \S+", source), file
        assert source[:3] not in ("pip", "npm") or re.search(r"=\d|.@\d", source), file


def test_shrunk_is_rgb_on_white_and_keeps_small_ones():
    large = Image.new("RGBA", (2048, 512), (255, 0, 0, 0))
    large.paste((0, 0, 255, 255), (0, 0, 1024, 512))
    file = io.BytesIO()
    large.save(file, "PNG")
    picture = gather.shrunk(file.getvalue())
    assert picture.size == (1024, 256) and picture.mode == "RGB"
    assert picture.getpixel((10, 10)) == (0, 0, 255)
    assert picture.getpixel((1000, 10)) == (255, 255, 255)
    file = io.BytesIO()
    Image.fromarray(np.full((30, 40), 7, np.uint8)).save(file, "PNG")
    assert gather.shrunk(file.getvalue()).size == (40, 30)


@pytest.mark.parametrize("version", [1, 3])
def test_resources(tmp_path, version):
    packed = struct.pack(">I", 5) + zlib.compress(b"plain")
    data = b"".join(struct.pack(">I", len(body)) + body for body in (b"as it is", packed))
    names, at = b"", []
    for name in ("a", "b.txt", "c"):
        at.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    nodes = [(0, 2, 1, 1), (at[0], 2, 2, 2), (at[1], 0, 0, 0), (at[2], 1, 0, 12)]
    tree = b"".join(struct.pack(">IHII", *node) + bytes(8 * (version > 1)) for node in nodes)
    head = struct.pack(">4s4I", b"qres", version, 20, 20 + len(tree), 20 + len(tree) + len(data))
    file = tmp_path / "x.rcc"
    file.write_bytes(head + tree + data + names)
    assert gather.resources(file) == {"a/b.txt": b"as it is", "a/c": b"plain"}
