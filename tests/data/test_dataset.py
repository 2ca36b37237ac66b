"""Samples: labels follow the crop, randomness is repeatable."""

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from blazepose.config.landmark import Augmentation
from blazepose.data.align import aligned_roi
from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.data.datamodule import prepare_worker
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON
from blazepose.data.readers import read_source
from blazepose.evaluation.predict import cut_crop, plan_label_crops
from blazepose.image import ImageError
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.topologies.full_body import INDEX, MIRROR, NUM_LANDMARKS, TORSO

STILL = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, photometric=False)
LEFT = [i for i in range(NUM_LANDMARKS) if MIRROR[i] != i]


@pytest.fixture(scope="module")
def source(tiny_lsp: Path) -> Source:
    return read_source(f"lsp:{tiny_lsp}")


def dataset(source: Source, augmentation: Augmentation | None, **kwargs) -> PoseDataset:
    return PoseDataset([source], LANDMARK_INPUT, augmentation, **kwargs)


def test_shapes_and_types(source):
    sample = dataset(source, Augmentation())[3]
    assert sample["image"].shape == (256, 256, 3)
    assert sample["image"].dtype == np.uint8
    assert sample["points"].shape == (39, 3)
    assert sample["points"].dtype == np.float32
    assert sample["labelled"].sum() == 12 + 2
    assert sample["visibility"].shape == sample["presence"].shape == (33,)
    assert sample["mask"].shape == (256, 256)
    assert sample["mask"].dtype == np.uint8
    assert sample["pose"] == 1
    batch = next(iter(DataLoader(dataset(source, None), batch_size=5)))
    assert batch["points"].shape == (5, 39, 3)
    assert batch["index"].tolist() == [0, 1, 2, 3, 4]


def test_samples_depend_on_the_epoch_and_not_on_the_process(source):
    people = dataset(source, Augmentation())
    expected = [people[i] for i in range(6)]
    workers = list(
        DataLoader(people, batch_size=None, num_workers=2, sampler=range(6), worker_init_fn=prepare_worker)
    )
    for a, b in zip(expected, workers, strict=True):
        assert all(np.array_equal(np.asarray(a[key]), np.asarray(b[key])) for key in a)
    later = people[len(people) + 2]
    assert later["index"] == 2
    assert not np.array_equal(later["image"], expected[2]["image"])


def test_hflip_swaps_left_and_right_labels(source):
    plain, flipped = dataset(source, STILL)[0], dataset(source, replace(STILL, hflip_prob=1.0))[0]
    np.testing.assert_allclose(
        flipped["points"][LEFT, 0],
        np.where(plain["labelled"][LEFT], 1 - plain["points"][MIRROR][LEFT, 0], 0),
        atol=1e-6,
    )
    assert (flipped["labelled"] == plain["labelled"][MIRROR]).all()
    # Facing the camera, the person's left is on the right of the image; flipped it still is.
    for sample in (plain, flipped):
        assert sample["points"][INDEX["left_shoulder"], 0] > sample["points"][INDEX["right_shoulder"], 0]


def test_hflip_swaps_all_labels_of_the_sides(source):
    """A hidden wrist, an ankle outside the image and an elbow without world change sides."""
    plain = source.annotations[0]
    visibility, points = np.full(NUM_LANDMARKS, VISIBLE, np.int8), plain.landmarks_px.copy()
    visibility[INDEX["left_wrist"]] = HIDDEN
    points[INDEX["left_ankle"], 1] = 10_000
    world = np.random.default_rng(0).normal(size=(33, 3)).astype(np.float32)
    world[INDEX["left_elbow"]] = np.nan
    person = replace(plain, visibility=visibility, landmarks_px=points, landmarks_world=world)
    crowd = replace(source, annotations=[person])
    plain, flipped = dataset(crowd, STILL)[0], dataset(crowd, replace(STILL, hflip_prob=1.0))[0]
    assert flipped["visibility"][INDEX["right_wrist"]] == HIDDEN
    assert flipped["visibility"][INDEX["left_wrist"]] == VISIBLE
    assert flipped["presence"][INDEX["right_ankle"]] == 0
    assert flipped["presence"][INDEX["left_ankle"]] == 1
    assert not flipped["world_labelled"][INDEX["right_elbow"]]
    assert flipped["world_labelled"].sum() == 32
    np.testing.assert_allclose(flipped["world"], plain["world"][MIRROR[:33]] * [-1, 1, 1], atol=1e-6)


