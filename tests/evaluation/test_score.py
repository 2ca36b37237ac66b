import json
from dataclasses import replace

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import PersonKey, Prediction, missed_person, person_key
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import score
from blazepose.topology import INDEX, LEFT_SHOULDER, RIGHT_HIP
from tests.evaluation.crowd import NAMED, POSE, ConstantEngine, person

TORSO = np.linalg.norm(np.subtract(POSE["left_shoulder"], POSE["right_hip"]))
"""In radii of the pose."""


def predictions_of(source: Source, points_roi: np.ndarray, metadata=None) -> dict[PersonKey, Prediction]:
    engine = ConstantEngine(points_roi, metadata)
    predictions = predict(engine, plan_label_crops([source], "annotation", 0), "annotation")
    return {(p.reader, p.image, p.person): p for p in predictions}  # pytest's paths are absolute


def test_perfect_predictions(crowd, pose_roi):
    figures = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert figures["pck@0.2"] == figures["pck@0.2_raw"] == figures["pck@0.2_mean_pose"] == 100
    assert figures["mean_error"] == pytest.approx(0, abs=0.01)
    assert figures["pdj@0.2"] is None
    assert figures["num_people"] == 7
    assert list(figures["per_landmark"]) == sorted(POSE, key=INDEX.get)
    assert figures["per_landmark"]["left_wrist"]["count"] == 7
    assert figures["pck_auc"] == 100


def test_the_keys_of_the_contract(crowd, pose_roi):
    figures = results(score(predictions_of(crowd, pose_roi), [crowd]))
    contract = """pck@0.2 pck@0.2_raw pck@0.2_mean_pose pdj@0.2 mean_error mpjpe_mm pa_mpjpe_mm num_people
        num_left_out num_not_found torso roi per_landmark fairness"""
    assert set(contract.split()) <= set(figures)
    assert (figures["torso"], figures["roi"]) == ("across", "annotation")
    assert list(figures["per_landmark"]["left_hip"]) == [
        *("pck@0.2", "pdj@0.2", "mean_error", "offset", "mpjpe_mm"),
        *("visible_share", "visibility_accuracy", "count"),
    ]
    assert "7 people, crop from annotation, torso left shoulder to right hip" in headline(figures)
    json.dumps(figures, allow_nan=False)


def test_figures_side_by_side(crowd, pose_roi):
    """Everybody's left wrist is wrong; LSP and COCO have it, the hips and the ankle are below."""
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.5
    figures = results(score(predictions_of(crowd, wrong), [crowd]))
    parts = {name: part["pck@0.2"] for name, part in figures["per_part"].items() if part["count"]}
    assert parts == {"shoulders": 100, "wrists": 0, "hips": 100, "ankles": 100}
    assert figures["per_part"]["wrists"] == {"pck@0.2": 0, "pdj@0.2": None, "mean_error": 186.339, "count": 7}
    subsets = {name: (subset["pck@0.2"], subset["count"]) for name, subset in figures["subsets"].items()}
    everything = round(100 * 5 / 6, 4)
    assert subsets == {"coco17": (everything, 42), "lsp12": (everything, 42), "upper_body": (80, 35)}
    low, high = figures["pck@0.2_ci95"]
    assert low <= figures["pck@0.2"] <= high
    assert figures["swap_rate"] == 0


def test_swapped_sides_are_counted(crowd, pose_roi):
    """Shoulders and hips of a mirrored answer; the other landmarks have no other side that is labelled."""
    mirrored = pose_roi.copy()
    for name in ("shoulder", "hip"):
        left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
        mirrored[[left, right]] = pose_roi[[right, left]]
    assert results(score(predictions_of(crowd, mirrored), [crowd]))["swap_rate"] == 100


