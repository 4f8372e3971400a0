import numpy as np

from tf_style.run.mender import Mender
from tf_style.run.scene import Scene
from tf_style.settings import Settings


def test_a_style_that_comes_again_is_mended_and_spoken_of_once(content, style):
    noise = np.random.default_rng(0).normal(0, 0.15, style.shape)
    poor = np.clip(style + noise, 0, 1).astype(np.float32)
    mender, notes = Mender(), []
    settings = Settings(size=56)
    mask = np.ones((*poor.shape[:2], 3), np.float32)
    first = mender.mend(Scene.of(settings, content, poor), notes.append)
    again = mender.mend(Scene.of(settings, content[::-1], poor, [], [mask]), notes.append)
    assert len(notes) == 1 and notes[0].startswith("style: noisy; cleaned up ")
    assert again[0].picture is first[0].picture
    assert again[0].mask is not None and first[0].mask is None, "the mask is the scene's own"
    mender.mend(Scene.of(settings, content, 1 - poor), notes.append)
    assert len(notes) == 2, "another picture"
