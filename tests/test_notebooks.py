"""The notebooks run from top to bottom, offline, at small sizes, and are committed with their outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

SIZES = {"01_quickstart": 64, "04_chinese_painting": 64}  # others have InceptionV3, which needs more
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert "01_quickstart" in {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    parameters.source = f"SIZE, STEPS = {SIZES.get(path.stem, 116)}, 2"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_with_its_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output.data["image/jpeg"] for output in outputs if "image/jpeg" in output.get("data", {})]
    assert len(pictures) >= 5
    assert all(len(picture) * 3 / 4 < 300_000 for picture in pictures)
    assert not any(output.output_type == "error" for output in outputs)
