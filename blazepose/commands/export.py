"""Export trained weights: `blazepose export --target tflite`. See docs/guides/exporting.md."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.evaluation.engine_registry import weights_name
from blazepose.exceptions import BlazePoseError, InputError
from blazepose.export.detector_export import export_detector
from blazepose.export.expected import NAME, write_expected
from blazepose.export.export_module import Precision
from blazepose.export.landmark_export import export_landmark_net
from blazepose.export.pck_loss import pck_loss
from blazepose.export.targets import TARGETS
from blazepose.models.variants import landmark_variant
from blazepose.runs import resolve_weights
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import topology_of_outputs
from blazepose.training.weights import detect_task


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Find the weights, convert, verify, write."""
    args = parse("export", arguments)
    if args.detector and args.target != "task":
        raise InputError(f"--detector needs --target task; a file of --target {args.target} has no detector")
    if args.target not in TARGETS:
        raise InputError(f"--target {args.target} is unknown; the formats are {', '.join(TARGETS)}")
    weights = resolve_weights(args.weights, "--weights ")
    task = detect_task(weights)
    if task == "detector" and args.target == "task":
        raise InputError(
            f"{weights} is a detector. A .task bundle needs a landmark network: --weights LANDMARKS "
            f"--detector {weights}"
        )
    precision: Precision = args.precision or ("fp16" if args.target == "task" else "fp32")
    suffix, precisions = TARGETS[args.target].suffix, TARGETS[args.target].precisions
    if precision not in precisions:
        raise InputError(f"--precision {precision}: --target {args.target} has {', '.join(precisions)}")
    # Next to the run's files, but never next to weights from elsewhere.
    folder = weights.parent.parent if weights.parent.name == "checkpoints" else Path()
    out = (args.out or folder / f"{weights_name(weights)}_{precision}{suffix}").expanduser()
    if out.suffix != suffix:
        raise InputError(f"--out {out}: the suffix for --target {args.target} is {suffix}")
    if task == "detector":
        if args.decode:
            raise InputError(f"--decode is for landmark networks, and {weights} is a detector")
        print(run_detector_export(weights, precision, out, args))
    else:
        print(run_landmark_export(weights, precision, out, args))


def run_landmark_export(weights: Path, precision: Precision, out: Path, args: argparse.Namespace) -> str:
    """Export a landmark network and return a summary."""
    detector = None if args.detector is None else resolve_weights(args.detector, "--detector ")
    metadata, (typical, worst) = export_landmark_net(
        weights, args.target, precision, out, args.pictures, detector, args.decode
    )
    topology = topology_of_outputs(metadata["topology"])
    supervised = SupervisedOutputs.from_metadata(metadata["trained"], topology)
    variant = landmark_variant(metadata["model"], metadata["wiring"])
    world = f", world {worst.world_mm:.2g} mm" if variant.full_contract else ""
    lines = [
        supervised.describe(),
        f"x and y in the graph: {metadata['decoding']} (--decode)",
        f"{out}: {_megabytes(out):.2f} MB, verified against torch: x and y {typical.mean_px:.2g} px "
        f"apart on average, landmarks within {typical.landmarks_px:.2g} px in most crops and "
        f"{worst.landmarks_px:.2g} px in all, probabilities {worst.probability:.2g}{world}",
    ]
    if precision.startswith("int8") and not args.pictures:
        try:
            lines.append(pck_loss(out, weights, metadata).describe())
        except InputError as error:
            lines.append(f"PCK was not measured: {error}")
    lines.append(_expected_landmarks(out, args.target, metadata, args.pictures))
    return "\n".join(lines)


def _expected_landmarks(out: Path, target: str, metadata: Mapping[str, Any], pictures: Path | None) -> str:
    """Write expected.json, and return what there is; the exported file is good without it."""
    try:
        picture = write_expected(out, target, metadata, pictures)
    except BlazePoseError as error:
        return f"expected.json was not written: {error}"
    if picture is None:
        return "expected.json was not written: no person was found in up to 16 pictures"
    return f"{picture.with_name(NAME)}: its landmarks on {picture.name}, for the test of an app"


def run_detector_export(weights: Path, precision: Precision, out: Path, args: argparse.Namespace) -> str:
    """Export a detector and return a summary."""
    typical, worst = export_detector(weights, args.target, precision, out, args.pictures)
    return (
        f"{out}: {_megabytes(out):.2f} MB, verified against torch: boxes and points within "
        f"{typical.boxes_px:.2g} px in most images and {worst.boxes_px:.2g} px in all, "
        f"scores {worst.probability:.2g}"
    )


def _megabytes(out: Path) -> float:
    """Return the size of a file, or of all files of a folder."""
    files = out.rglob("*") if out.is_dir() else [out]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
