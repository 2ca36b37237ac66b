"""The posture family star."""

import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.synthetic.dataset.render_set import render_set
from blazepose.synthetic.poses.families import FAMILIES, sample_posture
from blazepose.topologies.full_body import INDEX


def test_arms_and_legs_are_spread():
    rng = np.random.default_rng(0)
    angles = [sample_posture("star", rng).angles for _ in range(50)]
    assert min(a[f"{side}_shoulder_abduction"] for a in angles for side in ("left", "right")) > 60
    assert min(a[f"{side}_hip_abduction"] for a in angles for side in ("left", "right")) > 5


@pytest.mark.slow
def test_it_is_rendered_with_its_labels(tmp_path):
    others = [f"{name}=0" for name in FAMILIES if name != "star"]
    render_set(tmp_path, num=4, val=0, size=64, workers=1, families=",".join(["star=1", *others]))
    people = read_source(f"synthetic:{tmp_path}").annotations
    assert {person.attributes["family"] for person in people} == {"star"}
    for person in people:
        world = person.landmarks_world
        assert world is not None
        hands, shoulders = (
            np.linalg.norm(world[INDEX[f"left_{name}"]] - world[INDEX[f"right_{name}"]])
            for name in ("wrist", "shoulder")
        )
        assert hands > 2 * shoulders
