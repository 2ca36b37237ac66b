"""One labelled person, whatever data set it came from."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.geometry import Roi
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

UNKNOWN, HIDDEN, VISIBLE = -1, 0, 1
"""Visibility labels: not given by the source; outside the frame or occluded; visible."""


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """A person in an image, in the source's own coordinates.

    Attributes:
        image: path of the image file.
        person: annotation id, unique within the source's file.
        landmarks_px: (33, 2) float32 pixels; meaningless where not labelled.
        labelled: (33,) bool, this source annotates this point of this person.
        visibility: (33,) int8, VISIBLE, HIDDEN or UNKNOWN.
        extra_px: (points, 2) float32, labelled keypoints that are none of the 33 (neck, head top).
        box_xyxy: (4,) float32 pixels, the source's box around the person, if it has one.
        area_px: area of the person's segment, square pixels, if the source has it.
        landmarks_world: (33, 3) float32 meters, hip-centered, if the source has it.
        z_px: (33,) float32, depth on the scale of x, origin at the hips, NaN where unknown, if the source
            has it.
        head_top_px: (2,) float32, top of the head, which is none of the 33, if it is labelled.
        image_size: width and height of the image the labels were made on, if the source has it; they do not
            fit an image that was scaled or turned since.
        mask: the person's visible pixels as COCO's run-length encoding, {"size": [height, width], "counts":
            text}, if the source has it (pycocotools.mask decodes it).
        attributes: {name: group}, attributes of the person in the source: age group, pose family, ...
        roi: region of the crop, for a person without labels; otherwise the labels define it.
        topology: landmarks of the arrays, where 33 stands for their number.
    """

    image: Path
    person: str
    landmarks_px: np.ndarray
    labelled: np.ndarray
    visibility: np.ndarray
    extra_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    box_xyxy: np.ndarray | None = None
    area_px: float | None = None
    landmarks_world: np.ndarray | None = None
    z_px: np.ndarray | None = None
    head_top_px: np.ndarray | None = None
    image_size: tuple[int, int] | None = None
    mask: Mapping[str, Any] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    roi: Roi | None = None
    topology: Topology = FULL_BODY

    @property
    def keypoints_px(self) -> np.ndarray:
        """Every labelled keypoint of the source skeleton, (points, 2) pixels."""
        return np.concatenate([self.landmarks_px[self.labelled], self.extra_px])


@dataclass(frozen=True)
class Source:
    """Result of a reader: the labelled people of a data set and its metadata.

    Attributes:
        name: as the user typed it, `reader:path[:split]`.
        reader: the reader's name.
        annotations: the labelled people.
        license: the license note that travels with weights trained on this source.
        left_out: people the reader could not use, counted by reason.
        ignored_boxes: {image: boxes (people, 4) xyxy, pixels} of people and crowds in the image that are not
            among the annotations.
        fully_annotated: every person in an image is annotated or has a box; otherwise the rest of an image
            cannot be taken for background.
        notes: sentences about labels that were not used, or used on an assumption.
    """

    name: str
    reader: str
    annotations: list[Annotation]
    license: str
    left_out: dict[str, int] = field(default_factory=dict)
    ignored_boxes: dict[Path, np.ndarray] = field(default_factory=dict)
    fully_annotated: bool = True
    notes: list[str] = field(default_factory=list)


def source_to_landmarks(
    keypoints: np.ndarray,
    labelled: np.ndarray,
    visibility: np.ndarray,
    skeleton: Mapping[int, str],
    topology: Topology = FULL_BODY,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sort a source's keypoints into the landmarks of a topology and the rest.

    Args:
        keypoints: (source keypoints, 2) pixels.
        labelled: (source keypoints,) bool.
        visibility: (source keypoints,) int8, VISIBLE, HIDDEN or UNKNOWN.
        skeleton: {index in the source: landmark name}.
        topology: the landmarks; keypoints of other names are part of the rest.

    Returns:
        landmarks_px (33, 2), labelled (33,), visibility (33,), and the labelled rest (points, 2).

    Examples:
        >>> import numpy as np
        >>> from blazepose.data.annotation import VISIBLE, source_to_landmarks
        >>> keypoints = np.array([[10, 20], [30, 40]])
        >>> points, labelled, visibility, rest = source_to_landmarks(
        ...     keypoints, np.array([True, True]), np.full(2, VISIBLE, np.int8), {0: "nose"}
        ... )
        >>> points[0].tolist(), int(labelled.sum()), rest.tolist()  # keypoint 1 is none of the 33
        ([10.0, 20.0], 1, [[30.0, 40.0]])
    """
    source, target = _indices(tuple(skeleton.items()), topology)
    valid = labelled[source]
    source, target = source[valid], target[valid]
    landmarks_px = np.zeros((topology.num_landmarks, 2), np.float32)
    landmark_labelled = np.zeros(topology.num_landmarks, bool)
    landmark_visibility = np.full(topology.num_landmarks, UNKNOWN, np.int8)
    landmarks_px[target] = keypoints[source]
    landmark_labelled[target] = True
    landmark_visibility[target] = visibility[source]
    rest = labelled.copy()
    rest[source] = False
    return landmarks_px, landmark_labelled, landmark_visibility, keypoints[rest].astype(np.float32)


@functools.cache
def _indices(skeleton: tuple[tuple[int, str], ...], topology: Topology) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of keypoints in the source and of their landmarks."""
    pairs = [(k, topology.index[name]) for k, name in skeleton if name in topology.landmarks]
    source, target = np.array(pairs, int).reshape(-1, 2).T
    return source, target
