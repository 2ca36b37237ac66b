"""Scores of a person detector on whole images, against annotations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from blazepose.anchors import DEFAULT_MIN_SCORE, NUM_ALIGNMENT_POINTS, Detections
from blazepose.data.annotated_image import MIN_BOX_SIDE, AnnotatedImage
from blazepose.data.person_box import surrounding_box
from blazepose.evaluation.numbers import number, numbers
from blazepose.image import read_image
from blazepose.metrics.detection import GroundTruth, Matches, detection_metrics, match_detections
from blazepose.runtime.person_detector import PersonDetector
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class ScoredImage(NamedTuple):
    """An image with its detections.

    Attributes:
        image: the annotated image.
        side: its longer side, pixels.
        detections: all detections, best first, in pixels.
        truth: the people that count.
        matches: the detections matched to them.
    """

    image: AnnotatedImage
    side: int
    detections: Detections
    truth: GroundTruth
    matches: Matches


def score_images(
    detector: PersonDetector, images: Sequence[AnnotatedImage], topology: Topology = FULL_BODY
) -> list[ScoredImage]:
    """Run a detector on images, and match its detections to their people.

    Args:
        detector: detector with a score threshold of metrics.detection.LEAST_SCORE.
        images: images with labelled people.
        topology: topology whose ROI is scored.

    Raises:
        ImageError: if an image cannot be read.
        ValueError: if the detector has not learned the points of the ROI.
    """
    detector.check_points(topology)
    scored = []
    for annotated in tqdm(images, unit=" images", desc="detecting", disable=None):
        image = read_image(annotated.image, annotated.size)
        side, detections = max(image.shape[:2]), _detections(detector, image)
        truth = _ground_truth(annotated, side)
        matches = match_detections(detections, truth, topology)
        scored.append(ScoredImage(annotated, side, detections, truth, matches))
    return scored


def detector_metrics(scored: Sequence[ScoredImage]) -> Mapping[str, float]:
    """Compute metrics.detection.detection_metrics over images."""
    return detection_metrics(
        np.concatenate([entry.matches.detections for entry in scored]),
        np.concatenate([entry.matches.people for entry in scored]),
    )


def detector_results(
    scored: Sequence[ScoredImage], num_negatives: int, false_alarms: float | None
) -> dict[str, Any]:
    """Compute the metrics of results.json (docs/reference/files.md); None where nothing counts.

    Args:
        scored: the images with their detections.
        num_negatives: number of negative images.
        false_alarms: share of them with a detection, per cent; None without any.
    """
    return {
        **numbers(detector_metrics(scored)),
        "false_alarms": None if false_alarms is None else number(false_alarms),
        "num_people": sum(len(entry.truth.boxes) for entry in scored),
        "num_images": len(scored),
        "num_negatives": num_negatives,
    }


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
