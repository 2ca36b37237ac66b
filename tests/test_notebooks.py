"""The notebooks run from top to bottom on stick figures; `make docs` runs them on rendered people."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tiny_lsp, tmp_path, request, monkeypatch):
    shutil.copytree(tiny_lsp, tmp_path / "people")
    for variable in ("BLAZEPOSE_DATA", "BLAZEPOSE_VAL"):
        monkeypatch.setenv(variable, "lsp:people")
    monkeypatch.setenv("BLAZEPOSE_EPOCHS", "1")
    monkeypatch.setenv("BLAZEPOSE_WORK", str(tmp_path))
    if "BLAZEPOSE_WEIGHTS" in path.read_text():
        pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
        for variable, name in (("BLAZEPOSE_WEIGHTS", "lite.task"), ("BLAZEPOSE_OTHER", "other.task")):
            shutil.copy(request.getfixturevalue("lite_bundle"), tmp_path / name)
            monkeypatch.setenv(variable, name)
        monkeypatch.setenv("BLAZEPOSE_METADATA", str(write_teams(tmp_path)))
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=3600, startup_timeout=600, resources=folder).execute()


def write_teams(folder: Path) -> Path:
    """Write a table that puts every second image into another group."""
    images = sorted((folder / "people/images").iterdir())
    lines = [f"{image.name},{('red', 'blue')[k % 2]}" for k, image in enumerate(images)]
    (folder / "teams.csv").write_text("\n".join(["image,team", *lines]))
    return folder / "teams.csv"
