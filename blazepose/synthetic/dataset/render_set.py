"""Rendering of a whole set: both splits, and a contact sheet."""

import logging
import os
from pathlib import Path

from blazepose.data.image_folders import find_image_files
from blazepose.errors import resuming
from blazepose.exceptions import BlazePoseError, InputError, MissingFileError
from blazepose.synthetic.dataset.folder import (
    SPLITS,
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

log = logging.getLogger(__name__)


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
        ValueError: for an unknown family.
        OSError: for a folder that holds other files, or no space left.
    """
    if preview and preview.suffix.lower() not in (".png", ".jpg"):
        raise InputError(f"--preview {preview}: choose a .png or .jpg file")
    if preview and not (preview.parent.is_dir() and os.access(preview.parent, os.W_OK)):
        raise MissingFileError(f"--preview {preview}: {preview.parent} is not a writable folder")
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
    except BlazePoseError:
        raise
    except OSError as error:
        raise write_error(error, folder) from error
    if preview:
        draw_preview(splits[0], preview)
    log.info(
        "%s: %s",
        folder,
        ", ".join(f"{len(split.image_ids())} images of people in {split.name}" for split in splits),
    )
