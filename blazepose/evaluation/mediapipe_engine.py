"""MediaPipe's PoseLandmarker as an inference engine on given crops.

PoseLandmarker accepts no region of interest. A bundle whose detector always returns one person that fills the
image makes the whole crop the region. Source: docs/reference/mediapipe.md section 6.
"""

import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from blazepose.anchors import DETECTOR_ANCHORS, NUM_COORDINATES
from blazepose.decoding import is_decoded
from blazepose.evaluation.mediapipe_runtime import import_mediapipe, open_landmarker, require_bundle
from blazepose.input_spec import DETECTOR_INPUT
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.decode import LANDMARK_VALUES, RawOutputs
from blazepose.runtime.engines import LandmarkEngine
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
from blazepose.tflite.convert import to_tflite
from blazepose.topologies.full_body import FULL_BODY, NUM_LANDMARKS, NUM_OUTPUTS

_NEVER = -100.0
"""Logit of a probability of 0."""

_NO_POSE = -np.inf
"""Pose score of a crop without a pose: at most any `CropJob.min_presence`."""

_FACE, _HIPS = (0.5, 0.2, 0.2, 0.2), (0.5, 0.5)
_CIRCLE, _SHOULDERS, _UPPER_CIRCLE = (0.5, 0.1), (0.5, 0.4), (0.5, 0.2)
"""Box and alignment points of the person: 1.25 times the circle is the whole image."""


class StubDetector(nn.Module):
    """Pose detector that always returns the same person, with the hips in the image center."""

    def __init__(self) -> None:
        super().__init__()
        x, y, width, height = _FACE
        points = torch.tensor([(x, y), (width, height), _HIPS, _CIRCLE, _SHOULDERS, _UPPER_CIRCLE])
        anchors = DETECTOR_ANCHORS.centers
        points[[0, 2, 3, 4, 5]] -= torch.tensor(anchors[0], dtype=torch.float32)
        boxes = torch.zeros(1, len(anchors), NUM_COORDINATES)
        boxes[:, 0] = points.flatten() * DETECTOR_INPUT.size
        scores = torch.full((1, len(anchors), 1), _NEVER)
        scores[:, 0] = -_NEVER
        self.boxes: Tensor
        self.scores: Tensor
        self.register_buffer("boxes", boxes)
        self.register_buffer("scores", scores)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        # Outputs of a TFLite file must depend on its input, and images are nowhere above 1.
        zero = F.relu(images.amax() - 2)
        return self.boxes + zero, self.scores + zero


class MediaPipeEngine:
    """A `.task` bundle in MediaPipe's PoseLandmarker, one crop after the other.

    The outputs are MediaPipe's: landmarks already refined by the heatmap, without the regression output; no
    auxiliary points (zeros) and no pose score (NaN). No crop is rejected for a low score; a person
    whose score is 0, for which MediaPipe returns no pose, counts as missed.

    Args:
        path: the bundle.

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if it is not a bundle, or MediaPipe rejects it.
    """

    def __init__(self, path: Path) -> None:
        require_bundle(path)
        mediapipe = import_mediapipe()
        network = LandmarkEngine(path)  # its errors are clearer than MediaPipe's
        self.input_size, self.metadata, self.topology = network.input_size, network.metadata, FULL_BODY
        self._decoded = is_decoded(self.metadata)
        detector = to_tflite(StubDetector(), DETECTOR_INPUT)
        bundle = pack({DETECTOR_ENTRY: detector, LANDMARKS_ENTRY: read_tflite(path, LANDMARKS_ENTRY)})
        self._image = partial(mediapipe.Image, mediapipe.ImageFormat.SRGB)
        self._landmarker = open_landmarker(
            path,
            base_options=mediapipe.tasks.BaseOptions(model_asset_buffer=bundle),
            min_pose_presence_confidence=0.0,
            output_segmentation_masks=True,
        )
        # It must be closed before Python exits.
        weakref.finalize(self, self._landmarker.close)
        with hide_harmless_messages():  # the first image causes some
            self._landmarker.detect(self._image(np.zeros((self.input_size, self.input_size, 3), np.uint8)))

    def __call__(self, images: np.ndarray) -> RawOutputs:
        outputs = zip(*map(self._run, images), strict=True)
        landmarks, presence, masks, world = (np.stack(values) for values in outputs)
        return RawOutputs(landmarks, presence, masks, None, world, self._decoded, refined=True)

    def _run(self, crop: np.ndarray) -> tuple[np.ndarray, ...]:
        """Compute landmarks, pose score, mask and world landmarks of one crop."""
        result = self._landmarker.detect(self._image(np.ascontiguousarray(crop)))
        size = self.input_size
        landmarks = np.zeros((NUM_OUTPUTS, LANDMARK_VALUES), np.float32)
        world = np.zeros((NUM_OUTPUTS, 3), np.float32)
        if not result.pose_landmarks:
            mask = np.full((size, size, 1), _NEVER, np.float32)
            return landmarks.ravel(), np.array([_NO_POSE]), mask, world.ravel()
        landmarks[:NUM_LANDMARKS] = [
            (p.x * size, p.y * size, p.z * size, _logit(p.visibility), _logit(p.presence))
            for p in result.pose_landmarks[0]
        ]
        world[:NUM_LANDMARKS] = [(p.x, p.y, p.z) for p in result.pose_world_landmarks[0]]
        mask = result.segmentation_masks[0].numpy_view().reshape(size, size, 1)
        return landmarks.ravel(), np.array([np.nan]), _logit(mask), world.ravel()


def _logit(probability: Any) -> Any:
    clipped = np.clip(np.asarray(probability, np.float64), 1e-12, 1 - 1e-12)
    return np.log(clipped / (1 - clipped)).astype(np.float32)
