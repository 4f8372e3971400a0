import base64
import io
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

import tf_style
from tf_style import InputError

CELL = """
import numpy as np
import tf_style

picture = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)
tf_style.stylize(
    picture, picture[::-1], size=32, scales=2, steps="3,2", weights="random", tolerance=0,
    content_layers="block1_conv2", style_layers="block1_conv1",
    callback=tf_style.show_progress(seconds=0),
).save("a.png")
"""


@pytest.mark.slow
def test_the_picture_forms_in_one_place(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output.data for output in notebook.cells[0].outputs
             if output.output_type == "display_data"]
    assert len(shown) == 2, "each picture in place of the one before"
    assert shown[0]["text/plain"].startswith("32 x 24 (2 of 2), step 2 of 2, loss ")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown[1]["image/jpeg"]))), float)
    result = np.asarray(Image.open(tmp_path / "a.png"), float)
    assert pixels.shape == result.shape and np.abs(pixels - result).mean() < 20


def test_outside_of_a_notebook_it_says_so(monkeypatch):
    with pytest.raises(InputError, match=r"this is not a notebook.*: tf_style --animate=FILE$"):
        tf_style.show_progress()
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(InputError, match="this is not a notebook"):
        tf_style.show_progress()
