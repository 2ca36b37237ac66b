import json
from dataclasses import replace

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import PersonKey, Prediction, missed_person, person_key
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import score
from blazepose.topologies.full_body import INDEX, LEFT_SHOULDER, RIGHT_HIP
from tests.evaluation.crowd import (
    NAMED,
    POSE,
    UPPER_BODY,
    ConstantEngine,
    person,
    source_of,
    upper_body,
)

TORSO = np.linalg.norm(np.subtract(POSE["left_shoulder"], POSE["right_hip"]))
"""In radii of the pose."""


def predictions_of(source: Source, points_roi: np.ndarray, metadata=None) -> dict[PersonKey, Prediction]:
    engine = ConstantEngine(points_roi, metadata)
    predictions = predict(engine, plan_label_crops([source], "annotation", 0), "annotation")
    return {(p.reader, p.image, p.person): p for p in predictions}  # pytest's paths are absolute


def test_perfect_predictions(crowd, pose_roi):
    metrics = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert metrics["pck@0.2"] == metrics["pck@0.2_raw"] == metrics["pck@0.2_mean_pose"] == 100
    assert metrics["mean_error"] == pytest.approx(0, abs=0.01)
    assert metrics["pdj@0.2"] is None
    assert metrics["num_people"] == 7
    assert list(metrics["per_landmark"]) == sorted(POSE, key=INDEX.get)
    assert metrics["per_landmark"]["left_wrist"]["count"] == 7
    assert metrics["pck_auc"] == 100


def test_the_keys_of_the_results(crowd, pose_roi):
    metrics = results(score(predictions_of(crowd, pose_roi), [crowd]))
    keys = """pck@0.2 pck@0.2_raw pck@0.2_mean_pose pdj@0.2 mean_error mpjpe_mm pa_mpjpe_mm num_people
        num_left_out num_not_found torso roi per_landmark fairness"""
    assert set(keys.split()) <= set(metrics)
    assert (metrics["torso"], metrics["roi"]) == ("across", "annotation")
    assert list(metrics["per_landmark"]["left_hip"]) == [
        *("pck@0.2", "pdj@0.2", "mean_error", "offset", "mpjpe_mm"),
        *("visible_share", "visibility_accuracy", "count"),
    ]
    assert "7 people, crop from annotation, decoding mediapipe, torso left shoulder to right hip" in headline(
        metrics
    )
    json.dumps(metrics, allow_nan=False)


def test_metrics_by_part_and_subset(crowd, pose_roi):
    """The left wrist of all people is wrong; LSP and COCO have it, the ankle is not in the upper body."""
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.5
    metrics = results(score(predictions_of(crowd, wrong), [crowd]))
    parts = {name: part["pck@0.2"] for name, part in metrics["per_part"].items() if part["count"]}
    assert parts == {"shoulders": 100, "wrists": 0, "hips": 100, "ankles": 100}
    assert metrics["per_part"]["wrists"] == {"pck@0.2": 0, "pdj@0.2": None, "mean_error": 186.339, "count": 7}
    subsets = {name: (subset["pck@0.2"], subset["count"]) for name, subset in metrics["subsets"].items()}
    everything = round(100 * 5 / 6, 4)
    assert subsets == {"coco17": (everything, 42), "lsp12": (everything, 42), "upper_body": (80, 35)}
    low, high = metrics["pck@0.2_ci95"]
    assert low <= metrics["pck@0.2"] <= high
    assert metrics["swap_rate"] == 0


def test_swapped_sides_are_counted(crowd, pose_roi):
    """Shoulders and hips are mirrored; no other landmark is labelled on both sides."""
    mirrored = pose_roi.copy()
    for name in ("shoulder", "hip"):
        left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
        mirrored[[left, right]] = pose_roi[[right, left]]
    assert results(score(predictions_of(crowd, mirrored), [crowd]))["swap_rate"] == 100


