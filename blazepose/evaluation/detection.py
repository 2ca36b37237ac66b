"""Whom a detector finds in whole pictures, against annotations."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.anchors import NUM_ALIGNMENT_POINTS, Detections
from blazepose.data.scenes import Scene
from blazepose.image import read_image
from blazepose.metrics.detection import FOUND_FROM, Truth, detection_figures, judge
from blazepose.runtime.detector import PersonDetector


def find_in_scenes(detector: PersonDetector, scenes: list[Scene]) -> Mapping[str, float]:
    """The figures of metrics.detection over pictures.

    Args:
        detector: answering from metrics.detection.LEAST_SCORE on.
        scenes: pictures with labelled people.

    Raises:
        ImageError: if a picture cannot be read.
    """
    judged = [
        judge(_answers(detector, read_image(scene.image, scene.size)), _truth(scene))
        for scene in tqdm(scenes, unit=" images", desc="finding", disable=None)
    ]
    return detection_figures(
        np.concatenate([one.answers for one in judged]), np.concatenate([one.people for one in judged])
    )


def false_alarms(detector: PersonDetector, pictures: list[Path]) -> float:
    """Share of people-free pictures in which somebody is found, per cent.

    Raises:
        ImageError: if a picture cannot be read.
    """
    bar = tqdm(pictures, unit=" images", desc="people-free", disable=None)
    alarms = [(_answers(detector, read_image(picture)).scores >= FOUND_FROM).any() for picture in bar]
    return float(100 * np.mean(alarms))


def _answers(detector: PersonDetector, image: np.ndarray) -> Detections:
    found = detector(image)
    return Detections(
        np.array([one.score for one in found]),
        np.array([one.box_xyxy for one in found]).reshape(-1, 4),
        np.array([one.points_px for one in found]).reshape(-1, NUM_ALIGNMENT_POINTS, 2),
    )


def _truth(scene: Scene) -> Truth:
    return Truth(
        np.array([(*person.center, person.side) for person in scene.people]),
        np.array([person.points for person in scene.people]),
        np.array([person.labelled for person in scene.people]),
        scene.others,
    )
