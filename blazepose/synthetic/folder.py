"""A rendered set on disk: complete, or a part of one that the next run goes on with.

DIR/recipe.json                          what decides every pixel
DIR/train/images/000000.jpg  labels.json  negatives/000000.jpg   and the same below DIR/val
DIR/train/parts/00000.json               labels of finished chunks, until labels.json has them all
"""

import errno
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from blazepose.synthetic.starter import SPLITS
from blazepose.synthetic.studio import CHUNK, Recipe, Shot
from blazepose.topology import EDGES, LANDMARKS
from blazepose.whole_file import whole_file

RECIPE_VERSION = 1
"""Raise it whenever the same seed gives other pixels or labels."""


def describe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as recipe.json has it: the user's pictures as a digest of their names and contents."""
    content = asdict(recipe)
    pictures = sha256()
    for path in recipe.pictures:
        pictures.update(path.name.encode())
        pictures.update(path.read_bytes())
    content["pictures"] = {"count": len(recipe.pictures), "sha256": pictures.hexdigest()}
    return {"made_by": "blazepose.synthetic", "version": RECIPE_VERSION, **content}


def open_set(folder: Path, recipe: Recipe) -> None:
    """Make the folder, or make sure that it holds a set of the same recipe.

    Raises:
        FileExistsError: if it holds something else, or a set of another recipe; names the difference.
        NotADirectoryError: if it is a file.
    """
    content = describe(recipe)
    file = folder / "recipe.json"
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--out {folder} is a file; name a folder")
    if not file.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise FileExistsError(
                f"--out {folder} holds something else than a rendered set; name a new or an empty folder"
            )
        with whole_file(file) as part:
            part.write_text(json.dumps(content, indent=2) + "\n")
        return
    try:
        found = json.loads(file.read_text())
    except ValueError as error:
        raise FileExistsError(f"{file} is damaged; name another --out, or delete {folder}") from error
    for name, value in content.items():
        if found.get(name) != value:
            raise FileExistsError(
                f"--out {folder} was rendered with {name} {found.get(name)}, not {value}; name another folder"
            )


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
        have = set(_pictures_in(self.labels))
        return [
            chunk
            for chunk in range(-(-self.count // CHUNK))
            if not self._part(chunk).is_file() and not have.issuperset(self._wanted(chunk))
        ]

    def _wanted(self, chunk: int) -> range:
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.count))

    def _part(self, chunk: int) -> Path:
        return self.path / "parts" / f"{chunk:05d}.json"

    def save(self, chunk: int, shots: Sequence[Shot]) -> int:
        """Write the pictures of a chunk, then its labels; the number of pictures of people.

        Raises:
            OSError: if there is no space left; says what to do.
        """
        wanted = self._wanted(chunk)
        kept = [shot for shot in shots if shot.image is not None and shot.number in wanted]
        try:
            for shot in shots:
                name = f"{shot.number:06d}.jpg"
                if shot.image is None:
                    _write(self.path / "negatives" / name, shot.jpeg)
                elif shot.number in wanted:
                    _write(self.path / "images" / name, shot.jpeg)
            lines = {
                "images": [shot.image for shot in kept],
                "annotations": [person for shot in kept for person in shot.people],
            }
            _write(self._part(chunk), json.dumps(lines).encode())
        except OSError as error:
            raise _no_space(error, self.folder) from error
        return len(kept)

    def finish(self) -> None:
        """Put the labels of all chunks into labels.json; memory for one chunk at a time.

        Raises:
            OSError: if there is no space left; what is rendered stays.
        """
        parts = sorted((self.path / "parts").glob("*.json"))
        if not parts:
            return
        replaced = {number for part in parts for number in self._wanted(int(part.stem))}
        try:
            with whole_file(self.labels) as file, file.open("w") as out:
                out.write(json.dumps(_header(self.name))[:-1])
                for key, owner in (("images", "id"), ("annotations", "image_id")):
                    out.write(f', "{key}": [\n')
                    entries = self._entries(key, owner, parts, replaced)
                    for position, entry in enumerate(entries):
                        out.write((",\n" if position else "") + json.dumps(entry))
                    out.write("\n]")
                out.write("}\n")
        except OSError as error:
            raise _no_space(error, self.folder) from error
        shutil.rmtree(self.path / "parts")

    def _entries(
        self, key: str, owner: str, parts: list[Path], replaced: set[int]
    ) -> Iterator[dict[str, Any]]:
        """What labels.json had and no part brings anew, then the parts."""
        if self.labels.is_file():
            for entry in json.loads(self.labels.read_text())[key]:
                if entry[owner] not in replaced:
                    yield entry
        for part in parts:
            yield from json.loads(part.read_text())[key]


def _pictures_in(labels: Path) -> list[int]:
    """Numbers of the pictures a labels.json has.

    Raises:
        ValueError: if it is damaged.
    """
    if not labels.is_file():
        return []
    try:
        return [image["id"] for image in json.loads(labels.read_text())["images"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{labels} is damaged; delete it, and the pictures are rendered again") from error


def _header(split: str) -> dict[str, Any]:
    person = {
        "id": 1,
        "name": "person",
        "keypoints": list(LANDMARKS),
        "skeleton": [[a + 1, b + 1] for a, b in EDGES],
    }
    return {"info": {"description": f"blazepose.synthetic, {split}"}, "categories": [person]}


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as part:
        part.write_bytes(content)


def _no_space(error: OSError, folder: Path) -> OSError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OSError(
            f"no space left for {folder}: free some, and the same command goes on where it stopped"
        )
    return OSError(f"{folder}: {error.strerror or error}; the same command goes on where it stopped")
