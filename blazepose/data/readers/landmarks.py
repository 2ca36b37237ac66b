"""Users' own labels: COCO keypoint JSON whose keypoints are any subset of the 33 landmarks.

What CVAT, FiftyOne and Label Studio write, and where each puts the pictures: data/README.md#landmarks.
"""

import difflib
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Annotation, Source
from blazepose.data.readers.coco_json import box_xyxy, flagged, require_lists, segment_area, triplets
from blazepose.data.readers.files import file_names, read_json
from blazepose.data.readers.people import People
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

LICENCE = "own labels: no licence recorded"


def read(path: Path, split: str | None) -> Source:
    """Everybody with keypoints in one JSON file.

    Raises:
        FileNotFoundError: if the file or pictures are missing.
        ValueError: for labels that cannot be right; the message names the file and the annotation.
    """
    if split is not None:
        raise ValueError(f"landmarks:{path} has no splits, each is a file of its own; leave :{split} away")
    data = read_json(path, "landmarks")
    if isinstance(data, dict):
        data.setdefault("annotations", [])  # FiftyOne leaves it out where nothing is labelled
    require_lists(data, ("images", "categories", "annotations"), path)
    categories = _by_id(data["categories"], "category", path)
    named = {key: _names(category, path) for key, category in categories.items()}
    if any(set(names) & set(LANDMARKS) for names in named.values()):
        # A barbell has keypoints too: beside a person's category, one without a name like ours is no person.
        named = {key: names if any(map(_like_ours, names)) else [] for key, names in named.items()}
    skeletons = {key: _skeleton(names, path) for key, names in named.items()}
    if data["annotations"] and not any(skeletons.values()):
        raise ValueError(
            f"{path}: no category lists the names of its keypoints; see data/README.md#landmarks for how "
            "each tool writes them"
        )
    people = People(path, "landmarks")
    pictures = _Pictures(path, _by_id(data["images"], "image", path))
    for person, entry in _by_id(data["annotations"], "annotation", path).items():
        _add(people, pictures, str(person), entry, skeletons)
    pictures.require(people.annotations)
    # Many tools write one flag for every point, 2 or 1; only a file that has both tells hidden from visible.
    flags = np.unique([person.visibility for person in people.annotations])
    if not {HIDDEN, VISIBLE} <= set(flags.tolist()):
        people.annotations = [_of_unknown_visibility(person) for person in people.annotations]
    return people.source("landmarks", LICENCE)


def _by_id(entries: list[dict[str, Any]], kind: str, file: Path) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or "id" not in entry:
            raise ValueError(f"{file}: {kind} number {number} has no id")
        if entry["id"] in found:
            raise ValueError(f"{file}: two entries of {kind} have the id {entry['id']}")
        found[entry["id"]] = entry
    return found


def _names(category: dict[str, Any], file: Path) -> list[str]:
    if not isinstance(category.get("keypoints"), list | array | None):  # read_json packs []
        raise ValueError(f"{file}: the keypoints of category {category['id']} are not a list of names")
    return ["_".join(re.findall(r"[^-_\s]+", str(name).lower())) for name in category.get("keypoints") or []]


def _like_ours(name: str) -> bool:
    """A landmark, or one misspelt (lft_hip, left_sholder); but not the left_end or left_tip of a barbell."""
    bare = [_without_side(landmark) for landmark in LANDMARKS]
    return bool(
        difflib.get_close_matches(_without_side(name), bare, cutoff=0.75)
        or difflib.get_close_matches(name, LANDMARKS, cutoff=0.9)
    )


def _without_side(name: str) -> str:
    return re.sub(r"^(left|right)_?|_?(left|right)$", "", name)


