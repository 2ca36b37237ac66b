"""The pose detectors: boxes with four alignment points, as logits and offsets for every anchor.

Source: docs/reference/mediapipe.md sections 1, 5 and 7.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from blazepose.anchors import NUM_COORDINATES
from blazepose.input_spec import detector_input_spec
from blazepose.models.blazeface_encoder import BlazeFaceEncoder
from blazepose.models.blocks import BlazeBlock, ConvNorm, upsample
from blazepose.models.encoder import Encoder
from blazepose.models.outputs import DetectorOutputs
from blazepose.models.variant_types import DetectorVariant, FpnVariant
from blazepose.models.variants import DETECTOR_VARIANT

_PRIOR_LOGIT = -4.6
"""Logit of the prior probability 0.01. Source: Lin et al., Focal loss for dense object detection, 2017."""


def describe_detector(net: "DetectorNet") -> str:
    """Return name and size of the network, in one line."""
    return f"{net.variant.name}: {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters"


def detector_input(images: UInt8[Tensor, "batch size size 3"]) -> Float[Tensor, "batch 3 size size"]:
    """Convert images to the input of `DetectorNet`: [-1, 1], NCHW in channels-last memory."""
    return normalize_images(images).permute(0, 3, 1, 2)


def normalize_images(images: UInt8[Tensor, "batch size size 3"]) -> Float[Tensor, "batch size size 3"]:
    """Scale images to [-1, 1], the input of the exported detector (NHWC)."""
    return images.float() / 127.5 - 1


class LinearSeparable(BlazeBlock):
    """The block of today's detector, 3x3 with ReLU6; exported files carry this name."""


class FpnLevel(nn.Module):
    """A finer FPN level: the upsampled coarser level plus the encoder feature of its own size."""

    def __init__(self, below: int, lateral: int, channels: int) -> None:
        super().__init__()
        self.lateral = LinearSeparable(lateral, channels)
        self.below = ConvNorm(below, channels)
        self.blocks = nn.Sequential(LinearSeparable(channels, channels), LinearSeparable(channels, channels))

    def forward(self, below: Tensor, lateral: Tensor) -> Tensor:
        return self.blocks(self.lateral(lateral) + self.below(upsample(below)))


class Head(nn.Module):
    """Predictions of one level; each cell is split into 2x2 before the last convolutions."""

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        inner = channels // 4
        self.scores, self.boxes = (
            nn.Sequential(
                nn.Conv2d(inner, inner, 3, 2, padding=1, groups=inner),
                nn.Conv2d(inner, values * anchors, 1),
            )
            for values in (1, NUM_COORDINATES)
        )
        _set_prior(self.scores[1])

    def forward(
        self, x: Tensor
    ) -> tuple[Float[Tensor, "batch anchors 1"], Float[Tensor, "batch anchors 12"]]:
        unfolded = depth_to_space(x)
        return flatten_cells(self.scores(unfolded), self.boxes(unfolded))


class PlainHead(nn.Module):
    """Predictions of one level by 1x1 convolutions."""

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        self.scores = nn.Conv2d(channels, anchors, 1)
        self.boxes = nn.Conv2d(channels, NUM_COORDINATES * anchors, 1)
        _set_prior(self.scores)

    def forward(
        self, x: Tensor
    ) -> tuple[Float[Tensor, "batch anchors 1"], Float[Tensor, "batch anchors 12"]]:
        return flatten_cells(self.scores(x), self.boxes(x))


@torch.no_grad()
def _set_prior(scores: nn.Module) -> None:
    """Set the bias of the scores: nearly all anchors are background, which speeds up training."""
    scores.get_parameter("bias").fill_(_PRIOR_LOGIT)


