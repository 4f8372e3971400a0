import copy
import json
import pickle

import pytest

from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings import InputError, Settings, settings


def test_text_and_python_values_give_equal_settings():
    assert Settings(steps="9,8,7,6") == Settings(steps=(9, 8, 7, 6))
    assert Settings(style_layers="a:2, b") == Settings(style_layers={"a": 2, "b": 1.0})
    assert Settings(style_layers=["a:2", "b"]) == Settings(style_layers="a:2,b")
    assert Settings(size="256") == Settings(size=256)


def test_settings_are_plain_data():
    given = Settings(style_layers="block1_conv1:0.25")
    assert pickle.loads(pickle.dumps(given)) == copy.deepcopy(given) == given


def test_settings_survive_json():
    for size in (300, "300x200", "original"):
        given = Settings(size=size, steps="7", style_layers="block1_conv1:0.25")
        assert Settings(**json.loads(json.dumps(given.as_dict()))) == given


@pytest.mark.parametrize(
    "values, message",
    [
        ({"size": 0}, "size: expected a whole number, at least 8. Received: 0"),
        ({"size": -5}, "size"),
        ({"size": "big"}, "size: expected a whole number. Received: 'big'"),
        ({"size": 300.5}, "size: expected a whole number"),
        ({"size": True}, "size"),
        ({"size": 10**9}, "size: expected a whole number, at most"),
        ({"style_weight": "nan"}, "style_weight: expected a number"),
        ({"style_weight": "inf"}, "style_weight: expected a number"),
        ({"style_weight": -1}, "style_weight: expected a number, at least 0"),
        ({"learning_rate": 0}, "learning_rate: expected a number, at least 1e-06"),
        ({"learning_rate": 1e39}, "learning_rate: expected a number, at most 1."),
        ({"content_weight": 1e-40}, "content_weight: expected 0, or at least 1e-06"),
        ({"max_memory": 1e300}, "max_memory: expected a number, at most 1e+06."),
        ({"style_blend": "0,0"}, "style_blend: expected a share above 0 for one of the styles"),
        ({"style_blend": "1,-1"}, "style_blend: expected a number, at least 0"),
        ({"style_scale": "1,0"}, "style_scale: expected a number above 0"),
        ({"style_scale": "1,2", "style_size": 64}, "style_size and style_scale: choose one"),
        ({"style_blend": (1, 1e300)}, "style_blend: expected a number, at most 1e+06."),
        ({"steps": "10,"}, "steps: expected a whole number"),
        ({"steps": "0"}, "steps: expected a whole number, at least 1"),
        ({"steps": "9" + ",9" * 12}, "steps: expected at most 12 numbers. Received: 13"),
        ({"steps": "1,2", "scales": 4},
         "steps: expected one number, or one for each of the 4 scales"),
        ({"scales": 0}, "scales"),
        ({"style_layers": ""}, "style_layers: expected at least one layer"),
        ({"style_layers": "a:x"}, "style_layers: expected a weight above 0 after 'a:'"),
        ({"style_layers": "a:-1"}, "style_layers: expected a weight above 0"),
        ({"style_layers": "a,a"}, "style_layers: 'a' is named twice"),
        ({"style_loss": "gramm"}, "style_loss: expected some of gram, "),
        ({"style_loss": "gram:0"}, "style_loss: expected a weight above 0 after 'gram:'"),
        ({"block_size": 16}, "block_size: expected 0, or at least 32"),
        ({"precision": "float8"}, "precision: expected one of auto"),
        ({"network": "my.keras", "weights": "random"}, "weights=random: a saved model brings"),
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


def test_every_option_has_help_and_takes_its_own_default():
    for option in Settings.options():
        assert option.help and "\n" not in option.help
        value = option.parse(option.default)
        assert option.parse(value) == value, "a parsed value is parsed already"


def test_the_style_losses_are_those_that_there_are():
    assert tuple(STYLE_LOSSES) == settings.STYLE_LOSSES


@pytest.mark.parametrize("name", ["tv_weight", "network", "init", "precision", "size", "steps",
                                  "seed", "style_blend", "offline"])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_of_thousands_of_digits(name, sign):
    """Python writes no number of so many."""
    with pytest.raises(InputError) as error:
        Settings(**{name: sign * 10**5000})
    assert str(error.value).startswith(f"{name}: ") and len(str(error.value)) < 300


@pytest.mark.parametrize("name", ["my.weights.h5", "my.tflite", "MY.ONNX"])
def test_a_file_of_another_kind_is_no_network(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=f"style_network={name}: expected a saved Keras model"):
        Settings(style_network=name)
