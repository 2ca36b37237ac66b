"""An exported file has to say the same as torch, on real crops, before anyone gets to see it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from blazepose.export.export_module import Precision
from blazepose.models.landmark_net import LandmarkNet
from blazepose.runtime.decode import RawOutputs, decode_landmarks, sigmoid
from blazepose.runtime.engines import LandmarkEngine


class Differences(NamedTuple):
    """Largest differences between a file and torch over all points of a crop.

    Attributes:
        landmarks_px: x, y and z of the regression output, crop pixels.
        probability: visibility, presence, pose presence and heatmaps, after the sigmoid.
        mask: mean over its pixels, after the sigmoid: its logits go up to a thousand, and single pixels of an
            edge jump.
        world_mm: world landmarks.
    """

    landmarks_px: float
    probability: float
    mask: float
    world_mm: float


class Verification(NamedTuple):
    """Differences over all crops.

    Attributes:
        typical: their medians.
        worst: of any crop.
    """

    typical: Differences
    worst: Differences


TOLERANCE: dict[Precision, Differences] = {
    "fp32": Differences(landmarks_px=0.05, probability=0.005, mask=0.005, world_mm=1.0),
    # Half precision keeps 11 bits of each weight. Source of 0.5 px: the project's contract.
    "fp16": Differences(landmarks_px=0.5, probability=0.05, mask=0.02, world_mm=5.0),
}


@torch.no_grad()
def differences(path: Path, net: LandmarkNet, crops: np.ndarray) -> Verification:
    """Run the file and the network over the same uint8 crops (count, size, size, 3)."""
    engine, size = LandmarkEngine(path), net.input_spec.size
    rows = []
    for crop in crops:
        found = engine(crop[None])
        expected = RawOutputs(
            *(t.numpy() for t in net.forward_export(torch.from_numpy(crop[None]).float() / 255))
        )
        landmarks, own = (decode_landmarks(raw.landmarks, size) for raw in (found, expected))
        assert found.segmentation is not None
        assert expected.segmentation is not None
        assert found.heatmaps is not None
        assert expected.heatmaps is not None
        heatmaps, mask = (
            np.abs(sigmoid(a) - sigmoid(b))
            for a, b in ((found.heatmaps, expected.heatmaps), (found.segmentation, expected.segmentation))
        )
        presence = np.abs(found.pose_presence - expected.pose_presence)
        probability = np.abs(landmarks[..., 3:] - own[..., 3:])
        rows.append(
            [
                np.abs(landmarks[..., :3] - own[..., :3]).max() * size,
                np.max([heatmaps.max(), presence.max(), probability.max()]),
                mask.mean(),
                np.abs(found.world - expected.world).max() * 1000,
            ]
        )
    # Both hand a nan on, and a nan is no agreement.
    return Verification(*(Differences(*over(rows, axis=0).tolist()) for over in (np.median, np.max)))


def check_tolerance(
    found: tuple[Any, Any], precision: Precision, tolerance: Mapping[Precision, Any] = TOLERANCE
) -> None:
    """Refuse differences above the tolerance: on any picture in fp32, on most pictures in fp16.

    Of half precision a picture that the network makes little of may suffer ten times as much; what a wrong
    conversion costs shows in all of them.

    Args:
        found: typical and worst differences, NamedTuples of numbers.
        precision: of the file.
        tolerance: the largest differences that are allowed, of each precision.

    Raises:
        ValueError: names the worst ones.
    """
    typical, worst = found
    checks = [(worst, 1)] if precision == "fp32" else [(typical, 1), (worst, 10)]
    limits = tolerance[precision]._asdict()
    bad = [
        f"{name} {value:.4g} (allowed {factor * limits[name]:g})"
        for values, factor in checks
        for name, value in values._asdict().items()
        if not value <= factor * limits[name]
    ]
    if bad:
        raise ValueError(
            f"the exported {precision} file differs from torch: {', '.join(bad)}; it was not kept"
            f"{'; --precision fp32 rounds nothing' if precision == 'fp16' else ''}"
        )
