"""The landmarks that a network predicts, and the region of the image that it sees.

The topologies themselves are in `blazepose.topologies`, a file each.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blazepose.exceptions import InputError

NUM_AUXILIARY = 6
"""Points that a network predicts behind its landmarks. The first two, `roi_center` and `roi_scale`, make the
ROI of the next frame: its center, and a point above it on the circle that encloses the person. MediaPipe does
not use the other four."""

SHOULDERS = ("left_shoulder", "right_shoulder")
HIPS = ("left_hip", "right_hip")


@dataclass(frozen=True)
class RoiRule:
    """Where the crop of a labelled person lies. The two alignment points give the same square.

    Attributes:
        center: landmarks whose middle is the center of the crop.
        upward: two groups of landmarks; the middle of the second is straight above that of the first in the
            turned crop.
        enclosed: landmarks that the circle around the center encloses, beside the top of the head; None for
            every labelled keypoint of the source.
        expansion: side of the crop over the diameter of that circle.
        detector_points: names of center and circle point among the detector's (anchors.ALIGNMENT_POINTS).
        upward_by_head: whether head and shoulders decide where the first group is not labelled.
    """

    center: tuple[str, ...]
    upward: tuple[tuple[str, ...], tuple[str, ...]]
    enclosed: tuple[str, ...] | None
    expansion: float
    detector_points: tuple[str, str]
    upward_by_head: bool = False


@dataclass(frozen=True)
class Topology:
    """The points of a landmark network.

    Attributes:
        name: as in model.topology.
        landmarks: names of the landmarks, in the order of every output; left and right are the person's.
        skeleton: lines of the drawing, as chains of names: "nose left_ear, left_shoulder left_elbow". The
            other side is added.
        roi: where the crop lies.

    Examples:
        >>> from blazepose.topologies import find_topology
        >>> upper_body = find_topology("upper_body")
        >>> upper_body.num_landmarks, upper_body.num_outputs, upper_body.index["roi_center"]
        (25, 31, 25)
        >>> upper_body.landmarks[upper_body.mirror[upper_body.index["left_wrist"]]]
        'right_wrist'
    """

    name: str
    landmarks: tuple[str, ...]
    skeleton: str
    roi: RoiRule

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the landmarks and the auxiliary points behind them."""
        first = len(self.landmarks) + 2
        others = (f"auxiliary_{k}" for k in range(first, first + NUM_AUXILIARY - 2))
        return (*self.landmarks, "roi_center", "roi_scale", *others)

    @property
    def num_landmarks(self) -> int:
        """Number of landmarks."""
        return len(self.landmarks)

    @property
    def num_outputs(self) -> int:
        """Number of landmarks and auxiliary points."""
        return len(self.landmarks) + NUM_AUXILIARY

    @property
    def roi_center(self) -> int:
        """Index of the alignment point in the center of the ROI."""
        return len(self.landmarks)

    @property
    def roi_scale(self) -> int:
        """Index of the alignment point on the circle around the person."""
        return len(self.landmarks) + 1

    @property
    def num_heatmaps(self) -> int:
        """Number of outputs with a heatmap target: landmarks and alignment points."""
        return len(self.landmarks) + 2

    @cached_property
    def torso(self) -> tuple[int, ...]:
        """Indices of left and right shoulder, left and right hip; empty if one of them is missing."""
        names = (*SHOULDERS, *HIPS)
        return tuple(self.indices(names)) if set(names) <= set(self.landmarks) else ()

    @cached_property
    def index(self) -> Mapping[str, int]:
        """{name: index} of all outputs."""
        return {name: k for k, name in enumerate(self.outputs)}

    @cached_property
    def mirror(self) -> np.ndarray:
        """Indices that swap left and right of all outputs, int64 (outputs,)."""
        mirror = mirror_index(self.outputs)
        mirror.setflags(write=False)
        return mirror

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Lines of the drawing: pairs of landmark indices."""
        chains = [[self.index[name] for name in chain.split()] for chain in self.skeleton.split(",")]
        edges = [pair for chain in chains for pair in itertools.pairwise(chain)]
        edges += [(int(self.mirror[a]), int(self.mirror[b])) for a, b in edges]
        return tuple(sorted({(min(edge), max(edge)) for edge in edges}))

    def indices(self, names: Iterable[str]) -> list[int]:
        """Return the indices of points.

        Examples:
            >>> from blazepose.topologies import FULL_BODY
            >>> FULL_BODY.indices(["left_hip", "right_hip"])
            [23, 24]
        """
        return [self.index[name] for name in names]

    def both_sides(self, names: Iterable[str]) -> list[int]:
        """Return the indices of these points and of their partners on the other side."""
        points = set(self.indices(names))
        return sorted(points | {int(self.mirror[point]) for point in points})


def mirror_name(name: str) -> str:
    """Return the name of the point on the other side; the same name for a point on the midline.

    Examples:
        >>> from blazepose.topology import mirror_name
        >>> mirror_name("left_wrist"), mirror_name("mouth_right"), mirror_name("nose")
        ('right_wrist', 'mouth_left', 'nose')
    """
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


def mirror_index(names: tuple[str, ...]) -> np.ndarray:
    """Compute the indices that swap left and right: `points[mirror_index(names)]`, int64 (len(names),).

    Raises:
        ValueError: if a left or right name has no partner.

    Examples:
        >>> from blazepose.topology import mirror_index
        >>> mirror_index(("nose", "left_wrist", "right_wrist"))
        array([0, 2, 1])
    """
    position = {name: i for i, name in enumerate(names)}
    missing = [name for name in names if mirror_name(name) not in position]
    if missing:
        raise InputError(f"no mirror partner for {', '.join(missing)} among {', '.join(names)}")
    return np.array([position[mirror_name(name)] for name in names])
