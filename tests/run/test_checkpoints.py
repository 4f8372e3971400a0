import random
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import tensorflow as tf

from tf_style import Checkpoints, InputError, Settings, Stylizer, stylize
from tf_style.image.resize import resize
from tf_style.run.canvas import Canvas
from tf_style.run.checkpoints import differences, origin
from tf_style.run.descent import Descent
from tf_style.run.scene import Scene
from tf_style.settings import with_flags

# Draws, rates and moments that all depend on the step.
SMALL = {
    "size": 48, "scales": 2, "steps": "6,4", "weights": "random", "tolerance": 0,
    "content_layers": "block2_conv1", "style_layers": "block1_conv1,block2_conv1",
    "style_loss": "gram,sliced_wasserstein", "learning_rate_schedule": "cosine", "init_noise": 0.1,
    "precision": "float32",
}


@pytest.fixture(scope="module")
def content():
    return resize(np.random.default_rng(1).random((6, 8, 3), np.float32), 36, 48, smooth=True)


@pytest.fixture(scope="module")
def style(content):
    return content[::-1] ** 2


@pytest.fixture(scope="module")
def stylizers():
    """Two, so that nothing reaches a resumed run but by its checkpoint."""
    return [Stylizer(**SMALL) for _ in range(2)]


@pytest.fixture(scope="module")
def unbroken(stylizers, content, style):
    return stylizers[1].stylize(content, style)


def changed(**settings):
    return Stylizer(**{**SMALL, **settings})


def broken_off(folder, stylizer, content, style, after, **options):
    """A run that ends after so many steps, with a checkpoint."""
    steps = []
    return stylizer.stylize(
        content, style, checkpoints=Checkpoints(folder, **options),
        callback=lambda step: steps.append(step) or len(steps) == after,
    )


@pytest.mark.parametrize("after", [1, 3, 6, 8, 10])
def test_a_resumed_run_gives_the_pixels_of_an_unbroken_one(
    after, stylizers, unbroken, tmp_path, content, style
):
    first = broken_off(tmp_path / "kept", stylizers[0], content, style, after)
    # Whoever asks for an end in the last step gets the whole run.
    assert first.stopped == ("steps" if after == 10 else "callback")
    assert len(first.history) == after
    heard = []
    second = stylizers[1].stylize(
        content, style, checkpoints=Checkpoints(tmp_path / "kept", resume=True),
        callback=lambda step: heard.append(step.step),
    )
    np.testing.assert_array_equal(second.image, unbroken.image)
    assert second.resumed_at_step == after and len(heard) == 10 - after
    assert [(step.scale, step.step) for step in second.history] == [
        (step.scale, step.step) for step in unbroken.history
    ]
    assert [step.loss for step in second.history] == [step.loss for step in unbroken.history]
    seconds = [step.seconds for step in second.history]
    assert seconds == sorted(seconds) and second.seconds >= seconds[-1]


def test_a_resumed_run_protects_what_it_protected(stylizers, unbroken, tmp_path, content, style):
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, :20] = 1
    given = {"style": style, "protect": mask}
    whole = stylizers[1].stylize(content, **given)
    assert np.abs(whole.image - unbroken.image).max() > 1e-3
    steps = []
    stylizers[0].stylize(content, **given, checkpoints=Checkpoints(tmp_path),
                         callback=lambda step: steps.append(step) or len(steps) == 4)
    with pytest.raises(InputError, match="is another run's: the mask of protect differs"):
        stylizers[1].stylize(content, style, checkpoints=Checkpoints(tmp_path, resume=True))
    again = stylizers[1].stylize(
        content, **given, checkpoints=Checkpoints(tmp_path, resume=True)
    )
    np.testing.assert_array_equal(again.image, whole.image)


def test_a_finished_run_takes_no_step(stylizers, unbroken, tmp_path, content, style):
    stylizers[0].stylize(content, style, checkpoints=Checkpoints(tmp_path))
    again = stylizers[1].stylize(
        content, style, checkpoints=Checkpoints(tmp_path, resume=True),
        callback=lambda step: pytest.fail("there is nothing left to do"),
    )
    np.testing.assert_array_equal(again.image, unbroken.image)
    assert (again.resumed_at_step, again.stopped) == (10, "steps")


def test_a_size_that_had_settled_is_not_gone_on_with(stylizers, tmp_path, content, style):
    stylizer = changed(steps=60, tolerance=1.0)
    broken_off(tmp_path, stylizer, content, style, 20)
    second = stylizer.stylize(content, style, checkpoints=Checkpoints(tmp_path, resume=True))
    assert [step.scale for step in second.history] == [1] * 20 + [2] * 20


