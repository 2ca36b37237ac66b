"""MediaPipe's PoseLandmarker as an inference engine on given crops.

PoseLandmarker accepts no region of interest. A bundle whose detector always returns one person that fills the
image makes the whole crop the region. Source: docs/reference/mediapipe.md section 6.
"""

import os
import weakref
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from blazepose.anchors import NUM_COORDINATES, anchor_centers
from blazepose.decoding import is_decoded
from blazepose.exceptions import InputError, MissingPackageError, install_command
from blazepose.input_spec import DETECTOR_INPUT
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.decode import LANDMARK_VALUES, RawOutputs
from blazepose.runtime.engines import LandmarkEngine
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
from blazepose.tflite.convert import to_tflite
from blazepose.topology import NUM_LANDMARKS, NUM_OUTPUTS

_NEVER = -100.0
"""Logit of a probability of 0."""

_NO_POSE = -np.inf
"""Pose score of a crop without a pose: at most any `CropJob.min_presence`."""

_FRAME_MS = 33
"""Time between two video frames."""

_FACE, _HIPS = (0.5, 0.2, 0.2, 0.2), (0.5, 0.5)
_CIRCLE, _SHOULDERS, _UPPER_CIRCLE = (0.5, 0.1), (0.5, 0.4), (0.5, 0.2)
"""Box and alignment points of the person: 1.25 times the circle is the whole image."""


class StubDetector(nn.Module):
    """Pose detector that always returns the same person, with the hips in the image center."""

    def __init__(self) -> None:
        super().__init__()
        x, y, width, height = _FACE
        points = torch.tensor([(x, y), (width, height), _HIPS, _CIRCLE, _SHOULDERS, _UPPER_CIRCLE])
        anchors = anchor_centers()
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
        mediapipe = _mediapipe()
        network = LandmarkEngine(path)  # its errors are clearer than MediaPipe's
        self.input_size, self.metadata = network.input_size, network.metadata
        self._decoded = is_decoded(self.metadata)
        detector = to_tflite(StubDetector(), DETECTOR_INPUT)
        bundle = pack({DETECTOR_ENTRY: detector, LANDMARKS_ENTRY: read_tflite(path, LANDMARKS_ENTRY)})
        self._image = partial(mediapipe.Image, mediapipe.ImageFormat.SRGB)
        self._landmarker = _open(
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
        return RawOutputs(landmarks, presence, masks, None, world, self._decoded)

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


def track_video(path: Path, frames: Iterable[np.ndarray]) -> list[np.ndarray | None]:
    """Track one person through a video with a bundle's own detector and network, in VIDEO mode.

    Args:
        path: the bundle.
        frames: uint8 RGB frames of a video of about 30 frames per second.

    Returns:
        (33, 2) pixels for each frame, None where MediaPipe returns no pose.

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if it is not a bundle, or MediaPipe rejects it.
    """
    require_bundle(path)
    mediapipe = _mediapipe()
    options = mediapipe.tasks.BaseOptions(model_asset_path=str(path))
    poses: list[np.ndarray | None] = []
    video = mediapipe.tasks.vision.RunningMode.VIDEO
    with _open(path, base_options=options, running_mode=video) as landmarker:
        for number, frame in enumerate(tqdm(frames, desc=path.name, unit=" frames", disable=None)):
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame)
            detected = landmarker.detect_for_video(image, number * _FRAME_MS).pose_landmarks
            size = frame.shape[1::-1]
            poses.append(np.array([(p.x, p.y) for p in detected[0]]) * size if detected else None)
    return poses


def detect_in_images(path: Path, images: Iterable[np.ndarray]) -> list[np.ndarray | None]:
    """Detect one person in each image with a bundle's own detector and network, in IMAGE mode.

    Returns:
        (33, 2) pixels for each uint8 RGB image, None where MediaPipe returns no pose; raises as track_video.
    """
    require_bundle(path)
    mediapipe = _mediapipe()
    poses: list[np.ndarray | None] = []
    options = mediapipe.tasks.BaseOptions(model_asset_path=str(path))
    with hide_harmless_messages(), _open(path, base_options=options) as landmarker:
        for pixels in images:
            found = landmarker.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)).pose_landmarks
            size = pixels.shape[1::-1]
            poses.append(np.array([(p.x, p.y) for p in found[0]]) * size if found else None)
    return poses


def require_bundle(path: Path) -> None:
    """Check that MediaPipe can run a file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a `.task` bundle of a pose landmarker.
    """
    if path.suffix != ".task":
        raise InputError(
            f"{path} is not a .task bundle, which MediaPipe needs: blazepose export --target task writes one"
        )
    read_tflite(path, LANDMARKS_ENTRY)


def _mediapipe() -> Any:
    # MediaPipe and litert-torch may both profile the process, and then kill it by SIGPROF.
    os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")
    try:
        import mediapipe
    except ImportError as error:
        raise MissingPackageError(f"MediaPipe is not installed: {install_command('mediapipe')}") from error
    return mediapipe


def _open(path: Path, **options: Any) -> Any:
    vision = _mediapipe().tasks.vision
    try:
        with hide_harmless_messages():
            return vision.PoseLandmarker.create_from_options(vision.PoseLandmarkerOptions(**options))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"MediaPipe rejects {path}: {error}") from error


def _logit(probability: Any) -> Any:
    clipped = np.clip(np.asarray(probability, np.float64), 1e-12, 1 - 1e-12)
    return np.log(clipped / (1 - clipped)).astype(np.float32)
