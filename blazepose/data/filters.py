"""Filters for people: training requires minimum sizes and labels, evaluation only an aligned crop."""

from collections import Counter

from blazepose.config.landmark import PersonFilter
from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation

EVALUATION_FILTER = PersonFilter(min_side_px=0.0, min_labelled=0)
"""Evaluation scores every person that has an aligned crop."""


def reject_reason(annotation: Annotation, person_filter: PersonFilter) -> str | None:
    """Return the reason to leave this person out, or None to keep it."""
    if reason := alignment_error(annotation):
        return reason
    if annotation.labelled.sum() < person_filter.min_labelled:
        return f"fewer landmarks labelled than filter.min_labelled={person_filter.min_labelled}"
    if aligned_roi(annotation).side < person_filter.min_side_px:
        return f"crop smaller than filter.min_side_px={person_filter.min_side_px:g}"
    return None


def filter_annotations(
    annotations: list[Annotation], person_filter: PersonFilter
) -> tuple[list[Annotation], Counter[str]]:
    """Return the people that pass, and the number of the others by reason."""
    kept, dropped = [], Counter[str]()
    for annotation in annotations:
        if reason := reject_reason(annotation, person_filter):
            dropped[reason] += 1
        else:
            kept.append(annotation)
    return kept, dropped
