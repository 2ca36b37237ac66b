"""Fixtures for every test: the shared data, and a tiny data set made on the spot."""

import csv
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from tests.rendered_people import write_rendered
from tests.stick_figures import write_lsp

# Before MediaPipe and litert-torch are loaded, in whichever order: see evaluation.mediapipe_engine.
os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")

OF_WARP = [f"blazepose.synthetic.render.{module}" for module in ("rasterize", "pattern", "shade", "renderer")]


class WithoutTypeChecks(MetaPathFinder):
    """Finds before jaxtyping's hook does: neither can Warp read its decorators, nor it Warp's structs."""

    def find_spec(self, name, path, target=None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name in OF_WARP else None


sys.meta_path.insert(0, WithoutTypeChecks())


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data and Google's weights; the test is skipped without it."""
    folder = os.environ.get("BLAZEPOSE_SHARED")
    if not folder:
        pytest.skip("BLAZEPOSE_SHARED is not set: no real data and weights to test on")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def lite_bundle(shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Google's lite as a `.task`; the shared folder has only full's."""
    from blazepose.export.google_weights import find_networks, pack_bundle

    models = shared / "models"
    networks = find_networks(models / "pose_landmark_lite.tflite") | find_networks(
        models / "pose_detection.tflite"
    )
    path = tmp_path_factory.mktemp("models") / "pose_landmarker_lite.task"
    path.write_bytes(pack_bundle(networks, "lite"))
    return path


@pytest.fixture(scope="session")
def card_rows() -> list[dict[str, str]]:
    """Rows of the fairness tables of Google's model card "BlazePose GHUM 3D": PDJ@0.2 of each group.

    Each has the attribute, the group, its share of the people (empty for regions, of 100 pictures each), and
    mean and standard deviation over pictures of lite, full and heavy, all in per cent.
    """
    with (Path(__file__).parent / "fixtures/model_card.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="session")
def tiny_lsp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 stick figures; 128 px pictures, so 7 of them make a sheet and one an odd batch."""
    return write_lsp(tmp_path_factory.mktemp("data") / "tiny_lsp", people=24)


@pytest.fixture(scope="session")
def tiny_rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 bright people on dark ground with every label, 4 to validate on, and a people-free picture."""
    return write_rendered(tmp_path_factory.mktemp("data") / "tiny_rendered", people=8)
