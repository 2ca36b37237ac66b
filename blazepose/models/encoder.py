"""The encoder of both networks: EfficientNet-Lite's blocks. Source: docs/reference/mediapipe.md section 5."""

from jaxtyping import Float
from torch import Tensor, nn

from blazepose.models.blocks import ConvNorm, InvertedResidual
from blazepose.models.variants import EncoderStage, EncoderVariant


class Encoder(nn.Module):
    """Features of side 128, 64, 32, 16 and 8, for an image of side 256.

    Args:
        variant: its channel widths.
    """

    def __init__(self, variant: EncoderVariant) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNorm(3, variant.stem, 3, 2),
            ConvNorm(variant.stem, variant.stem, 3, depthwise=True),
            ConvNorm(variant.stem, variant.first, linear=True),
        )
        channels = variant.first
        self.at64, channels = _stage(channels, variant.at64)
        self.at32, channels = _stage(channels, variant.at32)
        at16, channels = _stage(channels, variant.at16)
        at16_wide, channels = _stage(channels, variant.at16_wide)
        self.at16 = nn.Sequential(*at16, *at16_wide)
        at8, channels = _stage(channels, variant.at8)
        self.at8 = nn.Sequential(
            *at8,
            ConvNorm(channels, variant.top),
            ConvNorm(variant.top, variant.top, 3, depthwise=True),
        )

    def forward(
        self, images: Float[Tensor, "batch 3 size size"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        f128 = self.stem(images)
        f64 = self.at64(f128)
        f32 = self.at32(f64)
        f16 = self.at16(f32)
        return f128, f64, f32, f16, self.at8(f16)


def _stage(channels: int, stage: EncoderStage) -> tuple[nn.Sequential, int]:
    blocks = []
    for i, (expanded, out) in enumerate(stage.blocks):
        blocks.append(InvertedResidual(channels, expanded, out, stage.kernel, stage.stride if i == 0 else 1))
        channels = out
    return nn.Sequential(*blocks), channels
