"""Landmarks in a CSV file: `image,person,landmark,x,y`, a line per point, images beside the file."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from blazepose.data.annotation import UNKNOWN, Source
from blazepose.data.readers.files import require_file
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_text
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topologies.full_body import INDEX, LANDMARKS, NUM_LANDMARKS
from blazepose.topology import Topology

LICENSE = "labels of the user"

_COLUMNS = {"image", "person", "landmark", "x", "y"}
_SKELETON = dict(enumerate(LANDMARKS))
"""{index of the keypoint in this format: landmark name}; here both orders are the same."""


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of a CSV file.

    Raises:
        FileNotFoundError: if the file or an image is missing.
        ValueError: if a split is named, a column is missing, or a value is not what its column holds.
    """
    if split:
        raise InputError(f"{path} has no splits; omit :{split}")
    builder = SourceBuilder(ImagePaths(path, "points_csv", [path.parent]), topology)
    unknown = np.full(NUM_LANDMARKS, UNKNOWN, np.int8)  # the format has no visibility
    for (image, person), points in _people(path).items():
        keypoints, labelled = np.zeros((NUM_LANDMARKS, 2), np.float32), np.zeros(NUM_LANDMARKS, bool)
        for landmark, point in points.items():
            keypoints[INDEX[landmark]], labelled[INDEX[landmark]] = point, True
        builder.add(builder.paths.find(image, image), person, keypoints, labelled, unknown, _SKELETON)
    return builder.source("points_csv", LICENSE)


def _people(path: Path) -> dict[tuple[str, str], dict[str, tuple[float, float]]]:
    """Return {(image, person): {landmark: (x, y)}}."""
    lines = csv.DictReader(read_text(require_file(path, "points_csv")).splitlines())
    if missing := _COLUMNS - set(lines.fieldnames or ()):
        columns = ", ".join(sorted(missing))
        raise InputError(f"{path} lacks the columns {columns}; see data/README.md#points_csv")
    people: defaultdict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in lines:
        if row["landmark"] not in LANDMARKS:
            names = ", ".join(LANDMARKS)
            raise InputError(f"{path}: unknown landmark {row['landmark']!r}; the landmarks are {names}")
        try:
            people[row["image"], row["person"]][row["landmark"]] = float(row["x"]), float(row["y"])
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}, line {lines.line_num}: x or y is not a number ({error})") from error
    return people
