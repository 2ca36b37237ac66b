"""The files of a benchmark and the networks in them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blazepose.anchors import is_detector_output
from blazepose.benchmark.cost import Cost, onnx_cost, tflite_cost
from blazepose.exceptions import InputError, MissingFileError
from blazepose.runtime.engines import DetectorEngine, LandmarkEngine
from blazepose.runtime.inference_sessions import open_session
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite

CORE_ML = ".mlpackage"
"""Suffix of Core ML's folders; predictions need a Mac."""

LANDMARKS, DETECTOR = "landmarks", "detector"
ENTRIES: Mapping[str, str] = {LANDMARKS: LANDMARKS_ENTRY, DETECTOR: DETECTOR_ENTRY}
"""{kind of network: its entry in a bundle}."""


@dataclass(frozen=True)
class BenchmarkFile:
    """A file to benchmark.

    Attributes:
        path: the file, or the folder of Core ML.
        name: its name in the table, different from those of the other files.
        kinds: networks in it, keys of ENTRIES; empty for Core ML.
    """

    path: Path
    name: str
    kinds: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of the file, or of all files of the folder."""
        if self.path.is_dir():
            return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        return self.path.stat().st_size

    @property
    def is_bundle(self) -> bool:
        """Whether it is a `.task`, with everything that tracking needs."""
        return self.path.suffix == ".task"

    def tflite(self, kind: str) -> bytes | None:
        """Return the TFLite file of a network; None if it has another format."""
        return None if self.path.suffix == ".onnx" else read_tflite(self.path, ENTRIES[kind])

    def cost(self, kind: str) -> Cost:
        """Count parameters and multiply-adds of a network."""
        content = self.tflite(kind)
        return onnx_cost(self.path) if content is None else tflite_cost(content)

    def phone_name(self, kind: str) -> str:
        """Return the file name of a network on a phone: a bundle is taken apart there."""
        stem = re.sub(r"[^\w.-]", "_", self.name)
        return f"{stem.removesuffix('.task')}_{kind}.tflite" if self.is_bundle else stem


def open_files(paths: Sequence[Path]) -> list[BenchmarkFile]:
    """Check files, and find the networks in them.

    Raises:
        FileNotFoundError: if a file is missing.
        ImportError: if the library that runs a file is not installed.
        ValueError: if a file is named twice, is damaged, or has no network that MediaPipe's pose takes.
    """
    twice = [path for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise InputError(f"{twice[0]} is named twice; name each file once")
    names = Counter(path.name for path in paths)
    return [
        BenchmarkFile(path, path.name if names[path.name] == 1 else str(path), _kinds(path)) for path in paths
    ]


def _kinds(path: Path) -> tuple[str, ...]:
    if path.suffix == CORE_ML:
        _check_core_ml(path)
        return ()
    if path.suffix == ".task":
        kinds: tuple[str, ...] = (LANDMARKS, DETECTOR)
    else:
        first = open_session(path, DETECTOR_ENTRY, num_threads=1).outputs[0]
        kinds = (DETECTOR,) if is_detector_output(first) else (LANDMARKS,)
    for kind in kinds:
        (LandmarkEngine if kind == LANDMARKS else DetectorEngine)(path, num_threads=1)
    return kinds


def _check_core_ml(path: Path) -> None:
    if not path.exists():
        raise MissingFileError(f"{path} is missing; name an exported file")
    if not (path / "Manifest.json").is_file():
        raise InputError(f"{path} is not a Core ML package: it has no Manifest.json; export it again")
