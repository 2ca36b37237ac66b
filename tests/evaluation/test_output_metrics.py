"""World landmarks, visibility, presence and masks, end to end through a predictions.jsonl."""

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as run_lengths

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Annotation, Source
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import (
    PersonKey,
    Prediction,
    missed_person,
    read_predictions,
    write_predictions,
)
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.geometry import image_to_roi
from blazepose.metrics.pose3d import bone_asymmetry
from blazepose.runtime.crop_to_image import world_to_image_axes
from blazepose.topologies.full_body import INDEX, LEFT_HIP, RIGHT_HIP
from tests.evaluation.crowd import NAMED, ConstantEngine, source_of

WIDTH, HEIGHT = 160, 120
WORLD = np.random.default_rng(0).normal(0, 0.4, (33, 3))
WORLD -= WORLD[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
"""Along the axes of the crop."""


def body(at_roi: np.ndarray, width: float = 0.2) -> np.ndarray:
    """Evaluate an ellipse as high as the person at positions (..., 2) of the crop: above 0 inside."""
    return 1 - ((at_roi[..., 0] - 0.5) / width) ** 2 - ((at_roi[..., 1] - 0.55) / 0.35) ** 2


LOGITS = 50 * body(np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1) / 256)


def encoded(pixels: np.ndarray) -> dict:
    mask = run_lengths.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": mask["size"], "counts": mask["counts"].decode()}


def by_key(predictions: list[Prediction]) -> dict[PersonKey, Prediction]:
    return {(p.reader, p.image, p.person): p for p in predictions}


def completed(annotation: Annotation, number: int) -> Annotation:
    """Return the same person with all the labels of a synthetic one."""
    roi = aligned_roi(annotation)
    visibility = annotation.visibility.copy()
    visibility[NAMED] = [VISIBLE, VISIBLE, HIDDEN, VISIBLE, VISIBLE, UNKNOWN]
    at_roi = image_to_roi(roi, np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), -1).astype(float))
    return replace(
        annotation,
        visibility=visibility,
        image_size=(WIDTH, HEIGHT),
        landmarks_world=world_to_image_axes(WORLD, roi).astype(np.float32),
        mask=encoded(body(at_roi) > 0),
        attributes={"gender": "female" if number < 3 else "male"} | ({"skin_tone": "10"} if number else {}),
    )


@pytest.fixture
def people(crowd) -> Source:
    return source_of([completed(annotation, k) for k, annotation in enumerate(crowd.annotations)])


@pytest.fixture
def evaluate(pose_roi, tmp_path):
    """Run a constant network on people, through the file, and score the predictions."""

    def evaluate(
        people: Source, crop: str = "annotation", trained: dict | None = None, **options
    ) -> ScoredPeople:
        options = {"world": WORLD, "logits": LOGITS} | options
        engine = ConstantEngine(pose_roi, {"trained": trained} if trained else None, **options)
        write_predictions(predict(engine, plan_label_crops([people], crop, 0), crop), tmp_path / "p.jsonl")
        return score(read_predictions(tmp_path / "p.jsonl"), [people])

    return evaluate


