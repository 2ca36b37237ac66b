"""The detector of a `.task` bundle. Source: docs/reference/mediapipe.md section 4."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blazepose.anchors import DETECTOR_ANCHORS, AnchorLayout
from blazepose.exceptions import InputError
from blazepose.export.detector_export import export_detector
from blazepose.export.tasks_form import detector_for_tasks
from blazepose.input_spec import DETECTOR_INPUT
from blazepose.models.variants import detector_variant
from blazepose.runtime.engines import DetectorEngine
from blazepose.runtime.inference_sessions import metadata_entry, tflite_metadata
from blazepose.task_bundle import DETECTOR_ENTRY, read_tflite
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    read_normalization,
    with_metadata,
)
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology
from blazepose.training.checkpoint import write_checkpoint
from blazepose.training.weights import open_detector_net, read_weights

_CROP = "crop"
"""Key of the metadata of a changed detector: the topology that it was changed for."""


def find_detector(user_path: Path | None, weights: Path, metadata: Mapping[str, Any]) -> Path:
    """Return the file whose detector goes into the bundle.

    Args:
        user_path: file named by the user, which comes first.
        weights: file of the landmark network; a bundle has its own detector.
        metadata: metadata of the weights; fine-tuned ones take the detector of the bundle in `init`.

    Raises:
        ValueError: if there is none; the message states how to name one.
    """
    init = Path(str(metadata.get("recipe", {}).get("init"))).expanduser()
    for path in filter(None, (user_path, weights, init)):
        if path == user_path or (path.suffix == ".task" and path.is_file()):
            return path
    raise InputError(
        "a .task bundle needs a detector: pass a .task or .tflite file that has one with --detector, "
        "for instance Google's pose_landmarker_full.task"
    )


def read_detector(path: Path, images: Path | None = None, topology: Topology = FULL_BODY) -> bytes:
    """Read the detector of a file, with the metadata that MediaPipe needs.

    Args:
        path: `.task` or `.tflite` file, or a checkpoint, which is exported in fp16.
        images: folder of images to verify the export on.
        topology: landmarks of the network beside it. For another crop than MediaPipe's, the detector is
            changed (export.tasks_form) and exported in fp16.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no pose detector, or its metadata state another normalization.
    """
    wanted = FULL_BODY if topology.roi == FULL_BODY.roi else topology
    crop = _crop_of(path)
    if crop not in (wanted.name, FULL_BODY.name):
        raise InputError(
            f"the detector of {path} was changed for the crop of {crop}; name another with --detector"
        )
    if crop != wanted.name:
        return _change_detector(path, images, topology)
    if path.suffix == ".ckpt":
        metadata = read_weights(path, "detector").metadata
        _require_mediapipe_anchors(path, detector_variant(metadata["model"]).anchors)
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder) / "detector.tflite"
            export_detector(path, "tflite", "fp16", exported, images)
            return exported.read_bytes()
    content = read_tflite(path, DETECTOR_ENTRY)
    try:
        engine = DetectorEngine(path, num_threads=1)  # a file of any precision, as MediaPipe takes it
    except ValueError as error:
        raise InputError(f"{path} has no detector for the bundle: {error}") from error
    _require_mediapipe_anchors(path, engine.anchors)
    expected, entry = normalization(DETECTOR_INPUT), metadata_entry(content, NORMALIZATION_KEY)
    stored = read_normalization(entry) if entry else None
    if stored is None:
        return with_metadata(content, {NORMALIZATION_KEY: normalization_metadata(expected)})
    if stored != expected:
        raise InputError(
            f"the detector of {path} has metadata with which MediaPipe normalizes images by mean "
            f"{stored.mean:g} and deviation {stored.std:g}; pose detectors need {expected.mean:g} and "
            f"{expected.std:g}"
        )
    return content


def _crop_of(path: Path) -> str:
    """Return the name of the topology whose crop a detector gives by MediaPipe's rule."""
    metadata = {} if path.suffix == ".ckpt" else tflite_metadata(read_tflite(path, DETECTOR_ENTRY))
    return metadata.get(_CROP, FULL_BODY.name)


def _change_detector(path: Path, images: Path | None, topology: Topology) -> bytes:
    """Return the detector of a file with another crop by MediaPipe's rule, exported in fp16."""
    net, metadata = open_detector_net(path)
    _require_mediapipe_anchors(path, net.variant.anchors)
    with tempfile.TemporaryDirectory() as folder:
        changed, exported = Path(folder) / "changed.ckpt", Path(folder) / "detector.tflite"
        write_checkpoint(changed, detector_for_tasks(net, topology), {**metadata, _CROP: topology.name})
        export_detector(changed, "tflite", "fp16", exported, images)
        return exported.read_bytes()


def _require_mediapipe_anchors(path: Path, anchors: AnchorLayout) -> None:
    """Refuse a detector whose anchors MediaPipe Tasks do not decode."""
    if anchors != DETECTOR_ANCHORS:
        raise InputError(
            f"{path} is a detector with {anchors.num_anchors} anchors; MediaPipe Tasks decode "
            f"{DETECTOR_ANCHORS.num_anchors}, so no .task bundle takes it. blazepose track --detector does"
        )
