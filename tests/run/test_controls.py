"""Every control does something, and goes with every other or says why not."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest

from tf_style import InputError, Stylizer, stylize
from tf_style.commands.flags import parse
from tf_style.commands.stylize import COMMAND
from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings import Settings
from tf_style.settings.presets import presets

TINY = {
    "size": 32, "scales": 1, "steps": 6, "weights": "random", "tolerance": 0,
    "content_layers": "block2_conv1", "style_layers": "block2_conv1",
    "precision": "float32",
}
CHOICES = {
    "style_loss": [*STYLE_LOSSES, "gram:1,phase:0.5"],
    "optimizer": ["adam", "lbfgs"],
    "preserve_color": ["none", "luminance", "statistics", "histogram"],
    "masks": [False, True],
    "protect": [False, True],
    "block_size": [0, 32],
    "precision": ["float32", "bfloat16", "float16"],
}
OTHERS = {
    "style_loss": [each for each in CHOICES["style_loss"] if each != "moments"],
    "preserve_color": ["luminance", "statistics", "histogram"],
    "optimizer": ["lbfgs"],
    "pooling": ["average"],
    "init": ["style", "noise", "gray"],
    "learning_rate_schedule": ["constant", "cosine"],
    "normalize_gradients": [True],
}


@functools.cache
def tiny(**given):
    """A stylizer of tiny pictures; its step is traced once for all tests."""
    return Stylizer(**{**TINY, **given})


@pytest.mark.parametrize(
    "name, choice", [(name, each) for name, choices in OTHERS.items() for each in choices]
)
def test_no_two_choices_give_the_same_pixels(name, choice, content, style):
    def image(**given):
        return tiny(**given).stylize(content, style).image

    choices = OTHERS[name]
    before = [{}, *({name: each} for each in choices[: choices.index(choice)])]
    for each in before:
        assert np.abs(image(**{name: choice}) - image(**each)).max() > 1e-4


@pytest.mark.parametrize("part", ["content", "style"])
def test_another_network_for_one_part(part, content, style):
    one = tiny().stylize(content, style)
    two = stylize(content, style, **TINY, **{f"{part}_network_weights": "unsupervised"})
    assert np.abs(one.image - two.image).max() > 1e-4
    assert {name.partition("/")[0] for name in two.weights} == {"content", "style"}
    if part == "style":
        again = stylize(content, style, two.settings)
        np.testing.assert_array_equal(two.image, again.image)


def test_the_same_network_for_each_part_is_the_network(content, style):
    one = tiny().stylize(content, style)
    same = stylize(content, style, **TINY, content_network="vgg16", style_network="vgg16")
    np.testing.assert_array_equal(one.image, same.image)


def test_strength_is_the_style_weight_by_one_knob(content, style):
    weights = [stylize(content, style, **TINY, strength=each).settings.style_weight
               for each in (0, 0.5, 1)]
    assert weights[1] == tiny().stylize(content, style).settings.style_weight
    assert weights[0] < weights[1] / 10 and weights[2] > weights[1] * 10


@pytest.mark.slow
def test_strength_is_monotone_in_the_evaluation(real_weights):
    from tf_style.image.picture import read_picture
    from tf_style.measure.metrics import FINE, Judge
    from tf_style.network.features import feature_model

    content, style = (read_picture(f"sample:{name}") for name in ("harbor", "brushstrokes"))
    judge = Judge(feature_model(FINE.layers, real_weights), content, [style])
    found = [
        judge.evaluate(stylize(content, style, size=128, weights=real_weights, strength=each).image)
        for each in (0, 0.25, 0.5, 0.75, 1)
    ]
    similarities = [each.content_similarity for each in found]
    distances = [each.style_distance for each in found]
    assert similarities == sorted(similarities, reverse=True)
    assert distances == sorted(distances, reverse=True)
    assert similarities[0] > 0.85 and similarities[-1] < 0.45


def test_a_region_leaves_the_rest_as_it_is(content, style):
    left = np.zeros((*content.shape[:2], 3), np.float32)
    left[:, : content.shape[1] // 4] = 1
    result = stylize(
        content, style, **{**TINY, "size": 64}, content_masks=[left], tv_weight=0,
        learning_rate=0.03,
    )
    change = np.abs(result.image - result.content)
    assert change[:, 32:].mean() < 0.1 * change[:, :16].mean()


@pytest.mark.parametrize("given", [
    {}, {"block_size": 32}, {"style_weight": 0.5},
])
def test_what_is_protected_changes_less_and_the_rest_as_much(given, content, style):
    left = np.zeros(content.shape[:2], np.float32)
    left[:, : content.shape[1] // 2] = 1
    stylizer = tiny(size=64, steps=20, tv_weight=0, **given)
    plain, held = (np.abs(each.image - each.content).mean(axis=(0, 2)) for each in (
        stylizer.stylize(content, style), stylizer.stylize(content, style, protect=left)
    ))
    assert held[:24].mean() < 0.8 * plain[:24].mean()
    assert held[40:].mean() > 0.8 * plain[40:].mean()


def test_what_is_protected_does_not_overshoot(content, style):
    """Without a style, pixels go straight back to the content, from wherever they start."""
    left = np.zeros(content.shape[:2], np.float32)
    left[:, : content.shape[1] // 2] = 1
    result = tiny(style_weight=0, steps=1, init="noise", tv_weight=0).stylize(
        content, style, protect=left
    )
    start = np.random.default_rng(0).random(result.image.shape, np.float32)
    way = (result.image - result.content) / (start - result.content)
    assert np.quantile(way, 0.01) > -0.01


def test_luminance_keeps_the_contents_colours(content, style):
    from tf_style.image.color import luminance

    result = stylize(content, style, **{**TINY, "steps": 20, "learning_rate": 0.05},
                     preserve_color="luminance")
    # What is left of a colour without its gray has the same direction.
    of_result, of_content = (image - luminance(image)[..., None]
                             for image in (result.image, result.content))
    lengths = np.linalg.norm(of_result, axis=-1) * np.linalg.norm(of_content, axis=-1)
    cosines = np.sum(of_result * of_content, axis=-1)[lengths > 1e-3] / lengths[lengths > 1e-3]
    assert cosines.min() > 0.99


def test_a_texture_from_the_style_alone(style):
    settings = {name: value for name, value in TINY.items() if name != "size"}
    result = stylize(None, style, **{**settings, "steps": 20}, size="40x24")
    assert result.image.shape == (24, 40, 3) and result.content is None
    assert set(result.history[0].parts) == {"style", "variation"}
    assert result.history[-1].parts["style"] < result.history[0].parts["style"]


def covering(choices):
    """Combinations in which each pair of choices of two controls occurs, a few at a time."""
    names = list(choices)
    left = {((a, i), (b, j)) for a, b in itertools.combinations(names, 2)
            for i in range(len(choices[a])) for j in range(len(choices[b]))}
    while left:
        best = max(
            itertools.product(*[range(len(choices[name])) for name in names]),
            key=lambda row: sum(
                pair in left for pair in itertools.combinations(zip(names, row, strict=True), 2)
            ),
        )
        left -= set(itertools.combinations(zip(names, best, strict=True), 2))
        yield {name: choices[name][index] for name, index in zip(names, best, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("chosen", covering(CHOICES), ids=lambda chosen: "-".join(
    str(value) for value in chosen.values()
))
def test_controls_go_together_or_say_why_not(chosen, content, style):
    settings = {**TINY, "size": 64, **chosen}
    mask = np.full((*content.shape[:2], 3), 0.5, np.float32)
    masks = {"content_masks": [mask]} if settings.pop("masks") else {}
    masks |= {"protect": mask} if settings.pop("protect") else {}
    whole = {"sliced_wasserstein", "histogram", "neighbors", "phase_match"}
    if settings["block_size"] and settings["style_loss"] in whole:
        with pytest.raises(InputError, match="cannot be computed block by block"):
            stylize(content, style, **settings, **masks)
        return
    result = stylize(content, style, **settings, **masks)
    assert np.isfinite(result.image).all() and len(result.history) == 6
    assert np.abs(result.image - result.content).max() > 1e-3


@pytest.mark.parametrize("preset", presets())
def test_every_preset_runs(preset, content, style):
    line = parse(COMMAND, [f"--preset={preset}"])
    first = Path(line.flagfiles[-1]).read_text(encoding="utf-8")
    assert first.startswith("#"), "a line on what it is"
    settings = line.options(Settings)
    result = stylize(content, style, settings, size=32, weights="random", steps=2,
                     scales=1)
    assert result.image.shape == (24, 32, 3) and np.isfinite(result.image).all()


@pytest.mark.parametrize("loss", ["moments", "sliced_wasserstein"])
def test_a_style_without_a_share_is_not_there(loss, content, style):
    """As on the command line: `--style_blend=1,0`."""
    alone = tiny(style_loss=loss).stylize(content, style).image
    both = tiny(style_loss=loss, style_blend="1,0").stylize(content, [style, content[::-1]]).image
    np.testing.assert_allclose(both, alone, atol=1e-5)
    other = tiny(style_loss=loss, style_blend="0,1").stylize(content, [content[::-1], style]).image
    np.testing.assert_allclose(other, alone, atol=1e-5)


def test_each_style_has_a_scale_of_its_own(content, style):
    def image(scale, styles):
        return tiny(style_scale=scale).stylize(content, styles).image

    both = [style, content[::-1]]
    assert np.abs(image("1,0.5", both) - image(1.0, both)).max() > 1e-4
    # The same picture at two scales is two styles.
    assert np.abs(image("1,0.5", [style, style]) - image("1", [style, style])).max() > 1e-4
    np.testing.assert_array_equal(image("0.5,0.5", both), image(0.5, both))
