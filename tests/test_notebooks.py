"""The notebooks run from top to bottom, at a small size."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
SMALL = {
    "inside": "SIZE = 48",
    "library": "COUNT = 2",
    "quickstart": "SIZE = 64",
    # No test looks through anybody's camera.
    "realtime": "STEPS = 4; CAMERA = None",
    "reuse_features": "STEPS = 2",
}


def test_all_notebooks_are_tested():
    assert {file.stem for file in FOLDER.glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_notebook_is_committed_with_its_outputs(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "run top to bottom in a fresh kernel"
    outputs = [output for cell in cells for output in cell.outputs]
    assert any("image/jpeg" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_notebook_runs(name, tmp_path, monkeypatch, real_weights):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", real_weights)
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    parameters, = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    key = SMALL[name].partition(" ")[0]
    parameters.source = "\n".join(
        SMALL[name] if line.startswith(key) else line for line in parameters.source.splitlines()
    )
    assert SMALL[name] in parameters.source
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": os.fspath(tmp_path)}}
                   ).execute()
    assert (tmp_path / "result.png").stat().st_size > 1000
