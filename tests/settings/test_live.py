import json
import re
import types

import numpy as np
import pytest

from tf_style.settings import InputError, LiveModel, Settings

LAYERS = {"content_layers": "late", "style_layers": "early"}


def model(value=1.0, name="mine"):
    """All that settings look at."""
    return types.SimpleNamespace(
        name=name, layers=[types.SimpleNamespace(name=each) for each in ("early", "late")],
        get_weights=lambda: [np.full(3, value, np.float32)],
    )


def test_a_model_in_memory_is_named_and_kept():
    mine = model()
    settings = Settings(network=mine, **LAYERS)
    assert re.fullmatch("model:mine:[0-9a-f]{12}", settings.network)
    assert settings.network.model is mine
    changed = settings.replace(size=64)
    assert changed.network.model is mine and changed.network == settings.network
    recorded = json.loads(json.dumps(settings.as_dict()))["network"]
    assert recorded == settings.network and type(settings.as_dict()["network"]) is str


def test_models_are_told_apart_by_their_weights_and_names():
    assert LiveModel.of(model()) == LiveModel.of(model())
    assert len({LiveModel.of(each) for each in (model(), model(2.0), model(name="other"))}) == 3


def test_a_recorded_name_is_no_model():
    name = str(LiveModel.of(model()))
    with pytest.raises(InputError, match="This was a model in memory, which no file has; give"):
        Settings(network=name, **LAYERS)
    with pytest.raises(InputError, match=r"name its layers with content_layers.* early, late$"):
        Settings(network=model())
