"""Leeds Sports Pose and its extended training set: `images/` and `joints.mat`."""

import re
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.data.guide import guide_section
from blazepose.data.readers.files import require_file, require_folder
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.exceptions import InputError
from blazepose.file_content import check_file, unreadable
from blazepose.skeletons import LSP14, LSP14_NAMES
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = "Leeds Sports Pose (Extended): academic, without license text, images from Flickr; for research"

_KEYPOINTS = len(LSP14_NAMES)
_EXTENDED_PEOPLE = 10_000
_HEAD_TOP = LSP14_NAMES.index("head_top")
_ORIGINAL = {"train": set(range(1, 1001)), "test": set(range(1001, 2001))}
"""Image numbers of the original set. Source: Johnson and Everingham, BMVC 2010."""

_EXTENDED_VAL = Path(__file__).with_name("lspet_val.txt")
"""Image numbers of our validation people. Chosen: the authors of the extended set define no split; these 672
have hips, shoulders and at least 10 of the 14 joints, and the benchmarks of docs/ use them."""


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of the extended or the original set, or of a split; one person per image."""
    require_folder(path, "lsp")
    file = require_file(path / "joints.mat", "lsp")
    points, labelled, visibility = read_joints(file)
    names = _image_names(require_folder(path / "images", "lsp"))
    original = bool((visibility != UNKNOWN).any())
    paths = ImagePaths(file, "lsp", [path / "images"])
    builder = SourceBuilder(paths, topology)
    for number in _image_numbers(split, len(points), original, path):
        image = paths.find(names.get(number, f"im{number:0{4 if original else 5}d}.jpg"), number)
        person = number - 1
        builder.add(
            image,
            str(number),
            points[person],
            labelled[person],
            visibility[person],
            LSP14,
            head_top=_HEAD_TOP,
        )
    return builder.source("lsp", LICENSE)


def read_joints(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the joints of all people.

    The two sets differ in the order of their axes, and in the meaning of the third value: 1 is "occluded" in
    the original set, (3, 14, people), where every joint is labelled; 1 is "labelled" in the extended set,
    (14, 3, people), which has no occlusion labels.

    Returns:
        points (people, 14, 2) float32 pixels, labelled (people, 14) bool, visibility (people, 14) int8.

    Raises:
        ValueError: if it is not a joints.mat of one of them.
    """
    check_file(file, "a MATLAB file", f"see {guide_section('lsp')}")
    try:
        variables = loadmat(file)
    except Exception as error:  # scipy raises anything from IndexError to zlib.error for a damaged file
        newer = isinstance(error, NotImplementedError)
        step = "save it with MATLAB's option -v7" if newer else None
        raise unreadable(file, "a MATLAB file", error, step) from error
    if "joints" not in variables:
        names = ", ".join(name for name in variables if not name.startswith("__")) or "nothing"
        raise InputError(f"{file} holds {names}, not joints; see {guide_section('lsp')}")
    joints = np.atleast_3d(variables["joints"])
    if joints.dtype.kind not in "biuf":
        raise InputError(
            f"{file}: joints are of type {joints.dtype}, not numbers; see {guide_section('lsp')}"
        )
    joints = joints.astype(np.float32)
    if joints.shape[:2] == (_KEYPOINTS, 3):
        joints = joints.transpose(2, 0, 1)
        labelled = joints[..., 2] > 0
        return joints[..., :2], labelled, np.full(labelled.shape, UNKNOWN, np.int8)
    if joints.shape[:2] == (3, _KEYPOINTS):
        joints = joints.transpose(2, 1, 0)
        hidden = joints[..., 2] > 0
        return joints[..., :2], np.ones(hidden.shape, bool), np.where(hidden, HIDDEN, VISIBLE).astype(np.int8)
    raise InputError(f"{file}: joints has shape {joints.shape}, expected (14, 3, people) or (3, 14, people)")


def _image_numbers(split: str | None, people: int, original: bool, path: Path) -> list[int]:
    numbers = set(range(1, people + 1))
    if split is None:
        return sorted(numbers)
    splits = _ORIGINAL if original else _extended_splits(numbers)
    if split not in splits:
        raise InputError(f"{path} has no split {split!r}; it has {', '.join(splits)}")
    if not original and people < _EXTENDED_PEOPLE:
        raise InputError(
            f"{path} holds {people} people, not LSP-Extended's {_EXTENDED_PEOPLE} whose numbers make its "
            f"splits; omit :{split}"
        )
    return sorted(splits[split] & numbers)


def _extended_splits(numbers: set[int]) -> dict[str, set[int]]:
    val = {int(number) for number in _EXTENDED_VAL.read_text().split()}
    return {"train": numbers - val, "val": val}


def _image_names(folder: Path) -> dict[int, str]:
    """Map image numbers to file names: im0001.jpg in the original set, im00001.jpg in the extended one."""
    matches = (re.fullmatch(r"im(\d+)\.(jpg|png)", path.name, re.IGNORECASE) for path in folder.iterdir())
    return {int(match[1]): match[0] for match in matches if match}
