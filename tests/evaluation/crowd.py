"""Labelled people, and a network with constant outputs."""

import math
from pathlib import Path

import numpy as np

from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.runtime.decode import RawOutputs
from blazepose.topologies.full_body import FULL_BODY, INDEX

# One pose around its mid-hip, upright, in units of the distance to the farthest point (the left ankle).
POSE = {
    "left_shoulder": (0.2, -0.6),
    "right_shoulder": (-0.2, -0.6),
    "left_wrist": (0.5, -0.3),
    "left_hip": (0.1, 0.0),
    "right_hip": (-0.1, 0.0),
    "left_ankle": (0.0, 1.0),
}
NAMED = [INDEX[name] for name in POSE]


def person(image: Path, number: int, center: tuple[float, float], radius: float, turn: float) -> Annotation:
    """Return an annotation of the pose, scaled, rotated clockwise and shifted."""
    cos, sin = math.cos(turn), math.sin(turn)
    points = np.array(list(POSE.values())) @ np.array([[cos, sin], [-sin, cos]]) * radius + center
    landmarks, labelled = np.zeros((33, 2), np.float32), np.zeros(33, bool)
    landmarks[NAMED], labelled[NAMED] = points, True
    return Annotation(image, str(number), landmarks, labelled, np.full(33, UNKNOWN, np.int8))


def source_of(annotations: list[Annotation], **facts) -> Source:
    facts = {"name": "lsp:here", "reader": "lsp", "license": ""} | facts
    return Source(annotations=annotations, **facts)


class Clock:
    """A stand-in for the module `time`, advanced by assignment."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class ConstantEngine:
    """A network with constant, confident outputs and flat heatmaps.

    World landmarks (33, 3) and the mask's logits (256, 256) are along the axes of the crop.
    """

    def __init__(
        self,
        points_roi: np.ndarray,
        metadata: dict | None = None,
        world: np.ndarray | None = None,
        logits: np.ndarray | None = None,
    ) -> None:
        self.input_size = 256
        self.topology = FULL_BODY
        self.metadata = metadata or {}
        self.batches: list[int] = []
        landmarks = np.zeros((39, 5), np.float32)
        landmarks[: len(points_roi), :2] = points_roi * 256
        landmarks[:, 3:] = 9
        self.landmarks = landmarks.reshape(1, 195)
        self.world = np.zeros((1, 39, 3), np.float32)
        self.world[0, :33] = 0 if world is None else world
        self.segmentation = None if logits is None else logits[None, ..., None].astype(np.float32)

    def __call__(self, images: np.ndarray) -> RawOutputs:
        assert images.dtype == np.uint8
        assert images.shape[1:] == (256, 256, 3)
        count = len(images)
        self.batches.append(count)
        return RawOutputs(
            landmarks=np.repeat(self.landmarks, count, axis=0),
            pose_presence=np.full((count, 1), 0.9, np.float32),
            segmentation=None if self.segmentation is None else np.repeat(self.segmentation, count, axis=0),
            heatmaps=np.full((count, 64, 64, 39), -9, np.float32),
            world=np.repeat(self.world.reshape(1, 117), count, axis=0),
        )
