import math
from dataclasses import replace

import numpy as np
import pytest

from blazepose.data.align import aligned_roi
from blazepose.evaluation import predict as predict_module
from blazepose.evaluation.predict import jittered_roi, plan_label_crops, predict
from blazepose.evaluation.predictions import write_predictions
from blazepose.geometry import image_to_roi
from tests.evaluation.crowd import NAMED, ConstantEngine, person, source_of


def test_landmarks_come_back_where_the_labels_are(crowd, pose_roi):
    """A constant pose in every crop is the pose of each person in the image."""
    engine = ConstantEngine(pose_roi)
    predictions = list(
        predict(engine, plan_label_crops([crowd], "annotation", seed=0), "annotation", batch_size=3)
    )
    assert engine.batches == [3, 3, 1]
    for annotation, prediction in zip(crowd.annotations, predictions, strict=True):
        expected = annotation.landmarks_px[NAMED]
        np.testing.assert_allclose(prediction.landmarks[NAMED, :2], expected, atol=1e-3)
        np.testing.assert_allclose(prediction.landmarks_raw[NAMED], expected, atol=1e-3)
        assert prediction.landmarks[:, 3:] == pytest.approx(1, abs=1e-3)
        assert (prediction.image, prediction.person) == (str(annotation.image), annotation.person)
        assert (prediction.reader, prediction.crop) == ("lsp", "annotation")
        assert prediction.pose_presence == pytest.approx(0.9)


def test_batches_change_nothing(crowd, pose_roi):
    jobs = plan_label_crops([crowd], "jitter", seed=1)
    one, all_ = (list(predict(ConstantEngine(pose_roi), jobs, "jitter", size)) for size in (1, 16))
    for alone, together in zip(one, all_, strict=True):
        np.testing.assert_array_equal(alone.landmarks, together.landmarks)


