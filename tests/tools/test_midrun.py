import random
import sys

import numpy as np
import pytest

from tf_style.image.picture import read_picture, write_picture
from tools import midrun


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        write_picture(folder / f"{number}.png",
                      np.random.default_rng(number).random((24, 32, 3), np.float32))
    return folder


def test_pairs_are_a_step_apart_and_runs_are_not_made_twice(monkeypatch, pictures, tmp_path):
    monkeypatch.setattr(midrun, "settings", lambda chance: {
        "size": 32, "scales": 1, "steps": (4,), "style_layers": "block1_conv1",
        "content_layers": "block1_conv2",
    })
    monkeypatch.setattr(midrun, "STEPS", 4)
    monkeypatch.setattr(sys, "argv", [
        "midrun", f"--pictures={pictures}", f"--output={tmp_path / 'runs'}", "--weights=random",
        "--count=2",
    ])
    midrun.main()
    made = sorted((tmp_path / "runs").iterdir())
    assert {each.name[:8] for each in made} == {"000_0000", "000_0001"}
    pair = read_picture(made[0])
    assert pair.shape == (24, 64, 3)
    first, second = np.split(pair, 2, axis=1)
    assert 0 < np.abs(first - second).max() < 0.3
    times = [each.stat().st_mtime_ns for each in made]
    midrun.main()
    assert [each.stat().st_mtime_ns for each in sorted((tmp_path / "runs").iterdir())] == times


def test_settings_are_valid_and_differ():
    drawn = [midrun.settings(random.Random(seed)) for seed in range(20)]
    from tf_style import Settings

    for each in drawn:
        Settings(**each)
    assert len({each["style_weight"] for each in drawn}) == 20
