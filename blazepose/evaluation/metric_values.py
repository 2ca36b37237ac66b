"""The values of the metrics: functions from scored people to the values of points, or to a number."""

from collections.abc import Callable, Mapping

import numpy as np

from blazepose.data.annotation import UNKNOWN, VISIBLE
from blazepose.evaluation.oks import oks_metrics
from blazepose.evaluation.output_metrics import class_table
from blazepose.evaluation.score import ScoredPeople, inf_where_missed
from blazepose.geometry import images_to_rois, rois_to_images
from blazepose.metrics.binary import ClassScore, agrees
from blazepose.metrics.pck import PCK_THRESHOLD, normalized_errors, pck_auc, pck_curve
from blazepose.metrics.points import PointValues, finite_values
from blazepose.metrics.swaps import swapped_pairs


def pck(scored: ScoredPeople) -> PointValues:
    """Mark the points of PCK@0.2, refined by the heatmap."""
    return PointValues(scored.errors < PCK_THRESHOLD, scored.counted)


def pck_raw(scored: ScoredPeople) -> PointValues:
    """Mark the points of PCK@0.2 of the regression output."""
    return PointValues(scored.errors_raw < PCK_THRESHOLD, scored.regressed)


def pck_mean_pose(scored: ScoredPeople) -> PointValues:
    """Mark the points of PCK@0.2 of the mean pose."""
    return PointValues(mean_pose_errors(scored) < PCK_THRESHOLD, scored.counted)


def pdj(scored: ScoredPeople) -> PointValues:
    """Mark the points of PDJ@0.2."""
    agree, labelled = visibility_accuracy(scored)
    return PointValues((scored.errors < PCK_THRESHOLD) & agree, scored.counted & labelled)


def mean_error(scored: ScoredPeople) -> PointValues:
    """Return the errors of the points of detected people."""
    return finite_values(scored.errors, scored.counted)


def offset(scored: ScoredPeople) -> PointValues:
    """Return the vectors from label to landmark, right and down in the person's upright crop."""
    vectors_px = scored.points_px - scored.target_px
    angles = np.array([prediction.roi.rotation_rad for prediction in scored.predictions])
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = vectors_px[..., 0], vectors_px[..., 1]
    rotated = np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)
    return PointValues(rotated / scored.sizes[:, None, None], mean_error(scored).counted)


def pck_area(scored: ScoredPeople) -> float:
    """Compute the area below the PCK curve."""
    return pck_auc(pck_curve(scored.errors, scored.counted))


def swap_rate(scored: ScoredPeople) -> PointValues:
    """Mark the swapped left and right pairs, (people, pairs)."""
    points, labels = scored.points_px, scored.target_px
    return PointValues(*swapped_pairs(points, labels, scored.counted, scored.sizes, scored.topology))


def visible_share(scored: ScoredPeople) -> PointValues:
    """Mark the points labelled visible."""
    label = scored.outputs.visibility
    return PointValues(label == VISIBLE, label != UNKNOWN)


def visibility_accuracy(scored: ScoredPeople) -> PointValues:
    """Mark the points whose visibility is predicted as labelled."""
    label = scored.outputs.visibility
    return PointValues(agrees(label, scored.outputs.predicted_visibility), label != UNKNOWN)


def of_classes(number: Callable[[Mapping[str, ClassScore]], float]) -> Callable[[ScoredPeople], float]:
    """Return a metric that is computed from the scores of the classes."""
    return lambda scored: number(class_table(scored.outputs))


def oks(name: str) -> Callable[[ScoredPeople], float]:
    """Return one of COCO's metrics."""
    return lambda scored: oks_metrics(scored)[name]


def mean_pose_errors(scored: ScoredPeople) -> np.ndarray:
    """Compute the errors (people, landmarks) of the median aligned pose as the prediction for all."""
    rois = [prediction.roi for prediction in scored.predictions]
    target_roi = images_to_rois(rois, scored.target_px)
    median = np.zeros((scored.topology.num_landmarks, 2))
    for k in np.flatnonzero(scored.labelled.any(axis=0)):
        median[k] = np.median(target_roi[scored.labelled[:, k], k], axis=0)
    errors = normalized_errors(rois_to_images(rois, median), scored.target_px, scored.sizes)
    return inf_where_missed(errors, scored.detected)
