"""The starter set, which `data=synthetic` renders on first use."""

import logging
from collections.abc import Sequence
from pathlib import Path

from blazepose.exceptions import ExistingFileError
from blazepose.synthetic import require_extra

log = logging.getLogger(__name__)

STARTER = Path("data/synthetic")
"""Folder that configs/data/synthetic.yaml reads."""

_SPLITS = {"": "train", ":train": "train", ":val": "val"}

STARTER_PEOPLE = (2000, 200)
"""Images for training and for validation. Chosen: a minute on two cores, one more on anny's first use."""


def provide_starter(specs: Sequence[str]) -> None:
    """Render the starter set if these sources need it and it is missing or incomplete.

    One of several processes renders, the others wait for it.

    Args:
        specs: `reader:path[:split]`, as typed.

    Raises:
        ImportError: if a package is missing; names the extra to install.
    """
    split_of = {f"synthetic:{STARTER}{suffix}": split for suffix, split in _SPLITS.items()}
    if all((STARTER / split_of[spec] / "labels.json").is_file() for spec in specs if spec in split_of):
        return
    require_extra()
    from blazepose.synthetic.dataset.render_set import render_set  # needs the extra

    people, val = STARTER_PEOPLE
    log.info(
        "no data on disk yet: rendering %d + %d synthetic people into %s, about two minutes on two cores; "
        "`blazepose synth --num 20000 --out %s` makes it larger",
        people,
        val,
        STARTER,
        STARTER,
    )
    try:
        render_set(STARTER, people, val, wait=True)
    except FileExistsError as error:
        raise ExistingFileError(
            f"{error}. The starter set belongs there: complete that set with its own command and --val, "
            'delete it, or set another source, "data.train=[...]"'
        ) from error
