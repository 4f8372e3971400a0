"""What a run tells."""

import dataclasses
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tf_style import stylize
from tf_style.run.result import Step, Stop


def test_a_step_survives_json():
    step = Step(1, 2, 18, 24, 3, 6, 0.5, {"style": 0.5}, 1.25, image=lambda: None)
    assert Step(**json.loads(json.dumps(step.as_dict()))) == step
    assert Step(**step.as_dict()).image is None


def test_why_a_run_stopped_is_text_and_has_words(content, style):
    result = stylize(content, style, size=16, scales=1, steps=1, weights="random",
                     content_layers="block1_conv1", style_layers="block1_conv1")
    assert result.stopped is Stop.STEPS and result.stopped == "steps" == f"{result.stopped}"
    assert json.loads(json.dumps(result.stopped)) == "steps"
    assert len({reason.message for reason in Stop}) == len(Stop) == 4


def test_a_result_is_one_line_and_in_notebooks_a_picture(content, style):
    result = stylize(content, style, size=16, scales=1, steps=1, weights="random",
                     content_layers="block1_conv1", style_layers="block1_conv1")
    assert re.fullmatch(r"Result\(16x12, 1 steps in \d+\.\d s, ended by: steps\)", repr(result))
    shown = Image.open(io.BytesIO(result._repr_png_()))
    assert shown.format == "PNG" and shown.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(shown), np.rint(result.image * 255))
    large = dataclasses.replace(result, image=np.ones((30, 3000, 3), np.float32))
    assert Image.open(io.BytesIO(large._repr_png_())).size == (1024, 10)


@pytest.mark.parametrize("room", ["result", "inputs", "scene", "schedule", "jobs", "checkpoints"])
def test_plain_data_needs_no_tensorflow(room):
    code = f"import sys, tf_style.run.{room}; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
