"""A milder fine-tuning without training again: weights between those before and those after.

    python -m blazepose.blend pose_landmarker_full.task runs/landmark/RUN --share 0.5 --out mild.ckpt

What half of the way keeps of the gain, and what it forgets, says `python -m blazepose.drift`, and of a
detector's run `python -m blazepose.detection`.
"""

import argparse
from pathlib import Path
from typing import Any

from blazepose.atomic import file_sha256
from blazepose.errors import friendly_errors
from blazepose.models.interpolation import interpolate
from blazepose.training.checkpoint import write_checkpoint
from blazepose.training.runs import resolve_named_weights
from blazepose.training.weights import IMPORTED, detect_task, open_detector_net, open_landmark_net


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m blazepose.blend", description=__doc__.splitlines()[0])
    parser.add_argument("before", help="what the fine-tuning began with: its init=")
    parser.add_argument("after", help="run folder or .ckpt of the fine-tuning")
    parser.add_argument("--share", type=float, required=True, help="of the way from before (0) to after (1)")
    parser.add_argument("--out", type=Path, required=True, help=".ckpt to write; must be new")
    return parser.parse_args(arguments)


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Read both, write what is between them.

    Raises:
        FileNotFoundError: if one of them is missing, or the folder to write to.
        FileExistsError: if there is such a file already.
        ValueError: if the share is out of range, or the second did not begin with the first.
    """
    args = _parse(arguments)
    if not 0 < args.share < 1:
        raise ValueError(f"--share {args.share:g}: it is more than 0 (before) and less than 1 (after)")
    out = _new_checkpoint(args.out.expanduser())
    first, second = (resolve_named_weights(name) for name in (args.before, args.after))
    if second.suffix in IMPORTED:
        raise ValueError(f"{second}: name the run or the .ckpt that it was exported from")
    networks: Any = open_detector_net if detect_task(second) == "detector" else open_landmark_net
    (before, _), (after, about) = map(networks, (first, second))
    parts = {"share": args.share, "before": file_sha256(first), "after": file_sha256(second)}
    # Only a network and what became of it have their weights on one line.
    if (about["init"] or {}).get("sha256") != parts["before"]:
        began = about["recipe"].get("init")
        raise ValueError(
            f"{second} did not begin with {first}"
            + (f", but with {began}: name that" if began else ": its training began with no weights at all")
        )
    interpolate(before, after, args.share)
    write_checkpoint(out, after, {**about, "blend": parts})
    print(f"{out}: {100 * args.share:g} % of the way from {first} to {second}")


def _new_checkpoint(out: Path) -> Path:
    """Where the weights go, if they can be written there without writing over any."""
    if out.suffix != ".ckpt":
        raise ValueError(f"--out {out}: it becomes a checkpoint, which ends in .ckpt")
    if out.exists():
        raise FileExistsError(f"{out} exists; choose another --out, or delete it first")
    folder = out.absolute().parent
    if folder.name == "checkpoints":
        raise ValueError(f"--out {out}: the checkpoints of a run are its own; choose another folder")
    if not folder.is_dir():
        raise FileNotFoundError(f"--out {out}: there is no folder {folder} to write it to")
    return out


if __name__ == "__main__":
    main()
