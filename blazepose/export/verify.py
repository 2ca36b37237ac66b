"""Comparison of an exported file with torch on real crops, before the file appears."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from blazepose.exceptions import InputError
from blazepose.export.export_module import Precision
from blazepose.models.landmark_net import LandmarkNet
from blazepose.runtime.decode import RawOutputs, decode_landmarks, sigmoid


class Differences(NamedTuple):
    """Differences between a file and torch in one crop: the largest of all points, or a mean where stated.

    Attributes:
        landmarks_px: x, y and z of the landmark output, crop pixels.
        mean_px: x and y, mean over the points.
        probability: visibility, presence, pose presence and heatmaps, after the sigmoid.
        mask: mean over the pixels, after the sigmoid: logits reach a thousand, so single pixels of an edge
            differ widely.
        world_mm: world landmarks; 0 of a network without.
    """

    landmarks_px: float
    mean_px: float
    probability: float
    mask: float
    world_mm: float


class Verification(NamedTuple):
    """Differences over all crops.

    Attributes:
        typical: medians.
        worst: maxima.
    """

    typical: Differences
    worst: Differences


LANDMARK_TOLERANCE: dict[Precision, Differences] = {
    "fp32": Differences(landmarks_px=0.05, mean_px=0.05, probability=0.005, mask=0.005, world_mm=1.0),
    # Chosen: a wrong conversion moves landmarks by tens of pixels. Measured: docs/benchmarks/deployment.md.
    "fp16": Differences(landmarks_px=2.0, mean_px=0.5, probability=0.05, mask=0.02, world_mm=10.0),
    # In 8 bits, a landmark that is seen in two places may take the other one: only the mean shows an error.
    "int8": Differences(landmarks_px=math.inf, mean_px=4.0, probability=0.5, mask=0.05, world_mm=60.0),
    "int8_static": Differences(landmarks_px=math.inf, mean_px=8.0, probability=0.7, mask=0.1, world_mm=100.0),
}


@torch.no_grad()
def differences(
    engine: Callable[[np.ndarray], RawOutputs], net: LandmarkNet, crops: np.ndarray
) -> Verification:
    """Run the engine of a file and the network on the same uint8 crops (count, size, size, 3)."""
    size, rows = net.input_spec.size, []
    for crop in crops:
        outputs = engine(crop[None])
        expected = RawOutputs.from_arrays(
            [output.numpy() for output in net.forward_export(torch.from_numpy(crop[None]).float() / 255)]
        )
        landmarks, expected_landmarks = (decode_landmarks(raw.landmarks, size) for raw in (outputs, expected))
        heatmaps, mask = (
            _differences(a, b, sigmoid)
            for a, b in ((outputs.heatmaps, expected.heatmaps), (outputs.segmentation, expected.segmentation))
        )
        presence = np.abs(outputs.pose_presence - expected.pose_presence)
        probability = np.abs(landmarks[..., 3:] - expected_landmarks[..., 3:])
        moved = np.abs(landmarks[..., :3] - expected_landmarks[..., :3]) * size
        rows.append(
            [
                moved.max(),
                moved[..., :2].max(axis=-1).mean(),
                np.max([heatmaps.max(), presence.max(), probability.max()]),
                mask.mean(),
                _differences(outputs.world, expected.world).max() * 1000,
            ]
        )
    # Median and maximum propagate NaN, which then fails the tolerance.
    return Verification(*(Differences(*over(rows, axis=0).tolist()) for over in (np.median, np.max)))


def _differences(
    one: np.ndarray | None, other: np.ndarray | None, scale: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> np.ndarray:
    """Return how far two outputs differ; 0 if neither exists."""
    if one is None and other is None:
        return np.zeros(1)
    assert one is not None
    assert other is not None
    return np.abs(scale(one) - scale(other))


def check_tolerance(
    verification: tuple[Any, Any],
    precision: Precision,
    tolerance: Mapping[Precision, Any] = LANDMARK_TOLERANCE,
    decoded: bool = False,
) -> None:
    """Reject differences above the tolerance: on any image in fp32, on most images in a lower precision.

    There an image with uncertain outputs may differ ten times as much; a wrong conversion shows in all
    images. A landmark decoded from two almost equal peaks of its heatmap may differ by their distance:
    there the landmarks of most images are checked, and the heatmaps of all.

    Args:
        verification: typical and worst differences, NamedTuples of numbers.
        precision: precision of the file.
        tolerance: largest allowed differences for each precision.
        decoded: whether the landmarks are decoded from the heatmaps.

    Raises:
        ValueError: if a difference is too large; the message lists them.
    """
    typical, worst = verification
    limits = tolerance[precision]
    checks = [(worst, limits)]
    if precision != "fp32":
        wide = limits._make(10 * limit for limit in limits)
        checks = [(typical, limits), (worst, wide._replace(landmarks_px=math.inf) if decoded else wide)]
    bad = [
        f"{name} {value:.4g} (allowed {limit:g})"
        for values, allowed in checks
        for (name, value), limit in zip(values._asdict().items(), allowed, strict=True)
        if not value <= limit
    ]
    if bad:
        raise InputError(
            f"the exported {precision} file differs from torch: {', '.join(bad)}; no file was written"
            f"{'' if precision == 'fp32' else '; --precision fp32 rounds nothing'}"
        )
