"""Renders the sample pictures to JPEG files."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tf_style.image.numbers import eight_bit
from tools.paintings import PAINTINGS

PICTURES = Path(__file__).parents[2] / "tf_style" / "image" / "pictures"


def encode(image: np.ndarray) -> bytes:
    """A picture in `[0, 1]` as the content of a JPEG file, small and with full colour."""
    content = io.BytesIO()
    pixels = Image.fromarray(eight_bit(image))
    pixels.save(content, "JPEG", quality=90, subsampling=0, optimize=True)
    return content.getvalue()


def main() -> None:
    """Writes all pictures to the folder of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.paintings", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=PICTURES, help="where to write (%(default)s)"
    )
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in PAINTINGS.items():
        (folder / f"{name}.jpg").write_bytes(encode(render()))


if __name__ == "__main__":
    main()
