"""Samples: labels that stay true, randomness that can be repeated."""

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Source
from blazepose.data.augment import Augmentation
from blazepose.data.datamodule import prepare_worker
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON
from blazepose.data.readers import read_source
from blazepose.evaluation.predict import cut_crop, plan_label_crops
from blazepose.image import ImageError
from blazepose.models.variants import LANDMARK_INPUT
from blazepose.topology import INDEX, MIRROR, NUM_LANDMARKS, TORSO

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


def test_same_sample_whatever_the_process_and_another_every_epoch(source):
    people = dataset(source, Augmentation())
    alone = [people[i] for i in range(6)]
    workers = list(
        DataLoader(people, batch_size=None, num_workers=2, sampler=range(6), worker_init_fn=prepare_worker)
    )
    for a, b in zip(alone, workers, strict=True):
        assert all(np.array_equal(np.asarray(a[key]), np.asarray(b[key])) for key in a)
    later = people[len(people) + 2]
    assert later["index"] == 2
    assert not np.array_equal(later["image"], alone[2]["image"])


def test_mirror_swaps_left_and_right_labels(source):
    plain, mirrored = dataset(source, STILL)[0], dataset(source, replace(STILL, hflip_prob=1.0))[0]
    np.testing.assert_allclose(
        mirrored["points"][LEFT, 0],
        np.where(plain["labelled"][LEFT], 1 - plain["points"][MIRROR][LEFT, 0], 0),
        atol=1e-6,
    )
    assert (mirrored["labelled"] == plain["labelled"][MIRROR]).all()
    # Facing the camera, the person's left is on the right of the picture; in a mirror still so.
    for sample in (plain, mirrored):
        assert sample["points"][INDEX["left_shoulder"], 0] > sample["points"][INDEX["right_shoulder"], 0]


def test_mirror_swaps_what_is_known_of_each_side(source):
    """Hidden left wrist, left ankle outside the picture, left hand raised: in the mirror all on the right."""
    plain = source.annotations[0]
    visibility, points = np.full(NUM_LANDMARKS, VISIBLE, np.int8), plain.landmarks_px.copy()
    visibility[INDEX["left_wrist"]] = HIDDEN
    points[INDEX["left_ankle"], 1] = 10_000
    world = np.random.default_rng(0).normal(size=(33, 3)).astype(np.float32)
    world[INDEX["left_elbow"]] = np.nan
    somebody = replace(plain, visibility=visibility, landmarks_px=points, landmarks_world=world)
    crowd = replace(source, annotations=[somebody])
    plain, mirrored = dataset(crowd, STILL)[0], dataset(crowd, replace(STILL, hflip_prob=1.0))[0]
    assert mirrored["visibility"][INDEX["right_wrist"]] == HIDDEN
    assert mirrored["visibility"][INDEX["left_wrist"]] == VISIBLE
    assert mirrored["presence"][INDEX["right_ankle"]] == 0
    assert mirrored["presence"][INDEX["left_ankle"]] == 1
    assert not mirrored["world_labelled"][INDEX["right_elbow"]]
    assert mirrored["world_labelled"].sum() == 32
    np.testing.assert_allclose(mirrored["world"], plain["world"][MIRROR[:33]] * [-1, 1, 1], atol=1e-6)


def test_mirrored_picture_shows_mirrored_points(source):
    """The drawn shoulder line (white, the brightest) is under the labels, mirrored or not."""
    for mirror in (0.0, 1.0):
        sample = dataset(source, replace(STILL, hflip_prob=mirror))[1]
        for name in ("left_shoulder", "right_hip"):
            x, y = np.rint(sample["points"][INDEX[name], :2] * 256).astype(int)
            assert sample["image"][y - 2 : y + 3, x - 2 : x + 3].max() > 140


def of_known_visibility(source: Source) -> Source:
    seen = [
        replace(a, visibility=np.where(a.labelled, VISIBLE, UNKNOWN).astype(np.int8))
        for a in source.annotations
    ]
    return replace(source, annotations=seen)


