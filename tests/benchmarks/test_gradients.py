"""The program that compares the gradients of two networks, at a tiny size."""

import json
from unittest import mock

import numpy as np
import pytest

import tf_style
from benchmarks import gradients
from benchmarks.gradients import PARTS, PLACES, Agreement, Comparison, compare
from tf_style.commands.exits import guarded
from tf_style.run.descent import Descent
from tf_style.run.scene import Scene
from tf_style.settings import Settings

LAYERS = ["block1_conv1", "block1_conv2"]
SETTINGS = Settings(
    size=32, scales=2, steps=5, tolerance=0, weights="random", content_layers="block1_conv2",
    style_layers="block1_conv1", style_weight=10,
)


def of_part(agreements, part):
    return np.array([getattr(each, part) for each in agreements], float)


def test_a_network_agrees_with_itself_whatever_its_weights_of_the_loss(content, style):
    scaled = SETTINGS.replace(content_weight=3, style_weight=30, tv_weight=3 * SETTINGS.tv_weight)
    found = compare(SETTINGS, scaled, content, style)
    assert [(each.size, each.place) for each in found] == [
        (size, place) for size in (16, 32) for place in PLACES
    ]
    for part in PARTS:
        np.testing.assert_allclose(of_part(found, part), 1, atol=1e-5)


def test_other_kernels_pull_another_way(content, style):
    found = compare(SETTINGS, SETTINGS.replace(seed=1), content, style)
    for part in PARTS:
        assert (np.abs(of_part(found, part)) < 0.99).all()


def test_a_part_that_is_missing_has_no_cosine(content, style):
    for found in compare(SETTINGS, SETTINGS.replace(style_weight=0), content, style):
        assert found.style is None and -1 < found.content < 1 and -1 < found.whole < 1
    # Without a style, the run stays at the content, where nothing pulls.
    nothing = compare(SETTINGS.replace(style_weight=0, scales=1), SETTINGS, content, style)
    assert {(each.content, each.style, each.whole) for each in nothing} == {(None, None, None)}


def test_pictures_are_those_of_the_run(content, style):
    made = {}
    settings = SETTINGS.replace(precision="float32")
    tf_style.stylize(content, style, settings,
                     callback=lambda step: made.update({(step.scale, step.step): step.image()}))
    comparison = Comparison(SETTINGS, SETTINGS, content, style)
    for scale, pictures in comparison.pictures():
        for step, place in zip((1, 2, 3, 5), PLACES, strict=True):
            np.testing.assert_array_equal(pictures[place], made[scale.number, step])
    assert scale.number == 2


def test_gradients_are_those_of_the_run_at_each_size(content, style):
    """Also where the style is seen at another size than in the end."""
    of_run, found = {}, {}
    evaluate, take = Descent.value_and_gradient, gradients._gradients

    def watched(self, image, *others):
        value = evaluate(self, image, *others)
        of_run[image.numpy().tobytes()] = value[2].numpy()
        return value

    def taken(work, targets, picture):
        parts = take(work, targets, picture)
        found[picture.tobytes()] = parts["whole"]
        return parts

    with mock.patch.object(Descent, "value_and_gradient", watched), \
            mock.patch.object(gradients, "_gradients", taken):
        compare(SETTINGS, SETTINGS, content, style)
    # The run takes no gradient at the end of a size.
    both = set(of_run) & set(found)
    assert len(both) == 6 and len(found) == 8
    for picture in both:
        error = np.linalg.norm(found[picture] - of_run[picture])
        assert error < 1e-4 * np.linalg.norm(of_run[picture])


def test_sizes_that_one_of_them_cannot_see_are_left_out(content, style):
    small = SETTINGS.replace(size=8, scales=3, steps=1)
    deep = small.replace(content_layers="block2_conv1")
    assert len(Scene.of(small, content, style).scales) == 3
    assert {each.size for each in compare(small, deep, content, style)} == {4, 8}


def test_a_cosine_ignores_lengths():
    first, second = np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])
    assert gradients.cosine(first, 1e-3 * second) == pytest.approx(0.96)
    assert gradients.cosine(first, -first) == pytest.approx(-1)
    assert gradients.cosine(first, 0 * first) is gradients.cosine(None, first) is None


def test_means_leave_out_what_there_is_not():
    rows = gradients.means([
        Agreement(16, "start", 0.25, 0.5, None), Agreement(16, "end", 0.75, None, None),
        Agreement(32, "start", 0.5, 0.0, None),
    ])
    found = {(row["size"], row["place"]): row for row in rows}
    assert found[16, "mean"]["whole"] == found["mean", "mean"]["whole"] == 0.5
    assert found["mean", "start"]["whole"] == 0.375 and found["mean", "mean"]["content"] == 0.25
    assert found[32, "end"]["whole"] is None and len(rows) == 15
    assert "| 16 | mean | 0.500 | 0.500 | – |" in gradients.table(rows).splitlines()


def test_seconds_are_told_as_a_ratio(content, style):
    seconds = Comparison(SETTINGS, SETTINGS, content, style).seconds(2)
    assert seconds["ratio"] == seconds["reference"] / seconds["other"] > 0


def test_a_saved_model_is_asked_for_the_layers_of_the_reference(monkeypatch, pictures, capsys):
    monkeypatch.setattr(gradients.GradientsOptions, "reference", lambda self: SETTINGS)
    model, output = pictures / "small.keras", pictures / "found.json"
    tf_style.feature_model(LAYERS, "random").save(model)
    assert guarded(gradients.COMMAND, [
        "--reference_weights=random", f"--network={model}", "--size=32", "--scales=2",
        f"--pair={pictures / 'content.png'},{pictures / 'style.png'}", "--rounds=1",
        "--style_weight=7", f"--output={output}", "--quiet",
    ]) == 0
    record = json.loads(output.read_text())
    assert record["other"]["style_layers"] == record["reference"]["style_layers"]
    assert (record["other"]["style_weight"], record["reference"]["style_weight"]) == (7, 10)
    (found,) = record["pairs"].values()
    # The same kernels, but a saved model sees zeros beyond the border.
    assert len(found) == 8 and all(0.95 < each["content"] < 0.999 for each in found)
    printed, errors = capsys.readouterr()
    assert printed.count("| 16 |") == 5 and "One gradient at 32 pixels" in printed and not errors


@pytest.mark.parametrize("arguments, said", [
    ([], "--reference_weights: expected a value"),
    (["--reference_weights=random", "--pair=a"], "--pair=a: expected two pictures"),
    (["--reference_weights=random", "--pair=nowhere.png,sample:ink"], "nowhere.png"),
    (["--reference_weights=nowhere.h5", "--quiet"], "--reference_weights=nowhere.h5: "),
    (["--reference_weights=random", "--network=nowhere.keras", "--quiet"], "--network=nowhere"),
    (["--reference_weights=random", "--output=."], "expected a file name"),
    (["--reference_weights=random", "--size=small"], "--size: expected a whole number"),
    (["--wieghts=random"], "Did you mean --weights?"),
], ids=str)
def test_bad_input_is_told_in_one_line(arguments, said, capsys):
    assert guarded(gradients.COMMAND, arguments) == 2
    printed, errors = capsys.readouterr()
    assert said in errors and errors.count("\n") == 1 and not printed
