"""Half precision: rounded kernels, corrected biases, the original untouched."""

import copy

import pytest
import torch

from blazepose.export.export_module import ExportModule
from blazepose.export.rounding import ROUNDING, round_with_bias_correction
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import DETECTOR_2021_VARIANT, landmark_variant


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    return torch.rand(4, 256, 256, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def net(crops) -> ExportModule:
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    for _ in range(5):
        net.train()(crops.permute(0, 3, 1, 2))
    return ExportModule(net.eval())


def test_kernels_are_half_precision_and_the_original_is_unchanged(net, crops):
    before = copy.deepcopy(net.state_dict())
    half = round_with_bias_correction(net, "fp16", crops)
    for name, value in half.state_dict().items():
        if value.ndim == 4:
            assert torch.equal(value, value.half().float()), name
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(module._forward_hooks for each in (net, half) for module in each.modules())


@pytest.mark.parametrize(("precision", "left"), [("fp16", 0.7), ("int8", 0.2)])
def test_mean_errors_and_landmark_errors_shrink(net, crops, precision, left):
    """Of fp16 more is left: no later convolution corrects the bias of the last one."""
    plain = copy.deepcopy(net)
    with torch.no_grad():
        for conv in plain.modules():
            if isinstance(conv, torch.nn.Conv2d):
                conv.weight.copy_(ROUNDING[precision].kernel(conv.weight))
                if conv.bias is not None:
                    conv.bias.copy_(ROUNDING[precision].bias(conv.bias))
        rounded = round_with_bias_correction(net, precision, crops)
        exact, uncorrected, corrected = (each(crops) for each in (net, plain, rounded))
    shifts = [(outputs[0] - exact[0]).mean(dim=0).abs().mean() for outputs in (corrected, uncorrected)]
    assert shifts[0] < left * shifts[1]
    moved = [(outputs[0] - exact[0]).abs().mean() for outputs in (corrected, uncorrected)]
    assert moved[0] < 0.7 * moved[1]


def test_a_network_with_relu_keeps_its_biases():
    """Its largest activations dominate their means."""
    detector = ExportModule(DetectorNet(DETECTOR_2021_VARIANT).eval())
    images = torch.rand(2, 128, 128, 3, generator=torch.Generator().manual_seed(0))
    half = round_with_bias_correction(detector, "fp16", images)
    for name, value in detector.state_dict().items():
        assert torch.equal(half.state_dict()[name], value.half().float()), name


def test_int8_kernels_have_255_steps_per_channel(net, crops):
    rounded = round_with_bias_correction(net, "int8", crops)
    for conv in rounded.modules():
        if isinstance(conv, torch.nn.Conv2d):
            steps = conv.weight / (conv.weight.abs().amax(dim=(1, 2, 3), keepdim=True) / 127)
            assert torch.allclose(steps, steps.round(), atol=1e-3)


def test_half_precision_kernels_keep_their_biases(net, crops):
    once = round_with_bias_correction(net, "fp16", crops)
    for conv in once.modules():
        if isinstance(conv, torch.nn.Conv2d):
            conv.weight.data.mul_(1 + 1e-7)  # as after folding
    twice = round_with_bias_correction(once, "fp16", crops).state_dict()
    assert all(torch.equal(twice[name], bias) for name, bias in once.state_dict().items() if bias.ndim == 1)
