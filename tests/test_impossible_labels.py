"""Impossible labels of a user's file in training, validation and evaluation."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.config.landmark import PersonFilter
from blazepose.data.datamodule import describe_sources, read_filtered
from blazepose.data.filters import EVALUATION_FILTER
from blazepose.data.readers import read_source
from blazepose.evaluation.predict import plan_label_crops
from blazepose.topologies.full_body import INDEX, LANDMARKS

SIZE = 900, 480
BODY = np.random.default_rng(0).uniform((100, 100), (300, 400), (len(LANDMARKS), 2))
WRIST = INDEX["left_wrist"]

KINDS = {
    "corner": ((0, 0), "at (0, 0) or (1, 1)"),
    "far": ((-90_000, 300), "many body lengths away"),
    "repeated": ((320, 240), "at one place in many images"),
}
"""Place of the label of the left wrist, and part of the log message."""


def write(folder: Path, bodies: list[np.ndarray]) -> str:
    """Write people, one per image, and return the spec of the source."""
    images, annotations = [], []
    for k, body in enumerate(bodies):
        cv2.imwrite(str(folder / f"{k}.png"), np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
        images.append({"id": k, "file_name": f"{k}.png"})
        keypoints = np.column_stack([body, np.full(len(body), 2)]).ravel().tolist()
        annotations.append({"id": k, "image_id": k, "category_id": 1, "keypoints": keypoints})
    category = {"id": 1, "name": "person", "keypoints": list(LANDMARKS)}
    file = folder / "labels.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    return f"landmarks:{file}"


def bodies_with(kind: str) -> list[np.ndarray]:
    bodies = [BODY + np.array([60 * k, 0]) for k in range(8)]
    for body in bodies:
        body[WRIST] = KINDS[kind][0]
    return bodies


@pytest.mark.parametrize("kind", KINDS)
def test_training_validation_and_evaluation_use_the_same_points(tmp_path, kind):
    spec = write(tmp_path, bodies_with(kind))
    train, val = read_filtered(spec, PersonFilter()), read_filtered(spec, EVALUATION_FILTER)
    test = [job.annotation for job in plan_label_crops([read_source(spec)], "annotation", 0)]
    for people in (train[0].annotations, val[0].annotations, test):
        assert len(people) == 8
        assert all(np.flatnonzero(~person.labelled).tolist() == [WRIST] for person in people)
    log = "\n".join(describe_sources(train, val))
    assert log.count("8 points of 8 people") == 2
    assert KINDS[kind][1] in log


@pytest.mark.parametrize(("scale", "unit"), [(1, "from 0 to 1"), (100, "in percent")])
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda spec: read_filtered(spec, PersonFilter()), id="train"),
        pytest.param(lambda spec: read_filtered(spec, EVALUATION_FILTER), id="val"),
        pytest.param(read_source, id="test"),
    ],
)
def test_labels_not_in_pixels_are_refused_everywhere(tmp_path, scale, unit, read):
    spec = write(tmp_path, [BODY / SIZE * scale] * 3)
    with pytest.raises(ValueError, match=f"^landmarks:.*labels.json: the labels are {unit}, not in pixels"):
        read(spec)
