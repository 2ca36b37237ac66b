"""Assignment of people to anchors, worked by hand."""

import cv2
import numpy as np
import pytest
import torch

from blazepose.anchors import DETECTOR_2021_ANCHORS, DETECTOR_ANCHORS, decode_anchors
from blazepose.image import read_image
from blazepose.models.detector_net import detector_input
from blazepose.runtime.engines import DetectorEngine
from blazepose.targets.anchor_targets import assign_anchors, box_sides, encode_boxes
from blazepose.training.weights import open_detector_net

NO_BOXES = torch.zeros(1, 1, 4)
FINE, MIDDLE = range(2)
LIVE = [(FINE, 1), (MIDDLE, 0)]
STARTS = (0, 1568, 1960)
LEVELS = DETECTOR_ANCHORS.levels
CANDIDATES = ~np.isnan(box_sides(DETECTOR_ANCHORS)[:, 0])


def assigned(*boxes: tuple[float, float, float], ignored=NO_BOXES, padding: int = 0):
    rows = torch.tensor([[*boxes, *[(0.0, 0.0, 0.0)] * padding]])
    people = torch.tensor([[True] * len(boxes) + [False] * padding])
    return assign_anchors(rows, people, ignored)


def anchors(level: int, columns, rows, slots) -> set[int]:
    """Return indices of anchors, by level, row, column, anchor of the cell."""
    side, count = LEVELS[level].cells, LEVELS[level].per_cell
    return {STARTS[level] + (y * side + x) * count + slot for y in rows for x in columns for slot in slots}


def numbers(flags: torch.Tensor) -> set[int]:
    return set(flags[0].nonzero()[:, 0].tolist())


def test_one_anchor_of_each_finer_cell_is_a_candidate():
    fine, middle = (
        anchors(level, range(LEVELS[level].cells), range(LEVELS[level].cells), [slot]) for level, slot in LIVE
    )
    assert set(np.flatnonzero(CANDIDATES)) == fine | middle


@pytest.mark.parametrize("side", [0.03, 0.2, 1.0])
def test_the_assignment_depends_on_the_place_only(side):
    targets = numbers(assigned((14.3 / 28, 14.3 / 28, side)).positive)
    assert targets == anchors(FINE, [14], [14], [1]) | anchors(MIDDLE, [6, 7], [6, 7], [0])


@pytest.mark.shared
def test_these_are_the_anchors_of_googles_detector(shared):
    net, _ = open_detector_net(shared / "models/pose_detection.tflite")
    people = sorted((shared / "data/lspet_val/images").iterdir())[:32]
    images = np.stack([cv2.resize(read_image(path), (224, 224)) for path in people])
    with torch.no_grad():
        scores = net.eval()(detector_input(torch.from_numpy(images))).scores[..., 0].sigmoid()
    fired = (scores >= 0.5).any(dim=0).numpy()
    assert fired.sum() > 32
    assert not (fired & ~CANDIDATES).any()


def test_near_anchors_are_positive_far_ones_negative_and_others_ignored():
    """At 14.3 cells of the fine level, 7.15 of the middle one.

    Centers are 0.2, 0.8, 1.2 and 1.8 cells away, then 2.2; 0.35, 0.65, 1.35 and 1.65, then 2.35. Anchors that
    are no candidates are negative.
    """
    targets = assigned((14.3 / 28, 14.3 / 28, 0.2), padding=2)
    positive = anchors(FINE, [14], [14], [1]) | anchors(MIDDLE, [6, 7], [6, 7], [0])
    assert numbers(targets.positive) == positive
    fine, middle = [12, 13, 14, 15], [5, 6, 7, 8]
    near = anchors(FINE, fine, fine, [1]) | anchors(MIDDLE, middle, middle, [0])
    assert numbers(targets.negative) == set(range(2254)) - near
    assert numbers(targets.regressed) == near, "their detections are merged by their boxes"


def test_the_larger_of_x_and_y_counts():
    """14.5 cells in x, 0 away; 14.3 - 11.5 in y, 2.8 away."""
    targets = assigned((14.5 / 28, 14.3 / 28, 0.2))
    assert not numbers(targets.negative) & anchors(FINE, [14], [12, 13, 15], [1])
    assert anchors(FINE, [14], [11], [1]) <= numbers(targets.negative)


@pytest.mark.parametrize(
    ("side", "slots", "neighbors"),
    [
        (0.05, {(0, 0)}, set()),
        (0.1, {(0, 0)}, {(0, 1)}),
        (0.15, {(0, 0), (0, 1)}, {(1, 0)}),
        (0.28, {(0, 1), (1, 0)}, {(0, 0), (1, 1), (1, 2), (1, 3)}),
        (0.45, {(1, 1), (1, 2)}, {(0, 1), (1, 0), (1, 3), (1, 4), (1, 5)}),
        (0.9, {(1, 5)}, {(1, 1), (1, 2), (1, 3), (1, 4)}),
    ],
)
def test_in_the_detector_of_2021_the_size_chooses_the_anchors_of_a_cell(side, slots, neighbors):
    """At 7.6 cells of the fine level, 3.8 of the coarse one: 0.1 and 0.3 cells from the center of a cell."""
    box = torch.tensor([[[7.6 / 16, 7.6 / 16, side]]])
    targets = assign_anchors(box, torch.tensor([[True]]), NO_BOXES, DETECTOR_2021_ANCHORS)
    level_of = np.repeat([0, 1], [512, 384])
    slot_of = np.where(level_of == 0, np.arange(896) % 2, (np.arange(896) - 512) % 6)

    def slots_of(mask: torch.Tensor) -> set[tuple[int, int]]:
        return {(int(level_of[k]), int(slot_of[k])) for k in numbers(mask)}

    assert slots_of(targets.positive) == slots
    assert slots_of(targets.regressed) == slots | neighbors, "ignored, not negative"
    assert not (targets.regressed & targets.negative).any()
    positive = DETECTOR_2021_ANCHORS.centers[targets.positive[0].numpy()]
    assert abs(positive - 7.6 / 16).max() <= 0.75 / 8


