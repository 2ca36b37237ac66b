"""Session fixtures: figure builder, renderer, three people of every family, render_small sets."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder, figure_builder
from blazepose.synthetic.body.body_model import Shape
from blazepose.synthetic.dataset.render_set import render_set
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.synthetic.render.renderer import Renderer
from tests.synthetic.sets import render_small
from tests.synthetic.stage import sample_people


@pytest.fixture(scope="session")
def builder() -> FigureBuilder:
    return figure_builder()


@pytest.fixture(scope="session")
def average(builder: FigureBuilder) -> Shape:
    """Return the average shape: every phenotype in the middle, so left and right are alike."""
    return Shape(25.0, dict.fromkeys(builder.model.anny.phenotype_labels, 0.5))


@pytest.fixture(scope="session")
def renderer(builder: FigureBuilder) -> Renderer:
    return Renderer(builder, "cpu")


@pytest.fixture(scope="session")
def crowd(builder: FigureBuilder) -> dict[str, list[Figure]]:
    """Return three dressed people of every family, on the ground."""
    names = [name for name in FAMILIES for _ in range(3)]
    figures = sample_people(builder, names, np.random.default_rng(4))
    return {name: figures[3 * k : 3 * k + 3] for k, name in enumerate(FAMILIES)}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render a set of 16 + 8 people in one process."""
    folder = tmp_path_factory.mktemp("data") / "rendered"
    render_set(folder, num=16, val=8, workers=1)
    return folder


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render three people on tiny images, none for validation; copy the folder before changing it."""
    return render_small(tmp_path_factory.mktemp("sets") / "three")
