"""Distillation of unlabelled outputs, where the teacher is confident."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.config.landmark import Augmentation, LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON
from blazepose.data.readers import read_source
from blazepose.data.teacher_targets import no_targets
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.topology import INDEX, LANDMARKS, LSP14, NUM_LANDMARKS, NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training.checkpoint import landmark_metadata
from blazepose.training.distillation import (
    REFERENCE_LANDMARKS,
    NetworkOutputs,
    ReplaceLandmarks,
    TeacherOutputs,
    confident_points,
    distillation_losses,
    run_network,
    teacher_outputs,
)
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.teacher import Teacher, Teachers

NAMES = tuple(name for name in LSP14.values() if name in INDEX)
TORSO = 0.3
FULL = LandmarkLossConfig(distill=1.0, teacher=0.0)
ALL_POINTS = torch.ones(NUM_OUTPUTS, dtype=torch.bool)
EVERYTHING = tuple(TRAINABLE_OUTPUTS)


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
    assert REFERENCE_LANDMARKS[:, 0].tolist() == list(range(len(LANDMARKS)))
    left, right = REFERENCE_LANDMARKS[INDEX["left_pinky"]], REFERENCE_LANDMARKS[INDEX["right_pinky"]]
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
    supervised = TeacherOutputs(outputs, mask, mask, mask).supervised_points(labelled_points)
    assert supervised[0, [ROI_CENTER, ROI_SCALE]].tolist() == [True, True]
    assert supervised[1, [ROI_CENTER, ROI_SCALE]].tolist() == [False, False]
    assert torch.equal(supervised[:, : len(LANDMARKS)], labelled_points[:, : len(LANDMARKS)])


@pytest.fixture(scope="module")
def batch(tiny_lsp, tiny_rendered):
    """Two people of LSP, a rendered one, and an image without people."""
    sources = [read_source(f"lsp:{tiny_lsp}"), read_source(f"synthetic:{tiny_rendered}")]
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    set_ = PoseDataset(sources, LANDMARK_INPUT, Augmentation(truncation_prob=0.0), negatives)
    return default_collate([set_[i] for i in (0, 1, 24, 32)])


@pytest.fixture(scope="module")
def teacher() -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(landmark_variant("lite", "mediapipe")).eval()


@pytest.fixture(scope="module")
def outputs(teacher, batch) -> LandmarkOutputs:
    """Outputs of the teacher's network."""
    with torch.no_grad():
        return teacher(network_input(batch["image"]))


@pytest.fixture
def targets(teacher, batch) -> TeacherOutputs:
    """The same as outputs to learn, of a teacher that is confident everywhere."""
    everywhere = torch.ones_like(batch["labelled"])
    outputs = run_network(teacher, network_input(batch["image"]))
    return TeacherOutputs(outputs, everywhere, everywhere[:, :NUM_LANDMARKS], everywhere[:, 0])


def student(outputs: LandmarkOutputs, shift: float = 0.0) -> LandmarkOutputs:
    """Return outputs of a student, as leaves of a graph."""
    return LandmarkOutputs(*(None if part is None else (part + shift).requires_grad_() for part in outputs))


def test_outputs_equal_to_the_teachers_have_no_gradient(batch, outputs, targets):
    out = student(outputs)
    terms = distillation_losses(out, targets, batch, FULL, 256, EVERYTHING)
    assert set(terms) == {
        *("heatmap", "coordinates", "z", "world", "pose", "visibility", "presence", "segmentation")
    }
    for name in ("coordinates", "z", "world"):
        assert float(terms[name]) == pytest.approx(0, abs=1e-9)
    gradients = torch.autograd.grad(sum(terms.values()), list(out), allow_unused=True)
    assert max(float(part.abs().max()) for part in gradients if part is not None) < 1e-6


def test_labelled_outputs_are_not_distilled(batch, outputs, targets):
    """The gradient reaches unlabelled outputs only."""
    out = student(outputs, 0.1)
    terms = distillation_losses(out, targets, batch, FULL, 256, EVERYTHING)

    def touched(name: str, output: str) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(terms[name], getattr(out, output), retain_graph=True)
        assert not gradient[3].any() or name == "segmentation", "an image without people"
        return gradient[:3] != 0

    assert torch.equal(touched("coordinates", "landmarks")[:, :, 0], ~batch["labelled"][:3])
    assert torch.equal(touched("z", "landmarks")[:, :, 2], ~batch["z_labelled"][:3])
    assert torch.equal(touched("visibility", "landmarks")[:, :33, 3], batch["visibility"][:3] < 0)
    assert torch.equal(touched("presence", "landmarks")[:, :33, 4], batch["presence"][:3] < 0)
    assert torch.equal(touched("world", "world")[:, :33, 0], ~batch["world_labelled"][:3])
    assert torch.equal(touched("segmentation", "segmentation")[:, 0], batch["mask"][:3] == IGNORE)
    heatmaps = touched("heatmap", "heatmaps").flatten(2).any(dim=2)
    assert torch.equal(heatmaps[:, :35], ~batch["labelled"][:3, :35])
    assert not heatmaps[:, 35:].any()


