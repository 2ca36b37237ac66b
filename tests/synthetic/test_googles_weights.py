"""Independent check of labels and images: Google's own network predicts the labelled landmarks."""

import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.metric_values import mean_pose_errors, offset
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.metrics.pck import pck
from blazepose.runtime.engines import LandmarkEngine
from blazepose.synthetic.dataset.render_set import render_set
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.topologies.full_body import LANDMARKS

PHOTOGRAPHED = ("stand", "walk", "arms_overhead", "squat", "lunge")
"""Most common poses in photos, on which Google's network is best."""


@pytest.fixture(scope="module")
def scored(shared, tmp_path_factory) -> ScoredPeople:
    """Score Google's full on 64 images of standing people, crops from the labels."""
    folder = tmp_path_factory.mktemp("data") / "standing"
    others = ",".join(f"{name}=0" for name in FAMILIES if name not in PHOTOGRAPHED)
    render_set(folder, num=64, val=0, families=others)
    people = [read_source(f"synthetic:{folder}")]
    engine = LandmarkEngine(shared / "models" / "pose_landmark_full.tflite")
    file = folder.parent / "predictions.jsonl"
    write_predictions(predict(engine, plan_label_crops(people, "annotation", 0), "annotation"), file)
    return score(read_predictions(file), people)


def test_landmarks_are_predicted(scored):
    accuracy, floor = (pck(errors, scored.counted) for errors in (scored.errors, mean_pose_errors(scored)))
    # Hidden and cut-off landmarks count. With left and right swapped, hardly half would be correct.
    assert accuracy > 75
    assert accuracy > floor + 25


def test_no_landmark_is_biased(scored):
    """The median offset from the label, in torso sizes, is small: a wrong vertex would shift all people."""
    vectors = offset(scored).values
    for k, name in enumerate(LANDMARKS):
        bias = np.median(vectors[scored.counted[:, k], k], axis=0)
        assert np.hypot(*bias) < 0.1, (name, bias)


def test_masks_agree(scored):
    assert METRICS["mask_iou"].compute(scored) > 80
