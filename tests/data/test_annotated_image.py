"""Images with all their people, as the detector uses them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blazepose.anchors import HIPS
from blazepose.data.annotated_image import group_by_image
from blazepose.data.annotation import Source
from blazepose.data.detector_dataset import describe_images
from tests.data.painted import STILL, dataset, painted_person
from tests.data.test_align import STANDING, person


def test_people_are_grouped_by_image():
    one, two, three = Path("one.jpg"), Path("two.jpg"), Path("three.jpg")
    headless = person({name: point for name, point in STANDING.items() if name != "nose"})
    people = [
        painted_person(one, 0, 0),
        painted_person(two, 0, 0),
        painted_person(one, 50, 0),
        replace(headless, image=one),
    ]
    ignored = {one: np.array([[1, 2, 3, 4]], np.float32), three: np.array([[5, 6, 7, 8]], np.float32)}
    unlabelled = [replace(headless, image=three)]
    source = Source("coco:x", "coco", [*people, *unlabelled], "", ignored_boxes=ignored)
    images = group_by_image([source], "data=")
    assert [(entry.image, len(entry.people)) for entry in images] == [(one, 2), (two, 1)]
    assert [box.points[HIPS].tolist() for box in images[0].people] == [[0, 0], [50, 0]]
    assert images[0].annotations == [people[0], people[2]]
    assert images[0].ignored_boxes.tolist() == [[85, 60, 115, 180], [1, 2, 3, 4]]
    assert images[1].ignored_boxes.shape == (0, 4)
    line = describe_images(dataset(images, STILL, negatives=[three]), dataset(images[1:], None))
    assert line == (
        "trained on 2 images with 3 people and 2 ignored boxes; "
        "validated on 1 images with 1 people and 0 ignored boxes; 1 negative images"
    )
    with pytest.raises(ValueError, match=r"^data=x: no person has hips, shoulders and head labelled"):
        group_by_image([Source("coco:x", "coco", unlabelled, "")], "data=x")
    with pytest.raises(ValueError, match=r"^data=x: halpe:y does not label every person in its images"):
        group_by_image([Source("halpe:y", "halpe", people, "", fully_annotated=False)], "data=x")
