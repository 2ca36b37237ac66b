"""Tests of blazepose.models.blocks."""

import pytest
import torch
from torch.nn import functional as F

from blazepose.models.blocks import BlazeBlock


def _block(kernel: int, stride: int, channels_out: int = 6, **options: object) -> BlazeBlock:
    torch.manual_seed(0)
    return BlazeBlock(4, channels_out, kernel, stride, **options).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("kernel", [3, 5])
def test_stride_two_pads_as_tensorflow_does_and_adds_the_pooled_input(kernel: int) -> None:
    block, x = _block(kernel, 2, activation=F.relu), torch.randn(1, 4, 8, 8)
    extra = kernel - 2  # SAME on an even size: one more zero behind the image than before it
    padded = F.pad(x, (extra // 2, extra - extra // 2) * 2)
    y = block.pointwise(F.conv2d(padded, block.depthwise.weight, stride=2, groups=4))
    y[:, :4] += F.max_pool2d(x, 2)
    torch.testing.assert_close(block(x), F.relu(y))


def test_the_input_is_added_for_equal_channels_unless_refused() -> None:
    x = torch.randn(1, 4, 8, 8)
    kept, refused = _block(3, 1, channels_out=4), _block(3, 1, channels_out=4, residual=False)
    inner = refused.pointwise(refused.depthwise(x))
    torch.testing.assert_close(refused(x), F.relu6(inner))
    torch.testing.assert_close(kept(x), F.relu6(x + inner))


def test_the_state_dict_has_the_keys_of_the_detector() -> None:
    keys = {key for key in _block(3, 1).state_dict() if not key.endswith("num_batches_tracked")}
    assert keys == {
        "depthwise.weight",
        "pointwise.conv.weight",
        *(f"pointwise.norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")),
    }
