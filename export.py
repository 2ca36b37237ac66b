"""Export trained weights: `python export.py --target tflite`. See README.md."""

import argparse
from pathlib import Path

from blazepose.errors import friendly_errors
from blazepose.evaluation.engine_registry import weights_name
from blazepose.export.detector_export import export_detector
from blazepose.export.export_module import PRECISIONS, Precision
from blazepose.export.landmark_export import TARGETS, export_landmark_net
from blazepose.training.runs import resolve_weights
from blazepose.training.supervised_outputs import describe_supervised
from blazepose.training.weights import detect_task


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Export trained weights to a file that phones, desktops and browsers run."
    )
    parser.add_argument("--target", required=True, choices=TARGETS, help="kind of file")
    parser.add_argument(
        "--weights", help="run folder, .ckpt, .task or .tflite; default: the newest landmark run"
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of the stored weights; default: fp16 in a .task, else fp32"
    )
    parser.add_argument("--out", type=Path, help="file to write; default: in the run's folder")
    parser.add_argument("--pictures", type=Path, help="folder of pictures to verify the file on")
    parser.add_argument("--detector", help="run folder or file whose detector goes into a .task")
    return parser.parse_args()


@friendly_errors
def main() -> None:
    """Find the weights, convert, verify, write."""
    args = arguments()
    if args.detector and args.target != "task":
        raise ValueError(f"--detector is for --target task; a file of --target {args.target} holds none")
    weights = resolve_weights(args.weights, "--weights ")
    task = detect_task(weights)
    if task == "detector" and args.target == "task":
        raise ValueError(f"{weights} is a detector: --detector {weights} puts it beside a landmark network")
    precision: Precision = args.precision or ("fp16" if args.target == "task" else "fp32")
    suffix = TARGETS[args.target][0]
    # Beside the run's files, but never beside foreign weights.
    folder = weights.parent.parent if weights.parent.name == "checkpoints" else Path()
    out = (args.out or folder / f"{weights_name(weights)}_{precision}{suffix}").expanduser()
    if out.suffix != suffix:
        raise ValueError(f"--out {out}: a file of --target {args.target} ends in {suffix}")
    if task == "detector":
        print(write_detector(weights, precision, out, args))
    else:
        print(write_landmark_net(weights, precision, out, args))


def write_landmark_net(weights: Path, precision: Precision, out: Path, args: argparse.Namespace) -> str:
    """Write a landmark network, and say what it is."""
    detector = None if args.detector is None else resolve_weights(args.detector, "--detector ")
    about, (typical, worst) = export_landmark_net(
        weights, args.target, precision, out, args.pictures, detector
    )
    return (
        f"{describe_supervised(about['trained'])}\n"
        f"{out}: {out.stat().st_size / 1e6:.2f} MB, verified against torch: landmarks within "
        f"{typical.landmarks_px:.1g} px in most crops and {worst.landmarks_px:.1g} px in all, "
        f"probabilities {worst.probability:.1g}, world {worst.world_mm:.1g} mm"
    )


def write_detector(weights: Path, precision: Precision, out: Path, args: argparse.Namespace) -> str:
    """Write a detector, and say what it is."""
    typical, worst = export_detector(weights, args.target, precision, out, args.pictures)
    return (
        f"{out}: {out.stat().st_size / 1e6:.2f} MB, verified against torch: boxes and points within "
        f"{typical.boxes_px:.1g} px in most pictures and {worst.boxes_px:.1g} px in all, "
        f"scores {worst.probability:.1g}"
    )


if __name__ == "__main__":
    main()
