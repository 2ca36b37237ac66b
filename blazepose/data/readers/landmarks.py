"""Users' own labels: COCO keypoint JSON whose keypoints are any subset of the 33 landmarks.

What CVAT, FiftyOne and Label Studio write, and where each puts the pictures: data/README.md#landmarks.
"""

import difflib
import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Annotation, Source
from blazepose.data.readers.coco_json import (
    Pictures,
    box_xyxy,
    by_id,
    flagged,
    is_crowd,
    referred,
    require_lists,
    segment_area,
    triplets,
)
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

LICENSE = "own labels: no licence recorded"

_FLAGS = {0, 1, 2}
"""COCO's visibility of a point: unlabelled, hidden, visible."""


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
    categories = by_id(data["categories"], "category", path)
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
    pictures = Pictures(data["images"], ImagePaths(path, "landmarks", _image_roots(path)))
    people = SourceBuilder(pictures.paths)
    for entry in by_id(data["annotations"], "annotation", path).values():
        _add(people, pictures, str(entry["id"]), entry, skeletons)
    # Many tools write one flag for every point, 2 or 1; only a file that has both tells hidden from visible.
    flags = np.unique([person.visibility for person in people.annotations])
    if not {HIDDEN, VISIBLE} <= set(flags.tolist()):
        people.annotations = [_of_unknown_visibility(person) for person in people.annotations]
    return people.source("landmarks", LICENSE)


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
    people: SourceBuilder,
    pictures: Pictures,
    person: str,
    entry: dict[str, Any],
    skeletons: Mapping[Any, Mapping[int, str]],
) -> None:
    where = f"{people.file}, annotation {person}"
    try:
        image = referred(entry, "image_id", pictures.images)
        skeleton = skeletons[referred(entry, "category_id", skeletons)]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    picture = pictures.find(image)
    if not skeleton:
        people.skip("in a category without landmarks", picture, None)
        return
    try:
        if is_crowd(entry):
            people.skip("crowd", picture, box_xyxy(entry.get("bbox")))
            return
        points = _points(entry, skeleton)
        world = _world(entry.get("landmarks_world"))
        box = box_xyxy(entry.get("bbox"))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if not points[:, 2].any() and points[:, :2].any():
        people.skip("all keypoints flagged 0, not labelled", picture, box)
        return
    size = pictures.size(image)
    area = segment_area(entry)
    people.add(picture, person, *flagged(points), skeleton, box, world, image_size=size, area_px=area)


def _points(entry: dict[str, Any], skeleton: Mapping[int, str]) -> np.ndarray:
    points = triplets(entry.get("keypoints"), len(skeleton))
    if not np.isfinite(points).all() or not set(points[:, 2].tolist()) <= _FLAGS:
        _require_possible(points, skeleton)
    return points


def _require_possible(points: np.ndarray, skeleton: Mapping[int, str]) -> None:
    """Raise ValueError for the first point that cannot be; an unlabelled one may lie anywhere."""
    for index, (x, y, flag) in enumerate(points.tolist()):
        if flag not in _FLAGS:
            raise ValueError(f"{skeleton[index]} has visibility {flag:g}, expected 0, 1 or 2")
        if flag > 0 and not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"NaN or infinite coordinates of {skeleton[index]}")


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


def _image_roots(file: Path) -> list[Path]:
    """List the folders of pictures: beside the file, or where the labelling tools put them."""
    folder, subset = file.parent, file.stem.removeprefix("person_keypoints_")
    above = folder.parent / "images"
    return [folder, folder / "images", folder / "data", above / subset, above]
