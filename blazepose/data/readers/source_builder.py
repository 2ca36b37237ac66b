"""Collect the people of a source."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import Annotation, Source, source_to_landmarks
from blazepose.data.guide import guide_section
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class SourceBuilder:
    """The people a reader has read, and the number of those left out by reason.

    Args:
        paths: paths of the images of the annotation file.
        topology: landmarks of the annotations.
    """

    def __init__(self, paths: ImagePaths, topology: Topology = FULL_BODY) -> None:
        self.paths, self.topology = paths, topology
        self.file, self.doc_section = paths.file, paths.doc_section
        self.annotations: list[Annotation] = []
        self.left_out: Counter[str] = Counter()
        self._ignored: defaultdict[Path, list[np.ndarray]] = defaultdict(list)

    def add(
        self,
        image: Path,
        person: str,
        keypoints: np.ndarray,
        labelled: np.ndarray,
        visibility: np.ndarray,
        skeleton: Mapping[int, str],
        box_xyxy: np.ndarray | None = None,
        landmarks_world: np.ndarray | None = None,
        head_top: int | None = None,
        image_size: tuple[int, int] | None = None,
        z_px: np.ndarray | None = None,
        mask: Mapping[str, Any] | None = None,
        attributes: Mapping[str, str] | None = None,
        area_px: float | None = None,
    ) -> None:
        """Add a person, or count the reason to leave the person out.

        Args:
            image: path of the image.
            person: annotation id.
            keypoints: (source keypoints, 2) pixels.
            labelled: (source keypoints,) bool.
            visibility: (source keypoints,) VISIBLE, HIDDEN or UNKNOWN.
            skeleton: {index in the source: landmark name}.
            box_xyxy: (4,) pixels.
            landmarks_world: (33, 3) meters, in the order of FULL_BODY.
            head_top: index of the head top in the source.
            image_size: width and height the labels were made at.
            z_px: (33,) depth, in the order of FULL_BODY.
            mask: visible pixels, run-length encoded.
            attributes: attributes of the person in the source.
            area_px: area of the person's segment.
        """
        if not labelled.any():
            self.skip("no keypoints", image, box_xyxy)
        elif not np.isfinite(keypoints[labelled]).all():
            self.skip("NaN or infinite coordinates", image, box_xyxy)
        else:
            points = source_to_landmarks(keypoints, labelled, visibility, skeleton, self.topology)
            head = keypoints[head_top] if head_top is not None and labelled[head_top] else None
            self.annotations.append(
                Annotation(
                    image,
                    person,
                    *points,
                    box_xyxy=box_xyxy,
                    landmarks_world=_reorder(landmarks_world, self.topology),
                    z_px=_reorder(z_px, self.topology),
                    head_top_px=head,
                    image_size=image_size,
                    mask=mask,
                    attributes=attributes or {},
                    area_px=area_px,
                    topology=self.topology,
                )
            )

    def skip(self, reason: str, image: Path, box_xyxy: np.ndarray | None) -> None:
        """Count a person, or a crowd, that cannot be used; its box is kept, since it is not background."""
        self.left_out[reason] += 1
        if box_xyxy is not None:
            self._ignored[image].append(box_xyxy)

    def source(self, reader: str, license: str) -> Source:
        """Return the people as a `Source`.

        Raises:
            ValueError: if no person is left.
            FileNotFoundError: if images are missing.
        """
        if not self.annotations:
            counts = ", ".join(f"{reason} {count}" for reason, count in self.left_out.items())
            left_out = f" (left out: {counts})" if counts else ""
            raise InputError(
                f"{self.file} holds no labelled people{left_out}; see {guide_section(self.doc_section)}"
            )
        self.paths.require(annotation.image for annotation in self.annotations)
        return Source(
            name=f"{reader}:{self.file}",
            reader=reader,
            annotations=self.annotations,
            license=license,
            left_out=dict(self.left_out),
            ignored_boxes={image: np.stack(boxes) for image, boxes in self._ignored.items()},
        )


def _reorder(values: np.ndarray | None, topology: Topology) -> np.ndarray | None:
    """Return values (33, ...) of FULL_BODY's landmarks for those of a topology; NaN for others."""
    if values is None or topology == FULL_BODY:
        return values
    reordered = np.full((topology.num_landmarks, *values.shape[1:]), np.nan, values.dtype)
    for k, name in enumerate(topology.landmarks):
        if name in FULL_BODY.landmarks:
            reordered[k] = values[FULL_BODY.index[name]]
    return reordered
