"""Contact sheet of rendered people with their labels."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from blazepose.atomic import atomic_path
from blazepose.exceptions import FileError
from blazepose.image import read_image
from blazepose.runtime.draw import draw_pose
from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.labels import HIDDEN_FLAG

_COLUMNS, _ROWS = 8, 6
_TILE = 256
_TINT = np.array([255, 255, 0])


def draw_preview(split: Split, file: Path) -> None:
    """Write a sheet of people spread over a split: the image, and beside it the image with labels and mask.

    Red rings are landmarks that are hidden or outside the image; the mask is tinted yellow.
    """
    labels = json.loads(split.labels.read_text())
    people: dict[int, list[dict[str, Any]]] = {}
    for person in labels["annotations"]:
        people.setdefault(person["image_id"], []).append(person)
    images = labels["images"]
    picks = np.unique(np.linspace(0, len(images) - 1, _ROWS * _COLUMNS // 2).astype(int))
    tiles = []
    for pick in picks:
        plain = read_image(split.path / "images" / images[pick]["file_name"])
        tiles += [_fit(plain), _fit(_draw_labels(plain, people.get(images[pick]["id"], [])))]
    tiles += [np.zeros((_TILE, _TILE, 3), np.uint8)] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[k : k + _COLUMNS]) for k in range(0, len(tiles), _COLUMNS)]
    with atomic_path(file) as part:
        if not cv2.imwrite(str(part), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)):
            raise FileError(f"{file} cannot be written; choose another --preview")


def _fit(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_AREA)


def _draw_labels(image: np.ndarray, people: list[dict[str, Any]]) -> np.ndarray:
    drawn = image.copy()
    for person in people:
        mask = coco_mask.decode(person["segmentation"]).astype(bool)
        drawn[mask] = (0.7 * drawn[mask] + 0.3 * _TINT).astype(np.uint8)
    for person in people:
        keypoints = np.array(person["keypoints"]).reshape(-1, 3)
        drawn = draw_pose(drawn, keypoints[:, :2], np.ones(len(keypoints), bool))
        for x, y, flag in keypoints:
            if flag == HIDDEN_FLAG:
                cv2.circle(drawn, (round(x), round(y)), 4, (255, 0, 0), 1, cv2.LINE_AA)
    return drawn
