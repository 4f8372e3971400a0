import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageSequence

from tf_style.image.resize import fit
from tf_style.run.result import Step
from tf_style.settings import InputError
from tf_style.show.animation import MOST_FRAMES, Frames, check_animation, write_animation


def run(frames, plan):
    """A run of `plan`, (side, steps) of each size, whose pictures are as bright as it is far."""
    for scale, (side, steps) in enumerate(plan, start=1):
        for number in range(1, steps + 1):
            picture = np.full((side, 2 * side, 3), number / steps, np.float32)
            frames.show(Step(
                scale=scale, scales=len(plan), height=side, width=2 * side, step=number,
                steps=steps, loss=1.0, parts={}, seconds=0.0, image=lambda shown=picture: shown,
            ))


def test_every_size_has_its_share_and_all_are_bounded():
    frames = Frames()
    run(frames, [(16, 1000), (600, 10)])
    widths = [picture.shape[1] for picture in frames.pictures]
    assert widths == [32] * (MOST_FRAMES // 2) + [512] * 10
    assert all(picture.dtype == np.uint8 for picture in frames.pictures)
    assert frames.pictures[0].max() < 8 and frames.pictures[49].min() == 255


def test_snapshots_say_which():
    frames = Frames(4)
    run(frames, [(16, 10), (32, 9)])
    assert [picture[0, 0, 0] for picture in frames.pictures] == [102, 204, 113, 227]


@pytest.mark.parametrize("name", ["a.gif", "a.WEBP"])
def test_coarse_pictures_fill_the_frame_and_the_result_stays(name, tmp_path, content):
    result = fit(content, 120)
    coarse = [np.full((9, 12, 3), gray, np.uint8) for gray in (40, 200)]
    write_animation(tmp_path / name, coarse, result)
    with Image.open(tmp_path / name) as film:
        durations, frames = [], []
        for frame in ImageSequence.Iterator(film):
            frames.append(frame.convert("RGB"))
            film.load()
            durations.append(frame.info["duration"])
        assert film.info["loop"] == 0 and film.size == (120, 90)
    assert durations[:2] == [200, 200] and durations[2] >= 2000
    pictures = [np.full((90, 120, 3), gray, np.uint8) for gray in (40, 200)]
    pictures.append((result * 255).astype(np.uint8))
    for frame, picture in zip(frames, pictures, strict=True):
        # Dithered dots are mixed by the eye.
        seen, expected = (np.asarray(each.filter(ImageFilter.BoxBlur(3)), float)
                          for each in (frame, Image.fromarray(picture)))
        assert np.abs(seen - expected).mean() < 3


def test_large_results_are_reduced(tmp_path):
    write_animation(tmp_path / "a.gif", [], np.zeros((300, 1024, 3), np.float32))
    assert Image.open(tmp_path / "a.gif").size == (512, 150)


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    for name in ("a.png", "file/a.gif"):
        with pytest.raises(InputError, match=name):
            check_animation(tmp_path / name)
