"""People cut off at the waist, as in front of a desk camera: a copy of a data set with smaller pictures.

python benchmarks/waist.py lsp:data/lspet_val data/lspet_val_waist
python benchmarks/waist.py lsp:data/lspet_val data/lspet_val_waist_all --outside  # keep labels outside

Each person gets a picture of their own, cut across the torso at 0.8 of the way from mid-shoulder to mid-hip,
on the side of the picture where the hips are, and only labels inside it. People are left out whose shoulders
or head are then outside. The result of an LSP folder is another one, that of other data sets a labels.json
for the landmarks reader.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.io import savemat
from tqdm import tqdm

from blazepose.atomic import atomic_path
from blazepose.data.align import alignment_error, head_top
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError
from blazepose.image import read_image, write_image
from blazepose.skeletons import LSP14, LSP14_NAMES
from blazepose.topologies.full_body import (
    INDEX,
    LANDMARKS,
    LEFT_HIP,
    LEFT_SHOULDER,
    RIGHT_HIP,
    RIGHT_SHOULDER,
)

_SHARE = 0.8
"""Place of the cut, from mid-shoulder (0) to mid-hip (1). Chosen: hips are outside, the chest is inside."""

_MIN_SIDE_PX = 32
"""Smallest side of a picture. Chosen."""


def cut_frame(person: Annotation, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the picture that is left of an image, pixels."""
    points = person.landmarks_px.astype(np.float64)
    shoulders, hips = points[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0), points[[LEFT_HIP, RIGHT_HIP]].mean(0)
    down = hips - shoulders
    axis = int(abs(down[1]) >= abs(down[0]))
    place = round(float(shoulders[axis] + _SHARE * down[axis]))
    frame = [0, 0, width, height]
    frame[axis + 2 * int(down[axis] > 0)] = int(np.clip(place, 0, (width, height)[axis]))
    return frame[0], frame[1], frame[2], frame[3]


def cut_person(person: Annotation, outside: bool) -> tuple[tuple[int, int, int, int], np.ndarray] | None:
    """Return the frame, and the labelled landmarks, then the head top (34,) bool; None to leave a person out.

    Args:
        person: with hips and shoulders.
        outside: keep the labels outside the frame.
    """
    height, width = read_image(person.image, person.image_size).shape[:2]
    frame, head = cut_frame(person, width, height), head_top(person)
    if head is None or min(frame[2] - frame[0], frame[3] - frame[1]) < _MIN_SIDE_PX:
        return None
    points = np.vstack([person.landmarks_px, head])
    inside = ((points >= frame[:2]) & (points < frame[2:])).all(axis=1)
    if not inside[[LEFT_SHOULDER, RIGHT_SHOULDER, -1]].all():
        return None
    labelled = np.append(person.labelled, person.head_top_px is not None)
    return frame, labelled if outside else inside & labelled


def write_cut(spec: str, target: Path, outside: bool) -> tuple[int, int]:
    """Write the cut data set; return the number of people in it, and of those left out."""
    if target.exists():
        raise ExistingFileError(f"{target} exists; choose another folder, or delete it first")
    source = read_source(spec)
    people = [person for person in source.annotations if alignment_error(person) is None]
    rows = []
    with atomic_path(target) as part:
        (part / "images").mkdir(parents=True)
        for person in tqdm(people, desc="people", disable=None):
            if (cut := cut_person(person, outside)) is None:
                continue
            (left, top, right, bottom), labelled = cut
            head = np.zeros(2) if person.head_top_px is None else person.head_top_px
            points = np.vstack([person.landmarks_px, [head]]) - (left, top)
            rows.append(np.column_stack([np.where(labelled[:, None], points, 0), labelled]))
            image = read_image(person.image, person.image_size)[top:bottom, left:right]
            suffix = "jpg" if source.reader == "lsp" else "png"
            write_image(part / "images" / f"im{len(rows):05d}.{suffix}", image)
        (_write_lsp if source.reader == "lsp" else _write_json)(part, np.array(rows))
    return len(rows), len(source.annotations) - len(rows)


def _write_lsp(folder: Path, rows: np.ndarray) -> None:
    joints = np.zeros((len(LSP14_NAMES), 3, len(rows)))
    for k, name in LSP14.items():
        joints[k] = rows[:, INDEX[name]].T
    joints[LSP14_NAMES.index("head_top")] = rows[:, len(LANDMARKS)].T
    savemat(folder / "joints.mat", {"joints": joints})


def _write_json(folder: Path, rows: np.ndarray) -> None:
    images = [{"id": k, "file_name": f"im{k:05d}.png"} for k in range(1, len(rows) + 1)]
    flags = rows[:, : len(LANDMARKS)] * [1, 1, 2]
    annotations = [
        {"id": k, "image_id": k, "category_id": 1, "keypoints": points.round(2).ravel().tolist()}
        for k, points in enumerate(flags, start=1)
    ]
    category = {"id": 1, "name": "person", "keypoints": list(LANDMARKS)}
    content = {"images": images, "categories": [category], "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(content))


@friendly_errors
def main() -> None:
    """Write the data set, and print its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", help="reader:path[:split]")
    parser.add_argument("target", type=Path, help="new folder")
    parser.add_argument("--outside", action="store_true", help="keep the labels outside the picture")
    args = parser.parse_args()
    kept, left_out = write_cut(args.source, args.target, args.outside)
    print(f"{args.target}: {kept} people, {left_out} left out")


if __name__ == "__main__":
    main()
