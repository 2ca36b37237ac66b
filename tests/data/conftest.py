"""Pictures with painted people, and without."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.annotated_image import AnnotatedImage, group_by_image
from blazepose.data.annotation import Source
from tests.data.painted import BLUE, MAGENTA, RED, paint, somebody


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> AnnotatedImage:
    """A red and a blue head in a grey picture of 400x300, and a crowd on the right."""
    path = tmp_path_factory.mktemp("scene") / "two.png"
    people = [somebody(path, 120, 150), somebody(path, 260, 170)]
    image = np.full((300, 400, 3), 128, np.uint8)
    for annotation, color in zip(people, (RED, BLUE), strict=True):
        paint(image, annotation, color)
    cv2.imwrite(str(path), image[..., ::-1])
    crowd = {path: np.array([[350, 100, 390, 140]], np.float32)}
    (found,) = group_by_image([Source("coco:x", "coco", people, "", others=crowd)], "data=")
    return found


@pytest.fixture(scope="module")
def wall(tmp_path_factory) -> Path:
    """A people-free picture, magenta all over."""
    path = tmp_path_factory.mktemp("walls") / "wall.png"
    cv2.imwrite(str(path), np.full((90, 120, 3), MAGENTA, np.uint8))
    return path
