"""Folders of images without labels: negatives, backgrounds, pictures for a verification."""

from collections.abc import Sequence
from pathlib import Path

from blazepose.data.readers import as_list
from blazepose.exceptions import MissingFileError
from blazepose.image import find_images


def find_image_files(folders: str | Sequence[str] | None, option: str) -> list[Path]:
    """List all images below the folders, sorted.

    Args:
        folders: folders to search.
        option: the option that names the folders, for messages.

    Raises:
        FileNotFoundError: if a folder is missing or holds no image; the message names it.
    """
    images: list[Path] = []
    for folder in as_list(folders):
        root = Path(folder).expanduser()
        if not root.is_dir():
            raise MissingFileError(f"{option}: {root} is not a folder; name a folder of images")
        paths = find_images(root)
        if not paths:
            raise MissingFileError(f"{option}: {root} holds no image; name a folder of images")
        images += paths
    return images