def test_heatmaps_move_landmarks_but_not_the_raw_ones(crowd, pose_roi):
    class Refining(ConstantEngine):
        def __call__(self, images):
            raw = super().__call__(images)
            column, row = np.trunc(pose_roi[NAMED[0]] * 64).astype(int)
            raw.heatmaps[:, row + 1, column + 2, NAMED[0]] = 9
            return raw._replace(heatmaps=np.where(raw.heatmaps > 0, raw.heatmaps, -99))

    prediction = next(predict(Refining(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation"))
    roi = prediction.roi
    refined = image_to_roi(roi, prediction.landmarks[NAMED[0], :2])
    raw = image_to_roi(roi, prediction.landmarks_raw[NAMED[0]])
    assert refined * 64 - np.trunc(pose_roi[NAMED[0]] * 64) == pytest.approx([2, 1], abs=1e-3)
    assert raw == pytest.approx(pose_roi[NAMED[0]], abs=1e-4)


@pytest.mark.parametrize(("decoding", "cells"), [("regression", 0), ("mediapipe", 0), ("heatmap", 20)])
def test_the_decoding_is_that_of_the_option(crowd, pose_roi, decoding, cells):
    class Distant(ConstantEngine):
        """A heatmap whose peak is 20 cells to the left of the regression."""

        def __call__(self, images):
            raw = super().__call__(images)
            column, row = np.round(pose_roi[NAMED[0]] * 64).astype(int)
            heatmaps = np.full_like(raw.heatmaps, -9)
            heatmaps[:, row, column - 20, NAMED[0]] = 9
            return raw._replace(heatmaps=heatmaps)

    jobs = plan_label_crops([crowd], "annotation", 0)
    prediction = next(predict(Distant(pose_roi), jobs, "annotation", decoding=decoding))
    x = image_to_roi(prediction.roi, prediction.landmarks[NAMED[0], :2])[0]
    assert (pose_roi[NAMED[0]][0] - x) * 64 == pytest.approx(cells, abs=0.6)
    assert prediction.decoding == decoding


def test_weights_made_for_heatmaps_are_decoded_by_them(crowd, pose_roi):
    engine = ConstantEngine(pose_roi)
    engine.metadata = {**engine.metadata, "decoding": "heatmap"}
    assert (
        next(predict(engine, plan_label_crops([crowd], "annotation", 0), "annotation")).decoding == "heatmap"
    )


def test_a_graph_that_decodes_has_no_regression_to_score(crowd, pose_roi):
    class Decoded(ConstantEngine):
        def __call__(self, images):
            return super().__call__(images)._replace(decoded=True)

    engine = Decoded(pose_roi)
    engine.metadata = {**engine.metadata, "decoding": "heatmap", "precision": "fp32"}
    prediction = next(predict(engine, plan_label_crops([crowd], "annotation", 0), "annotation"))
    assert prediction.landmarks_raw is None


def test_jitter_is_within_its_bounds_and_differs_by_person(crowd):
    relative = []
    for seed in range(20):
        for annotation in crowd.annotations:
            roi, jittered = aligned_roi(annotation), jittered_roi(annotation, seed)
            relative.append(
                [
                    (jittered.center_x - roi.center_x) / roi.side / 0.1,
                    (jittered.center_y - roi.center_y) / roi.side / 0.1,
                    (jittered.side / roi.side - 1) / 0.1,
                    (jittered.rotation_rad - roi.rotation_rad) / math.radians(8),
                ]
            )
    assert np.abs(relative).max() <= 1 + 1e-9
    assert np.ptp(relative, axis=0).min() > 1.8
    assert len(np.unique(np.round(relative, 6), axis=0)) == len(relative)


def test_jitter_depends_on_seed_and_person_only(crowd, tmp_path):
    forward = {job.annotation.person: job.roi for job in plan_label_crops([crowd], "jitter", seed=5)}
    backward = source_of(crowd.annotations[::-1])
    assert {
        job.annotation.person: job.roi for job in plan_label_crops([backward], "jitter", seed=5)
    } == forward
    assert {job.annotation.person: job.roi for job in plan_label_crops([crowd], "jitter", seed=6)} != forward
    first = crowd.annotations[0]
    moved = replace(first, image=tmp_path / "elsewhere" / first.image.name)
    assert jittered_roi(moved, 5) == forward[first.person]
    # A fixed value: other machines and versions sample the same jitter.
    roi = jittered_roi(person(tmp_path / "a.png", 1, (50.0, 50.0), radius=20, turn=0), 0)
    assert roi.side == pytest.approx(45.7742377)


def test_people_without_hips_get_no_crop(crowd):
    no_hips = person(crowd.annotations[0].image, 9, (50.0, 50.0), radius=20, turn=0)
    no_hips.labelled[24] = False
    jobs = plan_label_crops([source_of([no_hips, crowd.annotations[1]])], "annotation", 0)
    assert [job.annotation.person for job in jobs] == ["1"]
    with pytest.raises(ValueError, match="no person in lsp:here has both hips and both shoulders labelled"):
        plan_label_crops([source_of([no_hips])], "annotation", 0)


def test_two_sources_with_the_same_person_are_refused(crowd):
    """The ids of two annotators' files both start at 1."""
    with pytest.raises(ValueError, match=r"im\d\.png: two labels of the lsp reader are both person"):
        plan_label_crops([crowd, crowd], "annotation", 0)


def test_a_truncated_image_is_named_and_leaves_no_file(crowd, pose_roi, tmp_path):
    image = crowd.annotations[5].image
    image.write_bytes(image.read_bytes()[:1000])
    jobs = plan_label_crops([crowd], "annotation", 0)
    with pytest.raises(ValueError, match=r"im5\.png is cut off"):
        write_predictions(predict(ConstantEngine(pose_roi), jobs, "annotation", 2), tmp_path / "out/p.jsonl")
    assert list((tmp_path / "out").iterdir()) == []


def test_low_pose_presence_counts_as_missed(crowd, pose_roi):
    """The network predicts a pose presence of 0.9 for all people."""
    jobs = plan_label_crops([crowd], "annotation", 0)
    bounds = [0.0, 0.95] + [-math.inf] * (len(jobs) - 2)
    jobs = [job._replace(min_presence=bound) for job, bound in zip(jobs, bounds, strict=True)]
    predictions = predict(ConstantEngine(pose_roi), jobs, "detector")
    detected = [not np.isnan(prediction.landmarks).any() for prediction in predictions]
    assert detected == [True, False] + [True] * (len(jobs) - 2)


def test_nan_outputs_are_refused(crowd, pose_roi):
    with pytest.raises(ValueError, match=r"im0\.png, person 0: the network returns NaN"):
        next(
            predict(
                ConstantEngine(np.nan * pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation"
            )
        )


def test_nan_heatmaps_are_refused_where_landmarks_come_from_them(crowd, pose_roi):
    class Damaged(ConstantEngine):
        def __call__(self, images):
            raw = super().__call__(images)
            return raw._replace(heatmaps=np.full_like(raw.heatmaps, np.nan))

    jobs = plan_label_crops([crowd], "annotation", 0)
    with pytest.raises(ValueError, match=r"im0\.png, person 0: the network returns NaN"):
        next(predict(Damaged(pose_roi), jobs, "annotation", decoding="heatmap"))


def test_few_images_wait_in_memory(crowd, pose_roi, monkeypatch):
    read: list[str] = []

    def count(path, size):
        read.append(str(path))
        return np.zeros((120, 160, 3), np.uint8)

    monkeypatch.setattr(predict_module, "read_image", count)
    many = plan_label_crops([crowd], "annotation", 0) * 20
    stream = predict(ConstantEngine(pose_roi), many, "annotation", batch_size=4)
    next(stream)
    assert len(read) <= 4 + 2 * 4
    assert sum(1 for _ in stream) == 139
