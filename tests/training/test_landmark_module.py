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
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topology import INDEX, LSP14, NUM_OUTPUTS, ROI_CENTER
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


def test_the_initial_network_runs_on_each_crop_and_another_once_per_person(batch):
    """At the initial weights only another network and the labels ask for a change."""
    everything = SupervisedOutputs.everything().as_metadata()
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    initial = Teacher(Path("init.ckpt"), net, {"trained": everything}, "")
    unlabelled = {**batch, "labelled": torch.zeros_like(batch["labelled"])}
    changes = {}
    for name, other in (("alone", None), ("with another", initial)):
        weights = LandmarkLossConfig(teacher=1.0)
        model = module(Stages(0, 0, 1), weights=weights, teachers=Teachers(initial, other))
        model.net.load_state_dict(net.state_dict())
        model.net.eval()
        model.on_train_start()
        stored = {**no_targets(256), "points": np.full((39, 5), 0.75, np.float32)}
        out = model(batch["image"], masks=1)
        learned = model._outputs_to_learn(
            network_input(batch["image"]), 1, {**unlabelled, "teacher": default_collate([stored] * 4)}
        )
        loss = sum(model.losses(out, unlabelled, learned).values())
        landmarks, world = torch.autograd.grad(loss, [out.landmarks, out.world])
        changes[name] = landmarks[..., :3], world  # presence has labels
    assert max(float(change.abs().max()) for change in changes["alone"]) < 1e-6
    landmarks, world = changes["with another"]
    assert landmarks[:, :33, :2].abs().min() > 1e-6
    assert landmarks[:, 33:].abs().max() < 1e-6
    assert world.abs().max() < 1e-6
