"""Whole sets: rendered on command, and the starter set that `data=synthetic` renders on first use."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from blazepose.errors import resuming
from blazepose.synthetic import require_extra

log = logging.getLogger(__name__)

STARTER = Path("data/synthetic")
"""Folder that configs/data/synthetic.yaml reads."""

SPLITS = ("train", "val")
"""Splits of every set; their positions are part of the seed."""

STARTER_PEOPLE = (2000, 200)
"""Images for training and for validation. Chosen: a minute on two cores, one more on anny's first use."""


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
    """Render a set, or its missing images; a larger set stays unchanged.

    Args:
        folder: folder of the set.
        num: images of people for training.
        val: images of people for validation.
        seed: seed of all randomness.
        size: side of the images, pixels.
        families: `name=weight,...`, sampling weights of pose families.
        background: folder of people-free background images.
        workers: processes; None takes one per core.
        preview: file for a contact sheet.
        wait: wait for another process that renders this set, instead of failing.

    Raises:
        ImportError: if a package is missing; names the extra to install.
        ValueError: for an unknown family.
        OSError: for a folder that holds other files, or no space left.
    """
    if preview and preview.suffix.lower() not in (".png", ".jpg"):
        raise ValueError(f"--preview {preview}: choose a .png or .jpg file")
    if preview and not (preview.parent.is_dir() and os.access(preview.parent, os.W_OK)):
        raise FileNotFoundError(f"--preview {preview}: {preview.parent} is not a writable folder")
    require_extra()
    # Imported late: these modules need the extra.
    from blazepose.data.image_folders import find_image_files
    from blazepose.synthetic.dataset.folder import (
        Split,
        describe_recipe,
        exclusive_lock,
        open_set,
        write_error,
    )
    from blazepose.synthetic.dataset.generate import Recipe
    from blazepose.synthetic.dataset.preview import draw_preview
    from blazepose.synthetic.dataset.workers import announce_first_use, default_workers, render_split
    from blazepose.synthetic.poses.families import parse_weights

    backgrounds = tuple(find_image_files(str(background), "--background")) if background else ()
    recipe = Recipe(seed, size, parse_weights(families), backgrounds)
    splits = [Split(folder, name, count) for name, count in zip(SPLITS, (num, val), strict=True)]
    content = describe_recipe(recipe)
    try:
        with exclusive_lock(folder, wait):
            open_set(folder, content)
            with resuming(lambda: f"the same command resumes {folder}"):
                if any(split.missing_chunks() for split in splits):
                    announce_first_use()
                for split in splits:
                    render_split(split, recipe, workers or default_workers())
    except OSError as error:
        if error.errno is None:  # already a full sentence
            raise
        raise write_error(error, folder) from error
    if preview:
        draw_preview(splits[0], preview)
    log.info(
        "%s: %s",
        folder,
        ", ".join(f"{len(split.image_ids())} images of people in {split.name}" for split in splits),
    )


def provide_starter(specs: Sequence[str]) -> None:
    """Render the starter set if these sources need it and it is missing or incomplete.

    One of several processes renders, the others wait for it.

    Args:
        specs: `reader:path[:split]`, as typed.

    Raises:
        ImportError: if a package is missing; names the extra to install.
    """
    split_of = {
        f"synthetic:{STARTER}": "train",
        **{f"synthetic:{STARTER}:{split}": split for split in SPLITS},
    }
    if all((STARTER / split_of[spec] / "labels.json").is_file() for spec in specs if spec in split_of):
        return
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
        raise FileExistsError(
            f"{error}. The starter set belongs there: complete that set with its own command and --val, "
            'delete it, or set another source, "data.train=[...]"'
        ) from error
