"""Users' own labels: COCO keypoint JSON whose keypoints are any subset of the 33 landmarks, or of others.

data/README.md#landmarks describes the exports of CVAT, FiftyOne and Label Studio, and their image folders.
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
from blazepose.data.guide import guide_section
from blazepose.data.readers.coco_json import (
    ImageTable,
    box_xyxy,
    flagged_keypoints,
    index_by_id,
    is_crowd,
    referenced_id,
    require_lists,
    segment_area,
    triplets,
)
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = "own labels: no license recorded"

_FLAGS = {0, 1, 2}
"""COCO's visibility flags: unlabelled, hidden, visible."""


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read all people with keypoints in one JSON file.

    Its names are those of the topology, and of MediaPipe's landmarks, of which an upper body has a part.

    Raises:
        FileNotFoundError: if the file or images are missing.
        ValueError: for invalid labels; the message names the file and the annotation.
    """
    if split is not None:
        raise InputError(f"landmarks:{path} has no splits, each is a separate file; omit :{split}")
    data = read_json(path, "landmarks")
    if isinstance(data, dict):
        data.setdefault("annotations", [])  # FiftyOne omits it where nothing is labelled
    require_lists(data, ("images", "categories", "annotations"), path)
    categories = index_by_id(data["categories"], "category", path)
    known = tuple(dict.fromkeys(topology.landmarks + FULL_BODY.landmarks))
    names_by_category = {key: _names(category, path) for key, category in categories.items()}
    if any(set(names) & set(known) for names in names_by_category.values()):
        # A barbell has keypoints too: beside a person's category, one without a landmark name is no person.
        names_by_category = {
            key: names if any(_resembles_landmark(name, known) for name in names) else []
            for key, names in names_by_category.items()
        }
    skeletons = {key: _skeleton(names, known, path) for key, names in names_by_category.items()}
    if data["annotations"] and not any(skeletons.values()):
        raise InputError(
            f"{path}: no category lists the names of its keypoints; see {guide_section('landmarks')} for how "
            "each tool writes them"
        )
    images = ImageTable(data["images"], ImagePaths(path, "landmarks", _image_roots(path)))
    builder = SourceBuilder(images.paths, topology)
    for entry in index_by_id(data["annotations"], "annotation", path).values():
        _add(builder, images, str(entry["id"]), entry, skeletons)
    # Many tools write one flag for every point, 2 or 1; only a file with both distinguishes hidden points.
    flags = np.unique([person.visibility for person in builder.annotations])
    if not {HIDDEN, VISIBLE} <= set(flags.tolist()):
        builder.annotations = [_with_unknown_visibility(person) for person in builder.annotations]
    return builder.source("landmarks", LICENSE)


def _names(category: dict[str, Any], file: Path) -> list[str]:
    if not isinstance(category.get("keypoints"), list | array | None):  # read_json packs []
        raise InputError(f"{file}: the keypoints of category {category['id']} are not a list of names")
    return ["_".join(re.findall(r"[^-_\s]+", str(name).lower())) for name in category.get("keypoints") or []]


def _resembles_landmark(name: str, known: tuple[str, ...]) -> bool:
    """Return whether a name is a landmark or nearly one (lft_hip), unlike the left_end of a barbell."""
    bare = [_without_side(landmark) for landmark in known]
    return bool(
        difflib.get_close_matches(_without_side(name), bare, cutoff=0.75)
        or difflib.get_close_matches(name, known, cutoff=0.9)
    )


def _without_side(name: str) -> str:
    return re.sub(r"^(left|right)_?|_?(left|right)$", "", name)


def _skeleton(names: list[str], known: tuple[str, ...], file: Path) -> Mapping[int, str]:
    """Return {position in the annotation: landmark name}."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise InputError(
                f"{file}: unknown landmark {name!r}{hint}; the {len(known)} are {', '.join(known)}"
            )
        if names.count(name) > 1:
            raise InputError(f"{file}: a category lists {name!r} twice")
    return dict(enumerate(names))


def _add(
    builder: SourceBuilder,
    images: ImageTable,
    person: str,
    entry: dict[str, Any],
    skeletons: Mapping[Any, Mapping[int, str]],
) -> None:
    location = f"{builder.file}, annotation {person}"
    try:
        image = referenced_id(entry, "image_id", images.images)
        skeleton = skeletons[referenced_id(entry, "category_id", skeletons)]
    except ValueError as error:
        raise InputError(f"{location}: {error}") from error
    image_path = images.find(image)
    if not skeleton:
        builder.skip("in a category without landmarks", image_path, None)
        return
    try:
        if is_crowd(entry):
            builder.skip("crowd", image_path, box_xyxy(entry.get("bbox")))
            return
        points = _points(entry, skeleton)
        world = _world(entry.get("landmarks_world"))
        box = box_xyxy(entry.get("bbox"))
    except ValueError as error:
        raise InputError(f"{location}: {error}") from error
    if not points[:, 2].any() and points[:, :2].any():
        builder.skip("all keypoints flagged 0, not labelled", image_path, box)
        return
    size = images.size(image)
    area = segment_area(entry)
    builder.add(
        image_path, person, *flagged_keypoints(points), skeleton, box, world, image_size=size, area_px=area
    )


def _points(entry: dict[str, Any], skeleton: Mapping[int, str]) -> np.ndarray:
    points = triplets(entry.get("keypoints"), len(skeleton))
    if not np.isfinite(points).all() or not set(points[:, 2].tolist()) <= _FLAGS:
        _require_valid(points, skeleton)
    return points


def _require_valid(points: np.ndarray, skeleton: Mapping[int, str]) -> None:
    """Raise ValueError for the first invalid point; unlabelled points may have any coordinates."""
    for index, (x, y, flag) in enumerate(points.tolist()):
        if flag not in _FLAGS:
            raise InputError(f"{skeleton[index]} has visibility {flag:g}, expected 0, 1 or 2")
        if flag > 0 and not (math.isfinite(x) and math.isfinite(y)):
            raise InputError(f"NaN or infinite coordinates of {skeleton[index]}")


def _world(rows: Any) -> np.ndarray | None:
    """Parse world landmarks to float32 (33, 3), meters, FULL_BODY's order; NaN where a row is null."""
    if rows is None:
        return None
    try:
        valid = [row is not None for row in rows]
        world = np.array([row or [np.nan] * 3 for row in rows], np.float32)
    except (TypeError, ValueError):
        world, valid = np.empty(0, np.float32), []
    if world.shape != (FULL_BODY.num_landmarks, 3) or not np.isfinite(world[valid]).all():
        raise InputError(
            f"landmarks_world is not {FULL_BODY.num_landmarks} rows of 3 finite numbers (or null)"
        )
    return world


def _with_unknown_visibility(person: Annotation) -> Annotation:
    return replace(person, visibility=np.full_like(person.visibility, UNKNOWN))


def _image_roots(file: Path) -> list[Path]:
    """List the image folders: beside the file, or where the labelling tools put them."""
    folder, subset = file.parent, file.stem.removeprefix("person_keypoints_")
    parent_images = folder.parent / "images"
    return [folder, folder / "images", folder / "data", parent_images / subset, parent_images]
