"""A milder fine-tuning without training again: weights between those before and those after.

    python -m blazepose.blend pose_landmarker_full.task runs/landmark/RUN --share 0.5 --out mild.ckpt

What half of the way keeps of the gain, and what it forgets, says `python -m blazepose.drift`.
"""

import argparse
from pathlib import Path

from blazepose.cli import say_errors
from blazepose.models.blend import blend
from blazepose.training.checkpoint import write_checkpoint
from blazepose.training.runs import chosen_weights
from blazepose.training.weights import open_landmark_net
from blazepose.whole_file import file_sha256


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m blazepose.blend", description=__doc__.splitlines()[0])
    parser.add_argument("before", help="run folder, .ckpt, .tflite or .task that the fine-tuning began with")
    parser.add_argument("after", help="the same, fine-tuned")
    parser.add_argument("--share", type=float, required=True, help="of the way from before (0) to after (1)")
    parser.add_argument("--out", type=Path, required=True, help=".ckpt to write; must be new")
    return parser.parse_args(arguments)


@say_errors
def main(arguments: list[str] | None = None) -> None:
    """Read both, write what is between them.

    Raises:
        FileExistsError: if there is such a file already.
        ValueError: if the share is out of range, or the two are different networks.
    """
    args = _parse(arguments)
    if not 0 < args.share < 1:
        raise ValueError(f"--share {args.share:g}: it is more than 0 (before) and less than 1 (after)")
    out = args.out.expanduser()
    if out.suffix != ".ckpt":
        raise ValueError(f"--out {out}: it becomes a checkpoint, which ends in .ckpt")
    if out.exists():
        raise FileExistsError(f"{out} exists; choose another --out, or delete it first")
    first, second = (chosen_weights(name, "") for name in (args.before, args.after))
    (before, was), (after, about) = map(open_landmark_net, (first, second))
    if before.variant != after.variant:
        raise ValueError(
            f"{first} holds {was['model']} in the {was['wiring']} wiring and {second} {about['model']} in "
            f"the {about['wiring']} wiring: there is nothing between them"
        )
    blend(before, after, args.share)
    parts = {"share": args.share, "before": file_sha256(first), "after": file_sha256(second)}
    write_checkpoint(out, after, {**about, "blend": parts})
    print(f"{out}: {100 * args.share:g} % of the way from {first} to {second}")


if __name__ == "__main__":
    main()
