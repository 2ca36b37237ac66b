"""Render a set of synthetic people: `blazepose synth --num 20000 --out data/synthetic`."""

from pathlib import Path

from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.synthetic.dataset.render_set import render_set


def _train_overrides(folder: Path) -> str:
    """Return the overrides of `blazepose train` that use all of a set."""
    overrides = [f'"data.train=[synthetic:{folder}]"', f'"data.negatives=[{folder / "train" / "negatives"}]"']
    if (folder / "val" / "labels.json").is_file():
        overrides.insert(1, f'"data.val=[synthetic:{folder}:val]"')
    return " ".join(overrides)


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Render a set and print the overrides to train on it."""
    options = vars(parse("synth", arguments))
    folder = options.pop("out").expanduser()
    val = options.pop("val")
    render_set(folder, val=options["num"] // 10 if val is None else val, **options)
    print("train on them with " + _train_overrides(folder))


if __name__ == "__main__":
    main()
