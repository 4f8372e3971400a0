import dataclasses
import os
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_style import InputError, stylize
from tf_style.image import paths, picture
from tf_style.image.picture import read_alpha, read_picture
from tf_style.image.style import Style
from tf_style.run import cost, lock
from tf_style.run import jobs as runner
from tf_style.run.jobs import Host, Job
from tf_style.run.painter import Painter
from tf_style.settings import Settings

TINY = {
    "size": 32, "scales": 2, "steps": "3,2", "weights": "random", "tolerance": 0,
    "content_layers": "block1_conv2", "style_layers": "block1_conv1", "precision": "float32",
}


@pytest.fixture(scope="module")
def painter():
    return Painter(Settings(**TINY))


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """The working folder, with three contents, of which the second is bad, and `style.png`."""
    monkeypatch.chdir(pictures)
    picture = Image.open("content.png")
    picture.save("a.png")
    picture.transpose(Image.Transpose.ROTATE_90).save("c.png")
    (pictures / "b.png").write_bytes(b"no picture")
    return pictures


def make(painter, jobs, host=None, **given):
    return runner.make(jobs, painter.settings, lambda: painter, host, **given)


def jobs(*contents, **given):
    return [Job(f"{name}.png", ("style.png",), Path(f"{name}_made.png"), **given)
            for name in contents]


def test_the_others_are_made_as_if_each_were_alone(painter, folder):
    outcomes = list(make(painter, jobs("a", "b", "c")))
    assert [outcome.job for outcome in outcomes] == jobs("a", "b", "c")
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert outcomes[1].error.startswith("b.png: this is not a picture")
    assert not (folder / "b_made.png").exists()
    for name, outcome in zip("ac", outcomes[::2], strict=True):
        alone = stylize(f"{name}.png", "style.png", **TINY)
        np.testing.assert_array_equal(outcome.value.image, alone.image)
        assert Image.open(f"{name}_made.png").size == alone.image.shape[1::-1]
    assert painter.traces == 1


def test_each_content_is_protected_or_said_not_to_fit(painter, folder):
    Image.new("L", (32, 24), 255).save("m.png")
    outcomes = list(make(painter, jobs("a", "c", protect="m.png")))
    alone = stylize("a.png", "style.png", **TINY, protect="m.png")
    np.testing.assert_array_equal(outcomes[0].value.image, alone.image)
    assert outcomes[0].value.inputs.protect == "m.png"
    assert outcomes[1].error.startswith("--protect: expected a mask with the proportions")
    forecasts = list(runner.forecast(jobs("a", "c", protect="m.png"), painter.settings,
                                     lambda: painter))
    assert [bool(outcome.error) for outcome in forecasts] == [False, True]


def test_the_output_is_opaque_where_the_content_is(painter, folder):
    picture = Image.open("content.png")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save("a.png")
    list(make(painter, jobs("a")))
    assert np.ptp(read_alpha("a_made.png")) > 0.9


def test_only_the_pictures_of_one_job_are_in_memory(painter, monkeypatch):
    """And a style that comes again is read once."""
    read, alive, most = [], [], []
    original = picture.read_layers

    def watched(name, **limits):
        most.append(sum(each() is not None for each in alive))
        pixels, alpha = original(name, **limits)
        read.append(name)
        alive.append(weakref.ref(pixels))
        return pixels, alpha

    monkeypatch.setattr(picture, "read_layers", watched)
    for outcome in make(painter, jobs("a", "c", "content")):
        assert outcome.value
        del outcome
    assert read == ["style.png", "a.png", "c.png", "content.png"]
    assert most == [0, 1, 1, 1], "nothing, and from then on the style"


