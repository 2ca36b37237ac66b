"""Made once for all tests here: the body model, a renderer, three people of every family, a small set."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder, figure_builder
from blazepose.synthetic.body.body_model import Shape
from blazepose.synthetic.dataset.starter import render_set
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.synthetic.render.renderer import Renderer
from tests.synthetic.sets import small
from tests.synthetic.stage import people


@pytest.fixture(scope="session")
def makers() -> FigureBuilder:
    return figure_builder()


@pytest.fixture(scope="session")
def average(makers: FigureBuilder) -> Shape:
    """Nobody in particular: every phenotype in the middle, so left and right are alike."""
    return Shape(25.0, dict.fromkeys(makers.model.anny.phenotype_labels, 0.5))


@pytest.fixture(scope="session")
def renderer(makers: FigureBuilder) -> Renderer:
    return Renderer(makers, "cpu")


@pytest.fixture(scope="session")
def crowd(makers: FigureBuilder) -> dict[str, list[Figure]]:
    """Three dressed people of every family, on the ground."""
    names = [name for name in FAMILIES for _ in range(3)]
    figures = people(makers, names, np.random.default_rng(4))
    return {name: figures[3 * k : 3 * k + 3] for k, name in enumerate(FAMILIES)}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 16 + 8 people, as the command makes it in one process."""
    folder = tmp_path_factory.mktemp("data") / "rendered"
    render_set(folder, num=16, val=8, workers=1)
    return folder


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people on tiny pictures, none of them for validation; copy it before you change it."""
    return small(tmp_path_factory.mktemp("sets") / "three")
