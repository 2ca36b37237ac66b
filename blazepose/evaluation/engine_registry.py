"""Inference engines for all weights: checkpoints with torch, exported files with their runtime."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.anchors import DEFAULT_MIN_SCORE, is_detector_output
from blazepose.exceptions import InputError, MissingFileError
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.engines import DetectorEngine, InferenceEngine, LandmarkEngine
from blazepose.runtime.inference_sessions import open_session
from blazepose.runtime.person_detector import PersonDetector
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.task_bundle import DETECTOR_ENTRY


class TorchEngine:
    """Landmark network in torch, on the GPU if there is one.

    Args:
        path: a `.ckpt`, or a file that can be imported (training.weights).
        num_threads: number of threads; None leaves torch's default.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or not a landmark network.
    """

    def __init__(self, path: Path, num_threads: int | None = None) -> None:
        import torch

        from blazepose.training.weights import open_landmark_net

        if num_threads:
            torch.set_num_threads(num_threads)
        self._torch = torch
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.metadata: Mapping[str, Any]
        net, self.metadata = open_landmark_net(path)
        self._net = net.to(self._device)
        self.input_size, self.topology = net.input_spec.size, net.topology
        trained = SupervisedOutputs.from_metadata(self.metadata["trained"], net.topology)
        # Heatmaps that no training has seen may be confident by chance; MediaPipe's files always have them.
        self._has_heatmaps = net.variant.full_contract or trained.has_heatmaps

    def __call__(self, images: np.ndarray) -> RawOutputs:
        # TF32 moves landmarks by tenths of a pixel, and the refinement is discontinuous.
        with self._torch.inference_mode(), self._torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            outputs = self._net.forward_all(self._torch.from_numpy(images).to(self._device).float() / 255)
        arrays = [None if output is None else output.float().cpu().numpy() for output in outputs]
        raw = RawOutputs.from_arrays(arrays)
        return raw if self._has_heatmaps else raw._replace(heatmaps=None)


class TorchDetector:
    """Person detector in torch, on the GPU if there is one.

    Args:
        path: a `.ckpt`, or a file that can be imported (training.weights).
        num_threads: number of threads; None leaves torch's default.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or not a detector.
    """

    def __init__(self, path: Path, num_threads: int | None = None) -> None:
        import torch

        from blazepose.models.detector_net import normalize_images
        from blazepose.training.weights import open_detector_net

        if num_threads:
            torch.set_num_threads(num_threads)
        self.metadata: Mapping[str, Any]
        self._torch, self._normalize_images = torch, normalize_images
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        net, self.metadata = open_detector_net(path)
        self._net = net.to(self._device)
        self.anchors = net.anchors

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute boxes and logits of uint8 RGB images, as runtime.engines.DetectorEngine."""
        with self._torch.inference_mode(), self._torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            pixels = self._torch.from_numpy(images).to(self._device)
            boxes, logits = self._net.forward_export(self._normalize_images(pixels))
            return boxes.float().cpu().numpy(), logits.float().cpu().numpy()


def _mediapipe(path: Path, num_threads: int | None) -> InferenceEngine:
    from blazepose.evaluation.mediapipe_engine import MediaPipeEngine

    if num_threads:
        raise InputError("MediaPipe chooses its own threads: omit num_threads with engine=mediapipe")
    return MediaPipeEngine(path)


ENGINES: Mapping[str, Callable[[Path, int | None], InferenceEngine]] = {
    "torch": TorchEngine,
    "litert": LandmarkEngine,
    "onnxruntime": LandmarkEngine,
    "mediapipe": _mediapipe,
}
"""Inference engines by name."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    ".ckpt": ("torch",),
    ".tflite": ("litert", "torch"),
    ".task": ("litert", "torch", "mediapipe"),
    ".onnx": ("onnxruntime",),
}
"""Engines for each file type, the default first."""


def open_weights(path: Path, engine: str | None = None, num_threads: int | None = None) -> InferenceEngine:
    """Open the inference engine for weights.

    Args:
        path: `.ckpt`, `.tflite`, `.task` or `.onnx`.
        engine: key of ENGINES; None selects the default for the suffix.
        num_threads: number of threads; None leaves the engine's default.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if no engine, or not this one, runs such a file; and as the engine raises.
    """
    return ENGINES[_engine_name(path, engine)](path, num_threads)


def _engine_name(path: Path, engine: str | None) -> str:
    """Return the key of ENGINES for a file: the one that the user names, or the default of the suffix."""
    suffix = path.suffix
    if suffix not in SUFFIXES and not path.exists():
        raise MissingFileError(f"{path} is missing; choose trained, exported or published weights")
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: no engine runs {suffix!r} files, only {', '.join(SUFFIXES)}")
    if engine not in (None, *ENGINES):
        raise InputError(f"engine={engine} is unknown; engine is one of {', '.join(ENGINES)}")
    if engine not in (None, *SUFFIXES[suffix]):
        choices = " or ".join(f"engine={name}" for name in SUFFIXES[suffix])
        raise InputError(f"engine={engine} cannot run {path}; {suffix} files need {choices}")
    return engine or SUFFIXES[suffix][0]


def holds_detector(path: Path) -> bool:
    """Return whether a file holds a pose detector and no landmark network; False if it is missing.

    Raises:
        ValueError: if the file is damaged.
    """
    if not path.is_file() or path.suffix not in SUFFIXES or path.suffix == ".task":
        return False
    if path.suffix == ".ckpt":
        from blazepose.training.weights import detect_task

        return detect_task(path) == "detector"
    return is_detector_output(open_session(path, DETECTOR_ENTRY).outputs[0])


def open_detector_engine(
    path: Path, engine: str | None = None, num_threads: int | None = None
) -> TorchDetector | DetectorEngine:
    """Open the inference engine for a detector; arguments and errors as of open_weights."""
    name = _engine_name(path, engine)
    return (TorchDetector if name == "torch" else DetectorEngine)(path, num_threads)


def open_detector(path: Path, min_score: float, num_threads: int | None = None) -> PersonDetector:
    """Open the detector of a `.ckpt`, `.task`, `.tflite` or `.onnx` file, with a score threshold.

    The threshold does not change the detections with a score from DEFAULT_MIN_SCORE on.
    """
    return PersonDetector(open_detector_engine(path, None, num_threads), min_score, DEFAULT_MIN_SCORE)


def weights_name(path: Path) -> str:
    """Return a short name: of the run for a checkpoint, of the folder for predictions, else of the file."""
    if path.name == "predictions.jsonl":
        return path.absolute().parent.name
    return path.parent.parent.name if path.parent.name == "checkpoints" else path.stem


def validation_data(path: Path, metadata: Mapping[str, Any]) -> list[str]:
    """Return the validation data of blazepose weights, as `reader:path[:split]`.

    Args:
        path: the weights, for the message.
        metadata: their metadata; empty for foreign ones.

    Raises:
        ValueError: if the weights do not state it, as foreign ones.
    """
    sources = metadata.get("data", {}).get("val", [])
    if not sources:
        raise InputError(
            f"{path} does not state its validation data; choose labelled people, as in "
            '"data.test=[lsp:data/lspet:val]"'
        )
    return [source["name"] for source in sources]
