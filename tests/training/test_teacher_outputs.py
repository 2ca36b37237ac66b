"""Outputs of the teachers, and where they are believed."""

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.data.person_mask import BACKGROUND, PERSON
from blazepose.data.teacher_targets import no_targets
from blazepose.models.landmark_net import network_input
from blazepose.skeletons import LSP14
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import FULL_BODY
from blazepose.topologies.full_body import INDEX, LANDMARKS, NUM_LANDMARKS, NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training.teacher_outputs import (
    NetworkOutputs,
    ReplaceLandmarks,
    TeacherOutputs,
    confident_points,
    reference_landmarks,
    run_network,
    teacher_outputs,
)

NAMES = tuple(name for name in LSP14.values() if name in INDEX)
TORSO = 0.3
ALL_POINTS = torch.ones(NUM_OUTPUTS, dtype=torch.bool)


def people(labelled: list[str], missed: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the teacher's points, labels and mask of one person, with errors at the `missed` points."""
    points = torch.rand(1, NUM_OUTPUTS, 2, generator=torch.Generator().manual_seed(0))
    predicted, labelled_points = points.clone(), torch.zeros(1, NUM_OUTPUTS, dtype=torch.bool)
    labelled_points[0, [INDEX[name] for name in labelled]] = True
    predicted[0, [INDEX[name] for name in missed]] += 0.21 * TORSO
    return predicted, points, labelled_points


def confident(labelled: list[str], missed: list[str]) -> set[str]:
    landmarks = (x[:, :NUM_LANDMARKS] for x in people(labelled, missed))
    mask = confident_points(*landmarks, torch.tensor([TORSO]))[0]
    return {name for name, k in INDEX.items() if mask[k]}


def test_every_landmark_is_its_own_first_reference_and_sides_are_symmetric():
    references = reference_landmarks(FULL_BODY)
    assert references[:, 0].tolist() == list(range(len(LANDMARKS)))
    left, right = references[INDEX["left_pinky"]], references[INDEX["right_pinky"]]
    assert [LANDMARKS[k].replace("left", "right") for k in left] == [LANDMARKS[k] for k in right]


def test_a_wrong_wrist_excludes_its_hand_only():
    hand = {f"right_{part}" for part in ("wrist", "pinky", "index", "thumb")}
    assert set(INDEX) - confident(NAMES, ["right_wrist"]) == hand


def test_the_nearest_label_along_the_limb_decides():
    foot = {f"left_{part}" for part in ("ankle", "heel", "foot_index")}
    only_knee = [name for name in NAMES if "ankle" not in name]
    assert foot | {"left_knee"} <= set(INDEX) - confident(only_knee, ["left_knee"])
    assert not foot & (set(INDEX) - confident(NAMES, ["left_knee"]))


def test_without_labels_all_points_are_confident():
    assert confident([], list(LANDMARKS)) == set(INDEX)


def test_alignment_points_need_most_landmarks_correct():
    assert {"roi_center", "roi_scale"} <= confident(NAMES, NAMES[:3])
    assert not {"roi_center", "roi_scale", "auxiliary_38"} & confident(NAMES, NAMES[:4])


def test_alignment_points_are_supervised_where_the_teacher_is_wrong():
    predicted, points, labelled_points = people([*NAMES, "roi_center", "roi_scale"], NAMES)
    predicted, points, labelled_points = (torch.cat([x, x]) for x in (predicted, points, labelled_points))
    predicted[1] = points[1]
    landmarks = (x[:, :NUM_LANDMARKS] for x in (predicted, points, labelled_points))
    mask = confident_points(*landmarks, torch.tensor([TORSO, TORSO]))
    outputs = NetworkOutputs(*[torch.zeros(2)] * 5)
    teacher = TeacherOutputs(outputs, mask, mask[:, :NUM_LANDMARKS], mask)
    supervised = teacher.supervised_points(labelled_points)
    assert supervised[0, [ROI_CENTER, ROI_SCALE]].tolist() == [True, True]
    assert supervised[1, [ROI_CENTER, ROI_SCALE]].tolist() == [False, False]
    assert torch.equal(supervised[:, : len(LANDMARKS)], labelled_points[:, : len(LANDMARKS)])


def at(points: torch.Tensor) -> NetworkOutputs:
    """Return outputs of a network with its points at these places."""
    targets = default_collate([no_targets(256)] * len(points))
    targets["points"][..., :2] = points
    return NetworkOutputs.from_targets(targets)


def test_other_outputs_need_the_landmarks_of_their_own_network(batch):
    """A larger teacher of the landmarks may be right where the network of all else is wrong, or not."""
    right, wrong = (at(batch["points"][..., :2] + shift) for shift in (0, 0.5))
    landmarks = teacher_outputs(batch, right, wrong, ALL_POINTS)
    assert landmarks.confident[:3, :NUM_LANDMARKS].all()
    assert not landmarks.confident[:3, NUM_LANDMARKS:].any(), "alignment points, and with them the mask"
    assert not (landmarks.body & batch["labelled"][:, :NUM_LANDMARKS]).any()
    others = teacher_outputs(batch, wrong, right, ALL_POINTS)
    assert not (others.confident & batch["labelled"])[:, :NUM_LANDMARKS].any()
    assert others.confident[:3, NUM_LANDMARKS:].all()
    assert others.body[:3].all()


def test_points_the_teacher_was_not_trained_on_and_negatives_are_not_distilled(batch):
    trained = ALL_POINTS.clone()
    trained[INDEX["nose"]] = False
    right, wrong = (at(batch["points"][..., :2] + shift) for shift in (0, 0.5))
    mask = teacher_outputs(batch, right, right, trained).confident
    assert not mask[:, INDEX["nose"]].any()
    assert not mask[3].any(), "the last image has no person"
    assert torch.equal(mask[:3], trained.expand(3, -1)), "the teacher is where the labels are"
    assert not (teacher_outputs(batch, wrong, wrong, trained).confident & batch["labelled"]).any()
    unlabelled = {**batch, "labelled": torch.zeros_like(batch["labelled"])}
    mask = teacher_outputs(unlabelled, wrong, wrong, trained).confident
    assert torch.equal(mask[:3], trained.expand(3, -1))


def test_stored_heatmaps_are_probabilities():
    targets = default_collate([no_targets(256)])
    targets["heatmaps"][:] = 51
    assert NetworkOutputs.from_targets(targets).heatmaps.unique().tolist() == pytest.approx([0.2])


def test_a_network_gives_outputs_in_the_units_of_the_targets(batch, outputs, teacher):
    targets = run_network(teacher, network_input(batch["image"]), masks=2)
    torch.testing.assert_close(targets.heatmaps, outputs.heatmaps.sigmoid())
    torch.testing.assert_close(targets.points[..., :3], outputs.landmarks[..., :3] / 256)
    torch.testing.assert_close(targets.points[..., 3:], outputs.landmarks[..., 3:].sigmoid())
    torch.testing.assert_close(targets.world, outputs.world[:, :NUM_LANDMARKS])
    torch.testing.assert_close(targets.pose, outputs.pose_logit[:, 0].sigmoid())
    fraction = (targets.mask.float() - BACKGROUND) / (PERSON - BACKGROUND)
    torch.testing.assert_close(fraction, outputs.segmentation[:2, 0].sigmoid(), atol=0.5 / 127, rtol=0)
    assert run_network(teacher, network_input(batch["image"]), masks=0).mask is None


def test_teachers_run_in_full_precision(batch, teacher):
    images = network_input(batch["image"])
    with torch.autocast("cpu", torch.bfloat16):
        half = run_network(teacher, images)
    for name, expected in run_network(teacher, images)._asdict().items():
        torch.testing.assert_close(getattr(half, name), expected, atol=0, rtol=0)


def test_another_network_replaces_the_landmarks_it_was_trained_on(batch):
    initial, other = at(batch["points"][..., :2]), at(batch["points"][..., :2] + 0.5)
    other = other._replace(points=other.points + 1, heatmaps=other.heatmaps + 1)
    trained = SupervisedOutputs(LANDMARKS[1:], (), LANDMARKS[2:], ("heatmaps", "z"))
    both = ReplaceLandmarks(trained)(initial, other)
    torch.testing.assert_close(both.points[:, 1:33, :3], other.points[:, 1:33, :3])
    torch.testing.assert_close(both.points[..., 3:], initial.points[..., 3:])
    torch.testing.assert_close(both.heatmaps[:, 2:33], other.heatmaps[:, 2:33])
    for rest in (slice(0, 1), slice(33, 39)):
        torch.testing.assert_close(both.points[:, rest], initial.points[:, rest])
        torch.testing.assert_close(both.heatmaps[:, rest], initial.heatmaps[:, rest])
