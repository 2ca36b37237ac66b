"""Decoding of the landmark network's outputs to landmarks in its crop.

Source: docs/reference/mediapipe.md section 3.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from blazepose.decoding import PRIOR_CELLS, SHARPNESS, Decoding
from blazepose.exceptions import InputError
from blazepose.topology import NUM_AUXILIARY

LANDMARK_VALUES = 5
"""Values per landmark: x, y, z, visibility, presence."""

NUM_RAW_OUTPUTS, NUM_RAW_OUTPUTS_2021 = 5, 3
"""Outputs of the landmark network. Files in the form of 2021 have the first three alone."""

_KERNEL = 7
_MIN_CONFIDENCE = 0.5


class RawOutputs(NamedTuple):
    """Five outputs of the landmark network in MediaPipe's order, float32; its points are Topology.outputs.

    Attributes:
        landmarks: (batch, points * 5), points x [x, y, z in crop pixels, visibility logit, presence logit].
        pose_presence: (batch, 1), 0..1, after the sigmoid, which is part of the network.
        segmentation: (batch, side, side, 1) logits.
        heatmaps: (batch, size / 4, size / 4, points) logits; None from a network without trained ones, or if
            the landmarks are refined already.
        world: (batch, points * 3), points x [x, y, z], meters, hip-centered, along the axes of the crop; None
            from a network without.
        decoded: whether x and y of the landmarks come from the heatmaps, instead of the regression.
        refined: whether x and y of the landmarks are refined already.
    """

    landmarks: np.ndarray
    pose_presence: np.ndarray
    segmentation: np.ndarray | None
    heatmaps: np.ndarray | None
    world: np.ndarray | None
    decoded: bool = False
    refined: bool = False

    @classmethod
    def from_arrays(cls, outputs: Sequence[Any], decoded: bool = False) -> "RawOutputs":
        """Return five or three outputs of a network, None if not computed; further ones are ignored."""
        five = outputs if len(outputs) >= NUM_RAW_OUTPUTS else [*outputs[:NUM_RAW_OUTPUTS_2021], None, None]
        landmarks, pose_presence, segmentation, heatmaps, world = five[:NUM_RAW_OUTPUTS]
        return cls(landmarks, pose_presence, segmentation, heatmaps, world, decoded)


class DecodedOutputs(NamedTuple):
    """Outputs of the landmark network in the coordinates of its crop.

    Attributes:
        landmarks: (batch, points, 5) x_roi and y_roi, decoded, z_roi on their scale, visibility and presence
            in 0..1.
        regressed: (batch, points, 2) x_roi and y_roi as the network returns them.
        world: (batch, landmarks, 3) meters, hip-centered, along the axes of the crop; None from a network
            without.
        pose_presence: (batch,) 0..1.
        segmentation: (batch, side, side) logits; None from an engine that has none.
    """

    landmarks: np.ndarray
    regressed: np.ndarray
    world: np.ndarray | None
    pose_presence: np.ndarray
    segmentation: np.ndarray | None


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Compute 1 / (1 + exp(-x)) without overflow at either end."""
    return 0.5 + 0.5 * np.tanh(0.5 * logits)


