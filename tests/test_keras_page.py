"""docs/keras.md: its code runs, and what it exports gives the same maps."""

import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import tf_style

PAGE = Path(__file__).parents[1] / "docs" / "keras.md"
PICTURE = np.random.default_rng(0).random((1, 40, 56, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all code of the page has run."""
    folder = tmp_path_factory.mktemp("page")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"),
                                re.MULTILINE | re.DOTALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(code, PAGE.name, "exec"), {})
    return folder


@pytest.fixture(scope="module")
def maps():
    model = tf_style.feature_model("block1_conv2,block2_conv1", network="compact")
    return {name: np.asarray(each) for name, each in model(PICTURE).items()}


def assert_same(found, maps):
    assert {*found} == {*maps}
    for name, each in found.items():
        assert np.abs(np.asarray(each) - maps[name]).max() < 1e-5 * np.abs(maps[name]).max()


@pytest.mark.slow
def test_the_code_runs(folder):
    made = {"network.keras", "features_saved_model", "features.tflite", "features.onnx"}
    assert {path.name for path in folder.iterdir()} == made


@pytest.mark.slow
def test_a_saved_model_gives_the_same(folder, maps):
    loaded = tf.saved_model.load(str(folder / "features_saved_model"))
    assert_same(loaded.serve(PICTURE), maps)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_litert_gives_the_same(folder, maps):
    interpreter = tf.lite.Interpreter(str(folder / "features.tflite"))
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, PICTURE.shape)
    interpreter.allocate_tensors()
    assert_same(interpreter.get_signature_runner()(picture=PICTURE), maps)


@pytest.mark.slow
def test_onnx_gives_the_same(folder, maps):
    session = onnxruntime.InferenceSession(folder / "features.onnx",
                                           providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"picture": PICTURE}), strict=True))
    assert_same(found, maps)
