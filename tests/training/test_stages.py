"""Trained parameters of each stage."""

import dataclasses

import pytest
from torch import nn

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import Stages
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.training.stages import set_stage, supervised_by

UNTRAINED_HEADS = ("segmentation", "tower.world", "tower.pose")


@pytest.fixture(scope="module")
def net():
    return LandmarkNet(landmark_variant("lite", "paper"))


def trained(net, stage, outputs=()):
    set_stage(net, stage, list(outputs))
    return {name for name, p in net.named_parameters() if p.requires_grad}


def names(net, *prefixes):
    return {name for name, _ in net.named_parameters() if name.startswith(prefixes)}


def test_heatmap_stage_trains_everything_but_the_regression_head(net):
    assert trained(net, "heatmap") == names(net, "encoder", "decoder", "heatmaps", "offsets")


def test_masks_train_their_head_with_the_decoder(net):
    masks = names(net, "segmentation")
    assert masks <= trained(net, "heatmap", ["segmentation"])
    assert not masks & trained(net, "regression", ["segmentation"])


def test_regression_stage_trains_the_regression_head_only(net):
    expected = names(net, "tower") - names(net, "tower.world", "tower.pose")
    assert trained(net, "regression") == expected
    assert "tower.landmarks.weight" in expected  # output layers never stay random


def test_joint_stage_trains_all_that_has_labels(net):
    everything = {name for name, _ in net.named_parameters()}
    assert trained(net, "joint") == everything - names(net, *UNTRAINED_HEADS)
    assert trained(net, "joint", ["segmentation", "world", "pose"]) == everything


def test_frozen_parts_keep_their_batchnorm_statistics(net):
    set_stage(net, "regression", [])
    assert not any(m.training for m in net.encoder.modules())
    assert not any(m.training for m in net.decoder.modules())
    assert all(m.training for m in net.tower.modules())


@pytest.mark.parametrize("synced", [False, True])
def test_norm_eval_freezes_statistics_of_trained_parts(synced):
    """Lightning converts BatchNorm to SyncBatchNorm on several GPUs."""
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    net = nn.SyncBatchNorm.convert_sync_batchnorm(net) if synced else net
    set_stage(net, "joint", ["segmentation"], norm_eval=True)
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert len(norms) > 50
    assert not any(norm.training for norm in norms)
    assert all(p.requires_grad for norm in norms for p in norm.parameters())
    set_stage(net, "joint", ["segmentation"])
    assert all(norm.training for norm in norms)


def test_frozen_stages_of_the_encoder_do_not_train(net):
    set_stage(net, "joint", ["segmentation"], frozen_stages=2)
    still = {name for name, p in net.named_parameters() if not p.requires_grad}
    assert still == names(net, "encoder.stem.", "encoder.at64.", "tower.world", "tower.pose")
    assert not any(
        module.training for level in (net.encoder.stem, net.encoder.at64) for module in level.modules()
    )
    assert net.encoder.at32.training
    set_stage(net, "joint", ["segmentation"], frozen_stages=5)
    assert not any(p.requires_grad for p in net.encoder.parameters())


def test_only_outputs_that_the_recipe_trains_are_supervised():
    outputs = ("heatmaps", "presence", "visibility", "world")
    labels = SupervisedOutputs(("nose",), ("nose",), ("nose",), outputs)
    weights = dataclasses.asdict(LandmarkLossConfig())
    assert supervised_by(labels, Stages(joint=1), weights) == labels
    heatmaps = supervised_by(labels, Stages(heatmap=1, joint=0), weights)
    assert heatmaps == SupervisedOutputs(heatmaps=("nose",), outputs=("heatmaps",))
    without = supervised_by(
        labels, Stages(joint=1), weights | {"world": 0.0, "heatmap": 0.0, "visibility": 0.0}
    )
    assert without == SupervisedOutputs(landmarks=("nose",), outputs=("presence",))
    no_regression = supervised_by(labels, Stages(joint=1), weights | {"coordinates": 0.0})
    assert no_regression == heatmaps


def test_masks_are_trained_with_the_heatmaps():
    labels = SupervisedOutputs(("nose",), (), ("nose",), ("heatmaps", "segmentation", "z"))
    weights = dataclasses.asdict(LandmarkLossConfig())
    assert supervised_by(labels, Stages(1, 0, 0), weights).outputs == ("heatmaps", "segmentation")
    assert supervised_by(labels, Stages(0, 1, 0), weights).outputs == ("z",)
    without = weights | {"segmentation": 0.0}
    assert supervised_by(labels, Stages(0, 0, 1), without).outputs == ("heatmaps", "z")


def test_every_trainable_output_has_a_loss_weight():
    losses = {output.loss for output in TRAINABLE_OUTPUTS.values()}
    assert losses <= {field.name for field in dataclasses.fields(LandmarkLossConfig)}
