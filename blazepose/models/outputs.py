"""Outputs of the networks."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class LandmarkOutputs(NamedTuple):
    """Outputs of the landmark network for the points of its topology (Topology.outputs).

    Attributes:
        landmarks: x, y, z in crop pixels (0..256), visibility and presence logits.
        pose_logit: presence of a person in the crop.
        heatmaps: logits; the peak of point (x, y) is at column x/4, row y/4, without a half-cell offset.
        world: x, y, z in meters, hip-centered; None from a network without a head for them.
        segmentation: mask logits of the requested images, or None.
        offsets: dx, dy of the points with a heatmap target in cells, from a cell to the point; None after
            export.
    """

    landmarks: Float[Tensor, "batch points 5"]
    pose_logit: Float[Tensor, "batch 1"]
    heatmaps: Float[Tensor, "batch points 64 64"]
    world: Float[Tensor, "batch points 3"] | None
    segmentation: Float[Tensor, "masks 1 side side"] | None
    offsets: Float[Tensor, "batch offsets 64 64"] | None


class DetectorOutputs(NamedTuple):
    """Outputs of the detector for its anchors, in the order of anchors.py.

    Attributes:
        boxes: offsets from the anchor in input pixels: center and size of the face box, then mid-hip, a point
            on the circle around the person, mid-shoulder, a point on the circle around the upper body.
        scores: logits.
    """

    boxes: Float[Tensor, "batch anchors 12"]
    scores: Float[Tensor, "batch anchors 1"]
