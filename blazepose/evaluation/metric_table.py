"""The metrics of an evaluation, a row each: results.json, the report and comparisons are made from it.

To add a metric: write a function from ScoredPeople to PointValues, the values of all points and which of them
count (or to a number, if it is no mean), add a row here and its definition to docs/reference/metrics.md, and
test the function.

    METRICS["pck@0.2"]          a Metric by its key, in the order of the report
    metrics_in("comparison")    the metrics of a place (evaluation.metric.Place), in the same order
    metric.points_of(scored)    PointValues(values, counted), (people, points) each, of a mean
    metric.compute(scored)      the number over all people, as in results.json
    metric.title, column, unit, better    for tables: names, and which sign of a difference is an improvement

A paired comparison (compare.comparison) takes points_of() of each evaluation, and counts the points that
count in all of them.
"""

from collections.abc import Mapping

import numpy as np

from blazepose.evaluation import metric_values as values
from blazepose.evaluation.metric import Metric, Place
from blazepose.metrics.binary import balanced_accuracy
from blazepose.metrics.points import finite_values

PCK, PCK_RAW, PDJ = "pck@0.2", "pck@0.2_raw", "pdj@0.2"


_ALL_TABLES: tuple[Place, ...] = ("overall", "landmark", "part", "group", "comparison")