def test_one_landmark_off_by_half_a_torso(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.5 * TORSO / 2.5
    metrics = results(score(predictions_of(crowd, wrong), [crowd]))
    assert metrics["pck@0.2"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert metrics["pck@0.2_mean_pose"] == 100
    assert metrics["mean_error"] == pytest.approx(50 / 6, abs=0.01)
    assert metrics["per_landmark"]["left_wrist"] == {
        "pck@0.2": 0,
        "pdj@0.2": None,
        "mean_error": pytest.approx(50, abs=0.01),
        "offset": pytest.approx([50, 0], abs=0.01),  # whatever the rotation
        "mpjpe_mm": None,
        "visible_share": None,
        "visibility_accuracy": None,
        "count": 7,
    }


def test_a_missed_person_is_wrong_in_the_baseline_too(crowd, pose_roi):
    """One of seven people; distances are those of the others."""
    predictions = predictions_of(crowd, pose_roi)
    key = person_key("lsp", crowd.annotations[3])
    roi = predictions[key].roi
    predictions[key] = missed_person(key[1], key[2], key[0], "detector", roi, predictions[key].supervised)
    metrics = results(score(predictions, [crowd]))
    assert metrics["pck@0.2"] == metrics["pck@0.2_mean_pose"] == pytest.approx(100 * 6 / 7, abs=1e-3)
    assert metrics["mean_error"] == pytest.approx(0, abs=0.01)
    assert "% of the torso of detected people; 7 people (1 not detected, counted as wrong)" in headline(
        metrics
    )


def test_offsets_keep_their_sign(crowd, pose_roi):
    """All wrists are a fifth too high in the crop; a single outlier does not matter."""
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 1] -= 0.2 * TORSO / 2.5
    predictions = predictions_of(crowd, wrong)
    predictions[person_key("lsp", crowd.annotations[3])].landmarks[INDEX["left_wrist"], :2] += 1000
    metrics = results(score(predictions, [crowd]))
    assert metrics["per_landmark"]["left_wrist"]["offset"] == pytest.approx([0, -20], abs=0.01)


def test_the_mean_pose_is_the_median_of_the_labelled(crowd, pose_roi):
    """Two of seven people raise the wrist, one does not label it: the median stays with the other four."""
    wrist = INDEX["left_wrist"]
    crowd.annotations[0].landmarks_px[wrist] += 0.1 * (
        crowd.annotations[0].landmarks_px[LEFT_SHOULDER] - crowd.annotations[0].landmarks_px[RIGHT_HIP]
    )
    crowd.annotations[1].landmarks_px[wrist] = crowd.annotations[1].landmarks_px[LEFT_SHOULDER]
    crowd.annotations[2].labelled[wrist] = False
    metrics = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert metrics["per_landmark"]["left_wrist"]["count"] == 6
    assert metrics["pck@0.2_mean_pose"] == pytest.approx(100 * 40 / 41, abs=1e-3)


def test_left_out_by_reason(crowd, pose_roi):
    image = crowd.annotations[0].image
    extra = [person(image, 10 + k, (60.0, 50.0), radius=20, turn=0) for k in range(3)]
    extra[0].labelled[RIGHT_HIP] = False
    extra[1].landmarks_px[RIGHT_HIP] = extra[1].landmarks_px[LEFT_SHOULDER]
    extra[2].landmarks_px[NAMED[:2]] = extra[2].landmarks_px[NAMED[3:5]]
    source = replace(crowd, annotations=crowd.annotations + extra, left_out={"no keypoints": 4})
    metrics = results(score(predictions_of(source, pose_roi), [source]))
    assert metrics["num_people"] == 7
    assert metrics["num_left_out"] == {
        "no keypoints": 4,
        "hips or shoulders not labelled": 1,
        "zero torso": 1,
        "zero torso: hips and shoulders on one point": 1,
    }


def test_no_person_to_score(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    for annotation in crowd.annotations:
        annotation.labelled[RIGHT_HIP] = False
    with pytest.raises(ValueError, match=r"no person can be scored \(7 hips or shoulders not labelled\)"):
        score(predictions, [crowd])


def test_predictions_of_other_people(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    del predictions[person_key("lsp", crowd.annotations[3])]
    sentence = (
        r"no prediction for 1 of 7 people, the first is \S*im3\.png, person 3, of lsp:here\. The file has 6 "
        r"predictions, the first for \S*im0\.png, person 0\. Set data\.test"
    )
    with pytest.raises(ValueError, match=sentence):
        score(predictions, [crowd])


def test_a_duplicate_person_is_refused(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    with pytest.raises(ValueError, match=r"im0\.png: two labels of the lsp reader are both person 0"):
        score(predictions, [crowd, crowd])


def test_unsupervised_landmarks_are_left_out_and_reported(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"]] += 1
    names = [name for name in POSE if name != "left_wrist"]
    trained = {"trained": {"landmarks": names, "outputs": ["presence"]}}
    for annotation in crowd.annotations:
        annotation.visibility[NAMED] = VISIBLE
    metrics = results(score(predictions_of(crowd, wrong, trained), [crowd]))
    assert metrics["pck@0.2"] == 100
    assert "left_wrist" not in metrics["per_landmark"]
    assert metrics["not_trained"] == {"left_wrist": 7}
    assert metrics["pdj@0.2"] is None, "visibility was not supervised either"


@pytest.mark.parametrize(
    ("landmarks", "sentence"),
    [
        (["nose"], "these weights were not trained on any of the labelled landmarks"),
        ([], r"trained with heatmaps only\. Continue with stages\.regression or stages\.joint"),
    ],
)
def test_weights_trained_on_other_outputs(landmarks, sentence, crowd, pose_roi):
    trained = {"trained": {"landmarks": landmarks, "outputs": []}}
    with pytest.raises(ValueError, match=sentence):
        score(predictions_of(crowd, pose_roi, trained), [crowd])


def test_pdj_where_the_source_labels_visibility(crowd, pose_roi):
    for annotation in crowd.annotations:
        annotation.visibility[NAMED] = [VISIBLE, VISIBLE, HIDDEN, VISIBLE, UNKNOWN, UNKNOWN]
    metrics = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert metrics["pdj@0.2"] == 75  # all points are predicted visible


def test_torso_definitions(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.2 * 0.63 / 2.5  # between 0.2 x midline (0.6) and 0.2 x across (0.67)
    predictions = predictions_of(crowd, wrong)
    wrists = {
        torso: results(score(predictions, [crowd], torso))["per_landmark"]["left_wrist"]["pck@0.2"]
        for torso in ("across", "diagonals", "midline")
    }
    assert wrists == {"across": 100, "diagonals": 100, "midline": 0}


def test_a_missing_regression_output_has_no_metric(crowd, pose_roi):
    """As from MediaPipe, even with a missed person, whose points are all wrong."""
    predictions = {
        key: replace(prediction, landmarks_raw=None)
        for key, prediction in predictions_of(crowd, pose_roi).items()
    }
    missed = next(iter(predictions))
    p = predictions[missed]
    predictions[missed] = missed_person(p.image, p.person, p.reader, p.crop, p.roi, p.supervised)
    metrics = results(score(predictions, [crowd]))
    assert metrics["pck@0.2"] == pytest.approx(100 * 6 / 7, abs=1e-3)
    assert metrics["pck@0.2_raw"] is None
    assert "mean error 0.0 %" in headline(metrics)


def test_restricted_landmarks(crowd, pose_roi):
    """The ankle is wrong, and is none of the upper body."""
    wrong = pose_roi.copy()
    wrong[INDEX["left_ankle"], 0] += 0.5
    predictions = predictions_of(crowd, wrong)
    everything = results(score(predictions, [crowd]))
    above = results(score(predictions, [crowd], chosen=UPPER_BODY.landmarks))
    assert (everything["pck@0.2"], above["pck@0.2"]) == (pytest.approx(500 / 6, abs=1e-3), 100)
    assert "left_ankle" not in above["per_landmark"]
    assert above["landmarks"] == list(UPPER_BODY.landmarks)
    assert "scored on the 25 landmarks of upper_body" in headline(above)
    wrist = results(score(predictions, [crowd], chosen=["left_wrist"]))
    assert list(wrist["per_landmark"]) == ["left_wrist"]
    assert "scored on left_wrist" in headline(wrist)
    with pytest.raises(ValueError, match=r"none of landmarks=\[nose\] is labelled and predicted"):
        score(predictions, [crowd], chosen=["nose"])


def test_an_upper_body_network(crowd, pose_roi):
    """Its points are right but for the wrist; two of seven people have no hips."""
    people = source_of([upper_body(person, hips=k > 1) for k, person in enumerate(crowd.annotations)])
    jobs = plan_label_crops([people], "annotation", 0)
    engine = ConstantEngine(np.zeros((31, 2)), topology=UPPER_BODY)
    predictions = {}
    for job, prediction in zip(jobs, predict(engine, jobs, "annotation"), strict=True):
        landmarks = prediction.landmarks.copy()
        landmarks[:, :2] = job.annotation.landmarks_px
        landmarks[INDEX["left_wrist"], 0] += 1000
        key = prediction.reader, prediction.image, prediction.person
        predictions[key] = replace(prediction, landmarks=landmarks)
    metrics = results(score(predictions, [people]))
    assert metrics["num_people"] == 7
    assert (metrics["topology"], metrics["num_torso_from_shoulders"]) == ("upper_body", 2)
    assert metrics["pck@0.2"] == pytest.approx(100 * (1 - 7 / (5 * 6 + 2 * 4)), abs=1e-3)
    assert metrics["per_landmark"]["left_wrist"]["pck@0.2"] == 0
    assert metrics["per_landmark"]["nose"]["pck@0.2"] == 100
    assert {name for name, part in metrics["per_part"].items() if part["count"]} == {
        *("face", "shoulders", "wrists", "hips")
    }
    assert metrics["per_part"]["ankles"] == dict.fromkeys(metrics["per_part"]["ankles"]) | {"count": 0}
    assert (metrics["mpjpe_mm"], metrics["bone_asymmetry"]) == (None, None)
    assert "torso left shoulder to right hip, 1.81 shoulder widths for 2 without labelled hips" in headline(
        metrics
    )
    rotations = metrics["breakdown"]["rotation"]
    assert sum(group["count"] for group in rotations.values()) == 7
