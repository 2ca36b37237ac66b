"""The landmark network: encoder, decoder, segmentation head, regression head.

One module implements Google's lite, full and heavy, the paper's wiring of each, and the paper's own networks.
Source: docs/reference/mediapipe.md section 5; paper, Figure 4.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from blazepose.input_spec import LANDMARK_INPUT, InputSpec
from blazepose.models.blocks import Separable, paper_block, paper_lateral, stage_blocks, upsample
from blazepose.models.encoder import build_encoder
from blazepose.models.heatmap_decoder import HeatmapDecoder
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variant_types import Block, LandmarkVariant
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

_BLOCKS: dict[Block, Callable[..., nn.Module]] = {"separable": Separable, "linear": paper_block}
_LATERALS: dict[Block, Callable[..., nn.Module]] = {"separable": Separable, "linear": paper_lateral}
"""Blocks of a branch, and those from one branch to another."""


class Decoder(nn.Module):
    """Merge of the encoder's features at 64x64, the input of heatmaps and offsets."""

    def __init__(self, variant: LandmarkVariant) -> None:
        super().__init__()
        _, at64, at32, at16, at8 = variant.encoder.features
        lateral, width = _LATERALS[variant.block], variant.decoder
        self.from8 = lateral(at8, width)
        self.from16 = lateral(at16, width)
        self.from32 = lateral(at32, width)
        self.from64 = lateral(at64, width)

    def forward(
        self, f64: Tensor, f32: Tensor, f16: Tensor, f8: Tensor
    ) -> Float[Tensor, "batch width 64 64"]:
        y = upsample(self.from8(f8)) + self.from16(f16)
        y = upsample(y) + self.from32(f32)
        return upsample(y) + self.from64(f64)


class SegmentationHead(nn.Module):
    """Person mask, at half the input size or at the input size."""

    WIDTH = 8

    def __init__(self, variant: LandmarkVariant) -> None:
        super().__init__()
        width, lateral = self.WIDTH, _LATERALS[variant.block]
        self.from64 = lateral(variant.decoder, width)
        self.from128 = lateral(variant.encoder.features[0], width)
        at128, *at256 = (
            nn.Sequential(*(lateral(width, width) for _ in range(depth))) for depth in variant.mask_depths
        )
        self.at128 = at128
        self.at256 = at256[0] if at256 else None
        self.logits = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, y64: Tensor, f128: Tensor) -> Float[Tensor, "batch 1 side side"]:
        y = self.at128(upsample(self.from64(y64)) + self.from128(f128))
        return self.logits(y if self.at256 is None else self.at256(upsample(y)))


COORDINATE_UNIT = 8.0
"""Crop pixels per unit of the landmark head's x, y and z. Chosen: Adam moves every weight by about the
learning rate per step, whatever its unit; in pixels a head would need thousands of steps to span the crop."""