def test_truncation_hides_but_keeps_labelled(source):
    people = dataset(of_known_visibility(source), replace(STILL, truncation_prob=1.0))
    cut = 0
    for i in range(len(people)):
        sample = people[i]
        labelled = sample["labelled"][:NUM_LANDMARKS]
        assert labelled.sum() == 12
        absent = sample["presence"] == 0
        assert (sample["visibility"][absent] == HIDDEN).all()
        assert (sample["presence"][~labelled] == UNKNOWN).all()
        cut += absent.sum()
    assert cut > len(people)  # at least a point a person


def test_occlusion_hides_what_it_covers(source):
    seen = of_known_visibility(source)
    plain, covered = dataset(seen, STILL), dataset(seen, replace(STILL, erasing_prob=1.0))
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


def test_evaluation_cuts_the_crop_that_training_sees(source):
    """One crop for both, to the last bit, or the network is measured on another picture than it learned."""
    jobs = plan_label_crops([source], "annotation", 0)
    people = dataset(source, None)
    for i in range(4):
        np.testing.assert_array_equal(people[i]["image"], cut_crop(jobs[i], LANDMARK_INPUT.size))


def test_visibility_stays_unknown_where_the_source_does_not_say(source):
    """Even under an occluder or outside the frame: labels that are only ever "hidden" teach just that."""
    disturbed = dataset(source, replace(STILL, truncation_prob=1.0, erasing_prob=1.0))
    for i in range(len(disturbed)):
        assert (disturbed[i]["visibility"] == UNKNOWN).all()


def test_scale_shift_and_rotation_move_picture_and_points_together(source):
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


def test_what_a_worker_process_has_reported_is_not_said_again(tmp_path, source, caplog):
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


def test_z_is_on_the_scale_of_x_and_mirrors_with_its_landmark(source):
    depth = np.full(33, np.nan, np.float32)
    depth[INDEX["left_wrist"]] = -30.0
    somebody = replace(source.annotations[0], z_px=depth)
    for mirror, name in ((0.0, "left_wrist"), (1.0, "right_wrist")):
        people = dataset(replace(source, annotations=[somebody]), replace(STILL, hflip_prob=mirror))
        sample = people[0]
        assert sample["z_labelled"].nonzero()[0].tolist() == [INDEX[name]]
        side = aligned_roi(somebody).side
        assert sample["points"][INDEX[name], 2] == pytest.approx(-30 / side)


def test_world_landmarks_turn_with_the_crop(source):
    """Someone lying to the right gets a crop turned by 90 degrees, and world axes with it."""
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
    """People brighter than 150 on a ground darker than 100, with masks."""
    return read_source(f"synthetic:{tiny_rendered}")


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_the_mask_follows_scale_shift_rotation_and_mirror(bright, mirror):
    people = dataset(bright, replace(STILL, scale=0.1, shift=0.1, rotation_deg=30.0, hflip_prob=mirror))
    for i in range(len(people)):
        sample = people[i]
        mask, brightness = sample["mask"], sample["image"].max(axis=2)
        assert (mask == PERSON).sum() > 3000
        assert (brightness[mask == PERSON] > 150).all()
        assert (brightness[mask == BACKGROUND] < 100).all()
        for x, y in np.floor(sample["points"][list(TORSO), :2] * 256).astype(int):
            assert mask[y, x] == PERSON


def test_the_mask_says_which_pixels_still_show_the_person(bright):
    """Occluders become background; people and outside beside them stay what they are."""
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


def test_the_mask_is_unknown_outside_a_truncated_picture(bright):
    plain, cut = dataset(bright, STILL), dataset(bright, replace(STILL, truncation_prob=1.0))
    for i in range(len(plain)):
        before, after = plain[i]["mask"], cut[i]["mask"]
        known = after != IGNORE
        assert (before[~known] == PERSON).any()  # part of the person is cut off
        np.testing.assert_array_equal(after[known], before[known])


def test_people_without_a_mask_have_an_unknown_one(source):
    disturbed = dataset(source, replace(STILL, truncation_prob=1.0, erasing_prob=1.0))
    assert all((disturbed[i]["mask"] == IGNORE).all() for i in range(len(disturbed)))
