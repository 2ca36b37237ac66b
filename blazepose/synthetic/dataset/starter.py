"""Whole sets: rendered by command, and the starter set that `data=synthetic` makes on first use."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from blazepose.errors import resuming
from blazepose.synthetic import require_extra

log = logging.getLogger(__name__)

STARTER = Path("data/synthetic")
"""Where configs/data/synthetic.yaml looks for people."""

SPLITS = ("train", "val")
"""Of every set; their positions are part of the seed."""

STARTER_PEOPLE = (2000, 200)
"""For training and for validation. Chosen: a minute on two cores, and one more where anny is new."""


def render_set(
    folder: Path,
    num: int,
    val: int,
    seed: int = 0,
    size: int = 256,
    families: str = "",
    background: Path | None = None,
    workers: int | None = None,
    preview: Path | None = None,
    wait: bool = False,
) -> None:
    """Render a set, or what is missing of it; larger ones stay as they are.

    Args:
        folder: of the set.
        num: pictures of people for training.
        val: pictures of people for validation.
        seed: of everything.
        size: side of the pictures, pixels.
        families: `name=weight,...`, more or fewer of a pose family.
        background: folder of people-free pictures to put people before.
        workers: processes; None takes one a core.
        preview: where to draw a contact sheet.
        wait: for another process that renders this set, instead of refusing.

    Raises:
        ImportError: names the extra to install.
        ValueError: for an unknown family.
        OSError: for a folder that holds something else, or no space left.
    """
    if preview and preview.suffix.lower() not in (".png", ".jpg"):
        raise ValueError(f"--preview {preview}: name a .png or .jpg file")
    if preview and not (preview.parent.is_dir() and os.access(preview.parent, os.W_OK)):
        raise FileNotFoundError(f"--preview {preview}: {preview.parent} is no folder one can write to")
    require_extra()
    # Imported late: they need the extra.
    from blazepose.data.datamodule import find_image_files
    from blazepose.synthetic.dataset.folder import Split, describe, exclusive_lock, no_space, open_set
    from blazepose.synthetic.dataset.generate import Recipe
    from blazepose.synthetic.dataset.preview import draw_preview
    from blazepose.synthetic.dataset.workers import announce_first_use, default_workers, render_split
    from blazepose.synthetic.poses.families import parse_weights

    pictures = tuple(find_image_files(str(background), "--background")) if background else ()
    recipe = Recipe(seed, size, parse_weights(families), pictures)
    splits = [Split(folder, name, count) for name, count in zip(SPLITS, (num, val), strict=True)]
    content = describe(recipe)
    try:
        with exclusive_lock(folder, wait):
            open_set(folder, content)
            with resuming(lambda: f"the same command resumes {folder}"):
                if any(split.missing() for split in splits):
                    announce_first_use()
                for split in splits:
                    render_split(split, recipe, workers or default_workers())
    except OSError as error:
        if error.errno is None:  # said already
            raise
        raise no_space(error, folder) from error
    if preview:
        draw_preview(splits[0], preview)
    log.info(
        "%s: %s",
        folder,
        ", ".join(f"{len(split.numbers())} pictures of people in {split.name}" for split in splits),
    )


def provide_starter(specs: Sequence[str]) -> None:
    """Render the starter set if these sources name it and it is not there yet, or not complete.

    Of several processes one renders, and the others wait for it.

    Args:
        specs: `reader:path[:split]`, as typed.

    Raises:
        ImportError: names the extra to install.
    """
    named = {f"synthetic:{STARTER}": "train", **{f"synthetic:{STARTER}:{split}": split for split in SPLITS}}
    if all((STARTER / named[spec] / "labels.json").is_file() for spec in specs if spec in named):
        return
    people, val = STARTER_PEOPLE
    log.info(
        "no data on disk yet: rendering %d + %d synthetic people into %s, about two minutes on two cores; "
        "`python -m blazepose.synthetic --num 20000 --out %s` makes it larger",
        people,
        val,
        STARTER,
        STARTER,
    )
    try:
        render_set(STARTER, people, val, wait=True)
    except FileExistsError as error:
        raise FileExistsError(
            f"{error}. The starter set would go there: finish that set with its own command and --val, "
            'delete it, or name other people, "data.train=[...]"'
        ) from error
