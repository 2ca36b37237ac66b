"""Distillation of unlabelled outputs, where the teacher is confident."""

from dataclasses import replace

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.config.landmark import Augmentation, LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.topology import INDEX, LANDMARKS, LSP14, NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training.checkpoint import landmark_metadata
from blazepose.training.distillation import (
    REFERENCE_LANDMARKS,
    TeacherOutputs,
    confident_points,
    distillation_losses,
    run_teacher,
)
from blazepose.training.landmark_module import LandmarkModule

NAMES = tuple(name for name in LSP14.values() if name in INDEX)
TORSO = 0.3
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
    mask = confident_points(*people(labelled, missed), torch.tensor([TORSO]))[0]
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
    mask = confident_points(predicted, points, labelled_points, torch.tensor([TORSO, TORSO]))
    supervised = TeacherOutputs(None, mask).supervised_points(labelled_points)
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


def confident_outputs(teacher, batch) -> TeacherOutputs:
    images = batch["image"].permute(0, 3, 1, 2).float() / 255
    predicted = run_teacher(teacher, images, len(images), batch, ALL_POINTS).outputs
    return TeacherOutputs(predicted, torch.ones_like(batch["labelled"]))


def test_outputs_equal_to_the_teachers_have_no_gradient(batch, teacher):
    teacher_outputs = confident_outputs(teacher, batch)
    out = LandmarkOutputs(
        *(None if part is None else part.clone().requires_grad_() for part in teacher_outputs.outputs)
    )
    terms = distillation_losses(out, teacher_outputs, batch, LandmarkLossConfig(), 256, EVERYTHING)
    assert set(terms) == {
        *("heatmap", "coordinates", "z", "world", "pose", "visibility", "presence", "segmentation")
    }
    for name in ("coordinates", "z", "world"):
        assert terms[name] == 0
    gradients = torch.autograd.grad(sum(terms.values()), list(out), allow_unused=True)
    assert max(float(part.abs().max()) for part in gradients if part is not None) < 1e-6


def test_labelled_outputs_are_not_distilled(batch, teacher):
    """The gradient reaches unlabelled outputs only."""
    teacher_outputs = confident_outputs(teacher, batch)
    out = LandmarkOutputs(
        *(None if part is None else (part + 0.1).requires_grad_() for part in teacher_outputs.outputs)
    )
    terms = distillation_losses(out, teacher_outputs, batch, LandmarkLossConfig(), 256, EVERYTHING)

    def touched(name: str, output: str) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(terms[name], getattr(out, output), retain_graph=True)
        return gradient != 0

    assert torch.equal(touched("coordinates", "landmarks")[:, :, 0], ~batch["labelled"])
    assert torch.equal(touched("z", "landmarks")[:, :, 2], ~batch["z_labelled"])
    assert torch.equal(touched("visibility", "landmarks")[:, :33, 3], batch["visibility"] < 0)
    assert torch.equal(touched("presence", "landmarks")[:, :33, 4], batch["presence"] < 0)
    assert torch.equal(touched("world", "world")[:, :33, 0], ~batch["world_labelled"])
    heatmaps = touched("heatmap", "heatmaps").flatten(2).any(dim=2)
    assert torch.equal(heatmaps[:, :35], ~batch["labelled"][:, :35])
    assert not heatmaps[:, 35:].any()


def test_points_without_confidence_are_not_distilled(batch, teacher):
    teacher_outputs = confident_outputs(teacher, batch)
    out = LandmarkOutputs(*(None if part is None else part + 0.1 for part in teacher_outputs.outputs))
    terms = distillation_losses(
        out,
        teacher_outputs._replace(confident=~teacher_outputs.confident),
        batch,
        LandmarkLossConfig(),
        256,
        EVERYTHING,
    )
    assert {name for name, term in terms.items() if term > 0} == {"pose"}


