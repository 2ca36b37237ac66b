"""The notebooks run from top to bottom, on stick figures."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tiny_lsp, tmp_path, request, monkeypatch):
    for variable in ("BLAZEPOSE_DATA", "BLAZEPOSE_VAL"):
        monkeypatch.setenv(variable, f"lsp:{tiny_lsp}")
    monkeypatch.setenv("BLAZEPOSE_EPOCHS", "1")
    monkeypatch.setenv("BLAZEPOSE_WORK", str(tmp_path))
    if "BLAZEPOSE_WEIGHTS" in path.read_text():
        pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
        shutil.copy(request.getfixturevalue("lite_bundle"), tmp_path / "lite.task")
        shutil.copytree(tiny_lsp, tmp_path / "people")
        monkeypatch.setenv("BLAZEPOSE_WEIGHTS", "lite.task")
        for variable in ("BLAZEPOSE_DATA", "BLAZEPOSE_VAL"):
            monkeypatch.setenv(variable, "lsp:people")
        shutil.copy(tmp_path / "lite.task", tmp_path / "other.task")
        monkeypatch.setenv("BLAZEPOSE_OTHER", "other.task")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit notebooks without outputs"
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=3600, startup_timeout=600, resources=folder).execute()
