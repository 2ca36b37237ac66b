"""Fixtures for every test: the shared data, and a tiny data set made on the spot."""

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from tests.rendered_people import write_rendered
from tests.stick_figures import write_lsp

OF_WARP = [f"blazepose.synthetic.{module}" for module in ("cover", "pattern", "shade", "render")]


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
def tiny_lsp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 stick figures; 128 px pictures, so 7 of them make a sheet and one an odd batch."""
    return write_lsp(tmp_path_factory.mktemp("data") / "tiny_lsp", people=24)


@pytest.fixture(scope="session")
def tiny_rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 bright people on dark ground with every label, 4 to validate on, and a people-free picture."""
    return write_rendered(tmp_path_factory.mktemp("data") / "tiny_rendered", people=8)
