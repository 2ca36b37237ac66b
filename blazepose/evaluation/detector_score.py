"""Scores of a person detector on whole images, against annotations."""

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


def score_detector(detector: PersonDetector, images: list[AnnotatedImage]) -> Mapping[str, float]:
    """Compute metrics.detection.detection_metrics over images.

    Args:
        detector: detector with a score threshold of metrics.detection.LEAST_SCORE.
        images: images with labelled people.

    Raises:
        ImageError: if an image cannot be read.
    """
    matches = []
    for annotated in tqdm(images, unit=" images", desc="detecting", disable=None):
        image = read_image(annotated.image, annotated.size)
        truth = _ground_truth(annotated, max(image.shape[:2]))
        matches.append(match_detections(_detections(detector, image), truth))
    return detection_metrics(
        np.concatenate([entry.detections for entry in matches]),
        np.concatenate([entry.people for entry in matches]),
    )


def false_alarms(detector: PersonDetector, images: list[Path]) -> float:
    """Compute the share of negative images with a detection, per cent.

    Raises:
        ImageError: if an image cannot be read.
    """
    bar = tqdm(images, unit=" images", desc="negatives", disable=None)
    alarms = [(_detections(detector, read_image(path)).scores >= DEFAULT_MIN_SCORE).any() for path in bar]
    return float(100 * np.mean(alarms))


def _detections(detector: PersonDetector, image: np.ndarray) -> Detections:
    detections = detector(image)
    return Detections(
        np.array([detection.score for detection in detections]),
        np.array([detection.box_xyxy for detection in detections]).reshape(-1, 4),
        np.array([detection.points_px for detection in detections]).reshape(-1, NUM_ALIGNMENT_POINTS, 2),
    )


def _ground_truth(annotated: AnnotatedImage, side: int) -> GroundTruth:
    """Return the people of an image padded to a square of this side; too small ones are ignored."""
    pairs = list(zip(annotated.people, annotated.annotations, strict=True))
    people = [person for person, _ in pairs if person.side >= MIN_BOX_SIDE * side]
    small = [surrounding_box(annotation) for person, annotation in pairs if person.side < MIN_BOX_SIDE * side]
    return GroundTruth(
        np.array([(*person.center, person.side) for person in people]).reshape(-1, 3),
        np.array([person.points for person in people]).reshape(-1, NUM_ALIGNMENT_POINTS, 2),
        np.array([person.labelled for person in people], bool).reshape(-1, NUM_ALIGNMENT_POINTS),
        np.array([*annotated.ignored_boxes, *small]).reshape(-1, 4),
    )
