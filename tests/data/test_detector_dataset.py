"""Windows of images: labels follow the pixels drawn at them."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest
from torch.utils.data import default_collate

from blazepose.anchors import DETECTOR_ANCHORS, HIPS, SHOULDERS
from blazepose.config.detector import DetectorAugmentation
from blazepose.data.annotated_image import group_by_image
from blazepose.data.annotation import Source
from blazepose.data.detector_sample import MAX_PEOPLE
from blazepose.image import ImageError
from blazepose.runtime.person_detector import PersonDetector
from tests.data.painted import AROUND, BLUE, GREEN, RED, STILL, dataset, painted_person, pixel, shows


def test_evaluation_uses_the_whole_image_as_the_runtime_does(two_people):
    inputs = []

    class Engine:
        anchors, metadata = DETECTOR_ANCHORS, {}

        def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            inputs.append(images[0])
            return np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)

    PersonDetector(Engine())(cv2.imread(str(two_people.image))[..., ::-1].copy())
    sample = dataset([two_people], None)[0]
    np.testing.assert_array_equal(sample["image"], inputs[0])
    assert not sample["image"][:27].any()  # 50 of 400 pixels above and below are black
    assert not sample["image"][-27:].any()
    assert sample["image"][28:-28].any(axis=2).all()


def test_labels_of_the_whole_image_by_hand(two_people):
    """400x300 in a square of 400: x / 400, (y + 50) / 400."""
    sample = dataset([two_people], None)[0]
    assert sample["people"].nonzero()[0].tolist() == [0, 1]
    expected = [[120, 102.75 + 50, 50.75], [260, 122.75 + 50, 50.75]]
    np.testing.assert_allclose(sample["boxes"][:2], np.array(expected) / 400, atol=1e-6)
    np.testing.assert_allclose(sample["points"][0, HIPS], [120 / 400, 200 / 400], atol=1e-6)
    np.testing.assert_allclose(sample["points"][1, SHOULDERS], [260 / 400, 180 / 400], atol=1e-6)
    assert sample["points_labelled"][:2].tolist() == [[True, True, True, False]] * 2
    assert not sample["points"][:2, 3].any()
    np.testing.assert_allclose(sample["ignored"][0], np.array([350, 150, 390, 190]) / 400, atol=1e-6)
    assert not sample["ignored"][1:].any()
    assert not sample["boxes"][2:].any()


def test_shapes_and_types(two_people, wall):
    samples = dataset([two_people], DetectorAugmentation(), negatives=[wall])
    batch = default_collate([samples[0], samples[1]])
    assert batch["image"].shape == (2, 224, 224, 3)
    assert {name: str(batch[name].dtype).removeprefix("torch.") for name in batch} == {
        "image": "uint8",
        "boxes": "float32",
        "points": "float32",
        "points_labelled": "bool",
        "people": "bool",
        "ignored": "float32",
        "index": "int64",
    }
    assert batch["points"].shape == (2, MAX_PEOPLE, 4, 2)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"hflip_prob": 1.0},
        {"rotation_deg": 30.0},
        {"any_rotation_prob": 1.0, "hflip_prob": 0.5},
        {"full_image_prob": 1.0, "hflip_prob": 1.0},
    ],
)
def test_labels_follow_the_pixels(two_people, change):
    windows, heads, hips = dataset([two_people], replace(AROUND, **change)), 0, 0
    for epoch in range(25):
        sample = windows[epoch]
        boxes, points = (sample[name][sample["people"]] for name in ("boxes", "points"))
        colors = [pixel(sample, box[:2]) for box in boxes if (abs(box[:2] - 0.5) < 0.48).all()]
        assert all(color[1] < 60 and abs(color[0] - color[2]) > 190 for color in colors)
        assert len(boxes) >= shows(sample, RED) + shows(sample, BLUE)
        # The torso is 40 of the 50.75 of the box, in any window.
        lengths = np.linalg.norm(points[:, SHOULDERS] - points[:, HIPS], axis=1)
        np.testing.assert_allclose(boxes[:, 2], lengths * 50.75 / 40, rtol=1e-4)
        for point in points[:, HIPS]:
            if (abs(point - 0.5) < 0.48).all():
                np.testing.assert_allclose(pixel(sample, point), GREEN, atol=60)
                hips += 1
        heads += len(colors)
    assert heads >= 20
    assert hips >= 10


def test_flipped_windows_are_flipped(two_people):
    plain, flipped = (dataset([two_people], replace(STILL, hflip_prob=prob))[0] for prob in (0.0, 1.0))
    np.testing.assert_allclose(flipped["boxes"][:2, 0], 1 - plain["boxes"][:2, 0], atol=1e-6)
    np.testing.assert_array_equal(flipped["boxes"][:2, 1:], plain["boxes"][:2, 1:])
    np.testing.assert_allclose(
        flipped["ignored"][0], [1 - 390 / 400, 150 / 400, 1 - 350 / 400, 190 / 400], atol=1e-6
    )


def test_windows_rotate_up_to_the_limit(two_people):
    """The torso, upright in the image, shows the rotation."""

    def rotations(**change) -> np.ndarray:
        windows = dataset([two_people], replace(AROUND, **change))
        ups = []
        for epoch in range(40):
            sample = windows[epoch]
            points = sample["points"][sample["people"]]
            ups += [*(points[:, SHOULDERS] - points[:, HIPS])]
        return np.degrees(np.arctan2([x for x, _ in ups], [-y for _, y in ups]))

    limited, any_way = rotations(rotation_deg=20.0), rotations(any_rotation_prob=1.0)
    assert abs(limited).max() <= 20.001
    assert limited.min() < -14
    assert limited.max() > 14
    assert any_way.min() < -120
    assert any_way.max() > 120


def test_windows_show_a_person_anywhere_in_the_range_of_sizes(two_people):
    alone = replace(
        two_people,
        people=two_people.people[:1],
        annotations=two_people.annotations[:1],
        ignored_boxes=np.zeros((0, 4)),
    )
    windows = dataset([alone], replace(AROUND, min_size=0.05, max_size=0.4))
    boxes = []
    for epoch in range(150):
        sample = windows[epoch]
        assert sample["people"].tolist() == [True] + [False] * (MAX_PEOPLE - 1)
        boxes.append(sample["boxes"][0])
    x, y, side = np.array(boxes).T
    assert 0.05 <= side.min() < 0.06
    assert 0.33 < side.max() <= 0.4
    assert np.median(side) == pytest.approx(np.sqrt(0.05 * 0.4), abs=0.03)
    for place in (x, y):
        assert 0.0999 < place.min() < 0.15
        assert 0.85 < place.max() < 0.9001


def test_small_people_and_those_outside_are_ignored(two_people):
    """In a square of 400 a box of 12 pixels is 0.03."""
    small = [
        painted_person(two_people.image, x, 60, scale=side / 50.75) for x, side in ((40, 11.9), (90, 12.1))
    ]
    head_above = painted_person(
        two_people.image, 200, 40, box_xyxy=np.array([180, -20, 220, 120], np.float32)
    )
    far_outside = painted_person(two_people.image, 900, 900)
    people = [*two_people.annotations, *small, head_above, far_outside]
    (image,) = group_by_image([Source("coco:x", "coco", people, "")], "data=")
    sample = dataset([replace(image, size=None)], None)[0]
    # A head above the image is still in the square.
    assert sample["people"].sum() == 4
    np.testing.assert_allclose(sample["boxes"][:4, 2] * 400, [50.75, 50.75, 50.75, 12.1], rtol=1e-4)
    (left, top, right, bottom), *rest = sample["ignored"] * 400
    assert (left, right) == pytest.approx((40 - 15 * 11.9 / 50.75, 40 + 15 * 11.9 / 50.75), rel=1e-4)
    assert (top, bottom) == pytest.approx((110 - 60 * 11.9 / 50.75, 110 + 80 * 11.9 / 50.75), rel=1e-4)
    assert not np.any(rest)


def test_people_with_the_head_outside_the_window_are_ignored(two_people):
    windows, num_cut = dataset([two_people], replace(AROUND, min_size=0.3, max_size=0.3)), 0
    for epoch in range(40):
        sample = windows[epoch]
        if sample["people"].sum() == 1 and (sample["ignored"][:, 3] > 0).sum() == 1:
            num_cut += shows(sample, RED) != shows(sample, BLUE)
            left, top, right, bottom = sample["ignored"][0]
            assert left < right
            assert top < bottom
            assert left < 1
            assert right > 0
    assert num_cut > 3


def test_the_largest_people_come_first_and_surplus_ones_are_ignored(two_people):
    sizes = np.linspace(0.3, 1.5, MAX_PEOPLE + 4)
    crowd = [painted_person(two_people.image, 20 + 10 * k, 150, scale=size) for k, size in enumerate(sizes)]
    (image,) = group_by_image([Source("coco:x", "coco", crowd, "")], "data=")
    sample = dataset([image], None)[0]
    assert sample["people"].all()
    np.testing.assert_allclose(sample["boxes"][:, 2] * 400, 50.75 * sizes[:3:-1], rtol=1e-4)
    assert (sample["ignored"][:, 2] > 0).sum() == 4


def test_windows_are_repeatable_and_change_with_epoch_and_seed(two_people, wall):
    options = DetectorAugmentation()
    windows, again = (dataset([two_people], options, negatives=[wall]) for _ in range(2))
    for item in range(4):
        assert all(np.array_equal(windows[item][name], again[item][name]) for name in windows[item])
    assert not np.array_equal(windows[0]["image"], windows[2]["image"])
    assert windows[2]["index"] == 0
    other = dataset([two_people], options, negatives=[wall], seed=1)
    assert not np.array_equal(windows[0]["image"], other[0]["image"])


def test_negative_images_have_no_people(two_people, wall):
    windows = dataset([two_people], replace(AROUND, full_image_prob=0.5), negatives=[wall])
    assert len(windows) == 2
    for epoch in range(5):
        sample = windows[2 * epoch + 1]
        assert sample["index"] == 1
        assert not sample["people"].any()
        assert not sample["ignored"].any()
        assert sample["image"].any()
        assert not sample["image"][..., 1].any()


def test_an_unreadable_image_is_replaced_in_training_and_an_error_in_evaluation(two_people, tmp_path, caplog):
    broken = tmp_path / "broken.png"
    broken.write_bytes(two_people.image.read_bytes()[:200])
    images = [replace(two_people, image=broken), two_people]
    with caplog.at_level(logging.WARNING, "blazepose"):
        training = dataset(images, STILL)
        assert training[0]["index"] == training[2]["index"] == 1
    assert caplog.text.count("broken.png") == 1
    with pytest.raises(ImageError, match=r"broken\.png"):
        dataset(images, None)[0]


def test_an_unreadable_background_is_replaced(two_people, wall, tmp_path, caplog):
    broken = tmp_path / "broken.png"
    broken.write_bytes(wall.read_bytes()[:60])
    always = replace(AROUND, background_prob=1.0)
    with caplog.at_level(logging.WARNING, "blazepose"):
        training = dataset([two_people] * 4, always, negatives=[wall, broken])
        assert [training[6 * epoch]["index"] for epoch in range(8)] == [0] * 8
    assert caplog.text.count("broken.png") == 1