def test_one_landmark_off_by_half_a_torso(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.5 * TORSO / 2.5
    figures = results(score(predictions_of(crowd, wrong), [crowd]))
    assert figures["pck@0.2"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert figures["pck@0.2_mean_pose"] == 100
    assert figures["mean_error"] == pytest.approx(50 / 6, abs=0.01)
    assert figures["per_landmark"]["left_wrist"] == {
        "pck@0.2": 0,
        "pdj@0.2": None,
        "mean_error": pytest.approx(50, abs=0.01),
        "offset": pytest.approx([50, 0], abs=0.01),  # whichever way they are turned
        "mpjpe_mm": None,
        "visible_share": None,
        "visibility_accuracy": None,
        "count": 7,
    }


def test_who_is_not_found_is_wrong_for_the_floor_too(crowd, pose_roi):
    """Of seven people one; distances are of the others."""
    predictions = predictions_of(crowd, pose_roi)
    key = person_key("lsp", crowd.annotations[3])
    roi = predictions[key].roi
    predictions[key] = missed_person(key[1], key[2], key[0], "detector", roi, predictions[key].trained)
    figures = results(score(predictions, [crowd]))
    assert figures["pck@0.2"] == figures["pck@0.2_mean_pose"] == pytest.approx(100 * 6 / 7, abs=1e-3)
    assert figures["mean_error"] == pytest.approx(0, abs=0.01)
    assert "% of the torso of those who were found; 7 people (1 not found, which is wrong)" in headline(
        figures
    )


def test_offsets_keep_their_sign(crowd, pose_roi):
    """Everybody's wrist is a fifth too high in the crop; the one who is wholly wrong does not matter."""
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 1] -= 0.2 * TORSO / 2.5
    predictions = predictions_of(crowd, wrong)
    predictions[person_key("lsp", crowd.annotations[3])].landmarks[INDEX["left_wrist"], :2] += 1000
    figures = results(score(predictions, [crowd]))
    assert figures["per_landmark"]["left_wrist"]["offset"] == pytest.approx([0, -20], abs=0.01)


def test_the_mean_pose_is_the_median_of_the_labelled(crowd, pose_roi):
    """Two of seven people raise the wrist, one does not label it: the median stays with the other four."""
    wrist = INDEX["left_wrist"]
    crowd.annotations[0].landmarks_px[wrist] += 0.1 * (
        crowd.annotations[0].landmarks_px[LEFT_SHOULDER] - crowd.annotations[0].landmarks_px[RIGHT_HIP]
    )
    crowd.annotations[1].landmarks_px[wrist] = crowd.annotations[1].landmarks_px[LEFT_SHOULDER]
    crowd.annotations[2].labelled[wrist] = False
    figures = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert figures["per_landmark"]["left_wrist"]["count"] == 6
    assert figures["pck@0.2_mean_pose"] == pytest.approx(100 * 40 / 41, abs=1e-3)


def test_left_out_by_reason(crowd, pose_roi):
    image = crowd.annotations[0].image
    extra = [person(image, 10 + k, (60.0, 50.0), radius=20, turn=0) for k in range(3)]
    extra[0].labelled[RIGHT_HIP] = False
    extra[1].landmarks_px[RIGHT_HIP] = extra[1].landmarks_px[LEFT_SHOULDER]
    extra[2].landmarks_px[NAMED[:2]] = extra[2].landmarks_px[NAMED[3:5]]
    source = replace(crowd, annotations=crowd.annotations + extra, left_out={"no keypoints": 4})
    figures = results(score(predictions_of(source, pose_roi), [source]))
    assert figures["num_people"] == 7
    assert figures["num_left_out"] == {
        "no keypoints": 4,
        "hips or shoulders not labelled": 1,
        "zero torso": 1,
        "zero torso: hips and shoulders on one point": 1,
    }


def test_nobody_to_score(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    for annotation in crowd.annotations:
        annotation.labelled[RIGHT_HIP] = False
    with pytest.raises(ValueError, match=r"nobody can be scored \(7 hips or shoulders not labelled\)"):
        score(predictions, [crowd])


def test_predictions_of_other_people(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    del predictions[person_key("lsp", crowd.annotations[3])]
    sentence = (
        r"no prediction for 1 of 7 people, first for \S*im3\.png, person 3, of lsp:here; there are 6, "
        r"first for \S*im0\.png, person 0: name their own data"
    )
    with pytest.raises(ValueError, match=sentence):
        score(predictions, [crowd])


def test_somebody_who_is_there_twice(crowd, pose_roi):
    predictions = predictions_of(crowd, pose_roi)
    with pytest.raises(ValueError, match=r"im0\.png: two labels of the lsp reader are both person 0"):
        score(predictions, [crowd, crowd])


def test_what_was_not_trained_is_left_out_and_said(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"]] += 1
    names = [name for name in POSE if name != "left_wrist"]
    trained = {"trained": {"landmarks": names, "outputs": ["presence"]}}
    for annotation in crowd.annotations:
        annotation.visibility[NAMED] = VISIBLE
    figures = results(score(predictions_of(crowd, wrong, trained), [crowd]))
    assert figures["pck@0.2"] == 100
    assert "left_wrist" not in figures["per_landmark"]
    assert figures["not_trained"] == {"left_wrist": 7}
    assert figures["pdj@0.2"] is None, "visibility was not trained either"


def test_weights_that_learned_other_landmarks(crowd, pose_roi):
    trained = {"trained": {"landmarks": ["nose"], "outputs": []}}
    with pytest.raises(ValueError, match="the weights never learned to regress any of the labelled"):
        score(predictions_of(crowd, pose_roi, trained), [crowd])


def test_pdj_where_the_source_labels_visibility(crowd, pose_roi):
    for annotation in crowd.annotations:
        annotation.visibility[NAMED] = [VISIBLE, VISIBLE, HIDDEN, VISIBLE, UNKNOWN, UNKNOWN]
    figures = results(score(predictions_of(crowd, pose_roi), [crowd]))
    assert figures["pdj@0.2"] == 75  # everything is predicted visible


def test_torso_definitions(crowd, pose_roi):
    wrong = pose_roi.copy()
    wrong[INDEX["left_wrist"], 0] += 0.2 * 0.63 / 2.5  # between 0.2 x midline (0.6) and 0.2 x across (0.67)
    predictions = predictions_of(crowd, wrong)
    wrists = {
        torso: results(score(predictions, [crowd], torso))["per_landmark"]["left_wrist"]["pck@0.2"]
        for torso in ("across", "diagonals", "midline")
    }
    assert wrists == {"across": 100, "diagonals": 100, "midline": 0}


def test_regression_that_no_engine_tells_has_no_figure(crowd, pose_roi):
    """MediaPipe's, even if somebody was not found, of whom all is wrong."""
    predictions = {
        key: replace(prediction, landmarks_raw=None)
        for key, prediction in predictions_of(crowd, pose_roi).items()
    }
    missed = next(iter(predictions))
    p = predictions[missed]
    predictions[missed] = missed_person(p.image, p.person, p.reader, p.crop, p.roi, p.trained)
    figures = results(score(predictions, [crowd]))
    assert figures["pck@0.2"] == pytest.approx(100 * 6 / 7, abs=1e-3)
    assert figures["pck@0.2_raw"] is None
    assert "mean error 0.0 %" in headline(figures)
