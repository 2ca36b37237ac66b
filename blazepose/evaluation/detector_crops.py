"""Crops from the person detector, to evaluate the whole pipeline; missed people count as wrong."""

import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.predict import CropJob, require_people
from blazepose.exceptions import InputError
from blazepose.geometry import Roi
from blazepose.image import read_image
from blazepose.runs import resolve_weights
from blazepose.runtime.person_detector import PersonDetector
from blazepose.runtime.tracker_options import TrackerOptions

DETECTOR = "detector"
"""Value of `roi=` of blazepose eval."""

_MAX_DISTANCE = 0.25
"""Largest distance of a matched ROI, in sides of the annotated one; beyond it, landmarks are cut off."""


def detector_file(detector: str | None, weights: Path) -> Path:
    """Return the file with the person detector.

    Args:
        detector: value of `detector=`; None selects the one in the bundle.
        weights: the evaluated weights.

    Raises:
        ValueError: if there is no detector.
    """
    if not detector and weights.suffix != ".task":
        raise InputError(f"roi=detector: {weights} contains no detector; name one with detector=FILE")
    return resolve_weights(detector, "detector=") if detector else weights


def plan_detector_crops(sources: list[Source], detector: PersonDetector) -> list[CropJob]:
    """Plan the crops of predict.plan_label_crops, with the detector's ROIs.

    Raises:
        ImageError: if an image cannot be read.
        ValueError: if no person allows a crop, or if two sources label the same person.
    """
    images = [
        (source.reader, people) for source in sources for people in _by_image(source.annotations).values()
    ]
    jobs, min_presence = [], TrackerOptions.min_pose_presence_confidence
    for reader, people in tqdm(images, unit=" images", desc="detecting", disable=None):
        image = read_image(people[0].image, people[0].image_size)
        rois = [aligned_roi(person) for person in people]
        detected = [detection.roi_for(people[0].topology) for detection in detector(image)]
        matched = match_rois(rois, detected)
        for person, aligned, roi in zip(people, rois, matched, strict=True):
            jobs.append(CropJob(reader, person, roi or aligned, roi is not None, min_presence))
    require_people(jobs, sources)
    return jobs


def _by_image(annotations: list[Annotation]) -> dict[Path, list[Annotation]]:
    people: dict[Path, list[Annotation]] = {}
    for annotation in annotations:
        if alignment_error(annotation) is None:
            people.setdefault(annotation.image, []).append(annotation)
    return people


def match_rois(annotated: list[Roi], detected: list[Roi]) -> list[Roi | None]:
    """Match detected to annotated ROIs one-to-one, greedily by center distance; None where unmatched."""
    matched: list[Roi | None] = [None] * len(annotated)
    distances = np.array(
        [
            [math.dist((a.center_x, a.center_y), (d.center_x, d.center_y)) / a.side for d in detected]
            for a in annotated
        ]
    ).reshape(len(annotated), len(detected))
    while distances.size and distances.min() < _MAX_DISTANCE:
        person, detection = np.unravel_index(distances.argmin(), distances.shape)
        matched[int(person)] = detected[int(detection)]
        distances[person, :], distances[:, detection] = np.inf, np.inf
    return matched
