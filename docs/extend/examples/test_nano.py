"""The network variant nano."""

import torch

from blazepose.export.export_module import ExportModule
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant


def build(name: str) -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(landmark_variant(name, "paper")).eval()


def test_it_has_less_than_a_third_of_the_parameters_of_lite():
    nano, lite = (sum(p.numel() for p in build(name).parameters()) for name in ("nano", "lite"))
    assert nano < lite / 3


@torch.no_grad()
def test_the_exported_module_has_the_outputs_of_mediapipe():
    outputs = ExportModule(build("nano"))(torch.rand(1, 256, 256, 3))
    shapes = [tuple(output.shape) for output in outputs]
    assert shapes == [(1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117)]


def test_every_part_trains():
    net = build("nano").train()
    out = net(torch.rand(2, 3, 256, 256))
    sum(value.float().square().mean() for value in out if value is not None).backward()
    without = [name for name, p in net.named_parameters() if p.grad is None]
    assert not without
