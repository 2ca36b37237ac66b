"""Labels of a rendered set on disk."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from blazepose.config.landmark import Augmentation
from blazepose.data.align import aligned_roi, alignment_points
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import PERSON
from blazepose.data.readers import read_source
from blazepose.image import read_image
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.synthetic.dataset.labels import HIDDEN_FLAG, VISIBLE_FLAG
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.synthetic.render.renderer import MAX_FIGURES
from blazepose.synthetic.scene.camera import project
from blazepose.topologies.full_body import INDEX, LANDMARKS, LEFT_HIP, MIRROR, RIGHT_HIP

STILL = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, photometric=False)
HIPS = [LEFT_HIP, RIGHT_HIP]


@pytest.fixture(scope="module")
def entries(rendered):
    """Return (image entry, annotation entry) of all people in the set."""
    pairs = []
    for split in ("train", "val"):
        content = json.loads((rendered / split / "labels.json").read_text())
        images = {image["id"]: image for image in content["images"]}
        pairs += [(images[person["image_id"]], person) for person in content["annotations"]]
    return pairs


def points(person) -> np.ndarray:
    return np.array(person["keypoints"]).reshape(-1, 3)


def test_ids_and_categories_are_cocos(rendered):
    for split, count in (("train", 16), ("val", 8)):
        content = json.loads((rendered / split / "labels.json").read_text())
        assert [image["id"] for image in content["images"]] == list(range(count))
        assert content["categories"][0]["keypoints"] == list(LANDMARKS)
        ids = [person["id"] for person in content["annotations"]]
        assert len(set(ids)) == len(ids) >= count
        assert {person["image_id"] for person in content["annotations"]} == set(range(count))
        assert all(
            person["category_id"] == content["categories"][0]["id"] for person in content["annotations"]
        )


def test_world_landmarks_hips_and_camera_give_the_pixels(entries):
    for image, person in entries:
        camera, world = image["camera"], np.array(person["landmarks_world"])
        np.testing.assert_allclose(world[HIPS].mean(axis=0), 0, atol=2e-6)
        place = world + person["hips_camera"]
        pixels = project(place, camera["focal_px"], np.array(camera["center_px"]))
        np.testing.assert_allclose(pixels, points(person)[:, :2], atol=0.01)


def test_depth_is_on_the_scale_of_x_and_nearer_is_negative(entries):
    for image, person in entries:
        world, depth = np.array(person["landmarks_world"]), np.array(person["z_px"])
        assert depth[HIPS].sum() == pytest.approx(0, abs=0.01)
        scale = image["camera"]["focal_px"] / person["hips_camera"][2]
        np.testing.assert_allclose(depth, world[:, 2] * scale, atol=0.01)


def test_visible_landmarks_are_inside_the_image(entries):
    outside = 0
    for image, person in entries:
        x, y, flag = points(person).T
        inside = (x >= 0) & (x < image["width"]) & (y >= 0) & (y < image["height"])
        assert set(flag) <= {VISIBLE_FLAG, HIDDEN_FLAG}
        assert (flag[~inside] == HIDDEN_FLAG).all()
        outside += (~inside).sum()
    assert outside > 0
    flags = np.concatenate([points(person)[:, 2] for _, person in entries])
    assert 0.4 < (flags == VISIBLE_FLAG).mean() < 0.95


def test_areas_and_boxes_match_the_masks(entries):
    for image, person in entries:
        mask = coco_mask.decode(person["segmentation"])
        assert mask.shape == (image["height"], image["width"])
        assert mask.sum() == person["area"]
        rows, columns = np.nonzero(mask)
        box = (
            [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1] if len(rows) else [0, 0, 0, 0]
        )
        assert person["bbox"] == box


def test_visible_landmarks_lie_on_the_mask(entries):
    """Except for a few at the edge, where a joint lies deeper than the skin before it."""
    on_mask = []
    for _, person in entries:
        if person["iscrowd"]:
            continue
        mask = cv2.dilate(coco_mask.decode(person["segmentation"]), np.ones((5, 5)))
        x, y, flag = points(person).T
        columns, rows = np.rint([x, y]).astype(int)[:, flag == VISIBLE_FLAG].clip(0, mask.shape[0] - 1)
        on_mask += mask[rows, columns].tolist()
    assert np.mean(on_mask) > 0.99


def test_masks_of_an_image_do_not_overlap(entries):
    by_image = {}
    for image, person in entries:
        by_image.setdefault(id(image), []).append(coco_mask.decode(person["segmentation"]))
    assert max(map(len, by_image.values())) > 1
    assert all(np.sum(masks, axis=0).max() <= 1 for masks in by_image.values())


def test_the_face_box_holds_the_face(entries):
    for _, person in entries:
        x, y, width, height = person["face_box"]
        for name in ("nose", "left_eye", "right_eye", "mouth_left", "mouth_right"):
            px, py, _ = points(person)[INDEX[name]]
            slack = 0.05 * max(width, height)
            assert x - slack <= px <= x + width + slack, name
            assert y - slack <= py <= y + height + slack, name
        stature = np.ptp(points(person)[:, :2], axis=0).max()
        assert max(width, height) < 0.6 * stature


def test_attributes_match_the_body_parameters(entries):
    for _, person in entries:
        attributes, body = person["attributes"], person["body"]
        assert attributes["family"] in FAMILIES
        oldest = {"child": 13, "teenager": 18, "adult": 60, "senior": 150}
        youngest = dict(zip(oldest, [0, 13, 18, 60], strict=True))
        assert youngest[attributes["age_group"]] <= body["years"] < oldest[attributes["age_group"]]
        assert attributes["gender"] == ("female" if body["gender"] > 0.5 else "male")
        assert {"skin_tone", "held", "occluder", "place", "top"} <= attributes.keys()
        assert 0.4 < body["stature_m"] < 2.2


def test_the_reader_reads_all_people_and_alignment_points_match_training(rendered):
    for split in ("train", "val"):
        source = read_source(f"synthetic:{rendered}:{split}")
        people = json.loads((rendered / split / "labels.json").read_text())["annotations"]
        by_id = {str(person["id"]): person for person in people}
        assert len(source.annotations) == sum(not person["iscrowd"] for person in people)
        for person in source.annotations:
            entry = by_id[person.person]
            expected, labelled = alignment_points(person, aligned_roi(person))
            assert labelled.all()
            np.testing.assert_allclose(entry["alignment"], expected, atol=0.02)
            assert dict(person.attributes) == entry["attributes"]


def test_flipping_keeps_left_on_the_persons_left(rendered):
    """Image, landmarks, world and mask of a flipped sample equal those flipped by hand."""
    source = read_source(f"synthetic:{rendered}")
    plain = PoseDataset([source], LANDMARK_INPUT, STILL)
    mirrored = PoseDataset([source], LANDMARK_INPUT, replace(STILL, hflip_prob=1.0))
    swap = MIRROR[:33]
    for i in range(len(plain)):
        one, other = plain[i], mirrored[i]
        for name in LANDMARKS:
            k, twin = INDEX[name], MIRROR[INDEX[name]]
            assert other["points"][k, 0] == pytest.approx(1 - one["points"][twin, 0], abs=1e-5)
            assert other["points"][k, 1:] == pytest.approx(one["points"][twin, 1:], abs=1e-5)
        np.testing.assert_array_equal(other["visibility"], one["visibility"][swap])
        np.testing.assert_array_equal(other["presence"], one["presence"][swap])
        np.testing.assert_allclose(other["world"], one["world"][swap] * [-1, 1, 1], atol=1e-6)
        # Crop pixel i shows i / 256, so the flipped image is shifted by one pixel.
        flipped = one["mask"][:, :0:-1]
        same = (other["mask"][:, 1:] == PERSON) == (flipped == PERSON)
        assert same.mean() > 0.99


def test_images_show_the_person_at_the_mask(rendered, entries):
    """The image gradient is larger on the edge of the mask than on a shifted edge."""
    main = [(image, person) for image, person in entries if person["id"] % MAX_FIGURES == 1][:16]
    sharper = 0
    for image, person in main:
        gray = read_image(rendered / "train" / "images" / image["file_name"]).astype(np.float32).mean(axis=2)
        gradient = np.hypot(cv2.Sobel(gray, -1, 1, 0), cv2.Sobel(gray, -1, 0, 1))
        mask = coco_mask.decode(person["segmentation"])
        edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        shifted = np.roll(edge, (8, 8), (0, 1))
        sharper += gradient[edge].mean() > gradient[shifted].mean()
    assert sharper >= 13
