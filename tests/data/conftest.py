"""Images with painted people, and without people."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.annotated_image import AnnotatedImage, group_by_image
from blazepose.data.annotation import Source
from tests.data.painted import BLUE, MAGENTA, RED, paint, painted_person


@pytest.fixture(scope="module")
def two_people(tmp_path_factory) -> AnnotatedImage:
    """A red and a blue head in a gray image of 400x300, and a crowd on the right."""
    path = tmp_path_factory.mktemp("images") / "two.png"
    people = [painted_person(path, 120, 150), painted_person(path, 260, 170)]
    pixels = np.full((300, 400, 3), 128, np.uint8)
    for annotation, color in zip(people, (RED, BLUE), strict=True):
        paint(pixels, annotation, color)
    cv2.imwrite(str(path), pixels[..., ::-1])
    crowd = {path: np.array([[350, 100, 390, 140]], np.float32)}
    (image,) = group_by_image([Source("coco:x", "coco", people, "", ignored_boxes=crowd)], "data=")
    return image


@pytest.fixture(scope="module")
def wall(tmp_path_factory) -> Path:
    """A negative image, magenta all over."""
    path = tmp_path_factory.mktemp("walls") / "wall.png"
    cv2.imwrite(str(path), np.full((90, 120, 3), MAGENTA, np.uint8))
    return path
