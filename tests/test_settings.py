import copy
import json
import pickle

import pytest

from tf_style.settings import InputError, Settings


def test_text_and_python_values_give_equal_settings():
    assert Settings(steps="9,8,7,6") == Settings(steps=(9, 8, 7, 6))
    assert Settings(style_layers="a:2, b") == Settings(style_layers={"a": 2, "b": 1.0})
    assert Settings(style_layers=["a:2", "b"]) == Settings(style_layers="a:2,b")
    assert Settings(size="256") == Settings(size=256)


def test_settings_are_plain_data():
    settings = Settings(style_layers="block1_conv1:0.25")
    assert pickle.loads(pickle.dumps(settings)) == copy.deepcopy(settings) == settings


def test_settings_survive_json():
    settings = Settings(size=300, steps="7", style_layers="block1_conv1:0.25")
    assert Settings(**json.loads(json.dumps(settings.as_dict()))) == settings


@pytest.mark.parametrize(
    "values, message",
    [
        ({"size": 0}, "--size: expected a whole number, at least 8. Received: 0"),
        ({"size": -5}, "--size"),
        ({"size": "big"}, "--size: expected a whole number. Received: 'big'"),
        ({"size": 300.5}, "--size: expected a whole number"),
        ({"size": True}, "--size"),
        ({"size": 10**9}, "--size: expected a whole number, at most"),
        ({"style_weight": "nan"}, "--style_weight: expected a number"),
        ({"style_weight": "inf"}, "--style_weight: expected a number"),
        ({"style_weight": -1}, "--style_weight: expected a number, at least 0"),
        ({"learning_rate": 0}, "--learning_rate: expected a number above 0"),
        ({"steps": "10,"}, "--steps: expected a whole number"),
        ({"steps": "0"}, "--steps: expected a whole number, at least 1"),
        ({"steps": "9" + ",9" * 12}, "--steps: expected at most 12 numbers. Received: 13"),
        ({"steps": "1,2", "scales": 4},
         "--steps: expected one number, or one for each of the 4 --scales"),
        ({"scales": 0}, "--scales"),
        ({"style_layers": ""}, "--style_layers: expected at least one layer"),
        ({"style_layers": "a:x"}, "--style_layers: expected a weight above 0 after 'a:'"),
        ({"style_layers": "a:-1"}, "--style_layers: expected a weight above 0"),
        ({"style_layers": "a,a"}, "--style_layers: 'a' is named twice"),
        ({"style_loss": "gramm"}, "--style_loss: expected some of gram, "),
        ({"style_loss": "gram:0"}, "--style_loss: expected a weight above 0 after 'gram:'"),
        ({"block_size": 16}, "--block_size: expected 0, or at least 32"),
        ({"precision": "float8"}, "--precision: expected one of auto"),
        ({"network": "my.keras", "weights": "random"}, "--weights=random: a saved model brings"),
        ({"style_weight": 0, "content_weight": 0}, "both 0"),
    ],
)
def test_bad_values_are_named(values, message):
    with pytest.raises(InputError) as error:
        Settings(**values)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_replace_names_an_unknown_setting():
    with pytest.raises(InputError, match="no setting is called 'stepps'"):
        Settings().replace(stepps=3)


@pytest.mark.parametrize(
    "steps, count, expected",
    [("7", 3, (7, 7, 7)), ((9, 8, 7, 6), 4, (9, 8, 7, 6)), ((9, 8, 7, 6), 2, (7, 6))],
)
def test_steps_of_the_last_sizes(steps, count, expected):
    assert Settings(steps=steps).steps_of(count) == expected


def test_automatic_scales():
    assert Settings(steps="9,8,7").scales_at(96) == 3
    assert Settings(steps="9,8").replace(steps="9,8,7").scales_at(96) == 3
    assert [Settings().scales_at(side) for side in (8, 96, 191, 192, 512, 1024)] == [
        1, 1, 1, 2, 3, 4
    ]
    assert Settings(scales=5).scales_at(96) == 5


@pytest.mark.parametrize("count", range(1, 13))
def test_automatic_steps_are_given_for_any_number_of_sizes(count):
    steps = Settings(scales=count).steps_of(count)
    assert len(steps) == count and list(steps) == sorted(steps, reverse=True)


def test_every_option_has_help_and_a_default_of_its_own_kind():
    for option in Settings.options():
        assert option.help and option.kind in ("int", "float", "str", "bool")
        if not option.form:
            assert option.parse(option.default) == option.default


def test_learned_features_have_settings_of_their_own():
    pretrained, learned = (
        Settings().for_weights(("a.h5", learned), ("a.h5", learned)) for learned in (False, True)
    )
    assert pretrained.content_layers != learned.content_layers
    for settings in (pretrained, learned):
        left = {name for name, value in settings.as_dict().items() if value == "auto"}
        assert not left & {"weights", "content_layers", "style_layers", "style_weight",
                           "tv_weight", "learning_rate"}
    own = Settings(style_weight=7, content_layers="block2_conv1").for_weights(
        ("a.h5", True), ("a.h5", True)
    )
    assert own.style_weight == 7 and dict(own.content_layers) == {"block2_conv1": 1.0}
