"""Flat heads give the same outputs as the original heads."""

import pytest
import torch
from torch import nn

from blazepose.models.detector_net import DetectorNet, Head
from blazepose.models.flat_head import FlatHead, flatten_heads, unflatten_heads


def randomized(net: nn.Module, seed: int = 0) -> nn.Module:
    """Set random weights, and biases that are not zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
    return net.eval()


@pytest.fixture
def net() -> DetectorNet:
    net = DetectorNet()
    randomized(net.heads)
    return net.eval()


@torch.no_grad()
def outputs(net: nn.Module) -> list[torch.Tensor]:
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    return list(net(images))


@torch.no_grad()
def test_heads_stay_in_single_precision_under_autocast(net):
    """In bfloat16, boxes of 100 pixels and more would be rounded to half or whole pixels."""
    with torch.autocast("cpu", torch.bfloat16):
        out = net(torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)))
    assert {part.dtype for part in out} == {torch.float32}
    assert not torch.equal(out.boxes, out.boxes.bfloat16().float())


@pytest.mark.parametrize(("channels", "anchors", "side"), [(8, 2, 4), (16, 6, 7), (4, 1, 1)])
@torch.no_grad()
def test_a_flat_head_equals_the_original_head(channels, anchors, side):
    head = randomized(Head(channels, anchors))
    features = torch.randn(3, channels, side, side, generator=torch.Generator().manual_seed(1))
    scores, boxes = head(features)
    flat_scores, flat_boxes = FlatHead(head)(features)
    assert flat_scores.shape == (3, anchors * side**2, 1)
    torch.testing.assert_close(flat_scores, scores)
    torch.testing.assert_close(flat_boxes, boxes)


def test_flat_heads_are_plain_convolutions_of_stride_1():
    convolutions = [m for m in FlatHead(Head(16, 2)).modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 4
    assert {(c.in_channels, c.stride) for c in convolutions} == {(16, (1, 1))}


def test_flattening_and_back_keeps_the_outputs(net):
    original = outputs(net)
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    flat = flatten_heads(net)
    for one, other in zip(outputs(flat), original, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    back = unflatten_heads(flat)
    for one, other in zip(outputs(back), original, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    for name, value in back.state_dict().items():
        if not name.endswith("bias"):  # those of two convolutions become one
            torch.testing.assert_close(value, weights[name], rtol=0, atol=0)


@torch.no_grad()
def test_differing_channel_groups_are_rejected(net):
    flat = flatten_heads(net)
    flat.heads[1].boxes.pointwise.weight[0, 0] += 1
    with pytest.raises(ValueError, match="its heads are not those of a pose detector"):
        unflatten_heads(flat)


@torch.no_grad()
def test_kernels_that_no_original_head_has_are_rejected(net):
    """In the first group (row 0, column 0 of an unfolded cell) the first tap belongs to another cell."""
    flat = flatten_heads(net)
    assert flat.heads[0].scores.depthwise.weight[0, 0, 0, 0] == 0
    flat.heads[0].scores.depthwise.weight[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="its heads are not those of a pose detector"):
        unflatten_heads(flat)
