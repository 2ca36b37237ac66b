"""Changes between two networks, against values computed by hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.evaluation.compare.forgetting import (
    RARELY_LABELLED,
    SHIFT_PX,
    CropOutputs,
    Labels,
    RecordingEngine,
    forgetting,
    labels_of,
    measure_forgetting,
    shift_crop,
    unshift,
)
from blazepose.evaluation.predict import CropJob
from blazepose.evaluation.predictions import person_key
from blazepose.geometry import Roi, crop_image, image_to_roi, roi_to_image_matrix
from blazepose.skeletons import LSP14
from blazepose.topologies.full_body import FULL_BODY, INDEX, LEFT_SHOULDER, RIGHT_HIP, ROI_CENTER
from tests.evaluation.crowd import ConstantEngine
from tests.evaluation.scored_people import labelled_person

LABELLED = [INDEX[name] for name in LSP14.values() if name in INDEX]
PEOPLE = 4


@pytest.fixture
def labels() -> Labels:
    points = np.random.default_rng(0).uniform(0.2, 0.8, (PEOPLE, 33, 2))
    points[:, LEFT_SHOULDER], points[:, RIGHT_HIP] = (0.5, 0.5), (0.5, 0.7)
    labelled = np.zeros((PEOPLE, 33), bool)
    labelled[:, LABELLED] = True
    return Labels(points, labelled, np.full(PEOPLE, 0.2))


@pytest.fixture
def before(labels) -> CropOutputs:
    masks = np.zeros((PEOPLE, 8, 8), bool)
    masks[:, :4] = True
    points = np.concatenate([labels.points, np.full((PEOPLE, 6, 2), 0.5)], axis=1)
    return CropOutputs(
        points, np.zeros((PEOPLE, 33, 3)), np.full((PEOPLE, 33), 0.9), np.full(PEOPLE, 0.9), masks
    )


def test_rarely_labelled_groups_match_their_names():
    names = RARELY_LABELLED
    assert (names["face"][0], names["face"][-1]) == ("nose", "mouth_right")
    assert len(names["face"]) == 11
    assert all(any(part in name for part in ("pinky", "index", "thumb")) for name in names["hands"])
    assert len(names["hands"]) == 6
    assert sorted(names["feet"]) == ["left_foot_index", "left_heel", "right_foot_index", "right_heel"]


def test_equal_outputs_have_no_change(before, labels):
    metrics = measure_forgetting(before, before, labels)
    assert [value for name, value in metrics.items() if "agrees" not in name and "IoU" not in name] == [
        0.0
    ] * 5
    assert {metrics[name] for name in metrics if "agrees" in name or "IoU" in name} == {100.0}


def test_masks_of_different_sizes_are_compared(before, labels):
    halved = before._replace(masks=before.masks[:, ::2, ::2])
    assert measure_forgetting(halved, before, labels)["mask IoU, %"] == 100
    assert measure_forgetting(before, halved, labels)["mask IoU, %"] == 100


def test_every_metric_measures_its_own_change(before, labels):
    points, world = before.points.copy(), before.world.copy()
    points[:, FULL_BODY.indices(RARELY_LABELLED["feet"]), 0] += 0.01  # 5 % of the torso
    points[:, ROI_CENTER, 1] += 0.03
    world[..., 2] += 0.04
    visibility, pose, masks = before.visibility.copy(), before.pose.copy(), before.masks.copy()
    visibility[0], pose[1] = 0.1, 0.2
    masks[:, 3] = False  # 24 of 32 pixels remain
    metrics = measure_forgetting(before, CropOutputs(points, world, visibility, pose, masks), labels)
    assert metrics == pytest.approx(
        {
            "face, % of torso": 0,
            "hands, % of torso": 0,
            "feet, % of torso": 5,
            "alignment points, % of the crop": 1.5,
            "world, cm": 4,
            "visibility agrees, %": 75,
            "pose score agrees, %": 75,
            "mask IoU, %": 75,
        }
    )


def test_only_points_that_the_first_weights_had_correct_count(before, labels):
    """The left ankle is wrong before, so that changes of the left foot do not count as forgetting."""
    wrong = before.points.copy()
    wrong[:, INDEX["left_ankle"]] += 0.1
    moved = before.points.copy()
    moved[:, [INDEX["left_heel"], INDEX["left_foot_index"]]] += 0.1
    metrics = measure_forgetting(before._replace(points=wrong), before._replace(points=moved), labels)
    assert metrics["feet, % of torso"] == 0


def test_people_without_a_torso_do_not_count(before, labels):
    moved = before._replace(points=before.points + 0.1)
    unknown = labels._replace(torso=np.array([np.nan, 0.2, 0.2, 0.2]))
    assert measure_forgetting(before, moved, unknown)["face, % of torso"] == pytest.approx(50 * 2**0.5)
    none = labels._replace(torso=np.full(PEOPLE, np.nan))
    assert np.isnan(measure_forgetting(before, moved, none)["face, % of torso"])


def test_unshift_undoes_shift_crop(before):
    """A point and a mask in a rotated crop and in the shifted one agree in coordinates of the first."""
    size = 64
    roi = Roi(100.0, 80.0, 128.0, 0.5)
    image = np.zeros((160, 200, 3), np.uint8)
    image[60:100, 70:120] = 255
    job = CropJob("test", Annotation.__new__(Annotation), roi)
    crops = [
        crop_image(image, roi_to_image_matrix(r), size)[..., 0] > 127
        for r in (roi, shift_crop(job, size).roi)
    ]
    assert (crops[0] != crops[1]).sum() > 2 * size / 4
    points = [image_to_roi(r, np.array([[[110.0, 90.0]]])) for r in (roi, shift_crop(job, size).roi)]
    assert points[1][0, 0] == pytest.approx(points[0][0, 0] - [SHIFT_PX / size, 0])
    shifted = before._replace(points=points[1], masks=crops[1][None])
    back = unshift(shifted, size)
    assert back.points == pytest.approx(points[0])
    assert (back.masks[0] != crops[0]).mean() < 0.005


def test_a_recording_engine_keeps_the_outputs_of_all_batches(before):
    logits = np.full((256, 256), -5.0)
    logits[:, :64] = 5
    network = ConstantEngine(np.full((33, 2), 0.25), logits=logits)
    engine = RecordingEngine(network)
    images = np.zeros((3, 256, 256, 3), np.uint8)
    assert engine(images).landmarks.shape == (3, 195)
    engine(images[:1])
    outputs = engine.outputs()
    assert outputs.points.shape == (4, 39, 2)
    assert outputs.points[:, :33] == pytest.approx(0.25)
    assert outputs.pose == pytest.approx(0.9)
    assert outputs.masks.mean(axis=(1, 2)).tolist() == [0.25] * 4
    assert network.batches == [3, 1]


def test_forgetting_of_each_data_set_beside_its_noise(tmp_path):
    """The first network's outputs are constant and right, so that they follow a shift of the crop."""
    people = [replace(labelled_person(k), image=tmp_path / f"{k}.png") for k in range(3)]
    for person in people:
        cv2.imwrite(str(person.image), np.zeros((120, 120, 3), np.uint8))
    jobs = [CropJob("lsp", person, aligned_roi(person)) for person in people]
    data_sets = {person_key("lsp", person): name for person, name in zip(people, "abb", strict=True)}
    engine = ConstantEngine(labels_of(jobs).points[0], logits=np.full((256, 256), 5.0))
    first = RecordingEngine(engine)
    first.run_on_crops(jobs)
    before = first.outputs()
    points, pose = before.points.copy(), before.pose.copy()
    points[1:, ROI_CENTER, 0] += 0.1
    pose[2] = 0.1
    measured = forgetting(jobs, data_sets, first, before._replace(points=points, pose=pose))
    assert measured.not_measured is None
    assert list(measured.data_sets) == ["a", "b"]
    (score_a, score_b), (aligned_a, aligned_b) = (
        [rows[name] for rows in measured.data_sets.values()]
        for name in ("pose score agrees, %", "alignment points, % of the crop")
    )
    assert (score_a, score_b) == ({"change": 100, "noise": 100}, {"change": 50, "noise": 100})
    shift = pytest.approx(100 * SHIFT_PX / 256, abs=1e-3)
    assert aligned_a == {"change": 0, "noise": shift}
    assert aligned_b == {"change": pytest.approx(5), "noise": shift}
