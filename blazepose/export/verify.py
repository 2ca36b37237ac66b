"""An exported file has to say the same as torch, on real crops, before anyone gets to see it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from blazepose.export.contract import Precision
from blazepose.models.landmark_net import LandmarkNet
from blazepose.runtime.decode import RawOutputs, decode_landmarks, sigmoid
from blazepose.runtime.engines import load_engine


class Differences(NamedTuple):
    """Largest differences between a file and torch over all crops and points.

    Attributes:
        landmarks_px: x, y and z of the regression output, crop pixels.
        probability: visibility, presence, pose presence, mask and heatmaps, after the sigmoid.
        world_mm: world landmarks.
    """

    landmarks_px: float
    probability: float
    world_mm: float


TOLERANCE: dict[Precision, Differences] = {
    "fp32": Differences(landmarks_px=0.05, probability=0.005, world_mm=1.0),
    # Half precision keeps 11 bits of each weight. Source of 0.5 px: the project's contract.
    "fp16": Differences(landmarks_px=0.5, probability=0.05, world_mm=5.0),
}


@torch.no_grad()
def differences(path: Path, net: LandmarkNet, crops: np.ndarray) -> Differences:
    """Run the file and the network over the same uint8 crops (count, size, size, 3)."""
    engine = load_engine(path)
    worst = np.zeros(3)
    for crop in crops:
        found = engine(crop[None])
        expected = RawOutputs(*(t.numpy() for t in net.contract(torch.from_numpy(crop[None]).float() / 255)))
        size = net.input_spec.size
        landmarks, own = (decode_landmarks(raw.landmarks, size) for raw in (found, expected))
        assert found.segmentation is not None
        assert expected.segmentation is not None
        maps = [
            np.abs(sigmoid(a) - sigmoid(b)).max()
            for a, b in ((found.heatmaps, expected.heatmaps), (found.segmentation, expected.segmentation))
        ]
        presence = np.abs(found.pose_presence - expected.pose_presence).max()
        probability = np.abs(landmarks[..., 3:] - own[..., 3:]).max()
        now = [
            np.abs(landmarks[..., :3] - own[..., :3]).max() * size,
            max(*maps, presence, probability),
            np.abs(found.world - expected.world).max() * 1000,
        ]
        # maximum, unlike max, hands a nan on, and a nan is no agreement.
        worst = np.maximum(worst, now)
    return Differences(*worst.tolist())


def check(found: Differences, precision: Precision) -> None:
    """Refuse differences above the tolerance.

    Raises:
        ValueError: names the worst ones.
    """
    limit = TOLERANCE[precision]
    pairs = zip(Differences._fields, found, limit, strict=True)
    if bad := [f"{name} {value:.4g} (allowed {most:g})" for name, value, most in pairs if not value <= most]:
        raise ValueError(
            f"the exported {precision} file differs from torch: {', '.join(bad)}; it was not kept"
        )
