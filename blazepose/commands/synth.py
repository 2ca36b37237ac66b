"""Render a set of synthetic people: `blazepose synth --num 20000 --out data/synthetic`."""

import argparse
from pathlib import Path

from blazepose.errors import friendly_errors
from blazepose.synthetic.dataset.render_set import render_set


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="blazepose synth", description=__doc__)
    add = parser.add_argument
    add("--num", type=_number(1), required=True, metavar="N", help="images of people for training")
    add(
        "--val",
        type=_number(0),
        metavar="N",
        help="images of people for validation; default a tenth of --num",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="output folder; an unfinished set in it is resumed",
    )
    add("--seed", type=_number(0), default=0, metavar="N")
    add("--size", type=_number(64, 2048), default=256, metavar="N", help="side of the images, pixels (256)")
    add(
        "--families",
        default="",
        metavar="NAME=WEIGHT,...",
        help="sampling weights of pose families; see data/README.md",
    )
    add("--background", type=Path, metavar="DIR", help="images without people, used as backgrounds")
    add("--workers", type=_number(1), metavar="N", help="processes; default one per core, up to 16")
    add("--preview", type=Path, metavar="PNG", help="write a contact sheet with labels")
    return parser.parse_args(arguments)


def _number(low: int, high: int = 10**9):
    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text} is not a number from {low}" + f" to {high}" * (high < 10**9)
            )
        return int(text)

    return parse


def _train_overrides(folder: Path) -> str:
    """Return the overrides of `blazepose train` that use all of a set."""
    overrides = [f'"data.train=[synthetic:{folder}]"', f'"data.negatives=[{folder / "train" / "negatives"}]"']
    if (folder / "val" / "labels.json").is_file():
        overrides.insert(1, f'"data.val=[synthetic:{folder}:val]"')
    return " ".join(overrides)


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Render a set and print the overrides to train on it."""
    options = vars(_parse(arguments))
    folder = options.pop("out").expanduser()
    val = options.pop("val")
    render_set(folder, val=options["num"] // 10 if val is None else val, **options)
    print("train on them with " + _train_overrides(folder))


if __name__ == "__main__":
    main()