@pytest.mark.shared
def test_these_are_the_sizes_of_googles_detector_of_2021(shared):
    people = sorted((shared / "data/lspet_val/images").iterdir())[:32]
    images = np.stack([cv2.resize(read_image(path), (128, 128)) for path in people])
    boxes, logits = DetectorEngine(shared / "models/pose_detection_2021.tflite", 1)(images)
    image, anchor = (logits[..., 0] >= 0).nonzero()
    smallest, largest = box_sides(DETECTOR_2021_ANCHORS)[anchor].T
    side = boxes[image, anchor, 2] / 128 / 1.17  # its boxes are larger than those of the labels
    assert len(side) > 64
    assert ((side >= smallest) & (side <= largest)).mean() > 0.85


def test_without_people_all_anchors_are_negative():
    padded = assign_anchors(torch.full((1, 5, 3), 0.3), torch.zeros(1, 5, dtype=torch.bool), NO_BOXES)
    for targets in (assigned(padding=3), padded):
        assert not targets.positive.any()
        assert targets.negative.all()


def test_images_of_a_batch_have_their_own_people():
    boxes = torch.tensor([[[0.2, 0.2, 0.2]], [[0.8, 0.8, 0.2]]])
    targets = assign_anchors(boxes, torch.tensor([[True], [True]]), torch.zeros(2, 1, 4))
    for image, place in enumerate((0.2, 0.8)):
        places = DETECTOR_ANCHORS.centers[targets.positive[image].numpy()]
        assert len(places) > 0
        assert abs(places - place).max() <= 0.75 / 14 + 1e-6


def test_ignored_regions_are_never_negative():
    region = torch.tensor([[[0.26, 0.51, 0.51, 0.74], [0.0, 0.0, 0.0, 0.0]]])
    x, y = DETECTOR_ANCHORS.centers.T
    inside = (x > 0.26) & (x < 0.51) & (y > 0.51) & (y < 0.74)
    targets = assigned(ignored=region, padding=1)
    assert not targets.positive.any()
    np.testing.assert_array_equal(targets.negative[0].numpy(), ~(inside & CANDIDATES))
    within = assigned((0.3, 0.6, 0.2), ignored=region)
    assert torch.equal(within.positive, assigned((0.3, 0.6, 0.2)).positive)


def test_of_two_people_near_each_other_an_anchor_gets_the_nearer():
    """At 14.3 and 15.1 cells of the fine level, 7.15 and 7.55 of the middle."""
    targets = assigned((14.3 / 28, 15 / 28, 0.2), (15.1 / 28, 15 / 28, 0.2), padding=1)
    expected = {
        0: anchors(FINE, [14], [14, 15], [1]) | anchors(MIDDLE, [6], [7], [0]),
        1: anchors(FINE, [15], [14, 15], [1]) | anchors(MIDDLE, [7], [7], [0]),
    }
    assert numbers(targets.positive) == expected[0] | expected[1]
    for person, matched in expected.items():
        assert targets.person[0, sorted(matched)].unique().tolist() == [person]
    left, right = (sorted(anchors(FINE, [column], [14], [1])) for column in (12, 16))
    assert targets.regressed[0, left + right].all()
    assert targets.person[0, left + right].tolist() == [0, 1]


def test_encoded_boxes_decode_to_themselves():
    rng = np.random.default_rng(0)
    boxes = torch.tensor([[[0.3, 0.4, 0.18], [0.7, 0.55, 0.4], [0.0, 0.0, 0.0]]])
    points = torch.tensor(rng.uniform(-0.2, 1.2, (1, 3, 4, 2)), dtype=torch.float32)
    targets = assign_anchors(boxes, torch.tensor([[True, True, False]]), NO_BOXES)
    encoded = encode_boxes(boxes, points, targets.person)[0].numpy()
    scores = targets.positive[0].numpy().astype(np.float32)
    decoded = decode_anchors(224 * encoded, scores, DETECTOR_ANCHORS, 0.5)
    person = targets.person[0][targets.positive[0]].numpy()
    assert set(person) == {0, 1}
    matched = boxes[0].numpy()[person]
    low, high = matched[:, :2] - matched[:, 2:] / 2, matched[:, :2] + matched[:, 2:] / 2
    np.testing.assert_allclose(decoded.boxes_xyxy, np.concatenate([low, high], axis=1), atol=1e-6)
    np.testing.assert_allclose(decoded.points, points[0].numpy()[person], atol=1e-6)