def test_flipped_points_follow_the_flipped_image(source):
    """The drawn shoulder line (white, the brightest) is under the labels, flipped or not."""
    for hflip in (0.0, 1.0):
        sample = dataset(source, replace(STILL, hflip_prob=hflip))[1]
        for name in ("left_shoulder", "right_hip"):
            x, y = np.rint(sample["points"][INDEX[name], :2] * 256).astype(int)
            assert sample["image"][y - 2 : y + 3, x - 2 : x + 3].max() > 140


def with_visibility(source: Source) -> Source:
    people = [
        replace(a, visibility=np.where(a.labelled, VISIBLE, UNKNOWN).astype(np.int8))
        for a in source.annotations
    ]
    return replace(source, annotations=people)


def test_truncation_hides_points_but_keeps_them_labelled(source):
    people = dataset(with_visibility(source), replace(STILL, truncation_prob=1.0))
    cut = 0
    for i in range(len(people)):
        sample = people[i]
        labelled = sample["labelled"][:NUM_LANDMARKS]
        assert labelled.sum() == 12
        absent = sample["presence"] == 0
        assert (sample["visibility"][absent] == HIDDEN).all()
        assert (sample["presence"][~labelled] == UNKNOWN).all()
        cut += absent.sum()
    assert cut > len(people)  # at least one point per person


