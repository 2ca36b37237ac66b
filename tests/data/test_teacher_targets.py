"""Outputs of a teacher, disturbed like labels."""

import pickle

import cv2
import numpy as np
import pytest

from blazepose.config.landmark import Augmentation
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON
from blazepose.data.readers import read_source
from blazepose.data.teacher_targets import (
    TeacherStore,
    TeacherTargets,
    quantize_heatmaps,
    write_store,
)
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.topologies.full_body import MIRROR, NUM_LANDMARKS

STILL = {
    **{"scale": 0.0, "shift": 0.0, "rotation_deg": 0.0, "hflip_prob": 0.0},
    **{"truncation_prob": 0.0, "erasing_prob": 0.0},
}


def augmentation(**changes: float) -> Augmentation:
    return Augmentation(**{**STILL, **changes}, photometric=False)


def exact(sample) -> TeacherTargets:
    """Return the outputs of a teacher that predicts the labels of a sample."""
    points = np.concatenate([sample["points"], np.ones((39, 2), np.float32)], axis=1)
    rows, columns = np.mgrid[:64, :64]
    squared = (columns - 64 * points[:, 0, None, None]) ** 2 + (rows - 64 * points[:, 1, None, None]) ** 2
    return TeacherTargets(
        heatmaps=quantize_heatmaps(np.exp(-squared / (2 * 1.4**2))),
        points=points,
        world=sample["world"],
        mask=np.where(sample["mask"] == IGNORE, BACKGROUND, sample["mask"]),
        pose=np.float32(0.75),
    )


@pytest.fixture(scope="module")
def sources(tiny_lsp, tiny_rendered):
    return [read_source(f"lsp:{tiny_lsp}"), read_source(f"synthetic:{tiny_rendered}")]


@pytest.fixture(scope="module")
def store(sources, tmp_path_factory) -> TeacherStore:
    folder = tmp_path_factory.mktemp("teacher")
    people = PoseDataset(sources, LANDMARK_INPUT)
    write_store(folder, (exact(people[k]) for k in range(len(people))))
    return TeacherStore(folder)


def test_stored_targets_are_read_back(sources, store):
    people = PoseDataset(sources, LANDMARK_INPUT)
    assert len(store) == len(people)
    for k in (0, len(people) - 1):
        stored, expected = store[k], exact(people[k])
        for name, value in expected.items():
            np.testing.assert_array_equal(stored[name], value, err_msg=name)
            assert stored[name].dtype == value.dtype, name


def test_another_process_opens_the_files_instead_of_a_copy(store):
    pickled = pickle.dumps(store)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    for name, value in store[24].items():
        np.testing.assert_array_equal(again[24][name], value, err_msg=name)


@pytest.mark.parametrize(
    "disturbance",
    [
        {},
        {"scale": 0.1, "shift": 0.1, "rotation_deg": 30.0},
        {"hflip_prob": 1.0},
        {"scale": 0.1, "shift": 0.1, "rotation_deg": 30.0, "hflip_prob": 1.0},
    ],
    ids=["undisturbed", "moved", "flipped", "both"],
)
def test_targets_move_as_the_labels_do(sources, store, disturbance):
    """A teacher that predicts the labels still does in the disturbed crop, in every output."""
    disturbed = PoseDataset(sources, LANDMARK_INPUT, augmentation(**disturbance), teacher=store)
    for index in (1, 24, 27):  # a stick figure, and rendered people with every label
        sample = disturbed[index]
        targets, labelled, z_labelled = sample["teacher"], sample["labelled"], sample["z_labelled"]
        points = sample["points"]
        np.testing.assert_allclose(targets["points"][labelled, :2], points[labelled, :2], atol=1e-5)
        np.testing.assert_allclose(targets["points"][z_labelled, 2], points[z_labelled, 2], atol=1e-5)
        world_labelled = sample["world_labelled"]
        np.testing.assert_allclose(
            targets["world"][world_labelled], sample["world"][world_labelled], atol=1e-5
        )
        for point in np.flatnonzero(labelled):
            if (np.abs(points[point, :2] - 0.5) < 0.4).all():
                heatmap = targets["heatmaps"][point]
                row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
                assert np.hypot(column - 64 * points[point, 0], row - 64 * points[point, 1]) < 0.8
                assert heatmap.max() > 0.85 * 255
        known = (sample["mask"] != IGNORE) & (targets["mask"] != IGNORE)
        if known.any():
            person = sample["mask"] == PERSON
            assert (targets["mask"][known & person] > BACKGROUND).mean() > 0.97
            assert (targets["mask"][known & (sample["mask"] == BACKGROUND)] == BACKGROUND).mean() > 0.97
        assert targets["pose"] == np.float32(0.75)