def test_points_the_teacher_was_not_trained_on_and_negatives_are_not_distilled(batch, teacher):
    images = batch["image"].permute(0, 3, 1, 2).float() / 255
    points = ALL_POINTS.clone()
    points[INDEX["nose"]] = False
    mask = run_teacher(teacher, images, 0, batch, points).confident
    assert not mask[:, INDEX["nose"]].any()
    assert not mask[3].any(), "the last image has no person"
    unlabelled = run_teacher(
        teacher, images, 0, {**batch, "labelled": torch.zeros_like(batch["labelled"])}, points
    ).confident
    assert torch.equal(unlabelled[:3], points.expand(3, -1))
    teacher_outputs = confident_outputs(teacher, batch)
    terms = distillation_losses(
        teacher_outputs.outputs, teacher_outputs, batch, LandmarkLossConfig(), 256, ["presence"]
    )
    assert set(terms) == {"coordinates", "presence"}


@pytest.mark.parametrize(
    ("stage", "kept"), [("heatmap", {"heatmap", "segmentation"}), ("regression", {"coordinates", "world"})]
)
def test_each_stage_distills_the_outputs_it_trains(batch, teacher, stage, kept):
    teacher_outputs = confident_outputs(teacher, batch)
    terms = distillation_losses(
        teacher_outputs.outputs, teacher_outputs, batch, LandmarkLossConfig(), 256, EVERYTHING, stage
    )
    assert kept <= set(terms)
    assert ("coordinates" in terms) == (stage == "regression")


def module(teacher, outputs: list[str]) -> LandmarkModule:
    torch.manual_seed(1)
    net = LandmarkNet(teacher.variant)
    trained = SupervisedOutputs(landmarks=NAMES, heatmaps=NAMES, outputs=tuple(outputs))
    everything = replace(trained, outputs=("heatmaps", "presence", "z", "world", "pose", "segmentation"))
    start = landmark_metadata(net, "mediapipe", everything, {}, {})
    metadata = landmark_metadata(net, "mediapipe", trained, {}, {}, start)
    weights = LandmarkLossConfig(distill=1.0, offset=0.0)
    return LandmarkModule(net, weights, OptimizerConfig(), Stages(joint=1), trained, metadata, teacher)


def test_the_pose_score_is_distilled_unless_it_is_labelled(batch, teacher):
    """Without negative images the label is always 1, and would train the score to be high everywhere."""
    teacher_outputs = confident_outputs(teacher, batch)
    for outputs in (["presence"], ["presence", "pose"]):
        model = module(teacher, outputs)
        out = model(batch["image"])
        terms = model.losses(out, batch, teacher_outputs)
        target = batch["pose"][:, None] if "pose" in outputs else teacher_outputs.outputs.pose_logit.sigmoid()
        expected = torch.nn.functional.binary_cross_entropy_with_logits(out.pose_logit, target)
        torch.testing.assert_close(terms["pose"], expected)


def test_the_teacher_is_neither_trained_nor_saved(teacher):
    model = module(teacher, ["presence"])
    trained = {id(p) for p in model.parameters()}
    assert not trained & {id(p) for p in teacher.parameters()}
    assert set(model.state_dict()) == {f"net.{name}" for name in teacher.state_dict()}
    assert not any(p.requires_grad for p in teacher.parameters())
    assert {"segmentation", "world"} <= set(model.outputs)


def test_distillation_restores_unlabelled_outputs(batch, teacher):
    """Train the output layer of a student that is 8 px off, with a teacher and without."""
    left = {}
    for distill in (0.0, 1.0):
        model = module(teacher, ["presence"])
        model.loss_config = LandmarkLossConfig(distill=distill, offset=0.0)
        model.net.load_state_dict(teacher.state_dict())
        bias = model.net.eval().tower.landmarks.bias
        with torch.no_grad():
            bias += 1
        optimizer = torch.optim.SGD([bias], lr=10.0)
        teacher_outputs = confident_outputs(teacher, batch)
        for _ in range(8):
            out = model(batch["image"], masks=4)
            terms = model.losses(out, batch, teacher_outputs)
            optimizer.zero_grad()
            terms["coordinates"].backward()
            optimizer.step()
        moved = (out.landmarks - teacher_outputs.outputs.landmarks)[:, :33, :2].abs().mean(dim=2)
        left[distill] = float(moved[~batch["labelled"][:, :33]].mean())
    assert left[0.0] == pytest.approx(8, abs=0.1)
    assert left[1.0] < 2
