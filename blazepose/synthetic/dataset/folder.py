"""A rendered set on disk: complete, or a part of one that the next run goes on with.

DIR/recipe.json                          what decides every pixel
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
from blazepose.image import read_image
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, RenderedImage
from blazepose.synthetic.dataset.starter import SPLITS
from blazepose.topology import EDGES, LANDMARKS

log = logging.getLogger(__name__)

_RECIPE, _LOCK = "recipe.json", ".lock"

RECIPE_VERSION = 2
"""Raise it whenever the same seed gives other pixels or labels."""


def describe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as recipe.json has it: the user's pictures as a digest of their names and contents.

    Raises:
        ImageError: names the picture that cannot be read.
    """
    content = asdict(recipe)
    pictures = sha256()
    for path in recipe.pictures:
        read_image(path)  # a damaged one is named now, and not in the middle of the night
        pictures.update(path.name.encode() + path.read_bytes())
    content["pictures"] = f"{len(recipe.pictures)}, sha256 {pictures.hexdigest()}"
    versions = {name: version(name) for name in ("anny", "warp-lang")}
    return {"made_by": f"blazepose.synthetic {RECIPE_VERSION}", **versions, **content}


def open_set(folder: Path, content: dict[str, Any]) -> None:
    """Begin a set in an empty folder, or make sure that it holds one of the same recipe.

    Args:
        folder: of the set, held by `exclusive_lock`.
        content: what `describe` says of the recipe.

    Raises:
        FileExistsError: if it holds a set of another recipe; names the difference.
    """
    file = folder / _RECIPE
    if not file.is_file():
        with atomic_path(file) as part:
            part.write_text(json.dumps(content, indent=2) + "\n")
        return
    try:
        found = dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise FileExistsError(
            f"{file} cannot be read: {error}; name another folder, or delete {folder}"
        ) from error
    for name, value in content.items():
        if found.get(name) != value:
            raise FileExistsError(
                f"{folder} was rendered with {name} {found.get(name)}, not {value}; name another folder"
            )


@contextmanager
def exclusive_lock(folder: Path, wait: bool) -> Iterator[None]:
    """Make the folder, and keep other processes from rendering into it.

    Args:
        folder: of the set.
        wait: until another process that renders into it has ended, well or not.

    Raises:
        BlockingIOError: if one does already, and `wait` is False.
        FileExistsError: if it holds something else than a set.
        NotADirectoryError: if it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and not names & {_RECIPE, _LOCK}:
        raise FileExistsError(
            f"{folder} holds something else than a rendered set; name a new or an empty folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise BlockingIOError(f"another process is rendering into {folder}; wait for it") from None
            log.info("another process is rendering into %s: waiting for it", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Split:
    """One split of a set.

    Attributes:
        folder: of the set.
        name: one of SPLITS.
        count: pictures of people it shall have.
    """

    folder: Path
    name: str
    count: int

    @property
    def number(self) -> int:
        """Its place in the seed."""
        return SPLITS.index(self.name)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / self.name

    @property
    def labels(self) -> Path:
        """COCO file of the complete split."""
        return self.path / "labels.json"

    def missing(self) -> list[int]:
        """Chunks that are still to be rendered."""
        have = set(self.numbers())
        for part in self._parts():
            try:
                have.update(image["id"] for image in json.loads(part.read_text())["images"])
            except ValueError:  # left by a power cut: rendered again
                part.unlink()
        chunks = range(-(-self.count // CHUNK))
        return [chunk for chunk in chunks if not have.issuperset(self._wanted(chunk))]

    def numbers(self) -> list[int]:
        """Numbers of the pictures of people that labels.json has.

        Raises:
            ValueError: if it is damaged.
        """
        return [image["id"] for image in _entries(self.labels, "images")]

    def _wanted(self, chunk: int) -> range:
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.count))

    def _parts(self) -> list[Path]:
        return sorted((self.path / "parts").glob("[0-9]*.json"))

    def _part(self, chunk: int) -> Path:
        return self.path / "parts" / f"{chunk:05d}.json"

    def save(self, chunk: int, shots: Sequence[RenderedImage]) -> int:
        """Write the pictures of a chunk, then its labels; the number of pictures of people."""
        wanted = self._wanted(chunk)
        kept = [shot for shot in shots if shot.image is not None and shot.number in wanted]
        for shot in kept:
            _write(self.path / "images" / f"{shot.number:06d}.jpg", shot.jpeg)
        for shot in shots:
            if shot.image is None:
                _write(self.path / "negatives" / f"{shot.number:06d}.jpg", shot.jpeg)
        labels = {
            "images": [shot.image for shot in kept],
            "annotations": [person for shot in kept for person in shot.people],
        }
        _write(self._part(chunk), json.dumps(labels).encode())
        return len(kept)

    def finish(self) -> None:
        """Put the labels of all chunks into labels.json, one entry a line; memory for one chunk at a time."""
        parts = self._parts()
        if not parts:
            return
        new = {image["id"] for part in parts for image in json.loads(part.read_text())["images"]}
        with atomic_path(self.labels) as file, file.open("w") as out:
            out.write(json.dumps(_header(self.name))[:-1])
            for key, owner in (("images", "id"), ("annotations", "image_id")):
                old = (entry for entry in _entries(self.labels, key) if entry[owner] not in new)
                added = (entry for part in parts for entry in json.loads(part.read_text())[key])
                out.write(f', "{key}": [')
                for position, entry in enumerate(chain(old, added)):
                    out.write((",\n" if position else "\n") + json.dumps(entry))
                out.write("\n]")
            out.write("}\n")
        shutil.rmtree(self.path / "parts")


def _entries(labels: Path, key: str) -> Iterator[dict[str, Any]]:
    """The entries of one list of a labels.json, a line at a time; none if there is no such file.

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
        raise ValueError(f"{labels} is damaged; delete it, and the pictures are rendered again")


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


def no_space(error: OSError, folder: Path) -> OSError:
    """What the system says of a write that failed, as a sentence with the next step."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OSError(f"no space left for {folder}: free some")
    return OSError(f"{folder}: {error.strerror}; mend it")
