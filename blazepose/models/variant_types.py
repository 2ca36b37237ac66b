"""What distinguishes one network from another: the fields of a variant."""

from dataclasses import dataclass
from typing import Literal

from blazepose.anchors import AnchorLayout
from blazepose.decoding import Decoding

Wiring = Literal["mediapipe", "paper"]

Block = Literal["separable", "linear"]
"""Block of everything behind the encoder, and of a SeparableEncoderVariant: blocks.Separable with ReLU6, or
blocks.BlazeBlock with ReLU."""


@dataclass(frozen=True)
class EncoderStage:
    """Inverted residual blocks of one kernel size; each block is (expanded, output) channels."""

    kernel: int
    stride: int
    blocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class HeadStage:
    """Blocks of the regression head or the paper's encoder: one of stride 2, `depth` of the same width."""

    width: int
    depth: int


@dataclass(frozen=True)
class RegressionHeadVariant:
    """Input and stages of the regression head.

    Attributes:
        source: "encoder" starts from the coarsest encoder feature (8x8); "heatmap" starts from the decoder
            feature (64x64), the input of the heatmaps, and adds the encoder's features by skips at 32, 16
            and 8, as in the paper's Figure 4.
        levels: from fine to coarse; the last one is 2x2.
    """

    source: Literal["encoder", "heatmap"]
    levels: tuple[HeadStage, ...]


@dataclass(frozen=True)
class EncoderVariant:
    """An encoder; its stages are named by the side of their features for an image of 256.

    Attributes:
        stem: channels of the first convolution.
        first: channels at 128.
        at64: first stage.
        at32: second.
        at16: third.
        at16_wide: fourth, of the same size.
        at8: fifth.
        top: channels of the last feature, at 8.
    """

    stem: int
    first: int
    at64: EncoderStage
    at32: EncoderStage
    at16: EncoderStage
    at16_wide: EncoderStage
    at8: EncoderStage
    top: int

    @property
    def features(self) -> tuple[int, int, int, int, int]:
        """Channels of the features of side 128, 64, 32, 16 and 8, for an image of 256."""
        at64, at32, at16 = (stage.blocks[-1][1] for stage in (self.at64, self.at32, self.at16_wide))
        return self.first, at64, at32, at16, self.top


@dataclass(frozen=True)
class SeparableEncoderVariant:
    """The encoder of the paper.

    Attributes:
        stages: at 128, 64, 32, 16 and 8; a 3x3 convolution of stride 2 takes the place of the first block.
    """

    stages: tuple[HeadStage, HeadStage, HeadStage, HeadStage, HeadStage]

    @property
    def features(self) -> tuple[int, int, int, int, int]:
        """Channels of the features of side 128, 64, 32, 16 and 8, for an image of 256."""
        at128, at64, at32, at16, at8 = (stage.width for stage in self.stages)
        return at128, at64, at32, at16, at8


@dataclass(frozen=True)
class LandmarkVariant:
    """Everything that distinguishes one landmark network from another.

    Attributes:
        name: key in VARIANTS, which weights carry.
        encoder: its widths.
        decoder: channels of the features of the heatmaps.
        regression_head: input and stages of the regression head.
        block: block of decoder, mask head and regression head.
        mask_depths: blocks of the mask head at 128 and at 256; of one number, the mask has a side of 128.
        full_contract: whether files have MediaPipe's five outputs. Otherwise they have three, as in 2021:
            landmarks, pose presence and mask. Heatmaps are then for training alone, and there is no head for
            world landmarks.
    """

    name: str
    encoder: EncoderVariant | SeparableEncoderVariant
    decoder: int
    regression_head: RegressionHeadVariant
    block: Block = "separable"
    mask_depths: tuple[int, ...] = (2, 2)
    full_contract: bool = True

    @property
    def num_file_outputs(self) -> int:
        """Number of outputs of an exported file."""
        return 5 if self.full_contract else 3

    @property
    def default_decoding(self) -> Decoding:
        """Decoding of weights that state none: of a file without heatmaps there is nothing to refine."""
        return "mediapipe" if self.full_contract else "regression"


@dataclass(frozen=True)
class FpnVariant:
    """A detector with two finer FPN levels on top of the encoder.

    Attributes:
        encoder: its last feature is the coarsest level.
        middle: channels of the level of twice its side.
        fine: channels of the level of four times its side.
    """

    encoder: EncoderVariant
    middle: int
    fine: int


@dataclass(frozen=True)
class BlazeFaceVariant:
    """A detector whose heads read the last two features of the encoder, as BlazeFace's.

    Attributes:
        stages: (channels, number of blocks) of the encoder's stages, for an image of 128 of side 128, 64,
            32, 16 and 8.
    """

    stages: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DetectorVariant:
    """Everything that distinguishes one detector from another.

    Attributes:
        name: as in model.name.
        anchors: input size and anchors.
        layers: widths of its layers.
    """

    name: str
    anchors: AnchorLayout
    layers: FpnVariant | BlazeFaceVariant
