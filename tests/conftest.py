"""What several tests need."""

from __future__ import annotations

import gc
import os
import sys
import urllib.request
from pathlib import Path

# Before NumPy is imported: beside TensorFlow's threads, its own wait for each other. On two cores
# the tests take a quarter longer.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import tensorflow  # noqa: E402, F401
from PIL import Image  # noqa: E402

from tf_style.image.resize import resize  # noqa: E402

# For `tools`, which is not installed; last, so that the installed package is tested.
sys.path.append(str(Path(__file__).parents[1]))

# TensorFlow's million objects live as long as the tests: looked at again at each collection, they
# take a fifth of the time.
gc.freeze()

# Before any test changes the environment or the working folder.
_WEIGHTS = {
    name: str(Path(os.environ[name]).resolve()) if os.environ.get(name) else None
    for name in ("TF_STYLE_WEIGHTS", "TF_STYLE_WEIGHTS_VGG19")
}


@pytest.fixture(autouse=True)
def no_weights_from_outside(monkeypatch, tmp_path):
    """Tests do not depend on what the machine has: those that want it ask for `real_weights`."""
    for name in _WEIGHTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(urllib.request, "urlopen", _no_network)


def _no_network(*_, **__):
    raise OSError("no network in tests")


def _weights_file(name: str) -> str:
    if not _WEIGHTS[name]:
        pytest.skip(f"needs pretrained kernels: set {name} to a weights file")
    return _WEIGHTS[name]


@pytest.fixture
def real_weights() -> str:
    """A file with the real kernels of VGG16, of blocks 1 to 3 at least."""
    return _weights_file("TF_STYLE_WEIGHTS")


@pytest.fixture
def real_vgg19() -> str:
    """A file with the real kernels of VGG19."""
    return _weights_file("TF_STYLE_WEIGHTS_VGG19")


def smooth_picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture of soft random colours, `(height, width, 3)` in [0, 1]."""
    coarse = np.random.default_rng(seed).random((6, 8, 3), dtype=np.float32)
    return np.clip(resize(coarse, height, width), 0, 1)


@pytest.fixture
def content() -> np.ndarray:
    return smooth_picture(1)


@pytest.fixture
def style() -> np.ndarray:
    return smooth_picture(2, 40, 56)


@pytest.fixture
def pictures(tmp_path, content, style):
    """The folder of two picture files, `content.png` and `style.png`."""
    for name, picture in (("content", content), ("style", style)):
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path
