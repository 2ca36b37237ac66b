"""Landmark inference on one ROI: landmarks in image coordinates."""

from typing import NamedTuple

import numpy as np

from blazepose.decoding import Decoding
from blazepose.exceptions import InputError
from blazepose.geometry import (
    Roi,
    crop_image,
    invert_affine,
    roi_from_alignment,
    roi_to_image_matrix,
    transform_points,
)
from blazepose.runtime.crop_to_image import landmarks_to_image, mask_to_image, world_to_image_axes
from blazepose.runtime.decode import decode_outputs
from blazepose.runtime.engines import InferenceEngine
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class LandmarkResult(NamedTuple):
    """Outputs of the landmark network for one ROI.

    Attributes:
        landmarks: (landmarks, 5) x, y and z in image pixels, visibility, presence.
        alignment_px: (2, 2) center of the next ROI, and the point on the circle around the person.
        world: (landmarks, 3) meters, hip-centered, along the axes of the image; None from a network without.
        pose_presence: probability of a person in the ROI, 0..1.
        segmentation: (size, size) logits in the ROI, None from an engine that has none.
        roi: the ROI that was cropped.
        topology: the landmarks.
    """

    landmarks: np.ndarray
    alignment_px: np.ndarray
    world: np.ndarray | None
    pose_presence: float
    segmentation: np.ndarray | None
    roi: Roi
    topology: Topology = FULL_BODY

    def next_roi(self) -> Roi:
        """Return the person's ROI for the next frame."""
        return roi_from_alignment(*self.alignment_px, expansion=self.topology.roi.expansion)

    def mask(self, width: int, height: int) -> np.ndarray | None:
        """Return the probability that each image pixel shows the person, float32 (height, width), 0..1."""
        if self.segmentation is None:
            return None
        return mask_to_image(self.segmentation, self.roi, width, height)


def run_landmarker(
    engine: InferenceEngine,
    image: np.ndarray,
    roi: Roi,
    decoding: Decoding = "mediapipe",
    previous_px: np.ndarray | None = None,
) -> LandmarkResult:
    """Run the landmark network on one ROI of an image.

    Args:
        engine: runs the network.
        image: uint8 RGB (height, width, 3).
        roi: the rotated square around the person.
        decoding: how to compute x and y.
        previous_px: (landmarks, 2) landmarks of the frame before, image pixels, for decoding="heatmap".

    Raises:
        ValueError: if the network outputs NaN or infinity, or lacks what the decoding needs.
    """
    roi_to_image = roi_to_image_matrix(roi)
    raw = engine(crop_image(image, roi_to_image, engine.input_size)[None])
    previous = None
    if previous_px is not None:
        previous = transform_points(invert_affine(roi_to_image), previous_px)[None]
    decoded = decode_outputs(raw, engine.input_size, decoding, previous)
    outputs = (raw.landmarks, raw.world, raw.pose_presence, decoded.landmarks)
    if not all(np.isfinite(output).all() for output in outputs if output is not None):
        raise InputError("the landmark network outputs NaN or infinity; choose other weights")
    in_image, topology = landmarks_to_image(decoded.landmarks[0], roi), engine.topology
    return LandmarkResult(
        landmarks=in_image[: topology.num_landmarks],
        alignment_px=in_image[[topology.roi_center, topology.roi_scale], :2],
        world=None if decoded.world is None else world_to_image_axes(decoded.world[0], roi),
        pose_presence=float(decoded.pose_presence[0]),
        segmentation=None if decoded.segmentation is None else decoded.segmentation[0],
        roi=roi,
        topology=topology,
    )
