"""Interpolation between two sets of weights."""

import copy

import torch

from blazepose.models.blocks import ConvNorm
from blazepose.models.interpolation import interpolate
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.precise_bn import precise_bn
from blazepose.models.variants import landmark_variant


def _pair() -> tuple[LandmarkNet, LandmarkNet]:
    """Return a net, and the same with every weight moved a little and with other statistics."""
    torch.manual_seed(0)
    before = LandmarkNet(landmark_variant("lite", "mediapipe")).train()
    for _ in range(20):  # statistics with which a new net's outputs depend on the image
        before(torch.rand(2, 3, 256, 256))
    before.eval()
    after = copy.deepcopy(before)
    precise_bn(after, [torch.rand(2, 3, 256, 256)])
    with torch.no_grad():
        for parameter in after.parameters():
            parameter.add_(1e-3 * torch.randn_like(parameter))
    return before, after


def _landmarks(net: LandmarkNet, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net(images).landmarks


def test_alpha_0_and_1_give_the_two_networks():
    images = torch.rand(2, 3, 256, 256)
    before, after = _pair()
    first, second = _landmarks(before, images), _landmarks(after, images)
    assert (first - second).abs().max() > 0.1
    for alpha, expected in ((0.0, first), (1.0, second)):
        start, end = copy.deepcopy(before), copy.deepcopy(after)
        interpolate(start, end, alpha)
        torch.testing.assert_close(_landmarks(end, images), expected, rtol=1e-4, atol=2e-3)


def test_alpha_one_half_is_the_mean_of_weights_with_the_statistics_of_the_second():
    before, after = _pair()
    end = copy.deepcopy(after)
    interpolate(before, end, 0.5)
    for name in ("tower.landmarks.weight", "encoder.stem.0.conv.weight", "encoder.stem.0.norm.weight"):
        start, new = before.state_dict()[name], end.state_dict()[name]  # `before` has been reparameterized
        torch.testing.assert_close(new, (start + after.state_dict()[name]) / 2)
    torch.testing.assert_close(end.offsets.weight, after.offsets.weight)
    assert not torch.equal(before.offsets.weight, after.offsets.weight)
    for old, new in zip(after.modules(), end.modules(), strict=True):
        if isinstance(old, ConvNorm):
            torch.testing.assert_close(new.norm.running_mean, old.norm.running_mean)
            torch.testing.assert_close(new.norm.running_var, old.norm.running_var)