def test_erasing_hides_covered_points(source):
    labelled = with_visibility(source)
    plain, covered = dataset(labelled, STILL), dataset(labelled, replace(STILL, erasing_prob=1.0))
    hidden = 0
    for i in range(len(plain)):
        before, after = plain[i], covered[i]
        changed = (before["image"] != after["image"]).any(axis=2)
        for k in np.flatnonzero(before["labelled"][:NUM_LANDMARKS]):
            x, y = (before["points"][k, :2] * 256).astype(int)
            if after["visibility"][k] == HIDDEN:
                assert changed[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any()
                hidden += 1
            else:
                assert not changed[y, x]
        assert (after["presence"] == before["presence"]).all()  # covered is still inside the frame
    assert hidden > 10


def test_evaluation_and_training_use_the_same_crop(source):
    """The crops are equal to the last bit: the network is evaluated on the images it was trained for."""
    jobs = plan_label_crops([source], "annotation", 0)
    people = dataset(source, None)
    for i in range(4):
        np.testing.assert_array_equal(people[i]["image"], cut_crop(jobs[i], LANDMARK_INPUT.size))


def test_visibility_stays_unknown_without_labels(source):
    """Even when erased or outside the frame: labels that are only ever "hidden" train a constant."""
    disturbed = dataset(source, replace(STILL, truncation_prob=1.0, erasing_prob=1.0))
    for i in range(len(disturbed)):
        assert (disturbed[i]["visibility"] == UNKNOWN).all()


def test_scale_shift_and_rotation_move_image_and_points_together(source):
    people = dataset(source, replace(STILL, scale=0.1, shift=0.1, rotation_deg=30.0))
    for i in range(8):
        sample = people[i]
        x, y = np.rint(sample["points"][INDEX["right_shoulder"], :2] * 256).astype(int)
        assert sample["image"][y - 3 : y + 4, x - 3 : x + 4].max() > 140


def test_truncated_jpeg_is_reported_and_replaced_in_training_and_an_error_in_evaluation(
    tmp_path, source, caplog
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(source.annotations[0].image.read_bytes()[:600])
    bad = replace(
        source, annotations=[replace(source.annotations[0], image=broken), *source.annotations[1:4]]
    )
    training = dataset(bad, STILL)
    with caplog.at_level(logging.WARNING, "blazepose"):
        assert training[0]["index"] == 1
        assert training[len(training)]["index"] == 1
    assert caplog.text.count("broken.jpg") == 1
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        dataset(bad, None)[0]


def test_an_image_reported_by_a_worker_is_not_reported_again(tmp_path, source, caplog):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8")
    crowd = [replace(a, image=broken) for a in source.annotations[:2]] + source.annotations[2:3]
    training = dataset(replace(source, annotations=crowd), STILL)
    list(DataLoader(training, sampler=[0], num_workers=1, worker_init_fn=prepare_worker))
    with caplog.at_level(logging.WARNING, "blazepose"):
        assert training[1]["index"] == 2
    assert not caplog.text


def test_negatives_have_no_pose(tmp_path, source):
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((80, 100, 3), 90, np.uint8))
    people = dataset(source, Augmentation(), negatives=[path])
    sample = people[len(people) - 1]
    assert sample["pose"] == 0
    assert not sample["labelled"].any()
    assert (sample["presence"] == UNKNOWN).all()
    assert (sample["mask"] == BACKGROUND).all()


def test_z_is_on_the_scale_of_x_and_flips_with_its_landmark(source):
    depth = np.full(33, np.nan, np.float32)
    depth[INDEX["left_wrist"]] = -30.0
    person = replace(source.annotations[0], z_px=depth)
    for hflip, name in ((0.0, "left_wrist"), (1.0, "right_wrist")):
        people = dataset(replace(source, annotations=[person]), replace(STILL, hflip_prob=hflip))
        sample = people[0]
        assert sample["z_labelled"].nonzero()[0].tolist() == [INDEX[name]]
        side = aligned_roi(person).side
        assert sample["points"][INDEX[name], 2] == pytest.approx(-30 / side)


def test_world_landmarks_turn_with_the_crop(source):
    """A person lying to the right gets a crop turned by 90 degrees, and world axes with it."""
    world = np.zeros((33, 3), np.float32)
    world[INDEX["nose"]] = (0.6, 0.0, -0.1)  # the head is to the right of the hips
    lying = replace(source.annotations[0], landmarks_world=world)
    points = lying.landmarks_px.copy()
    points[list(TORSO)] = [[80, 60], [80, 64], [40, 60], [40, 64]]
    lying = replace(lying, landmarks_px=points)
    sample = dataset(replace(source, annotations=[lying]), STILL)[0]
    np.testing.assert_allclose(sample["world"][INDEX["nose"]], (0.0, -0.6, -0.1), atol=1e-6)
    assert sample["world_labelled"].all()


@pytest.fixture(scope="module")
def bright(tiny_rendered: Path) -> Source:
    """People brighter than 150 on a background darker than 100, with masks."""
    return read_source(f"synthetic:{tiny_rendered}")


@pytest.mark.parametrize("hflip", [0.0, 1.0])
def test_the_mask_follows_scale_shift_rotation_and_flip(bright, hflip):
    people = dataset(bright, replace(STILL, scale=0.1, shift=0.1, rotation_deg=30.0, hflip_prob=hflip))
    for i in range(len(people)):
        sample = people[i]
        mask, brightness = sample["mask"], sample["image"].max(axis=2)
        assert (mask == PERSON).sum() > 3000
        assert (brightness[mask == PERSON] > 150).all()
        assert (brightness[mask == BACKGROUND] < 100).all()
        for x, y in np.floor(sample["points"][list(TORSO), :2] * 256).astype(int):
            assert mask[y, x] == PERSON


def test_erased_pixels_become_background_in_the_mask(bright):
    """All other mask values stay as they are."""
    plain, covered = dataset(bright, STILL), dataset(bright, replace(STILL, erasing_prob=1.0))
    hidden = 0
    for i in range(len(plain)):
        before, after = plain[i], covered[i]
        painted = (before["image"] != after["image"]).any(axis=2)
        assert (after["mask"][painted] <= BACKGROUND).all()
        np.testing.assert_array_equal(after["mask"][~painted], before["mask"][~painted])
        assert ((after["mask"] == IGNORE) == (before["mask"] == IGNORE)).all()
        hidden += (after["mask"] != before["mask"]).sum()
    assert hidden > 1000


def test_the_mask_is_ignored_outside_a_truncated_image(bright):
    plain, cut = dataset(bright, STILL), dataset(bright, replace(STILL, truncation_prob=1.0))
    for i in range(len(plain)):
        before, after = plain[i]["mask"], cut[i]["mask"]
        valid = after != IGNORE
        assert (before[~valid] == PERSON).any()  # part of the person is cut off
        np.testing.assert_array_equal(after[valid], before[valid])


def test_people_without_a_mask_have_an_ignored_one(source):
    disturbed = dataset(source, replace(STILL, truncation_prob=1.0, erasing_prob=1.0))
    assert all((disturbed[i]["mask"] == IGNORE).all() for i in range(len(disturbed)))


def with_unlabelled(source: Source, number: int, seed: int = 0) -> PoseDataset:
    """Return a person, `number` people whose labels are not used, and an image without people."""
    unlabelled = replace(source, annotations=source.annotations[1 : 1 + number])
    one = replace(source, annotations=source.annotations[:1])
    negatives = [source.annotations[0].image]
    return dataset(one, STILL, negatives=negatives, unlabelled=[unlabelled], seed=seed)


def unlabelled_of(people: PoseDataset, epoch: int) -> list[int]:
    """Return the positions of the unlabelled people of an epoch, from 1, after checking the others."""
    first, *drawn, last = (people[epoch * len(people) + index] for index in range(len(people)))
    assert (first["index"], first["pose"]) == (0, 1)
    assert (last["index"], last["pose"]) == (1 + len(people.unlabelled), 0)
    return [int(sample["index"]) for sample in drawn]


@pytest.mark.parametrize("number", [3, 4])
def test_an_epoch_has_all_unlabelled_people_up_to_four_for_each_labelled_one(source, number):
    people = with_unlabelled(source, number)
    for epoch in range(3):
        assert sorted(unlabelled_of(people, epoch)) == list(range(1, 1 + number))


def test_of_more_unlabelled_people_an_epoch_has_four_and_the_next_others(source):
    people = with_unlabelled(source, 10)
    epochs = [unlabelled_of(people, epoch) for epoch in range(5)]
    assert all(len(set(drawn)) == 4 for drawn in epochs)
    assert not set(epochs[0]) & set(epochs[1])
    np.testing.assert_array_equal(people[1]["image"], dataset(source, STILL)[epochs[0][0]]["image"])
    assert np.bincount(np.ravel(epochs)).tolist() == [0] + 10 * [2], "each of them as often"
    again, other = (with_unlabelled(source, 10, seed) for seed in (0, 1))
    assert unlabelled_of(again, 3) == epochs[3], "after a resume"
    assert unlabelled_of(other, 0) != epochs[0]


def test_every_unreadable_image_of_unlabelled_people_is_reported_once(source, tmp_path, caplog):
    broken = [tmp_path / f"{name}.jpg" for name in ("first", "second")]
    annotations = list(source.annotations)
    for position, path in zip((3, 8), broken, strict=True):
        path.write_bytes(b"no image")
        annotations[position] = replace(annotations[position], image=path)
    people = with_unlabelled(replace(source, annotations=annotations), 10)
    with caplog.at_level(logging.WARNING, "blazepose"):
        for item in range(10 * len(people)):
            people[item]
    assert len(caplog.messages) == 2
    for path in broken:
        assert caplog.text.count(str(path)) == 1