_TABLE = (
    Metric(
        PCK,
        "PCK@0.2, landmarks as the runtime returns them",
        "the share of labelled landmarks with an error below 0.2 torso sizes",
        points=values.pck,
        places=_ALL_TABLES,
        section="headline",
        column="PCK@0.2",
        interval=True,
    ),
    Metric(
        PCK_RAW,
        "PCK@0.2, regression output alone",
        "PCK@0.2 of the regression output, which the heatmaps have not changed",
        points=values.pck_raw,
        places=("overall", "comparison"),
        section="headline",
        column="PCK@0.2, regression output alone",
        interval=True,
    ),
    Metric(
        "pck@0.2_mean_pose",
        "PCK@0.2, baseline: the data set's median aligned pose for every person",
        "PCK@0.2 of the median aligned pose of the data set as the prediction for all people",
        points=values.pck_mean_pose,
        section="headline",
    ),
    Metric(
        PDJ,
        "PDJ@0.2: PCK@0.2, and the predicted visibility must match the label",
        "PCK@0.2 of landmarks with labelled visibility, which must be predicted correctly, too",
        points=values.pdj,
        places=_ALL_TABLES,
        section="headline",
        column="PDJ@0.2",
        interval=True,
    ),
    Metric(
        "mean_error",
        "mean error, % of the torso",
        "the mean distance of landmarks from their labels, of detected people",
        points=values.mean_error,
        places=_ALL_TABLES,
        section="headline",
        column="mean error, % of torso",
        limits=(0, None),
        better="lower",
    ),
    Metric(
        "offset",
        "bias (right, down), % of the torso",
        "the median signed error of a landmark, to the right and down in the aligned crop",
        points=values.offset,
        places=("landmark",),
        column="bias (right, down), % of torso",
        limits=(None, None),
        better="nearest 0",
        vector=True,
    ),
    Metric(
        "pck_auc",
        "PCK AUC, thresholds 0.05 to 0.5",
        "the normalized area below PCK over thresholds from 0.05 to 0.5 torso sizes",
        overall=values.pck_area,
        section="headline",
    ),
    Metric(
        "swap_rate",
        "left/right swap rate",
        "the share of left and right pairs predicted nearer to the label of the other side than to their own",
        points=values.swap_rate,
        section="headline",
        better="lower",
    ),
    Metric(
        "mpjpe_mm",
        "MPJPE: world landmarks, prediction and label each centered on its mid-hip",
        "the mean distance of world landmarks from their labels, both centered between the hips",
        points=lambda scored: finite_values(scored.outputs.world_errors),
        places=("overall", "landmark", "group", "comparison"),
        section="outputs",
        column="MPJPE, mm",
        unit="mm",
        scale=1,
        limits=(0, None),
        better="lower",
        summary="MPJPE {:.0f} mm",
    ),
    Metric(
        "pa_mpjpe_mm",
        "PA-MPJPE: after Procrustes alignment of each person to the label",
        "MPJPE after each prediction is moved, rotated and scaled onto its label",
        points=lambda scored: finite_values(scored.outputs.aligned_errors),
        section="outputs",
        unit="mm",
        scale=1,
        limits=(0, None),
        better="lower",
        summary="PA-MPJPE {:.0f} mm",
    ),
    Metric(
        "bone_asymmetry",
        "bone asymmetry of world landmarks, difference of left and right lengths",
        "the mean difference of a person's left and right bones, relative to their mean length",
        points=lambda scored: finite_values(scored.outputs.asymmetry),
        section="outputs",
        scale=1,
        limits=(0, 200),
        better="lower",
    ),
    Metric(
        "height_error",
        "height error of world landmarks, mean absolute difference from the label",
        "the mean absolute difference of the height of people from the label",
        points=lambda scored: finite_values(np.abs(scored.outputs.height_errors[:, None])),
        section="outputs",
        scale=1,
        limits=(0, None),
        better="lower",
    ),
    Metric(
        "height_bias",
        "height bias of world landmarks, mean signed difference (positive: too tall)",
        "the mean signed difference of the height of people from the label",
        points=lambda scored: finite_values(scored.outputs.height_errors[:, None]),
        section="outputs",
        scale=1,
        limits=(None, None),
        better="nearest 0",
    ),
    Metric(
        "visibility_f1",
        "F1 of visible",
        "F1 of the class visible",
        overall=values.of_classes(lambda of: of["visible"].f1),
        summary="F1 of visible {:.1f}",
    ),
    Metric(
        "hidden_f1",
        "F1 of hidden",
        "F1 of the class hidden",
        overall=values.of_classes(lambda of: of["hidden"].f1),
        summary="F1 of hidden {:.1f}",
    ),
    Metric(
        "visibility_balanced_accuracy",
        "visibility, balanced accuracy (chance: 50)",
        "the mean recall of visible and hidden",
        overall=values.of_classes(lambda of: balanced_accuracy(of["visible"], of["hidden"])),
        section="outputs",
    ),
    Metric(
        "visible_share",
        "visible, %",
        "the share of labelled visibilities that are visible",
        points=values.visible_share,
        places=("landmark",),
        column="visible, %",
        better=None,
    ),
    Metric(
        "visibility_accuracy",
        "visibility accuracy, %",
        "the share of labelled visibilities that are predicted correctly",
        points=values.visibility_accuracy,
        places=("landmark",),
        column="visibility accuracy, %",
    ),
    Metric(
        "presence_f1",
        "F1 of present",
        "F1 of the class present",
        overall=values.of_classes(lambda of: of["present"].f1),
    ),
    Metric(
        "absent_f1",
        "F1 of absent",
        "F1 of the class absent",
        overall=values.of_classes(lambda of: of["absent"].f1),
    ),
    Metric(
        "presence_balanced_accuracy",
        "presence in the crop, balanced accuracy (chance: 50)",
        "the mean recall of present and absent",
        overall=values.of_classes(lambda of: balanced_accuracy(of["present"], of["absent"])),
        section="outputs",
    ),
    Metric(
        "mask_iou",
        "mask IoU, mean over people",
        "the intersection over union of predicted and labelled pixels, mean over people",
        points=lambda scored: finite_values(scored.outputs.mask_iou[:, None]),
        places=("overall", "group"),
        section="outputs",
        column="mask IoU, %",
        summary="mask IoU {:.1f}",
    ),
    *(
        Metric(key, title, definition, overall=values.oks(key), section="oks")
        for key, title, definition in (
            (
                "oks_ap",
                "OKS-AP, COCO's 17 keypoints (pycocotools; one prediction per person, in their own crop)",
                "COCO's average precision by keypoint similarity, of people with a labelled area",
            ),
            ("oks_ap50", "OKS-AP50", "the same at a similarity of 0.5"),
            ("oks_ap75", "OKS-AP75", "the same at a similarity of 0.75"),
            ("oks_ap_medium", "OKS-AP, medium people", "the same of people with 32² to 96² pixels"),
            ("oks_ap_large", "OKS-AP, large people", "the same of people with more pixels"),
            ("oks_ar", "OKS-AR", "COCO's average recall by keypoint similarity"),
        )
    ),
)

METRICS: Mapping[str, Metric] = {metric.key: metric for metric in _TABLE}
"""Metrics by key, in the order of results.json and of the report."""


def metrics_in(place: Place) -> list[Metric]:
    """Return the metrics of a place, in the order of the table."""
    return [metric for metric in METRICS.values() if place in metric.places]
