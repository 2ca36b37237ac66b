"""Google's own runtime as an engine: PoseLandmarker on crops that we cut.

PoseLandmarker takes no region of interest. A bundle whose detector always finds one person, in the middle of
the picture and as large as it, makes the whole crop the region. Source: mediapipe.md section 6.
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
from blazepose.export.tflite import to_tflite
from blazepose.models.variants import DETECTOR_INPUT
from blazepose.runtime.decode import LANDMARK_VALUES, RawOutputs
from blazepose.runtime.engines import LandmarkEngine
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
from blazepose.topology import NUM_LANDMARKS, NUM_OUTPUTS

_NEVER = -100.0
"""Logit that is a probability of 0."""

_FRAME_MS = 33
"""Between two frames of a video."""

_FACE, _HIPS = (0.5, 0.2, 0.2, 0.2), (0.5, 0.5)
_CIRCLE, _SHOULDERS, _UPPER_CIRCLE = (0.5, 0.1), (0.5, 0.4), (0.5, 0.2)
"""Box and alignment points of the person: 1.25 times the circle is the whole picture."""


class StubDetector(nn.Module):
    """A pose detector that always sees the same person, with its hips in the middle of the picture."""

    def __init__(self) -> None:
        super().__init__()
        x, y, width, height = _FACE
        places = torch.tensor([(x, y), (width, height), _HIPS, _CIRCLE, _SHOULDERS, _UPPER_CIRCLE])
        anchors = anchor_centers()
        places[[0, 2, 3, 4, 5]] -= torch.tensor(anchors[0], dtype=torch.float32)
        boxes = torch.zeros(1, len(anchors), NUM_COORDINATES)
        boxes[:, 0] = places.flatten() * DETECTOR_INPUT.size
        scores = torch.full((1, len(anchors), 1), _NEVER)
        scores[:, 0] = -_NEVER
        self.boxes: Tensor
        self.scores: Tensor
        self.register_buffer("boxes", boxes)
        self.register_buffer("scores", scores)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        # Outputs of a TFLite file must depend on its input, and pictures are nowhere above 1.
        nothing = F.relu(images.amax() - 2)
        return self.boxes + nothing, self.scores + nothing


class MediaPipeEngine:
    """Runs a `.task` bundle inside MediaPipe's PoseLandmarker, one crop after the other.

    It returns what MediaPipe returns: landmarks that its heatmap has refined already, so that the regression
    alone cannot be told; no auxiliary points (zeros) and no pose score (nan). Everybody is looked at, however
    low the score.

    Args:
        path: the bundle.

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if it is no bundle, or MediaPipe refuses it.
    """

    def __init__(self, path: Path) -> None:
        require_bundle(path)
        self._path = path
        mediapipe = _mediapipe()
        network = LandmarkEngine(path)  # says what is wrong with a file in our words
        self.input_size, self.metadata = network.input_size, network.metadata
        detector = to_tflite(StubDetector(), DETECTOR_INPUT, "fp32")
        bundle = pack({DETECTOR_ENTRY: detector, LANDMARKS_ENTRY: read_tflite(path, LANDMARKS_ENTRY)})
        self._image = partial(mediapipe.Image, mediapipe.ImageFormat.SRGB)
        self._landmarker = _open(
            path,
            base_options=mediapipe.tasks.BaseOptions(model_asset_buffer=bundle),
            min_pose_presence_confidence=0.0,
            output_segmentation_masks=True,
        )
        # It must be closed before Python ends.
        weakref.finalize(self, self._landmarker.close)

    def __call__(self, images: np.ndarray) -> RawOutputs:
        looks = zip(*map(self._look, images), strict=True)
        landmarks, presence, masks, world = (np.stack(values) for values in looks)
        return RawOutputs(landmarks, presence, masks, None, world)

    def _look(self, crop: np.ndarray) -> tuple[np.ndarray, ...]:
        """Landmarks, pose score, mask and world of one crop."""
        found = self._landmarker.detect(self._image(np.ascontiguousarray(crop)))
        if not found.pose_landmarks:
            raise ValueError(
                f"{self._path}: MediaPipe returns no pose for a crop, since the pose score is 0 there; leave "
                "engine out to run the network directly"
            )
        size = self.input_size
        landmarks = np.zeros((NUM_OUTPUTS, LANDMARK_VALUES), np.float32)
        landmarks[:NUM_LANDMARKS] = [
            (p.x * size, p.y * size, p.z * size, _logit(p.visibility), _logit(p.presence))
            for p in found.pose_landmarks[0]
        ]
        world = np.zeros((NUM_OUTPUTS, 3), np.float32)
        world[:NUM_LANDMARKS] = [(p.x, p.y, p.z) for p in found.pose_world_landmarks[0]]
        mask = found.segmentation_masks[0].numpy_view().reshape(size, size, 1)
        return landmarks.ravel(), np.array([np.nan]), _logit(mask), world.ravel()


def follow(path: Path, frames: Iterable[np.ndarray]) -> list[np.ndarray | None]:
    """Landmarks of the person that a bundle's own detector finds and its network follows, in VIDEO mode.

    Args:
        path: the bundle.
        frames: of a video of about 30 frames a second, uint8 RGB.

    Returns:
        (33, 2) pixels for each frame, None where MediaPipe returns no pose.

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if it is no bundle, or MediaPipe refuses it.
    """
    require_bundle(path)
    mediapipe = _mediapipe()
    options = mediapipe.tasks.BaseOptions(model_asset_path=str(path))
    poses: list[np.ndarray | None] = []
    video = mediapipe.tasks.vision.RunningMode.VIDEO
    with _open(path, base_options=options, running_mode=video) as landmarker:
        for number, frame in enumerate(tqdm(frames, desc=path.name, unit=" frames", disable=None)):
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame)
            found = landmarker.detect_for_video(image, number * _FRAME_MS).pose_landmarks
            size = frame.shape[1::-1]
            poses.append(np.array([(p.x, p.y) for p in found[0]]) * size if found else None)
    return poses


def require_bundle(path: Path) -> None:
    """Refuse what MediaPipe cannot run.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no `.task` bundle of a pose landmarker.
    """
    if path.suffix != ".task":
        raise ValueError(
            f"MediaPipe runs .task bundles, and {path} is none: python export.py --target task makes one"
        )
    read_tflite(path, LANDMARKS_ENTRY)


def _mediapipe() -> Any:
    # MediaPipe and litert-torch profile a process now and then, and together may kill it by SIGPROF.
    os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")
    try:
        import mediapipe
    except ImportError as error:
        raise ImportError('MediaPipe is not installed: pip install -e ".[mediapipe]"') from error
    return mediapipe


def _open(path: Path, **options: Any) -> Any:
    vision = _mediapipe().tasks.vision
    try:
        return vision.PoseLandmarker.create_from_options(vision.PoseLandmarkerOptions(**options))
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"MediaPipe does not take {path}: {error}") from error


def _logit(probability: Any) -> Any:
    within = np.clip(np.asarray(probability, np.float64), 1e-12, 1 - 1e-12)
    return np.log(within / (1 - within)).astype(np.float32)
