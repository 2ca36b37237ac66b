"""The detector's part of a `.task` bundle. Source: mediapipe.md section 4."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blazepose.export.detector_export import export_detector
from blazepose.export.tflite import with_metadata
from blazepose.export.tflite_metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    read_normalization,
)
from blazepose.models.detector_net import DetectorNet
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.runtime.inference_sessions import metadata_entry
from blazepose.task_bundle import DETECTOR_ENTRY, read_tflite


def find_detector(given: Path | None, weights: Path, about: Mapping[str, Any]) -> Path:
    """The file whose detector goes into the bundle.

    Args:
        given: by the user.
        weights: of the landmark network; a bundle brings its own detector.
        about: what they say of themselves: one that was fine-tuned takes that of the bundle it began with.

    Raises:
        ValueError: says how to name one.
    """
    began = Path(str(about.get("recipe", {}).get("init"))).expanduser()
    for path in filter(None, (given, weights, began)):
        if path == given or (path.suffix == ".task" and path.is_file()):
            return path
    raise ValueError(
        "a .task bundle holds a detector, too: name a .task or .tflite file that has one with --detector, "
        "for instance Google's pose_landmarker_full.task"
    )


def read_detector(path: Path, pictures: Path | None = None) -> bytes:
    """The detector of a file, with what MediaPipe has to know of it.

    Args:
        path: `.task`, `.tflite`, or a checkpoint of ours, which is exported in fp16.
        pictures: folder of pictures to verify the export on.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no pose detector, or MediaPipe would feed it the wrong numbers.
    """
    if path.suffix == ".ckpt":
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder) / "detector.tflite"
            export_detector(path, "tflite", "fp16", exported, pictures)
            return exported.read_bytes()
    content = read_tflite(path, DETECTOR_ENTRY)
    try:
        net = load_tflite(content)
    except ValueError as error:
        raise ValueError(f"{path} has no detector for the bundle: {error}") from error
    if not isinstance(net, DetectorNet):
        raise ValueError(f"{path} holds a landmark network where the bundle needs a detector")
    expected, entry = normalization(net.input_spec), metadata_entry(content, NORMALIZATION_KEY)
    found = read_normalization(entry) if entry else None
    if found is None:
        return with_metadata(content, {NORMALIZATION_KEY: normalization_metadata(expected)})
    if found != expected:
        raise ValueError(
            f"the detector of {path} tells MediaPipe to normalise pictures by mean {found.mean:g} and "
            f"deviation {found.std:g}; pose detectors take {expected.mean:g} and {expected.std:g}"
        )
    return content