def test_a_style_is_looked_at_and_mended_once(folder, monkeypatch):
    looked = []
    original = Style.mended
    monkeypatch.setattr(Style, "mended", lambda *given: looked.append(1) or original(*given))
    painter = Painter(Settings(**TINY, style_scale=4))
    with pytest.warns(UserWarning, match=r"^style\.png: small; cleaned up") as seen:
        outcomes = list(make(painter, jobs("a", "c")))
        Image.open("a.png").save("style.png")
        outcomes += make(painter, jobs("c"))
    assert all(outcome.value for outcome in outcomes)
    assert len(looked) == 2 and len(seen) == 2, "once for each style"
    with pytest.warns(UserWarning, match="small"):
        alone = stylize("c.png", "a.png", **TINY, style_scale=4)
    np.testing.assert_array_equal(outcomes[2].value.image, alone.image)


def test_what_cannot_be_written_is_an_outcome(painter, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = set(folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(paths.os, "replace", full)
        first, second = make(painter, jobs("a", "c"))
    assert first.value is None and second.value is None
    assert first.error == "a_made.png: cannot be written (No space left on device)"
    assert set(folder.iterdir()) == before


def test_memory_that_runs_out_is_an_outcome(painter, monkeypatch):
    class Short(Host):
        def begin(self, job, scene, settings):
            if job.content == "a.png":
                raise MemoryError

    first, second = make(painter, jobs("a", "c"), Short())
    assert "not enough memory" in first.error and first.begun and second.value


def test_the_host_hears_of_what_was_read_and_may_refuse(painter):
    heard = []

    class Strict(Host):
        def check(self, job, scene):
            heard.append((job.content, scene.content.shape))
            if job.content == "a.png":
                raise InputError("not this one")

    outcomes = list(make(painter, jobs("a", "b", "c"), Strict()))
    assert heard == [("a.png", (48, 64, 3)), ("c.png", (64, 48, 3))]
    assert outcomes[0].error == "not this one" and not outcomes[0].begun and outcomes[2].value


def test_no_painter_is_made_before_pictures_are_read():
    def painter():
        pytest.fail("nothing can be painted")

    outcomes = list(runner.make(jobs("b"), Settings(**TINY), painter))
    assert outcomes[0].error.startswith("b.png: this is not a picture") and not outcomes[0].begun


def test_what_is_wrong_with_the_settings_is_no_jobs_fault():
    def painter():
        raise InputError("--device=gpu:7: TensorFlow sees 0 GPUs here")

    with pytest.raises(InputError, match="gpu:7"):
        list(runner.make(jobs("a", "c"), Settings(**TINY), painter))


def test_a_host_that_stops_lets_no_other_begin(painter, folder):
    class Impatient(Host):
        made = 0

        def stop(self):
            self.made += 1
            return self.made > 1

    assert len(list(make(painter, jobs("a", "c"), Impatient()))) == 1
    assert not (folder / "c_made.png").exists()


def test_the_time_for_all_ends_the_one_at_hand(painter, folder):
    outcomes = list(make(painter, jobs("a", "c", unfinished=Path("u.png")), seconds=1e-9))
    assert outcomes == [], "none is begun when the time is up"
    outcomes = list(make(painter, jobs("a", "c", unfinished=Path("u.png")), seconds=0.05))
    assert len(outcomes) == 1 and outcomes[0].value.stopped == "time limit"
    assert (folder / "u.png").exists() and not (folder / "a_made.png").exists()


@pytest.mark.parametrize("when", ["check", "painter", "begin"])
def test_files_are_not_needed_once_they_have_been_read(when, painter, folder):
    for name, value in (("m.png", 255), ("i.png", 128)):
        Image.new("RGB", (64, 48), (value, 0, value)).save(name)
    content = Image.open("content.png")
    content.putalpha(Image.linear_gradient("L").resize(content.size))
    content.save("a.png")
    settings = Settings(**TINY, init="i.png")
    job = Job("a.png", ("style.png",), Path("a_made.png"), content_masks=("m.png",))

    def steal():
        for name in ("a.png", "style.png", "m.png", "i.png"):
            (folder / name).unlink(missing_ok=True)

    class Thief(Host):
        def check(self, job, scene):
            if when == "check":
                steal()

        def begin(self, job, scene, settings):
            steal()

    def made():
        if when == "painter":
            steal()
        return Painter(settings)

    outcome, = runner.make([job], settings, made, Thief())
    assert outcome.error == "" and outcome.path == Path("a_made.png")
    assert set(outcome.value.inputs.digests) == {"a.png", "style.png", "m.png", "i.png"}
    assert np.ptp(read_alpha("a_made.png")) > 0.9


def test_a_picture_that_cannot_be_written_goes_elsewhere(painter, folder, monkeypatch):
    spare = folder / "spare"
    spare.mkdir()
    monkeypatch.setattr(runner.tempfile, "tempdir", str(spare))

    class Mover(Host):
        def begin(self, job, scene, settings):
            if job.content == "a.png":
                (folder / "out").rename(folder / "elsewhere")
                (folder / "out").touch()

    (folder / "out").mkdir()
    first, second = make(painter, [
        Job("a.png", ("style.png",), Path("out", "a.png")),
        Job("c.png", ("style.png",), Path("c_made.png")),
    ], Mover())
    place, = spare.iterdir()
    assert first.value and first.path == place / "a.png" and second.error == ""
    assert first.error == (f"{Path('out', 'a.png')}: the folder out cannot be made, as out is a "
                           f"file; the picture is in {first.path}")
    difference = read_picture(first.path) - first.value.image
    assert np.abs(difference).max() <= 0.51 / 255


def test_a_picture_that_vanishes_while_it_is_painted_is_made(painter, folder):
    class Thief(Host):
        def begin(self, job, scene, settings):
            for name in ("a.png", "style.png"):
                (folder / name).unlink()

    outcome, = make(painter, jobs("a"), Thief())
    assert outcome.value and Image.open("a_made.png").size == (32, 24)


def test_a_callback_that_ends_a_run_ends_all(painter, folder):
    class Ending(Host):
        def begin(self, job, scene, settings):
            return lambda step: job.content == "c.png"

    outcomes = list(make(painter, jobs("a", "c", "content"), Ending()))
    assert [outcome.job.content for outcome in outcomes] == ["a.png", "c.png"]
    assert len(outcomes[1].value.history) == 1 and (folder / "c_made.png").exists()
    assert not (folder / "content_made.png").exists()


def test_forecasts_write_nothing(painter, folder):
    before = set(folder.iterdir())
    first, second, _ = runner.forecast(
        jobs("a", "b", "c"), painter.settings, lambda: painter
    )
    assert [each.scale.steps for each in first.value] == [3, 2]
    assert second.error and set(folder.iterdir()) == before


def test_forecasts_read_sizes_alone_and_measure_once(painter, folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a forecast decodes no picture")

    monkeypatch.setattr(picture, "read_layers", refuse)
    calls = []
    monkeypatch.setattr(cost, "measured_speed",
                        lambda precision: calls.append(1) or cost.Speed(1e9, 1e9))
    monkeypatch.setattr(painter, "_measured", None)
    first, second = runner.forecast(jobs("a", "c"), painter.settings, lambda: painter)
    assert [(each.scale.height, each.scale.width) for each in first.value] == [(12, 16), (24, 32)]
    assert [(each.scale.height, each.scale.width) for each in second.value] == [(16, 12), (32, 24)]
    assert len(calls) == 1


def test_what_is_learned_from_is_a_bounded_draw_of_both_kinds(folder):
    for shade in range(9):
        Image.new("RGB", (700, 350), (20 * shade, 0, 0)).save(f"{shade}.png")
    many = jobs("b", *"012345678")

    def shades(seed):
        *contents, style = runner.drawn(many, seed)
        assert style.shape == (40, 56, 3)
        assert {each.shape for each in contents} == {(256, 512, 3)}
        return [round(float(each[0, 0, 0]) * 255 / 20) for each in contents]

    assert len(set(shades(0))) == 4
    assert shades(0) == shades(0) != shades(1)
    assert runner.drawn(jobs("b"), 0)[0].shape == (40, 56, 3)


def test_a_picture_that_goes_nowhere_is_not_written(painter, folder):
    before = sorted(folder.iterdir())
    job, = jobs("a")
    outcome, = make(painter, [dataclasses.replace(job, output=None)])
    assert outcome.value.image.shape == (24, 32, 3) and not outcome.error and outcome.path is None
    assert sorted(folder.iterdir()) == before


def test_files_that_were_brought_elsewhere_are_recorded_by_their_names(painter, folder, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    names = {"a.png": "picture", "style.png": "painting", "a_made.png": "made.png"}
    places = {name: str(place / there) for name, there in names.items()}
    for name in ("a.png", "style.png"):
        (folder / name).rename(places[name])
    job, bad = jobs("a", "b", unfinished=Path("a_unfinished.png"))
    gone = bad.moved({**places, "b.png": "nowhere.png"})
    made, refused = make(painter, [job.moved(places), gone])
    assert made.path == place / "made.png" and not Path("a_made.png").exists()
    inputs = Image.open(made.path).text["tf_style"]
    assert '"content": "a.png"' in inputs and "elsewhere" not in inputs
    assert {*made.value.inputs.digests} == {"a.png", "style.png"}
    assert made.job.named(f"{made.path}: full") == "a_made.png: full"
    assert made.job.named(str(made.job.unfinished)) == "a_unfinished.png"
    assert made.job.unfinished.parent == place
    assert refused.job.named(refused.error).startswith("b.png: ")


def test_an_output_that_came_to_be_meanwhile_is_kept(painter, folder):
    """So that two commands with one output make each picture once."""
    class Other(Host):
        def begin(self, job, scene, settings):
            Path("c_made.png").write_text("by another process")

    outcomes = list(make(painter, jobs("a", "c", keep=True), Other()))
    assert [outcome.kept for outcome in outcomes] == [False, True]
    assert Path("c_made.png").read_text() == "by another process"
    assert [outcome.kept for outcome in make(painter, jobs("c"))] == [False]
    assert Path("c_made.png").read_bytes().startswith(b"\x89PNG")


def test_an_output_that_another_process_makes_is_left_to_it(painter, folder):
    with lock.claimed(Path("c_made.png")):
        outcomes = list(make(painter, jobs("a", "c", keep=True)))
    assert [outcome.kept for outcome in outcomes] == [False, True]
    assert not Path("c_made.png").exists()
    assert not [name for name in os.listdir() if name.endswith(".lock")]
    assert [outcome.kept for outcome in make(painter, jobs("c", keep=True))] == [False]


def test_a_picture_is_claimed_while_it_is_made(painter, folder):
    class Looks(Host):
        def begin(self, job, scene, settings):
            with pytest.raises(lock.HeldError), lock.claimed(Path("new/a_made.png")):
                pass

    job = dataclasses.replace(jobs("a", keep=True)[0], output=Path("new/a_made.png"))
    assert not any(outcome.error for outcome in make(painter, [job], Looks()))
    assert os.listdir("new") == ["a_made.png"]


def test_jobs_are_named_by_what_decides_their_pictures(folder):
    job, settings = jobs("a")[0], Settings(**TINY)
    assert job.key(settings) == jobs("a")[0].key(Settings(**TINY))
    os.utime("style.png", ns=(5, 5))
    others = [job.key(settings), job.key(settings.replace(seed=3)), jobs("c")[0].key(settings),
              dataclasses.replace(job, bits=16).key(settings)]
    Image.new("RGB", (9, 9)).save("a.png")
    others.append(job.key(settings))
    os.unlink("a.png")
    others.append(job.key(settings))
    assert len({*others}) == 6 and all(len(each) == 16 for each in others)
    assert Job("sample:harbor", ("sample:waves",), None).key(settings)


def test_the_memory_of_a_job_is_about_that_of_its_size(folder):
    small, large = (runner.memory_of(jobs("a"), Settings(size=size, network="compact"))
                    for size in (64, 2048))
    assert 0.7e9 < small < 1e9 and large > 1.5e9
    assert runner.memory_of(jobs("b"), Settings()) == 2e9
    # The largest counts.
    Image.new("RGB", (900, 1800)).save("c.png")
    own = Settings(size="original", network="compact")
    assert runner.memory_of(jobs("a", "c"), own) == runner.memory_of(jobs("c"), own) > small
