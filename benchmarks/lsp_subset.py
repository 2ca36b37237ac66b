"""Parts of LSP's people, as folders of the same layout: to keep some aside, or to train on few.

python benchmarks/lsp_subset.py data/lspet_train data/lspet_dev --every 8           # every eighth person
python benchmarks/lsp_subset.py data/lspet_train data/lspet_fit --every 8 --others  # all the others
python benchmarks/lsp_subset.py data/lspet_fit data/lspet_200 --people 200         # first of a random order
python benchmarks/lsp_subset.py data/lspet_fit data/lspet_rest --people 200 --others
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.io import loadmat, savemat

from blazepose.atomic import atomic_path
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError, InputError, MissingFileError

_SEED = 0


def choose(count: int, every: int | None, people: int | None, others: bool) -> np.ndarray:
    """Return the positions of the chosen people, in order.

    Args:
        count: number of people in the folder.
        every: choose the people whose number is a multiple of this.
        people: choose as many, the first of a random order that is the same in every call.
        others: choose the rest instead.
    """
    if (every is None) == (people is None):
        raise InputError("give one of --every N and --people N")
    if not 1 <= (every or people or 0) <= count:
        raise InputError(f"N must be a number from 1 to {count}, the people of the folder")
    chosen = np.zeros(count, bool)
    if every is not None:
        chosen[every - 1 :: every] = True
    else:
        chosen[np.random.default_rng(_SEED).permutation(count)[:people]] = True
    return np.flatnonzero(chosen != others)


def write_subset(source: Path, target: Path, rows: np.ndarray) -> None:
    """Write joints.mat of these people, and links to their images."""
    if target.exists():
        raise ExistingFileError(f"{target} exists; choose another folder, or delete it first")
    joints = loadmat(source / "joints.mat")["joints"]
    with atomic_path(target) as part:
        (part / "images").mkdir(parents=True)
        for number, row in enumerate(rows, start=1):
            image = (source / "images" / f"im{row + 1:05d}.jpg").resolve(strict=True)
            (part / "images" / f"im{number:05d}.jpg").symlink_to(image)
        savemat(part / "joints.mat", {"joints": joints[:, :, rows]})


@friendly_errors
def main() -> None:
    """Write the subset, and print its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--every", type=int)
    parser.add_argument("--people", type=int)
    parser.add_argument("--others", action="store_true")
    args = parser.parse_args()
    if not (args.source / "joints.mat").is_file():
        raise MissingFileError(f"{args.source}/joints.mat is missing; name a folder of LSP")
    count = loadmat(args.source / "joints.mat")["joints"].shape[2]
    rows = choose(count, args.every, args.people, args.others)
    write_subset(args.source, args.target, rows)
    print(f"{args.target}: {len(rows)} of {count} people")


if __name__ == "__main__":
    main()