def _skeleton(names: list[str], file: Path) -> Mapping[int, str]:
    """{position in the annotation: landmark name}."""
    for name in names:
        if name not in LANDMARKS:
            close = difflib.get_close_matches(name, LANDMARKS, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ValueError(f"{file}: unknown landmark {name!r}{hint}; the 33 are {', '.join(LANDMARKS)}")
        if names.count(name) > 1:
            raise ValueError(f"{file}: a category lists {name!r} twice")
    return dict(enumerate(names))


def _add(
    people: People,
    pictures: "_Pictures",
    person: str,
    entry: dict[str, Any],
    skeletons: Mapping[Any, Mapping[int, str]],
) -> None:
    where = f"{people.file}, annotation {person}"
    for key, known in (("image_id", pictures.images), ("category_id", skeletons)):
        value = entry.get(key)
        if not isinstance(value, int | float | str) or value not in known:
            raise ValueError(f"{where}: there is no {key.removesuffix('_id')} {value}")
    skeleton = skeletons[entry["category_id"]]
    if not skeleton:
        people.leave_out("in a category without landmarks", pictures.find(entry["image_id"]), None)
        return
    try:
        if entry.get("iscrowd"):
            people.leave_out("crowd", pictures.find(entry["image_id"]), box_xyxy(entry.get("bbox")))
            return
        points = _points(entry, skeleton)
        world = _world(entry.get("landmarks_world"))
        box = box_xyxy(entry.get("bbox"))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    picture = pictures.find(entry["image_id"])
    size = pictures.size(entry["image_id"])
    area = segment_area(entry)
    people.add(picture, person, *flagged(points), skeleton, box, world, image_size=size, area_px=area)


def _points(entry: dict[str, Any], skeleton: Mapping[int, str]) -> np.ndarray:
    points = triplets(entry.get("keypoints"), len(skeleton))
    flags = points[:, 2]
    no_flag = (flags != 0) & (flags != 1) & (flags != 2)
    nowhere = (flags > 0) & ~np.isfinite(points).all(axis=1)
    for index in np.flatnonzero(no_flag | nowhere).tolist():
        if no_flag[index]:
            raise ValueError(f"{skeleton[index]} has visibility {flags[index]:g}, expected 0, 1 or 2")
        raise ValueError(f"NaN or infinite coordinates of {skeleton[index]}")
    return points


def _world(rows: Any) -> np.ndarray | None:
    """World landmarks float32 (33, 3), metres; NaN where a row is null."""
    if rows is None:
        return None
    try:
        known = [row is not None for row in rows]
        world = np.array([row or [np.nan] * 3 for row in rows], np.float32)
    except (TypeError, ValueError):
        world, known = np.empty(0, np.float32), []
    if world.shape != (NUM_LANDMARKS, 3) or not np.isfinite(world[known]).all():
        raise ValueError(f"landmarks_world is not {NUM_LANDMARKS} rows of 3 finite numbers (or null)")
    return world


def _of_unknown_visibility(person: Annotation) -> Annotation:
    return replace(person, visibility=np.full(NUM_LANDMARKS, UNKNOWN, np.int8))


class _Pictures:
    """Where the pictures of a file lie: beside it, or where the labelling tools put them.

    Args:
        file: the JSON file.
        images: its image entries by id.
    """

    def __init__(self, file: Path, images: Mapping[Any, dict[str, Any]]) -> None:
        folder, subset = file.parent, file.stem.removeprefix("person_keypoints_")
        above = folder.parent / "images"
        self.file = file
        self.images = images
        self.roots = (folder, folder / "images", folder / "data", above / subset, above)
        self.by_image: dict[Any, Path] = {}
        self.image_of: dict[Path, Any] = {}
        self.missing: set[Path] = set()
        self.folders: dict[str, list[tuple[Path, set[str]]]] = {}

    def find(self, image: Any) -> Path:
        """The picture of an image id, even if it is nowhere: `require` tells.

        Raises:
            ValueError: if another image id leads to the same picture.
        """
        if image not in self.by_image:
            # Label Studio on Windows writes backslashes.
            name = str(self.images[image].get("file_name")).replace("\\", "/")
            path = next(self._found(name), None)
            if path is None:
                path = Path(name)
                self.missing.add(path)
            other = self.image_of.setdefault(path, image)
            if other != image:
                raise ValueError(f"{self.file}: images {other} and {image} both lead to {path}")
            self.by_image[image] = path
        return self.by_image[image]

    def size(self, image: Any) -> tuple[int, int] | None:
        """Width and height the labels were made at, if the file says them."""
        size = [self.images[image].get(side) for side in ("width", "height")]
        width, height = (round(side) if isinstance(side, int | float) else 0 for side in size)
        return (width, height) if width > 0 and height > 0 else None

    def _found(self, name: str) -> Iterator[Path]:
        """As written below each root; then by its bare name, since tools write paths of their own server."""
        folder, _, file = name.rpartition("/")
        for below in (folder, ""):
            for where, names in self._folders(below):
                if file in names:
                    yield where / file

    def _folders(self, below: str) -> Iterator[tuple[Path, set[str]]]:
        """Folders and their files, each looked into when it is needed, and once: file by file is slow."""
        known = self.folders.setdefault(below, [])
        yield from known
        for root in self.roots[len(known) :]:
            known.append((root / below, file_names(root / below)))
            yield known[-1]

    def require(self, people: Sequence[Annotation]) -> None:
        """Raise FileNotFoundError if pictures of some of these people are missing."""
        if not self.missing:
            return
        paths = {person.image for person in people}
        if missing := sorted(paths & self.missing):
            raise FileNotFoundError(
                f"{len(missing)} of {len(paths)} pictures in {self.file} are missing, first {missing[0]}: "
                "put them beside it or in images/; see data/README.md#landmarks"
            )