def decode_outputs(
    raw: RawOutputs,
    input_size: int,
    decoding: Decoding = "mediapipe",
    previous: np.ndarray | None = None,
) -> DecodedOutputs:
    """Decode all outputs.

    Depth, visibility, presence and world landmarks are the network's, whatever the decoding of x and y.

    Args:
        raw: outputs of the network.
        input_size: side of the crop in pixels.
        decoding: how to compute x and y.
        previous: (batch, landmarks, 2) landmarks of the frame before, ROI coordinates, for
            decoding="heatmap".

    Raises:
        ValueError: if the outputs are of a file whose graph computes x and y in another way, or lack the
            heatmaps that the decoding needs.
    """
    if raw.decoded and decoding != "heatmap":
        raise InputError(f"decode={decoding} needs the regression, which these outputs do not contain")
    if not raw.decoded and raw.refined and decoding != "mediapipe":
        raise InputError(f"decode={decoding} needs the heatmaps, which MediaPipe does not return")
    if not raw.decoded and raw.heatmaps is None and decoding == "heatmap":
        raise InputError(
            "decode=heatmap needs heatmaps, which these weights do not have; choose regression, or export a "
            "network with trained ones with --decode heatmap"
        )
    landmarks = decode_landmarks(raw.landmarks, input_size)
    points = landmarks[..., :2]
    if raw.heatmaps is not None:
        decoding = "mediapipe" if raw.decoded else decoding
        points = decode_points(points, raw.heatmaps, decoding, landmarks[..., 4], previous)
    return DecodedOutputs(
        landmarks=np.concatenate([points, landmarks[..., 2:]], axis=-1),
        regressed=landmarks[..., :2],
        world=None
        if raw.world is None
        else raw.world.reshape(len(raw.world), -1, 3)[:, : landmarks.shape[1] - NUM_AUXILIARY],
        pose_presence=raw.pose_presence[:, 0],
        segmentation=None if raw.segmentation is None else raw.segmentation[..., 0],
    )


def decode_points(
    points_roi: np.ndarray,
    heatmaps: np.ndarray,
    decoding: Decoding,
    presence: np.ndarray | None = None,
    previous: np.ndarray | None = None,
) -> np.ndarray:
    """Decode x and y from the regression and the heatmaps; arguments as of decode_by_heatmap."""
    if decoding == "regression":
        return points_roi
    if decoding == "heatmap":
        points_roi = decode_by_heatmap(points_roi, heatmaps, presence, previous)
    return refine_by_heatmap(points_roi, heatmaps)


def decode_landmarks(raw_landmarks: np.ndarray, input_size: int) -> np.ndarray:
    """Decode landmarks to ROI coordinates.

    Args:
        raw_landmarks: (batch, points * 5), see RawOutputs.
        input_size: side of the crop in pixels.

    Returns:
        (batch, points, 5): x_roi, y_roi, z_roi on the scale of x, visibility and presence in 0..1.

    Examples:
        >>> import numpy as np
        >>> from blazepose.runtime.decode import decode_landmarks
        >>> raw = np.zeros((1, 39 * 5))
        >>> raw[0, :5] = 128, 64, 0, 0, 4  # the nose: crop pixels, then logits of visibility and presence
        >>> decode_landmarks(raw, input_size=256)[0, 0].round(2).tolist()
        [0.5, 0.25, 0.0, 0.5, 0.98]
    """
    landmarks = raw_landmarks.reshape(len(raw_landmarks), -1, LANDMARK_VALUES)
    return np.concatenate([landmarks[..., :3] / input_size, sigmoid(landmarks[..., 3:])], axis=-1)


def decode_by_heatmap(
    points_roi: np.ndarray,
    heatmaps: np.ndarray,
    presence: np.ndarray | None = None,
    previous: np.ndarray | None = None,
) -> np.ndarray:
    """Move each landmark to the expected cell of its heatmap: under softmax(8 logits - d² / (2 · 6²)).

    d is the distance of a cell from the regression, in cells; that from the landmark of the frame before is
    added likewise. A landmark moves by its presence of the way: the heatmap of a landmark outside the picture
    has no place for it. The same as models.heatmap_decoder, which exported graphs contain.

    Args:
        points_roi: (batch, points, 2) regression, ROI coordinates, NaN where there is none; the auxiliary
            points are returned as they are.
        heatmaps: (batch, height, width, points) logits.
        presence: (batch, points), 0..1; None if all are present.
        previous: (batch, landmarks, 2) ROI coordinates, NaN where unknown; None for a single image.

    Returns:
        (batch, points, 2), ROI coordinates.

    Examples:
        >>> import numpy as np
        >>> from blazepose.runtime.decode import decode_by_heatmap
        >>> heatmaps = np.full((1, 64, 64, 39), -10.0)
        >>> heatmaps[0, 32, 40] = 10  # row 32, column 40
        >>> decoded = decode_by_heatmap(np.full((1, 39, 2), 0.5), heatmaps)
        >>> (decoded[0, 0] * 64).tolist(), (decoded[0, 38] * 64).tolist()  # the nose; an auxiliary point
        ([40.0, 32.0], [32.0, 32.0])
    """
    size, landmarks = np.array(heatmaps.shape[2:0:-1]), slice(heatmaps.shape[3] - NUM_AUXILIARY)
    logits = SHARPNESS * heatmaps[..., landmarks].transpose(0, 3, 1, 2)
    for centers in (points_roi[:, landmarks], previous):
        if centers is not None:
            logits = logits + _log_prior(centers * size, heatmaps.shape)
    weights = np.exp(logits - logits.max(axis=(2, 3), keepdims=True))
    weights /= weights.sum(axis=(2, 3), keepdims=True)
    x = weights.sum(axis=2) @ np.arange(size[0])
    y = weights.sum(axis=3) @ np.arange(size[1])
    expected = np.stack([x, y], axis=-1) / size
    if presence is not None:
        regressed = points_roi[:, landmarks]
        expected = regressed + presence[:, landmarks, None] * (expected - regressed)
    decoded = points_roi.copy()
    decoded[:, landmarks] = expected
    return decoded


