"""A tiny rendered set: bright people with all labels, in the layout of blazepose.synthetic."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from blazepose.topologies.full_body import EDGES, INDEX, LANDMARKS, MIRROR

SIZE = (160, 200)
"""Width and height of the images."""

# Upright and facing the camera, left half, in units of the figure's height.
_LEFT_HALF = {
    "nose": (0.0, 0.10),
    "left_eye_inner": (0.01, 0.08),
    "left_eye": (0.02, 0.08),
    "left_eye_outer": (0.03, 0.08),
    "left_ear": (0.05, 0.09),
    "mouth_left": (0.02, 0.13),
    "left_shoulder": (0.13, 0.22),
    "left_elbow": (0.22, 0.37),
    "left_wrist": (0.28, 0.50),
    "left_pinky": (0.31, 0.53),
    "left_index": (0.30, 0.54),
    "left_thumb": (0.28, 0.53),
    "left_hip": (0.08, 0.53),
    "left_knee": (0.10, 0.75),
    "left_ankle": (0.10, 0.93),
    "left_heel": (0.09, 0.96),
    "left_foot_index": (0.13, 0.97),
}


def rendered_person(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a person: image (200, 160, 3) uint8, person mask bool (200, 160), landmarks (33, 2) pixels."""
    points = np.zeros((len(LANDMARKS), 2))
    for name, (x, y) in _LEFT_HALF.items():
        points[INDEX[name]], points[MIRROR[INDEX[name]]] = (x, y), (-x, y)
    width, height = SIZE
    points = points + rng.normal(0, 0.005, points.shape)
    points = (points - [0, 0.5]) * 0.8 * height + [width / 2, height / 2] + rng.uniform(-4, 4, 2)
    rounded = np.rint(points).astype(np.int32)
    person = np.zeros((height, width), np.uint8)
    torso = [INDEX[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    cv2.fillPoly(person, [rounded[torso]], 1)
    cv2.circle(person, rounded[INDEX["nose"]].tolist(), height // 16, 1, -1)
    for a, b in EDGES:
        cv2.line(person, rounded[a].tolist(), rounded[b].tolist(), 1, 9)
    image = np.full((height, width, 3), rng.integers(0, 60, 3), np.uint8)
    image[person > 0] = rng.integers(190, 256, 3)
    return image, person > 0, points


def annotation(number: int, points: np.ndarray, person: np.ndarray) -> dict[str, Any]:
    """Return the entry of a person with a hidden left wrist, in the image of the same number."""
    flags = np.full(len(points), 2)
    flags[INDEX["left_wrist"]] = 1
    mask = coco_mask.encode(np.asfortranarray(person.astype(np.uint8)))
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "keypoints": np.column_stack([points, flags]).ravel().tolist(),
        "num_keypoints": len(points),
        "bbox": cv2.boundingRect(person.astype(np.uint8)),
        "iscrowd": 0,
        "segmentation": {"size": mask["size"], "counts": mask["counts"].decode()},
        "z_px": np.linspace(-20, 20, len(points)).tolist(),
        "landmarks_world": np.column_stack([points / 100, np.linspace(-0.2, 0.2, len(points))]).tolist(),
        "attributes": {"age": "adult"},
    }


def write_rendered(folder: Path, people: int, seed: int = 0) -> Path:
    """Write a set of `people` in `train`, half as many in `val`, and a negative image."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", people), ("val", people // 2)):
        images, annotations = folder / split / "images", []
        images.mkdir(parents=True)
        for number in range(count):
            image, person, points = rendered_person(rng)
            cv2.imwrite(str(images / f"{number:06d}.jpg"), image)
            annotations.append(annotation(number, points, person))
        write_labels(folder / split, annotations)
    (folder / "train" / "negatives").mkdir()
    cv2.imwrite(str(folder / "train" / "negatives" / "000000.jpg"), np.full((120, 120, 3), 80, np.uint8))
    return folder


def write_labels(folder: Path, entries: list[dict[str, Any]], **changes: Any) -> None:
    """Write the labels.json of a split, with an image for every annotation."""
    width, height = SIZE
    ids = [entry["image_id"] for entry in entries]
    images = [{"id": i, "file_name": f"{i:06d}.jpg", "width": width, "height": height} for i in ids]
    category = {"id": 1, "name": "person", "keypoints": list(LANDMARKS)}
    content = {"images": images, "categories": [category], "annotations": entries} | changes
    (folder / "labels.json").write_text(json.dumps(content))
