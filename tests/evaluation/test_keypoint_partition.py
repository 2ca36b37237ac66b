"""Parts of the body and subsets, as indices of a topology."""

import pytest

from blazepose.evaluation.keypoint_partition import PARTS, SUBSETS, indices_by_name
from blazepose.topologies import topologies


@pytest.mark.parametrize("topology", topologies().values(), ids=lambda topology: topology.name)
def test_parts_are_a_partition(topology):
    parts = indices_by_name(PARTS, topology)
    assert list(parts) == list(PARTS)
    assert sorted(point for points in parts.values() for point in points) == [*range(topology.num_landmarks)]


@pytest.mark.parametrize(("name", "counts"), [("full_body", [17, 12, 25]), ("upper_body", [13, 8, 25])])
def test_subsets_have_the_landmarks_of_the_topology(name, counts):
    assert [len(points) for points in indices_by_name(SUBSETS, topologies()[name]).values()] == counts
