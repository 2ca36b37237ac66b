"""Losses of a batch, by stage and by labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from blazepose.config.landmark import Augmentation, LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.data.teacher_targets import no_targets
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import landmark_variant
from blazepose.skeletons import LSP14
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import INDEX, LANDMARKS, NUM_OUTPUTS, ROI_CENTER
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.teacher import Teacher, Teachers


@pytest.fixture(scope="module")
def batch(tiny_lsp):
    people = PoseDataset([read_source(f"lsp:{tiny_lsp}")], LANDMARK_INPUT, Augmentation())
    return default_collate([people[i] for i in range(4)])


def module(stages: Stages, outputs=("presence",), weights=None, teachers=None) -> LandmarkModule:
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    names = tuple(LSP14.values())
    supervised = SupervisedOutputs(names, names, names, tuple(outputs))
    metadata = {"init": {"data": {}}}  # a regression stage needs weights to start from
    weights = weights or LandmarkLossConfig()
    return LandmarkModule(net, weights, OptimizerConfig(), stages, supervised, metadata, teachers)


def terms(model: LandmarkModule, batch) -> dict[str, torch.Tensor]:
    return model.losses(model(batch["image"]), batch)


def test_terms_of_each_stage(batch):
    assert set(terms(module(Stages(1, 0, 0)), batch)) == {"heatmap", "offset"}
    assert set(terms(module(Stages(0, 1, 0)), batch)) == {"coordinates", "presence"}
    assert set(terms(module(Stages(0, 0, 1)), batch)) == {"heatmap", "offset", "coordinates", "presence"}


def test_terms_follow_the_labels(batch):
    outputs = ("presence", "visibility", "world", "pose", "z")
    losses = terms(module(Stages(0, 1, 0), outputs), batch)
    assert set(losses) == {"coordinates", "presence", "visibility", "world", "pose", "z"}
    assert losses["world"] == 0  # no person in the batch has world landmarks
    assert all(torch.isfinite(term) for term in losses.values())


def test_weight_zero_switches_a_term_off(batch):
    losses = terms(module(Stages(0, 0, 1), weights=LandmarkLossConfig(heatmap=0.0, offset=0.0)), batch)
    assert set(losses) == {"coordinates", "presence"}


def test_heatmap_peak_weight_reaches_the_loss(batch):
    """A heatmap of one half everywhere is wrong everywhere, and most at the point."""
    images = batch["image"]
    plain, steep = (
        module(Stages(1, 0, 0), weights=LandmarkLossConfig(heatmap_peak_weight=peak)) for peak in (1.0, 10.0)
    )
    out = plain(images)
    out = out._replace(heatmaps=torch.zeros_like(out.heatmaps))
    assert steep.losses(out, batch)["heatmap"] > 1.002 * plain.losses(out, batch)["heatmap"]


@pytest.fixture(scope="module")
def mixed(tiny_lsp, tiny_rendered):
    """Two people of LSP, two rendered ones and an image without people."""
    sources = [read_source(f"lsp:{tiny_lsp}"), read_source(f"synthetic:{tiny_rendered}")]
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    people = PoseDataset(sources, LANDMARK_INPUT, Augmentation(truncation_prob=0.0), negatives)
    return default_collate([people[i] for i in (0, 1, 24, 25, 32)])


EVERYTHING = ("heatmaps", "presence", "visibility", "z", "world", "segmentation", "pose")


def test_every_term_trains_on_the_samples_with_its_labels(mixed):
    """The gradient of each term reaches the samples that have its labels and no other."""
    model = module(Stages(0, 0, 1), EVERYTHING)
    out = model(mixed["image"], masks=5)
    touched = {}
    for name, term in model.losses(out, mixed).items():
        gradients = torch.autograd.grad(term, list(out), retain_graph=True, allow_unused=True)
        sums = [part.flatten(1).abs().sum(dim=1) for part in gradients if part is not None]
        touched[name] = (torch.stack(sums).sum(dim=0) > 0).tolist()
    people, rendered = [True] * 4 + [False], [False, False, True, True, False]
    assert touched == {
        "heatmap": people,
        "offset": people,
        "coordinates": people,
        "presence": people,
        "visibility": rendered,
        "z": rendered,
        "world": rendered,
        "segmentation": [False, False, True, True, True],
        "pose": [True] * 5,
    }


def test_a_term_is_weighted_by_the_fraction_of_people_with_its_label(mixed):
    model = module(Stages(0, 0, 1), EVERYTHING)
    out = model(mixed["image"], masks=5)
    losses = model.losses(out, mixed)
    rest = model.losses(LandmarkOutputs(*(part[2:] for part in out)), {k: v[2:] for k, v in mixed.items()})
    for name in ("visibility", "z", "world", "segmentation"):
        assert losses[name] > 0
        torch.testing.assert_close(
            losses[name], rest[name] * 3 / 5
        )  # the other two have none of these labels


@pytest.mark.parametrize(
    ("stages", "outputs", "expected"),
    [
        (Stages(1, 0, 0), ("segmentation",), True),
        (Stages(0, 0, 1), ("segmentation",), True),
        (Stages(0, 1, 0), ("segmentation",), False),
        (Stages(0, 0, 1), ("presence",), False),
    ],
)
def test_masks_are_computed_where_they_are_trained(mixed, monkeypatch, stages, outputs, expected):
    model = module(stages, outputs)
    calls = []
    model.net.register_forward_hook(lambda _, args, out: calls.append(out.segmentation is not None))
    logged = {}
    monkeypatch.setattr(model, "log", lambda *args, **kwargs: None)
    monkeypatch.setattr(model, "log_dict", logged.update)
    model.training_step(mixed, 1)
    with torch.no_grad():
        model.validation_step(mixed, 0)
    assert calls == [expected, False]
    assert ("train/loss_segmentation" in logged) == expected


def test_a_recipe_without_losses_is_refused_at_once():
    with pytest.raises(ValueError, match="nothing would be trained"):
        module(Stages(), weights=LandmarkLossConfig(heatmap=0.0, coordinates=0.0))


def test_headline_is_the_decoding_that_the_recipe_trains():
    no_regression = LandmarkLossConfig(coordinates=0.0)
    assert module(Stages(joint=1)).headline == "mediapipe"
    assert module(Stages(heatmap=1, joint=0)).headline == "heatmap"
    assert module(Stages(joint=1), weights=no_regression).headline == "heatmap"


def test_heatmap_terms_use_every_labelled_point_and_no_other(batch):
    model = module(Stages(1, 0, 0))
    out = model(batch["image"])
    out.heatmaps.retain_grad()
    losses = model.losses(out, batch)
    losses["heatmap"].backward()
    touched = (out.heatmaps.grad.abs().amax(dim=(2, 3)) > 0).any(dim=0)
    torch.testing.assert_close(touched, batch["labelled"].any(dim=0))
    every = module(Stages(1, 0, 0))
    every.heatmap_points = torch.arange(NUM_OUTPUTS - 4)
    for name, term in every.losses(out, batch).items():
        torch.testing.assert_close(term, losses[name])


def test_a_point_labelled_on_one_side_is_trained_on_both():
    names = ("left_wrist",)
    supervised = SupervisedOutputs(landmarks=names, heatmaps=names)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    model = LandmarkModule(net, LandmarkLossConfig(), OptimizerConfig(), Stages(), supervised, {})
    assert {INDEX["left_wrist"], INDEX["right_wrist"]} <= set(model.heatmap_points.tolist())


def test_visibility_is_trained_for_points_labelled_visible(batch):
    model = module(Stages(0, 0, 1), ("visibility",))
    model.supervised = replace(model.supervised, visibility=("left_wrist",))
    batch = batch | {"visibility": torch.zeros_like(batch["visibility"])}
    out = model(batch["image"])
    out.landmarks.retain_grad()
    model.losses(out, batch)["visibility"].backward()
    touched = out.landmarks.grad[..., 3].abs().sum(dim=0).nonzero()[:, 0].tolist()
    assert touched == [INDEX["left_wrist"], INDEX["right_wrist"]]


def test_unlabelled_points_have_no_gradient(batch):
    model = module(Stages(0, 0, 1))
    out = model(batch["image"])
    out.landmarks.retain_grad()
    terms(model, batch)  # another forward; the gradient is that of this one
    model.losses(out, batch)["coordinates"].backward()
    touched = (out.landmarks.grad[..., :2].abs().sum(dim=2) > 0).any(dim=0)
    labelled = batch["labelled"].any(dim=0)
    assert not touched[~labelled].any()
    assert touched[ROI_CENTER]


def test_pixels_are_read_as_rgb_in_0_to_1(batch):
    model = module(Stages())
    calls = []
    model.net.register_forward_pre_hook(lambda _, args: calls.append(args[0]))
    model(batch["image"])
    assert calls[0].shape == (4, 3, 256, 256)
    torch.testing.assert_close(calls[0][1, 2], batch["image"][1, :, :, 2].float() / 255)


def test_validation_counts_the_supervised_landmarks(batch):
    model = module(Stages())
    model.supervised = replace(model.supervised, landmarks=("left_wrist",))
    with torch.no_grad():
        model.validation_step(batch, 0)
    counted = model.pck["mediapipe"].labelled[0].any(dim=0)
    assert counted.nonzero()[:, 0].tolist() == [INDEX["left_wrist"]]
    heatmaps = module(Stages(1, 0, 0))
    heatmaps.supervised = replace(heatmaps.supervised, landmarks=())
    assert sum(heatmaps.supervised_landmarks) == len(LSP14)


@pytest.fixture(scope="module")
def initial() -> Teacher:
    torch.manual_seed(1)
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    return Teacher(Path("init.ckpt"), net, {"trained": SupervisedOutputs.everything().as_metadata()}, "")


def gradients(model: LandmarkModule, batch) -> dict[str, torch.Tensor]:
    """Return the gradient of a training step at each output of the network."""
    outputs = {}

    def keep(module, arguments, out):
        outputs.update(out._asdict())
        for part in outputs.values():
            part.retain_grad()

    model.log = model.log_dict = lambda *arguments, **options: None
    handle = model.net.register_forward_hook(keep)
    model.training_step(batch, 1).backward()
    handle.remove()
    return {name: torch.zeros(1) if part.grad is None else part.grad for name, part in outputs.items()}


def fine_tuned(teachers: Teachers, shift: float) -> LandmarkModule:
    """Return the module of a fine-tuning whose outputs have moved from those of the initial network."""
    weights = LandmarkLossConfig(distill=0.5, teacher=1.0, offset=0.0, mask_fraction=1.0)
    model = module(Stages(0, 0, 1), (), weights, teachers)
    model.net.load_state_dict(teachers.of_landmarks.net.state_dict())
    model.net.eval()
    for head in (model.net.tower.landmarks, model.net.tower.world, model.net.heatmaps):
        head.bias.data += shift
    model.net.segmentation.logits.bias.data += shift
    return model


def test_a_training_step_leads_back_to_the_outputs_of_the_initial_network(batch, initial):
    unlabelled = {**batch, "labelled": torch.zeros_like(batch["labelled"])}
    for shift in (0.0, 0.5):
        gradient = gradients(fine_tuned(Teachers(initial, None), shift), unlabelled)
        parts = {
            "landmarks": gradient["landmarks"][..., :2],
            "world": gradient["world"][:, :33],
            "heatmaps": gradient["heatmaps"][:, :35],
            "segmentation": gradient["segmentation"],
        }
        for name, part in parts.items():
            if shift:
                assert (part > 0).all(), f"{name} became larger"
            else:
                assert part.abs().max() < 1e-5, f"{name} is as it was"


def test_another_network_gives_the_landmarks_and_the_initial_one_all_else(batch, initial):
    stored = {**no_targets(256, mask=False), "points": np.full((39, 5), 0.75, np.float32)}
    learned = default_collate([stored] * len(batch["image"]))
    unlabelled = {**batch, "labelled": torch.zeros_like(batch["labelled"]), "teacher": learned}
    gradient = gradients(fine_tuned(Teachers(initial, initial), 0.0), unlabelled)
    assert (gradient["landmarks"][:, :33, :2] < 0).all()
    assert gradient["landmarks"][:, 33:].abs().max() < 1e-5
    assert gradient["heatmaps"][:, :33].abs().min() > 1e-7
    assert gradient["heatmaps"][:, 33:].abs().max() < 1e-5
    assert gradient["world"].abs().max() < 1e-5
    assert gradient["segmentation"].abs().max() < 1e-5


def test_where_only_the_other_network_is_right_all_else_is_not_learned(batch, initial):
    """The initial network, of random weights, has every landmark at the center of the crop."""
    stored = {**no_targets(256, mask=False), "points": np.zeros((39, 5), np.float32)}
    learned = default_collate([stored] * len(batch["image"]))
    learned["points"][..., :2] = batch["points"][..., :2]
    gradient = gradients(fine_tuned(Teachers(initial, initial), 0.5), {**batch, "teacher": learned})
    assert gradient["landmarks"][:, :33, :2].abs().max() > 1e-5
    assert gradient["segmentation"].abs().max() < 1e-9


def test_alignment_points_of_a_regression_that_was_not_trained_are_not_learned(initial):
    heatmaps = SupervisedOutputs((), (), LANDMARKS, ("heatmaps",)).as_metadata()
    untrained = initial._replace(metadata={"trained": heatmaps})
    assert fine_tuned(Teachers(initial, None), 0.0).teacher_points.all()
    assert not fine_tuned(Teachers(untrained, initial), 0.0).teacher_points[33:].any()


def test_the_initial_network_is_no_part_of_the_module(initial):
    with_teachers, without = fine_tuned(Teachers(initial, initial), 0.0), module(Stages(0, 0, 1))
    assert with_teachers.state_dict().keys() == without.state_dict().keys()
    assert len(list(with_teachers.parameters())) == len(list(without.parameters()))
    with_teachers.train()
    assert not initial.net.training