def test_a_finished_run_goes_on_with_more_steps(stylizers, unbroken, tmp_path, content, style):
    stylizers[0].stylize(content, style, checkpoints=Checkpoints(tmp_path))
    again = changed(steps="8,9").stylize(
        content, style, checkpoints=Checkpoints(tmp_path, resume=True)
    )
    assert [(step.scale, step.step) for step in again.history] == [
        *((1, step) for step in range(1, 7)), *((2, step) for step in range(1, 10))]
    assert [step.loss for step in again.history[:10]] == [step.loss for step in unbroken.history]
    assert again.resumed_at_step == 10 and "going on with more steps" in again.notes[0]
    assert np.abs(again.image - unbroken.image).max() > 1e-4
    # From there on it is a run of so many steps: neither fewer nor other ones.
    with pytest.raises(InputError, match=r"steps was \[8, 9\], is \[8, 7\]"):
        changed(steps="8,7").stylize(content, style,
                                     checkpoints=Checkpoints(tmp_path, resume=True))


def test_a_run_that_was_stopped_goes_on_with_more_steps(stylizers, tmp_path, content, style):
    broken_off(tmp_path, stylizers[0], content, style, 3)
    again = changed(steps="7,4").stylize(
        content, style, checkpoints=Checkpoints(tmp_path, resume=True)
    )
    assert [step.scale for step in again.history] == [1] * 7 + [2] * 4
    assert [step.number for step in again.history] == [*range(1, 12)]
    assert again.extended and again.provenance()["extended"]
    # What it is does not change by being read again.
    kept = changed(steps="7,4").stylize(
        content, style, checkpoints=Checkpoints(tmp_path, resume=True)
    )
    assert kept.extended and kept.resumed_at_step == 11


def test_lbfgs_resumes_at_the_start_of_its_last_size(tmp_path, content, style):
    pytest.importorskip("scipy")
    stylizer = Stylizer(**{**SMALL, "optimizer": "lbfgs", "style_loss": "gram"})
    unbroken = stylizer.stylize(content, style)
    taken = [step.scale for step in unbroken.history].count(1)
    broken_off(tmp_path, stylizer, content, style, taken + 2, every=1)
    second = stylizer.stylize(content, style, checkpoints=Checkpoints(tmp_path, resume=True))
    assert second.resumed_at_step == taken
    third = stylizer.stylize(content, style, checkpoints=Checkpoints(tmp_path, resume=True))
    assert third.resumed_at_step == len(third.history) == len(second.history)
    np.testing.assert_array_equal(second.image, unbroken.image)


def test_without_a_checkpoint_it_starts_anew_and_says_so(stylizers, tmp_path, content, style):
    with pytest.warns(UserWarning, match="no complete checkpoint; starting anew"):
        result = stylizers[0].stylize(
            content, style, checkpoints=Checkpoints(tmp_path / "new", resume=True)
        )
    assert result.resumed_at_step == 0 and len(result.history) == 10


def test_starting_anew_where_there_is_a_checkpoint_is_said(stylizers, tmp_path, content, style):
    broken_off(tmp_path, stylizers[0], content, style, 2)
    message = "starting anew; resume goes on with what is there"
    with pytest.warns(UserWarning, match=message) as seen:
        result = broken_off(tmp_path, stylizers[0], content, style, 1)
    assert "starting anew; --resume goes on" in with_flags(seen[0].message)
    assert result.resumed_at_step == 0


@pytest.mark.parametrize("changes, message", [
    ({"settings": {"style_weight": 3.0}}, "style_weight was 14.0, is 3.0"),
    ({"settings": {"steps": "6,3"}}, r"steps was \[6, 4\], is \[6, 3\]"),
    ({"content": True}, "is another run's: the content differs"),
    ({"style": True}, "is another run's: the style differs"),
])
def test_another_run_is_refused_and_the_difference_named(
    changes, message, stylizers, tmp_path, content, style
):
    broken_off(tmp_path, stylizers[0], content, style, 2)
    with pytest.raises(InputError, match=message) as error:
        changed(**changes.get("settings", {})).stylize(
            content / 2 if "content" in changes else content,
            style / 2 if "style" in changes else style,
            checkpoints=Checkpoints(tmp_path, resume=True),
        )
    assert "start anew without resume" in str(error.value)


