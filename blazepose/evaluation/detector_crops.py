"""The whole pipeline on labelled people: the detector says where to look, and who is not found is wrong."""

import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.predict import CropJob, require_people
from blazepose.geometry import Roi
from blazepose.image import read_image
from blazepose.runtime.person_detector import PersonDetector
from blazepose.runtime.tracker import TrackerOptions
from blazepose.training.runs import resolve_weights

DETECTOR = "detector"
"""Of eval.py's `roi=`."""

_NEAR = 0.25
"""Sides of the person's own ROI, up to which an ROI that was found is theirs; so far away, landmarks are cut
off."""


def detector_file(given: str | None, weights: Path) -> Path:
    """The file whose detector finds the people.

    Args:
        given: `detector=`; None takes the bundle's own.
        weights: that are evaluated.

    Raises:
        ValueError: if there is none.
    """
    if not given and weights.suffix != ".task":
        raise ValueError(f"roi=detector: {weights} holds no detector; name a file that does, detector=FILE")
    return resolve_weights(given, "detector=") if given else weights


def plan_detector_crops(sources: list[Source], detector: PersonDetector) -> list[CropJob]:
    """Everybody an aligned crop can be made of, as evaluation.predict.plan, seen where the detector says.

    Raises:
        ImageError: if a picture cannot be read.
        ValueError: if there is nobody to look for, or if two sources mean the same person.
    """
    pictures = [
        (source.reader, people) for source in sources for people in _by_picture(source.annotations).values()
    ]
    jobs = []
    for reader, people in tqdm(pictures, unit=" images", desc="finding", disable=None):
        image = read_image(people[0].image, people[0].image_size)
        rois = [aligned_roi(person) for person in people]
        found = match_rois(rois, [detection.roi for detection in detector(image)])
        for person, own, roi in zip(people, rois, found, strict=True):
            min_presence = TrackerOptions.min_pose_presence_confidence
            jobs.append(CropJob(reader, person, roi or own, roi is not None, min_presence))
    require_people(jobs, sources)
    return jobs


def _by_picture(annotations: list[Annotation]) -> dict[Path, list[Annotation]]:
    pictures: dict[Path, list[Annotation]] = {}
    for annotation in annotations:
        if alignment_error(annotation) is None:
            pictures.setdefault(annotation.image, []).append(annotation)
    return pictures


def match_rois(own: list[Roi], found: list[Roi]) -> list[Roi | None]:
    """Whose ROI each found one is: nearest pairs first, none of anybody twice; None who is not found."""
    matched: list[Roi | None] = [None] * len(own)
    apart = np.array(
        [[math.dist((a.center_x, a.center_y), (b.center_x, b.center_y)) / a.side for b in found] for a in own]
    ).reshape(len(own), len(found))
    while apart.size and apart.min() < _NEAR:
        person, answer = np.unravel_index(apart.argmin(), apart.shape)
        matched[int(person)] = found[int(answer)]
        apart[person, :], apart[:, answer] = np.inf, np.inf
    return matched
