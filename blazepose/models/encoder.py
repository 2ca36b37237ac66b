"""Encoders: of EfficientNet-Lite's blocks, and the paper's. Source: docs/reference/mediapipe.md section 5."""

from jaxtyping import Float
from torch import Tensor, nn

from blazepose.models.blocks import ConvNorm, InvertedResidual, paper_block, stage_blocks
from blazepose.models.variant_types import EncoderStage, EncoderVariant, SeparableEncoderVariant


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
        return _features(self, images)


class SeparableEncoder(nn.Module):
    """The same features of the paper's encoder.

    Args:
        variant: its channel widths.
    """

    def __init__(self, variant: SeparableEncoderVariant) -> None:
        super().__init__()
        stem, at64, at32, at16, at8 = variant.stages
        self.stem = nn.Sequential(
            ConvNorm(3, stem.width, 3, 2, pad_end=True, linear=True),
            nn.ReLU(),
            *(paper_block(stem.width, stem.width) for _ in range(stem.depth)),
        )
        self.at64 = nn.Sequential(*stage_blocks(paper_block, stem.width, at64))
        self.at32 = nn.Sequential(*stage_blocks(paper_block, at64.width, at32))
        self.at16 = nn.Sequential(*stage_blocks(paper_block, at32.width, at16))
        self.at8 = nn.Sequential(*stage_blocks(paper_block, at16.width, at8))

    def forward(
        self, images: Float[Tensor, "batch 3 size size"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        return _features(self, images)


def build_encoder(variant: EncoderVariant | SeparableEncoderVariant) -> Encoder | SeparableEncoder:
    """Return the encoder of a variant."""
    return Encoder(variant) if isinstance(variant, EncoderVariant) else SeparableEncoder(variant)


def _features(
    encoder: Encoder | SeparableEncoder, images: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    f128 = encoder.stem(images)
    f64 = encoder.at64(f128)
    f32 = encoder.at32(f64)
    f16 = encoder.at16(f32)
    return f128, f64, f32, f16, encoder.at8(f16)


def _stage(channels: int, stage: EncoderStage) -> tuple[nn.Sequential, int]:
    blocks = []
    for i, (expanded, out) in enumerate(stage.blocks):
        blocks.append(InvertedResidual(channels, expanded, out, stage.kernel, stage.stride if i == 0 else 1))
        channels = out
    return nn.Sequential(*blocks), channels