def test_differences_are_named_by_what_causes_them(content, style):
    def of(kernels=(), masks=(), protect=None, start=0.5, **settings):
        scene = Scene.of(Settings(**settings), content, style, style_masks=masks, protect=protect)
        return origin(Settings(**settings), dict(kernels), scene, np.full((2, 3, 3), start))

    face = content[..., 0]
    for before, now, expected in (
        ({}, {}, []),
        ({}, {"start": 0.6}, ["the start differs"]),
        ({}, {"start": 0.6, "seed": 2}, ["--seed was 0, is 2"]),
        ({"masks": [style]}, {"masks": [style / 2]}, ["the style mask differs"]),
        ({}, {"masks": [style]}, ["the style mask differs"]),
        ({}, {"protect": face}, ["the mask of --protect differs"]),
        ({"protect": face}, {"protect": face}, []),
        ({"protect": face}, {"protect": face / 2}, ["the mask of --protect differs"]),
        # Kernels are compared by what they are, not by where they come from.
        ({"weights": "a.h5"}, {"weights": "b.h5"}, []),
        ({"weights": "a.h5"}, {"weights": "b.h5", "kernels": [("x", "1")]},
         ["--weights was a.h5, is b.h5"]),
        ({}, {"kernels": [("x", "1")]}, ["the weights differ"]),
        # More steps are the same run.
        ({"steps": "3,4"}, {"steps": "3,5", "tolerance": 0}, []),
        ({"steps": "3,4"}, {"steps": "4,3"}, ["--steps was [3, 4], is [4, 3]"]),
        ({"tolerance": 0}, {"tolerance": 0.1}, ["--tolerance was 0.0, is 0.1"]),
        ({}, {"cache_dir": "c", "offline": True, "max_memory": 2, "block_size": 64}, []),
    ):
        assert differences(of(**before), of(**now)) == expected


def test_the_block_size_goes_on_unless_other_memory_is_asked_for(
    tmp_path, content, style, monkeypatch
):
    original, calls = Descent.value_and_gradient, []

    def short_of_memory(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return original(*arguments)

    large = np.tile(content, (4, 4, 1))
    only_one = {"size": 160, "scales": 1, "steps": 1, "style_loss": "gram"}
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match="blocks of 128 pixels"):
        patch.setattr(Descent, "value_and_gradient", short_of_memory)
        changed(**only_one).stylize(large, style, checkpoints=Checkpoints(tmp_path))
    for given, expected in (({}, 128), ({"block_size": 64}, 64)):
        result = changed(**only_one, **given).stylize(
            large, style, checkpoints=Checkpoints(tmp_path, resume=True)
        )
        assert result.settings.block_size == expected and result.resumed_at_step == 1


def test_other_versions_are_named(stylizers, tmp_path, content, style, monkeypatch):
    broken_off(tmp_path, stylizers[0], content, style, 2)
    monkeypatch.setattr(tf, "__version__", "9.9")
    with pytest.warns(UserWarning, match=r"the run began with tf_style .*, tensorflow \d"):
        stylizers[0].stylize(content, style, checkpoints=Checkpoints(tmp_path, resume=True))


# Checkpoints that are not complete


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def flip(path, share):
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("file", ["state.index", "state.data-00000-of-00001"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    file, damage, stylizers, unbroken, tmp_path, content, style
):
    broken_off(tmp_path, stylizers[0], content, style, 5, every=2)
    damage(Checkpoints(tmp_path).newest_first()[0] / file, 0.7)
    with pytest.warns(UserWarning, match="the checkpoint is damaged"):
        result = stylizers[1].stylize(
            content, style, checkpoints=Checkpoints(tmp_path, resume=True)
        )
    assert result.resumed_at_step == 4
    np.testing.assert_array_equal(result.image, unbroken.image)


def test_where_all_are_damaged_it_starts_anew(stylizers, unbroken, tmp_path, content, style):
    broken_off(tmp_path, stylizers[0], content, style, 5, every=2)
    for each in Checkpoints(tmp_path).newest_first():
        flip(each / "state.data-00000-of-00001", 0.9)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = stylizers[1].stylize(
            content, style, checkpoints=Checkpoints(tmp_path, resume=True)
        )
    assert result.resumed_at_step == 0
    assert [str(each.message).partition("checkpoint")[2] for each in caught][:2] == [
        "_3: the checkpoint is damaged", "_2: the checkpoint is damaged"
    ]
    assert str(caught[2].message).endswith("no complete checkpoint; starting anew")
    np.testing.assert_array_equal(result.image, unbroken.image)


def test_what_was_being_written_does_not_count(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.add(lambda folder: (folder / "state").write_text("whole"), pytest.fail)

    def killed(folder):
        (folder / "state").write_text("hal")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoints.add(killed, pytest.fail)
    kept, = Checkpoints(tmp_path).newest_first()
    assert (kept / "state").read_text() == "whole"
    Checkpoints(tmp_path).add(lambda folder: (folder / "next").touch(), pytest.fail)
    newest, _ = Checkpoints(tmp_path).newest_first()
    assert [each.name for each in newest.iterdir()] == ["next"]


def test_the_last_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "kept")
    for number in range(11):
        checkpoints.add(lambda folder, number=number: (folder / str(number)).touch(), pytest.fail)
    assert [next(each.iterdir()).name for each in checkpoints.newest_first()] == ["10", "9"]


def test_a_disk_that_is_full_does_not_end_the_run(
    stylizers, tmp_path, content, style, monkeypatch
):
    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.train.Checkpoint, "write", full)
    with pytest.warns(UserWarning, match=r"cannot be written \(No space left on device\)"):
        result = stylizers[0].stylize(content, style, checkpoints=Checkpoints(tmp_path))
    assert len(result.history) == 10 and not Checkpoints(tmp_path).newest_first()


