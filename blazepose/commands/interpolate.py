"""Interpolate weights before and after a fine-tuning: a milder fine-tuning without training again.

    blazepose interpolate pose_landmarker_full.task runs/landmark/RUN --alpha 0.5 --out mild.ckpt

`blazepose compare` measures how much of the gain the result keeps and how much it forgets;
`blazepose eval-detector` evaluates interpolated detectors.
"""

from pathlib import Path
from typing import Any

from blazepose.atomic import file_sha256
from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError, InputError, MissingFileError
from blazepose.models.interpolation import interpolate
from blazepose.runs import resolve_named_weights, trained_checkpoint
from blazepose.training.checkpoint import read_checkpoint, write_checkpoint
from blazepose.training.weights import IMPORTED, detect_task, open_detector_net, open_landmark_net


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Write the weights interpolated between two files.

    Raises:
        FileNotFoundError: if weights or the output folder are missing.
        FileExistsError: if the output file exists.
        ValueError: if the factor is out of range, or the second weights were not fine-tuned from the first.
    """
    args = parse("interpolate", arguments)
    if not 0 < args.alpha < 1:
        raise InputError(f"--alpha {args.alpha:g}: must be greater than 0 (before) and less than 1 (after)")
    out = _new_checkpoint(args.out.expanduser())
    first, second = (resolve_named_weights(name) for name in (args.before, args.after))
    trained = trained_checkpoint(second.parent.parent)
    # A run that has been resumed may have a better epoch by now, not yet interpolated.
    if second.name == "best.ckpt" and trained.is_file() and "blend" in read_checkpoint(second).metadata:
        second = trained
    if second.suffix in IMPORTED:
        raise InputError(f"{second} is an exported file: give the run or the .ckpt that it was exported from")
    networks: Any = open_detector_net if detect_task(second) == "detector" else open_landmark_net
    (before, _), (after, metadata) = map(networks, (first, second))
    blend = {"share": args.alpha, "before": file_sha256(first), "after": file_sha256(second)}
    # Interpolation is valid only between weights and their fine-tuning.
    if (metadata["init"] or {}).get("sha256") != blend["before"]:
        init = metadata["recipe"].get("init")
        raise InputError(
            f"{second} was fine-tuned from {init}, not from {first}; pass {init} as the first argument"
            if init
            else f"{second} was not fine-tuned from {first}: it was trained from scratch"
        )
    interpolate(before, after, args.alpha)
    write_checkpoint(out, after, {**metadata, "blend": blend})
    print(f"{out}: {100 * args.alpha:g} % of the way from {first} to {second}")


def _new_checkpoint(out: Path) -> Path:
    """Return the file to write, if that overwrites nothing."""
    if out.suffix != ".ckpt":
        raise InputError(f"--out {out}: the file must end in .ckpt")
    if out.exists():
        raise ExistingFileError(f"{out} exists; choose another --out, or delete it first")
    folder = out.absolute().parent
    if folder.name == "checkpoints":
        raise InputError(f"--out {out}: checkpoint folders are reserved for their run; choose another folder")
    if not folder.is_dir():
        raise MissingFileError(f"--out {out}: the folder {folder} does not exist")
    return out


if __name__ == "__main__":
    main()
