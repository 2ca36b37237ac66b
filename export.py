"""Export trained weights: `python export.py --target tflite`. See README.md."""

import argparse
from pathlib import Path

from blazepose.cli import say_errors
from blazepose.evaluation.engines import weights_name
from blazepose.export.contract import PRECISIONS
from blazepose.export.landmark import TARGETS, export_landmark_net
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.runs import chosen_weights
from blazepose.training.stages import describe_learned


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Export trained weights to a file that phones, desktops and browsers run."
    )
    parser.add_argument("--target", required=True, choices=[*TARGETS, "task"], help="kind of file")
    parser.add_argument("--weights", type=Path, help="checkpoint; default: best of the newest landmark run")
    parser.add_argument("--precision", default="fp32", choices=PRECISIONS, help="of the stored weights")
    parser.add_argument("--out", type=Path, help="file to write; default: in the run's folder")
    parser.add_argument("--pictures", type=Path, help="folder of pictures to verify the file on")
    parser.add_argument("--detector", type=Path, help="detector of a .task bundle")
    return parser.parse_args()


@say_errors
def main() -> None:
    """Find the weights, convert, verify, write."""
    args = arguments()
    if args.target == "task" or args.detector:
        raise ValueError("--target task and --detector are not there yet; export --target tflite or onnx")
    weights = chosen_weights(args.weights, "--weights ")
    if weights.suffix != ".ckpt":
        raise ValueError(
            f"--weights {weights}: exporting Google's files is not there yet; give a .ckpt of ours, or the "
            "folder of a run"
        )
    suffix = TARGETS[args.target][0]
    folder = weights.parent.parent if weights.parent.name == "checkpoints" else weights.parent
    out = (args.out or folder / f"{weights_name(weights)}_{args.precision}{suffix}").expanduser()
    if out.suffix != suffix:
        raise ValueError(f"--out {out}: a file of --target {args.target} ends in {suffix}")
    print(describe_learned(read_checkpoint(weights).about["trained"]))
    found = export_landmark_net(weights, args.target, args.precision, out, args.pictures)
    print(
        f"{out}: {out.stat().st_size / 1e6:.2f} MB, verified against torch: landmarks within "
        f"{found.landmarks_px:.1g} px, probabilities {found.probability:.1g}, world {found.world_mm:.1g} mm"
    )


if __name__ == "__main__":
    main()
