"""Who is in a picture, as the detector learns it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blazepose.anchors import HIPS
from blazepose.data.annotated_image import group_by_image
from blazepose.data.annotation import Source
from blazepose.data.detector_dataset import describe_scenes
from tests.data.painted import STILL, dataset, somebody
from tests.data.test_align import STANDING, person


def test_scenes_gather_the_people_of_a_picture():
    one, two, three = Path("one.jpg"), Path("two.jpg"), Path("three.jpg")
    headless = person({name: point for name, point in STANDING.items() if name != "nose"})
    people = [somebody(one, 0, 0), somebody(two, 0, 0), somebody(one, 50, 0), replace(headless, image=one)]
    others = {one: np.array([[1, 2, 3, 4]], np.float32), three: np.array([[5, 6, 7, 8]], np.float32)}
    nobody = [replace(headless, image=three)]
    found = group_by_image([Source("coco:x", "coco", [*people, *nobody], "", others=others)], "data=")
    assert [(scene.image, len(scene.people)) for scene in found] == [(one, 2), (two, 1)]
    assert [box.points[HIPS].tolist() for box in found[0].people] == [[0, 0], [50, 0]]
    assert found[0].annotations == [people[0], people[2]]
    assert found[0].others.tolist() == [[85, 60, 115, 180], [1, 2, 3, 4]]
    assert found[1].others.shape == (0, 4)
    said = describe_scenes(dataset(found, STILL, negatives=[three]), dataset(found[1:], None))
    assert said == (
        "trained on 2 pictures, 3 people and 2 neither right nor wrong; "
        "validated on 1 pictures, 1 people and 0 neither right nor wrong; 1 people-free pictures"
    )
    with pytest.raises(ValueError, match=r"^data=x: nobody has hips, shoulders and head labelled"):
        group_by_image([Source("coco:x", "coco", nobody, "")], "data=x")
    with pytest.raises(ValueError, match=r"^data=x: halpe:y does not annotate everybody in its pictures"):
        group_by_image([Source("halpe:y", "halpe", people, "", everybody=False)], "data=x")
