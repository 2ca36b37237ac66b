"""Landmarks of an exported file on a picture, for the test of an app: expected.json beside the file."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from blazepose.atomic import atomic_path, file_sha256
from blazepose.data.image_folders import find_image_files
from blazepose.exceptions import InputError
from blazepose.export.targets import TARGETS
from blazepose.export.verification_images import (
    MIN_PRESENCE,
    crop_found,
    landmark_images,
    load_people,
    sample_evenly,
)
from blazepose.geometry import letterbox_roi
from blazepose.image import read_image, write_image
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.landmarker import run_landmarker
from blazepose.runtime.tracker import PoseTracker
from blazepose.topologies import topology_of_outputs
from blazepose.topology import Topology

NAME = "expected.json"

_TOLERANCE_CROP_PX, _TOLERANCE_GPU_CROP_PX = 1.0, 3.0
"""Largest mean distance of the landmarks on a device, in pixels of the network's input. Chosen: in MediaPipe
they are 0.01 off on a CPU, 1 to 2 with a GPU delegate, 2 and more with exchanged color channels.
Measured: docs/reference/files.md."""

_NUM_PICTURES = 16
"""Chosen: enough to find a picture with stable landmarks, within seconds."""

_NUM_DISTURBED = 3
"""Copies of a picture in which gray values change by at most one. Chosen: one may agree by chance."""

_MAX_SIDE = 640
"""Longest side of a picture in pixels. Chosen: more than the network sees, and small in an app."""

_DECIMALS = 5


class Expected(NamedTuple):
    """Landmarks of the person in a picture.

    Attributes:
        landmarks: (landmarks, 5) x, y and z in pixels of the picture, visibility, presence.
        world: (landmarks, 3) meters, hip-centered; None from a network without.
        scale: pixels of the picture for a pixel of the network's input.
        num_poses: people found, 1 or 2; the landmarks are those of the first.
    """

    landmarks: np.ndarray
    world: np.ndarray | None
    scale: float
    num_poses: int


Run = Callable[[np.ndarray], Expected | None]
"""Runs an exported file on a uint8 RGB picture; None if it finds no person."""


def write_expected(
    file: Path, target: str, metadata: Mapping[str, Any], pictures: Path | None
) -> Path | None:
    """Run an exported file of landmarks on a picture, and add both to expected.json in its folder.

    Of up to 16 pictures it takes the one whose landmarks move least if gray values change by one, of one
    person if there is one: on others, the arithmetic of a phone moves landmarks by tens of pixels.

    Args:
        file: the exported file or folder.
        target: one of TARGETS. A bundle is run on whole pictures, a network alone on crops of people.
        metadata: metadata of the weights.
        pictures: folder of pictures; None takes the data of the weights.

    Returns:
        The picture; None, and nothing is written, if no picture shows a person.

    Raises:
        FileNotFoundError: if there are no pictures.
        ValueError: if a picture is damaged, if expected.json is not one of this function, or if another
            picture has the name.
    """
    index, picture = file.with_name(NAME), file.with_name(f"{file.name}.png")
    entries = _read_entries(index)
    if picture.exists() and file.name not in entries:
        raise InputError(f"{picture} exists; move it away, and export under another name")
    size = metadata["input"]["size"]
    if target == "task":
        tracker = PoseTracker.load(file, running_mode="image", num_poses=2)
        stable = _most_stable(_whole_pictures(metadata, pictures), partial(_run_bundle, tracker, size))
    else:
        topology = topology_of_outputs(metadata["topology"])
        engine = _FileEngine(TARGETS[target].open_landmarks(file), size, topology, metadata)
        stable = _most_stable(_crops(metadata, pictures, engine), partial(_run_network, engine))
    if stable is None:
        return None
    image, expected = stable
    world = None if expected.world is None else expected.world.astype(float).round(_DECIMALS).tolist()
    entries[file.name] = {
        "sha256": None if file.is_dir() else file_sha256(file),
        "picture": picture.name,
        "width": image.shape[1],
        "height": image.shape[0],
        "tolerance_px": round(_TOLERANCE_CROP_PX * expected.scale, 2),
        "tolerance_gpu_px": round(_TOLERANCE_GPU_CROP_PX * expected.scale, 2),
        "landmarks": expected.landmarks.astype(float).round(_DECIMALS).tolist(),
        "landmarks_world": world,
    }
    write_image(picture, image)
    with atomic_path(index) as part:
        part.write_text(json.dumps({"files": entries}), encoding="utf-8")
    return picture


def _read_entries(index: Path) -> dict[str, Any]:
    if not index.exists():
        return {}
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, TypeError, LookupError):
        entries = None
    if not isinstance(entries, dict):
        raise InputError(
            f"{index} is damaged or of another program; move it away, and export under another name"
        )
    return entries


def _whole_pictures(metadata: Mapping[str, Any], pictures: Path | None) -> Iterator[np.ndarray]:
    if pictures:
        paths = find_image_files([str(pictures)], "--pictures")
    else:
        paths = list(dict.fromkeys(person.image for person in load_people(metadata, "fp32")[0]))
    for path in sample_evenly(paths, _NUM_PICTURES):
        image = read_image(path)
        scale = min(1, _MAX_SIDE / max(image.shape[:2]))
        yield cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _crops(metadata: Mapping[str, Any], pictures: Path | None, engine: "_FileEngine") -> Iterator[np.ndarray]:
    if pictures:
        for image in _whole_pictures(metadata, pictures):
            crop = crop_found(image, engine)
            if crop is not None:
                yield crop
    else:
        crops = landmark_images(metadata, "fp32", None, lambda: engine).test
        yield from sample_evenly(list(crops), _NUM_PICTURES)


@dataclass
class _FileEngine:
    """The network of an exported file, whose x and y are refined as MediaPipe does, decoded by it or not."""

    run: Callable[[np.ndarray], RawOutputs]
    input_size: int
    topology: Topology
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> RawOutputs:
        return self.run(images)._replace(decoded=False)


def _run_bundle(tracker: PoseTracker, size: int, image: np.ndarray) -> Expected | None:
    poses = tracker(image)
    if not poses:
        return None
    return Expected(poses[0].landmarks, poses[0].world, poses[0].roi.side / size, len(poses))


def _run_network(engine: _FileEngine, crop: np.ndarray) -> Expected | None:
    result = run_landmarker(engine, crop, letterbox_roi(*crop.shape[1::-1]))
    if result.pose_presence < MIN_PRESENCE:
        return None
    return Expected(result.landmarks, result.world, 1, 1)


def _most_stable(images: Iterator[np.ndarray], run: Run) -> tuple[np.ndarray, Expected] | None:
    """Return the picture whose landmarks move least, of one person if possible, and its landmarks."""
    found = [(image, expected) for image in images if (expected := run(image)) is not None]
    return min(found, default=None, key=lambda pair: (pair[1].num_poses, _mean_move(pair[0], pair[1], run)))


def _mean_move(image: np.ndarray, expected: Expected, run: Run) -> float:
    """Return how far landmarks move if gray values change by one, in pixels of the network's input."""
    rng, moves_px = np.random.default_rng(0), []
    for _ in range(_NUM_DISTURBED):
        other = run(np.clip(image + rng.integers(-1, 2, image.shape), 0, 255).astype(np.uint8))
        if other is None:
            return np.inf
        moves_px.append(np.linalg.norm((other.landmarks - expected.landmarks)[:, :2], axis=1).mean())
    return float(max(moves_px)) / expected.scale
