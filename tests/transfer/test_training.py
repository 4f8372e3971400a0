"""Training networks that paint."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.transfer.conftest import TINY
from tf_style.run.checkpoints import Checkpoints
from tf_style.run.stylizer import Stylizer
from tf_style.settings import InputError, Settings
from tf_style.transfer import comparison, training
from tf_style.transfer.train import Trainer, train
from tf_style.transfer.training import Stage


@pytest.fixture
def painting():
    """Red and yellow stripes."""
    values = np.zeros((64, 64, 3), np.float32)
    values[..., 0] = 0.9
    values[::8, :, 1] = values[1::8, :, 1] = 0.8
    return values


def settings(**changes):
    return Settings(**TINY, size=64, **changes)


def trainer(*styles, steps, init="none", steady=False, **changes):
    return Trainer(styles, (), settings(**changes), steps=steps, init=init, steady=steady)


def same(first, second):
    return all(np.array_equal(*pair) for pair in zip(
        first.model.get_weights(), second.model.get_weights(), strict=True))


def test_losses_fall_and_each_style_comes_over(painting, tmp_path):
    blue = painting[..., ::-1].copy()
    losses = []
    made = train([painting, blue], (), settings(style_weight=100), steps=150, init="none",
                 callback=lambda lesson: losses.append(lesson.loss))
    assert len(losses) == 150 and np.mean(losses[-9:]) < 0.8 * np.mean(losses[:5])
    gray = np.full((1, 40, 56, 3), 0.5, np.float32)
    red, blue = (made.blended(shares).model(gray).numpy().mean((0, 1, 2))
                 for shares in ([1, 0], [0, 1]))
    assert red[0] - red[2] > blue[0] - blue[2] + 0.1
    # Another training may start from it.
    made.save(tmp_path / "first.keras")
    again = []
    train(painting, (), settings(style_weight=100), steps=1, init=tmp_path / "first.keras",
          callback=lambda lesson: again.append(lesson.loss))
    assert again[0] < 0.9 * losses[0]


def test_what_is_no_network_is_no_start(painting, tmp_path):
    with pytest.raises(InputError, match=r"init=.*There is no such file"):
        trainer(painting, steps=1, init=tmp_path / "none.keras")


def test_a_step_goes_down_the_gradient_of_the_parts(painting):
    each = trainer(painting, steps=10)
    learner = each._training
    crops = learner._crops(1, Stage(32, 4, 1))
    before = [variable.numpy() for variable in each.pupil.variables]
    first, parts = learner._learn(crops)
    assert first == pytest.approx(sum(parts.values()), rel=1e-4)
    assert {*parts} == {"content", "style", "variation", "regular"}
    moved = [variable.numpy() - then for variable, then in
             zip(each.pupil.variables, before, strict=True)]
    assert all(np.abs(change).max() > 0 for change in moved)
    second, _ = learner._learn(crops)
    assert second < first


def test_a_steady_training_lowers_what_flickers(painting):
    each = trainer(painting, steps=30, steady=True)
    learner, found = each._training, []
    for number in range(30):
        loss, parts = learner._learn(learner._crops(number, Stage(32, 4, 1)))
        assert loss == pytest.approx(sum(parts.values()), rel=1e-4)
        learner.number += 1
        found.append(parts["steady"])
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])
    assert each.made().note["steady"] is True


def test_a_pattern_of_four_pixels_is_found_and_nothing_else():
    chance = np.random.default_rng(3)
    smooth = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], 64, 0)
    pictures = np.stack([smooth, smooth.swapaxes(0, 1)]) * np.ones(3, np.float32)
    mesh = np.tile(chance.normal(0, 0.05, (4, 4, 3)).astype(np.float32), (2, 16, 16, 1))
    stripes = 0.05 * np.sin(np.arange(64, dtype=np.float32) * 2 * np.pi / 6.4)[:, None, None]
    plain, regular, other = (float(training.regularity(pictures + each))
                             for each in (0, mesh, stripes))
    assert regular > 1e-3 and plain < 0.02 * regular and other < 0.02 * regular


def test_a_seed_decides_all_chance(painting):
    first, again, other = (trainer(painting, steps=3, seed=seed) for seed in (0, 0, 1))
    for one, two in zip(first.pupil.variables, again.pupil.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    assert (first.pupil.variables[0].numpy() != other.pupil.variables[0].numpy()).any()
    crops = [each._training._crops(2, Stage(32, 4, 1)) for each in (first, again, other)]
    np.testing.assert_array_equal(crops[0], crops[1])
    assert (crops[0] != crops[2]).any()


@pytest.mark.slow
def test_a_resumed_training_ends_with_the_same_weights(painting, tmp_path):
    whole = trainer(painting, steps=6, steady=True).train()
    trainer(painting, steps=6, steady=True).train(
        lambda lesson: lesson.number == 3, Checkpoints(tmp_path / "kept"))
    numbers = []
    resumed = trainer(painting, steps=6, steady=True).train(
        lambda lesson: numbers.append(lesson.number), Checkpoints(tmp_path / "kept", resume=True))
    assert numbers == [4, 5, 6] and same(whole, resumed)


@pytest.mark.slow
def test_two_threads_give_the_same_weights_again():
    program = """
