"""What `auto` stands for."""

import numpy as np
import pytest

from tf_style.settings import AUTO, Settings, auto
from tf_style.settings.auto import FOLLOWS, Kind, for_weights
from tf_style.settings.auto import scales as scales_at
from tf_style.settings.auto import steps as steps_at


@pytest.mark.parametrize(
    "steps, count, expected",
    [("7", 3, (7, 7, 7)), ((9, 8, 7, 6), 4, (9, 8, 7, 6)), ((9, 8, 7, 6), 2, (7, 6))],
)
def test_steps_of_the_last_sizes(steps, count, expected):
    assert steps_at(Settings(steps=steps), count) == expected


def test_automatic_scales():
    assert scales_at(Settings(steps="9,8,7"), 96) == 3
    assert scales_at(Settings(steps="9,8").replace(steps="9,8,7"), 96) == 3
    assert [scales_at(Settings(), side) for side in (8, 96, 191, 192, 512, 1024)] == [
        1, 1, 1, 2, 3, 4
    ]
    assert scales_at(Settings(scales=5), 96) == 5


@pytest.mark.parametrize("count", range(1, 13))
def test_automatic_steps_are_given_for_any_number_of_sizes(count):
    steps = steps_at(Settings(scales=count), count)
    assert len(steps) == count and list(steps) == sorted(steps, reverse=True)


def resolved(content, style=None, **values):
    content, style = ("a.h5", content), ("a.h5", content) if style is None else ("b.h5", style)
    return for_weights(Settings(**values), content, style)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_weights_has_settings_of_its_own(kind):
    settings = resolved(kind)
    left = {name for name, value in settings.as_dict().items() if value == AUTO}
    assert not left & {"weights", "content_layers", "content_loss", "style_layers", "style_weight",
                       "pooling"}
    assert {*settings.content_layers, *settings.style_layers} == {*kind.layers}
    # Our own network stands for one of these, and has its own only where it was found better.
    same = {Kind.DEEP, Kind.COMPACT}
    assert all(resolved(other).content_layers != settings.content_layers
               for other in Kind if other is not kind and {kind, other} != same)
    own = resolved(kind, style_weight=7, content_layers="block2_conv1", content_loss="squared")
    assert own.style_weight == 7 and dict(own.content_layers) == {"block2_conv1": 1.0}
    assert own.content_loss == "squared"


def test_parts_of_different_kinds_have_layers_of_different_kinds():
    mixed = resolved(Kind.DEEP, Kind.LEARNED)
    deep, learned = resolved(Kind.DEEP), resolved(Kind.LEARNED)
    assert (mixed.content_layers, mixed.content_loss) == (deep.content_layers, deep.content_loss)
    assert mixed.style_layers == learned.style_layers
    assert mixed.style_weight == learned.style_weight
    assert mixed.content_network_weights == "a.h5" and mixed.style_network_weights == "b.h5"


@pytest.mark.parametrize("kind", [Kind.DEEP, Kind.COMPACT])
@pytest.mark.parametrize("large", [0, 0.3, 1])
def test_large_forms_are_the_share_of_the_deep_layers(large, kind):
    layers = resolved(kind, large_forms=large).style_layers
    deep = [weight for name, weight in layers.items() if name[:6] in ("block4", "block5")]
    assert sum(deep) == pytest.approx(large) and sum(layers.values()) == pytest.approx(1)
    assert len(layers) == {0: 4, 1: 2}.get(large, 6)


def test_the_share_of_deep_layers_is_resolved_once():
    once = resolved(Kind.DEEP, large_forms=0.3)
    assert once.large_forms == AUTO
    assert for_weights(once, ("a.h5", Kind.DEEP), ("a.h5", Kind.DEEP)) == once


def style_weight(**values):
    return resolved(Kind.DEEP, **values).style_weight


def test_strength_moves_the_style_weight_by_decades():
    middle = style_weight()
    for strength, factor in ((0.1, 10**-1.6), (0.25, 0.1), (0.5, 1), (0.75, 10), (1, 100)):
        assert style_weight(strength=strength) / middle == pytest.approx(factor)


def test_strength_falls_to_nothing_without_a_jump():
    weights = [style_weight(strength=each) for each in np.linspace(0, 0.2, 201)]
    assert weights[0] == 0
    steps = np.diff(weights)
    assert steps.min() > 0 and steps.max() < 0.03 * weights[-1]


@pytest.mark.parametrize("style, content, expected", [
    (0, 1, 0), (0.25, 1, 0.25), (0.5, 2, 0.25), (1, 1, 1), (14, 1, 1), (3, 0, 1),
])
def test_freedom_is_the_styles_weight_over_the_contents_up_to_1(style, content, expected):
    assert auto.freedom(Settings(style_weight=style, content_weight=content)) == expected


def test_what_follows_others_are_options_that_may_be_auto():
    options = {option.name: option for option in Settings.options()}
    assert all(options[name].default == AUTO for name in FOLLOWS)
    for others in FOLLOWS.values():
        assert {*others} <= {*options, "content", "style", "content_mask"}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_compact_network_takes_more_steps_as_they_are_cheap(count):
    ours, theirs = (steps_at(Settings(network=name), count) for name in ("compact", "vgg16"))
    assert len(ours) == len(theirs) == count
    assert all(a > b for a, b in zip(ours, theirs, strict=True))
    assert steps_at(Settings(network="compact", steps=7), count) == (7,) * count
