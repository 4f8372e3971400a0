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
from tf_style.transfer.training import Lesson

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


def test_a_training_is_shown_by_what_it_makes(monkeypatch):
    shown = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(bundle)

    monkeypatch.setattr("IPython.get_ipython", object)
    monkeypatch.setattr("IPython.display.display",
                        lambda bundle, **_: shown.append(bundle) or Handle())
    show = tf_style.show_progress(seconds=60)
    for number, done in ((3, 0.5), (4, 0.6), (5, 1.0)):
        show(Lesson(number, None, done, 1.0, 0.25, {}, lambda: np.zeros((20, 30, 3))))
    assert [each["text/plain"] for each in shown[::2]] == [
        "step 3, 50%, loss 0.25", "step 5, 100%, loss 0.25"]
    assert Image.open(io.BytesIO(base64.b64decode(shown[3]["image/jpeg"]))).size == (30, 20)


def test_outside_of_a_notebook_it_says_so(monkeypatch):
    with pytest.raises(InputError, match=r"this is not a notebook.*: tf_style --animate=FILE$"):
        tf_style.show_progress()
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(InputError, match="this is not a notebook"):
        tf_style.show_progress()
