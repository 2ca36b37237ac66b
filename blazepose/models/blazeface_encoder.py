"""The encoder of the detector of early 2021: BlazeFace's blocks.

Source: docs/reference/mediapipe.md section 7.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from blazepose.models.blocks import BlazeBlock, ConvNorm
from blazepose.models.variant_types import BlazeFaceVariant

_KERNEL = 5


class BlazeFaceEncoder(nn.Module):
    """Features of side 16 and 8, for an image of side 128.

    Args:
        variant: its channel widths and depths.
    """

    def __init__(self, variant: BlazeFaceVariant) -> None:
        super().__init__()
        (channels, depth), *stages = variant.stages
        self.stem = nn.Sequential(
            ConvNorm(3, channels, _KERNEL, linear=True), nn.ReLU(), *_blocks(channels, channels, depth, 1)
        )
        pairs = zip(variant.stages[:-1], stages, strict=True)
        self.at64, self.at32, self.at16, self.at8 = (
            nn.Sequential(*_blocks(before, width, count, 2)) for (before, _), (width, count) in pairs
        )

    def forward(self, images: Float[Tensor, "batch 3 size size"]) -> tuple[Tensor, Tensor]:
        f16 = self.at16(self.at32(self.at64(self.stem(images))))
        return f16, self.at8(f16)


def _blocks(channels_in: int, channels: int, count: int, stride: int) -> list[BlazeBlock]:
    shapes = [(channels_in, stride), *[(channels, 1)] * (count - 1)]
    return [BlazeBlock(before, channels, _KERNEL, step, activation=F.relu) for before, step in shapes]