def test_a_perfect_network(people, evaluate):
    metrics = results(evaluate(people))
    assert metrics["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert metrics["pa_mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert metrics["mask_iou"] > 97
    assert (metrics["presence_f1"], metrics["absent_f1"]) == (100, None), "all people are inside the image"
    assert metrics["per_landmark"]["left_wrist"]["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert metrics["outputs_not_trained"] == []


def test_world_landmarks_by_hand(people, evaluate):
    """One point 33 mm off for all people; or all people twice as large."""
    world = WORLD.copy()
    world[INDEX["left_wrist"], 2] += 0.033
    metrics = results(evaluate(people, world=world))
    assert metrics["mpjpe_mm"] == pytest.approx(1, abs=0.01)
    assert metrics["per_landmark"]["left_wrist"]["mpjpe_mm"] == pytest.approx(33, abs=0.01)
    assert metrics["per_landmark"]["left_ankle"]["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    metrics = results(evaluate(people, world=2 * WORLD))
    assert metrics["mpjpe_mm"] == pytest.approx(1000 * np.linalg.norm(WORLD, axis=1).mean(), rel=1e-4)
    assert metrics["pa_mpjpe_mm"] == pytest.approx(0, abs=0.05)


def test_points_and_people_without_world_landmarks_are_ignored(people, evaluate):
    people.annotations[0].landmarks_world[INDEX["nose"]] = np.nan
    people.annotations[1] = replace(people.annotations[1], landmarks_world=None)
    outputs = evaluate(people).outputs
    assert np.isfinite(outputs.world_errors).sum(axis=1).tolist() == [32, 0, 33, 33, 33, 33, 33]


def test_visibility_by_hand(people, evaluate):
    """All points are predicted visible: 4 of 5 labelled points are, and the wrist never."""
    metrics = results(evaluate(people))
    assert metrics["visibility_f1"] == pytest.approx(100 * 8 / 9, abs=1e-3)
    assert metrics["hidden_f1"] == 0
    assert metrics["visibility_balanced_accuracy"] == 50
    assert metrics["classes"]["visible"] == {"precision": 80, "recall": 100, "f1": 88.8889, "points": 28}
    assert metrics["classes"]["hidden"] == {"precision": None, "recall": 0, "f1": 0, "points": 7}
    wrist, hip, ankle = (metrics["per_landmark"][name] for name in ("left_wrist", "left_hip", "left_ankle"))
    assert (wrist["visible_share"], wrist["visibility_accuracy"]) == (0, 0)
    assert (hip["visible_share"], hip["visibility_accuracy"]) == (100, 100)
    assert (ankle["visible_share"], ankle["visibility_accuracy"]) == (None, None)


def test_presence_is_inside_the_image(people, evaluate):
    predictions = by_key(evaluate(people).predictions)
    narrow = source_of([replace(annotation, image_size=(90, 50)) for annotation in people.annotations])
    x, y = np.stack([annotation.landmarks_px[NAMED] for annotation in people.annotations]).transpose(2, 0, 1)
    inside = (x < 90) & (y < 50)
    metrics = results(score(predictions, [narrow]))
    present, absent = inside.sum(), (~inside).sum()
    assert min(present, absent) > 5
    assert [metrics["classes"][name]["points"] for name in ("present", "absent")] == [present, absent]
    assert metrics["presence_f1"] == pytest.approx(100 * 2 * present / (present + 42), abs=1e-3)
    assert (metrics["absent_f1"], metrics["presence_balanced_accuracy"]) == (0, 50)


def test_presence_is_inside_the_crop_of_the_network(people, evaluate):
    """With half the side, the ankle is 0.8 below the center."""
    predictions = [
        replace(prediction, roi=replace(prediction.roi, side=prediction.roi.side / 2))
        for prediction in evaluate(people).predictions
    ]
    presence = score(by_key(predictions), [people]).outputs.presence
    assert (presence[:, INDEX["left_ankle"]] == 0).all()
    assert (presence[:, INDEX["left_hip"]] == 1).all()
    assert (presence[:, INDEX["nose"]] == UNKNOWN).all()


def test_presence_is_unknown_in_images_of_unknown_size(people, evaluate):
    people.annotations[:] = [replace(annotation, image_size=None) for annotation in people.annotations]
    metrics = results(evaluate(people))
    assert metrics["presence_f1"] is metrics["absent_f1"] is None


def test_masks_by_hand(people, evaluate):
    """An ellipse of half the width inside the correct one."""
    inner = 50 * body(np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1) / 256, width=0.1)
    people.annotations[1] = replace(people.annotations[1], mask=None)
    outputs = evaluate(people, logits=inner).outputs
    assert np.isnan(outputs.mask_iou).tolist() == [False, True, *[False] * 5]
    assert np.nanmean(outputs.mask_iou) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("crop", ["annotation", "jitter"])
def test_a_mask_is_where_the_crop_was(people, evaluate, crop):
    """A jittered crop moves the constant mask away from the person."""
    iou = results(evaluate(people, crop))["mask_iou"]
    assert iou > 97 if crop == "annotation" else 50 < iou < 95


def test_masks_of_another_image(people, evaluate):
    predictions = by_key(evaluate(people).predictions)
    people.annotations[2] = replace(people.annotations[2], mask=encoded(np.ones((50, 60))))
    with pytest.raises(ValueError, match=r"im2\.png, person 2: masks of \[120, 160\] and \[50, 60\] pixels"):
        score(predictions, [people])


def test_only_people_with_a_labelled_mask_get_one_predicted(people, evaluate):
    people.annotations[1] = replace(people.annotations[1], mask=None)
    assert [p.mask is None for p in evaluate(people).predictions] == [False, True, *[False] * 5]


def test_all_nan_world_landmarks_are_not_labelled(people, evaluate):
    unknown = np.full((33, 3), np.nan, np.float32)
    unlabelled = replace(
        people, annotations=[replace(p, landmarks_world=unknown) for p in people.annotations]
    )
    names = list(INDEX)
    scored = evaluate(unlabelled, trained={"landmarks": names, "visibility": names, "outputs": ["presence"]})
    assert "world" not in scored.outputs.not_trained


def test_unsupervised_outputs_are_reported_but_not_scored(people, evaluate):
    names = [name for name in INDEX if name != "left_wrist"]
    trained = {"landmarks": names, "visibility": [], "outputs": ["presence"]}
    scored = evaluate(people, trained=trained)
    metrics = results(scored)
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "visibility_f1", "hidden_f1", "mask_iou", "pdj@0.2"):
        assert metrics[name] is None
    assert all(prediction.mask is None for prediction in scored.predictions)
    assert metrics["presence_f1"] is not None
    assert (scored.outputs.presence[:, INDEX["left_wrist"]] == UNKNOWN).all()
    assert metrics["outputs_not_trained"] == ["world", "visibility", "segmentation"]
    assert "MPJPE" not in headline(metrics)

    trained = {"landmarks": names, "visibility": ["left_hip"], "outputs": ["visibility", "world"]}
    metrics = results(evaluate(people, trained=trained))
    assert metrics["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert metrics["classes"]["visible"]["points"] == 7
    assert metrics["outputs_not_trained"] == ["presence", "segmentation"]


def test_groups_have_metrics_of_their_people(people, evaluate):
    world = WORLD.copy()
    world[INDEX["left_wrist"], 2] += 0.033
    for annotation in people.annotations[:3]:
        annotation.landmarks_world[INDEX["left_wrist"]] = np.nan
        annotation.landmarks_px[INDEX["left_wrist"]] = annotation.landmarks_px[INDEX["left_hip"]]
    people.annotations[5] = replace(people.annotations[5], mask=None)
    metrics = results(evaluate(people, world=world))
    gender = metrics["fairness"]["gender"]["groups"]
    assert set(metrics["fairness"]) == {"gender", "skin_tone"}
    assert (gender["female"]["count"], gender["male"]["count"]) == (3, 4)
    assert metrics["fairness"]["skin_tone"]["groups"]["10"]["count"] == 6
    assert metrics["fairness"]["skin_tone"]["without"] == 1
    assert gender["female"]["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert gender["male"]["mpjpe_mm"] == pytest.approx(1, abs=0.01)
    assert gender["female"]["pck@0.2"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert gender["male"]["pck@0.2"] == 100
    assert gender["male"]["pdj@0.2"] == 80
    assert gender["male"]["mask_iou"] > 97


def test_groups_that_are_numbers_are_in_their_order(people, evaluate):
    for annotation, tone in zip(people.annotations, ("10", "2", "1", "3", "2", "10", "3"), strict=True):
        annotation.attributes["skin_tone"] = tone
    assert list(results(evaluate(people))["fairness"]["skin_tone"]["groups"]) == ["1", "2", "3", "10"]


def test_the_headline_has_the_other_outputs(people, evaluate):
    text = headline(results(evaluate(people)))
    assert "right hip. MPJPE 0 mm, PA-MPJPE 0 mm, F1 of visible 88.9, F1 of hidden 0.0, mask IoU 9" in text


def test_missed_people_are_wrong_in_all_outputs(people, evaluate):
    """Visibility, presence and mask."""
    detected = evaluate(people).predictions
    missed = [missed_person(p.image, p.person, p.reader, p.crop, p.roi, p.supervised) for p in detected]
    metrics = results(score(by_key(missed), [people]))
    assert metrics["classes"]["hidden"]["recall"] == metrics["classes"]["visible"]["recall"] == 0
    assert metrics["visibility_balanced_accuracy"] == metrics["presence_f1"] == metrics["mask_iou"] == 0
    assert metrics["per_landmark"]["left_wrist"]["visibility_accuracy"] == 0


def test_bones_and_height_of_predictions(people, evaluate):
    """A tenth larger than the label, with the same asymmetry."""
    metrics = results(evaluate(people, world=1.1 * WORLD))
    assert metrics["height_error"] == metrics["height_bias"] == pytest.approx(10, abs=0.05)
    assert metrics["bone_asymmetry"] == pytest.approx(bone_asymmetry(WORLD[None]).mean(), abs=0.05)
    assert results(evaluate(people, world=0.9 * WORLD))["height_bias"] == pytest.approx(-10, abs=0.05)


def test_calibration_by_hand(people, evaluate):
    """All visibilities are predicted 0.9999; 28 of 35 points are visible."""
    metrics = results(evaluate(people))
    predicted, observed, points = metrics["calibration"]["visibility"]["bins"][0]
    assert (predicted, observed, points) == pytest.approx((1.0, 0.8, 35), abs=1e-3)
    assert metrics["calibration"]["visibility"]["error"] == pytest.approx(20, abs=0.1)