def test_heatmaps_are_distilled_at_labels_that_the_teacher_agrees_with(batch, outputs, targets):
    targets.confident[:, 11] = False
    out = student(outputs, 0.1)
    config = LandmarkLossConfig(distill=0.5, teacher=2.0)
    terms = distillation_losses(out, targets, batch, config, 256, EVERYTHING)
    (gradient,) = torch.autograd.grad(terms["heatmap"], out.heatmaps)
    touched = (gradient != 0).flatten(2).any(dim=2)[:, :35]
    assert torch.equal(touched, targets.confident[:, :35])
    none = LandmarkLossConfig(distill=0.5)
    half = distillation_losses(out, targets, batch, none, 256, EVERYTHING)
    full = distillation_losses(out, targets, batch, FULL, 256, EVERYTHING)
    for name in full:
        torch.testing.assert_close(half[name], 0.5 * full[name])


def test_people_without_labels_have_the_factor_of_the_teacher(batch, outputs, targets):
    """The other people keep theirs."""
    out = student(outputs, 0.1)
    unlabelled = {**batch, "labelled": batch["labelled"].clone()}
    unlabelled["labelled"][0] = False
    gradients = {}
    for factor in (0.0, 1.0, 3.0):
        config = LandmarkLossConfig(distill=0.5, teacher=factor)
        terms = distillation_losses(out, targets, unlabelled, config, 256, EVERYTHING)
        (gradients[factor],) = torch.autograd.grad(terms["coordinates"], out.landmarks)
    config = LandmarkLossConfig(distill=0.0, teacher=1.0)
    terms = distillation_losses(out, targets, unlabelled, config, 256, EVERYTHING)
    (gradient,) = torch.autograd.grad(terms["segmentation"], out.segmentation)
    assert gradient[0].any(), "its mask, too"
    assert not gradient[1:3].any()
    assert not gradients[0.0][0].any()
    assert gradients[1.0][0].any()
    torch.testing.assert_close(gradients[3.0][0], 3 * gradients[1.0][0])
    torch.testing.assert_close(gradients[3.0][1:3], gradients[0.0][1:3])


def test_points_without_confidence_are_not_distilled(batch, outputs, targets):
    none = torch.zeros_like(batch["labelled"])
    targets = targets._replace(confident=none, body=none[:, :NUM_LANDMARKS], person=none[:, 0])
    terms = distillation_losses(student(outputs, 0.1), targets, batch, FULL, 256, EVERYTHING)
    assert {name for name, term in terms.items() if term > 0} == {"pose"}


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


def test_points_the_teacher_was_not_trained_on_and_negatives_are_not_distilled(batch, outputs, targets):
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
    terms = distillation_losses(outputs, targets, batch, FULL, 256, ["presence"])
    assert set(terms) == {"coordinates", "presence"}


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


@pytest.mark.parametrize(
    ("stage", "kept"), [("heatmap", {"heatmap", "segmentation"}), ("regression", {"coordinates", "world"})]
)
def test_each_stage_distills_the_outputs_it_trains(batch, outputs, targets, stage, kept):
    terms = distillation_losses(outputs, targets, batch, FULL, 256, EVERYTHING, stage)
    assert kept <= set(terms)
    assert ("coordinates" in terms) == (stage == "regression")


def module(net: LandmarkNet, outputs: list[str], distill: float = 1.0) -> LandmarkModule:
    """Return the module of a training that labels these outputs, and whose teacher knows all but one."""
    trained = SupervisedOutputs(landmarks=NAMES, heatmaps=NAMES, outputs=tuple(outputs))
    everything = replace(trained, outputs=("heatmaps", "presence", "z", "world", "pose", "segmentation"))
    metadata = landmark_metadata(net, "mediapipe", trained, {}, {})
    teachers = Teachers(Teacher(Path("init.ckpt"), net, {"trained": everything.as_metadata()}, ""), None)
    weights = LandmarkLossConfig(distill=distill, offset=0.0)
    return LandmarkModule(net, weights, OptimizerConfig(), Stages(joint=1), trained, metadata, teachers)


def test_the_pose_score_is_distilled_unless_it_is_labelled(batch, teacher, targets):
    """Without negative images the label is always 1, and would train the score to be high everywhere."""
    for names in (["presence"], ["presence", "pose"]):
        model = module(LandmarkNet(teacher.variant), names)
        out = model(batch["image"])
        terms = model.losses(out, batch, targets)
        target = batch["pose"] if "pose" in names else targets.outputs.pose
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            out.pose_logit[:, 0], target, reduction="none"
        )
        expected = loss.mean() if "pose" in names else loss[:3].sum() / 4
        torch.testing.assert_close(terms["pose"], expected)


def test_outputs_of_the_teacher_are_trained_without_labels(teacher):
    model = module(LandmarkNet(teacher.variant), ["presence"])
    assert {"segmentation", "world"} <= set(model.outputs)


def test_distillation_restores_unlabelled_outputs(batch, outputs, teacher, targets):
    """Train the output layer of a student that is 8 px off, with a teacher and without."""
    left = {}
    for distill in (0.0, 1.0):
        model = module(LandmarkNet(teacher.variant), ["presence"], distill)
        model.net.load_state_dict(teacher.state_dict())
        bias = model.net.eval().tower.landmarks.bias
        with torch.no_grad():
            bias += 1
        optimizer = torch.optim.SGD([bias], lr=10.0)
        for _ in range(8):
            out = model(batch["image"], masks=4)
            terms = model.losses(out, batch, targets)
            optimizer.zero_grad()
            terms["coordinates"].backward()
            optimizer.step()
        moved = (out.landmarks - outputs.landmarks)[:, :33, :2].abs().mean(dim=2)
        left[distill] = float(moved[:3][~batch["labelled"][:3, :33]].mean())
    assert left[0.0] == pytest.approx(8, abs=0.1)
    assert left[1.0] < 2
