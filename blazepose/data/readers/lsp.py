"""Leeds Sports Pose and its extended training set: `images/` and `joints.mat`."""

import re
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.data.readers.files import require_file, require_folder
from blazepose.data.readers.people import People
from blazepose.topology import LSP14, LSP14_NAMES

LICENCE = "Leeds Sports Pose (Extended): academic, without licence text, pictures from Flickr; for research"

_KEYPOINTS = len(LSP14_NAMES)
_HEAD_TOP = LSP14_NAMES.index("head_top")
_SPLITS = {"train": range(1, 1001), "test": range(1001, 2001)}
"""Image numbers of the original set. Source: Johnson and Everingham, BMVC 2010."""


def read(path: Path, split: str | None) -> Source:
    """Everybody of the extended set, or of the original one or its split; one person a picture."""
    require_folder(path, "lsp")
    file = require_file(path / "joints.mat", "lsp")
    points, labelled, visibility = read_joints(file)
    names = _image_names(require_folder(path / "images", "lsp"))
    original = bool((visibility != UNKNOWN).any())
    people = People(file, "lsp")
    for number in _numbers(split, len(points), original, path):
        image = path / "images" / names.get(number, f"im{number:0{4 if original else 5}d}.jpg")
        person = number - 1
        people.add(
            image,
            str(number),
            points[person],
            labelled[person],
            visibility[person],
            LSP14,
            head_top=_HEAD_TOP,
        )
    return people.source("lsp", LICENCE)


def read_joints(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The joints of everybody.

    The two sets differ in the order of their axes, and in what the third value says: 1 is "occluded" in the
    original set, (3, 14, people), where every joint is labelled; 1 is "labelled" in the extended set,
    (14, 3, people), which says nothing of occlusion.

    Returns:
        points (people, 14, 2) float32 pixels, labelled (people, 14) bool, visibility (people, 14) int8.

    Raises:
        ValueError: if it is not such a file.
    """
    try:
        joints = np.atleast_3d(loadmat(file)["joints"]).astype(np.float32)
    except Exception as error:  # scipy raises anything from KeyError to zlib.error for a damaged file
        raise ValueError(f"{file} is not a joints.mat, or is cut off; see data/README.md#lsp") from error
    if joints.shape[:2] == (_KEYPOINTS, 3):
        joints = joints.transpose(2, 0, 1)
        labelled = joints[..., 2] > 0
        return joints[..., :2], labelled, np.full(labelled.shape, UNKNOWN, np.int8)
    if joints.shape[:2] == (3, _KEYPOINTS):
        joints = joints.transpose(2, 1, 0)
        hidden = joints[..., 2] > 0
        return joints[..., :2], np.ones(hidden.shape, bool), np.where(hidden, HIDDEN, VISIBLE).astype(np.int8)
    raise ValueError(f"{file}: joints has shape {joints.shape}, expected (14, 3, people) or (3, 14, people)")


def _numbers(split: str | None, people: int, original: bool, path: Path) -> range:
    if split is None:
        return range(1, people + 1)
    if not original:
        raise ValueError(f"{path} is LSP-Extended, which has no splits; leave :{split} away")
    if split not in _SPLITS:
        raise ValueError(f"{path} has no split {split!r}; it has {', '.join(_SPLITS)}")
    numbers = _SPLITS[split]
    return range(numbers.start, min(numbers.stop, people + 1))


def _image_names(folder: Path) -> dict[int, str]:
    """File name of each image number: im0001.jpg in the original set, im00001.jpg in the extended one."""
    matches = (re.fullmatch(r"im(\d+)\.(jpg|png)", path.name) for path in folder.iterdir())
    return {int(match[1]): match[0] for match in matches if match}
