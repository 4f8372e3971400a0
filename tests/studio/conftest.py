"""The fixtures of a studio that is served, where the packages are that this takes; a network."""

import contextlib

import numpy as np
import pytest

# What needs them skips itself, by the same import.
with contextlib.suppress(pytest.skip.Exception):
    from tests.studio.served import page, served  # noqa: F401


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """A file as `tf_style_train` writes it, of a network that has learned nothing."""
    from tf_style.transfer.model_file import TransformModel, thumbnail
    from tf_style.transfer.pupil import Pupil

    shown = thumbnail(np.broadcast_to(np.float32([1, 0.5, 0]), (30, 40, 3)))
    note = {"styles": [{"name": "my painting", "digest": "0"}]}
    path = tmp_path_factory.mktemp("networks") / "my painting.keras"
    TransformModel.of(Pupil("fast", 1), note, shown).save(path)
    return path
