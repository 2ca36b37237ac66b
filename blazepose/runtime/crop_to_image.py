"""Outputs of the landmark network from the coordinates of its crop to those of the image."""

import math

import cv2
import numpy as np

from blazepose.geometry import Roi, roi_to_image, roi_to_image_matrix
from blazepose.runtime.decode import sigmoid

PERSON_FROM = 0.5
"""Lowest probability of a pixel of the person."""


def landmarks_to_image(landmarks_roi: np.ndarray, roi: Roi) -> np.ndarray:
    """Project landmarks (points, 5) of one crop to the image: x, y and z become pixels.

    z keeps the scale of x, as in MediaPipe, whose normalized z is this one over the image width; its origin
    is the depth of the hips, negative towards the camera. Visibility and presence stay.
    """
    xy_px = roi_to_image(roi, landmarks_roi[:, :2])
    return np.concatenate([xy_px, landmarks_roi[:, 2:3] * roi.side, landmarks_roi[:, 3:]], axis=1)


def world_to_image_axes(world: np.ndarray, roi: Roi) -> np.ndarray:
    """Turn world landmarks (points, 3), meters, from the axes of a crop to those of its image."""
    cos, sin = math.cos(roi.rotation_rad), math.sin(roi.rotation_rad)
    x, y, z = world.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1)


def mask_to_image(logits: np.ndarray, roi: Roi, width: int, height: int) -> np.ndarray:
    """Warp the segmentation of a crop back: the probability that each image pixel shows the person.

    As in MediaPipe, probabilities are warped, and pixels outside the crop are background.

    Args:
        logits: (size, size), RawOutputs.segmentation of one crop.
        roi: where the crop was taken.
        width: width of the image.
        height: height of the image.

    Returns:
        float32 (height, width), 0..1.
    """
    step = 1 / len(logits)
    crop_to_image = roi_to_image_matrix(roi) * [step, step, 1]
    return cv2.warpAffine(sigmoid(logits), crop_to_image, (width, height))