class RegressionHead(nn.Module):
    """Coordinates from features: down to 2x2, then one convolution per output."""

    unit: Tensor | None

    def __init__(self, variant: LandmarkVariant, points: int) -> None:
        super().__init__()
        self.source = variant.regression_head.source
        self.points = points
        block, lateral = _BLOCKS[variant.block], _LATERALS[variant.block]
        levels = variant.regression_head.levels
        _, _, at32, at16, at8 = variant.encoder.features
        if self.source == "encoder":
            channels = levels[0].width
            self.entry: nn.Module = block(at8, channels)
            levels, skips = levels[1:], []
        else:
            channels = variant.decoder
            self.entry = nn.Identity()
            skips = [at32, at16, at8]
        self.levels, self.skips = nn.ModuleList(), nn.ModuleList()
        for i, level in enumerate(levels):
            self.levels.append(nn.Sequential(*stage_blocks(block, channels, level)))
            if i < len(skips):
                self.skips.append(lateral(skips[i], level.width))
            channels = level.width
        self.landmarks = nn.Conv2d(channels, points * 5, 2)
        self.world = nn.Conv2d(channels, points * 3, 2) if variant.full_contract else None
        self.pose = nn.Conv2d(channels, 1, 2)
        unit = torch.tensor([COORDINATE_UNIT] * 3 + [1.0, 1.0]).repeat(points)
        # A buffer in the state dict: weights trained in another unit keep their meaning.
        self.register_buffer("unit", unit)

    def fold(self) -> None:
        """Merge the coordinate unit into the landmark convolution; for inference only."""
        if self.unit is not None:
            with torch.no_grad():
                self.landmarks.weight.mul_(self.unit[:, None, None, None])
                cast(Tensor, self.landmarks.bias).mul_(self.unit)
            self.unit = None

    def to_unit_coordinates(self) -> None:
        """Rescale published weights, which predict pixels, to COORDINATE_UNIT."""
        assert self.unit is not None
        with torch.no_grad():
            self.landmarks.weight.div_(self.unit[:, None, None, None])
            cast(Tensor, self.landmarks.bias).div_(self.unit)

    def forward(
        self, y64: Tensor, f32: Tensor, f16: Tensor, f8: Tensor
    ) -> tuple[
        Float[Tensor, "batch points 5"], Float[Tensor, "batch points 3"] | None, Float[Tensor, "batch 1"]
    ]:
        x = self.entry(f8 if self.source == "encoder" else y64)
        features = (f32, f16, f8)
        for i, level in enumerate(self.levels):
            x = level(x)
            if i < len(self.skips):
                x = x + self.skips[i](features[i])
        if torch.is_autocast_enabled(x.device.type):
            # bfloat16 has 8 bits: beyond 128 its step is a whole pixel.
            with torch.autocast(x.device.type, enabled=False):
                return self._heads(x.float())
        return self._heads(x)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        landmarks = self.landmarks(x).flatten(1)
        if self.unit is not None:
            landmarks = landmarks * self.unit
        return (
            landmarks.view(-1, self.points, 5),
            None if self.world is None else self.world(x).view(-1, self.points, 3),
            self.pose(x).view(-1, 1),
        )


