"""Files of a rendered set: complete, or unfinished and resumed by the next run.

DIR/recipe.json                          everything that determines the pixels
DIR/train/images/000000.jpg  labels.json  negatives/000000.jpg   and the same below DIR/val
DIR/train/parts/00000.json               labels of finished chunks, until labels.json has them all
"""

import errno
import fcntl
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from blazepose.atomic import atomic_path
from blazepose.exceptions import ExistingFileError, FileError, InputError
from blazepose.image import read_image
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, RenderedImage
from blazepose.topologies.full_body import EDGES, LANDMARKS

log = logging.getLogger(__name__)

SPLITS = ("train", "val")
"""Splits of every set; their positions are part of the seed."""

_RECIPE, _LOCK = "recipe.json", ".lock"

RECIPE_VERSION = 2
"""To be raised whenever the same seed gives other pixels or labels."""


def describe_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return the content of recipe.json: the user's backgrounds as a digest of their names and contents.

    Raises:
        ImageError: if a background cannot be read.
    """
    content = asdict(recipe)
    del content["backgrounds"]
    digest = sha256()
    for path in recipe.backgrounds:
        read_image(path)  # reports a damaged file now, and not after hours of rendering
        digest.update(path.name.encode() + path.read_bytes())
    content["pictures"] = f"{len(recipe.backgrounds)}, sha256 {digest.hexdigest()}"
    versions = {name: version(name) for name in ("anny", "warp-lang")}
    return {"made_by": f"blazepose.synthetic {RECIPE_VERSION}", **versions, **content}


def open_set(folder: Path, content: dict[str, Any]) -> None:
    """Start a set in an empty folder, or check that the folder holds one of the same recipe.

    Args:
        folder: folder of the set, locked with `exclusive_lock`.
        content: result of `describe_recipe`.

    Raises:
        FileExistsError: if the folder holds a set of another recipe.
    """
    file = folder / _RECIPE
    if not file.is_file():
        with atomic_path(file) as part:
            part.write_text(json.dumps(content, indent=2) + "\n")
        return
    try:
        existing = dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise ExistingFileError(
            f"{file} cannot be read: {error}; choose another folder, or delete {folder}"
        ) from error
    for name, value in content.items():
        if existing.get(name) != value:
            raise ExistingFileError(
                f"{folder} was rendered with {name} {existing.get(name)}, not {value}; choose another folder"
            )


@contextmanager
def exclusive_lock(folder: Path, wait: bool) -> Iterator[None]:
    """Create the folder, and keep other processes from rendering into it.

    Args:
        folder: folder of the set.
        wait: wait for another process that renders into it, instead of failing.

    Raises:
        BlockingIOError: if another process renders into it, and `wait` is False.
        FileExistsError: if it holds files but no rendered set.
        NotADirectoryError: if it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise FileError(f"{folder} is a file; choose a folder")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and not names & {_RECIPE, _LOCK}:
        raise ExistingFileError(f"{folder} holds files but no rendered set; choose a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise FileError(f"another process is rendering into {folder}; wait until it ends") from None
            log.info("another process is rendering into %s: waiting until it ends", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Split:
    """One split of a set.

    Attributes:
        folder: folder of the set.
        name: one of SPLITS.
        count: number of images of people to render.
    """

    folder: Path
    name: str
    count: int

    @property
    def index(self) -> int:
        """Position in SPLITS, part of the seed."""
        return SPLITS.index(self.name)

    @property
    def path(self) -> Path:
        """Folder of the split."""
        return self.folder / self.name

    @property
    def labels(self) -> Path:
        """COCO file of the complete split."""
        return self.path / "labels.json"

    def missing_chunks(self) -> list[int]:
        """Return the chunks that are not rendered yet."""
        done = set(self.image_ids())
        for part in self._part_files():
            try:
                done.update(image["id"] for image in json.loads(part.read_text())["images"])
            except ValueError:  # damaged by a power cut: rendered again
                part.unlink()
        chunks = range(-(-self.count // CHUNK))
        return [chunk for chunk in chunks if not done.issuperset(self._chunk_ids(chunk))]

    def image_ids(self) -> list[int]:
        """Return the ids of the images that labels.json has.

        Raises:
            ValueError: if it is damaged.
        """
        return [image["id"] for image in _read_entries(self.labels, "images")]

    def _chunk_ids(self, chunk: int) -> range:
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.count))

    def _part_files(self) -> list[Path]:
        return sorted((self.path / "parts").glob("[0-9]*.json"))

    def _part_file(self, chunk: int) -> Path:
        return self.path / "parts" / f"{chunk:05d}.json"

    def save(self, chunk: int, images: Sequence[RenderedImage]) -> int:
        """Write the images of a chunk, then its labels, and return the number of images of people."""
        ids = self._chunk_ids(chunk)
        saved = [image for image in images if image.entry is not None and image.number in ids]
        for image in saved:
            _write(self.path / "images" / f"{image.number:06d}.jpg", image.jpeg)
        for image in images:
            if image.entry is None:
                _write(self.path / "negatives" / f"{image.number:06d}.jpg", image.jpeg)
        labels = {
            "images": [image.entry for image in saved],
            "annotations": [person for image in saved for person in image.annotations],
        }
        _write(self._part_file(chunk), json.dumps(labels).encode())
        return len(saved)

    def finish(self) -> None:
        """Merge the labels of all chunks into labels.json, one entry per line; holds one chunk in memory."""
        parts = self._part_files()
        if not parts:
            return
        new = {image["id"] for part in parts for image in json.loads(part.read_text())["images"]}
        with atomic_path(self.labels) as file, file.open("w") as out:
            out.write(json.dumps(_header(self.name))[:-1])
            for key, id_key in (("images", "id"), ("annotations", "image_id")):
                old = (entry for entry in _read_entries(self.labels, key) if entry[id_key] not in new)
                added = (entry for part in parts for entry in json.loads(part.read_text())[key])
                out.write(f', "{key}": [')
                for position, entry in enumerate(chain(old, added)):
                    out.write((",\n" if position else "\n") + json.dumps(entry))
                out.write("\n]")
            out.write("}\n")
        shutil.rmtree(self.path / "parts")


def _read_entries(labels: Path, key: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of one list of a labels.json, line by line; none if the file does not exist.

    Raises:
        ValueError: if it is damaged.
    """
    if not labels.is_file():
        return
    inside, line = False, ""
    with labels.open() as lines:
        for line in lines:
            if line.rstrip().endswith("["):
                inside = line.rstrip().endswith(f'"{key}": [')
            elif inside and not line.startswith("]"):
                try:
                    entry = json.loads(line.rstrip().removesuffix(","))
                except ValueError:
                    break
                yield entry
    if not line.startswith("]}"):
        raise InputError(f"{labels} is damaged; delete it and rerun to render the images again")


def _header(split: str) -> dict[str, Any]:
    person = {
        "id": 1,
        "name": "person",
        "keypoints": list(LANDMARKS),
        "skeleton": [[a + 1, b + 1] for a, b in EDGES],
    }
    return {"info": {"description": f"blazepose.synthetic, {split}"}, "categories": [person]}


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as part:
        part.write_bytes(content)


def write_error(error: OSError, folder: Path) -> OSError:
    """Return the error of a failed write as a sentence with the next step."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FileError(f"no space left for {folder}; free some and rerun")
    return FileError(f"{folder}: {error.strerror}; fix it and rerun")
