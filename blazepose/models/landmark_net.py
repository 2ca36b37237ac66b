"""The landmark network: encoder, decoder, segmentation head, regression head.

One module implements Google's lite, full and heavy, and the paper's wiring of each.
Source: docs/reference/mediapipe.md section 5; paper, Figure 4.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from blazepose.input_spec import LANDMARK_INPUT, InputSpec
from blazepose.models.blocks import Separable, upsample
from blazepose.models.encoder import Encoder
from blazepose.models.heatmap_decoder import HeatmapDecoder
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import LandmarkVariant
from blazepose.topologies import FULL_BODY
from blazepose.topologies.full_body import NUM_OUTPUTS


class Decoder(nn.Module):
    """Merge of the encoder's features at 64x64, the input of heatmaps and offsets."""

    def __init__(self, variant: LandmarkVariant) -> None:
        super().__init__()
        width = variant.decoder
        self.from8 = Separable(variant.encoder.top, width)
        self.from16 = Separable(variant.encoder.at16_wide.blocks[-1][1], width)
        self.from32 = Separable(variant.encoder.at32.blocks[-1][1], width)
        self.from64 = Separable(variant.encoder.at64.blocks[-1][1], width)

    def forward(
        self, f64: Tensor, f32: Tensor, f16: Tensor, f8: Tensor
    ) -> Float[Tensor, "batch width 64 64"]:
        y = upsample(self.from8(f8)) + self.from16(f16)
        y = upsample(y) + self.from32(f32)
        return upsample(y) + self.from64(f64)


class SegmentationHead(nn.Module):
    """Person mask at the input size."""

    WIDTH = 8

    def __init__(self, variant: LandmarkVariant) -> None:
        super().__init__()
        width = self.WIDTH
        self.from64 = Separable(variant.decoder, width)
        self.from128 = Separable(variant.encoder.first, width)
        self.at128 = nn.Sequential(Separable(width, width), Separable(width, width))
        self.at256 = nn.Sequential(Separable(width, width), Separable(width, width))
        self.logits = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, y64: Tensor, f128: Tensor) -> Float[Tensor, "batch 1 256 256"]:
        y = self.at128(upsample(self.from64(y64)) + self.from128(f128))
        return self.logits(self.at256(upsample(y)))


COORDINATE_UNIT = 8.0
"""Crop pixels per unit of the landmark head's x, y and z. Chosen: Adam moves every weight by about the
learning rate per step, whatever its unit; in pixels a head would need thousands of steps to span the crop."""


class RegressionHead(nn.Module):
    """Coordinates from features: down to 2x2, then one convolution per output."""

    unit: Tensor | None

    def __init__(self, variant: LandmarkVariant) -> None:
        super().__init__()
        self.source = variant.regression_head.source
        levels = variant.regression_head.levels
        if self.source == "encoder":
            channels = levels[0].width
            self.entry: nn.Module = Separable(variant.encoder.top, channels)
            levels, skips = levels[1:], []
        else:
            channels = variant.decoder
            self.entry = nn.Identity()
            skips = [
                variant.encoder.at32.blocks[-1][1],
                variant.encoder.at16_wide.blocks[-1][1],
                variant.encoder.top,
            ]
        self.levels, self.skips = nn.ModuleList(), nn.ModuleList()
        for i, level in enumerate(levels):
            blocks = [Separable(channels, level.width, 2)]
            blocks += [Separable(level.width, level.width) for _ in range(level.depth)]
            self.levels.append(nn.Sequential(*blocks))
            if i < len(skips):
                self.skips.append(Separable(skips[i], level.width))
            channels = level.width
        self.landmarks = nn.Conv2d(channels, NUM_OUTPUTS * 5, 2)
        self.world = nn.Conv2d(channels, NUM_OUTPUTS * 3, 2)
        self.pose = nn.Conv2d(channels, 1, 2)
        unit = torch.tensor([COORDINATE_UNIT] * 3 + [1.0, 1.0]).repeat(NUM_OUTPUTS)
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
    ) -> tuple[Float[Tensor, "batch 39 5"], Float[Tensor, "batch 39 3"], Float[Tensor, "batch 1"]]:
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

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        landmarks = self.landmarks(x).flatten(1)
        if self.unit is not None:
            landmarks = landmarks * self.unit
        return (
            landmarks.view(-1, NUM_OUTPUTS, 5),
            self.world(x).view(-1, NUM_OUTPUTS, 3),
            self.pose(x).view(-1, 1),
        )


class LandmarkNet(nn.Module):
    """Network for pose landmarks, heatmaps, mask and pose presence in a 256x256 crop.

    Args:
        variant: sizes and wiring.
        gradient_stop: detach the features before the regression head (paper 2.4).

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

    def __init__(self, variant: LandmarkVariant, gradient_stop: bool = False) -> None:
        super().__init__()
        self.variant = variant
        self.gradient_stop = gradient_stop
        self.encoder = Encoder(variant.encoder)
        self.decoder = Decoder(variant)
        self.heatmaps = nn.Conv2d(variant.decoder, NUM_OUTPUTS, 1)
        self.segmentation = SegmentationHead(variant)
        self.tower = RegressionHead(variant)
        # Training only: helps the heatmap branch to sub-cell accuracy and is not in the exported graph.
        self.offsets: nn.Conv2d | None = nn.Conv2d(variant.decoder, 2 * FULL_BODY.num_heatmaps, 1)
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
            cast(Tensor, self.tower.landmarks.bias).view(NUM_OUTPUTS, 5)[:, :2] = (
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

    def forward_export(
        self, images: Float[Tensor, "batch 256 256 3"]
    ) -> tuple[
        Float[Tensor, "batch 195"],
        Float[Tensor, "batch 1"],
        Float[Tensor, "batch 256 256 1"],
        Float[Tensor, "batch 64 64 39"],
        Float[Tensor, "batch 117"],
    ]:
        """Compute an exported file's five outputs, in MediaPipe's order and meaning.

        Source: docs/reference/mediapipe.md section 3.

        Args:
            images: RGB in [0, 1], channels last.

        Returns:
            Landmarks, pose presence after sigmoid, mask logits, heatmap logits, world landmarks.
        """
        out = self(images.permute(0, 3, 1, 2))
        assert out.segmentation is not None
        return (
            out.landmarks.flatten(1),
            out.pose_logit.sigmoid(),
            out.segmentation.permute(0, 2, 3, 1),
            out.heatmaps.permute(0, 2, 3, 1),
            out.world.flatten(1),
        )


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