def _log_prior(centers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return (batch, points, height, width): the log of a Gaussian around centers, 0 where they are NaN.

    Args:
        centers: (batch, points, 2), cells.
        shape: shape of the heatmaps, (batch, height, width, points).
    """
    known = np.isfinite(centers).all(axis=-1, keepdims=True)
    centers = np.where(known, centers, 0)
    dx = centers[..., :1] - np.arange(shape[2])
    dy = centers[..., 1:] - np.arange(shape[1])
    scale = -0.5 / PRIOR_CELLS**2
    return scale * known[..., None] * (dy[..., :, None] ** 2 + dx[..., None, :] ** 2)


def refine_by_heatmap(points_roi: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Move each point to the center of mass of its heatmap's 7x7 window around it.

    A point stays where it is if it lies outside the map, or if no cell of the window reaches 0.5.

    Args:
        points_roi: (batch, points, 2), ROI coordinates.
        heatmaps: (batch, height, width, points) logits.

    Returns:
        (batch, points, 2), ROI coordinates.

    Examples:
        >>> import numpy as np
        >>> from blazepose.runtime.decode import refine_by_heatmap
        >>> heatmaps = np.full((1, 64, 64, 1), -20.0)
        >>> heatmaps[0, 32, 34] = 20  # row 32, column 34
        >>> refined = refine_by_heatmap(np.array([[[0.5, 0.5]]]), heatmaps)  # from column 32
        >>> (refined * 64).round(3).tolist()
        [[[34.0, 32.0]]]
    """
    size = np.array(heatmaps.shape[2:0:-1])
    cell = np.trunc(points_roi * size)
    inside = ((cell >= 0) & (cell < size)).all(axis=-1)
    cell = np.where(inside[..., None], cell, 0).astype(np.int64)
    offsets = np.arange(_KERNEL) - _KERNEL // 2
    columns, rows = cell[..., :1] + offsets, cell[..., 1:] + offsets
    probability = _window_probabilities(heatmaps, rows, columns)
    confident = inside & (probability.max(axis=(-2, -1)) >= _MIN_CONFIDENCE)
    mass = np.where(confident, probability.sum(axis=(-2, -1)), 1)
    x = (probability.sum(axis=-2) * columns).sum(axis=-1) / mass / size[0]
    y = (probability.sum(axis=-1) * rows).sum(axis=-1) / mass / size[1]
    return np.where(confident[..., None], np.stack([x, y], axis=-1), points_roi).astype(points_roi.dtype)


def _window_probabilities(heatmaps: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return (batch, points, 7, 7): the sigmoid at rows x columns, each (batch, points, 7), 0 off the map."""
    batch, height, width, points = heatmaps.shape
    logits = heatmaps[
        np.arange(batch)[:, None, None, None],
        rows.clip(0, height - 1)[..., :, None],
        columns.clip(0, width - 1)[..., None, :],
        np.arange(points)[:, None, None],
    ]
    row_inside, column_inside = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    return sigmoid(logits) * (row_inside[..., :, None] & column_inside[..., None, :])
