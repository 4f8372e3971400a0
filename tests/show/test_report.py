import json

import numpy as np
import pytest

import tf_style
from tf_style.run.machine import peak_memory
from tf_style.show.report import report, write_report


@pytest.fixture(scope="module")
def result():
    picture = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)
    return tf_style.stylize(
        picture, picture[::-1], size=32, scales=2, steps="3,2", weights="random",
        content_layers="block1_conv2", style_layers="block1_conv1",
    )


def test_report_holds_what_the_run_did(result, tmp_path):
    before = peak_memory()
    write_report(tmp_path / "a.json", report(result, output="o.png", bits=16))
    found = json.loads((tmp_path / "a.json").read_text())
    assert tf_style.Settings(**found["settings"]) == result.settings
    assert found["steps"] == 5
    assert [(each["width"], each["steps"]) for each in found["scales"]] == [(16, 3), (32, 2)]
    assert found["scales"][-1]["loss"] == result.history[-1].loss
    assert set(found["scales"][-1]["parts"]) == {"content", "style", "variation"}
    assert (found["output"], found["bits"]) == ("o.png", 16)
    assert found["content"].startswith("array:") and set(found["digests"]) == {
        found["content"], *found["style"]
    }
    # The kernel's own count lags behind a little.
    assert 0.99 * before <= found["peak_memory_bytes"] <= 1.01 * peak_memory()
    assert tf_style.Settings(**found["given"]) == result.given != result.settings
    assert {"tf_style", "tensorflow", "keras", "numpy", "python"} <= set(found["versions"])
    assert sum(each["seconds"] for each in found["scales"]) <= found["seconds"] + 0.01


def test_a_loss_that_is_not_finite_is_null(tmp_path):
    write_report(tmp_path / "a.json", {"loss": float("nan"), "list": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"loss": None, "list": [None, 1.5]}