def test_what_is_covered_is_not_visible(sources, store):
    covered = PoseDataset(sources, LANDMARK_INPUT, augmentation(erasing_prob=1.0), teacher=store)
    plain = PoseDataset(sources, LANDMARK_INPUT, augmentation(), teacher=store)
    hidden = 0
    for index in range(24, 32):
        sample, before = covered[index], plain[index]
        lost = (sample["visibility"] == 0) & (before["visibility"] == 1)
        hidden += lost.sum()
        assert (sample["teacher"]["points"][:NUM_LANDMARKS, 3][lost] == 0).all()
        erased = (sample["image"] != before["image"]).any(axis=2)
        values = sample["teacher"]["mask"][erased]
        assert np.isin(values, [IGNORE, BACKGROUND]).all()
    assert hidden > 5


def test_what_is_cut_off_is_absent(sources, store):
    cut = PoseDataset(sources, LANDMARK_INPUT, augmentation(truncation_prob=1.0), teacher=store)
    plain = PoseDataset(sources, LANDMARK_INPUT, augmentation(), teacher=store)
    absent, cut_pixels = 0, 0
    for index in range(24, 32):
        sample, before = cut[index], plain[index]
        unlabelled = sample["mask"] == IGNORE
        cut_pixels += (unlabelled & (before["mask"] == PERSON)).sum()
        assert (sample["teacher"]["mask"][unlabelled] == IGNORE).all()
        inside = ~cv2.dilate(unlabelled.astype(np.uint8), np.ones((3, 3))).astype(bool)
        np.testing.assert_array_equal(
            sample["teacher"]["mask"][inside], before["teacher"]["mask"][inside], "what is inside stays"
        )
        lost = sample["presence"] == 0
        absent += lost.sum()
        assert (sample["teacher"]["points"][:NUM_LANDMARKS, 3:][lost] == 0).all()
        assert (sample["teacher"]["points"][:NUM_LANDMARKS, 4][sample["presence"] == 1] == 1).all()
        np.testing.assert_array_equal(sample["teacher"]["points"][:, :2], before["teacher"]["points"][:, :2])
        np.testing.assert_array_equal(sample["teacher"]["heatmaps"], before["teacher"]["heatmaps"])
    assert absent > 5
    assert cut_pixels > 1000


def test_without_masks_all_else_is_the_same(sources, store, tiny_rendered, tmp_path):
    targets = [store[k] for k in range(len(store))]
    for target in targets:
        del target["mask"]
    write_store(tmp_path, targets)
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    everything = augmentation(truncation_prob=1.0, erasing_prob=1.0, hflip_prob=1.0)
    with_masks, without = (
        PoseDataset(sources, LANDMARK_INPUT, everything, negatives, teacher=teacher)
        for teacher in (store, TeacherStore(tmp_path))
    )
    for index in (24, len(without) - 1):
        expected = with_masks[index]["teacher"]
        del expected["mask"]
        np.testing.assert_equal(without[index]["teacher"], expected)


def test_images_without_people_have_no_targets(sources, store, tiny_rendered):
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    people = PoseDataset(sources, LANDMARK_INPUT, augmentation(), negatives, teacher=store)
    sample = people[len(people) - 1]
    assert sample["pose"] == 0
    assert not sample["teacher"]["heatmaps"].any()
    assert (sample["teacher"]["mask"] == IGNORE).all()
    assert sample["teacher"]["pose"] == 0


def test_left_and_right_change_places_with_a_flip(sources, store):
    flipped = PoseDataset(sources, LANDMARK_INPUT, augmentation(hflip_prob=1.0), teacher=store)
    before, after = store[24], flipped[24]["teacher"]
    np.testing.assert_allclose(after["points"][MIRROR, 0], 1 - before["points"][:, 0], atol=1e-5)
    # Column c is at c / 64 of the crop, so column 0 has no counterpart.
    np.testing.assert_array_equal(after["heatmaps"][MIRROR][:, :, 1:], before["heatmaps"][:, :, :0:-1])
