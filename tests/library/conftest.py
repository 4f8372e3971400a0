"""What tests of libraries share: pictures, and what describes them in no time."""

import numpy as np
import pytest
from PIL import Image

from tf_style.image.resize import resize
from tf_style.library.library import Library


class Colors:
    """Describes a picture by its few mean colours, in place of a network."""

    origin = "colors:1"
    made_by = {"network": "compact"}  # noqa: RUF012

    def __init__(self):
        self.described = 0

    def describe(self, picture):
        self.described += 1
        return resize(picture, 4, 4, smooth=True).ravel().astype(np.float16)


@pytest.fixture
def colors():
    return Colors()


def painting(seed, height=60, width=80):
    """A picture of soft random colours."""
    coarse = np.random.default_rng(seed).random((5, 6, 3), np.float32)
    return np.clip(resize(coarse, height, width), 0, 1)


def save(path, picture, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * picture).astype(np.uint8)).save(path, **options)
    return str(path)


@pytest.fixture
def paintings(tmp_path):
    """A folder with six paintings, two of them in a folder in it, and what is none."""
    folder = tmp_path / "paintings"
    for number, name in enumerate(("a", "b", "c", "d", "deep/e", "deep/f")):
        save(folder / f"{name}.png", painting(number))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    return folder


@pytest.fixture
def library(tmp_path, colors):
    with Library(tmp_path / "styles.db", describer=lambda settings: colors) as made:
        yield made
