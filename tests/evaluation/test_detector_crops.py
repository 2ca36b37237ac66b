"""Crops from the detector for labelled people."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.align import aligned_roi
from blazepose.evaluation.detector_crops import detector_file, match_rois, plan_detector_crops
from blazepose.geometry import Roi
from blazepose.image import ImageError
from blazepose.runtime.person_detector import Detection, PersonDetector
from tests.evaluation.crowd import person, source_of


def at(x: float, side: float = 100.0, y: float = 0.0) -> Roi:
    return Roi(float(x), float(y), float(side), 0.0)


@pytest.mark.parametrize(
    ("annotated", "detected", "matched"),
    [
        ([0, 60], [50, 20], [20, 50]),  # in any order
        ([0, 40], [22], [None, 22]),  # the nearer of two candidates
        ([0, 200], [5, 10], [5, None]),  # each person once
        ([0, 30], [12, -20], [12, None]),  # the nearest pair first, though both could be matched
        ([0], [25], [None]),  # a quarter of a side is too far
        ([0], [24], [24]),
        ([], [10], []),
        ([0, 60], [], [None, None]),
    ],
)
def test_nearest_pairs_first(annotated, detected, matched):
    expected = [None if x is None else at(x) for x in matched]
    assert match_rois([at(x) for x in annotated], [at(x) for x in detected]) == expected


def test_distance_is_in_sides_of_the_annotated_roi():
    assert match_rois([at(0, side=400)], [at(90, side=10)]) == [at(90, side=10)]
    assert match_rois([at(0, side=10)], [at(9, side=400)]) == [None]
    # 20 away from either, which is more for the smaller one.
    assert match_rois([at(0, side=100), at(40, side=200)], [at(20)]) == [None, at(20)]


def test_both_directions_count():
    assert match_rois([at(0)], [at(20, y=20)]) == [None]
    assert match_rois([at(0)], [at(15, y=15)]) == [at(15, y=15)]


class FixedDetector(PersonDetector):
    """A detector of the same places in every image, each with an ROI of 100."""

    def __init__(self, *places: tuple[float, float]) -> None:
        self.places = places
        self.images: list[np.ndarray] = []

    def __call__(self, image: np.ndarray) -> list[Detection]:
        self.images.append(image)
        points = [np.array([[x, y], [x, y - 40], [x, y], [x, y]], float) for x, y in self.places]
        return [Detection(0.9, np.zeros(4), place) for place in points]


def write_image(path: Path, value: int) -> Path:
    cv2.imwrite(str(path), np.full((120, 300, 3), value, np.uint8))
    return path


def test_a_missed_person_is_a_job_without_detection(tmp_path):
    one, two = write_image(tmp_path / "one.png", 10), write_image(tmp_path / "two.png", 20)
    people = [
        person(one, 0, (60.0, 60.0), 40, 0.0),
        person(two, 1, (200.0, 60.0), 40, 0.0),
        person(one, 2, (200.0, 60.0), 40, 0.0),
        person(one, 3, (130.0, 60.0), 40, 0.0),
    ]
    detector = FixedDetector((215.0, 60.0), (60.0, 70.0))
    jobs = plan_detector_crops([source_of(people)], detector)
    assert [int(image[0, 0, 0]) for image in detector.images] == [10, 20]
    by_person = {int(job.annotation.person): job for job in jobs}
    assert len(jobs) == 4
    assert {number: job.detected for number, job in by_person.items()} == {
        0: True,
        1: True,
        2: True,
        3: False,
    }
    assert by_person[0].roi == pytest.approx(Roi(60, 70, 100, 0))
    assert by_person[2].roi == by_person[1].roi == pytest.approx(Roi(215, 60, 100, 0))
    assert by_person[3].roi == aligned_roi(people[3])
    assert {job.reader for job in jobs} == {"lsp"}
    assert {job.min_presence for job in jobs} == {0.5}, "the default of the runtime"


def test_people_of_two_sources_in_one_image_are_matched_separately(tmp_path):
    path = write_image(tmp_path / "one.png", 10)
    sources = [
        source_of([person(path, 0, (60.0, 60.0), 40, 0.0)]),
        source_of([person(path, 0, (62.0, 60.0), 40, 0.0)], name="coco:here", reader="coco"),
    ]
    jobs = plan_detector_crops(sources, FixedDetector((60.0, 60.0)))
    assert [(job.reader, job.detected) for job in jobs] == [("lsp", True), ("coco", True)]


def test_no_people_duplicates_and_missing_images_are_refused(tmp_path):
    path = write_image(tmp_path / "one.png", 10)
    labelled = person(path, 0, (60.0, 60.0), 40, 0.0)
    with pytest.raises(ValueError, match="no person in lsp:here has both hips and both shoulders labelled"):
        plan_detector_crops([source_of([])], FixedDetector())
    with pytest.raises(ValueError, match="are both person 0"):
        plan_detector_crops([source_of([labelled, labelled])], FixedDetector())
    with pytest.raises(ImageError, match=r"gone\.png is missing"):
        plan_detector_crops(
            [source_of([person(tmp_path / "gone.png", 0, (60.0, 60.0), 40, 0.0)])], FixedDetector()
        )


def test_weights_without_a_detector_need_one(tmp_path):
    with pytest.raises(
        ValueError, match=r"roi=detector: own\.onnx contains no detector; name one with detector=FILE"
    ):
        detector_file(None, Path("own.onnx"))
