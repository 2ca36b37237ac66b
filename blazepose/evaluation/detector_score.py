"""Whom a detector finds in whole pictures, against annotations."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.anchors import DEFAULT_MIN_SCORE, NUM_ALIGNMENT_POINTS, Detections
from blazepose.data.annotated_image import MIN_BOX_SIDE, AnnotatedImage
from blazepose.data.person_box import surrounding_box
from blazepose.image import read_image
from blazepose.metrics.detection import GroundTruth, detection_metrics, match_detections
from blazepose.runtime.person_detector import PersonDetector


def find_in_scenes(detector: PersonDetector, scenes: list[AnnotatedImage]) -> Mapping[str, float]:
    """The figures of metrics.detection over pictures.

    Args:
        detector: answering from metrics.detection.LEAST_SCORE on.
        scenes: pictures with labelled people.

    Raises:
        ImageError: if a picture cannot be read.
    """
    judged = []
    for scene in tqdm(scenes, unit=" images", desc="finding", disable=None):
        image = read_image(scene.image, scene.size)
        judged.append(match_detections(_answers(detector, image), _truth(scene, max(image.shape[:2]))))
    return detection_metrics(
        np.concatenate([one.answers for one in judged]), np.concatenate([one.people for one in judged])
    )


def false_alarms(detector: PersonDetector, pictures: list[Path]) -> float:
    """Share of people-free pictures in which somebody is found, per cent.

    Raises:
        ImageError: if a picture cannot be read.
    """
    bar = tqdm(pictures, unit=" images", desc="people-free", disable=None)
    alarms = [(_answers(detector, read_image(picture)).scores >= DEFAULT_MIN_SCORE).any() for picture in bar]
    return float(100 * np.mean(alarms))


def _answers(detector: PersonDetector, image: np.ndarray) -> Detections:
    found = detector(image)
    return Detections(
        np.array([one.score for one in found]),
        np.array([one.box_xyxy for one in found]).reshape(-1, 4),
        np.array([one.points_px for one in found]).reshape(-1, NUM_ALIGNMENT_POINTS, 2),
    )


def _truth(scene: AnnotatedImage, side: int) -> GroundTruth:
    """Who is in a picture that is seen as a square of this side, as in training."""
    pairs = list(zip(scene.people, scene.annotations, strict=True))
    people = [person for person, _ in pairs if person.side >= MIN_BOX_SIDE * side]
    small = [surrounding_box(annotation) for person, annotation in pairs if person.side < MIN_BOX_SIDE * side]
    return GroundTruth(
        np.array([(*person.center, person.side) for person in people]).reshape(-1, 3),
        np.array([person.points for person in people]).reshape(-1, NUM_ALIGNMENT_POINTS, 2),
        np.array([person.labelled for person in people], bool).reshape(-1, NUM_ALIGNMENT_POINTS),
        np.array([*scene.ignored_boxes, *small]).reshape(-1, 4),
    )
