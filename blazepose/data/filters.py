"""Filters for people: training requires minimum sizes and labels, evaluation only an aligned crop."""

import math
from collections import Counter
from dataclasses import dataclass

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation
from blazepose.ranges import check_ranges
from blazepose.topology import NUM_LANDMARKS


@dataclass(frozen=True)
class PersonFilter:
    """Criteria for a training person. Source: paper 2.6 (hips and shoulders, large enough).

    Attributes:
        min_side_px: smallest side of the aligned crop in the source image.
        min_labelled: fewest labelled landmarks, hips and shoulders included.
    """

    min_side_px: float = 96.0
    min_labelled: int = 4

    def __post_init__(self) -> None:
        check_ranges("filter", self, {"min_side_px": (0.0, math.inf), "min_labelled": (0, NUM_LANDMARKS)})

    def reject_reason(self, annotation: Annotation) -> str | None:
        """Return the reason to leave this person out, or None to keep it."""
        if reason := alignment_error(annotation):
            return reason
        if annotation.labelled.sum() < self.min_labelled:
            return f"fewer landmarks labelled than filter.min_labelled={self.min_labelled}"
        if aligned_roi(annotation).side < self.min_side_px:
            return f"crop smaller than filter.min_side_px={self.min_side_px:g}"
        return None


EVALUATION_FILTER = PersonFilter(min_side_px=0.0, min_labelled=0)
"""Evaluation scores every person that has an aligned crop."""


def filter_annotations(
    annotations: list[Annotation], person_filter: PersonFilter
) -> tuple[list[Annotation], Counter[str]]:
    """Return the people that pass, and the number of the others by reason."""
    kept, dropped = [], Counter[str]()
    for annotation in annotations:
        if reason := person_filter.reject_reason(annotation):
            dropped[reason] += 1
        else:
            kept.append(annotation)
    return kept, dropped
