"""What a fine-tuning keeps: all that nobody labelled, where the teacher sees the person."""

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.data.augment import Augmentation
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import LANDMARK_INPUT, landmark_variant
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
from blazepose.training.loss_config import LandmarkLossConfig
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.stages import Stages
from blazepose.training.supervised_outputs import HEADS

NAMES = [name for name in LSP14.values() if name in INDEX]
TORSO = 0.3
ALL_POINTS = torch.ones(NUM_OUTPUTS, dtype=torch.bool)
EVERYTHING = ("heatmaps", *HEADS)


def people(labelled: list[str], missed: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Teacher's points, labels and what is labelled, of one person; it misses the `missed` ones."""
    points = torch.rand(1, NUM_OUTPUTS, 2, generator=torch.Generator().manual_seed(0))
    said, known = points.clone(), torch.zeros(1, NUM_OUTPUTS, dtype=torch.bool)
    known[0, [INDEX[name] for name in labelled]] = True
    said[0, [INDEX[name] for name in missed]] += 0.21 * TORSO
    return said, points, known


def believed(labelled: list[str], missed: list[str]) -> set[str]:
    sure = confident_points(*people(labelled, missed), torch.tensor([TORSO]))[0]
    return {name for name, k in INDEX.items() if sure[k]}


def test_every_landmark_is_its_own_first_witness_and_sides_are_mirror_images():
    assert REFERENCE_LANDMARKS[:, 0].tolist() == list(range(len(LANDMARKS)))
    left, right = REFERENCE_LANDMARKS[INDEX["left_pinky"]], REFERENCE_LANDMARKS[INDEX["right_pinky"]]
    assert [LANDMARKS[k].replace("left", "right") for k in left] == [LANDMARKS[k] for k in right]


def test_a_wrong_wrist_takes_its_hand_with_it_and_no_other():
    hand = {f"right_{part}" for part in ("wrist", "pinky", "index", "thumb")}
    assert set(INDEX) - believed(NAMES, ["right_wrist"]) == hand


def test_the_nearest_label_along_the_limb_decides():
    foot = {f"left_{part}" for part in ("ankle", "heel", "foot_index")}
    only_knee = [name for name in NAMES if "ankle" not in name]
    assert foot | {"left_knee"} <= set(INDEX) - believed(only_knee, ["left_knee"])
    assert not foot & (set(INDEX) - believed(NAMES, ["left_knee"]))


def test_nothing_labelled_is_all_believed():
    assert believed([], list(LANDMARKS)) == set(INDEX)


def test_alignment_points_of_somebody_it_mostly_misses_are_not_believed():
    assert {"roi_center", "roi_scale"} <= believed(NAMES, NAMES[:3])
    assert not {"roi_center", "roi_scale", "auxiliary_38"} & believed(NAMES, NAMES[:4])


def test_alignment_points_are_learned_where_the_teacher_is_wrong():
    said, points, known = people([*NAMES, "roi_center", "roi_scale"], NAMES)
    said, points, known = (torch.cat([x, x]) for x in (said, points, known))
    said[1] = points[1]
    sure = confident_points(said, points, known, torch.tensor([TORSO, TORSO]))
    learned = TeacherOutputs(None, sure).supervised_points(known)
    assert learned[0, [ROI_CENTER, ROI_SCALE]].tolist() == [True, True]
    assert learned[1, [ROI_CENTER, ROI_SCALE]].tolist() == [False, False]
    assert torch.equal(learned[:, : len(LANDMARKS)], known[:, : len(LANDMARKS)])


@pytest.fixture(scope="module")
def batch(tiny_lsp, tiny_rendered):
    """Two people of LSP, a rendered one, and a picture without people."""
    sources = [read_source(f"lsp:{tiny_lsp}"), read_source(f"synthetic:{tiny_rendered}")]
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    set_ = PoseDataset(sources, LANDMARK_INPUT, Augmentation(truncation_prob=0.0), negatives)
    return default_collate([set_[i] for i in (0, 1, 24, 32)])


@pytest.fixture(scope="module")
def teacher() -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(landmark_variant("lite", "mediapipe")).eval()


def sure_of_everything(teacher, batch) -> TeacherOutputs:
    images = batch["image"].permute(0, 3, 1, 2).float() / 255
    said = run_teacher(teacher, images, len(images), batch, ALL_POINTS).outputs
    return TeacherOutputs(said, torch.ones_like(batch["labelled"]))


def test_who_says_what_the_teacher_says_is_left_alone(batch, teacher):
    lesson = sure_of_everything(teacher, batch)
    out = LandmarkOutputs(
        *(None if part is None else part.clone().requires_grad_() for part in lesson.outputs)
    )
    terms = distillation_losses(out, lesson, batch, LandmarkLossConfig(), 256, EVERYTHING)
    assert set(terms) == {
        *("heatmap", "coordinates", "z", "world", "pose", "visibility", "presence", "segmentation")
    }
    for name in ("coordinates", "z", "world"):
        assert terms[name] == 0
    gradients = torch.autograd.grad(sum(terms.values()), list(out), allow_unused=True)
    assert max(float(part.abs().max()) for part in gradients if part is not None) < 1e-6


def test_what_is_labelled_is_not_kept(batch, teacher):
    """The gradient reaches what has no label, and nothing else."""
    lesson = sure_of_everything(teacher, batch)
    out = LandmarkOutputs(
        *(None if part is None else (part + 0.1).requires_grad_() for part in lesson.outputs)
    )
    terms = distillation_losses(out, lesson, batch, LandmarkLossConfig(), 256, EVERYTHING)

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


def test_where_the_teacher_is_not_believed_nothing_is_kept(batch, teacher):
    lesson = sure_of_everything(teacher, batch)
    out = LandmarkOutputs(*(None if part is None else part + 0.1 for part in lesson.outputs))
    terms = distillation_losses(
        out, lesson._replace(confident=~lesson.confident), batch, LandmarkLossConfig(), 256, EVERYTHING
    )
    assert {name for name, term in terms.items() if term > 0} == {"pose"}


def test_a_teacher_is_not_believed_about_what_it_never_learned_nor_where_nobody_is(batch, teacher):
    images = batch["image"].permute(0, 3, 1, 2).float() / 255
    knows = ALL_POINTS.clone()
    knows[INDEX["nose"]] = False
    sure = run_teacher(teacher, images, 0, batch, knows).confident
    assert not sure[:, INDEX["nose"]].any()
    assert not sure[3].any(), "the last picture is of nobody"
    unlabelled = run_teacher(
        teacher, images, 0, {**batch, "labelled": torch.zeros_like(batch["labelled"])}, knows
    ).confident
    assert torch.equal(unlabelled[:3], knows.expand(3, -1))
    lesson = sure_of_everything(teacher, batch)
    terms = distillation_losses(lesson.outputs, lesson, batch, LandmarkLossConfig(), 256, ["presence"])
    assert set(terms) == {"coordinates", "presence"}


@pytest.mark.parametrize(
    ("stage", "kept"), [("heatmap", {"heatmap", "segmentation"}), ("regression", {"coordinates", "world"})]
)
def test_a_stage_keeps_what_it_moves(batch, teacher, stage, kept):
    lesson = sure_of_everything(teacher, batch)
    terms = distillation_losses(lesson.outputs, lesson, batch, LandmarkLossConfig(), 256, EVERYTHING, stage)
    assert kept <= set(terms)
    assert ("coordinates" in terms) == (stage == "regression")


def module(teacher, outputs: list[str]) -> LandmarkModule:
    torch.manual_seed(1)
    net = LandmarkNet(teacher.variant)
    trained = {"landmarks": NAMES, "heatmaps": NAMES, "visibility": [], "outputs": outputs}
    everything = {**trained, "outputs": ["heatmaps", "presence", "z", "world", "pose", "segmentation"]}
    start = landmark_metadata(net, "mediapipe", everything, {}, {})
    metadata = landmark_metadata(net, "mediapipe", trained, {}, {}, start)
    weights = LandmarkLossConfig(distill=1.0, offset=0.0)
    return LandmarkModule(net, weights, OptimizerConfig(), Stages(joint=1), trained, metadata, teacher)


def test_a_pose_label_is_learned_and_else_the_teachers_kept(batch, teacher):
    """Without people-free pictures the label is always 1, and would teach to see people everywhere."""
    lesson = sure_of_everything(teacher, batch)
    for outputs in (["presence"], ["presence", "pose"]):
        model = module(teacher, outputs)
        out = model(batch["image"])
        terms = model.losses(out, batch, lesson)
        target = batch["pose"][:, None] if "pose" in outputs else lesson.outputs.pose_logit.sigmoid()
        expected = torch.nn.functional.binary_cross_entropy_with_logits(out.pose_logit, target)
        torch.testing.assert_close(terms["pose"], expected)


def test_the_teacher_is_no_part_of_what_is_trained_and_saved(teacher):
    model = module(teacher, ["presence"])
    own = {id(p) for p in model.parameters()}
    assert not own & {id(p) for p in teacher.parameters()}
    assert set(model.state_dict()) == {f"net.{name}" for name in teacher.state_dict()}
    assert not any(p.requires_grad for p in teacher.parameters())
    assert {"segmentation", "world"} <= set(model.outputs)


def test_what_has_moved_is_brought_back_where_it_has_no_label(batch, teacher):
    """The output layer of a pupil that says everything 8 px off learns, with a teacher and without."""
    left = {}
    for keep in (0.0, 1.0):
        model = module(teacher, ["presence"])
        model.loss_config = LandmarkLossConfig(distill=keep, offset=0.0)
        model.net.load_state_dict(teacher.state_dict())
        bias = model.net.eval().tower.landmarks.bias
        with torch.no_grad():
            bias += 1
        optimizer = torch.optim.SGD([bias], lr=10.0)
        lesson = sure_of_everything(teacher, batch)
        for _ in range(8):
            out = model(batch["image"], masks=4)
            terms = model.losses(out, batch, lesson)
            optimizer.zero_grad()
            terms["coordinates"].backward()
            optimizer.step()
        moved = (out.landmarks - lesson.outputs.landmarks)[:, :33, :2].abs().mean(dim=2)
        left[keep] = float(moved[~batch["labelled"][:, :33]].mean())
    assert left[0.0] == pytest.approx(8, abs=0.1)
    assert left[1.0] < 2