def test_a_loss_that_is_not_finite_is_not_kept(stylizers, tmp_path, content, style, monkeypatch):
    healthy = Canvas.value_and_gradient

    def broken(canvas, targets):
        loss, parts, gradient = healthy(canvas, targets)
        return tf.where(canvas.moments.count >= 3, np.nan, loss), parts, gradient

    with warnings.catch_warnings(), monkeypatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setattr(Canvas, "value_and_gradient", broken)
        stylizers[0].stylize(content, style, checkpoints=Checkpoints(tmp_path, every=1))
    result = stylizers[1].stylize(
        content, style, checkpoints=Checkpoints(tmp_path, resume=True)
    )
    assert result.resumed_at_step == 3 and result.stopped == "steps"


# When, and where


def test_how_often(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def write(_):
        now[0] += 0.5

    assert [Checkpoints(tmp_path, every=3).due(steps) for steps in range(1, 7)] == [
        False, False, True, False, False, True
    ]
    checkpoints = Checkpoints(tmp_path)
    now[0] += 0.1
    assert checkpoints.due(1), "what a checkpoint takes is not known before the first"
    checkpoints.add(write, pytest.fail)
    now[0] += 24
    assert not checkpoints.due(2)
    now[0] += 2
    assert checkpoints.due(3)


@pytest.mark.parametrize("name, message", [
    ("file", "expected a folder, this is a file"),
    ("full", "It holds notes.txt"),
    ("file/such", "cannot be made"),
    ("a[1]", "expected a name without"),
])
def test_a_folder_that_cannot_be_used(name, message, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(InputError, match=message):
        Checkpoints(tmp_path / name)


def test_a_time_limit_ends_the_run_and_it_goes_on(
    stylizers, unbroken, tmp_path, content, style
):
    for steps in range(1, 4):
        result = stylizers[0].stylize(
            content, style, time_limit=1e-9,
            checkpoints=Checkpoints(tmp_path, resume=steps > 1),
        )
        assert result.stopped == "time limit" and len(result.history) == steps
    result = stylizers[1].stylize(
        content, style, time_limit="1h", checkpoints=Checkpoints(tmp_path, resume=True)
    )
    assert result.stopped == "steps" and result.resumed_at_step == 3
    np.testing.assert_array_equal(result.image, unbroken.image)


RUN = """
import sys
import numpy as np
import tf_style
checkpoints = tf_style.Checkpoints("kept", every=1, resume=True)
result = tf_style.stylize("content.png", "style.png", checkpoints=checkpoints,
                          callback=lambda step: print(step.step, flush=True), **eval(sys.argv[1]))
np.savez("result.npz", image=result.image, resumed=result.resumed_at_step)
"""


@pytest.mark.slow
def test_killed_and_resumed_again_and_again(pictures):
    """Three times at random moments, while it writes a checkpoint after each step."""
    settings = {**SMALL, "steps": "40,40"}
    moments = random.Random(0)
    for _ in range(3):
        run = subprocess.Popen([sys.executable, "-c", RUN, repr(settings)], cwd=pictures,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        run.stdout.readline()
        time.sleep(moments.uniform(0, 0.6))
        run.kill()
        run.communicate()
    subprocess.run([sys.executable, "-c", RUN, repr(settings)], cwd=pictures, check=True,
                   stdout=subprocess.DEVNULL)
    unbroken = stylize(pictures / "content.png", pictures / "style.png", **settings)
    with np.load(pictures / "result.npz") as found:
        assert found["resumed"] >= 3
        np.testing.assert_array_equal(found["image"], unbroken.image)


def test_a_run_without_a_step_needs_no_checkpoint(tmp_path, content, style):
    """L-BFGS takes none where there is nothing to gain."""
    result = stylize(content, style, **{**SMALL, "optimizer": "lbfgs", "style_weight": 0},
                     checkpoints=Checkpoints(tmp_path / "kept"))
    assert np.abs(result.image - result.content).max() < 1 / 255


@pytest.mark.parametrize("name", ["a" * 300, f"{'a' * 300}/b", "a\0b"], ids=["long", "in", "NUL"])
def test_a_folder_that_cannot_be(name):
    with pytest.raises(InputError, match="folder="):
        Checkpoints(name)
