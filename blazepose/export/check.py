"""Checks of a file for an app: its content, whether MediaPipe loads it, and what accelerates it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.anchors import DETECTOR_ANCHORS
from blazepose.evaluation.mediapipe_runtime import detect_in_images
from blazepose.exceptions import InputError, MissingPackageError
from blazepose.runtime.engines import DetectorEngine, LandmarkEngine
from blazepose.runtime.inference_sessions import metadata_entry, tflite_metadata
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, list_networks, read_tflite
from blazepose.tflite.acceleration import Acceleration, on_cpu, on_gpu
from blazepose.tflite.contents import Contents, read_contents
from blazepose.tflite.metadata import NORMALIZATION_KEY, read_normalization
from blazepose.topologies import FULL_BODY, topology_of_outputs

DETECTOR, LANDMARKS = "pose detector", "pose landmark network"


class CheckedNetwork(NamedTuple):
    """A network of a file.

    Attributes:
        name: entry of the bundle, or the file's name.
        kind: DETECTOR, LANDMARKS or "another network".
        contents: what is in it.
        metadata: that of this project; empty for foreign files.
        normalization: the normalization of its input that MediaPipe reads, in words; None if it has none.
        cpu: how XNNPACK runs it.
        gpu: how LiteRT's GPU accelerator runs it, or why that is unknown.
    """

    name: str
    kind: str
    contents: Contents
    metadata: Mapping[str, Any]
    normalization: str | None
    cpu: Acceleration
    gpu: Acceleration | str


class CheckedFile(NamedTuple):
    """A file.

    Attributes:
        path: the file.
        networks: its networks.
        mediapipe: whether MediaPipe Tasks loads it, in words.
    """

    path: Path
    networks: list[CheckedNetwork]
    mediapipe: str


def check(path: Path) -> CheckedFile:
    """Check a `.tflite` file of any network, or a `.task` bundle of the Pose Landmarker.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind, or damaged.
    """
    if path.suffix not in (".tflite", ".task") and path.exists():
        raise InputError(f"{path}: `blazepose check` reads .tflite and .task files")
    entries = list_networks(path) if path.suffix == ".task" else [path.name]
    networks = [_check_network(path, entry) for entry in entries]
    return CheckedFile(path, networks, _load_in_mediapipe(path, networks))


def _check_network(path: Path, entry: str) -> CheckedNetwork:
    content = read_tflite(path, entry)
    try:
        contents = read_contents(content)
    except Exception as error:  # the schema's reader raises whatever damage leads to
        raise InputError(f"{path} is damaged: {entry} cannot be read ({error}); copy it again") from error
    stored = metadata_entry(content, NORMALIZATION_KEY)
    return CheckedNetwork(
        name=entry,
        kind=_kind(path, entry),
        contents=contents,
        metadata=tflite_metadata(content),
        normalization=_normalization(stored) if stored else None,
        cpu=on_cpu(content),
        gpu=on_gpu(content),
    )


def _normalization(stored: bytes) -> str | None:
    """Return the normalization in words."""
    try:
        values = read_normalization(stored)
    except InputError as error:
        return str(error)
    return f"(byte - {values.mean + 0:g}) / {values.std:g}" if values else None  # + 0: no -0


def _kind(path: Path, entry: str) -> str:
    """Return which of our networks it is, by its inputs and outputs."""
    engines = {DETECTOR_ENTRY: (DETECTOR, DetectorEngine), LANDMARKS_ENTRY: (LANDMARKS, LandmarkEngine)}
    if path.suffix == ".task":
        engines = {name: engine for name, engine in engines.items() if name == entry}
    for kind, engine in engines.values():
        try:
            engine(path, num_threads=1)
        except (ValueError, RuntimeError):
            continue
        return kind
    return "another network"


def _load_in_mediapipe(path: Path, networks: list[CheckedNetwork]) -> str:
    """Return whether MediaPipe's Pose Landmarker loads and runs the file, in words."""
    kinds = {network.kind for network in networks}
    if path.suffix == ".tflite":
        if not kinds & {DETECTOR, LANDMARKS}:
            return "no: it is not a network of the Pose Landmarker"
        if DETECTOR in kinds and (found := DetectorEngine(path).anchors) != DETECTOR_ANCHORS:
            return (
                f"no: it takes {DETECTOR_ANCHORS.num_anchors} anchors; this detector has {found.num_anchors}"
            )
        if networks[0].normalization is None:
            return "not from a bundle of your own: it has no normalization; `blazepose export` adds it"
        return "in a .task bundle: `blazepose export --target task` packs one"
    if kinds != {DETECTOR, LANDMARKS}:
        return "no: it is not a bundle of the Pose Landmarker"
    try:
        detect_in_images(path, [np.zeros((256, 256, 3), np.uint8)])
    except MissingPackageError as error:
        return f"not tried: {error}"
    except ValueError as error:
        return f"no: {error}"
    return "yes"


def report(checked: CheckedFile) -> str:
    """Return the lines for a reader."""
    size = checked.path.stat().st_size / 1e6
    lines = [f"{checked.path}: {size:.2f} MB", f"MediaPipe Tasks loads it: {checked.mediapipe}"]
    for network in checked.networks:
        lines += ["", f"{network.name}: {network.kind}", *(f"  {line}" for line in _network_lines(network))]
    return "\n".join(lines)


def _network_lines(network: CheckedNetwork) -> list[str]:
    contents, metadata = network.contents, network.metadata
    operators = ", ".join(f"{name} {count}" for name, count in contents.operators.items())
    lines = [
        f"inputs      {'; '.join(contents.inputs)}",
        f"outputs     {'; '.join(contents.outputs)}",
        f"size        {contents.size / 1e6:.2f} MB; {contents.precision}",
        f"operators   {operators}; tensors of up to {contents.rank} dimensions",
        f"metadata    {', '.join(contents.metadata) or 'none'}",
        f"input range {network.normalization or 'not stated, which MediaPipe needs'}",
    ]
    if metadata.get("task") == "detector":
        lines.append(f"blazepose   {metadata.get('model')}, {metadata.get('precision')}")
    elif metadata:
        topology = topology_of_outputs(metadata.get("topology", FULL_BODY.outputs))
        lines.append(
            f"blazepose   {metadata.get('model')}, {metadata.get('precision')}, x and y by "
            f"{metadata.get('decoding', 'regression')}; "
            f"{SupervisedOutputs.from_metadata(metadata.get('trained'), topology).describe()}"
        )
    lines.append(f"XNNPACK     {_accelerated(network.cpu)}")
    lines.append(f"GPU         {_accelerated(network.gpu)}")
    if contents.sparse:
        remedy = "; `blazepose export --target tflite` writes it without" * (network.kind == DETECTOR)
        lines.append(
            f"sparse      {contents.sparse} kernels store a part of their values, behind DENSIFY: a smaller "
            f"file, as fast on a CPU, but LiteRT's GPU accelerator does not run DENSIFY{remedy}"
        )
    return lines


def _accelerated(answer: Acceleration | str) -> str:
    if isinstance(answer, str):
        return f"unknown: {answer}"
    words = f"{'runs every operator' if answer.whole else 'runs not all'} on {answer.device}"
    if answer.left_out:
        words += f"; it leaves out {', '.join(answer.left_out)}"
    if answer.difference is not None:
        words += f"; outputs differ from the CPU's by {100 * answer.difference:.2g} % of their spread"
        words += ": WRONG" * answer.is_wrong
    return words
