import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_style import InputError, Stylizer, stylize
from tf_style.image import files
from tf_style.run import batch
from tf_style.run.batch import Job
from tf_style.run.scene import Scene

TINY = {
    "size": 32, "scales": 2, "steps": "3,2", "weights": "random", "tolerance": 0,
    "content_layers": "block1_conv2", "style_layers": "block1_conv1", "precision": "float32",
}


@pytest.fixture(scope="module")
def stylizer():
    return Stylizer(**TINY)


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """The working folder, with three contents, of which the second is bad, and `style.png`."""
    monkeypatch.chdir(pictures)
    picture = Image.open("content.png")
    picture.save("a.png")
    picture.transpose(Image.Transpose.ROTATE_90).save("c.png")
    (pictures / "b.png").write_bytes(b"no picture")
    return pictures


def jobs(*contents, **given):
    return [Job(f"{name}.png", ("style.png",), Path(f"{name}_made.png"), **given)
            for name in contents]


def test_the_others_are_made_as_if_each_were_alone(stylizer, folder):
    outcomes = list(batch.paint(stylizer, jobs("a", "b", "c")))
    assert [outcome.job for outcome in outcomes] == jobs("a", "b", "c")
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert outcomes[1].error.startswith("b.png: this is not a picture")
    assert not (folder / "b_made.png").exists()
    for name, outcome in zip("ac", outcomes[::2], strict=True):
        alone = stylize(f"{name}.png", "style.png", **TINY)
        np.testing.assert_array_equal(outcome.value.image, alone.image)
        assert Image.open(f"{name}_made.png").size == alone.image.shape[1::-1]
    assert stylizer.traces == 1


def test_the_output_is_opaque_where_the_content_is(stylizer, folder):
    picture = Image.open("content.png")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save("a.png")
    list(batch.paint(stylizer, jobs("a")))
    assert np.ptp(files.read_alpha("a_made.png")) > 0.9


def test_only_the_pictures_of_one_job_are_in_memory(stylizer, monkeypatch):
    """And a style that comes again is read once."""
    read, alive, most = [], [], []
    original = files.read_picture

    def watched(name):
        most.append(sum(each() is not None for each in alive))
        picture = original(name)
        read.append(name)
        alive.append(weakref.ref(picture))
        return picture

    monkeypatch.setattr(files, "read_picture", watched)
    for outcome in batch.paint(stylizer, jobs("a", "c", "content")):
        assert outcome.value
        del outcome
    assert read == ["style.png", "a.png", "c.png", "content.png"]
    assert most == [0, 1, 1, 1], "nothing, and from then on the style"


def test_a_style_is_looked_at_and_mended_once(folder, monkeypatch):
    looked = []
    original = Scene.mending
    monkeypatch.setattr(Scene, "mending", lambda *given: looked.append(1) or original(*given))
    stylizer = Stylizer(**TINY, style_scale=4)
    with pytest.warns(UserWarning, match=r"^style\.png: small; mended") as seen:
        outcomes = list(batch.paint(stylizer, jobs("a", "c")))
        Image.open("a.png").save("style.png")
        outcomes += batch.paint(stylizer, jobs("c"))
    assert all(outcome.value for outcome in outcomes)
    assert len(looked) == 2 and len(seen) == 2, "once for each style"
    with pytest.warns(UserWarning, match="small"):
        alone = stylize("c.png", "a.png", **TINY, style_scale=4)
    np.testing.assert_array_equal(outcomes[2].value.image, alone.image)


def test_what_cannot_be_written_is_an_outcome(stylizer, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = set(folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        first, second = batch.paint(stylizer, jobs("a", "c"))
    assert first.value is None and second.value is None
    assert first.error == "a_made.png: cannot be written (No space left on device)"
    assert set(folder.iterdir()) == before


def test_memory_that_runs_out_is_an_outcome(stylizer, monkeypatch):
    def begin(job, scene):
        if job.content == "a.png":
            raise MemoryError

    first, second = batch.paint(stylizer, jobs("a", "c"), begin)
    assert "not enough memory" in first.error and second.value


def test_begin_hears_of_what_was_read_and_may_refuse(stylizer):
    heard = []

    def begin(job, scene):
        heard.append((job.content, scene.content.shape))
        if job.content == "a.png":
            raise InputError("not this one")

    outcomes = list(batch.paint(stylizer, jobs("a", "b", "c"), begin))
    assert heard == [("a.png", (48, 64, 3)), ("c.png", (64, 48, 3))]
    assert outcomes[0].error == "not this one" and outcomes[2].value


def test_a_callback_that_ends_a_run_ends_all(stylizer, folder):
    outcomes = list(batch.paint(
        stylizer, jobs("a", "c", "content"),
        lambda job, scene: lambda step: job.content == "c.png",
    ))
    assert [outcome.job.content for outcome in outcomes] == ["a.png", "c.png"]
    assert len(outcomes[1].value.history) == 1 and (folder / "c_made.png").exists()
    assert not (folder / "content_made.png").exists()


def test_forecasts_write_nothing(stylizer, folder):
    before = set(folder.iterdir())
    first, second, _ = batch.forecast(stylizer, jobs("a", "b", "c"))
    assert [each.scale.steps for each in first.value] == [3, 2]
    assert second.error and set(folder.iterdir()) == before


def test_what_is_learned_from_is_a_bounded_draw_of_both_kinds(folder):
    for shade in range(9):
        Image.new("RGB", (700, 350), (20 * shade, 0, 0)).save(f"{shade}.png")
    many = jobs("b", *"012345678")

    def shades(seed):
        *contents, style = batch.drawn(many, seed)
        assert style.shape == (40, 56, 3)
        assert {each.shape for each in contents} == {(256, 512, 3)}
        return [round(float(each[0, 0, 0]) * 255 / 20) for each in contents]

    assert len(set(shades(0))) == 4
    assert shades(0) == shades(0) != shades(1)
    assert batch.drawn(jobs("b"), 0)[0].shape == (40, 56, 3)
