from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.annotation import Source
from tests.evaluation.crowd import NAMED, POSE, person, source_of


@pytest.fixture
def pose_roi() -> np.ndarray:
    """The pose in its aligned crop: the farthest point is 1 / 2.5 from the center."""
    points = np.full((33, 2), 0.5)
    points[NAMED] = 0.5 + np.array(list(POSE.values())) / 2.5
    return points


@pytest.fixture
def crowd(tmp_path: Path) -> Source:
    """Seven people in seven images: the same pose in different sizes and angles."""
    people = []
    for k in range(7):
        image = tmp_path / "images" / f"im{k}.png"
        image.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(image), np.random.default_rng(k).integers(0, 256, (120, 160, 3), np.uint8))
        people.append(person(image, k, (60 + 5 * k, 50.0), radius=20 + 3 * k, turn=k - 3))
    return source_of(people)
