"""Distillation of unlabelled outputs, where the teacher is confident."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.person_mask import IGNORE
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.skeletons import LSP14
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.topologies.full_body import INDEX, NUM_LANDMARKS
from blazepose.training.checkpoint import landmark_metadata
from blazepose.training.distillation import distillation_losses
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.teacher import Teacher, Teachers
from blazepose.training.teacher_outputs import TeacherOutputs, run_network

NAMES = tuple(name for name in LSP14.values() if name in INDEX)
FULL = LandmarkLossConfig(distill=1.0, teacher=0.0)
EVERYTHING = tuple(TRAINABLE_OUTPUTS)


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
    batch = {**batch, "teacher": targets.outputs._asdict()}
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


def test_at_labels_the_initial_networks_own_heatmaps_are_not_learned(batch, outputs, targets):
    """Those of people without labels are."""
    out, config = student(outputs, 0.1), LandmarkLossConfig(distill=0.5, teacher=2.0)
    batch = {**batch, "labelled": batch["labelled"].clone()}
    batch["labelled"][0] = False
    terms = distillation_losses(out, targets, batch, config, 256, EVERYTHING)
    (gradient,) = torch.autograd.grad(terms["heatmap"], out.heatmaps)
    touched = (gradient != 0).flatten(2).any(dim=2)[:, :35]
    assert torch.equal(touched, targets.confident[:, :35] & ~batch["labelled"][:, :35])
    assert touched[0].any()


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


def test_only_outputs_that_can_be_learned_are(batch, outputs, targets):
    terms = distillation_losses(outputs, targets, batch, FULL, 256, ["presence"])
    assert set(terms) == {"coordinates", "presence"}


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