def flatten_cells(
    scores: Float[Tensor, "batch anchors side side"], boxes: Float[Tensor, "batch values side side"]
) -> tuple[Float[Tensor, "batch all 1"], Float[Tensor, "batch all 12"]]:
    """Flatten the predictions of one level in the order row, column, anchor."""
    # shape[0], not len: keeps the batch of an ONNX file dynamic.
    return (
        scores.permute(0, 2, 3, 1).reshape(scores.shape[0], -1, 1),
        boxes.permute(0, 2, 3, 1).reshape(boxes.shape[0], -1, NUM_COORDINATES),
    )


def depth_to_space(
    x: Float[Tensor, "batch channels side side"],
) -> Float[Tensor, "batch quarter double double"]:
    """Rearrange channels into 2x2 cells, in TensorFlow's order: rows, columns, channels."""
    batch, channels, height, width = x.shape
    cells = x.reshape(batch, 4, channels // 4, height, width).transpose(1, 2).reshape(x.shape)
    return F.pixel_shuffle(cells, 2)


class DetectorNet(nn.Module):
    """Scores and boxes of all anchors in an image: 2,254 in 224 x 224, or 896 in 128 x 128 (detector_2021).

    Args:
        variant: the detector.

    Examples:
        >>> import torch
        >>> from blazepose.models.detector_net import DetectorNet
        >>> outputs = DetectorNet().eval()(torch.zeros(1, 3, 224, 224))
        >>> outputs.boxes.shape, outputs.scores.shape
        (torch.Size([1, 2254, 12]), torch.Size([1, 2254, 1]))
    """

    def __init__(self, variant: DetectorVariant = DETECTOR_VARIANT) -> None:
        super().__init__()
        self.variant, self.anchors = variant, variant.anchors
        self.input_spec = detector_input_spec(variant.anchors)
        layers, per_cell = variant.layers, [level.per_cell for level in variant.anchors.levels]
        if isinstance(layers, FpnVariant):
            encoder = layers.encoder
            self.encoder: nn.Module = Encoder(encoder)
            self.middle = FpnLevel(encoder.top, encoder.at16_wide.blocks[-1][1], layers.middle)
            self.fine = FpnLevel(layers.middle, encoder.at32.blocks[-1][1], layers.fine)
            channels = (layers.fine, layers.middle, encoder.top)
            heads: list[nn.Module] = [Head(*sizes) for sizes in zip(channels, per_cell, strict=True)]
        else:
            self.encoder = BlazeFaceEncoder(layers)
            widths = [width for width, _ in layers.stages[-2:]]
            heads = [PlainHead(*sizes) for sizes in zip(widths, per_cell, strict=True)]
        self.heads = nn.ModuleList(heads)

    def forward(self, images: Float[Tensor, "batch 3 size size"]) -> DetectorOutputs:
        """Run the network on RGB images in [-1, 1]."""
        features = self._features(images)
        if torch.is_autocast_enabled(images.device.type):
            # bfloat16 has 8 bits: beyond 64 pixels its step is half a pixel.
            with torch.autocast(images.device.type, enabled=False):
                return self._heads([feature.float() for feature in features])
        return self._heads(features)

    def _features(self, images: Tensor) -> Sequence[Tensor]:
        """Compute the feature of each level, from fine to coarse."""
        if isinstance(self.encoder, BlazeFaceEncoder):
            return self.encoder(images)
        _, _, f28, f14, f7 = self.encoder(images)
        p14 = self.middle(f7, f14)
        return self.fine(p14, f28), p14, f7

    def _heads(self, features: Sequence[Tensor]) -> DetectorOutputs:
        outputs = [head(x) for head, x in zip(self.heads, features, strict=True)]
        scores, boxes = zip(*outputs, strict=True)
        return DetectorOutputs(boxes=torch.cat(boxes, 1), scores=torch.cat(scores, 1))

    def forward_export(
        self, images: Float[Tensor, "batch size size 3"]
    ) -> tuple[Float[Tensor, "batch anchors 12"], Float[Tensor, "batch anchors 1"]]:
        """Compute the outputs of an exported file: boxes and score logits, in MediaPipe's order."""
        out = self(images.permute(0, 3, 1, 2))
        return out.boxes, out.scores
