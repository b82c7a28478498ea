"""The notebooks run from top to bottom, offline, at small sizes, and are committed with their outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PARAMETERS = {
    "01_quickstart": {"SIZE": 64},
    "02_backbones": {"SIZE": 64, "NAMES": ["VGG19"]},
    "03_hybrid": {"SIZE": 116, "RATIOS": [1e-3, 1.0]},  # InceptionV3 needs as many pixels
    "04_chinese_painting": {"SIZE": 64, "KERNELS": ["linear:1,gaussian:1"], "RATIOS": [0.1]},
    "05_adain": {"SIZE": 64, "TRAINED": 1},
    "06_gans": {"SIZE": 64, "PICTURES": 6},
}
AWAITED = {"03_hybrid": 3}  # its second figure was wrong, was removed, and awaits a run at length
HERE = str(Path(__file__).parent)
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_no_notebook_is_missing():
    assert {path.stem for path in NOTEBOOKS} == PARAMETERS.keys()


@pytest.mark.large
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    given = {"STEPS": 2, **PARAMETERS[path.stem]}
    lines = [
        "import sys",
        f"sys.path.append({HERE!r})",
        "import graphs",
        "graphs.run_eagerly(True)",
    ]
    parameters.source = "\n".join([*lines, *(f"{name} = {value!r}" for name, value in given.items())])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_with_its_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output.data["image/jpeg"] for output in outputs if "image/jpeg" in output.get("data", {})]
    assert len(pictures) >= AWAITED.get(path.stem, 4)
    assert all(len(picture) * 3 / 4 < 300_000 for picture in pictures)
    assert not any(output.output_type == "error" for output in outputs)
