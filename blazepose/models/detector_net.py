"""The pose detector: face boxes with four alignment points, as logits and offsets for every anchor.

Source: docs/reference/mediapipe.md sections 1 and 5.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from blazepose.anchors import NUM_COORDINATES
from blazepose.input_spec import DETECTOR_INPUT, InputSpec
from blazepose.models.blocks import ConvNorm, LinearSeparable, upsample
from blazepose.models.encoder import Encoder
from blazepose.models.outputs import DetectorOutputs
from blazepose.models.variants import DETECTOR_VARIANT, DetectorVariant

_PRIOR_LOGIT = -4.6
"""Logit of the prior probability 0.01. Source: Lin et al., Focal loss for dense object detection, 2017."""


def describe_detector(net: "DetectorNet") -> str:
    """Return name and size of the network, in one line."""
    return f"detector: {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters"


def detector_input(images: UInt8[Tensor, "batch size size 3"]) -> Float[Tensor, "batch 3 size size"]:
    """Convert images to the input of `DetectorNet`: [-1, 1], NCHW in channels-last memory."""
    return normalize_images(images).permute(0, 3, 1, 2)


def normalize_images(images: UInt8[Tensor, "batch size size 3"]) -> Float[Tensor, "batch size size 3"]:
    """Scale images to [-1, 1], the input of the exported detector (NHWC)."""
    return images.float() / 127.5 - 1


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
        # Nearly all anchors are background; starting from that prior speeds up training.
        with torch.no_grad():
            self.scores.get_parameter("1.bias").fill_(_PRIOR_LOGIT)

    def forward(
        self, x: Tensor
    ) -> tuple[Float[Tensor, "batch anchors 1"], Float[Tensor, "batch anchors 12"]]:
        unfolded = depth_to_space(x)
        return flatten_cells(self.scores(unfolded), self.boxes(unfolded))


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
    """Scores and boxes of 2,254 anchors in an image of 224 x 224.

    Examples:
        >>> import torch
        >>> from blazepose.models.detector_net import DetectorNet
        >>> outputs = DetectorNet().eval()(torch.zeros(1, 3, 224, 224))
        >>> outputs.boxes.shape, outputs.scores.shape
        (torch.Size([1, 2254, 12]), torch.Size([1, 2254, 1]))
    """

    input_spec: InputSpec = DETECTOR_INPUT

    def __init__(self, variant: DetectorVariant = DETECTOR_VARIANT) -> None:
        super().__init__()
        encoder = variant.encoder
        self.encoder = Encoder(encoder)
        self.middle = FpnLevel(encoder.top, encoder.at16_wide.blocks[-1][1], variant.middle)
        self.fine = FpnLevel(variant.middle, encoder.at32.blocks[-1][1], variant.fine)
        channels = (variant.fine, variant.middle, encoder.top)
        self.heads = nn.ModuleList(Head(*sizes) for sizes in zip(channels, variant.anchors, strict=True))

    def forward(self, images: Float[Tensor, "batch 3 224 224"]) -> DetectorOutputs:
        """Run the network on RGB images in [-1, 1]."""
        _, _, f28, f14, f7 = self.encoder(images)
        p14 = self.middle(f7, f14)
        p28 = self.fine(p14, f28)
        if torch.is_autocast_enabled(images.device.type):
            # bfloat16 has 8 bits: beyond 64 pixels its step is half a pixel.
            with torch.autocast(images.device.type, enabled=False):
                return self._heads(p28.float(), p14.float(), f7.float())
        return self._heads(p28, p14, f7)

    def _heads(self, *features: Tensor) -> DetectorOutputs:
        outputs = [head(x) for head, x in zip(self.heads, features, strict=True)]
        scores, boxes = zip(*outputs, strict=True)
        return DetectorOutputs(boxes=torch.cat(boxes, 1), scores=torch.cat(scores, 1))

    def forward_export(
        self, images: Float[Tensor, "batch 224 224 3"]
    ) -> tuple[Float[Tensor, "batch 2254 12"], Float[Tensor, "batch 2254 1"]]:
        """Compute the outputs of an exported file: boxes and score logits, in MediaPipe's order."""
        out = self(images.permute(0, 3, 1, 2))
        return out.boxes, out.scores