class LandmarkNet(nn.Module):
    """Network for pose landmarks, heatmaps, mask and pose presence in a 256x256 crop.

    Args:
        variant: sizes and wiring.
        gradient_stop: detach the features before the regression head (paper 2.4).
        topology: its points.

    Examples:
        >>> import torch
        >>> from blazepose.models.landmark_net import LandmarkNet
        >>> from blazepose.models.variants import landmark_variant
        >>> net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
        >>> outputs = net(torch.zeros(1, 3, 256, 256))
        >>> outputs.landmarks.shape, outputs.heatmaps.shape
        (torch.Size([1, 39, 5]), torch.Size([1, 39, 64, 64]))
    """

    input_spec: InputSpec = LANDMARK_INPUT

    def __init__(
        self, variant: LandmarkVariant, gradient_stop: bool = False, topology: Topology = FULL_BODY
    ) -> None:
        super().__init__()
        self.variant = variant
        self.gradient_stop = gradient_stop
        self.topology = topology
        self.encoder = build_encoder(variant.encoder)
        self.decoder = Decoder(variant)
        self.heatmaps = nn.Conv2d(variant.decoder, topology.num_outputs, 1)
        self.segmentation = SegmentationHead(variant)
        self.tower = RegressionHead(variant, topology.num_outputs)
        # Training only: helps the heatmap branch to sub-cell accuracy and is not in the exported graph.
        self.offsets: nn.Conv2d | None = nn.Conv2d(variant.decoder, 2 * topology.num_heatmaps, 1)
        # Of exported graphs only, made of trained heatmaps.
        self.heatmap_decoder: HeatmapDecoder | None = None
        self.apply(_initialize)
        self._initialize_heads()

    def _initialize_heads(self) -> None:
        heads = [
            self.tower.landmarks,
            self.tower.world,
            self.tower.pose,
            self.heatmaps,
            self.offsets,
            self.segmentation.logits,
        ]
        for head in filter(None, heads):
            nn.init.normal_(head.weight, std=1e-3)
        # Start from the center of the crop, and from heatmaps that are mostly background (a Gaussian of
        # sigma 1.4 fills well under 1 % of the cells), so that the first steps are not spent on constants.
        with torch.no_grad():
            cast(Tensor, self.tower.landmarks.bias).view(-1, 5)[:, :2] = (
                self.input_spec.size / 2 / COORDINATE_UNIT
            )
            cast(Tensor, self.heatmaps.bias).fill_(-4.6)
            # Without negative images nothing supervises the pose flag; it must then stay high, or an app with
            # a threshold of 0.5 loses people at random.
            cast(Tensor, self.tower.pose.bias).fill_(3.0)

    def forward(self, images: Float[Tensor, "batch 3 256 256"], masks: int | None = None) -> LandmarkOutputs:
        """Run the network.

        Args:
            images: RGB in [0, 1].
            masks: number of images, from the first, to compute a mask for; None for all. The mask head works
                at the full input size: on a CPU it takes as long as all the rest of lite.
        """
        f128, f64, f32, f16, f8 = self.encoder(images)
        y64 = self.decoder(f64, f32, f16, f8)
        head_inputs = (y64, f32, f16, f8)
        if self.gradient_stop:
            head_inputs = tuple(x.detach() for x in head_inputs)
        landmarks, world, pose_logit = self.tower(*head_inputs)
        if self.heatmap_decoder is not None:
            decoded = self.heatmap_decoder(y64, landmarks[..., :2], landmarks[..., 4:])
            landmarks = torch.cat([decoded, landmarks[..., 2:]], dim=2)
        return LandmarkOutputs(
            landmarks=landmarks,
            pose_logit=pose_logit,
            heatmaps=self.heatmaps(y64),
            world=world,
            segmentation=None if masks == 0 else self.segmentation(y64[:masks], f128[:masks]),
            offsets=self.offsets(y64) if self.offsets is not None else None,
        )

    def decode_by_heatmaps(self) -> None:
        """Decode x and y of the landmarks from the heatmaps, as they are now; for inference only."""
        cells = self.input_spec.size // 4
        self.heatmap_decoder = HeatmapDecoder(self.heatmaps, cells, self.input_spec.size)

    def forward_all(self, images: Float[Tensor, "batch 256 256 3"]) -> tuple[Tensor | None, ...]:
        """Compute MediaPipe's five outputs, in its order and meaning.

        Source: docs/reference/mediapipe.md section 3.

        Args:
            images: RGB in [0, 1], channels last.

        Returns:
            Landmarks (batch, points * 5), pose presence (batch, 1) after sigmoid, mask logits (batch, side,
            side, 1), heatmap logits (batch, 64, 64, points), world landmarks (batch, points * 3); None
            instead of the last from a network without a head for them.
        """
        out = self(images.permute(0, 3, 1, 2))
        assert out.segmentation is not None
        return (
            out.landmarks.flatten(1),
            out.pose_logit.sigmoid(),
            out.segmentation.permute(0, 2, 3, 1),
            out.heatmaps.permute(0, 2, 3, 1),
            None if out.world is None else out.world.flatten(1),
        )

    def forward_export(self, images: Float[Tensor, "batch 256 256 3"]) -> tuple[Tensor, ...]:
        """Compute an exported file's outputs: of forward_all those of `variant.num_file_outputs`."""
        return cast(tuple[Tensor, ...], self.forward_all(images)[: self.variant.num_file_outputs])


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def describe_net(net: LandmarkNet) -> str:
    """Return name, wiring and size of a network, in one line.

    Examples:
        >>> from blazepose.models.landmark_net import LandmarkNet, describe_net
        >>> from blazepose.models.variants import landmark_variant
        >>> describe_net(LandmarkNet(landmark_variant("lite", "mediapipe")))
        'lite: 1.38 M parameters, regression from the encoder without gradient stop'
    """
    stop = "with" if net.gradient_stop else "without"
    source = {"encoder": "encoder", "heatmap": "heatmap features"}[net.variant.regression_head.source]
    millions = sum(p.numel() for p in net.parameters()) / 1e6
    return (
        f"{net.variant.name}: {millions:.2f} M parameters, regression from the {source} {stop} gradient stop"
    )


def network_input(images: Tensor) -> Tensor:
    """Convert uint8 images (batch, size, size, 3) to the input of `LandmarkNet`."""
    # Channels-last pixels viewed as NCHW are torch's channels_last layout: no copy.
    return images.permute(0, 3, 1, 2).float() / 255