import hashlib
import tf_style

made = tf_style.train(["sample:waves"], width="fast", steps=3, threads=2, network="compact",
                      weights="included", offline=True)
print(hashlib.sha256(b"".join(each.tobytes() for each in made.model.get_weights())).hexdigest())
"""
    told = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           check=True).stdout for _ in range(2)]
    assert told[0] == told[1] != ""


@pytest.mark.slow
def test_another_training_is_not_resumed(painting, tmp_path):
    trainer(painting, steps=4).train(lambda lesson: True, Checkpoints(tmp_path / "kept"))
    for other, reason in ((trainer(painting[:, :32], steps=4), "style 1"),
                          (trainer(painting, steps=4, seed=3), "seed"),
                          (trainer(painting, painting, steps=4), "style 2"),
                          (trainer(painting, steps=3), "steps"),
                          (trainer(painting, steps=4, steady=True), "steady")):
        with pytest.raises(InputError, match=reason):
            other.train(None, Checkpoints(tmp_path / "kept", resume=True))


@pytest.mark.slow
def test_a_training_goes_on_only_with_the_network_that_it_began_with(painting, tmp_path):
    first = trainer(painting, steps=2).train(
        lambda lesson: True, Checkpoints(tmp_path / "kept"))
    first.save(tmp_path / "first.keras")
    other = trainer(painting, steps=2, init=tmp_path / "first.keras")
    with pytest.raises(InputError, match=r"network to begin with \(init\) differs"):
        other.train(None, Checkpoints(tmp_path / "kept", resume=True))
    assert trainer(painting, steps=2).train(
        None, Checkpoints(tmp_path / "kept", resume=True)).note["steps"] == 2


@pytest.mark.slow
def test_a_checkpoint_that_does_not_say_what_it_began_with_is_resumed(painting, tmp_path):
    old = trainer(painting, steps=2)
    origin = old._origin()
    del origin["pictures"]["network to begin with (--init)"]
    old._origin = lambda: origin
    old.train(lambda lesson: True, Checkpoints(tmp_path / "kept"))
    made = trainer(painting, steps=2).train(None, Checkpoints(tmp_path / "kept", resume=True))
    assert made.note["steps"] == 2


def test_a_checkpoint_that_cannot_be_written_is_an_error_of_the_disk(painting, tmp_path):
    each = trainer(painting, steps=3)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        each._training.save(tmp_path / "file", {})


@pytest.mark.slow
def test_a_time_decides_where_no_steps_are_given(painting, monkeypatch):
    monkeypatch.setattr(training, "STAGES", (Stage(32, 4, 0.5), Stage(48, 2, 0.5)))
    clock = iter(range(10_000))
    monkeypatch.setattr(training.time, "perf_counter", lambda: float(next(clock)))
    lessons = []
    # Two seconds before it begins, one before the first step, and one in each.
    made = Trainer([painting], (), settings(), time_limit=6, init="none", spent=2).train(
        lessons.append)
    assert [each.steps for each in lessons] == [None] * 3
    assert [each.done for each in lessons] == pytest.approx([4 / 6, 5 / 6, 1])
    assert made.note["seconds"] == 6 and made.note["seconds_before_first_step"] == 3


def test_one_step_is_taken_even_if_the_time_is_up(painting):
    made = Trainer([painting], (), settings(), time_limit=1, init="none", spent=2).train()
    assert made.note["steps"] == 1


def test_the_optimiser_is_compared_by_the_same_kernels_and_styles(painting, monkeypatch, tmp_path):
    clear = np.concatenate([painting, np.ones((64, 64, 1), np.float32)], 2)
    clear[:, :20, 3] = 0
    learned = {**TINY, "weights": "unsupervised", "content_layers": "block1_conv1"}
    each = Trainer([clear], (), Settings(**learned, cache_dir=str(tmp_path), size=64), steps=1,
                   init="none")
    made = []
    stylize = Stylizer.stylize
    monkeypatch.setattr(Stylizer, "stylize", lambda self, *pictures, **kw: made.append(
        (self, kw["style_masks"])) or stylize(self, *pictures, **kw))
    comparison.compared(each)
    (stylizer, (mask,)), *_ = made
    assert mask[:, :18].max() < 0.2 and mask[:, 24:].min() > 0.8
    assert stylizer.weights == each._weights


def test_a_loss_that_is_not_finite_changes_nothing(painting, monkeypatch):
    each = trainer(painting, steps=5)
    before = [variable.numpy() for variable in each.pupil.variables]
    monkeypatch.setattr(each._training, "_crops",
                        lambda number, stage: np.full((4, 32, 32, 3), np.nan, np.float32))
    with pytest.warns(UserWarning, match="not finite at step 1"):
        made = each.train()
    assert made.note["steps"] == 0
    for variable, then in zip(each.pupil.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), then)


def test_each_style_may_have_a_scale_of_its_own(painting):
    each = trainer(painting, painting, steps=1, style_scale=(1, 0.5))
    assert [style.picture.shape[0] for style in each.styles] == [64, 32]
    with pytest.raises(InputError, match="style_scale: expected one number, or one for each of"):
        trainer(painting, steps=1, style_scale=(1, 0.5))


def test_names_of_styles_keep_their_dots(painting, tmp_path):
    for name in ("wave.small.png", "wave.large.png"):
        Image.new("RGB", (64, 64), (200, 0, 0)).save(tmp_path / name)
    each = trainer(*sorted(tmp_path.iterdir()), steps=1)
    assert each.made().styles == ["wave.large", "wave.small"]


def test_options_without_effect_are_refused(painting):
    with pytest.raises(InputError, match="tolerance: has no effect when training"):
        trainer(painting, steps=1, tolerance=0.1)


def test_files_of_photographs_are_learned_from(painting, tmp_path):
    names = []
    for number in range(45):
        names.append(tmp_path / f"{number}.png")
        Image.new("RGB", (50, 40), (number, 0, 0)).save(names[-1])
    each = Trainer([painting], names, settings(), steps=1, init="none")
    assert (each.photographs.given, len(each.photographs.held_out)) == (41, 4)
    assert each.made().note["pictures"] == {"given": 41, "added": 0}
    assert each.made().styles == ["style 1"]


def test_a_folder_of_photographs_is_given_by_its_name(painting, tmp_path):
    for number in range(2):
        Image.new("RGB", (40, 30), (90 * number, 9, 9)).save(tmp_path / f"{number}.png")
    seen = []
    made = train(painting, tmp_path, Settings(**TINY), width="fast", steps=1, init="none",
                 callback=lambda lesson: seen.append(lesson.image()))
    assert [each.shape for each in seen] == [(192, 256, 3)] and np.ptp(seen[0]) > 0
    assert made.note["pictures"]["given"] == 2
